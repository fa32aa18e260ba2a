"""An answer as one JSON object: the contract of jsonl, and what the journal keeps besides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rag.cite import MARK
from rag.types import Answer, Check, Citation, Passage

FIELDS = ("id", "question", "answer", "status", "citations", "retrieved", "confidence", "backend", "seconds")


def record(row_id: str | int, answer: Answer) -> dict[str, Any]:
    """An answer as a JSON object, with its citations and what was retrieved."""
    return {
        "id": row_id,
        "question": answer.question,
        "answer": answer.text,
        "status": answer.status,
        "citations": [_citation(citation) for citation in answer.citations],
        "retrieved": [_passage(passage) for passage in answer.passages],
        "confidence": answer.confidence,
        "backend": answer.backend,
        "seconds": answer.seconds,
    }


def error_record(row_id: str | int, question: str, backend: str, reason: str) -> dict[str, Any]:
    """The object of a row that has no answer, and why."""
    return {
        "id": row_id,
        "question": question,
        "answer": "",
        "status": "error",
        "citations": [],
        "retrieved": [],
        "confidence": 0.0,
        "backend": backend,
        "seconds": 0.0,
        "error": reason,
    }


def together(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One object for the answers to the questions of one cell: each under its number, marks counted on from one to the
    next. It counts as answered where one of them is; its confidence is that of the least sure."""
    if len(records) == 1:
        return records[0]
    texts: list[str] = []
    citations: list[dict[str, Any]] = []
    retrieved: dict[tuple[str, tuple[int, ...]], dict[str, Any]] = {}
    for number, told in enumerate(records, 1):
        before = len(citations)
        words = told["answer"] or told.get("error", "")
        texts.append(f"（{number}）{shifted(words, before)}")
        citations += [{**citation, "n": citation["n"] + before} for citation in told["citations"]]
        for found in told["retrieved"]:
            retrieved.setdefault((found["doc"], tuple(found["lines"])), found)
    statuses = {told["status"] for told in records}
    status = next(one for one in ("answered", "refused", "error") if one in statuses)
    joined = {
        **records[0],
        "question": "\n".join(told["question"] for told in records),
        "answer": "\n".join(texts),
        "status": status,
        "citations": citations,
        "retrieved": list(retrieved.values()),
        "confidence": min(told["confidence"] for told in records),
        "seconds": round(sum(told["seconds"] for told in records), 6),
    }
    joined.pop("error", None)
    return joined | ({"error": "；".join(told["error"] for told in records)} if status == "error" else {})


def shifted(text: str, by: int) -> str:
    """A text with its marks [n] counted on by `by`."""
    return MARK.sub(lambda mark: f"[{int(mark.group(1)) + by}]", text)


def citation_of(told: dict[str, Any]) -> Citation:
    """A citation back from its JSON object."""
    return Citation(
        told["n"], told["doc"], tuple(told["lines"]), tuple(told["section"]), told["quote"], told["start"], told["end"],
        told.get("page"),
    )  # fmt: skip


def check_of(told: Sequence[Any]) -> Check:
    """A check back from its JSON form, a list."""
    figure, marks, ok, reason = told
    return Check(figure, tuple(marks), ok, reason)


def check_list(checks: Sequence[Check]) -> list[list[Any]]:
    return [[check.figure, list(check.marks), check.ok, check.reason] for check in checks]


def evidence_digest(passages: Sequence[Passage]) -> str:
    """First 16 hex digits of the sha256 of what was found for a question: documents and words, in order, wherever they
    stand."""
    chunks = [one.chunk for one in passages]
    found = [(one.doc_id, [line - one.lines[-1] for line in one.lines], one.start, one.text) for one in chunks]
    return hashlib.sha256(json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def moved(told: Mapping[str, Any], passages: Sequence[Passage]) -> dict[str, Any] | None:
    """The object of an answer with its lines where its passages stand now, which are those it was made from; None where
    it cites another."""
    places = {
        (old["doc"], before): (line, one.chunk)
        for old, one in zip(told["retrieved"], passages, strict=True)
        for before, line in zip(old["lines"], one.chunk.lines, strict=True)
    }
    citations = []
    for old in told["citations"]:
        found = [places.get((old["doc"], line)) for line in old["lines"]]
        if None in found:
            return None
        at = [place for place in found if place is not None]
        section, page = at[0][1].section, at[0][1].page
        citation = citation_of({**old, "lines": [line for line, _ in at], "section": section, "page": page})
        citations.append(_citation(citation))
    return {**told, "citations": citations, "retrieved": [_passage(passage) for passage in passages]}


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n,
        "doc": citation.doc,
        "lines": list(citation.lines),
        "section": list(citation.section),
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        **({"page": citation.page} if citation.page is not None else {}),
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {"doc": passage.chunk.doc_id, "lines": list(passage.chunk.lines), "score": passage.score}
