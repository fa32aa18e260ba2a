"""Question sets, and how an answer's words are matched to a row: to the letter the marking of the project."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval.dataset import SETS, Question, SetError, covered, key_points, plain, read_set, says
from rag.types import Turn

ROW: dict[str, Any] = {
    "id": "q-1a",
    "family": "q-1",
    "type": "fact",
    "question": "森林覆盖率是多少？",
    "gold_lines": [[8]],
    "must_include": [["27.5"]],
    "must_not_include": [],
}


def written(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def question(tmp_path: Path, **changes: object) -> Question:
    return read_set(written(tmp_path, ROW | changes))[0]


def test_a_row_is_read_with_what_it_may_leave_out(tmp_path: Path) -> None:
    assert question(tmp_path) == Question(
        "q-1a", "q-1", "", "fact", "森林覆盖率是多少？", (), (frozenset({8}),), (), (("27.5",),), ()
    )
    full = question(tmp_path, history=[{"question": "甲", "answer": "乙"}], alt_gold_lines=[[9, 10]], wording="short")
    assert full.history == (Turn("甲", "乙"),)
    assert full.evidence == {8, 9, 10}
    without = {name: value for name, value in ROW.items() if name != "family"}
    assert read_set(written(tmp_path, without))[0].family == "q-1a"


def test_what_cannot_be_answered_is_known_by_its_type(tmp_path: Path) -> None:
    assert question(tmp_path).answerable
    assert not question(tmp_path, type="unanswerable", gold_lines=[]).answerable


@pytest.mark.parametrize(
    "bad",
    [
        "{broken",
        "[]",
        "5",
        json.dumps({name: value for name, value in ROW.items() if name != "must_include"}),
        json.dumps(ROW | {"gold_lines": [8]}),
        json.dumps(ROW | {"history": [{"question": "甲"}]}),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(tmp_path: Path, bad: str) -> None:
    path = written(tmp_path, ROW)
    path.write_text(path.read_text(encoding="utf-8") + "\n" + bad + "\n", encoding="utf-8")
    with pytest.raises(SetError, match=r"set\.jsonl 第 3 行不能用"):
        read_set(path)


@pytest.mark.parametrize("path", sorted(path for path in SETS.glob("*.jsonl") if path.stem in ("dev", "test")))
def test_the_shipped_sets_can_be_read_and_their_ids_differ(path: Path) -> None:
    questions = read_set(path)
    assert len(questions) > 100
    assert len({q.id for q in questions}) == len(questions)
    assert all(q.evidence for q in questions if q.answerable)


def test_no_family_stands_in_both_sets() -> None:
    dev, test = (({q.family for q in read_set(SETS / f"{name}.jsonl")}) for name in ("dev", "test"))
    assert dev.isdisjoint(test)


def test_plain_takes_out_blanks_and_commas() -> None:
    assert plain("13,518 公里，占 ７％") == "13518公里占７%"


@pytest.mark.parametrize(
    ("text", "wording", "holds"),
    [
        ("达到70亿元", "70亿", True),
        ("达到170亿元", "70亿", False),
        ("达到70.5亿元", "70", False),
        ("达到1.70亿元", "70亿", False),
        ("达到70。", "70", True),
        ("13,518.8 公里", "13518.8公里", True),
        ("占７％", "７%", True),
        ("优质水稻、茶叶", "优质水稻", True),
        ("水稻", "优质水稻", False),
        ("共5.", "5", True),
        ("a+b", "a+b", True),
    ],
)
def test_a_figure_is_never_found_inside_a_longer_one(text: str, wording: str, holds: bool) -> None:
    assert says(text, wording) is holds


def test_key_points_are_the_share_of_groups_said(tmp_path: Path) -> None:
    asked = question(tmp_path, must_include=[["27.5", "百分之二十七点五"], ["2030"], ["森林"]])
    assert key_points("到2030年达到27.5%", asked) == pytest.approx(2 / 3)
    assert key_points("森林2030年百分之二十七点五", asked) == 1
    assert key_points("无", asked) == 0
    assert key_points("无", replace(asked, must_include=())) == 0


def test_evidence_needs_a_line_of_every_group(tmp_path: Path) -> None:
    one = question(tmp_path, gold_lines=[[8, 9]], alt_gold_lines=[[20]])
    assert covered(one, [(3,), (9, 10)])
    assert covered(one, [(20,)])
    assert not covered(one, [(10,)])
    assert not covered(one, [])
    two = question(tmp_path, gold_lines=[[8], [30]], alt_gold_lines=[[20]])
    assert covered(two, [(8,), (30,)])
    assert not covered(two, [(8,), (20,)])  # an alternative counts where there is one group
