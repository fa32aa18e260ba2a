"""From which likeness on is a question the paraphrase of one that was approved? What `LIKE` in rag/library.py is chosen
from.

    python -m eval wordings [SET…] [--index DIR]

Each question of the sets takes its turn as one whose answer was approved, and every other is held against it as the
pipeline does (`Pipeline.likeness`). Questions of one family ask the same in other words and may match; questions of
other families ask something else, unless they want the same key points from the same lines. Wordings of one key point
differ between sets, so the pairs of different questions are told one by one, to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.dataset import Question, read_set
from rag.cite import cite
from rag.library import LIKE, Approved, same, sources_of
from rag.pipeline import Pipeline, Reply
from rag.types import Query, Status
from rag.understand import understand

LISTED_FROM = 0.5  # likeness of pairs of different questions that are told one by one
STEPS = tuple(sorted({*(step / 100 for step in range(50, 100, 5)), LIKE}))


@dataclass(frozen=True)
class Pair:
    """Two questions that agree in all but their wording, and how alike that is. `kind`: "family" for two wordings of
    one question, "alike" for two rows that ask the same in different families, "other" for different questions,
    "refused" for different questions that the document answers neither of."""

    asked: str
    approved: str
    likeness: float
    kind: str


def pairs(
    sets: Sequence[Path], pipeline: Pipeline, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Pair]:
    """Every two questions of the sets that could match, the most alike first; the likeness is that in the direction
    that gives more. Questions that differ in spaces and punctuation alone are one question and make no pair."""
    questions = [question for path in sets for question in read_set(path) if not question.history]
    ready: list[tuple[Question, Query, Reply, Approved]] = []
    for done, question in enumerate(questions, 1):
        query = understand(question.question, (), pipeline.frame)
        reply = pipeline.reply(query)
        # Read here and not asked for by `ask`: it would search a second time.
        text = "".join(piece for piece in reply.pieces if isinstance(piece, str))
        text, citations = cite(text, [one.passage for one in reply.evidence], reply.stretches)
        sources = sources_of(citations, pipeline.index.document_of)
        status: Status = "answered" if reply.verdict.answered else "refused"
        approved = Approved(query.text, text, status, sources, (), {}, "", "")
        ready.append((question, query, reply, approved))
        progress(done, len(questions))
    found: dict[tuple[str, str], Pair] = {}
    by_quote: dict[str, list[int]] = {}
    for at, (_, _, _, approved) in enumerate(ready):
        if approved.sources:
            by_quote.setdefault(approved.sources[0].citation.quote, []).append(at)
    for at, (asked, query, reply, _) in enumerate(ready):
        if not reply.evidence:
            continue
        text = reply.evidence[0].text
        for other in [other for quote, others in by_quote.items() if quote in text for other in others]:
            question, told, _, approved = ready[other]
            if other == at or same(told.text) == same(query.text):
                continue
            likeness = pipeline.likeness(approved, query, reply)
            names = (min(asked.id, question.id), max(asked.id, question.id))
            if likeness > 0 and (names not in found or likeness > found[names].likeness):
                found[names] = Pair(asked.question, question.question, likeness, _kind(asked, question))
    return sorted(found.values(), key=lambda pair: -pair.likeness)


def _kind(one: Question, other: Question) -> str:
    if one.family == other.family:
        return "family"
    if not one.answerable and not other.answerable:
        return "refused"
    answered = one.answerable and other.answerable and bool(one.evidence & other.evidence)
    return "alike" if answered and _wanted(one, other) and _wanted(other, one) else "other"


def _wanted(one: Question, other: Question) -> bool:
    """Whether every key point of a question is one of another's."""
    return all(any(set(point) & set(its) for its in other.must_include) for point in one.must_include)


def told(found: Sequence[Pair]) -> str:
    """How many pairs match at each likeness, and those of different questions one by one."""
    lines = [f"{'相似度':>4}  同题异说  异族同问  不同问题  都未载明"]
    for step in STEPS:
        counts = [sum(pair.kind == kind and pair.likeness >= step for pair in found) for kind in KINDS]
        lines.append(f"{step:7.2f}" + "".join(f"{count:10}" for count in counts) + ("  ←" if step == LIKE else ""))
    listed = [pair for pair in found if pair.kind in ("other", "refused", "alike") and pair.likeness >= LISTED_FROM]
    lines += [f"{pair.likeness:.3f} {NAMES[pair.kind]}：{pair.asked}｜{pair.approved}" for pair in listed]
    return "\n".join(lines)


NAMES = {"family": "同题异说", "alike": "异族同问", "other": "不同问题", "refused": "都未载明"}
KINDS = tuple(NAMES)
