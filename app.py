"""The Gradio page: `python app.py`. Wiring and drawing only.

The drawing is a handful of pure functions from values to HTML (`render_answer`, `render_sources`, `render_panel` for
the chat, `render_target`, `render_conflicts`, `render_changes` for the register of targets), which escape everything
that users or documents wrote; `converse` is the conversation, `build_page` the layout, `build_register` its second tab.
"""

from __future__ import annotations

import argparse
import errno
import html
import logging
import math
import os
import re
import socket
import sys
import unicodedata
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha1
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Literal

from index.conflicts import Conflict, Evidence
from index.errors import UserError
from index.export import BASES, target_sheet, write
from index.outline import EDITOR_MARK
from index.targets import Fact, Register, Target
from index.types import Chunk, Document
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


# --- the register of targets

ALL = "全部"
# Headings of the table of targets and the widths of its columns in px.
COLUMNS = {
    "指标": 190, "主体": 90, "目标值": 150, "年份": 65, "基期值": 150, "属性": 75, "口径": 65, "章节": 355, "行": 60,
}  # fmt: skip
# What targets are filtered by: what a target is filed under.
FACETS: dict[str, Callable[[Target], str]] = {
    "章节": lambda target: target.section[0] if target.section else "不在章节内",
    "属性": lambda target: target.nature or "未注明",
    "年份": lambda target: "未注明" if target.year is None else f"{target.year}年",
    "单位": lambda target: target.unit or "无单位",
}
SIGNS = {">=": "≥", "<=": "≤", ">": ">", "<": "<", "=": "", "~": ""}

Row = tuple[str | int, ...]


def folded(text: str) -> str:
    """Text as it is compared: full-width and compatibility forms (NFKC) and capitals made plain."""
    return unicodedata.normalize("NFKC", text).casefold()


def choices(targets: Sequence[Target]) -> dict[str, list[str]]:
    """What each filter offers, in the order of the text; years in theirs."""
    offered = {name: list(dict.fromkeys(map(filed, targets))) for name, filed in FACETS.items()}
    return {name: [ALL, *(sorted(found) if name == "年份" else found)] for name, found in offered.items()}


def matching(targets: Sequence[Target], words: str, chosen: Sequence[str]) -> tuple[Target, ...]:
    """The targets whose indicator, subject or sentence hold all of the words, and which are filed under what was
    `chosen` for each of FACETS, in their order."""
    wanted = folded(words).split()
    filters = [(filed, choice) for filed, choice in zip(FACETS.values(), chosen, strict=True) if choice != ALL]
    return tuple(
        target
        for target in targets
        if all(word in folded(f"{target.indicator}\n{target.subject}\n{target.sentence}") for word in wanted)
        and all(filed(target) == choice for filed, choice in filters)
    )


def told_value(target: Target) -> str:
    """≥145万吨, 45–50%, 30万吨左右; for a goal in words, the words."""
    if target.value is None:
        return target.text_value
    upper = f"–{target.value_max}" if target.value_max else ""
    about = "左右" if target.approx or target.comparator == "~" else ""
    return f"{SIGNS[target.comparator]}{target.value}{upper}{target.unit}{about}"


def has_own_baseline(target: Target, facts: Sequence[Fact]) -> bool:
    """Whether the baseline is known to be of the target's own unit and measure. It need not be: beside a five-year sum
    a table gives the level it starts from, and a sentence may change the unit (由9500万元提高到1.2亿元)."""
    if target.baseline_value is None:
        return False
    if target.source == "text":
        written = unicodedata.normalize("NFKC", target.sentence).replace(",", "")
        unit = unicodedata.normalize("NFKC", target.unit)
        return target.basis == "level" and f"{target.baseline_value}{unit}" in written
    return any(
        (fact.chunk, fact.value, fact.unit, fact.basis)
        == (target.chunk, target.baseline_value, target.unit, target.basis)
        for fact in facts
    )


def in_year(words: str, year: int | None) -> str:
    return words if year is None else f"{words}（{year}年）"


def told_baseline(target: Target, facts: Sequence[Fact]) -> str:
    """60.5%（2020年）; without the unit where it is not known to be the target's."""
    if target.baseline_value is None:
        return ""
    unit = target.unit if has_own_baseline(target, facts) else ""
    return in_year(f"{target.baseline_value}{unit}", target.baseline_year)


def target_row(target: Target, facts: Sequence[Fact]) -> Row:
    """A target as a row of the table, in the order of COLUMNS."""
    path = [*target.section[:1], *(["…"] if len(target.section) > 2 else []), *target.section[1:][-1:]]
    return (
        target.indicator,
        target.subject,
        told_value(target),
        str(target.year) if target.year is not None else "",
        told_baseline(target, facts),
        target.nature or "",
        BASES[target.basis] if target.basis is not None else "",
        " › ".join(path),
        target.line,
    )


def spans_of(sentence: str, about: str, said: Collection[str]) -> list[tuple[int, int]]:
    """Where the name and the words that were `said` of it stand in the sentence: the words after the name, where they
    do; the name only where it stands verbatim. ValueError: words that do not."""
    named = sentence.find(about) if about else -1
    spans = [(named, named + len(about))] if named >= 0 else []
    for words in said:
        at = sentence.find(words, named + len(about)) if named >= 0 else -1
        at = at if at >= 0 else sentence.index(words)
        spans.append((at, at + len(words)))
    return spans


def render_row(chunk: Chunk, said: Collection[str], year: int | None) -> str:
    """A table row as column and cell, the cells that read as was `said` marked; of several, that of the year."""
    reading = [cell for cell in chunk.cells if cell.text in said]
    own = [cell for cell in reading if year is not None and str(year) in cell.column] or reading
    return render_source(
        [SourceLine(c.line, c.text, ((0, len(c.text)),) if c in own else (), c.column) for c in chunk.cells]
    )


def render_sentence(paragraph: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    """A paragraph with the sentence at [start, end) set off and `spans` of that sentence marked."""
    sentence = f'<span class="sentence">{render_marked(paragraph[start:end], spans)}</span>'
    return f'<p class="original">{escape(paragraph[:start])}{sentence}{escape(paragraph[end:])}</p>'


def render_target(target: Target, chunk: Chunk, line: str, title: str) -> str:
    """The card of a target: its place, and the words it was read from in their paragraph or table row. `chunk` is the
    target's, `line` the text of its line, `title` its document's."""
    said = [target.text_value]
    if chunk.cells:
        source = render_row(chunk, said, target.year)
    else:
        # The items of a 专栏 all stand in one line, often of a thousand characters: only the item is shown.
        paragraph, first = (chunk.text, chunk.start) if chunk.kind == "item" else (line, 0)
        spans = spans_of(target.sentence, target.indicator, said)
        source = render_sentence(paragraph, target.start - first, target.end - first, spans)
    return (
        f'<article class="card"><header><span class="about">{escape(target.subject + target.indicator)}</span>'
        f'<span class="value">{escape(told_value(target))}</span><span class="document">{escape(title)}</span></header>'
        f"{render_place(target.section, chunk.lines, chunk.page)}{source}</article>"
    )


def render_conflict(conflict: Conflict, chunks: Mapping[str, Chunk]) -> str:
    """The card of something to be checked. Sides in one sentence or table row are shown once. `chunks`: by id."""
    places: dict[tuple[str, int, int], list[Evidence]] = {}
    for side in conflict.sides:
        places.setdefault((side.chunk, side.start, side.end), []).append(side)
    shown = []
    for (chunk_id, _, _), sides in places.items():
        chunk, side, said = chunks[chunk_id], sides[0], [side.said for side in sides]
        if chunk.cells:
            source = render_row(chunk, said, None)
        else:
            source = render_sentence(side.sentence, 0, len(side.sentence), spans_of(side.sentence, "", said))
        shown.append(f'<div class="side">{render_place(side.section, chunk.lines, chunk.page)}{source}</div>')
    header = f'{tag(conflict.kind, "check")}<span class="about">{escape(conflict.about)}</span>'
    return (
        f'<article class="card"><header>{header}</header><p class="note">{escape(conflict.note)}</p>'
        f'<div class="sides">{"".join(shown)}</div></article>'
    )


def render_conflicts(conflicts: Sequence[Conflict], chunks: Mapping[str, Chunk]) -> str:
    if not conflicts:
        return '<p class="empty">没有发现需要核对的地方。</p>'
    intro = f"共 {len(conflicts)} 处待核对：所列原句可能说法不一，由程序比对得出，请对照原文判断。"
    return f'<p class="count">{intro}</p>{"".join(render_conflict(conflict, chunks) for conflict in conflicts)}'


def changes(register: Register) -> list[Target]:
    """The targets that can be drawn beside their baselines: both single numbers of one unit and measure."""
    number = re.compile(r"-?\d+(?:\.\d+)?")
    return [
        target
        for target in register.targets
        if number.fullmatch(target.value or "")
        and number.fullmatch(target.baseline_value or "")
        and has_own_baseline(target, register.facts)
    ]


def scale_of(values: Sequence[float]) -> tuple[float, float]:
    """The ends of a scale that begins at zero and ends at the next 1, 2 or 5 times a power of ten, on either side."""

    def reach(value: float) -> float:
        if value <= 0:
            return 0.0
        power = 10.0 ** math.floor(math.log10(value))
        return next(step * power for step in (1, 2, 5, 10) if step * power >= value)

    low, high = 0 - reach(-min(values)), reach(max(values))
    return (low, high) if low < high else (0.0, 1.0)


def render_change(target: Target, scale: tuple[float, float]) -> str:
    """Baseline (hollow) and target (full) on a line of the scale. Places are shares of the width, so that the drawing
    stretches with the page and its letters do not."""
    low, high = scale

    def place(number: str | None) -> float:
        # The ends stand off the borders, so that no dot is cut.
        return 2 + 96 * (float(number or "") - low) / (high - low)

    def label(kind: str, at: float, y: int, words: str) -> str:
        side = "start" if at < 25 else "end" if at > 75 else "middle"
        return f'<text class="{kind}" x="{at:.2f}%" y="{y}" text-anchor="{side}">{escape(words)}</text>'

    base, goal = place(target.baseline_value), place(target.value)
    base_words = in_year(f"{target.baseline_value}{target.unit}", target.baseline_year)
    goal_words = in_year(told_value(target), target.year)
    name = target.subject + target.indicator
    told = escape(f"{name}：基期值{base_words}，目标值{goal_words}")
    return (
        f'<figure class="change"><figcaption>{escape(name)}<span class="small">第{target.line}行，刻度'
        f" {low:g}–{high:g}{escape(target.unit)}</span></figcaption>"
        f'<svg role="img" aria-label="{told}" width="100%" height="62">'
        '<line class="axis" x1="2%" x2="98%" y1="30" y2="30"/>'
        f'<line class="span" x1="{base:.2f}%" x2="{goal:.2f}%" y1="30" y2="30"/>'
        f'<circle class="base" cx="{base:.2f}%" cy="30" r="5"/><circle class="goal" cx="{goal:.2f}%" cy="30" r="5"/>'
        f"{label('goal', goal, 16, goal_words)}{label('base', base, 52, base_words)}</svg></figure>"
    )


def render_changes(targets: Sequence[Target]) -> str:
    """Baselines and targets drawn: percentages on one scale, every other unit on its own. `targets` as `changes` gives
    them."""
    if not targets:
        return '<p class="empty">没有同时写明基期值和目标值、且口径相同的指标。</p>'

    def values(target: Target) -> tuple[float, float]:
        return float(target.baseline_value or ""), float(target.value or "")

    shares = [target for target in targets if target.unit in ("%", "％")]
    others = [target for target in targets if target not in shares]
    common = scale_of([value for target in shares for value in values(target)]) if shares else (0.0, 1.0)
    parts = [
        ("百分比（同一刻度）", [render_change(target, common) for target in shares]),
        ("其他单位（各用自己的刻度）", [render_change(target, scale_of(values(target))) for target in others]),
    ]
    drawn = [f'<h3>{head}</h3><div class="changes">{"".join(figures)}</div>' for head, figures in parts if figures]
    key = '<span class="key"><span class="dot base"></span>基期值<span class="dot goal"></span>目标值</span>'
    return f'<p class="count">共 {len(targets)} 项同时写明基期值和目标值。{key}</p>{"".join(drawn)}'


def render_count(shown: int, every: int) -> str:
    if not shown:
        words = "共 0 项：没有符合条件的指标，请放宽筛选或换一个词。"
    else:
        words = f"共 {shown} 项" + (f"（全部 {every} 项）" if shown < every else "")
    return f'<p class="count">{words}</p>'


def render_untargeted(title: str) -> str:
    return f'<p class="empty">《{escape(title)}》里没有找到量化的目标。</p>'


EMPTY_TARGET = '<p class="empty">点选表中一行，这里显示它的原句、章节和行号。</p>'


def build_register(pipeline: Pipeline, tab: gr.Tab) -> None:
    """The tab of the register, inside which this is called. The register is worked out when the tab is first opened."""
    import gradio as gr

    titles = {document.id: document.title for document in pipeline.documents}
    # Files stay until they were sent, at most as long as the page is served.
    exports = TemporaryDirectory(prefix="plan-qa-")

    def listed(document: str, words: str, *chosen: str) -> tuple[Target, ...]:
        return matching(pipeline.registers[document].targets, words, chosen)

    def draw_list(document: str, words: str, *chosen: str) -> tuple[Any, ...]:
        register = pipeline.registers[document]
        shown = matching(register.targets, words, chosen)
        rows = [target_row(target, register.facts) for target in shown]
        return (
            render_count(len(shown), len(register.targets)),
            {"headers": list(COLUMNS), "data": rows},
            EMPTY_TARGET,
            gr.update(interactive=bool(shown)),
        )

    def draw_document(document: str) -> tuple[Any, ...]:
        register = pipeline.registers[document]
        offered = choices(register.targets)
        return (
            True,
            gr.update(visible=bool(register.targets)),
            gr.update(value=render_untargeted(titles[document]), visible=not register.targets),
            "",
            *(gr.update(choices=offered[name], value=ALL) for name in FACETS),
            *draw_list(document, "", *(ALL for _ in FACETS)),
            render_conflicts(pipeline.conflicts[document], pipeline.chunk_of),
            render_changes(changes(register)),
        )

    def open_tab(opened: bool, document: str) -> tuple[Any, ...]:
        return (gr.skip(),) * len(drawn) if opened else draw_document(document)

    def pick(document: str, event: Any) -> Any:
        register = pipeline.registers[document]
        rows = {target_row(target, register.facts): target for target in register.targets}
        target = rows.get(tuple(event.row_value))
        if target is None:  # a row of the document shown before, clicked while another was being fetched
            return gr.skip()
        line = pipeline.index.line(document, target.line).text
        return render_target(target, pipeline.chunk_of[target.chunk], line, titles[document])

    # gradio passes the row clicked to the argument that has this type, which is not known outside this function.
    pick.__annotations__["event"] = gr.SelectData

    def export(document: str, words: str, *chosen: str) -> str:
        out = Path(mkdtemp(dir=exports.name)) / f"指标台账-{document}.xlsx"
        try:
            write(target_sheet(listed(document, words, *chosen)), "xlsx", out)
        except UserError as error:
            raise gr.Error(str(error), title="没有下载", print_exception=False) from error
        return str(out)

    kinds: list[Literal["str", "number"]] = ["number" if heading == "行" else "str" for heading in COLUMNS]
    opened = gr.State(False)
    document = gr.Dropdown(
        [(title, doc_id) for doc_id, title in titles.items()],
        value=pipeline.documents[0].id,
        label="文档",
        elem_id="document",
        visible=len(titles) > 1,
    )
    with gr.Tabs(elem_id="views"):
        with gr.Tab("指标"):
            untargeted = gr.HTML("", elem_id="untargeted", visible=False)
            with gr.Column(elem_id="listing") as listing:
                with gr.Row(elem_id="filters"):
                    search = gr.Textbox(
                        label="查找", elem_id="search", placeholder="指标、主体或原句中的词", scale=2, min_width=180
                    )
                    filters = [gr.Dropdown([ALL], value=ALL, label=name, min_width=130) for name in FACETS]
                with gr.Row(elem_id="counting"):
                    count = gr.HTML('<p class="count">正在整理指标……</p>', elem_id="count")
                    exporting = gr.Button("下载 xlsx", interactive=False, scale=0, min_width=110)
                    # What fetches the file has to exist before it is clicked, so the button above clicks this one.
                    file = gr.DownloadButton("下载", elem_id="file")
                table = gr.Dataframe(
                    {"headers": list(COLUMNS), "data": []},
                    datatype=kinds,
                    label="指标",
                    show_label=False,
                    interactive=False,
                    wrap=True,
                    column_widths=[f"{width}px" for width in COLUMNS.values()],
                    max_height=440,
                    buttons=[],
                    elem_id="targets",
                )
                card = gr.HTML(EMPTY_TARGET, elem_id="target")
        with gr.Tab("待核对"):
            conflicts = gr.HTML(elem_id="conflicts")
        with gr.Tab("基期与目标"):
            plot = gr.HTML(elem_id="plot")
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    asked = [document, search, *filters]
    drawn_list = [count, table, card, exporting]
    drawn: list[Any] = [opened, listing, untargeted, search, *filters, *drawn_list, conflicts, plot]
    tab.select(open_tab, [opened, document], drawn, **quiet)
    document.input(draw_document, document, drawn, **quiet)
    gr.on(
        # Not search.input: it is told of keys pressed, and so neither of what an input method composes nor of a paste.
        [search.change, *(choice.input for choice in filters)],
        draw_list,
        asked,
        drawn_list,
        trigger_mode="always_last",
        **quiet,
    )
    table.select(pick, document, card, **quiet).then(
        None, js="() => document.querySelector('#target').scrollIntoView({block: 'nearest'})", **quiet
    )
    exporting.click(export, asked, file, **quiet).success(
        None, js="() => document.querySelector('#file').click()", **quiet
    )


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
    # What was downloaded is forgotten within a day (seconds between the rounds, seconds of age).
    page = gr.Blocks(
        title=f"规划问答 · {names}", fill_width=True, analytics_enabled=False, delete_cache=(86_400, 86_400)
    )
    with page:
        conversation = gr.State(())
        gr.HTML(render_header(pipeline.documents, pipeline.backend), elem_id="header")
        with gr.Tabs(elem_id="pages"):
            with gr.Tab("问答", render_children=True), gr.Row(elem_id="columns"):
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
                        examples = [
                            gr.Button(example, size="sm", scale=0, min_width=0) for example in pipeline.examples()
                        ]
                with gr.Column(scale=5, min_width=320):
                    panel = gr.HTML(render_panel(()), elem_id="panel")
            with gr.Tab("指标台账") as register:
                build_register(pipeline, register)
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
    parser.add_argument(
        "--llm",
        default=Config.llm,
        help="由谁回答，默认 %(default)s（摘录原文，不需要模型）；transformers:模型 或 server:模型@http://地址/v1",
    )
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
        i18n=gr.I18n(en=TABLE_MENU),
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

# The table's menu is built before HEAD can speak for a browser that is set to English.
TABLE_MENU = {
    "dataframe.sort_ascending": "升序排序",
    "dataframe.sort_descending": "降序排序",
    "dataframe.clear_sort": "清除排序",
}

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
.gradio-container main.contain {
  width: 100%; max-width: 1440px !important; margin: 0 auto; padding: 18px 28px 24px !important;
}
.html-container { padding: 0 !important; }
#header { border-bottom: 2px solid var(--deep); padding-bottom: 12px; }
#header h1 { font-size: 22px; line-height: 1.4; font-weight: 600; color: var(--ink); margin: 0 0 2px; }
#header p, #header details { color: var(--faint); font-size: 14px; margin: 0; }
#header summary { cursor: pointer; }
#columns { gap: 20px; align-items: stretch; }
#columns > .column:last-child { position: relative; min-height: 480px; }
#chat, #panel { border: 1px solid var(--line) !important; border-radius: 8px; background: var(--paper); }
#chat { height: calc(100vh - 386px); min-height: 320px; }
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
:is(#panel, #target, #conflicts) .card {
  border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; margin-bottom: 14px; scroll-margin: 12px;
}
#panel .card:target { border-color: var(--deep); box-shadow: 0 0 0 3px var(--tint); }
#panel .number { color: var(--deep); font-size: 15px; font-weight: 600; margin-right: 8px; }
:is(#panel, #target) .document { font-size: 13px; color: var(--faint); }
.place { font-size: 14px; line-height: 1.6; display: flex; flex-wrap: wrap; gap: 0 14px; margin-top: 2px; }
.place .path { font-weight: 600; color: var(--ink); }
.place .lines { white-space: nowrap; color: var(--deep); }
:is(#panel, #target, #conflicts) .original {
  margin: 8px 0 0; font-size: 15px; line-height: 1.85; color: var(--ink); overflow-wrap: anywhere;
}
:is(#panel, #target, #conflicts) mark { background: var(--marked); color: inherit; padding: 1px 0; border-radius: 2px; }
:is(#panel, #target, #conflicts) table.row {
  width: 100%; border-collapse: collapse; margin: 10px 0 2px; font-size: 15px;
}
:is(#panel, #target, #conflicts) .row :is(th, td) {
  border: 1px solid var(--line); padding: 5px 10px; text-align: left; vertical-align: top; overflow-wrap: anywhere;
  color: var(--ink); background: var(--paper);
}
:is(#panel, #target, #conflicts) .row th { width: 42%; font-weight: 400; color: var(--faint); background: var(--tint); }
#panel .others summary { cursor: pointer; color: var(--deep); font-size: 14px; padding: 4px 0; }
#panel .others ol { list-style: none; margin: 6px 0 0; padding: 0; }
#panel .others li { border-top: 1px solid var(--line); padding: 10px 0; margin: 0; }
.empty { color: var(--faint); font-size: 15px; }
[role=tablist] button { font-size: 15px !important; }
[role=tablist] button.selected { color: var(--deep) !important; font-weight: 600; }
[role=tablist] button.selected::after { background: var(--deep) !important; }
[role=tabpanel] { padding: 0 !important; }
#filters { gap: 10px; flex-wrap: wrap; }
#counting { gap: 10px; align-items: center; }
#counting button {
  font-size: 15px; font-weight: 500; color: var(--ink); background: var(--paper); border: 1px solid var(--line);
  border-radius: 8px;
}
#file, #targets .selection-button { display: none; }
/* Filters of gradio's own: the count and the download would not know of them. */
#targets .cell-menu button:nth-of-type(n+4) { display: none; }
.count { font-size: 15px; color: var(--faint); margin: 4px 0; }
#target .card, #conflicts .card { background: var(--paper); }
#target .row { max-width: 720px; }
#target .about, #conflicts .about { font-size: 16px; font-weight: 600; color: var(--ink); }
#target .value { color: var(--deep); font-weight: 600; margin: 0 12px; }
#target .sentence { background: var(--tint); }
#conflicts header { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; }
#conflicts .note { font-size: 15px; color: var(--ink); margin: 6px 0 10px; overflow-wrap: anywhere; }
#conflicts .sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 360px), 1fr)); gap: 10px; }
#conflicts .side { border-left: 3px solid var(--line); padding-left: 12px; min-width: 0; }
.tag.check { color: var(--warn); background: var(--warn-tint); }
#plot h3 { font-size: 16px; font-weight: 600; color: var(--ink); margin: 14px 0 8px; }
#plot .changes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); gap: 14px; }
#plot .change {
  margin: 0; padding: 10px 14px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper);
}
#plot figcaption { font-size: 15px; color: var(--ink); overflow-wrap: anywhere; }
#plot .small { font-size: 13px; color: var(--faint); margin-left: 10px; white-space: nowrap; }
#plot svg { display: block; overflow: visible; }
#plot .axis { stroke: var(--line); stroke-width: 2; }
#plot .span { stroke: var(--deep); stroke-width: 3; }
#plot circle { stroke: var(--deep); stroke-width: 2; }
#plot circle.base { fill: var(--paper); }
#plot circle.goal { fill: var(--deep); }
#plot text { font-size: 13px; fill: var(--faint); }
#plot text.goal { fill: var(--deep); font-weight: 600; }
#plot .key { margin-left: 14px; white-space: nowrap; }
#plot .dot {
  display: inline-block; width: 10px; height: 10px; margin: 0 5px 0 8px; border: 2px solid var(--deep);
  border-radius: 50%;
}
#plot .dot.goal { background: var(--deep); }
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
