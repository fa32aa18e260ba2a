"""Evidence that says another thing of the same matter: both sides are shown, none is preferred.

Two kinds: a figure of the same thing, year and unit with another value (参保率 95.98% in the text, 95.81 in the table),
and a name that stands at another place in another way (一条线路的两种写法).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from functools import partial

from index.chunk import label_of
from index.figures import Figure, amounts, cell_figure, equal, figures
from index.keyword import bigrams, fold
from index.sentences import clauses
from rag.judge import DURATIONS, other_name
from rag.phrase import row_of, said_by, unit_under
from rag.select import years_in
from rag.types import Evidence, Query

FURTHER = 25  # pieces of evidence looked through
NEAR = Decimal("0.05")  # disagreeing statements of one thing lie close together; far apart they are two things
SAME_THING = 0.6  # share of the shorter name that two names of one thing have in common, in bigrams
SHORT_NAME = 4  # bigrams: a clause that says less than this of its subject goes on with that of the clause before
SHARED = 9  # characters that stand in both where the same matter is told twice
TOLD = 3  # bigrams of the question among them
NEAR_BY = 4  # the best pieces of evidence, which need not share any words with the question
CLOSE = 6.0  # how far the second telling may score below the first
NAMED = 2  # bigrams that a question and the name of a figure share at least, where they plainly mean one thing
_YES_OR_NO = re.compile(r"[吗嘛]\s*[?？。]?$|是不是|是否|对不对|有没有")
_NEGATED = re.compile(r"(?<!是)(?<!对)不(?!是|对|少于|低于|超过|大于|小于|足)|(?<!有)没|无|非")
# What a question asks after: every word of it must stand in the text as it stands in the question.
_MENTIONS = r"(?:提到|提及|说到|讲到|写到|谈到|涉及)(?:了|过)?"
_MENTION = (
    re.compile(rf"(?:有没有|是否|是不是|有无)(?:也|还|专门|明确)?{_MENTIONS}(?P<thing>[^，,。?？]+?)[吗呢]?[?？。]?$"),
    re.compile(rf"{_MENTIONS}(?P<thing>[^，,。?？]+?)(?:了?吗|了?没有?|没)[?？。]?$"),
)
_WILL = r"(?:要|会|打算|计划|准备|将)"
_BUILD = r"(?:新建|建设|修建|兴建|建成|建|修|盖)"
_TO_BUILD = (
    re.compile(rf"(?:是不是|是否|有没有(?:说|提到)?)(?:还|也)?{_WILL}{_BUILD}(?P<thing>[^，,。?？]+?)[吗呢]?[?？。]?$"),
    re.compile(rf"(?:会不会|要不要)(?:再|也)?{_BUILD}(?P<thing>[^，,。?？]+?)[吗呢]?[?？。]?$"),
    re.compile(rf"(?<!不){_WILL}{_BUILD}(?P<thing>[^，,。?？]+?)吗[?？。]?$"),
)
_ABOUT = re.compile(r"^(?:一个|一座|一批|个|座)|(?:的(?:事情?|内容|说法)?|这件?事|了|的)$")
_NO_THING = re.compile(r"\d|[哪几或与及]|(?<!中)和(?![谐平睦])|什么|多少|怎|谁")
_BUILDS = re.compile(r"建|修|项目|工程")
_ITSELF = r"(?=(?:的)?(?:建设|新建|改扩建|扩建|项目|工程)|等|和|与|及|[、，,；;。（(]|$)"  # no 体育馆停车场 for 体育馆
_RESERVED = re.compile(
    r"暂|取消|推迟|停建|缓建|停止|不再|不得|禁|除外|撤|已|建成投|投入使用|投入运行|竣工|完工|通车|前期|论证|可行性"
)
_HEDGED = re.compile(
    r"不(?!断|仅|同)|未(?!来)|没|无(?!人)|研究|谋划|探索|争取|限制|控制|避免|严控|除|拆|关停|退出|淘汰"
)
_OR = re.compile(r"(?P<one>[^，,。?？\s还]{2})[,，]?还是(?:在|到|说)?(?P<other>[^，,。?？\s]{2})")
_GOAL = re.compile(r"目标|规划值|要达到|要到")
_NUMBER = re.compile(r"^.*?\d[\d,，]*(?:\.\d+)?\s*")
_NOT_NAME = re.compile(
    r"到?20\d\d年|达到|实现|稳定|保持|控制|左右|以上|以内|不低于|超过|力争|分别|全州|全市|全县|年均|累计|[\d.,%％〔〕()（）]"
)


@dataclass(frozen=True)
class Statement:
    """A figure, the bigrams of the words that name it (a row's name, or its clause), the years it is of, and the unit
    as written."""

    figure: Figure
    name: frozenset[str]
    years: frozenset[int]
    unit: str


def differing(query: Query, best: Evidence, evidence: Sequence[Evidence]) -> Evidence | None:
    """Other evidence that gives what was asked for, for the same year and in the same unit, another value."""
    if query.want != "figure":
        return None
    asked = asked_words(query)
    named = [(len(one.name & asked), one) for one in statements(best)]
    nearest = max((shared for shared, _ in named), default=0)
    mine = [one for shared, one in named if shared and shared == nearest]  # 参保率 was asked for, not 参保人数
    mine = [one for one in mine if not query.years or not one.years.isdisjoint(query.years)]
    mine = [one for one in mine if one.unit.endswith(query.units)] or mine  # 多少人 was asked for, not the rate
    for other in evidence[1:FURTHER]:
        if other.features["figure"] and other.passage.chunk.lines != best.passage.chunk.lines:
            theirs = statements(other)
            if any(at_odds(a, b) for a in mine for b in theirs):
                return other
    return None


def retold(query: Query, best: Evidence, evidence: Sequence[Evidence]) -> Evidence | None:
    """Other evidence that tells the matter asked about once more: a long stretch of words stands in both, with words
    of the question in it. Not for figures and lists, whose second telling is compared by its figures."""
    if query.want in ("figure", "list") or best.passage.chunk.cells:
        return None
    asked = asked_words(query)
    for other in evidence[1:FURTHER]:
        chunk = other.passage.chunk
        if chunk.cells or chunk.lines == best.passage.chunk.lines or best.score - other.score > CLOSE:
            continue
        matcher = SequenceMatcher(None, best.text, other.text, autojunk=False)
        match = matcher.find_longest_match(0, len(best.text), 0, len(other.text))
        shared = best.text[match.a : match.a + match.size]
        if SHARED <= match.size <= 3 * SHARED and len(asked & set(bigrams(shared))) >= TOLD:
            return other
    return None


def other_side(query: Query, best: Evidence, evidence: Sequence[Evidence]) -> Evidence | None:
    """Evidence for what a question holds against what the best evidence tells: a figure that it states beside another
    (早就104%了，为什么才要99.5%), the other of two things that it leaves to choose from (落在甲地还是乙地)."""
    stated = [figure for figure in _quantities(query.text) if figure.unit not in DURATIONS]
    chosen = _OR.search(query.text)
    things: list[Callable[[str], bool]] = [partial(_holds, figure) for figure in stated]
    if chosen is not None and not stated:
        things = [partial(_names, fold(word)) for word in chosen.groups()]
    missing = [holds for holds in things if not holds(said_by(best))]
    if len(things) < 2 or len(missing) != 1:
        return None
    asked = asked_words(query)
    for rank, other in enumerate(evidence[:FURTHER]):
        text = said_by(other)
        near = rank < NEAR_BY or len(asked & set(bigrams(text))) >= TOLD
        if other is not best and near and missing[0](text):
            return other
    return None


def _holds(figure: Figure, text: str) -> bool:
    return any(equal(figure, other) for other in amounts(text)) or figure.text in text


def _names(word: str, text: str) -> bool:
    return word in fold(text)


def borne_out(query: Query, evidence: Evidence) -> bool | None:
    """Whether evidence bears out the one figure that a yes-or-no question names; None where it names none or several,
    and where it is not plain which figure of the evidence is of the thing asked about (A和B分别达到…)."""
    claimed = _quantities(query.text)
    if len(claimed) != 1 or not _YES_OR_NO.search(query.text) or _NEGATED.search(query.text):
        return None
    if other_name(query.core, evidence):  # 登记失业率 was asked for, 调查失业率 is told
        return None
    asked = asked_words(query)
    stated = [one for one in statements(evidence) if one.figure.unit == claimed[0].unit and one.name]
    if query.years:  # of a table row, the value of that year
        stated = [one for one in stated if not one.years.isdisjoint(query.years)]
    elif evidence.passage.chunk.cells and _GOAL.search(query.text):
        last = max((year for one in stated for year in one.years), default=0)
        stated = [one for one in stated if last in one.years]
    shared = [len(one.name & asked) for one in stated]
    most = max(shared, default=0)
    nearest = [one for one, count in zip(stated, shared, strict=True) if count == most]
    if most < NAMED or len(nearest) != 1:
        return None
    return equal(claimed[0], nearest[0].figure)


def says_the_same(a: Evidence, b: Evidence) -> bool:
    """Whether all figures of one piece of evidence stand in the other under a like name: it adds nothing."""
    mine, theirs = statements(a), statements(b)
    return bool(theirs) and all(any(_same_statement(one, other) for one in mine) for other in theirs)


def _same_statement(a: Statement, b: Statement) -> bool:
    smaller = min(len(a.name), len(b.name))
    alike = smaller and len(a.name & b.name) / smaller >= SAME_THING
    return bool(alike) and a.figure.value == b.figure.value and a.figure.unit == b.figure.unit


def thing_asked_for(query: Query) -> tuple[str, bool]:
    """What a yes-or-no question asks after: whether the documents mention it (有没有提到X: True), or whether it is to
    be built (是不是要建X: False); "" where it asks something else."""
    for pattern, mention in ((_MENTION, True), (_TO_BUILD, False)):
        found = next((match for match in (one.search(query.text) for one in pattern) if match), None)
        if found is not None:
            thing = _ABOUT.sub("", found["thing"])
            if len(thing) > 1 and not _NO_THING.search(thing):
                return thing, mention
    return "", False


def affirmed(query: Query, evidence: Evidence) -> bool:
    """Whether evidence says yes in so many words: it mentions the thing that a question asks for a mention of, or tells
    in one clause, without a reservation, that the thing asked for is to be built."""
    thing, mention = thing_asked_for(query)
    chunk = evidence.passage.chunk
    text = f"{label_of(chunk)} {evidence.text}" if chunk.kind == "item" and evidence.start else evidence.text
    if not thing or thing not in fold(text):
        return False
    if mention:
        return True
    if chunk.cells or evidence.features["past_for_plan"] or _RESERVED.search(text):
        return False
    told = [text[start:end] for start, end in clauses(text)]
    itself = re.compile(f"{re.escape(thing)}{_ITSELF}")
    return any(itself.search(fold(c)) and _BUILDS.search(c) and not _HEDGED.search(c) for c in told)


def named_by(evidence: Evidence, query: Query) -> str:
    """The words that name what a piece of evidence tells: a row's name, or those of the clause with a figure that are
    most like the question."""
    chunk = evidence.passage.chunk
    if chunk.cells:
        return row_of(chunk).name.text
    asked = asked_words(query)
    told = [(name, clause) for name, clause in _named_clauses(evidence.text) if _quantities(clause)]
    told = told or list(_named_clauses(evidence.text))
    return max(told, key=lambda one: len(asked & set(bigrams(one[0]))))[0]


def statements(evidence: Evidence) -> list[Statement]:
    """The figures of a piece of evidence, each with its name and years."""
    chunk = evidence.passage.chunk
    found: list[Statement] = []
    if chunk.cells:
        row = row_of(chunk)
        name = frozenset(bigrams(row.name.text))
        for column, cell in row.values:
            unit = unit_under(column, row.unit)
            if figure := cell_figure(cell.text, unit):
                found.append(Statement(figure, name, years_in(column), unit))
        return found
    for words, clause in _named_clauses(evidence.text):
        name = frozenset(bigrams(words))
        found += [Statement(f, name, evidence.years, _NUMBER.sub("", f.text)) for f in _quantities(clause)]
    return found


def at_odds(a: Statement, b: Statement) -> bool:
    """Whether two statements name the same thing of the same year in one unit with values that lie close but differ."""
    smaller = min(len(a.name), len(b.name))
    if not smaller or a.figure.unit != b.figure.unit or a.years.isdisjoint(b.years):
        return False
    difference = abs(a.figure.value - b.figure.value)
    return len(a.name & b.name) / smaller >= SAME_THING and 0 < difference <= abs(a.figure.value) * NEAR


def named_in(clause: str) -> str:
    """The words of a clause that name its subject: without times, figures and what is said of them."""
    return " ".join(_NOT_NAME.sub(" ", clause).split())


def _named_clauses(text: str) -> list[tuple[str, str]]:
    """Each clause with the words that name its subject, those of the clause before it included where it names little
    (养老保险参保人数达到…，参保率达到…)."""
    found: list[tuple[str, str]] = []
    before = ""
    for start, end in clauses(text):
        words = named_in(text[start:end])
        name = f"{before} {words}" if len(bigrams(words)) < SHORT_NAME and before else words
        found.append((name, text[start:end]))
        before = words
    return found


def _quantities(text: str) -> list[Figure]:
    return [figure for figure in figures(text) if figure.kind == "quantity"]


def asked_words(query: Query) -> frozenset[str]:
    """The bigrams of what a question asks about, and of the official words for it."""
    return frozenset(bigrams(query.core)) | {pair for term in query.terms for pair in bigrams(term)}
