"""The set checker: each fault is found in the row it stands in, and the shipped sets have none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from eval.check import (
    check_set,
    check_sets,
    document_of,
    near_duplicates,
    place_names,
    prepared_questions,
    refuse,
    shared_families,
    shipped_document,
)
from eval.dataset import SETS, SetError, question_of, read_set
from index.reader import read
from index.types import Document
from tests.fakes import YUNZE

ROW: dict[str, Any] = {
    "id": "q-1a",
    "family": "q-1",
    "wording": "official",
    "type": "target",
    "question": "到2030年森林覆盖率达到多少？",
    "gold_lines": [[8]],
    "answer": "到2030年森林覆盖率达到27.5%。",
    "must_include": [["27.5", "百分之二十七点五"]],
    "must_not_include": ["72.5"],
    "slots": {
        "indicator": "森林覆盖率",
        "value": "27.5",
        "unit": "%",
        "year": "2030",
        "comparator": "=",
        "basis": "level",
    },
}


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = tmp_path / "yunze.txt"
    path.write_text(YUNZE, encoding="utf-8")
    return read(path)


def written(folder: Path, *rows: object, name: str = "mine") -> Path:
    path = folder / f"{name}.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def slots(**changes: str) -> dict[str, Any]:
    return {"slots": ROW["slots"] | changes}


def test_a_true_row_has_no_fault(tmp_path: Path, document: Document) -> None:
    unanswerable = ROW | {"id": "q-2a", "type": "unanswerable", "gold_lines": [], "must_include": [], "slots": None}
    assert check_set(written(tmp_path, ROW, unanswerable), document) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "riddle"}, "没有“riddle”这一类型"),
        ({"wording": "shouted"}, "没有“shouted”这种问法"),
        ({"question": " "}, "question 应为文字"),
        ({"id": 5}, "id 应为文字"),
        ({"gold_lines": [[800]]}, "依据行 800 不在文件里"),
        ({"alt_gold_lines": [[0]]}, "依据行 0 不在文件里"),
        ({"gold_lines": [["8"]]}, "整数行号"),
        ({"gold_lines": [[True]]}, "整数行号"),
        ({"gold_lines": []}, "至少有一组"),
        ({"gold_lines": [[]]}, "至少有一组"),
        ({"must_include": []}, "must_include 应至少有一组"),
        ({"must_include": [[""]]}, "非空的文字"),
        ({"gold_lines": [[5]]}, "不在依据行里"),
        ({"must_include": [["27.5"], ["2040"]]}, "要点 2040 不在"),
        ({"answer": "不清楚。"}, "不在标准答案里"),
        ({"must_not_include": ["27.5%"]}, "标准答案里有 must_not_include"),
        ({"type": "unanswerable"}, "应为空"),
        ({"history": [{"question": "甲", "answer": 5}]}, "history"),
        (slots(value="约"), "读不成一个数"),
        (slots(value="27.6"), "不在依据行里"),
        (slots(comparator="~="), "comparator"),
        (slots(basis="height"), "basis"),
        (slots(year="明年"), "year"),
    ],
)
def test_a_fault_is_named_with_its_row(
    tmp_path: Path, document: Document, changes: dict[str, Any], reason: str
) -> None:
    path = written(tmp_path, ROW, ROW | {"id": "q-9a"} | changes)
    problems = check_set(path, document)
    assert {problem.row for problem in problems} == {2}
    assert any(reason in problem.reason for problem in problems)
    with pytest.raises(SetError, match=r"mine\.jsonl 有 \d+ 处不能用.*\n  第 2 行"):
        refuse(path, problems)


@pytest.mark.parametrize(
    ("broken", "id", "reason"),
    [
        ("{", "?", "不是 JSON"),
        ("[]", "?", "不合格式"),
        ("7", "?", "不合格式"),
        ('{"id": "q"}', "q", "缺少 type"),
        (json.dumps(ROW | {"slots": {"value": "1"}}), "q-1a", "缺少 indicator"),
        (json.dumps(ROW | {"gold_lines": 8}), "q-1a", "不合格式"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(
    tmp_path: Path, document: Document, broken: str, id: str, reason: str
) -> None:
    (problem,) = check_set(written(tmp_path, ROW, broken), document)
    assert (problem.row, problem.id) == (2, id)
    assert problem.reason.startswith(reason)


def test_ids_are_not_given_twice(tmp_path: Path, document: Document) -> None:
    (problem,) = check_set(written(tmp_path, ROW, ROW), document)
    assert (problem.row, problem.id, problem.reason) == (2, "q-1a", "id 与前面的重复")


@pytest.mark.parametrize(("content", "reason"), [(b"", "是空的"), (b"\n \n", "是空的"), (b"\xff\xfe\xff", "UTF-8")])
def test_a_file_that_is_no_set_is_refused(tmp_path: Path, document: Document, content: bytes, reason: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(content)
    with pytest.raises(SetError, match=reason):
        check_set(path, document)
    with pytest.raises(SetError, match="没有找到题集"):
        check_set(tmp_path / "none.jsonl", document)


# --- the document of a set


def test_a_set_for_another_document_is_recognised(tmp_path: Path, document: Document) -> None:
    path = written(tmp_path, ROW)
    assert document_of(path, [document]) is document  # nothing is registered: the only document there is
    with pytest.raises(SetError, match="没有说明是为哪个文件编写的"):
        document_of(path, [document, document])
    sidecar = tmp_path / "sets.json"
    entry = {"document": "yunze", "document_sha256": hashlib.sha256(YUNZE.encode()).hexdigest()}
    sidecar.write_text(json.dumps({"mine": entry}), encoding="utf-8")
    assert document_of(path, [document]) is document
    sidecar.write_text(json.dumps({"mine": entry | {"document_sha256": "0" * 64}}), encoding="utf-8")
    with pytest.raises(SetError, match=r"是为 yunze（sha256 00000000…）编写的，索引里只有 yunze"):
        document_of(path, [document])


@pytest.mark.parametrize("content", ["{", "[]", '{"mine": {"document": "yunze"}}', '{"mine": 5}'])
def test_a_broken_sidecar_is_refused(tmp_path: Path, document: Document, content: str) -> None:
    (tmp_path / "sets.json").write_text(content, encoding="utf-8")
    with pytest.raises(SetError, match=r"sets\.json 应为每个题集写明"):
        document_of(written(tmp_path, ROW), [document])


# --- between sets


def test_families_on_both_sides_are_named() -> None:
    one, other = question_of(ROW), question_of(ROW | {"id": "q-2a", "family": "q-2"})
    assert shared_families({"a": [one], "b": [other]}) == []
    assert shared_families({"a": [one, other], "b": [other], "c": []}) == ["a 与 b 都有的题族：q-2"]


def test_near_duplicates_leave_numbers_and_names_aside() -> None:
    # Without 2030年's digits and 石湾县 both are 到年高标准农田达到多少: equal.
    asked = ["到2030年石湾县高标准农田达到多少？"]
    (near,) = near_duplicates(asked, ["到2025年,高标准农田达到多少?", "森林覆盖率是多少？"], ["石湾县"])
    assert (near.second, near.likeness) == ("到2025年,高标准农田达到多少?", 1)
    # 高标 标准 准农 农田 against those and 田在 在哪 哪里: 4 of 7 = 0.57, not above 0.6; without 里, 4 of 6.
    assert near_duplicates(["高标准农田"], ["高标准农田在哪里"], []) == []
    assert [near.likeness for near in near_duplicates(["高标准农田"], ["高标准农田在哪"], [])] == [4 / 6]


def test_the_shipped_sets_are_true_of_their_document() -> None:
    paths = [SETS / "dev.jsonl", SETS / "test.jsonl"]
    told, near = check_sets(paths)
    assert [line.split("：")[0] for line in told] == ["dev.jsonl", "test.jsonl"]
    document = shipped_document(paths[0])
    prepared = prepared_questions(document)
    assert prepared
    assert place_names(document)
    # Written apart from the prepared questions: few are alike.
    assert len({pair.first for pair in near}) < 0.05 * 640
    assert {pair.second for pair in near} <= set(prepared)


def test_the_check_refuses_a_family_in_two_sets(tmp_path: Path) -> None:
    line = (SETS / "dev.jsonl").read_text(encoding="utf-8").split("\n")[0]
    entries = json.loads((SETS / "sets.json").read_text(encoding="utf-8"))
    (tmp_path / "sets.json").write_text(json.dumps({"a": entries["dev"], "b": entries["dev"]}), encoding="utf-8")
    with pytest.raises(SetError, match=r"a\.jsonl 与 b\.jsonl 都有的题族"):
        check_sets([written(tmp_path, line, name="a"), written(tmp_path, line, name="b")])


def test_the_shipped_sets_hold_what_the_readme_says() -> None:
    questions = [question for name in ("dev", "test") for question in read_set(SETS / f"{name}.jsonl")]
    targets = sum(question.type == "target" for question in questions)
    unanswerable = sum(not question.answerable for question in questions)
    wordings: dict[str, set[str]] = {}
    for question in questions:
        wordings.setdefault(question.family, set()).add(question.wording)
    several = sum(len(kinds) >= 3 for kinds in wordings.values())
    text = (SETS.parents[1] / "README.md").read_text(encoding="utf-8").replace("\n", " ")
    told = f"{len(questions)} questions written from the plan ({targets} on targets, {unanswerable} that it does not "
    assert f"{told}answer, {several} facts in three or more kinds of wording)" in text
    assert targets >= 140
    assert several >= 60
    assert unanswerable >= len(questions) / 4
