"""The values that pass between the steps of the read side, from question to answer. Frozen; scores rise with relevance;
offsets are half-open and count characters, line numbers count from 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from index.types import Chunk

Want = Literal["figure", "list", "choice", "text"]
Status = Literal["answered", "refused", "error"]


@dataclass(frozen=True)
class Turn:
    """An earlier question of the same conversation and its answer."""

    question: str
    answer: str


@dataclass(frozen=True)
class Named:
    """A name for one or more places that a question uses: `asked` as it says it, `name` as the documents write it ("":
    they do not), the places' full names, and whether the documents say which they are."""

    asked: str
    name: str
    members: tuple[str, ...]
    stated: bool


@dataclass(frozen=True)
class Query:
    """A question understood.

    `question` as asked; `text` complete in itself (a follow-up filled in from the history, Traditional characters made
    simplified, slips mended, indicators and groups of places by the documents' names); `core` is what is matched:
    `text` without question words and the name of the region that the documents are about, which stand in every question
    and tell no passage from another. `completed` says whether history filled it in or its words were changed. `years`
    are those asked about (empty: none named); `places` are places of the documents that it names, `place_names` all
    names by which a text may mean one of them, `elsewhere` other places of China that it names, `groups` its names for
    several places (东三县), whose members are among `places`, `wider` the regions above the documents' own that it
    names, by rag.understand.WIDER; `units` are units that an answer in figures would have ("户"); `kinds` the kinds of
    detail asked for (rag.kinds); `terms` maps words added from the lexicon to their weight in (0, 1]; `courtesy` is the
    kind of phrase that it is where it asks nothing (rag.courtesy), else "".
    """

    question: str
    text: str
    core: str
    completed: bool = False
    want: Want = "text"
    years: tuple[int, ...] = ()
    places: tuple[str, ...] = ()
    place_names: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    groups: tuple[Named, ...] = ()
    wider: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    terms: Mapping[str, float] = field(default_factory=dict)
    courtesy: str = ""

    @property
    def group(self) -> Named | None:
        """The name for several places that it uses, where that is one and it names no other place beside it."""
        several = [group for group in self.groups if len(group.members) > 1]
        return several[0] if len(several) == 1 and set(several[0].members) == set(self.places) else None


@dataclass(frozen=True)
class Passage:
    """A chunk found. `score` is the fused score of retrieval, `rank` counts from 1, best first: the number used in
    marks while an answer is being written."""

    chunk: Chunk
    score: float
    rank: int


@dataclass(frozen=True)
class Evidence:
    """A sentence, table row or item that may answer: chunk.text[start:end] of a passage. `score` orders evidence of one
    question, `features` are what it was computed from (see rag.select). `years` are those it speaks of: named in it,
    else before it in its paragraph, else implied by its place in the plan."""

    passage: Passage
    start: int
    end: int
    score: float
    years: frozenset[int] = frozenset()
    features: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.passage.chunk.text[self.start : self.end]


@dataclass(frozen=True)
class Selection:
    """What an answerer works from: `evidence`, best first, and `parts`, the best evidence for each question within the
    question (one for most). `points` holds for each of the parts the measures that tell it where it asks how, () where
    it asks something else; it may be left empty where none does. `unanswered` are the years or places that the question
    compares, or the parts of it, of which nothing was found, as they are told. `several`: there are questions within
    the question, and the scores of the parts are not those of the rest."""

    evidence: tuple[Evidence, ...]
    parts: tuple[Evidence, ...]
    unanswered: tuple[str, ...] = ()
    points: tuple[tuple[Evidence, ...], ...] = ()
    several: bool = False


@dataclass(frozen=True)
class Worked:
    """An answer made without the answerer: `text` with marks [rank], the evidence it cites, and `own` figures of the
    answer itself, which no source holds (a count, a difference), as written. `refused`: it says that the documents do
    not hold what was asked for."""

    text: str
    evidence: tuple[Evidence, ...]
    own: tuple[str, ...]
    refused: bool = False


@dataclass(frozen=True)
class Citation:
    """What the mark [n] of an answer rests on.

    `quote` stands verbatim in the source line lines[0], at [start:end]. `lines` are the lines of the evidence: one for
    a sentence, those of all its cells for a table row (the quoted cell's line first). `section` is the path of titles,
    an editor's marked 〔拟题〕; `page` where the source has pages.
    """

    n: int
    doc: str
    lines: tuple[int, ...]
    section: tuple[str, ...]
    quote: str
    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True)
class Check:
    """One figure of an answer compared with what its marks cite. `reason` is empty where `ok`."""

    figure: str
    marks: tuple[int, ...]
    ok: bool
    reason: str = ""


@dataclass(frozen=True)
class Approval:
    """That a person has approved an answer: who, when (ISO 8601), and over which version of the documents."""

    by: str
    at: str
    version: str


@dataclass(frozen=True)
class Answer:
    """What the page, the command line, the batch and the evaluation all show.

    `text` carries marks [n]; `completed` is the question as filled in from the history, mended or put in official
    names, or None; `passages` is everything found, cited or not, best first; `confidence` in [0, 1] is the estimated
    probability that this reply is right, an answer or a refusal; `backend` names the answerer that spoke; `note` says
    what the user should know beside the answer (an answer withdrawn by the check, another answerer standing in);
    `approved` is set where a person approved this answer to the same question before.
    """

    question: str
    text: str
    status: Status
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    checks: tuple[Check, ...] = ()
    completed: str | None = None
    confidence: float = 0.0
    backend: str = ""
    seconds: float = 0.0
    note: str = ""
    approved: Approval | None = None


@dataclass(frozen=True)
class Aside:
    """What an answerer says beside the words of its answer, among its pieces: `note` is for the user. With `afresh` the
    words so far are taken back, and `backend` (unless "") names who speaks from here on. `refused`: the answerer finds
    that the passages do not answer; no words follow."""

    note: str = ""
    afresh: bool = False
    backend: str = ""
    refused: bool = False
