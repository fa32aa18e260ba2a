"""A run in the formats of other evaluation tools, so that its figures can be had again from them.

TREC (trec_eval): a document is a place in the text, named <doc>:<first line>[-<last line>]; every place with a line of
the evidence is relevant. RAGAS: the columns of its SingleTurnSample. RAGChecker: the input of its RAGResults. Both
judge with a language model, which is not part of this project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from eval.dataset import Question
from index.types import Chunk, Document

CONTEXTS = 10  # passages that a judge is given with an answer
Row = Mapping[str, Any]


def place_name(doc: str, lines: Iterable[int]) -> str:
    """The name of a place in the text, without blanks: plan:256, plan:215-221 or, with a gap, plan:89,95-99."""
    runs: list[list[int]] = []
    for line in sorted(lines):
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    return f"{doc}:" + ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def trec_run(rows: Sequence[Row], tag: str) -> str:
    """`qid Q0 docno rank score tag` for every passage retrieved. trec_eval orders by score, so the score written falls
    by one from rank to rank; the tool's own score may not, where its evidence moved a passage up."""
    lines = []
    for row in rows:
        count = len(row["retrieved"])
        for rank, place in enumerate(row["retrieved"], 1):
            name = place_name(place["doc"], place["lines"])
            lines.append(f"{row['id']} Q0 {name} {rank} {count + 1 - rank} {tag}\n")
    return "".join(lines)


def trec_qrels(questions: Iterable[Question], chunks: Sequence[Chunk], doc: str) -> str:
    """`qid 0 docno 1` for every place of the document with a line of the evidence."""
    places = {chunk.lines: place_name(doc, chunk.lines) for chunk in chunks if chunk.doc_id == doc}
    return "".join(
        f"{question.id} 0 {name} 1\n"
        for question in questions
        for lines, name in places.items()
        if question.evidence & set(lines)
    )


def ragas(rows: Sequence[Row], document: Document, chunks: Sequence[Chunk]) -> Iterator[dict[str, Any]]:
    """A RAGAS sample for each row; the reference of a question that the document does not answer is the set's own
    sentence saying so."""
    text_of = {chunk.id: chunk.text for chunk in chunks}
    for row in rows:
        groups = [[document.lines[line - 1].text for line in group] for group in row["gold_lines"]]
        yield {
            "user_input": row["question"],
            "response": row["answer"],
            "retrieved_contexts": [text_of[place["chunk"]] for place in row["retrieved"][:CONTEXTS]],
            "reference": row["expected"],
            "reference_contexts": ["\n".join(group) for group in groups],
        }


def ragchecker(rows: Sequence[Row], chunks: Sequence[Chunk]) -> dict[str, Any]:
    """The rows as RAGChecker reads them."""
    text_of = {chunk.id: chunk.text for chunk in chunks}
    return {
        "results": [
            {
                "query_id": row["id"],
                "query": row["question"],
                "gt_answer": row["expected"],
                "response": row["answer"],
                "retrieved_context": [
                    {"doc_id": place["chunk"], "text": text_of[place["chunk"]]} for place in row["retrieved"][:CONTEXTS]
                ],
            }
            for row in rows
        ]
    }
