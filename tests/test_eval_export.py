"""The run in other tools' formats, against small ones written by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eval.dataset import Question
from eval.export import place_name, ragas, ragchecker, trec_qrels, trec_run
from index.types import Document, Line
from tests.fakes import paragraph, row

CHUNKS = (
    paragraph("粮食产能达到145万吨以上。", 2),
    row([("指标", "粮食产能"), ("2025年", "145")], 4),
    replace(paragraph("别的文件。", 2, doc="other"), id="other"),
)
DOCUMENT = Document("plan", "规划", "plan.txt", "", tuple(Line(n, f"第{n}行") for n in range(1, 6)))
ROWS: list[dict[str, Any]] = [
    {
        "id": "q-1a",
        "question": "粮食产能多少？",
        "expected": "145万吨以上。",
        "gold_lines": [[2], [4, 5]],
        "answer": "145万吨以上。[1]",
        "retrieved": [
            {"doc": "plan", "lines": [2], "score": 0.2, "chunk": CHUNKS[0].id},
            {"doc": "other", "lines": [2], "score": 0.9, "chunk": "other"},
        ],
    }
]
QUESTION = Question("q-1a", "q-1", "", "target", "", (), (frozenset({2}),), (frozenset({5}),), (("145",),), ())


@pytest.mark.parametrize(
    ("lines", "name"), [((256,), "plan:256"), ((7, 5, 6), "plan:5-7"), ((89, 95, 96), "plan:89,95-96")]
)
def test_a_place_has_a_name_without_blanks(lines: tuple[int, ...], name: str) -> None:
    assert place_name("plan", lines) == name


def test_trec_run_keeps_the_order_by_its_scores() -> None:
    assert trec_run(ROWS, "dev") == "q-1a Q0 plan:2 1 2 dev\nq-1a Q0 other:2 2 1 dev\n"


def test_trec_qrels_name_every_place_of_the_evidence() -> None:
    assert trec_qrels([QUESTION], CHUNKS, "plan") == "q-1a 0 plan:2 1\nq-1a 0 plan:4-5 1\n"


def test_ragas_columns() -> None:
    assert list(ragas(ROWS, DOCUMENT, CHUNKS)) == [
        {
            "user_input": "粮食产能多少？",
            "response": "145万吨以上。[1]",
            "retrieved_contexts": ["粮食产能达到145万吨以上。", "别的文件。"],
            "reference": "145万吨以上。",
            "reference_contexts": ["第2行", "第4行\n第5行"],
        }
    ]


def test_ragchecker_input() -> None:
    assert ragchecker(ROWS, CHUNKS) == {
        "results": [
            {
                "query_id": "q-1a",
                "query": "粮食产能多少？",
                "gt_answer": "145万吨以上。",
                "response": "145万吨以上。[1]",
                "retrieved_context": [
                    {"doc_id": CHUNKS[0].id, "text": "粮食产能达到145万吨以上。"},
                    {"doc_id": "other", "text": "别的文件。"},
                ],
            }
        ]
    }
