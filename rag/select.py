"""Passages -> evidence: which sentence, table row or item answers, and what speaks for and against it.

Every candidate gets a vector of features (FEATURES); its score is their weighted sum, the weights fitted on the
development questions (rag/weights.json, made by `python -m eval fit`). The same features decide refusal (rag/judge.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.build import indexed_text
from index.chunk import label_of
from index.embed import Embedder
from index.figures import amounts
from index.keyword import bigrams, characters
from index.period import COUNTED, Period, named_plans
from index.sentences import sentences
from index.store import Index
from index.types import Chunk
from rag.align import Aligner
from rag.bags import Bags, Numbers
from rag.kinds import kinds_missing
from rag.phrase import row_of, row_words
from rag.types import Evidence, Passage, Query

FEATURES = (
    "passage",  # fused score of the passage, relative to the best passage
    "characters",  # share of the question's characters found in the candidate, weighted by idf
    "bigrams",
    "words",
    "lexicon",  # the same for official words that the lexicon puts for the question's
    "around",  # share of its characters found in the candidate or the titles above it
    "passage_bigrams",  # share of its bigrams found in the whole passage or the titles above it
    "cosine",  # of the question's vector with the candidate's
    "whole",  # … and with that of its whole passage
    "met",  # how well the question's words are met by the candidate's, see rag.align
    "met_around",  # … by those of its whole passage and the titles above
    "lacking",  # how little the word of the question that its passage and titles meet least is met
    "lacking_share",  # the weight of the question's words that they hardly meet
    "asked",  # by how much a prepared question for it is more like the question than it is: cosine
    "asked_met",  # … words met
    "asked_words",  # … bigrams
    "figure",  # the question wants a figure and the candidate holds one
    "no_figure",  # it wants one and there is none
    "kind_missing",  # a kind of detail is asked for (a sum, a date) and the candidate holds none
    "unit",  # a figure in the unit asked for
    "no_unit",  # a unit is asked for and no figure has it
    "year",  # a year asked for stands in the candidate
    "year_near",  # … or before it in the paragraph, or is that of its table column
    "year_other",  # only other years stand there
    "past_for_plan",  # a look back for a question on the plan's time
    "plan_for_past",  # the plan's time for a question on the past
    "place",  # the place asked for stands in the candidate
    "place_near",  # … or in its paragraph or the titles above
    "place_missing",
    "enumeration",  # a list is wanted and the candidate enumerates
    "row",
    "item",
    "length",  # log of the candidate's length in characters, over 5
)

TERMS = ("characters", "bigrams", "words")
_COLUMN = {name: number for number, name in enumerate(FEATURES)}
# What a prepared question adds is measured against what the candidate's own words show, so that documents without
# prepared questions are ranked by the same weights.
_OWN = {"asked": "cosine", "asked_met": "met", "asked_words": "bigrams"}
_YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:\s*[-—–~至]\s*((?:19|20)\d\d))?(?=年|\s*[-—–~至]|[^\d.]|$)"
    rf"(?!{COUNTED})"
)
PREPARED_LIMIT = 20_000
HEAVY = 0.6  # of the mean weight of a question's words: what weighs less says nothing of the subject
HARDLY = 0.5  # cosine below which a word is hardly met
NEARLY, LEVEL = 1.0, 2.0  # log-odds
SHORTEST = 8  # characters of a sentence that says something

_BASELINE = re.compile(r"(?:比|较|由|从|与|自|相比)\s*(?:19|20)\d\d年")
_AHEAD = re.compile(r"到20\d\d年|力争|今后五年|未来五年|“?十[一二三四五六七八九]五”?(?:期间|时期|末)")
_SO_MANY = re.compile(
    r"[两二三四五六七八九十]{1,2}[大个条种类项座处支]?[\u3400-\u9fff]{2,6}?(?=分别|都|是|有|包|叫|指|[?？]|$)"
)
_GROWTH = re.compile(r"增长率?|增速|增幅")
_ASKS_GROWTH = re.compile(r"[增涨快升降减变]|百分|%|[几个]点|同比")
_ASKS_AHEAD = re.compile(
    r"目标|打算|计划|规划|力争|要(?!求)|将|准备|未来|以后|今后|十[一二三四五六七八九]五|定[在为了到]|达到多少"
)
_ASKS_BACK = re.compile(
    r"已经|目前|现在|现状|过去|以前|之前|当时|曾|达到了|完成了|实现了|了多少|[建投转脱修]了|上一个五年|前五年|前一轮|这几年"
)


@dataclass(frozen=True)
class Candidate:
    """A span of a chunk that may answer alone: the years named in it (`stated` without those that something is compared
    with: 比2015年增长) and before it in its paragraph, its figures as written, and where in the index its vector is and
    that of its whole chunk."""

    start: int
    end: int
    text: str
    years: frozenset[int]
    stated: frozenset[int]
    years_before: frozenset[int]
    figures: tuple[str, ...]
    key: int
    whole_key: int


@dataclass(frozen=True)
class Prepared:
    """A chunk made ready for comparison: what no question changes.

    `terms` holds for each of TERMS those of every candidate, `above` those of the titles above them, both by their
    numbers (Selector.numbered), `whole` the bigrams of the chunk and the titles; `words` are the words of every
    candidate for the aligner, `around` those of the whole chunk and the titles. `questions` are the numbers of its
    prepared questions in the index, `asked_words` their words for the aligner, `asked_bigrams` their bigrams by number;
    `answered` says of every candidate which of them it answers, counted from the first.
    """

    candidates: tuple[Candidate, ...]
    titles: str
    terms: Mapping[str, Bags]
    above: Mapping[str, Bags]
    whole: Bags
    words: Bags
    around: Bags
    questions: Numbers
    asked_words: Bags
    asked_bigrams: Bags
    answered: Bags


@dataclass(frozen=True)
class Selector:
    """Callable: (query, passages) -> evidence, best first.

    `weights` maps each of FEATURES to its weight. `period` is the period of the documents' plan, None where they state
    none or several.
    """

    index: Index
    embedder: Embedder
    aligner: Aligner
    weights: Mapping[str, float]
    period: Period | None = None
    _back: frozenset[str] = field(init=False, repr=False)
    _position: dict[str, int] = field(init=False, repr=False)
    _prepared: dict[str, Prepared] = field(init=False, repr=False)
    _numbers: dict[str, dict[str, int]] = field(init=False, repr=False)
    _next: dict[str, Iterator[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_back", looking_back(self.index.chunks, self.period))
        object.__setattr__(self, "_position", {chunk.id: i for i, chunk in enumerate(self.index.chunks)})
        object.__setattr__(self, "_prepared", {})
        object.__setattr__(self, "_numbers", {kind: {} for kind in TERMS})
        object.__setattr__(self, "_next", {kind: count() for kind in TERMS})

    def __call__(self, query: Query, passages: Sequence[Passage]) -> tuple[Evidence, ...]:
        if not passages:
            return ()
        asked = _Asked.of(query, self.index, self.embedder, self.period)
        prepared = [self.prepared(passage.chunk) for passage in passages]
        pairs = [(p, candidate) for p, made in zip(passages, prepared, strict=True) for candidate in made.candidates]
        features = self._features(asked, passages, prepared)
        # Added up in one order, whatever stands beside it: equal candidates score equally to the last digit.
        scores = np.add.accumulate(features * [self.weights.get(name, 0.0) for name in FEATURES], axis=1)[:, -1]
        found = [
            Evidence(
                passage,
                candidate.start,
                candidate.end,
                score,
                candidate.stated or candidate.years_before or self._implied(passage.chunk),
                dict(zip(FEATURES, values, strict=True)),
            )
            for (passage, candidate), score, values in zip(pairs, scores.tolist(), features.tolist(), strict=True)
        ]
        return tuple(sorted(found, key=lambda evidence: (-evidence.score, evidence.passage.rank, evidence.start)))

    # --- what no question changes

    def prepared(self, chunk: Chunk) -> Prepared:
        """A chunk made ready, kept once made: a question meets mostly passages that others met before."""
        found = self._prepared.get(chunk.id)
        if found is None:
            if len(self._prepared) > PREPARED_LIMIT:
                self._prepared.clear()
            found = self._prepared[chunk.id] = self._prepare(chunk)
        return found

    def numbered(self, kind: str, terms: Iterable[str]) -> Numbers:
        """Numbers of distinct terms, by which they are compared; new ones for those that are met first."""
        known = self._numbers[kind]
        distinct = dict.fromkeys(terms)
        for term in distinct:
            if term not in known:
                known.setdefault(term, next(self._next[kind]))  # two threads may meet it at once
        return np.array([known[term] for term in distinct], dtype=np.int32)

    def _prepare(self, chunk: Chunk) -> Prepared:
        position = self._position[chunk.id]
        label = label_of(chunk)
        titles = "".join([*(title.removeprefix("〔拟题〕") for title in chunk.section[-2:]), label])
        candidates = tuple(self._candidates(chunk))
        texts = [candidate.text for candidate in candidates]
        whole = indexed_text(chunk)
        begin, until = (int(at) for at in np.searchsorted(self.index.question_chunks, [position, position + 1]))
        questions = self.index.questions[begin:until]
        return Prepared(
            candidates,
            titles,
            {kind: Bags.of([self.numbered(kind, cut(text)) for text in texts]) for kind, cut in self._cuts.items()},
            {kind: Bags.of([self.numbered(kind, self._cuts[kind](titles))]) for kind in ("characters", "bigrams")},
            Bags.of([self.numbered("bigrams", bigrams(f"{titles}\n{chunk.text}"))]),
            Bags.of(self.aligner.ids([whole if chunk.cells else f"{label} {text}" for text in texts])),
            Bags.of(self.aligner.ids([whole])),
            np.arange(begin, until, dtype=np.int32),
            Bags.of(self.aligner.ids([question.text for question in questions])),
            Bags.of([self.numbered("bigrams", bigrams(question.text)) for question in questions]),
            Bags.of(
                [
                    np.array([n for n, q in enumerate(questions) if q.start < one.end and one.start < q.end], np.int32)
                    for one in candidates
                ]
            ),
        )

    @property
    def _cuts(self) -> dict[str, Callable[[str], list[str]]]:
        return dict(zip(TERMS, (characters, bigrams, self.index.segmenter.words), strict=True))

    def _candidates(self, chunk: Chunk) -> Iterator[Candidate]:
        position = self._position[chunk.id]
        first, last = (int(key) for key in np.searchsorted(self.index.keys.chunk, [position, position + 1]))
        every = sentences(chunk.text)
        for start, end in spans_of(chunk):
            text = row_words(chunk) if chunk.cells else chunk.text[start:end]
            yield Candidate(
                start,
                end,
                text,
                row_years(chunk) if chunk.cells else years_in(text),
                row_years(chunk) if chunk.cells else years_in(_BASELINE.sub("", text)),
                frozenset() if chunk.cells else years_in(chunk.text[:start]),
                tuple(figure.text for figure in amounts(text)),
                first + (every.index((start, end)) + 1 if last - first > 1 else 0),
                first,
            )

    # --- what a question makes of it

    def _features(
        self, asked: _Asked, passages: Sequence[Passage], prepared: Sequence[Prepared]
    ) -> NDArray[np.float64]:
        """(n_candidates, n_features), in the order of FEATURES."""
        of_passage = np.repeat(np.arange(len(passages)), [len(one.candidates) for one in prepared])
        candidates = [candidate for one in prepared for candidate in one.candidates]
        top = max(passages[0].score, 1e-9)
        vectors = self.index.vector_matrix
        columns: dict[str, NDArray[Any]] = {
            "passage": np.array([passage.score / top for passage in passages])[of_passage],
            "cosine": _cosines(vectors[[candidate.key for candidate in candidates]], asked.vector),
            "whole": _cosines(vectors[[candidate.whole_key for candidate in candidates]], asked.vector),
            **self._shares(asked, prepared, of_passage),
            **self._met(asked, prepared, of_passage),
        }
        for name, best in self._likeness(asked.query, prepared).items():
            columns[name] = np.maximum(0.0, best - columns[_OWN[name]])
        values = np.zeros((len(candidates), len(FEATURES)))
        for name, column in columns.items():
            values[:, _COLUMN[name]] = column
        for row, (place, candidate) in enumerate(zip(of_passage.tolist(), candidates, strict=True)):
            for name, value in self._signs(asked, passages[place].chunk, prepared[place].titles, candidate).items():
                values[row, _COLUMN[name]] = value
        return values

    def _shares(
        self, asked: _Asked, prepared: Sequence[Prepared], of_passage: NDArray[np.intp]
    ) -> dict[str, NDArray[np.float64]]:
        """How much of what is asked for stands in each candidate, by the names of the features."""
        terms = {kind: Bags.joined([one.terms[kind] for one in prepared]) for kind in TERMS}
        above = {kind: Bags.joined([one.above[kind] for one in prepared]) for kind in ("characters", "bigrams")}
        in_characters = self._held("characters", asked.characters, terms["characters"])
        around = in_characters | self._held("characters", asked.characters, above["characters"])[:, of_passage]
        official = self._held("bigrams", asked.lexicon, terms["bigrams"])
        official |= self._held("bigrams", asked.lexicon, above["bigrams"])[:, of_passage]
        whole = self._held("bigrams", asked.bigrams, Bags.joined([one.whole for one in prepared]))
        return {
            "characters": _share(asked.characters, in_characters),
            "bigrams": _share(asked.bigrams, self._held("bigrams", asked.bigrams, terms["bigrams"])),
            "words": _share(asked.words, self._held("words", asked.words, terms["words"])),
            "lexicon": _share(asked.lexicon, official),
            "around": _share(asked.characters, around),
            "passage_bigrams": _share(asked.bigrams, whole)[of_passage],
        }

    def _held(self, kind: str, terms: Iterable[str], bags: Bags) -> NDArray[np.bool_]:
        """(n_terms, n_bags): which bag holds which of the terms."""
        known = self._numbers[kind]
        numbers = np.array([known.get(term, -1) for term in terms], dtype=np.int32)  # -1: in no chunk met so far
        found = np.zeros((len(numbers), len(bags.sizes)), dtype=np.bool_)
        found[numbers >= 0] = bags.holding(numbers[numbers >= 0])
        return found

    def _met(
        self, asked: _Asked, prepared: Sequence[Prepared], of_passage: NDArray[np.intp]
    ) -> dict[str, NDArray[np.float32]]:
        """How well each candidate, and each passage with its titles, meets the question's words."""
        words = self.aligner.question(asked.query.core)
        texts = Bags.joined([*(one.words for one in prepared), *(one.around for one in prepared)])
        met, around = np.split(self.aligner.met(words, texts), [len(of_passage)], axis=1)
        heavy = words.shares * len(words.shares) >= HEAVY
        lacking = (1 - around[heavy]).max(axis=0, initial=0.0)
        return {
            "met": words.share(met),
            "met_around": words.share(around)[of_passage],
            "lacking": lacking[of_passage],
            "lacking_share": words.share(around < HARDLY)[of_passage],
        }

    def _likeness(self, query: Query, prepared: Sequence[Prepared]) -> dict[str, NDArray[np.float32]]:
        """By the names of _OWN, how like the question the prepared question for each candidate is that is most like it;
        0 where there is none."""
        numbers = np.concatenate([one.questions for one in prepared])
        words = self.aligner.question(query.text)
        met = self.aligner.met(words, Bags.joined([one.asked_words for one in prepared]))
        pairs = Bags.joined([one.asked_bigrams for one in prepared])
        asked = set(bigrams(query.text))
        shared = self._held("bigrams", asked, pairs).sum(axis=0)
        likeness = {
            "asked": _cosines(self.index.question_matrix[numbers], self.embedder.embed_questions([query.text])[0]),
            "asked_met": words.share(met),
            "asked_words": 2 * shared / np.maximum(len(asked) + pairs.sizes, 1),  # Dice (Ecology 26, 1945)
        }
        begins = np.cumsum([0, *(len(one.questions) for one in prepared[:-1])])
        answered = Bags.joined(
            [Bags(one.answered.values + begin, one.answered.sizes) for one, begin in zip(prepared, begins, strict=True)]
        )
        return {name: answered.most(values[answered.values].astype(np.float32)) for name, values in likeness.items()}

    def _signs(self, asked: _Asked, chunk: Chunk, titles: str, candidate: Candidate) -> dict[str, float]:
        """What is seen at a candidate itself: figures, units, years, places, its form."""
        query, text = asked.query, candidate.text
        wants_figure = query.want == "figure"
        said, figured = text, candidate.figures
        if chunk.cells and query.years:  # of a row, what it says of the years asked about
            said = row_words(chunk, query.years)
            figured = tuple(figure for figure in figured if figure in said)
        plan_years = self.period is not None and any(year >= self.period.first for year in candidate.years)
        back = chunk.id in self._back and not plan_years
        values = {
            "figure": float(wants_figure and bool(figured)),
            "no_figure": float(wants_figure and not figured),
            "kind_missing": float(bool(kinds_missing(query.kinds, said))),
            "enumeration": float(query.want == "list") * min(text.count("、") / 4, 1.0),
            "row": float(bool(chunk.cells)),
            "item": float(chunk.kind == "item"),
            "length": math.log(max(len(text), 1)) / 5,
        }
        if query.units:
            held = any(unit in figure for unit in query.units for figure in figured)
            values |= {"unit": float(held), "no_unit": float(not held)}
        if query.years:
            values |= self._year_features(query.years, candidate, chunk)
        if asked.ahead:
            values["past_for_plan"] = float(back)
        elif asked.back:
            values["plan_for_past"] = float(not back and bool(_AHEAD.search(text)))
        if query.places:
            inside = any(name in text + label_of(chunk) for name in query.place_names)
            around = any(name in titles + chunk.text for name in query.place_names)
            values |= {
                "place": float(inside),
                "place_near": float(around and not inside),
                "place_missing": float(not around),
            }
        return values

    def _year_features(self, asked: Sequence[int], candidate: Candidate, chunk: Chunk) -> dict[str, float]:
        if any(year in candidate.years for year in asked):
            return {"year": 1.0}
        if candidate.stated:
            return {"year_other": 1.0}
        if any(year in candidate.years_before for year in asked):
            return {"year_near": 1.0}
        implied = self._implied(chunk)
        return {"year_near": 0.5} if any(year in implied for year in asked) else {"year_other": 0.5}

    def _implied(self, chunk: Chunk) -> frozenset[int]:
        """The year meant where none is named: the last before the plan in a look back, else the plan's last."""
        if self.period is None:
            return frozenset()
        return frozenset([self.period.base if chunk.id in self._back else self.period.last])


@dataclass(frozen=True)
class _Asked:
    """A query made ready for comparison: terms with their idf, the vector, and whether it asks of what is to come."""

    query: Query
    characters: Mapping[str, float]
    bigrams: Mapping[str, float]
    words: Mapping[str, float]
    lexicon: Mapping[str, float]
    vector: np.ndarray[tuple[int], np.dtype[np.float32]]
    ahead: bool
    back: bool

    @staticmethod
    def of(query: Query, index: Index, embedder: Embedder, period: Period | None) -> _Asked:
        text = query.core
        postings = index.postings
        official = {pair: weight for term, weight in query.terms.items() for pair in bigrams(term)}
        ahead, back = _time_of(query, period)
        return _Asked(
            query,
            {term: postings["characters"].idf(term) for term in characters(text)},
            {term: postings["bigrams"].idf(term) for term in bigrams(text)},
            {term: postings["words"].idf(term) for term in index.segmenter.words(text)},
            {pair: weight * postings["bigrams"].idf(pair) for pair, weight in official.items()},
            embedder.embed_questions([text])[0],
            ahead,
            back,
        )


def _time_of(query: Query, period: Period | None) -> tuple[bool, bool]:
    """Whether a question asks of the plan's time, and whether of the time before."""
    if period is not None and query.years:
        ahead = any(year >= period.first for year in query.years)
        return ahead, not ahead
    past_plan = period is not None and any(last < period.first for _, last in named_plans(query.text))
    back = past_plan or bool(_ASKS_BACK.search(query.text))
    return bool(_ASKS_AHEAD.search(query.text)) and not back, back


def those_so_many(query: Query, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Evidence for a question for so many things (四条旅游风景道分别是什么) from that on which says in these words that
    they are so many, where it is nearly as good as the best: what only names them is no list of them."""
    asked = _SO_MANY.search(query.text) if query.want == "list" else None
    if asked is None or not evidence or asked.group() in evidence[0].text:
        return tuple(evidence)
    near = (one for one in evidence if evidence[0].score - one.score < NEARLY)
    first = next((one for one in near if asked.group() in one.text), evidence[0])
    return tuple(evidence[evidence.index(first) :])


def level_before_growth(query: Query, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Evidence for a question that asks for no growth from that on which is no table row of a growth, where it meets
    the question as well and is nearly as good: 2020年地区生产总值 is no percentage."""
    chunk = evidence[0].passage.chunk if evidence else None
    growth = chunk is not None and chunk.cells and re.search(rf"(?:{_GROWTH.pattern})$", row_of(chunk).name.text)
    if not growth or _ASKS_GROWTH.search(query.text):
        return tuple(evidence)
    best = evidence[0]
    near = (one for one in evidence[1:] if best.score - one.score < LEVEL and not one.passage.chunk.cells)
    other = next((one for one in near if one.features["bigrams"] >= best.features["bigrams"]), best)
    return tuple(evidence[evidence.index(other) :])


def spans_of(chunk: Chunk) -> tuple[tuple[int, int], ...]:
    """Spans of a chunk that may answer alone: a row as a whole, each sentence of a paragraph or an item but its lead
    title, which names the subject and says nothing of it."""
    if chunk.kind == "heading":
        return ()
    if chunk.cells:
        return ((0, len(chunk.text)),)
    spans = sentences(chunk.text)
    lead = label_of(chunk)
    says = tuple(s for s in spans if s[1] - s[0] > SHORTEST and chunk.text[s[0] : s[1]].strip("—。") != lead)
    return says if chunk.kind == "note" else says or spans  # the header cells of a table say nothing by themselves


def looking_back(chunks: Sequence[Chunk], period: Period | None) -> frozenset[str]:
    """Ids of the chunks that tell what was reached before the plan: a paragraph that says so (五年来, “十三五”期间),
    and those after it up to one that looks ahead or stands under another heading of the document."""
    found: set[str] = set()
    back, doc, top = False, "", ""
    for chunk in chunks:
        head = chunk.section[0] if chunk.section and chunk.section[0].startswith("〔拟题〕") else ""
        if (chunk.doc_id, head) != (doc, top):
            doc, top, back = chunk.doc_id, head, False
        text = chunk.text
        plans = named_plans(text[:40])
        ahead = _AHEAD.search(text)
        if period is not None and plans:
            back = plans[0][1] < period.first
        elif re.match(r"[^。]{0,12}(?:五年来|过去五年)", text):
            back = True
        elif (
            chunk.kind == "heading"
            or re.match(r"[^。]{0,6}(?:看|今后|展望|按照|当前|高举|面临)", text)
            or (ahead and period is not None and any(year >= period.first for year in years_in(text)))
        ):
            back = False
        if back and not chunk.cells:
            found.add(chunk.id)
    return frozenset(found)


def years_in(text: str) -> frozenset[int]:
    """Years that a text names, those inside a range (2021-2025年) included."""
    found: set[int] = set()
    for first, last in _YEAR.findall(text):
        found.update(range(int(first), int(last) + 1) if last and int(last) - int(first) < 50 else [int(first)])
    return frozenset(found)


def row_years(chunk: Chunk) -> frozenset[int]:
    """Years of the columns in which a table row has a value."""
    return frozenset().union(*(years_in(cell.column) for cell in chunk.cells if re.search(r"[\w]", cell.text)))


def _share(asked: Mapping[str, float], held: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n_candidates,): share of the idf of the terms asked for that is held (n_terms, n_candidates), in [0, 1]."""
    idf = np.array([*asked.values()], dtype=np.float64)
    total = sum(asked.values())
    return (idf[:, None] * held).sum(axis=0) / total if total else np.zeros(held.shape[1])


def _cosines(rows: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of unit rows (n, dimension) with a unit vector, each row summed in the same order: equal rows give equal cosines
    to the last digit, so that what is equally good stays in the order of the text."""
    cosines: NDArray[np.float32] = np.einsum("ij,j->i", rows, vector)
    return cosines
