"""The Gradio page: `python app.py`. Wiring and drawing only.

The drawing is a handful of pure functions from values to HTML (`render_answer`, `render_sources`, `render_panel`),
which escape everything that users or documents wrote; `converse` is the conversation, `build_page` the layout.
"""

from __future__ import annotations

import argparse
import errno
import html
import logging
import os
import re
import socket
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha1
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import UserError
from index.outline import EDITOR_MARK
from index.types import Document
from rag.config import Config
from rag.pipeline import Pipeline, SourceLine, open_pipeline
from rag.types import Answer, Citation, Passage, Turn

if TYPE_CHECKING:
    import gradio as gr

FONTS = ("Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif")
PROMISE = "答案逐字引自原文；规划没有写明的不作答。"
# The scale of confidence, [0, 1], in equal thirds; the number itself stands in the tooltip.
CONFIDENCE_WORDS = ("低", "中", "高")


class PageError(UserError):
    """The page cannot be opened at the host and port asked for."""


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


def escape(text: str) -> str:
    """Text as HTML on a single line: the chat takes a message for Markdown, and leaves a block of HTML alone only as
    far as the next line break."""
    return re.sub(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", "<br>", html.escape(text))


def tag(text: str, kind: str, title: str = "") -> str:
    tooltip = f' title="{escape(title)}"' if title else ""
    return f'<span class="tag {kind}"{tooltip}>{escape(text)}</span>'


def anchor(answer: Answer, n: int) -> str:
    """Where mark [n] of an answer leads: the same while the answer grows, different for every other question."""
    asked = "\0".join((answer.question, answer.completed or ""))
    return f"source-{sha1(asked.encode(), usedforsecurity=False).hexdigest()[:12]}-{n}"


def line_numbers(lines: Sequence[int]) -> str:
    """第63、65–70行: line numbers in ascending order, neighbours joined."""
    runs = [
        [line for _, line in run] for _, run in groupby(enumerate(sorted(set(lines))), lambda pair: pair[1] - pair[0])
    ]
    return "第" + "、".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs) + "行"


def render_place(section: Sequence[str], lines: Sequence[int], page: int | None) -> str:
    """Section path, lines and page; a title that an editor supplied is marked as not being the document's own."""
    titles = []
    for title in section:
        words = escape(title.replace(EDITOR_MARK, ""))
        editor = tag("拟题", "editor", "原文此处缺标题，由整理者拟定") if EDITOR_MARK in title else ""
        titles.append(f"<span>{words}{editor}</span>")
    path = f'<span class="path">{" › ".join(titles)}</span>' if titles else ""
    pages = f"（第{page}页）" if page is not None else ""
    return f'<div class="place">{path}<span class="lines">{line_numbers(lines)}{pages}</span></div>'


def render_marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with the half-open `spans` in <mark>; overlapping ones become one. ValueError: a span outside it."""
    pieces, done = [], 0
    for start, end in sorted(spans):
        if not 0 <= start <= end <= len(text):
            raise ValueError(f"span {start}:{end} outside a text of {len(text)} characters")
        start = max(start, done)
        if start < end:
            pieces.append(f"{escape(text[done:start])}<mark>{escape(text[start:end])}</mark>")
            done = end
    return "".join(pieces) + escape(text[done:])


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
    if answer.status == "refused":
        tags.append(tag("未载明", "refused", f"原文写明此事的把握：{answer.confidence:.2f}"))
    if failed:
        reasons = "；".join(f"{check.figure}：{check.reason}" for check in failed)
        tags.append(tag(f"{len(failed)} 个数字未能核对", "failed", reasons))
    elif answer.checks and answer.status == "answered":
        tags.append(tag(f"已核对 {len(answer.checks)} 个数字", "checked", "答案中的每个数字都在所引原文中"))
    if answer.status == "answered":
        third = min(int(answer.confidence * len(CONFIDENCE_WORDS)), len(CONFIDENCE_WORDS) - 1)
        tags.append(tag(f"把握：{CONFIDENCE_WORDS[third]}", "confidence", f"{answer.confidence:.2f}（满分 1）"))
    return "".join(tags)


def render_nearest(answer: Answer) -> str:
    """What a refusal that cites nothing has come closest to, with its place."""
    if answer.status != "refused" or answer.citations or not answer.passages:
        return ""
    chunk = answer.passages[0].chunk
    place = render_place(chunk.section, chunk.lines, chunk.page)
    return f'<div class="nearest"><div class="small">原文中最接近的内容：</div>{escape(chunk.text)}{place}</div>'


def render_answer(answer: Answer, final: bool = True) -> str:
    """The HTML of the assistant's message. While the answer still grows (`final` false) it carries no verdicts."""
    completed = f'<div class="small">理解为：{escape(answer.completed)}</div>' if answer.completed else ""
    note = f'<div class="note">{escape(answer.note)}</div>' if answer.note else ""
    verdicts = f'<div class="tags">{render_tags(answer)}</div>{render_nearest(answer)}' if final else ""
    text = render_text(answer) or ("" if final else "正在查阅原文……")
    return f'<div class="reply {answer.status}">{completed}<div class="text">{text}</div>{verdicts}{note}</div>'


def render_failure(message: str) -> str:
    return f'<div class="reply failure"><div class="text">{escape(message)}</div></div>'


def render_source(lines: Sequence[SourceLine]) -> str:
    """The source of one citation: its paragraphs, or column and cell of a table row, with the quoted words marked."""
    if any(line.column for line in lines):
        cells = "".join(
            f"<tr><th>{escape(cell.column)}</th><td>{render_marked(cell.text, cell.marked)}</td></tr>" for cell in lines
        )
        return f'<table class="row">{cells}</table>'
    return "".join(f'<p class="original">{render_marked(line.text, line.marked)}</p>' for line in lines)


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


def render_header(documents: Sequence[Document], backend: str) -> str:
    names = [f"<span>{escape(document.title)}</span>" for document in documents]
    if len(names) > 3:
        head = f"<h1>规划问答</h1><details><summary>已收录 {len(names)} 份文件</summary>{'<br>'.join(names)}</details>"
    else:
        head = f"<h1>{'<br>'.join(names)}</h1>"
    return f"<header>{head}<p>{PROMISE}回答方式：{escape(backend)}</p></header>"


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


def build_page(pipeline: Pipeline) -> gr.Blocks:
    """The page, ready to launch. The conversation is kept on the server, one for each open page."""
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

    names = "、".join(document.title for document in pipeline.documents)
    page = gr.Blocks(title=f"规划问答 · {names}", fill_width=True, analytics_enabled=False)
    with page:
        conversation = gr.State(())
        gr.HTML(render_header(pipeline.documents, pipeline.backend), elem_id="header")
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
    page.queue(default_concurrency_limit=4)
    return page


def check_port(host: str, port: int) -> None:
    """PageError when the page could not listen there."""
    try:
        with socket.create_server((host, port)):
            return
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"端口 {port} 已被别的程序占用：请关闭该程序，或用 --port 指定另一个端口。"
        elif error.errno == errno.EACCES:
            reason = f"没有权限使用端口 {port}：请用 --port 指定一个大于 1023 的端口。"
        else:
            reason = f"--host 应为本机的 IPv4 地址或主机名，收到“{host}”，无法在其上监听：请改用 127.0.0.1。"
        raise PageError(reason) from error


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python app.py", description="打开规划问答的网页。", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示本说明")
    parser.add_argument("--host", default="127.0.0.1", help="监听的地址，默认 %(default)s（只有本机能访问）")
    parser.add_argument("--port", default="7860", metavar="N", help="监听的端口，默认 %(default)s")
    parser.add_argument("--index", type=Path, metavar="DIR", help="索引所在的文件夹，默认为自带规划的索引")
    parser.add_argument("--llm", default=Config.llm, help="由谁回答，默认 %(default)s（摘录原文，不需要模型）")
    parsed = parser.parse_args(arguments)
    if not re.fullmatch(r"[0-9]{1,5}", parsed.port) or not 1 <= int(parsed.port) <= 65535:
        raise PageError(f"--port 应为 1 到 65535 的整数，收到“{parsed.port}”：请改用其他端口号，例如 7860。")
    parsed.port = int(parsed.port)
    return parsed


def launch(page: gr.Blocks, host: str, port: int) -> None:
    """Serve the page in the background. PageError when the port is taken."""
    import gradio as gr

    check_port(host, port)
    page.launch(
        server_name=host,
        server_port=port,
        theme=gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=FONTS, font_mono=FONTS),
        css=STYLE,
        head=HEAD,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        share=False,
        enable_monitoring=False,
        quiet=True,
        prevent_thread_lock=True,
    )


def serve(config: Config, host: str, port: int) -> None:
    """Open the page and stay until interrupted. The port is looked at first: loading the index takes longer."""
    check_port(host, port)
    # Read by gradio and the model libraries when they are imported: nothing may be sent or fetched unasked.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    page = build_page(open_pipeline(config, lambda message: print(message, flush=True)))
    launch(page, host, port)
    print(f"页面已打开：http://{host}:{port}（按 Ctrl+C 结束）", flush=True)
    page.block_thread()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 2 when the user has something to mend, which is then printed in one line."""
    try:
        parsed = parse_arguments(arguments)
        serve(Config(index=parsed.index, llm=parsed.llm), parsed.host, parsed.port)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


# The page's own words are Chinese for every visitor (gradio takes its built-in ones from the browser's language), and a
# screen reader is to read the messages, not the HTML that gradio repeats in their labels.
HEAD = """<script>
document.documentElement.lang = "zh-CN";
Object.defineProperty(navigator, "language", {value: "zh-CN"});
Object.defineProperty(navigator, "languages", {value: ["zh-CN"]});
new MutationObserver(() => {
  for (const message of document.querySelectorAll("#chat [data-testid][aria-label]")) {
    message.removeAttribute("aria-label");
  }
}).observe(document, {childList: true, subtree: true, attributes: true, attributeFilter: ["aria-label"]});
</script>"""

STYLE = """
.gradio-container {
  --ink: #1f2933; --faint: #596777; --line: #d5dde6; --paper: #ffffff; --ground: #f3f5f8; --deep: #1d4e89;
  --on-deep: #ffffff; --marked: #fff0b3; --tint: #edf2f8; --good: #1e6b45; --good-tint: #e6f3ec; --warn: #8a4b08;
  --warn-tint: #fcf1df;
  color: var(--ink); background: var(--ground) !important; font-size: 16px; line-height: 1.7;
}
.dark .gradio-container, .gradio-container.dark {
  --ink: #e4e9ef; --faint: #a3b0bf; --line: #3a4654; --paper: #1b222c; --ground: #12171e; --deep: #8db8ea;
  --on-deep: #10151b; --marked: #66540f; --tint: #232d3a; --good: #8fd3ae; --good-tint: #1b3327; --warn: #f0be7f;
  --warn-tint: #3a2c17;
}
.gradio-container .main.fillable { padding: 0 !important; }
.gradio-container main.contain { max-width: 1440px !important; margin: 0 auto; padding: 18px 28px 24px !important; }
.html-container { padding: 0 !important; }
#header { border-bottom: 2px solid var(--deep); padding-bottom: 12px; }
#header h1 { font-size: 22px; line-height: 1.4; font-weight: 600; color: var(--ink); margin: 0 0 2px; }
#header p, #header details { color: var(--faint); font-size: 14px; margin: 0; }
#header summary { cursor: pointer; }
#columns { gap: 20px; align-items: stretch; }
#columns > .column:last-child { position: relative; min-height: 480px; }
#chat, #panel { border: 1px solid var(--line) !important; border-radius: 8px; background: var(--paper); }
#chat { height: calc(100vh - 336px); min-height: 320px; }
#chat .top-panel { display: none; }
#chat .bubble-wrap { background: transparent; }
#panel { position: absolute; inset: 0; overflow-y: auto !important; padding: 16px 20px; }
#panel h2 { font-size: 17px; font-weight: 600; margin: 0 0 8px; color: var(--ink); }
#chat .message { font-size: 16px; padding: 10px 14px; border-radius: 8px; }
#chat .message.user { background: var(--tint); border-color: var(--line); }
#chat .message.bot { background: var(--paper); border-color: var(--line); }
#chat .message-content, #chat .message .prose { color: var(--ink); line-height: 1.75; opacity: 1; }
#chat .question, #chat .text { white-space: pre-wrap; overflow-wrap: anywhere; }
#chat .reply.refused { border-left: 3px solid var(--warn); padding-left: 12px; }
#chat .reply.failure { border-left: 3px solid var(--faint); padding-left: 12px; color: var(--faint); }
#chat .small { font-size: 13px; color: var(--faint); }
#chat .note { font-size: 14px; color: var(--warn); margin-top: 8px; }
#chat .nearest { margin-top: 10px; padding: 8px 12px; background: var(--tint); border-radius: 6px; font-size: 15px; }
#chat .tags { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 8px; }
#chat .tags:empty { display: none; }
a.cite { color: var(--deep) !important; text-decoration: none !important; font-size: 0.88em; padding: 0 2px; }
a.cite::before, .tag.editor::before { content: "\\2060"; /* no line starts with a mark or this tag */ }
a.cite:hover { text-decoration: underline !important; }
.tag {
  display: inline-block; font-size: 13px; line-height: 1.6; padding: 1px 8px; border-radius: 4px; white-space: nowrap;
  color: var(--faint); background: var(--tint);
}
.tag.checked { color: var(--good); background: var(--good-tint); }
.tag.refused, .tag.failed, .tag.editor { color: var(--warn); background: var(--warn-tint); }
.tag.editor { display: inline; font-size: 12px; font-weight: 400; padding: 1px 5px; margin: 0 2px 0 6px; }
#asking { gap: 10px; align-items: stretch; flex-wrap: wrap; }
#question { flex: 1 1 240px; }
#question textarea {
  font-size: 16px; padding: 10px 14px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper);
}
#question textarea:focus { border-color: var(--deep); }
#asking button { font-size: 15px; font-weight: 500; border-radius: 8px; border: 1px solid var(--line); }
#asking button.primary { background: var(--deep); border-color: var(--deep); color: var(--on-deep); }
#asking button.secondary { background: var(--paper); color: var(--ink); }
#asking button:disabled { opacity: 0.5; }
#examples { gap: 8px; flex-wrap: wrap; }
#examples button {
  flex: 0 1 auto; width: auto; font-size: 14px; font-weight: 400; line-height: 1.5; padding: 5px 12px; text-align: left;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 6px; white-space: normal;
  overflow-wrap: anywhere;
}
#examples button:hover { border-color: var(--deep); color: var(--deep); }
#panel .turn { display: none; }
#panel .turn:last-of-type { display: block; }
#panel:has(.turn :target) .turn { display: none; }
#panel .turn:has(:target) { display: block !important; }
#panel .asked { font-size: 14px; color: var(--faint); margin: 0 0 12px; overflow-wrap: anywhere; }
#panel .card {
  border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; margin-bottom: 14px; scroll-margin: 12px;
}
#panel .card:target { border-color: var(--deep); box-shadow: 0 0 0 3px var(--tint); }
#panel .number { color: var(--deep); font-size: 15px; font-weight: 600; margin-right: 8px; }
#panel .document { font-size: 13px; color: var(--faint); }
.place { font-size: 14px; line-height: 1.6; display: flex; flex-wrap: wrap; gap: 0 14px; margin-top: 2px; }
.place .path { font-weight: 600; color: var(--ink); }
.place .lines { white-space: nowrap; color: var(--deep); }
#panel .original { margin: 8px 0 0; font-size: 15px; line-height: 1.85; color: var(--ink); overflow-wrap: anywhere; }
#panel mark { background: var(--marked); color: inherit; padding: 1px 0; border-radius: 2px; }
#panel table.row { width: 100%; border-collapse: collapse; margin: 10px 0 2px; font-size: 15px; }
#panel .row th, #panel .row td {
  border: 1px solid var(--line); padding: 5px 10px; text-align: left; vertical-align: top; overflow-wrap: anywhere;
  color: var(--ink); background: var(--paper);
}
#panel .row th { width: 42%; font-weight: 400; color: var(--faint); background: var(--tint); }
#panel .others summary { cursor: pointer; color: var(--deep); font-size: 14px; padding: 4px 0; }
#panel .others ol { list-style: none; margin: 6px 0 0; padding: 0; }
#panel .others li { border-top: 1px solid var(--line); padding: 10px 0; margin: 0; }
.empty { color: var(--faint); font-size: 15px; }
@media (max-width: 800px) {
  .gradio-container main.contain { padding: 12px !important; }
  #header h1 { font-size: 18px; }
  #chat { height: 52vh; }
  #question { flex-basis: 100%; }
  #asking button { flex: 1 1 0 !important; }
  #columns:has(#chat .reply) #examples { display: none; }
  #columns > .column:last-child { min-height: 0; }
  #panel { position: static; padding: 12px 14px; }
}
"""

if __name__ == "__main__":
    sys.exit(main())
