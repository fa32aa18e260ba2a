"""Passages -> evidence: which sentence, table row or item answers, and what speaks for and against it.

Every candidate gets a vector of features (FEATURES); its score is their weighted sum, the weights fitted on the
development questions (rag/weights.json, made by `python -m eval fit`). The same features decide refusal (rag/judge.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from index.build import indexed_text
from index.chunk import label_of
from index.embed import Embedder
from index.figures import figures
from index.keyword import bigrams, characters
from index.period import Period, named_plans
from index.sentences import sentences
from index.store import Index
from index.types import Chunk
from rag.align import Aligner, Ids, Words
from rag.kinds import kinds_missing
from rag.phrase import row_words
from rag.types import Evidence, Passage, Query

FEATURES = (
    "passage",  # fused score of the passage, relative to the best passage
    "characters",  # share of the question's characters found in the candidate, weighted by idf
    "bigrams",
    "words",
    "lexicon",  # the same for official words that the lexicon puts for the question's
    "around",  # share of its characters found in the candidate or the titles above it
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

# What a prepared question adds is measured against what the candidate's own words show, so that documents without
# prepared questions are ranked by the same weights.
_OWN = {"asked": "cosine", "asked_met": "met", "asked_words": "bigrams"}
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:\s*[-—–~至]\s*((?:19|20)\d\d))?(?=年|\s*[-—–~至]|[^\d.]|$)")
PREPARED_LIMIT = 20_000
HEAVY = 0.6  # of the mean weight of a question's words: what weighs less says nothing of the subject
HARDLY = 0.5  # cosine below which a word is hardly met
SHORTEST = 8  # characters of a sentence that says something

_BASELINE = re.compile(r"(?:比|较|由|从|与|自|相比)\s*(?:19|20)\d\d年")
_AHEAD = re.compile(r"到20\d\d年|力争|今后五年|未来五年|“?十[一二三四五六七八九]五”?(?:期间|时期|末)")
_ASKS_AHEAD = re.compile(
    r"目标|打算|计划|规划|力争|要(?!求)|将|准备|未来|以后|今后|十[一二三四五六七八九]五|定[在为了到]|达到多少"
)
_ASKS_BACK = re.compile(
    r"已经|目前|现在|现状|过去|以前|之前|当时|曾|达到了|完成了|实现了|了多少|[建投转脱修]了|上一个五年|前五年|前一轮|这几年"
)


@dataclass(frozen=True)
class Candidate:
    """A span of a chunk that may answer alone, made ready for comparison: its terms, the years named in it (`stated`
    without those that something is compared with: 比2015年增长) and before it in its paragraph, its figures as written,
    where in the index its vector is and that of its whole chunk, and its words for the aligner,
    and the prepared questions that it answers, by their numbers in the index."""

    start: int
    end: int
    text: str
    characters: frozenset[str]
    bigrams: frozenset[str]
    words: frozenset[str]
    years: frozenset[int]
    stated: frozenset[int]
    years_before: frozenset[int]
    figures: tuple[str, ...]
    key: int
    whole_key: int
    ids: Ids
    questions: NDArray[np.int32]


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
    _prepared: dict[str, tuple[Candidate, ...]] = field(init=False, repr=False)
    _around: dict[str, Ids] = field(init=False, repr=False)
    _questions: dict[int, tuple[Ids, frozenset[str]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_back", looking_back(self.index.chunks, self.period))
        object.__setattr__(self, "_position", {chunk.id: i for i, chunk in enumerate(self.index.chunks)})
        object.__setattr__(self, "_prepared", {})
        object.__setattr__(self, "_around", {})
        object.__setattr__(self, "_questions", {})

    def __call__(self, query: Query, passages: Sequence[Passage]) -> tuple[Evidence, ...]:
        if not passages:
            return ()
        asked = _Asked.of(query, self.index, self.embedder, self.period)
        top = max(passages[0].score, 1e-9)
        found: list[Evidence] = []
        pairs = [(passage, candidate) for passage in passages for candidate in self.candidates(passage.chunk)]
        words = self.aligner.question(query.core)
        met = words.shares @ self.aligner.met(words, [candidate.ids for _, candidate in pairs])
        around = self._met_around(words, passages)
        likeness = self._likeness(query, passages)
        for (passage, candidate), share in zip(pairs, met, strict=True):
            features = self._features(asked, passage, candidate)
            features |= {"passage": passage.score / top, "met": float(share), **around[passage.rank]}
            for name, own in _OWN.items():
                best = float(likeness[name][candidate.questions].max(initial=0.0))
                features[name] = max(0.0, best - features[own])
            score = sum(self.weights.get(name, 0.0) * value for name, value in features.items())
            years = candidate.stated or candidate.years_before or self._implied(passage.chunk)
            found.append(Evidence(passage, candidate.start, candidate.end, score, years, features))
        return tuple(sorted(found, key=lambda evidence: (-evidence.score, evidence.passage.rank, evidence.start)))

    def _met_around(self, words: Words, passages: Sequence[Passage]) -> dict[int, dict[str, float]]:
        """What each passage with its titles meets of the question's words, by its rank."""
        met = self.aligner.met(words, [self.around(passage.chunk) for passage in passages])
        heavy = words.shares * len(words.shares) >= HEAVY
        least = (1 - met[heavy]).max(axis=0, initial=0.0)
        hardly = words.shares @ (met < HARDLY)
        values = zip(passages, words.shares @ met, least, hardly, strict=True)
        return {
            passage.rank: {"met_around": float(share), "lacking": float(lacking), "lacking_share": float(lost)}
            for passage, share, lacking, lost in values
        }

    def _likeness(self, query: Query, passages: Sequence[Passage]) -> dict[str, NDArray[np.float32]]:
        """By the names of _OWN, how like the question each prepared question (n_questions,) of these passages is; 0 for
        those of other passages."""
        found = {name: np.zeros(len(self.index.questions), dtype=np.float32) for name in _OWN}
        of_each = [one.questions for passage in passages for one in self.candidates(passage.chunk)]
        numbers = np.unique(np.concatenate(of_each)) if of_each else np.zeros(0, dtype=np.int32)
        if not len(numbers):
            return found
        held = [self.question(number) for number in numbers.tolist()]
        words = self.aligner.question(query.text)
        met = words.shares @ self.aligner.met(words, [ids for ids, _ in held])
        cosine = self.index.question_matrix[numbers] @ self.embedder.embed_questions([query.text])[0]
        asked = frozenset(bigrams(query.text))
        found["asked"][numbers] = cosine
        found["asked_met"][numbers] = met
        found["asked_words"][numbers] = [_dice(asked, pairs) for _, pairs in held]
        return found

    def question(self, number: int) -> tuple[Ids, frozenset[str]]:
        """The words and the bigrams of a prepared question, kept once made."""
        if number not in self._questions:
            text = self.index.questions[number].text
            (ids,) = self.aligner.ids([text])
            self._questions[number] = ids, frozenset(bigrams(text))
        return self._questions[number]

    def candidates(self, chunk: Chunk) -> tuple[Candidate, ...]:
        """The candidates of a chunk, kept once made: a question meets mostly passages that others met before."""
        if chunk.id not in self._prepared:
            if len(self._prepared) > PREPARED_LIMIT:
                self._prepared.clear()
            self._prepared[chunk.id] = tuple(self._prepare(chunk))
        return self._prepared[chunk.id]

    def around(self, chunk: Chunk) -> Ids:
        """The words of a whole chunk and the titles above it, kept once made."""
        if chunk.id not in self._around:
            if len(self._around) > PREPARED_LIMIT:
                self._around.clear()
            (self._around[chunk.id],) = self.aligner.ids([indexed_text(chunk)])
        return self._around[chunk.id]

    def _prepare(self, chunk: Chunk) -> Iterator[Candidate]:
        position = self._position[chunk.id]
        first, last = (int(key) for key in np.searchsorted(self.index.keys.chunk, [position, position + 1]))
        every = sentences(chunk.text)
        label = label_of(chunk)
        begin, until = np.searchsorted(self.index.question_chunks, [position, position + 1])
        for start, end in spans_of(chunk):
            text = row_words(chunk) if chunk.cells else chunk.text[start:end]
            (ids,) = self.aligner.ids([indexed_text(chunk) if chunk.cells else f"{label} {text}"])
            yield Candidate(
                start,
                end,
                text,
                frozenset(characters(text)),
                frozenset(bigrams(text)),
                frozenset(self.index.segmenter.words(text)),
                row_years(chunk) if chunk.cells else years_in(text),
                row_years(chunk) if chunk.cells else years_in(_BASELINE.sub("", text)),
                frozenset() if chunk.cells else years_in(chunk.text[:start]),
                tuple(figure.text for figure in figures(text) if figure.kind in ("quantity", "ratio")),
                first + (every.index((start, end)) + 1 if last - first > 1 else 0),
                first,
                ids,
                np.array(
                    [
                        number
                        for number in range(int(begin), int(until))
                        if self.index.questions[number].start < end and start < self.index.questions[number].end
                    ],
                    dtype=np.int32,
                ),
            )

    def _features(self, asked: _Asked, passage: Passage, candidate: Candidate) -> dict[str, float]:
        chunk, query, text = passage.chunk, asked.query, candidate.text
        titles = "".join([*(title.removeprefix("〔拟题〕") for title in chunk.section[-2:]), label_of(chunk)])
        above = set(characters(titles))
        wants_figure = query.want == "figure"
        said, figured = text, candidate.figures
        if chunk.cells and query.years:  # of a row, what it says of the years asked about
            said = row_words(chunk, query.years)
            figured = tuple(figure for figure in figured if figure in said)
        plan_years = self.period is not None and any(year >= self.period.first for year in candidate.years)
        back = chunk.id in self._back and not plan_years
        values = {
            "characters": _share(asked.characters, candidate.characters),
            "bigrams": _share(asked.bigrams, candidate.bigrams),
            "words": _share(asked.words, candidate.words),
            "lexicon": _share(asked.lexicon, candidate.bigrams | set(bigrams(titles))),
            "around": _share(asked.characters, candidate.characters | above),
            "cosine": float(self.index.vectors.reconstruct(candidate.key) @ asked.vector),
            "whole": float(self.index.vectors.reconstruct(candidate.whole_key) @ asked.vector),
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
        return {name: values.get(name, 0.0) for name in FEATURES}

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


def _dice(a: AbstractSet[str], b: AbstractSet[str]) -> float:
    """Dice's coefficient of two sets (Dice, Ecology 26, 1945)."""
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 0.0


def _share(asked: Mapping[str, float], held: AbstractSet[str]) -> float:
    """Share of the idf of the terms asked for that is held, in [0, 1]."""
    total = sum(asked.values())
    return sum(idf for term, idf in asked.items() if term in held) / total if total else 0.0
