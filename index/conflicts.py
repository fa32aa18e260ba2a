"""Where a plan may disagree with itself: what a reader should check, with both sentences side by side.

Nothing here is called an error. A difference of year, place, unit or measure (level, growth, sum) is no disagreement;
what the rules cannot tell apart with certainty is left alone, for a list with false alarms is not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import combinations, groupby
from typing import Literal

from index.figures import unit_of
from index.sentences import sentences
from index.targets import Fact, Register, Target
from index.types import Chunk

ConflictKind = Literal["数值不一致", "表文不一致", "目标不高于已达到", "分项与合计不符", "清单不一致"]
CHECK = "待核对"


@dataclass(frozen=True)
class Evidence:
    """One side: `sentence` stands at [start, end) in line `line` (for a table row see `Target`), `said` is the part of
    it that matters, both verbatim."""

    doc: str
    line: int
    section: tuple[str, ...]
    sentence: str
    said: str
    chunk: str
    start: int
    end: int


@dataclass(frozen=True)
class Conflict:
    """Something to be checked. `about` is the indicator or list, `note` one Chinese sentence that says what differs."""

    kind: ConflictKind
    about: str
    note: str
    sides: tuple[Evidence, ...]


@dataclass(frozen=True)
class _Quantity:
    """A target or fact made comparable: its name without words that tell nothing apart, its value in the plain unit."""

    entry: Target | Fact
    key: str
    value: Decimal
    upper: Decimal | None
    unit: str


def conflicts(register: Register, chunks: Sequence[Chunk]) -> tuple[Conflict, ...]:
    """Everything in one document that is to be checked, in the order of the lines it begins at."""
    aimed = [q for q in map(_quantity, register.targets) if q is not None]
    reached = [q for q in map(_quantity, register.facts) if q is not None]
    found = [*_disagreeing(aimed), *_disagreeing([q for q in reached if q.entry.year is not None])]
    found += _not_above(aimed, reached)
    found += [*_parts(register.targets), *_sums_of_rows(register.targets), *_structures(register)]
    found += _lists(chunks)
    return tuple(sorted(found, key=lambda conflict: min(side.line for side in conflict.sides)))


# --- figures

_SAME_WORDS = (
    ("GDP", "地区生产总值"), ("生产总值(地区生产总值)", "地区生产总值"), ("规上", "规模以上"), ("医保", "医疗保险"),
    ("R&D", "研发"), ("研究与试验发展(研发)", "研发"), ("研究与试验发展", "研发"), ("人次", "人数"),
    ("单位地区生产总值", "单位产值"), ("三产", "第三产业"), ("二产", "第二产业"), ("一产", "第一产业"),
    ("增长率", "增长"), ("增速", "增长"),
)  # fmt: skip
_IDLE = re.compile(r"拥有|境内外|国内外|国内|接待|基本|全社会|率先|年(?=接待)|总(?=人数|里程)|[的\"“”]|\W")
# What should fall, and floors of a stock that may shrink (耕地保有量).
_NO_CLIMB = re.compile(
    r"保有|失业率|死亡率|发生率|发病率|能耗|水耗|消耗|排放|浓度|用水|损耗|漏损|负债|收入比|成本|用时|时限|时间|事故|"
    r"降低|下降|减少|流失"
)
_HELD = re.compile(r"稳定|保持|维持|不低于|不少于|不减少|控制")


def _quantity(entry: Target | Fact) -> _Quantity | None:
    """None for words and for values that are no single number (12:48:40)."""
    try:
        value = Decimal(entry.value or "")
        upper = Decimal(entry.value_max) if entry.value_max else None
    except InvalidOperation:
        return None
    factor, unit = unit_of(entry.unit)
    return _Quantity(entry, _key(entry.indicator), value * factor, upper and upper * factor, unit)


def _key(indicator: str) -> str:
    name = unicodedata.normalize("NFKC", indicator)
    for written, common in _SAME_WORDS:
        if common not in name:
            name = name.replace(written, common)
    return _IDLE.sub("", name)


def _disagreeing(entries: Sequence[_Quantity]) -> Iterator[Conflict]:
    """Same indicator, place, year, unit and measure, but another value; or a table with = where the text has ≥."""
    told: set[frozenset[tuple[int, int, str]]] = set()
    for one, other in combinations(entries, 2):
        a, b = one.entry, other.entry
        if (a.doc, a.subject, a.year, one.unit, a.basis) != (b.doc, b.subject, b.year, other.unit, b.basis):
            continue
        if (a.line, a.start) == (b.line, b.start) or not _same_indicator(one, other):
            continue
        across = a.source != b.source
        kind: ConflictKind = "表文不一致" if across else "数值不一致"
        if (one.value, one.upper) != (other.value, other.upper):
            differs = "数值不同"
        elif across and isinstance(a, Target) and a.comparator != b.comparator:
            differs = "界限不同"
        else:
            continue
        pair = frozenset({(a.line, a.start, a.indicator), (b.line, b.start, b.indicator)})
        if pair in told:
            continue
        told.add(pair)
        year = f"{a.year}年" if a.year else ""
        note = f"{CHECK}：{year}{a.subject}{a.indicator}两处{differs}：{_said(a)}；{_said(b)}。"
        yield Conflict(kind, a.indicator, note, (_evidence(a), _evidence(b)))


def _same_indicator(one: _Quantity, other: _Quantity) -> bool:
    """Equal names; or names of one length that differ by one character, where table and text give one value (执业 and
    职业): alone such a difference may also tell two indicators apart (初中 and 高中)."""
    if one.key == other.key:
        return True
    if one.entry.source == other.entry.source or one.value != other.value or len(one.key) < 8:
        return False
    return len(one.key) == len(other.key) and sum(a != b for a, b in zip(one.key, other.key, strict=True)) == 1


def _not_above(aimed: Sequence[_Quantity], reached: Sequence[_Quantity]) -> Iterator[Conflict]:
    """Targets at or below what was already reached, one conflict for each indicator, place and year aimed at. Ceilings,
    what should fall, flows of another period and what stays full (100%) are left out."""
    found: dict[tuple[str, str, str, int | None], tuple[dict[Evidence, Fact], dict[Evidence, Target]]] = {}
    for goal in aimed:
        for state in reached:
            target, fact = goal.entry, state.entry
            if isinstance(target, Target) and isinstance(fact, Fact) and _falls_short(goal, state):
                facts, goals = found.setdefault((target.doc, goal.key, target.subject, target.year), ({}, {}))
                facts[_evidence(fact)] = fact
                goals[_evidence(target)] = target
    for facts, goals in found.values():
        target = next(iter(goals.values()))
        note = (
            f"{CHECK}：{target.year}年{target.subject}{target.indicator}的目标{'、'.join(map(_said, goals.values()))}，"
            f"不高于已达到的{'、'.join(f'{_said(fact)}' for fact in facts.values())}。"
        )
        yield Conflict("目标不高于已达到", target.indicator, note, (*facts, *goals))


def _falls_short(goal: _Quantity, state: _Quantity) -> bool:
    target, fact = goal.entry, state.entry
    if target.basis != "level" or target.comparator in ("<=", "<") or _NO_CLIMB.search(goal.key):
        return False
    if (fact.doc, fact.subject, state.unit, fact.basis) != (target.doc, target.subject, goal.unit, "level"):
        return False
    if fact.year is None or target.year is None or fact.year >= target.year or goal.key != state.key:
        return False
    bound = goal.upper or goal.value
    held = target.comparator in (">=", "~") or _HELD.search(target.text_value) is not None
    return bound < state.value or (bound == state.value and not held and goal.value != 100)


def _parts(targets: Sequence[Target]) -> Iterator[Conflict]:
    """Parts named after 其中 that are more than their whole; less they may be, for 其中 need not name all."""
    groups: dict[tuple[str, int, int, int | None, str], list[Target]] = {}
    for target in targets:
        if target.source == "text" and _is_number(target.value):
            groups.setdefault((target.doc, target.line, target.start, target.year, target.unit), []).append(target)
    for entries in groups.values():
        for whole in entries:
            parts = [entry for entry in entries if entry.part_of == whole.indicator]
            total = sum((Decimal(part.value or "") for part in parts), Decimal(0))
            if len(parts) > 1 and total > Decimal(whole.value or ""):
                listed = "、".join(f"{part.indicator}{part.value}{part.unit}" for part in parts)
                note = f"{CHECK}：{listed}，合计{total}{whole.unit}，多于{whole.indicator}{_said(whole)}。"
                yield Conflict("分项与合计不符", whole.indicator, note, (_evidence(whole),))


def _sums_of_rows(targets: Sequence[Target]) -> Iterator[Conflict]:
    """Table rows whose base and five-year sum do not make their target, beyond what rounding explains."""
    rows: dict[tuple[str, str], dict[str | None, Target]] = {}
    for target in targets:
        if target.source == "table" and _is_number(target.value):
            rows.setdefault((target.chunk, target.indicator), {}).setdefault(target.basis, target)
    for entries in rows.values():
        level, added = entries.get("level"), entries.get("cumulative")
        if level is None or added is None or level.unit != added.unit or level.comparator not in ("=", "~"):
            continue
        written = (level.baseline_value, added.value, level.value)
        if not all(map(_is_number, written)):
            continue
        base, sum_added, end = (Decimal(text or "") for text in written)
        rounding = sum((Decimal(10) ** _exponent(n) for n in (base, sum_added, end)), Decimal(0)) / 2
        if abs(base + sum_added - end) > rounding:
            note = (
                f"{CHECK}：{level.indicator}{level.baseline_year}年{level.baseline_value}{level.unit}加累计"
                f"{added.value}{level.unit}，与{level.year}年{level.value}{level.unit}不符。"
            )
            yield Conflict("分项与合计不符", level.indicator, note, (_evidence(level),))


def _structures(register: Register) -> Iterator[Conflict]:
    """Shares of a structure (12:48:40) that do not make 100."""
    entries: tuple[Target | Fact, ...] = (*register.targets, *register.facts)
    for entry in entries:
        terms = (entry.value or "").split(":")
        if "结构" not in entry.indicator or len(terms) < 3 or not all(map(_is_number, terms)):
            continue
        total = sum(map(Decimal, terms), Decimal(0))
        if abs(total - 100) > Decimal(len(terms)) * Decimal("0.05"):
            note = f"{CHECK}：{entry.indicator}{entry.value}各项合计为{total}，不是100。"
            yield Conflict("分项与合计不符", entry.indicator, note, (_evidence(entry),))


def _is_number(text: str | None) -> bool:
    return text is not None and re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None


def _exponent(number: Decimal) -> int:
    return min(0, int(number.as_tuple().exponent))


def _said(entry: Target | Fact) -> str:
    place = "表" if entry.source == "table" else "文"
    figure = entry.text_value if entry.source == "text" else f"{entry.text_value}{entry.unit}"
    return f"“{figure}”（第{entry.line}行，{place}）"


def _evidence(entry: Target | Fact) -> Evidence:
    return Evidence(
        entry.doc, entry.line, entry.section, entry.sentence, entry.text_value, entry.chunk, entry.start, entry.end
    )


# --- lists

_NUMERALS = "零一二三四五六七八九十"
_TITLE = r"(?P<count>十[一二三四五]|[三四五六七八九十])(?P<measure>大|个|条|项|类|座|张|种)"
_NAME = r"(?P<name>[\u4e00-\u9fff]{2,10})"
_MEMBER = r"[^、，,。；;：:！？|\s]{1,24}"
_TOLD_BEFORE = re.compile(rf"(?P<members>{_MEMBER}(?:、{_MEMBER})+?)等?{_TITLE}{_NAME}")
_TOLD_BEHIND = re.compile(rf"{_TITLE}{_NAME}[：:]\s*")
_LABEL = re.compile(r"(?<=[。；;：:\s])([^\s，,。；;：:、]{2,15})[：:]")
_BRACKETS = re.compile(r"[（(][^（）()]*[)）]|[“”\"]")


@dataclass(frozen=True)
class _List:
    """A list of a stated number of things: its title (三大) and what follows, its members, where it stands."""

    title: str
    name: str
    members: tuple[str, ...]
    side: Evidence


def _lists(chunks: Sequence[Chunk]) -> Iterator[Conflict]:
    """Lists of one name with other members. Names are often reused (四大体系): only lists that share at least a third
    of their members are taken to be one list told twice."""
    for one, other in combinations(_all_lists(chunks), 2):
        name = _common_start(one.name, other.name)
        if one.title != other.title or one.side.doc != other.side.doc or len(name) < 2:
            continue
        first, second = _tidied(one.members, name), _tidied(other.members, name)
        only_first = [m for at, m in enumerate(first) if not any(_same_member(m, n, at == 0) for n in second)]
        only_second = [n for at, n in enumerate(second) if not any(_same_member(n, m, at == 0) for m in first)]
        shared = len(first) - len(only_first)
        if not (only_first or only_second) or shared * 3 < len(first):
            continue
        sides = (one.side, other.side)
        differing = zip(sides, (only_first, only_second), strict=True)
        told = [f"第{side.line}行另有{'、'.join(own)}" for side, own in differing if own]
        note = f"{CHECK}：“{one.title}{name}”两处所列不同：{'；'.join(told)}。"
        yield Conflict("清单不一致", one.title + name, note, sides)


def _all_lists(chunks: Sequence[Chunk]) -> list[_List]:
    """Of every line: 甲、乙和丙三大基地, and 三大基地: 甲基地:… 乙基地:… with a label for each member."""
    found: list[_List] = []
    texts = [chunk for chunk in chunks if chunk.kind in ("paragraph", "item")]
    for _, of_line in groupby(texts, key=lambda chunk: (chunk.doc_id, chunk.lines)):
        pieces = list(of_line)
        text = ""
        for chunk in pieces:
            text = text.ljust(chunk.start) + chunk.text
        for match in _TOLD_BEFORE.finditer(text):
            members = _members(match["members"])
            if len(members) >= _count(match["count"]):
                members = members[-_count(match["count"]) :]
                found.append(_List(_title(match), match["name"], members, _side(pieces, text, *match.span())))
        for match in _TOLD_BEHIND.finditer(text):
            labels = list(_LABEL.finditer(text, match.end()))[: _count(match["count"])]
            if len(labels) == _count(match["count"]):
                members = tuple(label.group(1) for label in labels)
                side = _side(pieces, text, match.start(), labels[-1].end(1))
                found.append(_List(_title(match), match["name"], members, side))
    return found


def _title(match: re.Match[str]) -> str:
    return match["count"] + match["measure"]


def _count(text: str) -> int:
    return _NUMERALS.index(text) if len(text) == 1 else 10 + _NUMERALS.index(text[1])


def _members(text: str) -> tuple[str, ...]:
    return tuple(m for part in text.split("、") for m in re.split(r"(?<=..)[和与及](?=..)", part))


def _common_start(one: str, other: str) -> str:
    return one[: next((at for at, sign in enumerate(one) if not other.startswith(sign, at)), len(one))]


def _tidied(members: Iterable[str], name: str) -> tuple[str, ...]:
    return tuple(_BRACKETS.sub("", member).strip().removesuffix(name) for member in members)


def _same_member(one: str, other: str, first: bool) -> bool:
    """The first member may still have the verb before it (建设物流园, 打造物流园)."""
    if one == other or (min(len(one), len(other)) >= 2 and (one.endswith(other) or other.endswith(one))):
        return True
    return first and len(_common_start(one[::-1], other[::-1])) >= 2


def _side(pieces: Sequence[Chunk], text: str, start: int, end: int) -> Evidence:
    """The list's own words, the sentences that hold them, and the chunk in which they begin."""
    chunk = next(c for c in reversed(pieces) if c.start <= start)
    held = [(a, b) for a, b in sentences(text) if b > start and a < end]
    first, last = held[0][0], held[-1][1]
    return Evidence(
        chunk.doc_id, chunk.lines[-1], chunk.section, text[first:last], text[start:end], chunk.id, first, last
    )
