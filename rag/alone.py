"""The one figure of a sentence of several that is asked for, told without the others.

    2025年农林牧渔机械化作业水平要达到多少？
    到2025年，主要农作物种植机械化水平达到98%以上，农林牧渔机械化作业水平达到84%左右。
    -> 到2025年，……农林牧渔机械化作业水平达到84%左右

    农村居民人均可支配收入2020年是多少？
    2020年城镇居民和农村居民人均可支配收入分别达到30000元和20000元。
    -> 2020年……农村居民人均可支配收入……20000元

A figure of its neighbours may be taken for the answer. What names a figure, and of which year and measure it is, is
read by index.statements. It is told alone only where its name is plainly nearer to the question than that of any other
figure of the sentence, and where the whole of its name stands in the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from index.figures import amounts
from index.keyword import bigrams
from index.sentences import clauses
from index.statements import Basis, Setting, statements
from rag.align import Aligner
from rag.bags import Bags
from rag.cite import GAP
from rag.types import Query

LEAD = 0.42  # by which a name is nearer to the question than any other in its sentence: of 4, see `nearness`
PLAINLY = 1.0  # … by which it is so whatever other words of the question the others have
LEAST = 0.6  # nearness of a name that is asked for at all
REMEMBERED = 4096  # sentences: many questions meet the same
OFFICIAL = 0.6  # weight of an official word from which it stands for one of the question
UNIT = 0.3  # what a figure in the unit asked for is nearer, and one in another is less near
SHARE_UNITS = ("%", "％", "‰")

LEAD_ITEM, LEAST_ITEM = 0.3, 1.0  # the same for an item of an enumeration
MANY = 4  # items of an enumeration of projects

_HEAD = re.compile(r"[^,，、；;。]{2,30}[:：]")
_PROJECT = re.compile("项目|工程|基地|机组|中心|建设")
_BOTH = re.compile(r"[和与跟、]|分别|各|都|比(?![例重率])|有何不同|(?:多少|几)[个家座条项处](?:项目|工程)")
# A first statement that begins so may govern those behind it.
_OPENS = re.compile(
    r"(?:到|至|在)?(?:19|20)\d\d|[“\"]?十[一二三四五六七八九]五|取消|停|不|除|若|如果|每年|力争|争取|预计|拟"
)
_ASKS_PLACE = re.compile(r"哪[个些里儿]?(?:[县市州区园镇乡村地]|$|[?？])|什么地方|啥地方|何处")
_PLACE = re.compile("[县市州区园镇乡村]")
_SEVERAL = re.compile(r"(?<!占)比(?![例重率])|相差|差距|分别|各|一共|合计|总共|之和|加起来")
_JOINS = re.compile("[和与跟及、]")
_ASKS = re.compile(r"多少|几(?!种)|多[大高长快]")
_OTHERWISE = re.compile(r"怎|咋|如何|为什么|为何|为啥|谁|哪[^年]")
_ASKS_SHARE = re.compile(r"百分之|[几多少]成")
_ASKS_YEARLY = re.compile(r"年均|(?:每|平均每?)一?年[^，,。]{0,6}(?:涨|增|长|升|降|减|个?百?分?点)")
_ASKS_GROWTH = re.compile(r"增长|增速|增幅|增加(?!值)|涨|提高|提升|上升|下降|降低|减少|[大多少]了")
_YEAR = re.compile(r"20\d\d年?")
_TIME = re.compile(
    r"(?<![\d比较由从自与同和以之“\"至\-—–~])(?:力争)?(?:到|在|至)?(?:20\d\d年|[“\"]?十[一二三四五六七八九]五[”\"]?)"
    r"(?:期?末|期间|时期|底|之?前)?(?:[(（][^()（）]{1,4}[)）])?(?![^,，。；;]{0,4}(?:相比|基础上|以来|为基))[,，]?"
)
_ANY_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?=年|[-—–~至])|十[一二三四五六七八九]五(?![个万亿])")
_OF_NEXT = re.compile(r"\d{4}年(?:[(（][^()（）]*[)）])?的?(?:约|近)?\d")  # 由2015年的300亿元
# What bears on figures behind it, and what at the beginning of a clause with a figure of its own does.
_BEARS = re.compile(
    r"若|如果|除|不(?:包括|含|计|再|能|应|得(?![低少超高]))|未(?!来)|没|取消|停|争取|力争|预计|拟|每年|年均|逐年|至少|最多|相比|基础上|以来|累计"
)
_COMPARED = re.compile(r"较|比(?![例重率])|与|同(?!比)|在.{0,8}基础上")
_LEADS = re.compile(r"(?:其中)?(?:每年|年均|逐年|累计|预计|争取|力争|拟|若|如果|除)")
_BOUND = re.compile(r"以上|以下|以内|左右|上下|[不至]?[低高少多大小]于|超过?|至[少多]|约|近|突破|[余多](?=[个家人])")
_BEFORE = re.compile(r"[^,，、；;。：:]*$")
_WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Told:
    """A figure of a sentence: its name, what it is told in (value with its verb, [start, end) of the sentence), where
    the figure itself stands, its year and measure. `basis` None: nothing is known of it but the clause it stands in."""

    name: str
    start: int
    end: int
    figure: tuple[int, int]
    unit: str
    year: int | None
    basis: Basis | None
    alone: bool  # it has its words to itself


def told_alone(query: Query, text: str, aligner: Aligner) -> str:
    """The words of a sentence that tell the figure a question asks for, with what names it and its time, GAP where
    something is left out; "" where it is not plain which figure that is, and where the sentence has one only."""
    of_years = len(query.years) > 1 and not _JOINS.search(query.core)  # one thing in several years
    asks_one = of_years or (len(_ASKS.findall(query.text)) <= 1 and not _SEVERAL.search(query.core))
    if query.want != "figure" or not asks_one or _OTHERWISE.search(query.text) or len(amounts(text)) < 2:
        return ""
    told = of_measure(query, of_year(query, told_in(text)), strictly=True)
    if not told:
        return ""
    near = nearness(query, told, aligner)
    order = sorted(range(len(told)), key=lambda at: -near[at])
    best = told[order[0]]
    if near[order[0]] < LEAST or best.basis is None:
        return ""
    if len(order) > 1 and near[order[0]] - near[order[1]] < LEAD:
        return ""
    if _JOINS.search(query.core) and not _JOINS.search(best.name):
        return ""  # two are asked for
    asked = set(bigrams(query.core))
    far = len(order) == 1 or near[order[0]] - near[order[1]] >= PLAINLY
    if not far and any(asked & set(bigrams(other.name)) - set(bigrams(best.name)) for other in told):
        return ""  # a word of the question names another figure alone
    return without_others(text, best)


@lru_cache(maxsize=REMEMBERED)
def told_in(text: str) -> tuple[Told, ...]:
    """The figures of a sentence, each with what is said of it, and those of which nothing is known."""
    found: list[Told] = []
    every = amounts(text)
    groups: dict[tuple[int, int], int] = {}
    stated = [one for one in statements(text, Setting(None)) if one.value is not None]
    for one in stated:
        span = (one.start, one.end)
        inside = [figure for figure in every if one.start <= figure.start and figure.end <= one.end]
        together = sum((other.start, other.end) == span for other in stated)
        at = groups[span] = groups.get(span, -1) + 1
        if len(inside) == together and len({figure.unit for figure in inside}) == 1:
            figure = inside[at]
            name = one.subject + one.indicator
            found.append(
                Told(name, *span, (figure.start, figure.end), one.unit, one.year, one.basis, together == 1)
            )  # fmt: skip
    known = {one.figure for one in found}
    for figure in every:
        if (figure.start, figure.end) not in known:
            start, end = next((a, b) for a, b in clauses(text) if a <= figure.start < b)
            found.append(Told(text[start:end], start, end, (figure.start, figure.end), figure.text, None, None, False))
    return tuple(found)


def of_year(query: Query, told: Sequence[Told]) -> list[Told]:
    """Those of a year asked for, or of none."""
    return [one for one in told if not query.years or one.year is None or one.year in query.years]


def of_measure(query: Query, told: Sequence[Told], strictly: bool = False) -> list[Told]:
    """Those of the measure asked for: how much each year, by how much more, or how much; where none has it, none if
    `strictly`, else all."""
    if _ASKS_SHARE.search(query.text):
        told = [one for one in told if one.unit.endswith(SHARE_UNITS)] or told
    if _ASKS_YEARLY.search(query.text):
        wanted: tuple[Basis, ...] = ("annual_average",)
    elif _ASKS_GROWTH.search(query.text):
        wanted = ("growth", "increase")
    else:
        wanted = ("level", "cumulative", "increase")
    if strictly and not any(one.basis in wanted for one in told):
        return []
    return [one for one in told if one.basis is None or one.basis in wanted] or list(told)


def nearness(query: Query, told: Sequence[Told], aligner: Aligner) -> list[float]:
    """How near the question is to the name of each figure, of 4, and whether that is in the unit asked for."""
    near = [sum(fit) for fit in fits(query, [one.name for one in told], aligner)]
    if query.units:
        for at, one in enumerate(told):
            near[at] += UNIT if any(unit in one.unit for unit in query.units) else -UNIT
    return near


def item_alone(query: Query, text: str, aligner: Aligner) -> str:
    """The one item of an enumeration that a question asks about, behind the words that the enumeration begins with: a
    project of a long list, a statement among several set apart by ；. "" where it is not plain which one, where a list
    of projects is asked for, and where a place is asked for that the item does not name."""
    begin, items = items_of(text)
    listed = text[items[0][1] : items[0][1] + 1] == "、" if items else False
    if not items or (listed and query.want == "list") or _BOTH.search(query.text):
        return ""
    names = [text[start:end] for start, end in items]
    near = [sum(fit) for fit in fits(query, names, aligner)]
    order = sorted(range(len(items)), key=lambda at: -near[at])
    best = names[order[0]]
    if near[order[0]] < LEAST_ITEM or near[order[0]] - near[order[1]] < LEAD_ITEM:
        return ""
    if _ASKS_PLACE.search(query.text) and not _PLACE.search(best):
        return ""
    if query.want == "figure" and not amounts(best):
        return ""
    if "date" in query.kinds and not _ANY_YEAR.search(best):
        return ""
    tail = listed and re.search("[,，]", names[-1])  # what follows is said of all
    if tail or (not begin and (listed or (order[0] and _OPENS.match(names[0].strip())))):
        return ""
    lead = f"{text[:begin]}{GAP if order[0] else ''}" if begin else ""
    return f"{lead}{best}".strip(" ，,；;。").removesuffix("等")


def items_of(text: str) -> tuple[int, list[tuple[int, int]]]:
    """Where the items of an enumeration begin, and each of them as [start, end): what ； sets apart, else what 、 does
    where there are many and most of them are projects; no items where a text is none. Signs within brackets set
    nothing apart."""
    head = _HEAD.match(text)
    begin = head.end() if head else 0
    for signs, fewest in (("；;", 2), ("、", MANY)):
        items = _parted(text, begin, signs)
        projects = sum(bool(_PROJECT.search(text[start:end])) for start, end in items)
        if len(items) >= fewest and (signs != "、" or projects * 2 >= len(items)):
            return begin, items
    return begin, []


def _parted(text: str, begin: int, signs: str) -> list[tuple[int, int]]:
    items, depth, start = [], 0, begin
    for at in range(begin, len(text)):
        if text[at] in "(（“《「":
            depth += 1
        elif text[at] in ")）”》」":
            depth = max(0, depth - 1)
        elif text[at] in signs and not depth:
            items.append((start, at))
            start = at + 1
    return [(a, b) for a, b in (*items, (start, len(text))) if text[a:b].strip(" 。")]


def fits(query: Query, names: Sequence[str], aligner: Aligner) -> list[tuple[float, float, float, float]]:
    """How a question fits each of several names: its words met by those of the name, the other way round (rag.align),
    and the bigrams that they share, of both (Dice) and of the name; each in [0, 1]. Official words for those of the
    question may meet a name as well."""
    asked = _YEAR.sub(" ", query.core)
    official = [term for term, weight in query.terms.items() if weight >= OFFICIAL]
    words = aligner.question(asked)
    met = words.share(aligner.met(words, Bags.of(aligner.ids(names))))
    own = Bags.of(aligner.ids([" ".join([asked, *official])]))
    pairs = set(bigrams(asked))
    known = pairs.union(*map(bigrams, official))
    found = []
    for name, share in zip(names, met.tolist(), strict=True):
        named = aligner.question(name)
        other = set(bigrams(name))
        shared = len(pairs & other)
        back = float(named.share(aligner.met(named, own))[0])
        held = len(known & other) / max(len(other), 1)
        found.append((share, back, 2 * shared / max(len(pairs) + len(other), 1), held))
    return found


def without_others(text: str, told: Told) -> str:
    """The words of a sentence that name a figure, tell its time and say it. "" where its name does not stand before it
    whole, and where what is left out may bear on it: a year, a bound, a condition, 每年 or 均."""
    first, last = told.figure
    own = max(start for start, _ in clauses(text) if start <= first)
    said = _said(text, told)
    where = text[: told.end if told.alone else first]
    runs = runs_of(told.name, where) or runs_of(told.name.removesuffix("占比"), where) or in_front(text, told)
    if said is None or not runs:
        return ""
    if runs[-1][1] > last:  # 3所小学
        said = (said[0], runs[-1][1])
    spans = [*runs, said]
    before = [figure.end for figure in amounts(text[own:first])]
    begin = own if not before else max(text.rfind(sign, own + before[-1], first) + 1 for sign in "、和及与")
    if told.alone and begin >= own + max(before, default=0):
        spans.append((begin, said[1]))  # its clause, or its part of it: 预计, 争取 and 每年 stay
    if (part := text.find("其中", own, first)) >= 0:
        spans.append((part, part + 2))
    if not told.alone and _BEARS.search(_left_out(text, own, first, spans)):
        return ""
    times = [match.span() for match in _TIME.finditer(text, 0, first)]
    if told.year is not None and _YEAR.search("".join(text[start:end] for start, end in times)):
        times = [span for span in times if str(told.year) in text[slice(*span)]]
        if not times:
            return ""
    merged = _merged(text, [*spans, *times[-1:]], told.alone)
    words = GAP.join(text[start:end] for start, end in merged).strip(" ，,；;。")
    together = any(start < own for start, _ in runs) and re.search("(?<!年)均|都|双双", text[own:first])
    yearly = told.basis == "annual_average" and not re.search("年均|每年|逐年|/年", words)
    undated = told.year is not None and str(told.year) in text[:first] and str(told.year) not in words
    apart = "分别" in words or together or yearly or undated
    return "" if apart or _governed(text, own, told, merged) else words


def _said(text: str, told: Told) -> tuple[int, int] | None:
    """What a figure is told in; None where a bound may be said of it and of others together."""
    if told.alone:
        return told.start, told.end
    first, last = told.figure
    behind = _BOUND.match(text, last)
    said = (first, behind.end() if behind else last)
    bounds = [match.start() for match in _BOUND.finditer(text, told.start, told.end)]
    return said if all(said[0] <= at < said[1] for at in bounds) else None


def _merged(text: str, spans: Sequence[tuple[int, int]], alone: bool) -> list[tuple[int, int]]:
    """Spans in order, those joined that meet, that no word stands between, or, of a figure that has its words to
    itself, no other figure and no end of a clause."""
    first, *others = sorted(spans)
    merged = [first]
    last = max(end for _, end in spans)
    for start, end in others:
        between = text[merged[-1][1] : start]
        near = alone and end == last and not amounts(between) and not re.search(r"[,，；;。]", between)
        if start <= merged[-1][1] or near or not _WORD.search(between):
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _left_out(text: str, begin: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    """The characters of text[begin:end] that lie in none of the spans."""
    return "".join(text[at] for at in range(begin, end) if not any(a <= at < b for a, b in spans))


def _governed(text: str, own: int, told: Told, kept: Sequence[tuple[int, int]]) -> bool:
    """Whether a clause that is left out bears on a figure behind it: by a year, unless it has a figure of its own, or
    by what holds for all that follows (每年, 若, 除, 预计), of a growth what it is compared with."""
    last = told.figure[1]
    for start, end in clauses(text):
        clause = text[start : min(end, last)]
        with_figure = bool(amounts(clause)) and start < own
        years = [start + match.start() for match in _ANY_YEAR.finditer(clause)]
        lost = [at for at in years if not any(a <= at < b for a, b in kept)]
        if any(not with_figure and not _OF_NEXT.match(text, at) for at in lost) and start < last:
            return True
        left = _left_out(text, start, min(end, own), kept) if start < own else ""
        if (_LEADS.match(left.strip(" ，,")) if with_figure else _BEARS.search(left)) is not None:
            return True
        if with_figure and told.basis in ("growth", "increase") and _COMPARED.match(left):
            return True
    return False


def in_front(text: str, told: Told) -> list[tuple[int, int]]:
    """The words in front of what a figure alone is told in, where all of them are of its name and they say what is
    measured, if the unit does not (45万亩); [] else."""
    lead = _BEFORE.search(text[: told.start])
    words = text[lead.start() : told.start].removeprefix("其中") if lead and told.alone else ""
    if len(words) < 2 or set(words) - {*told.name, "的"}:
        return []
    measured = words[-1] == told.name[-1] or told.unit.endswith(("亩", "公顷"))
    return [(told.start - len(words), told.start)] if measured else []


def runs_of(name: str, text: str) -> list[tuple[int, int]]:
    """Where a text holds a name, in its order, in as few runs as can be, the last ones short and late (城镇居民……收入
    in 城镇居民和农村居民收入), [] where it does not hold all of it. A run of one character stands behind a sign that
    lists."""

    @cache
    def fewest(until: int, limit: int) -> tuple[tuple[int, int], ...] | None:
        if until == 0:
            return ()
        best: tuple[tuple[int, int], ...] | None = None
        for length in range(1, until + 1):
            at = text.rfind(name[until - length : until], 0, limit)
            if at < 0 or (length == 1 and text[at - 1 : at] not in ("、", "和", "与", "及")):
                continue
            before = fewest(until - length, at)
            if before is not None and (best is None or len(before) + 1 < len(best)):
                best = (*before, (at, at + length))
        return best

    return list(fewest(len(name), len(text)) or ())
