"""What an answer is worth: metrics as pure functions of a question and a response.

No model judges. Figures are read by index.figures, so that 14万人, 14 万人, 十四万人 and 140000人 are one value and %
is not 百分点; words are compared character by character. What a function cannot say of a question (the citations of
a refusal, the figure of a question that has none) is None and stays out of the mean; an error or an empty answer is
wrong and stays in.

Metrics of one question are in `scores`; those of a whole run in `figures`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from eval.dataset import Question, Slots, covered, key_points, says
from index.figures import Figure, cell_figure, equal, figures
from index.keyword import bigrams
from index.sentences import clauses, sentences

DEPTH = 10  # passages that the ranked metrics look at
SAME_WORDS = 0.7  # share of a statement's character bigrams that its source must hold
SAME_NAME = 0.9  # share of an indicator's character bigrams that a clause must hold to name it


@dataclass(frozen=True)
class Place:
    """A passage retrieved: its lines in the document that the question is about (none for a passage of another
    document), and its length in characters."""

    lines: frozenset[int]
    characters: int


@dataclass(frozen=True)
class Cited:
    """What the mark [n] rests on: lines as in Place, the quoted words, and the whole paragraph or table row."""

    n: int
    lines: frozenset[int]
    sentence: str
    paragraph: str


@dataclass(frozen=True)
class Response:
    """An answer as it is scored. `status` is "answered", "refused" or "error"; `retrieved` best first."""

    text: str
    status: str
    citations: tuple[Cited, ...]
    retrieved: tuple[Place, ...]

    @property
    def failed(self) -> bool:
        """A crash, a timeout, nothing said."""
        return self.status == "error" or not self.text.strip()

    @property
    def refused(self) -> bool:
        return self.status == "refused" and not self.failed


# --- right or wrong


def is_right(question: Question, response: Response) -> bool:
    """The verdict: a question that the document does not answer is refused; any other is answered with one wording of
    every group of key points and nothing that no right answer holds."""
    if response.failed or not question.answerable:
        return not response.failed and response.refused
    unwanted = any(says(response.text, wording) for wording in question.must_not_include)
    return not response.refused and key_points(response.text, question) == 1 and not unwanted


def key_point_recall(question: Question, response: Response) -> float | None:
    """Share of the groups of key points of which the answer says one wording (nugget recall: Voorhees, TREC 2003
    Question Answering Track, with wordings fixed beforehand in place of an assessor)."""
    if not question.answerable:
        return None
    return 0.0 if response.failed or response.refused else key_points(response.text, question)


FAILURES = (
    "error",
    "missed refusal",
    "over-refusal",
    "retrieval miss",
    "partial",
    "wrong figure",
    "wrong sentence",
)


def failure(question: Question, response: Response) -> str | None:
    """Why a response is wrong, one of FAILURES, the first that holds; None where it is right.

    "retrieval miss": the evidence is not whole within the first ten passages and nothing right was said; "partial":
    some key points are said; "wrong figure": the evidence is cited, or another figure said in place of the one asked
    for; "wrong sentence": the evidence was found, and something else told.
    """
    if is_right(question, response):
        return None
    if response.failed:
        return "error"
    if not question.answerable:
        return "missed refusal"
    if response.refused:
        return "over-refusal"
    said = key_points(response.text, question)
    unwanted = [wording for wording in question.must_not_include if says(response.text, wording)]
    if not said and not recall_at(question, response.retrieved, DEPTH):
        return "retrieval miss"
    if 0 < said < 1:
        return "partial"
    cited = covered(question, [citation.lines for citation in response.citations])
    asked_for_figure = any(re.search(r"\d", wording) for group in question.must_include for wording in group)
    if any(re.search(r"\d", wording) for wording in unwanted) or (cited and asked_for_figure):
        return "wrong figure"
    return "wrong sentence"


# --- retrieval


def completed_at(question: Question, places: Sequence[Place]) -> int | None:
    """The rank, from 1, at which the evidence is whole: a line of every group found (see eval.dataset.covered); None
    where it never is."""
    lines = [place.lines for place in places]
    return next((rank for rank in range(1, len(lines) + 1) if covered(question, lines[:rank])), None)


def recall_at(question: Question, places: Sequence[Place], k: int) -> float:
    """1 where the first k passages hold the whole evidence, else 0 (success at k; an AND of OR groups)."""
    return float(covered(question, [place.lines for place in places[:k]]))


def reciprocal_rank(question: Question, places: Sequence[Place], k: int = DEPTH) -> float:
    """1 / the rank at which the evidence is whole, 0 beyond k (Voorhees, TREC-8 Question Answering Track, 1999)."""
    rank = completed_at(question, places[:k])
    return 1 / rank if rank else 0.0


def ndcg(question: Question, places: Sequence[Place], k: int = DEPTH) -> float:
    """Discounted gain of the groups of evidence over the best possible (Järvelin and Kekäläinen, ACM TOIS 20, 2002):
    a passage gains the number of groups that it is the first to hold, as in α-nDCG with α = 1 (Clarke et al., SIGIR
    2008), divided by log2(1 + rank). The best possible is a group at each rank; a passage that holds two at once may
    not score above 1."""
    groups = list(question.gold_lines)
    if len(groups) == 1:
        groups = [groups[0].union(*question.alt_gold_lines)]
    ideal = sum(1 / math.log2(1 + rank) for rank in range(1, min(len(groups), k) + 1))
    gain = 0.0
    for rank, place in enumerate(places[:k], 1):
        found = [group for group in groups if group & place.lines]
        gain += len(found) / math.log2(1 + rank)
        groups = [group for group in groups if group not in found]
    return min(1.0, gain / ideal)


def recall_within(question: Question, places: Sequence[Place], characters: int) -> float:
    """1 where the passages that fit whole into so many characters, taken in order, hold the whole evidence: what a
    reader of bounded context gets to see."""
    fitting = sum(total <= characters for total in accumulate(place.characters for place in places))
    return recall_at(question, places, fitting)


# --- figures

_MARK = re.compile(r"\s*\[(\d+)\]")
_FROM = re.compile(r"(?:比|较|同|与|由|从|自)$")
_NOT_NAME = re.compile(
    r"[^\u4e00-\u9fffA-Za-z]|年均/累计|达到?|实现|稳定在|保持在|控制在|左右|以[上下内]|不低于|不超过|超过|突破"
)
_BASIS = {
    "annual_average": re.compile(r"年均|每年|逐年|年增"),
    "cumulative": re.compile(r"累计|合计|总计|五年|〔"),
    "increase": re.compile(r"新增|新建|新改扩建|增加|净增|提高|提升|增长|再增|降低|下降|减少"),
    "growth": re.compile(r"增长|增速|增幅|下降|降低"),
}
_NOT_LEVEL = re.compile(r"年均|每年|累计|新增|净增|增加(?!值)|增长|增速|增幅|〔")
_FALLS = re.compile(r"下降|降低|减少|缩减|降幅")


@dataclass(frozen=True)
class Claim:
    """A figure that an answer states. `name`: the words that say what it is of, those of the figure before it where
    it has none (2020年14%，2025年14.2%); `lead`: the words of its sentence before it; `own`: those since the figure
    before; `year`: the last year named before it in its sentence, None where there is none."""

    figure: Figure
    name: str
    lead: str
    own: str
    year: int | None


def claims(text: str) -> tuple[Claim, ...]:
    """The figures that an answer states, years and marks aside, in order."""
    text = _MARK.sub("", text)
    found: list[Claim] = []
    for first, last in sentences(text):
        sentence = text[first:last]
        starts = [start for start, _ in clauses(sentence)]
        year: int | None = None
        since, name = 0, ""
        for figure in figures(sentence):
            before = sentence[: figure.start]
            if figure.kind == "year":
                if not _FROM.search(before):
                    year = int(figure.value if figure.value_max is None else figure.value_max)
                continue
            if figure.kind not in ("quantity", "ratio"):
                continue
            clause = max(start for start in (0, *starts) if start <= figure.start)
            own = sentence[max(since, clause) : figure.start]
            words = _NOT_NAME.sub("", re.sub(r"\d+年", "", own))
            name = words if len(words) > 1 else name
            found.append(Claim(figure, name, before, own, year))
            since = figure.end
    return tuple(found)


def expected(slots: Slots) -> Figure:
    """The figure of a question's slots. Raises ValueError where value and unit are none."""
    figure = cell_figure(slots.value, slots.unit)
    if figure is None:
        raise ValueError(f"no figure: {slots.value} {slots.unit}")
    return figure


def slot_faults(question: Question, slots: Slots, text: str) -> tuple[str, ...]:
    """What is wrong with the figure that an answer states: of "value" (with its unit), "year", "comparator", "basis",
    "direction", "conflict"; empty where the answer is target-exact.

    An answer need not repeat the year of its question, but may not name another. The comparator is that of the words
    around the figure (以上, 不低于, 左右). The basis shows in words before it: 年均, 累计, 新增, 增长; a level has none
    of them but those of its indicator's name. The direction is that of 增长 and 下降. It is a conflict where the answer
    gives the indicator another value for the same year and basis. Of several statements with the right value the one
    with fewest faults counts; where several figures are asked for, the faults of all are told.
    """
    parts = slots.parts
    golds = [expected(part) for part in parts]
    faults = [_faults_of_one(question, part, gold, golds, text) for part, gold in zip(parts, golds, strict=True)]
    return tuple(dict.fromkeys(fault for of_one in faults for fault in of_one))


def _faults_of_one(
    question: Question, slots: Slots, gold: Figure, golds: Sequence[Figure], text: str
) -> tuple[str, ...]:
    stated = claims(text)
    right = [claim for claim in stated if equal(claim.figure, gold)]
    if not right:
        return ("value",)
    best, faults = min(((claim, _faults(claim, question, slots)) for claim in right), key=lambda pair: len(pair[1]))
    rival = any(
        claim.figure.unit == gold.unit
        and not any(equal(claim.figure, other) for other in golds)
        and not {"year", "basis"} & set(_faults(claim, question, slots))
        and (claim.name == best.name or _names(claim.name, slots.indicator))
        for claim in stated
    )
    return (*faults, "conflict") if rival else faults


def _faults(claim: Claim, question: Question, slots: Slots) -> tuple[str, ...]:
    faults: list[str] = []
    if claim.year is not None and str(claim.year) != slots.year.split("-")[-1]:
        faults.append("year")
    if ("~" if claim.figure.approx else claim.figure.comparator) != slots.comparator:
        faults.append("comparator")
    if slots.basis == "level":
        named = set(_NOT_LEVEL.findall(slots.indicator))
        if not set(_NOT_LEVEL.findall(claim.own)) <= named:
            faults.append("basis")
    else:
        if not _BASIS[slots.basis].search(claim.lead) and claim.figure.unit != "百分点":
            faults.append("basis")
        if bool(_FALLS.search(claim.lead)) != bool(_FALLS.search(slots.indicator + question.answer)):
            faults.append("direction")
    return tuple(faults)


def _names(name: str, indicator: str) -> bool:
    wanted = set(bigrams(indicator))
    return bool(wanted) and len(wanted & set(bigrams(name))) / len(wanted) >= SAME_NAME


def target_exact(question: Question, response: Response) -> float | None:
    """1 where the answer states the figure asked for, right in value, unit, year, comparator, basis and direction, and
    no other for it (see `slot_faults`); None for a question without slots."""
    if question.slots is None:
        return None
    if response.failed or response.refused:
        return 0.0
    return float(not slot_faults(question, question.slots, response.text))


def wrong_number(question: Question, response: Response) -> float | None:
    """1 where the answer to a question about one figure states figures and not the right one, or a second value beside
    it; 0 for a refusal. The worst that can befall: a wrong number that looks like an answer."""
    if question.slots is None:
        return None
    if response.failed or response.refused or not claims(response.text):
        return 0.0
    return float(bool({"value", "conflict"} & set(slot_faults(question, question.slots, response.text))))


# --- citations


@dataclass(frozen=True)
class Said:
    """A statement of an answer without its marks, and the marks it rests on."""

    text: str
    marks: tuple[int, ...]


def statements(text: str) -> tuple[Said, ...]:
    """The statements of an answer: its sentences. One without marks rests on the next marks of its line, as two quoted
    sentences share the mark behind them; words that only lead in (以下几项：) are no statement."""
    moved = re.sub(r"([。！？!?；;]+[”」』）)]?)((?:\s*\[\d+\])+)", r"\2\1", text)
    found: list[Said] = []
    for line in moved.split("\n"):
        following: tuple[int, ...] = ()
        of_line: list[Said] = []
        for start, end in reversed(sentences(line)):
            following = tuple(int(mark) for mark in _MARK.findall(line[start:end])) or following
            words = _MARK.sub("", line[start:end]).strip()
            if words and not (words.endswith(("：", ":")) and not figures(words)):
                of_line.append(Said(words, following))
        found += reversed(of_line)
    return tuple(found)


def supports(source: str, statement: str) -> bool:
    """Whether a source bears a statement out: it holds every figure of it, equal in value and unit, and SAME_WORDS of
    its character bigrams. It stands where ALCE asks a model of entailment; being exact about figures and blind to
    negation, it suits answers that quote."""
    held = figures(source)
    if not all(any(equal(figure, other) for other in held) for figure in figures(statement)):
        return False
    wanted = set(bigrams(statement))
    return not wanted or len(wanted & set(bigrams(source))) / len(wanted) >= SAME_WORDS


def citation_recall(response: Response, source: Callable[[Cited], str]) -> float | None:
    """Share of an answer's statements that what they cite, taken together, supports (ALCE: Gao et al., EMNLP 2023,
    section 4.3). `source` chooses the quoted sentence or the whole paragraph. None for a refusal."""
    if response.refused:
        return None
    said = statements(response.text)
    if response.failed or not said:
        return 0.0
    return sum(_borne_out(one, _sources(one, response, source)) for one in said) / len(said)


def citation_precision(response: Response, source: Callable[[Cited], str]) -> float | None:
    """Share of an answer's marks that are needed (ALCE, section 4.3): what the statement cites supports it, and this
    mark supports it alone, or the others do not without it. A mark that names no citation, and one given twice for a
    statement, count as not needed; an answer without marks has 0. None for a refusal."""
    if response.refused:
        return None
    needed = given = 0
    for one in [] if response.failed else statements(response.text):
        sources = _sources(one, response, source)
        given += len(one.marks)
        if not _borne_out(one, sources):
            continue
        for mark, text in sources.items():
            others = [other for number, other in sources.items() if number != mark]
            needed += supports(text, one.text) or not supports("\n".join(others), one.text)
    return needed / given if given else 0.0


def _sources(said: Said, response: Response, source: Callable[[Cited], str]) -> dict[int, str]:
    texts = {citation.n: source(citation) for citation in response.citations}
    return {mark: texts[mark] for mark in said.marks if mark in texts}


def _borne_out(said: Said, sources: Mapping[int, str]) -> bool:
    return bool(sources) and supports("\n".join(sources.values()), said.text)


def evidence_recall(question: Question, response: Response) -> float | None:
    """Share of the groups of evidence of which an answer cites a line; None for a refusal, or where there is none."""
    if response.refused or not question.answerable:
        return None
    places = [citation.lines for citation in response.citations]
    hit = [any(group & place for place in places) for group in question.gold_lines]
    return 1.0 if covered(question, places) else sum(hit) / len(hit)


def evidence_precision(question: Question, response: Response) -> float | None:
    """Share of an answer's citations that are of a line of the evidence, 0 without citations; None as above."""
    if response.refused or not question.answerable:
        return None
    places = [citation.lines for citation in response.citations]
    return sum(bool(question.evidence & place) for place in places) / len(places) if places else 0.0


# --- all of one question


def scores(question: Question, response: Response) -> dict[str, float | None]:
    """Every metric of one question by its name."""
    ranked: dict[str, float | None] = dict.fromkeys(RANKED)
    if question.answerable:
        places = response.retrieved
        ranked = {
            "recall@1": recall_at(question, places, 1),
            "recall@5": recall_at(question, places, 5),
            "recall@10": recall_at(question, places, 10),
            "mrr@10": reciprocal_rank(question, places),
            "ndcg@10": ndcg(question, places),
            "recall_1000_characters": recall_within(question, places, 1000),
            "recall_2000_characters": recall_within(question, places, 2000),
        }
    return {
        "accuracy": float(is_right(question, response)),
        "target_exact": target_exact(question, response),
        "wrong_number": wrong_number(question, response),
        "key_point_recall": key_point_recall(question, response),
        "refusal": float(response.refused != question.answerable and not response.failed),
        **ranked,
        "citation_recall_sentence": citation_recall(response, lambda cited: cited.sentence),
        "citation_precision_sentence": citation_precision(response, lambda cited: cited.sentence),
        "citation_recall_paragraph": citation_recall(response, lambda cited: cited.paragraph),
        "citation_precision_paragraph": citation_precision(response, lambda cited: cited.paragraph),
        "evidence_recall": evidence_recall(question, response),
        "evidence_precision": evidence_precision(question, response),
    }


RANKED = (
    "recall@1",
    "recall@5",
    "recall@10",
    "mrr@10",
    "ndcg@10",
    "recall_1000_characters",
    "recall_2000_characters",
)


# --- all of a run


@dataclass(frozen=True)
class Scored:
    """A question with its response's scores, and what a metric of the whole run needs besides."""

    question: Question
    refused: bool
    scores: Mapping[str, float | None]
    rank: int | None  # at which the evidence is whole


@dataclass(frozen=True)
class Ratio:
    """A figure of a run as a sum over a sum: a numerator, a denominator and a family for each question (or family) that
    it is taken over. A mean has denominators of 1."""

    numerators: tuple[float, ...]
    denominators: tuple[float, ...]
    families: tuple[str, ...]

    @property
    def value(self) -> float | None:
        below = math.fsum(self.denominators)
        return math.fsum(self.numerators) / below if below else None

    @property
    def n(self) -> int:
        """Over how many it is taken."""
        return sum(1 for below in self.denominators if below)


def ratios(scored: Sequence[Scored]) -> dict[str, Ratio]:
    """Every figure of a run by its name: the mean of each score, and

    refusal_precision, refusal_recall, refusal_f1   of refusing the questions that the document does not answer (van
        Rijsbergen, Information Retrieval, 1979), from the status; F1 = 2 TP / (refused + to be refused)
    over_refusal   share of the answerable questions refused
    consistency    share of the families asked in several wordings of which every wording is answered right
    rank_spread    how far the ranks at which the evidence is whole lie apart in such a family, in ranks, a rank beyond
        ten counting as eleven
    """
    names = dict.fromkeys(name for one in scored for name in one.scores)
    found: dict[str, Ratio] = {}
    for name in names:
        held = [(one.question.family, value) for one in scored if (value := one.scores.get(name)) is not None]
        found[name] = _ratio((family, value, 1.0) for family, value in held)
    to_refuse = [not one.question.answerable for one in scored]
    both = [float(one.refused and wanted) for one, wanted in zip(scored, to_refuse, strict=True)]
    families = [one.question.family for one in scored]
    refused = [float(one.refused) for one in scored]
    wanted = [float(to) for to in to_refuse]
    found["refusal_precision"] = _ratio(zip(families, both, refused, strict=True))
    found["refusal_recall"] = _ratio(zip(families, both, wanted, strict=True))
    found["refusal_f1"] = _ratio(
        (family, 2 * hit, said + to) for family, hit, said, to in zip(families, both, refused, wanted, strict=True)
    )
    found["over_refusal"] = _ratio(
        (one.question.family, float(one.refused), 1.0) for one in scored if one.question.answerable
    )
    return found | _of_families(scored)


def _of_families(scored: Iterable[Scored]) -> dict[str, Ratio]:
    members: dict[str, list[Scored]] = {}
    for one in scored:
        members.setdefault(one.question.family, []).append(one)
    several = {family: held for family, held in members.items() if len(held) > 1}
    ranks = {
        family: [min(one.rank or DEPTH + 1, DEPTH + 1) for one in held]
        for family, held in several.items()
        if held[0].question.answerable
    }
    return {
        "consistency": _ratio(
            (family, float(all(one.scores["accuracy"] == 1 for one in held)), 1.0) for family, held in several.items()
        ),
        "rank_spread": _ratio((family, float(max(of) - min(of)), 1.0) for family, of in ranks.items()),
    }


def _ratio(rows: Iterable[tuple[str, float, float]]) -> Ratio:
    held = list(rows)
    return Ratio(
        numerators=tuple(above for _, above, _ in held),
        denominators=tuple(below for _, _, below in held),
        families=tuple(family for family, _, _ in held),
    )
