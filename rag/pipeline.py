"""The whole road from question to answer.

    question, history
      -> understand   rag.understand   completed, years, places, kinds of detail, official words
      -> search       rag.search       the next three, for each of the questions within a question
      -> retrieve     rag.retrieve     passages, best first
                      rag.rerank       … in the order of a cross-encoder, where one is set
      -> select       rag.select       sentences, rows and items that may answer
      -> judge        rag.judge        do the documents answer at all? no: the refusal names the nearest they say
      -> settled      rag.library      has a person approved an answer to this question? that is then the answer
      -> generate     rag.generate     text with marks
      -> cite         rag.cite         marks -> citations
      -> verify       rag.verify       every figure against the cited words; what fails is not shown as an answer

The page, the command line, the batch and the evaluation call `stream` or `ask`, and nothing beneath.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from threadpoolctl import ThreadpoolController

from index.build import DEFAULT_INDEX, build, groups_of, needs_build
from index.conflicts import Conflict, conflicts
from index.embed import Embedder, load_embedder
from index.errors import IndexMismatch
from index.figures import amounts, figures
from index.groups import Group
from index.keyword import fold
from index.period import Period
from index.store import REBUILD, Index, load
from index.targets import Register, registers
from index.terms import names_of
from index.types import Chunk, Document
from rag.align import aligner_beside
from rag.cite import cite
from rag.config import Config
from rag.disagree import thing_asked_for
from rag.errors import LibraryError, UnsoundAnswer
from rag.generate.extractive import NAME, Extractive
from rag.generate.model import EXTRACTIVE, open_model
from rag.judge import CERTAIN, Judge, Verdict, far, read_model, told_for_another_year
from rag.library import LIKE, Approved, Library, found_again, library_of, same, sources_of
from rag.lists import box_list, by_place, counted
from rag.phrase import row_words
from rag.prompts import lines, render
from rag.reckon import reckoned, worked_out
from rag.register import asks_for_list, listing, two_lists
from rag.rerank import Reranker, open_reranker
from rag.retrieve import Retriever, distinct
from rag.search import Search
from rag.select import Selector
from rag.types import Answer, Aside, Check, Citation, Evidence, Passage, Query, Selection, Status, Turn, Worked
from rag.typos import Vocabulary
from rag.understand import (
    Frame,
    clean,
    gazetteer,
    is_elliptic,
    understand,
    ungrouped,
)
from rag.verify import Cited, check_quote, verify

WEIGHTS = Path(__file__).resolve().parent / "weights.json"
NEAREST_CHARACTERS = 120
REGISTERED = 0.95  # confidence of an answer that is read off the register
EXAMPLES_SHOWN = 3
NAMES_WHAT_IS_MISSING = ("place", "absent", "premise")  # objections that say something where nothing is near
LONGEST_THING = 6  # characters of a thing that is looked for as it stands
WHOLE = 10_000  # characters: quotations that something is worked out from are not narrowed


class Answerer(Protocol):
    """An answerer. Yields pieces whose concatenation is the answer, citing as [rank], and asides; raises
    GenerationError. `at_once`: how many questions are worth asking at the same time."""

    @property
    def name(self) -> str: ...
    @property
    def at_once(self) -> int: ...
    def __call__(self, query: Query, selection: Selection) -> Iterator[str | Aside]: ...


@dataclass(frozen=True)
class SourceLine:
    """A line of a document as shown beside an answer. `marked` are the spans of the quoted words; `column` is the
    header of a table cell, "" elsewhere."""

    number: int
    text: str
    marked: tuple[tuple[int, int], ...] = ()
    column: str = ""


@dataclass(frozen=True)
class Reply:
    """What is to be said and from what. `own` are figures of the answer itself, which no source holds; `stretches` maps
    the rank of a passage to the stretch of it that its mark rests on, where that is known beforehand; `backend` names
    who speaks."""

    passages: tuple[Passage, ...]
    evidence: tuple[Evidence, ...]
    verdict: Verdict
    pieces: Generator[str | Aside, None, None]
    own: tuple[str, ...] = ()
    stretches: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    backend: str = NAME


@dataclass(frozen=True)
class Pipeline:
    """question -> Answer, over one index. Raises what its parts raise, unchanged."""

    index: Index
    frame: Frame
    retrieve: Retriever
    select: Selector
    judge: Judge
    generate: Answerer
    passages: int = 10
    library: Library | None = None
    complete: Callable[[str, Sequence[Turn]], str | None] | None = None  # a model's completion of a follow-up
    reranker: Reranker | None = None

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """The last Answer of `stream`: one code path."""
        *_, answer = self.stream(question, history)
        return answer

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Generator[Answer, None, None]:
        """Growing Answers; the first, without text, shows what was found; the last is checked and final."""
        started = time.perf_counter()
        query = self.understood(question, history)
        reply = self.reply(query)
        if (settled := self.settled(query, reply)) is not None:
            reply.pieces.close()
            yield replace(settled, text="", citations=(), checks=())
            yield replace(settled, seconds=round(time.perf_counter() - started, 6))
            return
        draft = Answer(
            question=question,
            text="",
            status="answered" if reply.verdict.answered else "refused",
            passages=reply.passages[: self.passages],
            completed=query.text if query.completed else None,
            confidence=reply.verdict.confidence,
            backend=reply.backend,
            note=self.nicknames(query),
        )
        yield draft
        cited = [one.passage for one in reply.evidence]
        text = ""
        # A caller that stops reading stops the answerer: not when its memory is freed, but now.
        with closing(reply.pieces):
            for piece in reply.pieces:
                if isinstance(piece, Aside):
                    text, draft = self.heed(piece, text, draft, query, reply)
                else:
                    text += piece
                marked, citations = cite(text, cited, reply.stretches)
                yield replace(draft, text=marked, citations=citations, seconds=time.perf_counter() - started)
        marked, citations = cite(text, cited, reply.stretches)
        final = self._checked(query, replace(draft, text=marked, citations=citations), reply)
        yield replace(final, seconds=round(time.perf_counter() - started, 6))

    def understood(self, question: str, history: Sequence[Turn]) -> Query:
        """The question as a Query; a follow-up in a model's words where there are sound ones."""
        query = understand(question, history, self.frame)
        if self.complete is None or not history or query.courtesy or not is_elliptic(clean(question)):
            return query
        told = self.complete(question, history)
        return query if told is None else replace(understand(told, (), self.frame), question=question, completed=True)

    def reply(self, query: Query) -> Reply:
        """What is to be said to a question, and from what: a list or sum from the register, a refusal, or what the
        answerer makes of the evidence."""
        if query.courtesy:
            return self.courteous(query)
        found, selection, verdict = self.search(query)
        if (made := self.from_register(query)) is not None:
            passages = distinct([*(one.passage for one in made.evidence), *found])
            stretches = {one.passage.rank: (one.start, one.end) for one in made.evidence}
            verdict = Verdict(0.0 if made.refused else 1.0, not made.refused, REGISTERED)
            return Reply(passages, made.evidence, verdict, spoken([made.text]), made.own, stretches)
        if (worked := reckoned(query, self.registers, self.chunk_of, self.frame)) is not None:
            passages = distinct([*(one.passage for one in worked.parts), *found])
            whole = Extractive(self.judge.aligner, WHOLE)
            pieces = spoken(whole(query, Selection(worked.parts, worked.parts)), f"\n{worked.told}")
            return Reply(passages, worked.parts, Verdict(1.0, True, REGISTERED), pieces, worked.own)
        passages = in_order(found, selection)
        if selection.evidence and (absent := self.absent(query)):
            verdict = Verdict(0.0, False, CERTAIN, "absent", (absent,))
        if not verdict.answered:
            refusal = self.refusal(query, verdict, selection.evidence)
            return Reply(passages, selection.evidence, verdict, spoken([refusal]))
        told, own = worked_out(query, selection.parts) or ("", ())
        # What is worked out is worked out from quotations.
        speaker = Extractive(self.judge.aligner) if told else self.generate
        pieces = spoken(speaker(query, selection), f"\n{told}" if told else "")
        if len(selection.parts) == 1 and (count := counted(query, selection.parts[0])):
            own = (*own, count.figure)
        own = (*selection.unanswered, *own)
        return Reply(passages, selection.evidence, verdict, pieces, own, backend=speaker.name)

    def courteous(self, query: Query) -> Reply:
        """What is said to a phrase that asks nothing: what the tool answers, and questions to begin with."""
        opening = dict(line.split("=", 1) for line in lines("courtesy_openings"))[query.courtesy]
        examples = self.examples()[:EXAMPLES_SHOWN]
        told = [f"· {example}" for example in examples]
        text = render("courtesy", opening=opening, document=self.document, examples="\n".join(told))
        verdict = Verdict(0.0, False, CERTAIN, "courtesy")
        return Reply(self.search.find(query, query.text), (), verdict, spoken([text]), tuple(examples))

    def absent(self, query: Query) -> str:
        """A short thing that a question asks whether the documents mention it or have it built, and that they name
        nowhere, by no official word and not in two words either; else ""."""
        thing, _ = thing_asked_for(query)
        if not thing or len(thing) > LONGEST_THING or self.frame.vocabulary is None:
            return ""
        held = self.frame.vocabulary.text
        known = any(fold(word) in held for word in (thing, *query.terms))
        return "" if known or (thing[:2] in held and thing[-2:] in held) else thing

    def heed(self, aside: Aside, text: str, draft: Answer, query: Query, reply: Reply) -> tuple[str, Answer]:
        """The text and the answer so far, after an aside of the answerer."""
        note = self.nicknames(query) + aside.note if aside.note else draft.note
        draft = replace(draft, note=note, backend=aside.backend or draft.backend)
        if aside.refused:
            refusal = self.refusal(query, replace(reply.verdict, answered=False), reply.evidence)
            return refusal, replace(draft, status="refused")
        return "" if aside.afresh else text, draft

    def nicknames(self, query: Query) -> str:
        """What the question's names for several places are taken to mean, where the documents do not say so."""
        meant = [
            render("nickname_means", asked=group.asked, members="、".join(group.members))
            for group in query.groups
            if not group.stated
        ]
        told = "，".join(dict.fromkeys(meant))
        return render("nickname", meant=told, document=self.document) if meant else ""

    def settled(self, query: Query, reply: Reply) -> Answer | None:
        """The answer that a person approved for this question or its clear paraphrase, its lines found where they stand
        now; None where there is none, or it is stale."""
        for approved in self.library.entries() if self.library is not None else ():
            if not (same(approved.question) == same(query.text) or self.likeness(approved, query, reply) >= LIKE):
                continue
            citations = self.standing(approved)
            if citations is None:
                continue
            answer = Answer(
                question=query.question,
                text=approved.answer,
                status=approved.status,
                citations=citations,
                passages=reply.passages[: self.passages],
                completed=query.text if query.completed else None,
                confidence=1.0 if approved.status == "answered" else reply.verdict.confidence,
                backend=APPROVED,
                note=self.nicknames(query),
                approved=approved.approval,
            )
            checks = self.checks(answer, query, approved.own)
            if all(check.ok for check in checks):
                return replace(answer, checks=checks)
        return None

    def standing(self, approved: Approved) -> tuple[Citation, ...] | None:
        """The citations of an approved answer where they stand now, None where it is stale: a line that it rests on
        reads otherwise, or for an answer that something is not stated, any document does."""
        documents = self.index.document_of
        if approved.status != "answered" or not approved.sources:
            held = {document.id: document.sha256 for document in self.documents}
            if held != approved.documents:
                return None
        citations = [
            found_again(source, documents[source.citation.doc]) if source.citation.doc in documents else None
            for source in approved.sources
        ]
        kept = tuple(one for one in citations if one is not None and self.stands(one))
        return kept if len(kept) == len(citations) else None

    def likeness(self, approved: Approved, query: Query, reply: Reply) -> float:
        """How far a question is a paraphrase of one that was approved: the cosine of their words; 0 where it names
        other years, places or figures, or its own search does not lead it to the very words that the approved answer
        cites first."""
        if not reply.evidence or not approved.sources or reply.verdict.answered != (approved.status == "answered"):
            return 0.0
        best, cited = reply.evidence[0], approved.sources[0]
        chunk = best.passage.chunk
        if chunk.doc_id != cited.citation.doc or cited.citation.quote not in chunk.text[best.start : best.end]:
            return 0.0
        other = understand(approved.question, (), self.frame)
        if _particulars(query) != _particulars(other) or not self._named_alike(query, other, best):
            return 0.0
        embed = self.retrieve.embedder.embed_questions
        whole, core = embed([query.text, other.text]), embed([query.core, other.core])
        return min(float(whole[0] @ whole[1]), float(core[0] @ core[1]))

    def _named_alike(self, one: Query, other: Query, evidence: Evidence) -> bool:
        """Whether two questions name the same of what a sentence holds: its very words where it holds several figures
        (城镇 and 农村 stand in one), else at least no word each that the other lacks."""
        mine, its = (
            {word for word in self.index.segmenter.words(query.core) if len(word) > 1 and word in evidence.text}
            for query in (one, other)
        )
        if len(amounts(evidence.text)) > 1 and not evidence.passage.chunk.cells:
            return mine == its
        return not (mine - its and its - mine)

    def approve(
        self,
        question: str,
        history: Sequence[Turn],
        text: str,
        citations: Sequence[Citation],
        status: Status,
        by: str,
        at: str,
    ) -> None:
        """Keep an answer that `by` has approved `at` (ISO 8601). Raises UnsoundAnswer where a figure of it does not
        stand in what it cites."""  # fmt: skip
        if self.library is None:
            raise LibraryError("审定库没有打开，这条答复没有存入：请去掉设置中的 approved=False。")
        query = understand(question, history, self.frame)
        failed = [check for check in self.recheck([question], history, text, citations, status) if not check.ok]
        if failed or not all(self.stands(citation) for citation in citations):
            reasons = "；".join(f"{check.figure}：{check.reason}" for check in failed) or "引文与原文不符"
            raise UnsoundAnswer(f"答复没有通过数字核对，不能采纳（{reasons}）：请改成所引原文中的数字。")
        self.library.add(
            Approved(
                query.text, text, status, sources_of(citations, self.index.document_of), self.reply(query).own,
                {document.id: document.sha256 for document in self.documents}, by, at,
            )
        )  # fmt: skip

    def recheck(
        self,
        questions: Sequence[str],
        history: Sequence[Turn],
        text: str,
        citations: Sequence[Citation],
        status: Status,
    ) -> tuple[Check, ...]:
        """The checks of an answer that a person has changed, against the same citations. `questions` are those that it
        answers, each with those before it as its conversation."""  # fmt: skip
        turns = list(history)
        queries = []
        for question in questions:
            queries.append(understand(question, turns, self.frame))
            turns.append(Turn(question, ""))
        own = [figure for query in queries for figure in self.reply(query).own]
        answer = Answer("\n".join(questions), text, status, tuple(citations))
        return self.checks(answer, queries[-1], own)

    @cached_property
    def search(self) -> Search:
        """Passages, the evidence in them, and whether it answers."""
        return Search(self.frame, self.retrieve, self.select, self.judge, self.reranker)

    def from_register(self, query: Query) -> Worked | None:
        """An answer that is read off the documents whole: what a 专栏 holds, a list of targets from the register, or a
        list that the documents give twice with other members. None for every other question."""
        likeness = self.frame.likeness
        if (box := box_list(query, self.index.chunks)) is not None:
            return box
        parts = self.frame.parts if query.group is None else query.group.members
        if (places := by_place(ungrouped(query), self.index.chunks, parts)) is not None:
            return places
        if asks_for_list(query):
            return listing(query, self.registers, self.chunk_of, likeness)
        if query.want != "list":
            return None
        return two_lists(query, [one for found in self.conflicts.values() for one in found], self.chunk_of)

    @cached_property
    def registers(self) -> dict[str, Register]:
        """The register of targets of each document."""
        return registers(self.index.documents, self.index.sections, self.index.chunks)

    @cached_property
    def conflicts(self) -> dict[str, tuple[Conflict, ...]]:
        """Where each document disagrees with itself."""
        chunks = self.index.chunks
        return {
            doc: conflicts(register, [chunk for chunk in chunks if chunk.doc_id == doc])
            for doc, register in self.registers.items()
        }

    @cached_property
    def chunk_of(self) -> dict[str, Chunk]:
        return {chunk.id: chunk for chunk in self.index.chunks}

    def _checked(self, query: Query, answer: Answer, reply: Reply) -> Answer:
        """The answer with its figures checked. One whose check fails is withdrawn: what is shown instead is the
        nearest passage in its own words, said to be no answer."""
        checks = self.checks(answer, query, reply.own)
        if all(check.ok for check in checks) and all(self.stands(citation) for citation in answer.citations):
            return replace(answer, checks=checks)
        text = render("refusal", reason=render("withdrawn"), nearest=self.nearest(query, reply.evidence))
        marked, citations = cite(text, [one.passage for one in reply.evidence])
        return replace(answer, text=marked, status="refused", citations=citations, checks=checks)

    def checks(self, answer: Answer, query: Query, own: Sequence[str] = ()) -> tuple[Check, ...]:
        """Every figure of an answer against what its marks cite. A refusal may repeat the question's own figures;
        `own` are the answer's: a count of what it lists, a difference it worked out, a year of which nothing was
        found."""
        evidence = {citation.n: self.cited(citation) for citation in answer.citations}
        refused = (query.text, *(f"{year}年" for year in query.years)) if answer.status == "refused" else ()
        return tuple(
            Check(check.figure.text, check.marks, check.ok, check.reason)
            for check in verify(answer.text, evidence, (*refused, *own))
        )

    def stands(self, citation: Citation) -> bool:
        """Whether a citation's quote stands verbatim where it says."""
        text = self.index.line(citation.doc, citation.lines[0]).text
        return check_quote(citation.quote, text, citation.start, citation.end)

    def refusal(self, query: Query, verdict: Verdict, evidence: Sequence[Evidence]) -> str:
        """What is said when the documents do not answer: what is missing, and the nearest that they do say."""
        document = self.document
        if evidence and verdict.objection == "year":
            evidence = (told_for_another_year(query, evidence) or evidence[0],)
        # What is so of these days no plan says: a sentence with the same word is not near.
        nowhere = not evidence or far(evidence[0]) or "moment" in verdict.missing
        if verdict.objection == "nothing" or (nowhere and verdict.objection not in NAMES_WHAT_IS_MISSING):
            return render("refusal_nothing", document=document)
        if verdict.objection == "year":
            reason = render("refusal_year", document=document, asked="、".join(f"{year}年" for year in query.years))
        elif verdict.objection == "place":
            reason = render("refusal_place", document=document, asked="、".join(verdict.missing or query.places))
        elif verdict.objection == "absent":
            reason = render("refusal_absent", document=document, asked="、".join(verdict.missing))
        elif verdict.objection == "premise":
            reason = render("refusal_premise", document=document, asked="、".join(verdict.missing))
        elif verdict.objection == "detail":
            names = dict(line.split("=", 1) for line in lines("detail_names"))
            reason = render("refusal_detail", document=document, asked="、".join(names[k] for k in verdict.missing))
        else:
            reason = render("refusal_plain", document=document)
        if nowhere:
            return reason
        return render("refusal", reason=reason, nearest=self.nearest(query, evidence))

    def nearest(self, query: Query, evidence: Sequence[Evidence]) -> str:
        """The best evidence quoted with its mark, as the nearest thing the documents say."""
        return Extractive(self.judge.aligner, NEAREST_CHARACTERS).quote(query, evidence[0])

    def source(self, citation: Citation) -> tuple[SourceLine, ...]:
        """The paragraph that a citation comes from, its quoted words marked; for a table row, its cells."""
        row = self._row(citation)
        if row is not None:
            return tuple(
                SourceLine(
                    cell.line,
                    cell.text,
                    ((0, len(cell.text)),) if (cell.line, cell.start) == (citation.lines[0], citation.start) else (),
                    cell.column,
                )
                for cell in row.cells
            )
        return tuple(
            SourceLine(
                number,
                self.index.line(citation.doc, number).text,
                ((citation.start, citation.end),) if number == citation.lines[0] else (),
            )
            for number in citation.lines
        )

    def _row(self, citation: Citation) -> Chunk | None:
        """The table row that a citation comes from, None for a paragraph."""
        return self._rows.get((citation.doc, tuple(sorted(citation.lines))))

    @cached_property
    def _rows(self) -> dict[tuple[str, tuple[int, ...]], Chunk]:
        return {(c.doc_id, tuple(sorted(c.lines))): c for c in self.index.chunks if c.cells}

    def cited(self, citation: Citation) -> Cited:
        """The words that a citation rests on, with what lends them years and units."""
        row = self._row(citation)
        if row is not None:
            return Cited(row_words(row), row.text, citation.section, row.cells)
        context = self.index.line(citation.doc, citation.lines[0]).text
        return Cited(citation.quote, context, citation.section)

    @property
    def document(self) -> str:
        """What the documents are called in what is said of them."""
        return "规划" if self.frame.period else "文件"

    @property
    def backend(self) -> str:
        """The name of the answerer, as shown to the user."""
        return self.generate.name

    @property
    def documents(self) -> tuple[Document, ...]:
        return self.index.documents

    def examples(self) -> list[str]:
        """Example questions: those of the shipped plan where it is indexed, else general ones."""
        held = {document.id for document in self.index.documents}
        named = [name for name in sorted(held) if (EXAMPLES / f"{name}.examples.txt").is_file()]
        if not named:
            return lines("examples")
        return [line for line in (EXAMPLES / f"{named[0]}.examples.txt").read_text("utf-8").splitlines() if line]


APPROVED = "已审定"  # the name under which approved answers are told
EXAMPLES = Path(__file__).resolve().parent.parent / "index" / "sources"


def spoken(pieces: Iterable[str | Aside], last: str = "") -> Generator[str | Aside, None, None]:
    """Pieces as they come, and a last one; closing it closes what they come from."""
    yield from pieces
    if last:
        yield last


def _particulars(query: Query) -> tuple[object, ...]:
    """What two wordings of one question must agree in: years, places, figures."""
    written = tuple(sorted(figure.text for figure in figures(query.text) if figure.kind != "year"))
    return query.years, frozenset(query.places), frozenset(query.elsewhere), written


def in_order(found: Sequence[Passage], selection: Selection) -> tuple[Passage, ...]:
    """Passages by their best evidence, then the others as they were found; one for each place in the text."""
    ranks = dict.fromkeys(one.passage.rank for one in (*selection.parts, *selection.evidence))
    by_rank = {passage.rank: passage for passage in found}
    rest = [passage for passage in found if passage.rank not in ranks]
    return distinct([*(by_rank[rank] for rank in ranks), *rest])


def frame_of(index: Index, embedder: Embedder) -> Frame:
    """What the documents of an index say of periods, places and the region they are about, and their words."""
    entries = index.manifest["documents"]
    periods = {tuple(entry["period"].values()) for entry in entries if entry["period"]}
    period = Period(*periods.pop()) if len(periods) == 1 else None
    region = frozenset(name for entry in entries for name in entry["region"])
    places: dict[str, list[str]] = {}
    for full in dict.fromkeys([*(name for entry in entries for name in entry["places"]), *sorted(region)]):
        for name in names_of(full):
            places.setdefault(name, []).append(full)

    def likeness(text: str, others: Sequence[str]) -> list[float]:
        vectors = embedder.embed_questions([text, *others])
        return [float(cosine) for cosine in vectors[1:] @ vectors[0]]

    groups: dict[str, list[Group]] = {}
    for group in (group for entry in entries for group in groups_of(entry)):
        groups.setdefault(group.name, []).append(group)
    for full in (member for of_name in groups.values() for group in of_name for member in group.members):
        for name in names_of(full):
            if full not in places.setdefault(name, []):
                places[name].append(full)
    # What two documents take for different places is told by neither.
    certain = [of_name[0] for of_name in groups.values() if len({frozenset(one.members) for one in of_name}) == 1]
    named = [*gazetteer(), *places, *groups]
    vocabulary = Vocabulary.of(index.segmenter.dictionary, (chunk.text for chunk in index.chunks), named)
    return Frame(
        period,
        {name: tuple(full) for name, full in places.items()},
        region,
        index.segmenter.cut,
        likeness,
        vocabulary,
        tuple(certain),
    )


def compute_alone() -> None:
    """One thread for the linear algebra of numpy and faiss, as long as the process lives: what a question multiplies is
    too small for more to be any faster, and while they wait for work they keep a core busy that another question could
    use. torch, which language models run on, has threads of its own and keeps them."""
    ThreadpoolController().select(internal_api="openblas").limit(limits=1)


def open_pipeline(config: Config, progress: Callable[[str], None] = lambda message: None) -> Pipeline:
    """A pipeline over the configured index. The default index is built first where it is missing or out of date.

    Raises IndexMissing, IndexMismatch, ModelMissing, DocumentError or ConfigError.
    """
    folder = config.index
    if folder is None:
        folder = DEFAULT_INDEX
        if needs_build(folder):
            progress("正在建立索引……")
            build(out=folder, progress=progress)
    index = load(folder)
    compute_alone()
    embedder = load_embedder(index.manifest["embedding"]["model"])
    if embedder.revision != index.manifest["embedding"]["revision"]:
        raise IndexMismatch(
            f"索引 {folder} 用的是向量模型 {index.manifest['embedding']['model']} 的另一个版本：{REBUILD}。"
        )
    weights: Mapping[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    frame = frame_of(index, embedder)
    aligner = aligner_beside(embedder)
    threshold = weights["threshold"] if config.refuse_below is None else config.refuse_below
    pipeline = Pipeline(
        index,
        frame,
        Retriever(index, embedder, weights["fusion"]),
        Selector(index, embedder, aligner, weights["evidence"], frame.period),
        Judge(
            read_model(weights["answerable"]["trees"], weights["answerable"]["bias"]),
            read_model(weights["right"]["trees"], weights["right"]["bias"]),
            np.array(weights["intent"], dtype=np.float32),
            aligner,
            threshold,
        ),
        Extractive(aligner),
        config.passages,
        Library(library_of(folder)) if config.approved else None,
        reranker=None if config.reranker is None else open_reranker(config.reranker),
    )
    if config.llm == EXTRACTIVE:
        return pipeline
    # Read only where a model speaks: the lock alone costs a tenth of a second.
    from rag.follow_up import completed_by
    from rag.generate.written import Written

    model = open_model(config.llm, progress, config.quantize)
    generate = Written(model, pipeline.cited, index.segmenter.cut, Extractive(aligner))
    return replace(pipeline, generate=generate, complete=partial(completed_by, model))
