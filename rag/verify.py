"""The check behind the tool's one rule: every figure of an answer stands in the cited text, with its unit and year.

The check knows nothing of how the answer was made. It reads the answer's figures, finds the mark [n] that each one
rests on, and looks for the same figure in the words cited there. What it cannot find it reports; it never repairs.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from index.figures import Figure, cell_figure, equal, figures, normalise
from index.period import named_plans
from index.types import Cell
from rag.phrase import bracketed_unit, unit_under

NO_FIGURE = "引文中没有这个数"
WRONG_UNIT = "单位不符"
WRONG_YEAR = "年份不符"
WRONG_COMPARATOR = "比较词不符"
NO_MARK = "没有引用标记"
DEAD_MARK = "引用标记没有对应的引文"


@dataclass(frozen=True)
class Cited:
    """What one mark cites.

    `quote` are the cited words, verbatim. `context` is the whole paragraph (or the caption and notes of a table): it
    lends years, and units and durations, that the quoted words inherit, and no other figure. `section` is the path of
    titles. `cells` are the cells of a cited table row; where there are any, they are read instead of `quote`.
    """

    quote: str
    context: str = ""
    section: tuple[str, ...] = ()
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True)
class FigureCheck:
    """The verdict on one figure of an answer; offsets of `figure` are those of the answer.

    `sentence` is the answer's sentence with its marks. `marks` are the numbers the figure rests on. `reason` is one
    of this module's constants, "" where `ok`.
    """

    figure: Figure
    sentence: str
    marks: tuple[int, ...]
    ok: bool
    reason: str


@dataclass(frozen=True)
class _Stated:
    """A figure of the evidence and the years that the evidence gives it, none where it gives none."""

    figure: Figure
    years: frozenset[Decimal]
    unit_text: str = ""


_MARK = re.compile(r"\[(\d+(?:\s?[,，、]\s?\d+)*)\]")
_MARKS = re.compile(rf"(?:{_MARK.pattern}\s?)+")
_STOP = re.compile(r"[。！？；;!?\n]")
_STOP_AND_MARKS = re.compile(r"[。！？；;!?\n][”」』）)]?[\0 ]*")
_TITLE = re.compile(r"《[^》\n]*》")
_EDITOR_TITLE = "〔拟题〕"
_BASELINE = re.compile(r"(?:比|较|与|同|由|从|自|以|相比|相较于?|按)$")
_BASELINE_AFTER = re.compile(r"\s?(?:年)?(?:\(下同\)|（下同）)?(?:相比|为基期|基础上|不变价)")
_ATTACHED = re.compile(r"(?:的|为|约|达到?|是|即|[\s:：约])*")
_SAME_BELOW = re.compile(r"[(（](?:以)?下同[)）]")
_IN_BRACKETS = re.compile(r"(?:以上|以内|以下|左右)?[(（]")
_LAST_NUMERAL = re.compile(r".*[\d０-９零〇一二两三四五六七八九十百千]", re.DOTALL)
_END_OF_PLAN = re.compile(r"[”\"』」’]?(?:规划)?(?:时期|期)?末")
_LOWER, _UPPER = frozenset({">=", ">"}), frozenset({"<=", "<"})
_SERIAL = re.compile(r"序号?|编号|序次|次序|行次|代码|No\.?|#", re.IGNORECASE)
_UNIT_COLUMN = re.compile(r"(?:计量|计算|数量|指标)?单位(?:[(（].*)?")  # not 责任单位, which does the work


def verify(answer: str, evidence: Mapping[int, Cited], allowed: Collection[str] = ()) -> tuple[FigureCheck, ...]:
    """One check for every figure of the answer that claims something, in order; an answer is sound when all are ok.

    Quantities and ratios must equal a figure of the cited words: value, unit and both bounds of a range, as
    `index.figures.equal` has it. Their comparators may be left out but not turned round (以上 to 以内). A year must
    stand in the quote, before it in its paragraph, in the section's titles or in a column header of the row; and where
    a figure's sentence names its year, that must be the year which the source gives this figure. Ordinals and
    identifiers are not checked, but for bare numbers (the “1249” of a slogan, 国道216), lest quotation marks hide one.

    `evidence` maps mark number -> what it cites. A figure rests on the next mark after it in its sentence, else on the
    next mark of the answer, else on the last one before it in its sentence. `allowed` are figures in the question's
    own words ("2030年") that need no evidence, for answers that say the plan does not state them.
    """
    marks = [(match.start(), _numbers(match.group())) for match in _MARKS.finditer(answer)]
    plain = _MARK.sub(lambda match: "\0" * len(match.group()), answer)
    found = figures(plain)
    permitted = [figure for text in allowed for figure in figures(text)]
    checks = []
    for figure in found:
        named = figure.kind in ("ordinal", "identifier")
        if named and not (figure.kind == "identifier" and figure.text.isdigit()):
            continue
        start, end = _sentence(plain, figure)
        numbers = _resting_on(marks, figure, start, end)
        cited = [evidence[number] for number in numbers if number in evidence]
        if not numbers:
            reason = NO_MARK
        elif not cited:
            reason = DEAD_MARK
        elif named:
            reason = "" if any(_names(item, figure.text) for item in cited) else NO_FIGURE
        elif figure.kind == "year":
            reason = "" if _years(figure) <= _known_years(cited) else WRONG_YEAR
        else:
            reason = _fault(answer, plain, found, figure, cited)
        if reason and any(equal(figure, other) for other in permitted):
            numbers, reason = (), ""  # it needs no source, and is not said to stand in one
        checks.append(FigureCheck(figure, answer[start:end].strip(), numbers, not reason, reason))
    return tuple(checks)


def check_quote(quote: str, line_text: str, start: int, end: int) -> bool:
    """Whether a citation's words stand verbatim where it says: line_text[start:end], not empty."""
    return bool(quote) and 0 <= start < end <= len(line_text) and line_text[start:end] == quote


def _numbers(marks: str) -> tuple[int, ...]:
    """[1][3, 4] -> (1, 3, 4)."""
    return tuple(dict.fromkeys(int(number) for number in re.findall(r"\d+", marks)))


def _sentence(plain: str, figure: Figure) -> tuple[int, int]:
    """The span of the figure's sentence; marks right behind its full stop belong to it (`plain` has them as NULs)."""
    ends = [match.end() for match in _STOP_AND_MARKS.finditer(plain)]
    start = max((end for end in ends if end <= figure.start), default=0)
    return start, min((end for end in ends if end >= figure.end), default=len(plain))


def _resting_on(marks: list[tuple[int, tuple[int, ...]]], figure: Figure, start: int, end: int) -> tuple[int, ...]:
    """The marks that a figure rests on, see `verify`."""
    after = [numbers for at, numbers in marks if at >= figure.end]
    if after:
        return after[0]
    before = [numbers for at, numbers in marks if start <= at < figure.start]
    return before[-1] if before else ()


def _fault(answer: str, plain: str, found: tuple[Figure, ...], figure: Figure, cited: list[Cited]) -> str:
    """Why the cited words do not bear a quantity or ratio out, "" where they do."""
    stated = [one for item in cited for one in _stated(item)]
    same = [one for one in stated if equal(figure, one.figure) or _spelled(answer, figure, one)]
    if not same:
        return WRONG_UNIT if any(_same_number(figure, one.figure) for one in stated) else NO_FIGURE
    agreeing = [one for one in same if not _turned(figure, one.figure)]
    if not agreeing:
        return WRONG_COMPARATOR
    claimed = _governing_years(plain, found, figure, earlier_sentences=False)
    if claimed and all(one.years and not one.years & claimed for one in agreeing):
        return WRONG_YEAR
    return ""


def _names(item: Cited, digits: str) -> bool:
    """Whether the cited words have this number, not as part of a longer one."""
    number = re.compile(rf"(?<![\d.]){normalise(digits)}(?!\.?\d)")
    return any(number.search(normalise(text)) for text in (item.quote, *(cell.text for cell in item.cells)))


def _stated(item: Cited) -> Iterator[_Stated]:
    """The figures that the cited words, or the cells of the cited row, state."""
    if item.cells:
        yield from _stated_in_row(item)
    else:
        yield from _stated_in_text(item)
    # A duration is said once, for the paragraph or in the note below a table (五年累计).
    for figure in figures(item.context):
        if figure.kind == "quantity" and figure.unit == "年":
            yield _Stated(figure, frozenset())


def _stated_in_row(item: Cited) -> Iterator[_Stated]:
    unit = _row_unit(item.cells)
    for cell in item.cells:
        # A row's number would else pass for a value: 19 beside 万吨.
        if _SERIAL.fullmatch(re.sub(r"\s", "", cell.column)):
            continue
        years = frozenset(year for figure in figures(cell.column) for year in _years(figure))
        cell_unit = unit_under(cell.column, unit)
        figure = cell_figure(cell.text, cell_unit)
        if figure is not None and not _is_unit_column(cell.column):
            yield _Stated(figure, years, cell_unit)
        else:
            yield from (_Stated(other, years) for other in figures(cell.text))


def _row_unit(cells: tuple[Cell, ...]) -> str:
    """The unit of a row: its 单位 cell, else a unit in brackets at the end of a cell in words ("粮食产量(万吨)")."""
    for cell in cells:
        if _is_unit_column(cell.column):
            return cell.text.strip(" |")
    for cell in cells:
        written = bracketed_unit(cell.text)
        if written and not re.match(r"\s*[\d\[〔]", cell.text):
            return written
    return ""


def _is_unit_column(header: str) -> bool:
    return _UNIT_COLUMN.fullmatch(re.sub(r"\s", "", header)) is not None


def _stated_in_text(item: Cited) -> Iterator[_Stated]:
    """Figures of the quote, read within their paragraph so that a cut word or number is not misread."""
    text = item.context if item.quote and item.quote in item.context else item.quote
    spans = [match.span() for match in re.finditer(re.escape(item.quote), text)]
    found = figures(text)
    for figure in found:
        numeral = _LAST_NUMERAL.match(figure.text)
        end = figure.start + (numeral.end() if numeral else len(figure.text))
        if any(begin <= figure.start and end <= stop for begin, stop in spans):
            yield _Stated(figure, _governing_years(text, found, figure, earlier_sentences=True))


def _governing_years(
    text: str, found: tuple[Figure, ...], figure: Figure, *, earlier_sentences: bool
) -> frozenset[Decimal]:
    """The years that a text gives one of its figures; none where it gives none.

    A year in brackets right behind the figure (145万吨(2025年)); else the nearest year before it in its sentence;
    else, if asked, the nearest one in earlier sentences and those marked 下同. Years of comparison (比2015年,
    由2014年的) give only the figure they are attached to; years in titles (《…(2015-2030年)》) give none.
    A plan's name counts as its years: “十四五” is 2021 and 2025, “十四五”末 2025.
    """
    titles = [match.span() for match in _TITLE.finditer(text)]
    years = [
        other for other in found if _years(other, text) and not any(begin <= other.start < end for begin, end in titles)
    ]
    for other in years:
        if other.start > figure.end and _IN_BRACKETS.fullmatch(text, figure.end, other.start):
            return _years(other, text)
    breaks = [match.end() for match in _STOP.finditer(text, 0, figure.start)]
    sentence = breaks[-1] if breaks else 0
    for other in reversed([year for year in years if year.end <= figure.start]):
        if other.start < sentence and not earlier_sentences:
            break
        compared = _BASELINE.search(text[: other.start][-6:]) or _BASELINE_AFTER.match(text, other.end)
        if compared and not _ATTACHED.fullmatch(text, other.end, figure.start):
            continue
        if other.start >= sentence:
            return _years(other, text)
        marked = [year for year in years if year.end <= figure.start and _SAME_BELOW.match(text, year.end)]
        return frozenset(value for year in (other, *marked) for value in _years(year, text))
    return frozenset()


def _years(figure: Figure, text: str | None = None) -> frozenset[Decimal]:
    """The years a figure names: itself, both ends of a range; with `text`, also those of a plan's name (十四五)."""
    if figure.kind == "year":
        return frozenset(year for year in (figure.value, figure.value_max) if year is not None)
    if text is None or figure.kind != "ordinal":
        return frozenset()
    spans = named_plans(figure.text)
    ends_only = _END_OF_PLAN.match(text, figure.end) is not None
    return frozenset(Decimal(year) for first, last in spans for year in ((last,) if ends_only else (first, last)))


def _known_years(cited: list[Cited]) -> frozenset[Decimal]:
    """Every year that an answer resting on this evidence may name."""
    years: set[Decimal] = set()
    for item in cited:
        at = item.context.find(item.quote)
        before = item.context if at < 0 or item.cells else item.context[: at + len(item.quote)]
        titles = [title for title in item.section if _EDITOR_TITLE not in title]
        columns = [cell.column for cell in item.cells]
        for text in (item.quote, before, *titles, *columns, *(cell.text for cell in item.cells)):
            years.update(year for figure in figures(text) for year in _years(figure, text))
        for one in _stated(item):
            years.update(one.years)
    return frozenset(years)


def _turned(claim: Figure, source: Figure) -> bool:
    """Whether a lower bound was made an upper one or the other way round."""
    return (claim.comparator in _LOWER and source.comparator in _UPPER) or (
        claim.comparator in _UPPER and source.comparator in _LOWER
    )


def _spelled(answer: str, figure: Figure, one: _Stated) -> bool:
    """Whether the answer writes a cell's number with a unit that only this table knows (3锭箱)."""
    if not one.unit_text or figures(f"1{one.unit_text}")[0].end == len(one.unit_text) + 1:
        return False
    expected = normalise(one.figure.text + one.unit_text).replace(" ", "")
    return normalise(answer[figure.start :]).replace(" ", "").startswith(expected)


def _same_number(a: Figure, b: Figure) -> bool:
    """The same number beside another unit: 145万亩 and 145万吨, 145吨 and 145万吨."""
    written = [[n.rstrip(".,") for n in re.findall(r"\d[\d.,]*", normalise(figure.text))] for figure in (a, b)]
    if a.kind == b.kind == "ratio":
        return False
    return (a.value, a.value_max) == (b.value, b.value_max) or (written[0] != [] and written[0] == written[1])
