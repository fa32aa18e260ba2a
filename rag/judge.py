"""Evidence -> verdict: do the documents answer the question as it is asked?

Gradient-boosted trees over what speaks for and against the best evidence, fitted on the questions for fitting
(rag/weights.json, made by `python -m eval fit`): whether years, places, kinds of detail and figures agree, how well the
words are met, how far the best evidence stands above the next, and what kind of thing is asked for.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.figures import Figure, amounts, equal, figures
from index.keyword import fold
from rag.align import Aligner
from rag.alone import fits, of_measure, of_year, told_in
from rag.kinds import KINDS, kinds_missing
from rag.phrase import row_of, row_words, said_by
from rag.types import Evidence, Query
from rag.understand import WHOLE, WIDER

CARRIED = (
    "characters", "bigrams", "words", "lexicon", "around", "cosine", "met", "met_around", "lacking", "lacking_share",
    "no_figure", "no_unit", "year_other", "past_for_plan", "plan_for_past", "place_near", "place_missing",
    "kind_missing", "row", "item", "length", "passage",
)  # fmt: skip
LIKEST = {"asked": "cosine", "asked_met": "met", "asked_words": "bigrams"}
FEATURES = (
    *CARRIED,  # of the best evidence, see rag.select
    *LIKEST,  # how like the question a prepared question for it is, or it is itself
    "best_cosine",  # the same of the best of the NEAR pieces of evidence
    "best_met",
    "best_characters",
    "least_lacking",
    "passage_lacks_kind",  # a kind of detail that is asked for is nowhere in the passage
    "passage_no_figure",  # a figure is wanted and there is none in the passage
    "premise",  # the question names a figure that the passage does not hold
    "named",  # a figure is wanted: how far the name of the one most likely meant is met by the question
    "named_asked",  # … and the question by that name
    "named_bigrams",  # … bigrams of the name that the question holds
    "measure",  # the question says what is measured (产值, 覆盖率), and the evidence does not
    "scope",  # it asks of a wider region (全国, 自治区) of which the passage does not speak
    "undone",  # it asks of something given up (取消, 推迟) of which the passage knows nothing
    "other_name",  # what it names ends as something in the evidence does and begins otherwise (登记/调查失业率)
    "score",  # of the best evidence
    "margin",  # to the best evidence of another passage
    "chance",  # the share of the softmax over all evidence that falls on the best
    "doubt",  # … and its entropy
    "wants_figure",
    "wants_list",
    "wants_choice",
    "asks_why",
    "asks_how",
    "names_year",
    "names_place",
    "kinds",  # how many kinds of detail it asks for
    "question_words",
    "question_length",
    "intent",  # what its words alone let expect: plans seldom say how to apply for something
)
NEAR = 5  # pieces of evidence that are looked at together: a figure of the question may stand in any of them
PER_HOW_MANY = frozenset({1, 10, 100, 1000, 10000})
DURATIONS = ("年", "个月", "天")
FEW = 20  # up to which a Chinese numeral counts the things asked for (哪四样) and states nothing
BEGINNING, ENDING = 2, 3  # characters of the two parts of a name that are compared
_UNDONE = re.compile(r"取消|废止|停办|停建|推迟|延期|撤销|暂停|下调|调低|改成|改为|换成|缩减|砍掉|叫停")
_HAN = re.compile("[\u3400-\u9fff]+")
_PARTICLE = re.compile("[的地得了着过是有在和与及到要想个几一年月日每各全]")  # no part of a name
_CHINESE = re.compile("[一二三四五六七八九十两]")
_MEASURE = re.compile(
    "增加值|总产值|产值|面积|产量|存栏|出栏|里程|人数|收入|支出|投资|产能|装机|系数|强度|寿命|年限|人口|利润|税收|总值|单产|床位|"
    "余额|贷款|存款|库容|[一-鿿]{2}率"
)
_WHY = re.compile(r"为什么|为啥|为何|凭啥|凭什么")
_HOW = re.compile(r"怎么|咋|如何|怎样")
LISTED = frozenset("个家种条类项处座所位名件张台套支次大级")  # units in which things of a list are counted
LISTED_AT_MOST = 20
# Kindred measures: a figure of one is never that of another (装备制造业增加值 where the text has its 产值).
_KINDRED = tuple(
    tuple(re.compile(measure) for measure in measures)
    for measures in (
        ("增加值", "产值"),
        ("存栏", "出栏"),
        ("登记失业", "调查失业"),
        ("第一产业|一产(?!二)", "第二产业|(?<!一)二产", "第三产业|(?<!二)三产|服务业"),
        ("城镇居民|城市居民", "农村居民|农牧民|农民(?!工|合作|专业)"),
        ("(?<!出)进口", "(?<!进)出口(?!.{0,2}个)"),
        ("户籍人口", "常住人口"),
        ("预算收入", "预算支出"),
        ("比重|占比|比例", "增速|增长率"),
    )
)
# 居全省第二位, 占全国比重 say something of the plan's own region.
_RANKED = re.compile(
    rf"(?:均?[居占在]|走在|位[居列])(?:{WHOLE})(?:和(?:{WHOLE}))?"
    r"(?:第|前列|领先|首|[^，,。；;]{0,8}(?:比重|份额))"
)
_PER_HEAD = re.compile("人均|每.{0,2}人|居民|寿命|年限")
# What a person needs for an affair of their own: where to go, what to bring, what they get.
_OWN_AFFAIR = re.compile(
    r"(?:丢|忘|找不着)了|(?:咋|怎么|如何)能?(?:办下来|办理|申请|申领|报名|登记|注册|报销|找回|取出来|补办|认定)|"
    r"(?:咋|怎么|如何)开(?![\u3400-\u9fff])|"
    r"(?:要|得|需要?|须)(?:带|提交|准备|备齐)(?:啥|什么|哪些)|(?:去|到)哪[里儿个]?[补批办领]|"
    r"(?:我|俺)(?:该|要|能|可以)?(?:找|去|到)(?:谁|哪)|"
    r"找(?:谁|哪个?(?:部门|单位))(?:赔|举报|投诉|告)|打(?:啥|哪个|什么)(?:号|电话|热线)|满足(?:哪几条|什么条件|哪些条件)|得过哪几门"
)
_OWN_SUM = re.compile(r"一[个笔亩头只户](?:项目|月|[\u3400-\u9fff]{0,2}能)?(?:领|借|补|给)(?:多少|几)")
_TELLS_HOW = re.compile(f"{KINDS['procedure'][1].pattern}|条件|电话|热线|赔偿")
_WHY_UNDONE = re.compile(
    r"(?:为什么|为啥|为何|咋|怎么)(?:就|又|会|要)?(?:不[修建搞办干做][了勒啦]|黄[了勒]|停|取消|砍|撤)"
)
_TELLS_UNDONE = re.compile(f"{_UNDONE.pattern}|[不停缓撤]")
SURE_OF_ANOTHER = 0.85  # the estimate from which a figure is told under another name than that asked for
LITTLE = 0.3  # share of a question's words, or the official ones, in evidence that says little of its subject …
MORE = 0.3  # … and by how much more of them evidence for another year says
UNLIKE = 0.4  # cosine below which a text of other words is not about the question
FAR, FAR_WORDS = 0.42, 0.1  # cosine, and share of the question's words, below which a text is not near it
CERTAIN = 0.95  # confidence of a refusal that follows from a rule


@dataclass(frozen=True)
class Verdict:
    """`answerable` in [0, 1]: estimated probability that the documents answer the question; `confidence` in [0, 1]:
    that what is said is right, the best evidence or the refusal. `objection` names what speaks against the best
    evidence: "year", "place", "detail", "measure", "premise", "nothing" or ""; `missing` are the kinds of detail or the
    figure's words that it lacks."""

    answerable: float
    answered: bool
    confidence: float
    objection: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """A node of a tree: go to node `low` where the feature is at most `threshold`, else to node `high`; a leaf has no
    feature and adds `value`."""

    feature: str
    threshold: float
    low: int
    high: int
    value: float


@dataclass(frozen=True)
class Boosted:
    """Gradient-boosted trees (Friedman 2001): the log-odds are `bias` and the leaves reached, summed."""

    bias: float
    trees: tuple[tuple[Split, ...], ...]

    def probability(self, features: Mapping[str, float]) -> float:
        return 1 / (1 + math.exp(-self.log_odds(features)))

    def log_odds(self, features: Mapping[str, float]) -> float:
        nodes = self._nodes
        told = np.array([0.0, *(features[name] for name in nodes.names)])[nodes.feature]
        following = np.where(told <= nodes.threshold, nodes.low, nodes.high)
        at = nodes.roots
        while not np.array_equal(at, after := following[at]):
            at = after
        return float(sum(nodes.value[at].tolist(), self.bias))

    @cached_property
    def _nodes(self) -> _Nodes:
        every = [node for tree in self.trees for node in tree]
        sizes = np.array([len(tree) for tree in self.trees], dtype=np.intp)
        roots = np.cumsum(sizes) - sizes
        begin = np.repeat(roots, sizes)
        names = list(dict.fromkeys(node.feature for node in every if node.feature))
        place = {name: number for number, name in enumerate(names, 1)}
        leaf = np.array([not node.feature for node in every], dtype=np.bool_)
        own = np.arange(len(every))
        return _Nodes(
            names,
            np.array([place.get(node.feature, 0) for node in every], dtype=np.intp),
            np.array([node.threshold for node in every]),
            np.where(leaf, own, begin + np.array([node.low for node in every], dtype=np.intp)),
            np.where(leaf, own, begin + np.array([node.high for node in every], dtype=np.intp)),
            np.array([node.value for node in every]),
            roots,
        )


class _Nodes(NamedTuple):
    """The nodes of all trees one after the other: the place of each one's feature among `names`, from 1 (0: a leaf),
    and where it leads to, a leaf to itself. `roots`: where each tree begins."""

    names: list[str]
    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    value: NDArray[np.float64]
    roots: NDArray[np.intp]


@dataclass(frozen=True)
class Judge:
    """Callable: (query, evidence) -> verdict.

    `answerable` and `right` estimate whether the documents answer, and whether the best evidence is the right one;
    `intent` (dimension,) weighs the words of a question. A question is refused where the first estimate is below
    `threshold`, and always where it rests on a figure that nothing found holds: to answer would be to confirm it.
    """

    answerable: Boosted
    right: Boosted
    intent: NDArray[np.float32]
    aligner: Aligner
    threshold: float

    def __call__(self, query: Query, evidence: Sequence[Evidence]) -> Verdict:
        if (ruled := ruled_out(query, evidence)) is not None:
            return ruled
        features = features_of(query, evidence, self.aligner) | {"intent": self.intent_of(query)}
        answerable = round(self.answerable.probability(features), 4)
        answered = answerable >= self.threshold
        if answered and answerable < SURE_OF_ANOTHER and other_figure(query, evidence[0]):
            return Verdict(0.0, False, CERTAIN, "measure")
        confidence = round(self.right.probability(features), 4) if answered else round(1 - answerable, 4)
        objection, missing = _objection(query, evidence, features)
        return Verdict(answerable, answered, confidence, objection, missing)

    def intent_of(self, query: Query) -> float:
        return float(self.aligner.mean(query.text) @ self.intent)


def ruled_out(query: Query, evidence: Sequence[Evidence]) -> Verdict | None:
    """The refusal of a question that is refused by a rule, whatever is estimated; None for any other. (One rule more
    needs the estimate: a figure of another name is told only where it is sure.)"""
    if not evidence or unrelated(evidence[0]):
        return Verdict(0.0, False, CERTAIN, "nothing")
    if supposed := unfounded(query, evidence):
        return Verdict(0.0, False, CERTAIN, "premise", supposed)
    passage = _RANKED.sub("", passage_text(evidence[0]))
    if query.elsewhere and not any(name in passage for name in query.elsewhere):
        return Verdict(0.0, False, CERTAIN, "place", query.elsewhere)
    if another_measure(query, evidence[0]):
        return Verdict(0.0, False, CERTAIN, "measure")
    if (lacking := off_the_matter(query, evidence[0])) is not None:
        return Verdict(0.0, False, CERTAIN, *lacking)
    if told_for_another_year(query, evidence) is not None:
        return Verdict(0.0, False, CERTAIN, "year")
    return None


def unrelated(evidence: Evidence) -> bool:
    """Whether evidence shares no word with the question, nor an official one for it, and is not like it either."""
    features = evidence.features
    shared = any(features[name] for name in ("characters", "bigrams", "lexicon"))
    return not shared and features["cosine"] + features["asked"] < UNLIKE


def far(evidence: Evidence) -> bool:
    """Whether evidence is too far from the question to be named as the nearest that the documents say."""
    return _told(evidence) < FAR_WORDS and evidence.features["cosine"] < FAR


def read_model(trees: Sequence[Sequence[Sequence[Any]]], bias: float) -> Boosted:
    """A model from its JSON form: each node [feature, threshold, low, high, value]."""
    return Boosted(bias, tuple(tuple(Split(*node) for node in tree) for tree in trees))


def features_of(query: Query, evidence: Sequence[Evidence], aligner: Aligner) -> dict[str, float]:
    """What speaks for and against an answer, by FEATURES, but for the intent."""
    best, near = evidence[0], evidence[:NEAR]
    rival = next((other.score for other in evidence if other.passage.rank != best.passage.rank), best.score)
    shares = np.exp(np.array([one.score for one in evidence]) - best.score)
    shares /= shares.sum()
    said, passage = fold(said_by(best)), passage_text(best)
    values = {name: best.features[name] for name in CARRIED}
    values |= {name: best.features[name] + best.features[own] for name, own in LIKEST.items()}
    return values | {
        "best_cosine": max(one.features["cosine"] for one in near),
        "best_met": max(one.features["met"] for one in near),
        "best_characters": max(one.features["characters"] for one in near),
        "least_lacking": min(one.features["lacking"] for one in near),
        "passage_lacks_kind": float(bool(kinds_missing(query.kinds, passage))),
        "passage_no_figure": float(query.want == "figure" and not amounts(passage)),
        "premise": float(bool(unfounded(query, evidence[:NEAR]))),
        **fit_of_name(query, best, aligner),
        "measure": float(any(word not in said for word in _MEASURE.findall(query.core))),
        "scope": float(any(not WIDER[level].search(passage) for level in query.wider)),
        "undone": float(any(word not in passage for word in _UNDONE.findall(query.text))),
        "other_name": float(other_name(query.core, best)),
        "score": best.score,
        "margin": best.score - rival,
        "chance": float(shares[0]),
        "doubt": float(-(shares * np.log(shares + 1e-12)).sum()),
        "wants_figure": float(query.want == "figure"),
        "wants_list": float(query.want == "list"),
        "wants_choice": float(query.want == "choice"),
        "asks_why": float(bool(_WHY.search(query.text))),
        "asks_how": float(bool(_HOW.search(query.text))),
        "names_year": float(bool(query.years)),
        "names_place": float(bool(query.places)),
        "kinds": float(len(query.kinds)),
        "question_words": float(len(aligner.question(query.core).shares)),
        "question_length": float(len(query.core)),
    }


def fit_of_name(query: Query, evidence: Evidence, aligner: Aligner) -> dict[str, float]:
    """How well the question and the name of the figure in a piece of evidence fit that is most likely meant; 0 where
    none is wanted or there is none."""
    names: list[str] = []
    if query.want == "figure" and evidence.passage.chunk.cells:
        names = [row_of(evidence.passage.chunk).name.text]
    elif query.want == "figure":
        names = [one.name for one in of_measure(query, of_year(query, told_in(evidence.text)))]
    best = max(fits(query, names, aligner), key=sum, default=(0.0, 0.0, 0.0, 0.0))
    return {"named_asked": best[0], "named": best[1], "named_bigrams": best[3]}


def passage_text(evidence: Evidence) -> str:
    """The titles above a piece of evidence and its whole passage, a row in words."""
    chunk = evidence.passage.chunk
    titles = " ".join(title.removeprefix("〔拟题〕") for title in chunk.section[-2:])
    return f"{titles} {chunk.text} {row_words(chunk) if chunk.cells else ''}"


def unfounded(query: Query, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Figures that the question states (从95%提到98%) and none of the passages holds. 每千人 and the like are no
    statement, nor is the number of things asked for (哪四种), nor 800多公里, which claims no exact figure."""
    stated = [f for f in figures(query.text) if f.kind == "quantity" and not f.approx]
    stated = [f for f in stated if f.unit or (f.value > 20 and f.text[0].isdecimal())]
    stated = [f for f in stated if f.value not in PER_HOW_MANY and f.unit not in DURATIONS]
    stated = [f for f in stated if f.value > FEW or not _CHINESE.match(f.text)]
    stated = [f for f in stated if f.unit not in LISTED or f.value > LISTED_AT_MOST]
    if query.want == "list":  # 产值超过100亿元的有哪些 asks by a bound and claims no figure
        stated = [f for f in stated if f.comparator == "="]
    if not stated:
        return ()
    texts = dict.fromkeys(passage_text(one) for one in evidence)
    held = [figure for text in texts for figure in figures(text)]
    return tuple(f.text for f in stated if not any(_same(f, other) for other in held))


def other_figure(query: Query, evidence: Evidence) -> bool:
    """Whether a figure is asked for, by a name that the evidence has with another beginning."""
    others = other_beginnings(query.core, evidence) if query.want == "figure" else iter(())
    return not all(_PARTICLE.search(one) for one in others)


def other_name(core: str, evidence: Evidence) -> bool:
    """Whether the question names a thing by the ending of one in the evidence, with another beginning that is nowhere
    in the passage: 登记失业率 where the evidence has 调查失业率."""
    return any(other_beginnings(core, evidence))


def other_beginnings(core: str, evidence: Evidence) -> Iterator[str]:
    """These beginnings, as they stand in the question."""
    said = fold(said_by(evidence))
    passage = fold(passage_text(evidence))
    for start in range(BEGINNING, len(core) - ENDING + 1):
        ending, beginning = core[start : start + ENDING], core[start - BEGINNING : start]
        if ending not in said:
            continue
        if not _HAN.fullmatch(beginning + ending) or beginning in passage:
            continue
        at = [m.start() for m in re.finditer(f"(?={re.escape(ending)})", said)]
        others = [said[position - 1] for position in at if position >= BEGINNING]
        if at and others and core[start - 1] not in others and all(_HAN.fullmatch(other) for other in others):
            yield beginning


def another_measure(query: Query, evidence: Evidence) -> bool:
    """Whether a question for a figure names one of several kindred measures and the evidence tells only another."""
    if query.want != "figure":
        return False
    said = said_by(evidence)
    if "人均" in query.text and not _PER_HEAD.search(said):
        return True
    for measures in _KINDRED:
        asked = [measure for measure in measures if measure.search(query.text)]
        told = [measure for measure in measures if measure.search(said)]
        if len(asked) == 1 and told and asked[0] not in told:
            return True
    return False


def off_the_matter(query: Query, evidence: Evidence) -> tuple[str, tuple[str, ...]] | None:
    """The objection to evidence that names the matter and says nothing of what is asked: how a person goes about an
    affair of their own, what they get, or why something was given up. None where there is none to make."""
    text = evidence.text
    if _OWN_AFFAIR.search(query.text) and not _TELLS_HOW.search(text):
        return "detail", ("procedure",)
    if _OWN_SUM.search(query.text) and kinds_missing(("money",), text):
        return "detail", ("money",)
    return ("", ()) if _WHY_UNDONE.search(query.text) and not _TELLS_UNDONE.search(text) else None


def told_for_another_year(query: Query, evidence: Sequence[Evidence]) -> Evidence | None:
    """Evidence that tells what is asked for, but of another year, where the best evidence has the year and hardly the
    subject: 2020年人均寿命 is no row of another indicator that has a value for 2020. None where that is not so."""
    best = evidence[0]
    if query.want != "figure" or not query.years or best.features["year_other"] or _told(best) >= LITTLE:
        return None
    others = [one for one in evidence[1:NEAR] if one.features["year_other"] >= 1 and _told(one) > _told(best) + MORE]
    others = [one for one in others if one.features["cosine"] > best.features["cosine"]]
    return max(others, key=_told, default=None)


def _told(evidence: Evidence) -> float:
    return evidence.features["bigrams"] + evidence.features["lexicon"]


def _same(a: Figure, b: Figure) -> bool:
    """Whether a figure of the question may be that of a source: people say 个 for 家, but not 吨 for 亩."""
    alike = a.unit == b.unit or not a.unit or (a.unit in LISTED and b.unit[:1] in LISTED)
    return equal(a, b) or (alike and a.value in (b.value, b.value_max))


def _objection(
    query: Query, evidence: Sequence[Evidence], features: Mapping[str, float]
) -> tuple[str, tuple[str, ...]]:
    best = evidence[0]
    if features["year_other"] >= 1:
        return "year", ()
    if features["place_missing"]:
        return "place", ()
    if features["premise"]:
        return "premise", unfounded(query, evidence[:NEAR])
    if missing := kinds_missing(query.kinds, passage_text(best)):
        return "detail", missing
    if features["no_figure"] and not query.kinds:
        return "detail", ("figure",)
    return ("year", ()) if features["year_other"] else ("", ())
