"""What a re-run over other documents, index or settings changed, old and new answer side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.batch.journal import Answered, Decision, Journal
from rag.batch.reading import Value
from rag.batch.review import is_current, quoted
from rag.batch.state import evidence_told, state_of
from rag.batch.writing import write_sheet
from rag.pipeline import Pipeline

ANSWER, EVIDENCE, NEW, MOVED, SAME = "答复有变", "依据有变", "新问题", "只移了行", "未变"
HEADINGS = ("清单行", "问题", "变动", "原状态", "原答复", "现状态", "现答复", "原依据", "现依据")
WIDTHS = (7, 36, 10, 9, 50, 9, 50, 44, 44)


@dataclass(frozen=True)
class Changes:
    """Counts of the rows of a re-run: those whose `answers` are others, those whose words are the same and whose
    `evidence` is another, `new` questions, those whose quotations have `moved` to other lines, and the `unchanged`."""

    answers: int
    evidence: int
    new: int
    moved: int
    unchanged: int


def changes(journal: Journal) -> Changes | None:
    """What changed against the run before; None where there was none."""
    if not journal.has_earlier():
        return None
    decisions = journal.decisions()
    counts = Counter(change_of(row, decisions.get(row.position)) for row in journal.rows() if row.reply is not None)
    return Changes(counts[ANSWER], counts[EVIDENCE], counts[NEW], counts[MOVED], counts[SAME])


def write_changes(journal: Journal, pipeline: Pipeline, source: Path, out: Path) -> Path:
    """Write what changed to a workbook beside `out` and return its place. Raises BatchError where it cannot be
    written."""
    report = out.with_name(f"{out.stem}-变动.xlsx")
    titles = {document.id: document.title for document in pipeline.documents}
    write_sheet(report, source, "变动对照", _table(journal, titles), WIDTHS)
    return report


def earlier_state(row: Answered) -> str:
    """The state of a row in the run before, "" where it was not in it."""
    return "" if row.earlier is None else state_of(replace(row, reply=row.earlier))


def changed_rows(journal: Journal) -> Iterator[tuple[Answered, str]]:
    """The rows that came out otherwise than before, and how: what is worth a look."""
    decisions = journal.decisions()
    for row in journal.rows():
        if row.reply is not None and (what := change_of(row, decisions.get(row.position))) not in (SAME, MOVED):
            yield row, what


def _table(journal: Journal, titles: Mapping[str, str]) -> Iterator[list[Value]]:
    yield list(HEADINGS)
    for row, what in changed_rows(journal):
        old: Mapping[str, Any] | None = row.earlier
        new = row.reply or {}
        yield [
            row.row.number,
            row.row.question,
            what,
            earlier_state(row),
            old["record"]["answer"] if old else "",
            state_of(row),
            new["record"]["answer"],
            evidence_told(old, titles) if old else "",
            evidence_told(new, titles),
        ]


def change_of(row: Answered, decision: Decision | None) -> str:
    """How the reply of a row differs from that of the run before. An answer that has become what a reviewer made of it
    has not changed."""
    if row.earlier is None or row.reply is None:
        return NEW
    old, new = row.earlier["record"], row.reply["record"]
    decided = decision is not None and is_current(decision, row)
    if not decided and (old["status"], old["answer"]) != (new["status"], new["answer"]):
        return ANSWER
    if quoted(old) != quoted(new):
        return EVIDENCE
    return SAME if old["citations"] == new["citations"] else MOVED
