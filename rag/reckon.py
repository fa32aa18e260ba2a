"""Sums, differences and comparisons: the figures are quoted, and what follows from them is told.

Those of things or places that a question names (粮食和油料产量合计多少, 哪个县最多) are looked up in the register
(`reckoned`); those of two years, and what the register does not hold, are taken from the evidence of the questions
within the question (`worked_out`).

Only figures of one unit, one year and one measure (a level, a growth) go together; where one of the things named has
none, or more than one that may be meant, nothing is worked out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from index.figures import Comparator, Figure, figures, unit_of
from index.keyword import bigrams, fold
from index.sentences import clauses
from index.targets import Fact, Register, Target
from index.types import Chunk
from rag.disagree import SAME_THING, Statement, asked_words, statements
from rag.lexicon import load_lexicon
from rag.prompts import render
from rag.types import Evidence, Passage, Query
from rag.understand import Frame, named_places

COVERED = 0.75  # share of the bigrams of a thing named that the name of a figure holds
WIDEST = 160  # characters of a sentence that is quoted whole
APART = Decimal("0.05")  # by how much figures with 左右 must differ to be told apart

_SUM = re.compile(r"合计|总共|一共|加起来|加一起|加在一起|之和|相加|总和")
_DIFFERENCE = re.compile(r"相差|差(?:距|了)?(?:是|有)?(?:多少|多大)|[多高大少低小](?:出)?(?:了)?多少")
_BETWEEN_YEARS = re.compile(
    r"比.{0,14}(?:多|增加|提高|高|少|增长|低|减少|下降)了?多少|增加了?多少|相差|差了?多少|涨了?多少|提高了?多少|多了?多少|差距"
)
_MORE = r"多|高|大|快|长|强"
_LESS = r"少|低|小|慢|短"
_COMPARISON = re.compile(
    rf"(?:哪(?:一)?(?:个|边|项|年|种|样|县|市|地|里|儿|家)[^，,。]*?|谁[^，,。]*?|比[^，,。]*?)(?:更|最|还|要)?(?P<by>{_MORE}|{_LESS})"
    r"(?=一?些|一?点|的?[?？。]|$|呢|吗)"
)
_MOST_OF = re.compile(rf"哪(?:一)?个?(?:县市|市县|区县|县|市|区|旗|地方)[^，,。]*最(?:{_MORE}|{_LESS})")
_GROWTH = re.compile(r"增[长速幅]|增加|涨")
_NO_SUM = re.compile(r"率|占比|比重|比例|人均|每|寿命|年限|系数|增[长速幅]")
_OUT = re.compile(
    rf"{_SUM.pattern}|{_DIFFERENCE.pattern}|哪(?:一)?(?:个|边|项|年|种|样|家)?|谁|更|最|比较|分别|各自|各|是|有|要|将|能|会|"
    r"(?:19|20)\d\d年?|目标|多少|[亿万]?[吨亩元个人]?(?=[?？]|$)|[?？。,，]|到|的|呢|吗|都"
)
_SEPARATED = re.compile("[、和与跟及]|以及")
_AT: Mapping[Comparator, str] = {"=": "", "~": "约", ">=": "至少", ">": "至少", "<=": "最多", "<": "最多"}
_TURNED: Mapping[Comparator, Comparator] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}


@dataclass(frozen=True)
class Reckoned:
    """`parts` are quoted; `told` is what follows from them, `own` the figures in it that no source holds."""

    parts: tuple[Evidence, ...]
    told: str
    own: tuple[str, ...]


@dataclass(frozen=True)
class _Operand:
    """The figure of a thing that a question names, and what it is called."""

    label: str
    entry: Target | Fact
    low: Decimal
    high: Decimal | None  # None: without an upper bound

    @property
    def exact(self) -> bool:
        return self.low == self.high


def reckoned(
    query: Query, registers: Mapping[str, Register], chunks: Mapping[str, Chunk], frame: Frame
) -> Reckoned | None:
    """What follows from the figures of the things that a question adds up or compares; None for every other question,
    and where their figures do not go together."""
    compared = _COMPARISON.search(query.text)
    if not (_SUM.search(query.text) or _DIFFERENCE.search(query.text) or compared):
        return None
    named, every = _named(query, frame)
    if len(named) < 2:
        return None
    for register in registers.values():
        operands = _operands(query, named, every, (*register.targets, *register.facts), frame)
        if operands is None:
            continue
        conclusion = _concluded(query, operands, compared and compared["by"], every)
        if conclusion is not None:
            told, own = conclusion
            named_so = tuple(figure.text for one in operands for figure in figures(one.label))
            return Reckoned(_quoted(operands, chunks), told, (*own, *named_so))
    return None


def _named(query: Query, frame: Frame) -> tuple[tuple[str, ...], bool]:
    """The things or places that a question names, and whether they stand for every place of the region, of which some
    may be without a figure."""
    if _MOST_OF.search(query.text):
        return (frame.parts if query.group is None else query.group.members), True
    if query.group is not None:
        return query.group.members, False
    places = named_places(query.text, frame)
    if len(places) > 1:
        return places, False
    rest = _OUT.sub(" ", re.sub(r"比(?![例重率])", "和", query.text))
    for run in rest.split():
        things = [thing for thing in _SEPARATED.split(run) if thing]
        if len(things) > 1 and all(len(thing) > 1 for thing in things):
            return tuple(things), False
    return (), False


def _operands(
    query: Query, named: Sequence[str], every: bool, entries: Sequence[Target | Fact], frame: Frame
) -> list[_Operand] | None:
    """The figure of each thing named, all of one unit, year and measure; of several such sets the one whose names are
    most what the question says, of later years first."""
    asked = set(bigrams(query.core)) | {pair for term in query.terms for pair in bigrams(fold(term))}
    growth = bool(_GROWTH.search(query.text))
    sets: dict[tuple[str, str, int | None], dict[str, list[Target | Fact]]] = {}
    for entry in entries:
        if entry.value is None or (query.years and entry.year not in query.years) or not entry.unit:
            continue
        if growth != (entry.basis in ("growth", "annual_average")):
            continue
        for thing in named:
            if _is_of(entry, thing, thing in frame.places):
                key = (unit_of(entry.unit)[1], str(entry.basis), entry.year)
                sets.setdefault(key, {}).setdefault(thing, []).append(entry)
    found: list[tuple[float, int, list[_Operand]]] = []
    for (_, _, year), held in sets.items():
        if len(held) < (2 if every else len(named)):
            continue
        chosen = [_best(held[thing], thing, asked) for thing in named if thing in held]
        if any(one is None for one in chosen):
            continue
        operands = [one for one in chosen if one is not None]
        fit = min(_fit(one.entry, asked) for one in operands)
        if len({(one.entry.chunk, one.entry.start, one.entry.indicator, one.entry.subject) for one in operands}) == len(
            operands
        ):
            found.append((fit, year or 0, operands))
    if not found:
        return None
    best = max(fit for fit, _, _ in found)
    return max((one for one in found if one[0] >= 0.8 * best), key=lambda one: one[1])[2] if best > 0 else None


def _is_of(entry: Target | Fact, thing: str, place: bool) -> bool:
    """Whether a figure is of a thing or place by its name, or by an official word for it."""
    name = set(bigrams(fold(entry.subject + entry.indicator)))
    if place:
        return entry.subject == thing or (not entry.subject and fold(thing) in fold(entry.indicator))
    official = load_lexicon().expand(thing, fold(thing)).items()
    wordings = [thing, *(term for term, weight in official if weight >= 0.5 and term not in thing)]
    # What sets a name apart stands at its beginning: 农村居民人均可支配收入 is most of 城镇居民人均可支配收入.
    parts = [bigrams(fold(wording)) for wording in wordings]
    return any(p and p[0] in name and len(name & set(p)) >= COVERED * len(set(p)) for p in parts)


def _fit(entry: Target | Fact, asked: set[str]) -> float:
    name = set(bigrams(fold(entry.subject + entry.indicator)))
    return len(name & asked) / max(len(name), 1)


def _best(entries: Sequence[Target | Fact], thing: str, asked: set[str]) -> _Operand | None:
    """The figure whose name is most what is asked for; None where two that differ are as good."""
    most = max(_fit(entry, asked) for entry in entries)
    best = [entry for entry in entries if _fit(entry, asked) == most]
    if len({(entry.value, entry.value_max) for entry in best}) > 1:
        return None
    # Told twice, once as a bound (145, 145以上): what follows must follow from the bound, too.
    return _operand(thing, next((entry for entry in best if entry.comparator in (">=", ">", "<=", "<")), best[0]))


def _operand(thing: str, entry: Target | Fact) -> _Operand:
    factor, _ = unit_of(entry.unit)
    low = Decimal(entry.value or 0) * factor
    high: Decimal | None = low if entry.value_max is None else Decimal(entry.value_max) * factor
    if entry.comparator in (">=", ">"):
        high = None
    elif entry.comparator in ("<=", "<"):
        low = Decimal(0)
    return _Operand(entry.subject if entry.subject == thing else f"{entry.subject}{entry.indicator}", entry, low, high)


def _concluded(
    query: Query, operands: Sequence[_Operand], by: str | None, every: bool
) -> tuple[str, tuple[str, ...]] | None:
    if _SUM.search(query.text):
        return _sum(operands)
    if _DIFFERENCE.search(query.text):
        return _difference(operands)
    if by is None:
        return None
    less = re.fullmatch(_LESS, by) is not None
    first = _leading(operands, less)
    if first is None:
        same = len({(one.low, one.high) for one in operands}) == 1 and operands[0].exact
        return (render("compared_same"), ()) if same else None
    if every:
        count = f"{len(operands)}个"
        return render("compared_of", count=count, first=first.label, by=by), (count,)
    return render("compared", first=first.label, by=f"{'最' if len(operands) > 2 else '更'}{by}"), ()


def _leading(operands: Sequence[_Operand], less: bool) -> _Operand | None:
    """The operand that is above (below) all others for certain."""
    leading = []
    for one in operands:
        others = [other for other in operands if other is not one]
        if all(_above(other, one) if less else _above(one, other) for other in others):
            leading.append(one)
    return leading[0] if leading else None


def _above(one: _Operand, other: _Operand) -> bool:
    if other.high is None or one.low <= other.high:
        return False
    about = one.entry.approx or other.entry.approx
    return not about or one.low - other.high > APART * one.low


def _sum(operands: Sequence[_Operand]) -> tuple[str, tuple[str, ...]] | None:
    """The sum of amounts; rates have none, nor has a whole with its own part."""
    entries = [one.entry for one in operands]
    if any(_NO_SUM.search(entry.indicator) or entry.unit in ("%", "％", "岁") for entry in entries):
        return None
    wholes = {entry.part_of for entry in entries if isinstance(entry, Target) and entry.part_of}
    if any(entry.indicator in wholes or entry.value_max is not None for entry in entries):
        return None
    bounds = {entry.comparator for entry in entries} - {"=", "~"}
    if len({sign[0] for sign in bounds}) > 1:
        return None
    total = sum((Decimal(entry.value or 0) * unit_of(entry.unit)[0] for entry in entries), Decimal(0))
    figure = _written(total, entries[0].unit)
    about = "约" if any(entry.approx for entry in entries) else ""
    sign = f"{({'>': '至少', '<': '最多'}[bounds.pop()[0]] if bounds else '')}{about}"
    return render("sum", figure=f"{sign}{figure}"), (figure,)


def _difference(operands: Sequence[_Operand]) -> tuple[str, tuple[str, ...]] | None:
    if len(operands) != 2 or not all(one.exact for one in operands):
        return None
    first, second = operands
    difference = first.low - second.low
    unit = "个百分点" if first.entry.unit in ("%", "％") else first.entry.unit
    figure = _written(abs(difference), first.entry.unit, unit)
    if not difference:
        return render("compared_same"), ()
    about = "约" if first.entry.approx or second.entry.approx else ""
    sign = f"{about}{'多' if difference > 0 else '少'}"
    return render("difference", later=first.label, earlier=second.label, sign=sign, figure=figure), (figure,)


def _written(value: Decimal, like: str, unit: str = "") -> str:
    """A value in the unit in which another figure is written: 102000 like 145万吨 -> 10.2万吨."""
    factor, _ = unit_of(like)
    return f"{(value / factor).normalize():f}{unit or like}"


def _quoted(operands: Sequence[_Operand], chunks: Mapping[str, Chunk]) -> tuple[Evidence, ...]:
    """The sentences and rows that hold the figures, each once; of a long sentence the clauses about them."""
    spans: dict[tuple[str, int, int], Evidence] = {}
    for one in operands:
        chunk = chunks[one.entry.chunk]
        start, end = _span(one.entry, chunk)
        passage = Passage(chunk, 0.0, len(spans) + 1)
        years = frozenset() if one.entry.year is None else frozenset([one.entry.year])
        spans.setdefault((chunk.id, start, end), Evidence(passage, start, end, 0.0, years))
    return tuple(spans.values())


def _span(entry: Target | Fact, chunk: Chunk) -> tuple[int, int]:
    start = chunk.text.find(entry.sentence)
    if chunk.cells or start < 0:
        return 0, len(chunk.text)
    if len(entry.sentence) <= WIDEST:
        return start, start + len(entry.sentence)
    first, last = _clauses_of(entry)
    return start + first, start + last


def _clauses_of(entry: Target | Fact) -> tuple[int, int]:
    """The clause of a sentence that tells a figure, with the one before it, which may name what it is of."""
    at = entry.sentence.find(entry.text_value)
    spans = clauses(entry.sentence)
    position = next(i for i, (first, last) in enumerate(spans) if first <= max(at, 0) < last)
    return spans[max(0, position - 1)][0], spans[position][1]


# --- from the evidence of the questions within a question


def worked_out(query: Query, parts: Sequence[Evidence]) -> tuple[str, tuple[str, ...]] | None:
    """A difference between two years, or a sum of several figures, that the question asks for, from the evidence of
    its parts: the sentence that tells it, and the figures in it that are worked out. None where the question asks for
    none or the figures do not go together."""
    asked = asked_words(query)
    if _BETWEEN_YEARS.search(query.text) and len(query.years) == 2:
        first, last = sorted(query.years)
        for doc in dict.fromkeys(part.passage.chunk.doc_id for part in parts):
            stated = [one for part in parts if part.passage.chunk.doc_id == doc for one in statements(part)]
            earlier = _nearest([one for one in stated if first in one.years], asked)
            later = _nearest([one for one in stated if last in one.years], asked)
            if earlier is None or later is None or not _comparable(earlier, later):
                continue
            difference = later.figure.value - earlier.figure.value
            figure = _written(abs(difference), later.unit, "个百分点" if later.figure.unit == "%" else "")
            sign = f"{_turned(later.figure, difference)}{'多' if difference >= 0 else '少'}"
            years = (f"{last}年", f"{first}年")
            return render("difference", later=years[0], earlier=years[1], sign=sign, figure=figure), (figure, *years)
        return None
    if _SUM.search(query.text) and len(parts) > 1:
        best = [_nearest(statements(part), asked) for part in parts]
        summands = [one for one in best if one is not None]
        bounds = {one.figure.comparator for one in summands} - {"="}
        if len(summands) != len(parts) or len({_unit_of(one) for one in summands}) > 1 or len(bounds) > 1:
            return None
        if any(one.figure.value_max is not None for one in summands):
            return None
        total = sum((one.figure.value for one in summands), Decimal(0))
        figure = _written(total, summands[0].unit)
        return render("sum", figure=f"{_AT[bounds.pop()] if bounds else ''}{figure}"), (figure,)
    return None


def _comparable(earlier: Statement, later: Statement) -> bool:
    """Whether the difference of two statements says something: they are of one thing and unit, and the earlier one is a
    value, neither bound nor range (from 145万吨以上 nothing can be taken away)."""
    shared = len(earlier.name & later.name) / min(len(earlier.name), len(later.name))
    return (
        earlier is not later
        and _unit_of(earlier) == _unit_of(later)
        and shared >= SAME_THING
        and earlier.figure.comparator in ("=", "~")
        and earlier.figure.value_max is None
        and later.figure.value_max is None
    )


def _turned(later: Figure, difference: Decimal) -> str:
    """What a later value that is a bound makes of the difference: 145万吨以上 is at least so much more; a value below
    the earlier one that must not be fallen short of (≥95) is at most so much less."""
    return _AT[_TURNED.get(later.comparator, later.comparator) if difference < 0 else later.comparator]


def _nearest(stated: Sequence[Statement], asked: frozenset[str]) -> Statement | None:
    """The statement that is most by name what was asked for; None where none is at all."""
    named = [one for one in stated if one.name & asked]
    return max(named, key=lambda one: len(one.name & asked) / len(one.name), default=None)


def _unit_of(statement: Statement) -> tuple[str, str]:
    return statement.figure.unit, statement.unit
