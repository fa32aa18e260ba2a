"""A plan's register: what it aims at in figures, what it says was reached, and the projects of its 专栏 boxes.

Everything is computed from the stored lines, sections and chunks of an index; nothing is written anywhere. Table rows
are read by the headers of their columns, sentences by `index.statements`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from index.figures import Comparator, cell_figure, figures
from index.period import Period, period_of
from index.sentences import sentences
from index.statements import Basis, Setting, Tense, leading_year, split_subject, statements, written_value
from index.tables import row_of, unit_in_brackets
from index.terms import places, region
from index.types import Cell, Chunk, Document, Section

Nature = Literal["约束性", "预期性"]
Source = Literal["table", "text"]


@dataclass(frozen=True)
class Target:
    """A figure that the plan aims at, or a goal in words (`value` None, the words in `text_value`).

    `value`, `value_max` (of a range), `baseline_value` and `unit` are as written, without thousands commas.
    `subject` is the part of the region it holds for, "" for the whole. `sentence` and `text_value` are verbatim.
    `chunk` is the id of the chunk that holds the sentence; the sentence stands at [start, end), for text in the source
    line `line`, for a table row in the joined lines of its chunk (see `Chunk`), `line` being that of its name.
    `part_of` is the indicator of the whole that the sentence names this a part of (其中), "" for none.
    """

    doc: str
    line: int
    section: tuple[str, ...]
    subject: str
    indicator: str
    value: str | None
    value_max: str | None
    unit: str
    comparator: Comparator
    approx: bool
    year: int | None
    baseline_value: str | None
    baseline_year: int | None
    nature: Nature | None
    basis: Basis | None
    source: Source
    sentence: str
    text_value: str
    chunk: str
    start: int
    end: int
    part_of: str = ""


@dataclass(frozen=True)
class Fact:
    """A figure that was reached; fields as in `Target`. `year` is None where the text does not tell it (现有3家)."""

    doc: str
    line: int
    section: tuple[str, ...]
    subject: str
    indicator: str
    value: str
    value_max: str | None
    unit: str
    comparator: Comparator
    approx: bool
    year: int | None
    basis: Basis
    source: Source
    sentence: str
    text_value: str
    chunk: str
    start: int
    end: int


@dataclass(frozen=True)
class Project:
    """A project that a 专栏 lists: `group` is the item it is listed under (新建道路项目), `place` the part of the
    region its name begins with, `capacity` the figure with unit in its name, verbatim; both "" where there is none."""

    doc: str
    line: int
    section: tuple[str, ...]
    box: str
    group: str
    project: str
    place: str
    capacity: str
    chunk: str
    start: int
    end: int


@dataclass(frozen=True)
class Register:
    """The three lists of one document, each in the order of its lines."""

    targets: tuple[Target, ...]
    facts: tuple[Fact, ...]
    projects: tuple[Project, ...]


def registers(
    documents: Sequence[Document], sections: Sequence[Section], chunks: Sequence[Chunk]
) -> dict[str, Register]:
    """The registers of all documents of an index, by document id."""
    return {
        document.id: register(
            document,
            [section for section in sections if section.doc_id == document.id],
            [chunk for chunk in chunks if chunk.doc_id == document.id],
            period_of(document),
        )
        for document in documents
    }


def register(
    document: Document, sections: Sequence[Section], chunks: Sequence[Chunk], period: Period | None
) -> Register:
    """Targets, facts and projects of a document whose `sections` and `chunks` these are.

    `period` is None for a document that is no plan: then only sentences that name the year they aim at, and tables
    whose header calls a column a target, give targets.
    """
    setting = Setting(
        period,
        region=tuple(sorted(region(document.title, chunks), key=len, reverse=True)),
        places=tuple(places(chunks)),
    )
    aimed: list[Target] = []
    reached: list[Fact] = []
    for chunk in chunks:
        if chunk.kind == "row" and chunk.cells:
            row_targets, row_facts = _row_entries(chunk, period)
            aimed += row_targets
            reached += row_facts
    for chunk, own_setting in _settings(sections, chunks, setting):
        chunk_targets, chunk_facts = _text_entries(chunk, own_setting)
        aimed += chunk_targets
        reached += chunk_facts
    return Register(
        tuple(sorted(aimed, key=_place)),
        tuple(sorted(reached, key=_place)),
        tuple(_projects(sections, chunks, setting)),
    )


def targets(
    document: Document, sections: Sequence[Section], chunks: Sequence[Chunk], period: Period | None
) -> tuple[Target, ...]:
    """Every quantified target of a document, of table rows and of sentences, in the order of its lines."""
    return register(document, sections, chunks, period).targets


def facts(
    document: Document, sections: Sequence[Section], chunks: Sequence[Chunk], period: Period | None
) -> tuple[Fact, ...]:
    """Every figure that a document says was reached, in the order of its lines."""
    return register(document, sections, chunks, period).facts


def _place(entry: Target | Fact) -> tuple[int, int]:
    return entry.line, entry.start


# --- sentences

_LOOKS_BACK = re.compile(r"基础|成就|成效|回顾|取得|现状|[五5]年来|进展|历程|“?十[一二三四五六七八九]五”?(?:时期|期间)")
_LOOKS_AROUND = re.compile(r"环境|形势|机遇|挑战|问题|短板|困难")
_LOOKS_AHEAD = re.compile(r"目标|思路|要求|任务|部署|愿景|展望|战略|夯实|推动|加快|建设|提升|构建|完善|实施|优化|改善")
_DESCRIBES = re.compile(r"从[^,，。]{1,6}[看讲][,，:：]|当前|当今|同时也?要?看到|必须清醒|也要看到|.{0,6}(?:机遇|挑战)")
_PLANS = re.compile(r"十[一二三四五六七八九]五")
_OPENING = 40  # characters of a paragraph that tell which time it speaks of
_FAR = re.compile(r"远景|展望|愿景")


def _settings(
    sections: Sequence[Section], chunks: Sequence[Chunk], document: Setting
) -> Iterator[tuple[Chunk, Setting]]:
    """The chunks of text with what their place tells. A review goes on from paragraph to paragraph until a heading or
    a paragraph looks elsewhere."""
    period = document.period
    titles = {section.first: section for section in sections if section.kind in ("heading", "editor")}
    boxes = {line for s in sections if s.kind == "box" for line in range(s.first, s.last + 1)}
    inherited: dict[tuple[str, ...], Tense] = {}
    tense: Tense = "forward"
    at = 0
    for chunk in chunks:
        for number in range(at + 1, chunk.lines[-1] + 1):
            if (section := titles.get(number)) is not None:
                tense = _tense_of_title(section, inherited, period)
                inherited[section.path] = tense
        at = max(at, chunk.lines[-1])
        if chunk.kind not in ("paragraph", "item"):
            continue
        opening = chunk.text[:_OPENING]
        of_line = tense
        year = leading_year(opening, period)
        if period is not None and re.search(r"^.{0,12}(?:[五5]年来|过去[五5]年)", opening):
            tense = of_line = "past"
        elif period is not None and year is not None:
            of_line = "past" if year <= period.base else "forward"
            if of_line == "forward" or _PLANS.search(opening[:12]):
                tense = of_line
        elif _DESCRIBES.match(opening):
            tense = of_line = "present"
        aimed_at = None if period is None else period.last
        if period is not None and period.horizon and _FAR.search("".join(chunk.section[-1:]) + opening):
            aimed_at = period.horizon
        if period is not None and of_line == "past":
            aimed_at = period.base
        yield chunk, replace(document, tense=of_line, year=aimed_at, box=chunk.lines[-1] in boxes)


def _tense_of_title(section: Section, inherited: dict[tuple[str, ...], Tense], period: Period | None) -> Tense:
    """What a heading says of the time that its section speaks of; what says nothing follows the heading above it."""
    plans = _PLANS.findall(section.title)
    year = leading_year(section.title, period)
    if year is not None and period is not None and plans:
        return "past" if year <= period.base else "forward"
    if _LOOKS_BACK.search(section.title) and not _LOOKS_AHEAD.search(section.title):
        return "past"
    if _LOOKS_AROUND.search(section.title) and not _LOOKS_AHEAD.search(section.title):
        return "present"
    if _LOOKS_AHEAD.search(section.title) and inherited.get(section.path[:-1]) != "past":
        return "forward"
    return inherited.get(section.path[:-1], "forward")


def _text_entries(chunk: Chunk, setting: Setting) -> tuple[list[Target], list[Fact]]:
    aimed: list[Target] = []
    reached: list[Fact] = []
    line = chunk.lines[-1]
    for first, last in sentences(chunk.text):
        sentence = chunk.text[first:last]
        start, end = chunk.start + first, chunk.start + last
        if (year := leading_year(sentence[:20], setting.period)) is not None and setting.period is not None:
            tense: Tense = "past" if year <= setting.period.base else "forward"
            setting = replace(setting, tense=tense, year=year)
        said = statements(sentence, setting)
        for statement in said:
            if statement.tense == "past" and statement.value is not None:
                reached.append(
                    Fact(
                        chunk.doc_id, line, chunk.section, statement.subject, statement.indicator, statement.value,
                        statement.value_max, statement.unit, statement.comparator, statement.approx, statement.year,
                        statement.basis, "text", sentence, statement.text, chunk.id, start, end,
                    )
                )  # fmt: skip
            elif statement.tense == "forward" and statement.year is not None:
                whole = "" if statement.part_of is None else said[statement.part_of].indicator
                aimed.append(
                    Target(
                        chunk.doc_id, line, chunk.section, statement.subject, statement.indicator, statement.value,
                        statement.value_max, statement.unit, statement.comparator, statement.approx, statement.year,
                        statement.baseline_value, statement.baseline_year, None, statement.basis, "text", sentence,
                        statement.text, chunk.id, start, end, whole,
                    )
                )  # fmt: skip
    return aimed, reached


# --- table rows

_RATE_COLUMN = re.compile(r"年均|累计|增速|增长|增幅|〔|年度?平均|(?<!\d)[五5]年")
_TARGET_COLUMN = re.compile(r"目标|规划|预期|计划")
_BASE_COLUMN = re.compile(r"现状|基期|基准|基数|完成|实际|现值|基础")
_PROJECT_COLUMN = re.compile(r"项目|工程|任务")
_SUMMED = re.compile(r"[〔\[［【（(]\s*[\d.]+\s*%?[〕\]］】）)]")
_GROWTH_NAME = re.compile(r"(?:增长|增长率|增速|增幅)$")
_FALL_NAME = re.compile(r"(?:降低|下降|减少|削减|降幅|下降率)(?:率|幅度)?$")
_BOUNDS: tuple[tuple[str, Comparator], ...] = (
    ("不低于|不少于|不小于|不差于|达到或优于|达到或好于", ">="), ("不高于|不超过|不大于|不多于|以内", "<="),
    ("高于|超过|大于|快于|优于", ">"), ("低于|少于|小于|慢于", "<"),
)  # fmt: skip


def _row_entries(chunk: Chunk, period: Period | None) -> tuple[list[Target], list[Fact]]:
    """The targets of a table row (one a target column, and one for what grows or adds up over the period) and the
    figures of its columns of past years; a row that is a project gives none."""
    row = row_of(chunk)
    if _PROJECT_COLUMN.search(row.name.column) and not row.nature and not row.unit:
        return [], []
    name, bracketed = unit_in_brackets(row.name.text)
    unit = re.sub(r"\s", "", row.unit or bracketed).strip("—-–/")
    indicator = re.sub(r"\s", "", name if bracketed and not row.unit else row.name.text)
    roles = [(cell, *_role(column, period, bool(row.nature))) for column, cell in row.values]
    bases = [(cell, year) for cell, role, year in roles if role == "base"]
    reached: list[Fact] = []
    baseline: tuple[str | None, int | None] = (None, None)
    place = (chunk.doc_id, row.name.line, chunk.section)
    at = (chunk.id, chunk.start, chunk.end)
    for cell, year in bases:
        if (figure := cell_figure(cell.text, unit)) is None:
            continue
        value, upper, written = written_value(figure, figure.text)
        basis: Basis = "cumulative" if _SUMMED.fullmatch(cell.text) else _basis_of_name(indicator) or "level"
        baseline = (value, year)
        reached.append(
            Fact(
                *place, "", indicator, value, upper, written or unit, figure.comparator, figure.approx, year, basis,
                "table", chunk.text, cell.text, *at,
            )
        )  # fmt: skip
    nature: Nature | None = next((kind for kind in _NATURES if kind in re.sub(r"\s", "", row.nature)), None)
    aimed: list[Target] = []
    told: set[tuple[int, int]] = set()
    merged = {(c.line, c.start) for c, role, _ in roles if role == "rate"} & {
        (c.line, c.start) for c, role, _ in roles if role == "target"
    }
    for (column, _), (cell, role, year) in zip(row.values, roles, strict=True):
        if role not in ("target", "rate") or year is None or (cell.line, cell.start) in told:
            continue
        told.add((cell.line, cell.start))
        figure = cell_figure(cell.text, unit)
        own_name, own_unit = indicator, unit
        kind = _row_basis(column, role, cell, indicator, (cell.line, cell.start) in merged)
        target_value: str | None = None
        upper = None
        comparator, approx = _bound(cell.text), False
        if figure is not None:
            target_value, upper, written = written_value(figure, figure.text)
            comparator, approx = figure.comparator, figure.approx
            own_unit = written or unit
            if role == "rate" and kind == "annual_average" and not _GROWTH_NAME.search(indicator):
                own_name = f"{indicator}年均增长"
                own_unit = written if written else "%"
        aimed.append(
            Target(
                *place, "", own_name, target_value, upper, own_unit, comparator, approx, year, *baseline, nature, kind,
                "table", chunk.text, cell.text, chunk.id, chunk.start, chunk.end,
            )
        )  # fmt: skip
    return aimed, reached


_NATURES: tuple[Nature, ...] = ("约束性", "预期性")


def _role(column: str, period: Period | None, planned: bool) -> tuple[str, int | None]:
    """What a column's header says of its cells: "base", "target", "rate" (what grows or adds up over the period) or
    "", and the year they are of. `planned`: the table gives each row a nature, as those of plans do."""
    years = [int(year) for year in re.findall(r"(?:19|20)\d\d", column)]
    last = period.last if period is not None else None
    if _RATE_COLUMN.search(column):
        return "rate", max(years, default=last or 0) or None
    if years:
        year = max(years)
        if _BASE_COLUMN.search(column) or (period is not None and year <= period.base):
            return "base", year
        return ("target", year) if period is not None or planned or _TARGET_COLUMN.search(column) else ("", year)
    if _BASE_COLUMN.search(column):
        return "base", period.base if period is not None else None
    return ("target", last) if _TARGET_COLUMN.search(column) else ("", None)


def _basis_of_name(indicator: str) -> Basis | None:
    if "年均" in indicator:
        return "annual_average"
    if "累计" in indicator:
        return "cumulative"
    return "growth" if _GROWTH_NAME.search(indicator) else None


def _row_basis(column: str, role: str, cell: Cell, indicator: str, merged: bool) -> Basis | None:
    """Blank where a fall is given without saying against what."""
    if _SUMMED.search(cell.text):
        return "cumulative"
    if role == "rate" and not merged:
        return "annual_average" if re.search("年均|增|平均", column) else "cumulative"
    if _FALL_NAME.search(indicator):
        return None
    return _basis_of_name(indicator) or "level"


def _bound(words: str) -> Comparator:
    return next((sign for pattern, sign in _BOUNDS if re.search(pattern, words)), "=")


# --- projects of boxes

_PROJECT_END = re.compile(r"(?:项目|工程)(?:\([^()]*\)|（[^（）]*）)?$")
_GROUP = re.compile(
    r"(?:\d{1,2}[.．、]|[（(][\d一二三四五六七八九十]+[)）]|[①-⑳]|[一二三四五六七八九十]+、)?\s*([^:：。]{2,25})[:：]"
)


def _projects(sections: Sequence[Section], chunks: Sequence[Chunk], setting: Setting) -> Iterator[Project]:
    """The projects that 专栏 boxes list: pieces of their items that are called 项目 or 工程."""
    titles = {line: s.title for s in sections if s.kind == "box" for line in range(s.first, s.last + 1)}
    for chunk in chunks:
        box = titles.get(chunk.lines[-1])
        if box is None or chunk.kind != "item":
            continue
        label = _GROUP.match(chunk.text)
        group = label.group(1) if label else ""
        for first, last in _pieces(chunk.text, label.end() if label else 0):
            name = chunk.text[first:last]
            place, _ = split_subject(name, setting)
            quantities = [f for f in figures(name) if f.kind == "quantity" and f.unit]
            yield Project(
                chunk.doc_id, chunk.lines[-1], chunk.section, box, group, name, place,
                quantities[0].text if quantities else "", chunk.id, chunk.start + first, chunk.start + last,
            )  # fmt: skip


def _pieces(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Spans of the names of projects in an enumeration. A 、 inside a name (中型、小型水库工程) does not cut it,
    one before a figure does (…工程、3万吨/年制糖项目)."""
    signs = re.finditer(r"、|[;；。，,]\s*", text[start:])
    cuts = [sign.span() for sign in signs if not _in_brackets(text[start:], sign.start())]
    edges = [start, *(start + at for cut in cuts for at in cut), len(text)]
    begun: int | None = None
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        piece = text[first:last]
        if begun is None or re.match(r"\s*\d", piece) or text[first - 1] in ";；。，, ":
            begun = first
        name = re.sub(r"[\s|。；;]+$|等[\s|。；;]*$", "", text[begun:last])
        if _PROJECT_END.search(name) and len(name) > 4:
            yield begun, begun + len(name)
            begun = None


def _in_brackets(text: str, at: int) -> bool:
    before = text[:at]
    return before.count("(") + before.count("（") > before.count(")") + before.count("）")
