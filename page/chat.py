"""The tab 问答: a question, its growing answer, and the sources beside it.

`render_answer`, `render_sources` and `render_panel` draw, `converse` is the conversation, `build_chat` the layout.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha1
from typing import Any

from index.errors import UserError
from page.drawing import escape, render_place, render_source, tag
from rag.pipeline import Pipeline, SourceLine
from rag.types import Answer, Citation, Passage, Turn

# The scale of confidence, [0, 1], in equal thirds; the number itself stands in the tooltip.
CONFIDENCE_WORDS = ("低", "中", "高")


@dataclass(frozen=True)
class Exchange:
    """A question and what the page shows for it.

    `reply` and `sources` are HTML; `turn` is what later questions may refer to, None while the answer is being written
    and for one that failed or was stopped.
    """

    question: str
    reply: str
    sources: str = ""
    turn: Turn | None = None
    running: bool = False


Conversation = tuple[Exchange, ...]


def anchor(answer: Answer, n: int) -> str:
    """Where mark [n] of an answer leads: the same while the answer grows, different for every other question."""
    asked = "\0".join((answer.question, answer.completed or ""))
    return f"source-{sha1(asked.encode(), usedforsecurity=False).hexdigest()[:12]}-{n}"


def render_text(answer: Answer) -> str:
    """The answer's words, each mark [n] a link to its card; brackets that cite nothing stay as they are."""
    cited = {citation.n for citation in answer.citations}

    def link(match: re.Match[str]) -> str:
        n = int(match[1])
        return f'<a class="cite" href="#{anchor(answer, n)}">[{n}]</a>' if n in cited else match[0]

    return re.sub(r"\[(\d{1,4})\]", link, escape(answer.text))


def render_tags(answer: Answer) -> str:
    failed = [check for check in answer.checks if not check.ok]
    tags = []
    if answer.approved is not None:
        by, at, version = answer.approved.by, answer.approved.at[:10], answer.approved.version
        tags.append(tag(f"已审定 {at}", "checked", f"{by} 审定，文件版本 {version}"))
    if answer.status == "refused":
        tags.append(tag("未载明", "refused", f"原文没有写明的把握：{answer.confidence:.2f}"))
    if failed:
        reasons = "；".join(f"{check.figure}：{check.reason}" for check in failed)
        tags.append(tag(f"{len(failed)} 个数字未能核对", "failed", reasons))
    elif answer.checks and answer.status == "answered":
        tags.append(tag(f"已核对 {len(answer.checks)} 个数字", "checked", "答案中的每个数字都在所引原文中"))
    if answer.status == "answered" and answer.approved is None:
        third = min(int(answer.confidence * len(CONFIDENCE_WORDS)), len(CONFIDENCE_WORDS) - 1)
        tags.append(tag(f"把握：{CONFIDENCE_WORDS[third]}", "confidence", f"{answer.confidence:.2f}（满分 1）"))
    return "".join(tags)


def render_answer(answer: Answer, final: bool = True) -> str:
    """The HTML of the assistant's message. While the answer still grows (`final` false) it carries no verdicts."""
    completed = f'<div class="small">理解为：{escape(answer.completed)}</div>' if answer.completed else ""
    note = f'<div class="note">{escape(answer.note)}</div>' if answer.note else ""
    verdicts = f'<div class="tags">{render_tags(answer)}</div>' if final else ""
    text = render_text(answer) or ("" if final else "正在查阅原文……")
    return f'<div class="reply {answer.status}">{completed}<div class="text">{text}</div>{verdicts}{note}</div>'


def render_failure(message: str) -> str:
    return f'<div class="reply failure"><div class="text">{escape(message)}</div></div>'


def render_card(citation: Citation, source: Sequence[SourceLine], title: str, target: str) -> str:
    return (
        f'<article class="card" id="{target}"><header><span class="number">[{citation.n}]</span>'
        f'<span class="document">{escape(title)}</span></header>'
        f"{render_place(citation.section, citation.lines, citation.page)}{render_source(source)}</article>"
    )


def is_cited(passage: Passage, citations: Sequence[Citation]) -> bool:
    chunk = passage.chunk
    return any(chunk.doc_id == c.doc and not set(chunk.lines).isdisjoint(c.lines) for c in citations)


def render_sources(answer: Answer, sources: Sequence[tuple[SourceLine, ...]], titles: Mapping[str, str]) -> str:
    """A card for each citation, `sources` in the order of `answer.citations`, and below, folded, what else was found.
    `titles` maps document ids to titles."""
    cards = [
        render_card(citation, source, titles[citation.doc], anchor(answer, citation.n))
        for citation, source in zip(answer.citations, sources, strict=True)
    ]
    others = [passage for passage in answer.passages if not is_cited(passage, answer.citations)]
    items = [
        f'<li><div class="document">{escape(titles[passage.chunk.doc_id])}</div>'
        f"{render_place(passage.chunk.section, passage.chunk.lines, passage.chunk.page)}"
        f'<p class="original">{escape(passage.chunk.text)}</p></li>'
        for passage in others
    ]
    nothing = "" if cards else '<p class="empty">本次回答没有引用原文。</p>'
    more = f'<details class="others"><summary>其他检索结果（{len(items)}）</summary><ol>{"".join(items)}</ol></details>'
    return f"{nothing}{''.join(cards)}{more if items else ''}"


def render_panel(conversation: Conversation) -> str:
    """The sources of every answer; the style sheet shows the last one's, or those of the mark that was clicked."""
    shown = [
        f'<section class="turn"><p class="asked">{escape(exchange.question)}</p>{exchange.sources}</section>'
        for exchange in conversation
        if exchange.sources
    ]
    return f"<h2>依据原文</h2>{''.join(shown) or EMPTY_PANEL}"


EMPTY_PANEL = '<p class="empty">提问后，这里列出答案所依据的原文、章节和行号。</p>'


def messages(conversation: Conversation) -> list[dict[str, str]]:
    """The conversation as the chat component takes it; HTML on both sides, so that nothing is read as Markdown."""
    shown = []
    for exchange in conversation:
        question = escape(exchange.question.strip()) or "（没有输入问题）"
        shown.append({"role": "user", "content": f'<div class="question">{question}</div>'})
        shown.append({"role": "assistant", "content": exchange.reply})
    return shown


def converse(pipeline: Pipeline, question: str, conversation: Conversation) -> Generator[Conversation, None, None]:
    """The conversation with the question and its growing answer at the end; the last has the whole answer. Errors
    become the answer; closing this closes the pipeline's stream."""
    history = tuple(exchange.turn for exchange in conversation if exchange.turn is not None)
    titles = {document.id: document.title for document in pipeline.documents}
    exchange = Exchange(question, '<div class="reply"><div class="text">正在查阅原文……</div></div>', running=True)
    yield (*conversation, exchange)
    try:
        # A generator, so that an answer nobody reads any more can be stopped.
        with closing(pipeline.stream(question, history)) as answers:
            for answer in answers:
                sources = render_sources(answer, [pipeline.source(c) for c in answer.citations], titles)
                exchange = replace(exchange, reply=render_answer(answer, final=False), sources=sources)
                yield (*conversation, exchange)
        exchange = Exchange(question, render_answer(answer), sources, Turn(question, answer.text))
    except UserError as error:
        exchange = Exchange(question, render_failure(str(error)))
    except Exception:
        logging.exception("no answer to %r", question)
        exchange = Exchange(question, render_failure("内部错误，这个问题没有得到回答：请查看终端日志。"))
    yield (*conversation, exchange)


def stop(conversation: Conversation) -> Conversation:
    """The conversation with an answer that was still growing marked as broken off."""
    if not conversation or not conversation[-1].running:
        return conversation
    last = conversation[-1]
    stopped = f'{last.reply}<div class="note">已停止，以上内容不完整。</div>'
    return (*conversation[:-1], replace(last, reply=stopped, running=False))


def build_chat(pipeline: Pipeline) -> None:
    """The tab of the chat, inside which this is called. The conversation is kept on the server, one for each open
    page."""
    import gradio as gr
    from gradio.events import api

    def show(conversation: Conversation) -> tuple[Any, ...]:
        running = bool(conversation) and conversation[-1].running
        return (
            conversation,
            messages(conversation),
            render_panel(conversation),
            gr.update(interactive=not running),
            gr.update(interactive=running),
        )

    def answer(question: str, conversation: Conversation) -> Iterator[tuple[Any, ...]]:
        if conversation and conversation[-1].running:
            yield (gr.skip(),) * 6
            return
        with closing(converse(pipeline, question, conversation)) as growing:
            box: Any = ""
            for grown in growing:
                yield (*show(grown), box)
                # Emptied once: by now the next question may be being typed there.
                box = gr.skip()

    def ask(question: str) -> str:
        try:
            return pipeline.ask(question).text
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from error

    conversation = gr.State(())
    with gr.Row(elem_id="columns"):
        with gr.Column(scale=6, min_width=320):
            chat = gr.Chatbot(
                label="对话",
                show_label=False,
                elem_id="chat",
                height=None,
                buttons=[],
                feedback_options=None,
                latex_delimiters=[],
                group_consecutive_messages=False,
                placeholder='<div class="empty">请在下方输入问题，或点选一个示例问题。</div>',
            )
            with gr.Row(elem_id="asking"):
                question = gr.Textbox(
                    label="问题",
                    show_label=False,
                    container=False,
                    elem_id="question",
                    placeholder="输入要查的问题，按回车提问",
                    lines=1,
                    max_lines=4,
                    autofocus=True,
                    scale=1,
                )
                asking = gr.Button("提问", variant="primary", scale=0, min_width=72)
                stopping = gr.Button("停止", interactive=False, scale=0, min_width=72)
                clearing = gr.Button("清空", scale=0, min_width=72)
            with gr.Row(elem_id="examples"):
                examples = [gr.Button(example, size="sm", scale=0, min_width=0) for example in pipeline.examples()]
        with gr.Column(scale=5, min_width=320):
            panel = gr.HTML(render_panel(()), elem_id="panel")
    drawn = [conversation, chat, panel, asking, stopping]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    answering: dict[str, Any] = {
        "fn": answer,
        "inputs": [question, conversation],
        "outputs": [*drawn, question],
        "trigger_mode": "once",
        **quiet,
    }
    asked = [gr.on([question.submit, asking.click], **answering)]
    for example in examples:
        asked.append(example.click(lambda words: words, example, question, **quiet).then(**answering))
    # A cancelled answer can draw nothing more, so what it leaves is drawn after it.
    stopping.click(None, cancels=asked).then(lambda ended: show(stop(ended)), conversation, drawn, **quiet)
    clearing.click(None, cancels=asked).then(lambda: (*show(()), ""), None, [*drawn, question], **quiet)
    api(ask, api_name="ask")
