"""The tab 指标台账: the register of targets to search, filter, look up and download, what is to be checked, and
baselines beside targets.

`render_target`, `render_conflicts` and `render_changes` draw, `build_register` is the layout.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any, Literal

from index.conflicts import Conflict, Evidence
from index.errors import UserError
from index.export import BASES, target_sheet, write
from index.targets import Fact, Register, Target
from index.types import Chunk
from page.drawing import escape, render_marked, render_place, render_source, tag
from rag.pipeline import Pipeline, SourceLine

if TYPE_CHECKING:
    import gradio as gr

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
