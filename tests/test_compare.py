"""Comparing two runs: against differences worked out by hand, over runs as eval.run writes them, and refusals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.compare import PRIMARY, ComparisonError, RecordError, chance, compare, read_run, told
from eval.run import run
from eval.stats import Interval, holm
from rag.config import Config
from tests.test_run import ROWS as SMALL
from tests.test_run import written

MANIFEST = {
    "set": "small",
    "set_sha256": "5e7" * 10,
    "document": "plan",
    "document_sha256": "d0c",
    "code_sha256": "c" * 64,
    "settings": {"llm": "extractive", "refuse_below": None},
}
ACCURACY = {"value": 0.5, "n": 4, "low": 0.1, "high": 0.9}
FIGURES = {
    "overall": {"accuracy": ACCURACY},
    "by_type": {"fact": {"accuracy": ACCURACY}},
    "by_wording": {"official": {"accuracy": ACCURACY}},
}
TIMING = {"answers": 4, "p50_seconds": 0.005, "p95_seconds": 0.0123, "peak_memory_mb": 178.4}


def asked(number: int, right: bool, wording: str = "official", **changes: Any) -> dict[str, Any]:
    """A row as eval.run writes it. Wordings share the family of their number."""
    row = {
        "id": f"q-{number}{wording[:1]}",
        "family": f"q-{number}",
        "wording": wording,
        "type": "fact",
        "question": f"第{number}问？",
        "expected": "145万吨。",
        "gold_lines": [[2]],
        "answer": "145万吨。[1]" if right else "154万吨。[1]",
        "status": "answered",
        "expected_status": "answered",
        "citations": [
            {"n": 1, "doc": "plan", "lines": [2], "section": ["甲章", "乙节"], "quote": "145万吨", "start": 0, "end": 5}
        ],
        "retrieved": [{"doc": "plan", "lines": [2], "score": 1.0, "chunk": "c"}],
        "confidence": 0.9,
        "backend": "原文摘录",
        "verdict": "right" if right else "wrong",
        "failure": None if right else "wrong figure",
        "slot_faults": [],
        "scores": {
            "accuracy": float(right),
            "target_exact": float(right),
            "refusal": 1.0,
            "citation_recall_sentence": 0.5,
            "evidence_recall": None,
        },
    }
    return row | changes


def recorded(
    folder: Path, rows: Sequence[Mapping[str, Any]], figures: Mapping[str, Any] = FIGURES, **manifest: Any
) -> Path:
    folder.mkdir()
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    for name, value in (("figures", figures), ("manifest", {**MANIFEST, **manifest}), ("timing", TIMING)):
        (folder / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return folder


# Five families. Of the first, both wordings become right; the second becomes right, the third wrong; the others stay.
BEFORE = [asked(1, False), asked(1, False, "everyday"), asked(2, False), asked(3, True), asked(4, True), asked(5, True)]
AFTER = [asked(1, True), asked(1, True, "everyday"), asked(2, True), asked(3, False), asked(4, True), asked(5, True)]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    settings = {"llm": "local:model", "refuse_below": None}
    return recorded(tmp_path / "old", BEFORE), recorded(tmp_path / "new", AFTER[::-1], settings=settings)


def test_differences_are_paired_by_question(folders: tuple[Path, Path]) -> None:
    found = compare(*folders)
    delta = {one.metric: one for one in found.deltas}["accuracy"]
    assert (delta.n, delta.a, delta.b) == (6, 3 / 6, 5 / 6)
    assert delta.difference == pytest.approx(2 / 6)
    assert (delta.fell, delta.rose) == (1, 3)
    # McNemar: 2 (1 + 4) / 2^4. By family the sums are 2, 1, -1: all 8 patterns of signs but four reach 2.
    assert delta.mcnemar == 10 / 16
    assert delta.p == 6 / 8
    assert isinstance(delta.interval, Interval)
    assert delta.interval.low < 2 / 6 < delta.interval.high


def test_primary_scores_come_first_and_share_an_error_rate(folders: tuple[Path, Path]) -> None:
    found = compare(*folders)
    first = found.deltas[:3]
    assert tuple(one.metric for one in first) == PRIMARY
    assert [one.adjusted for one in first] == holm([one.p for one in first])
    assert {one.adjusted for one in found.deltas[3:]} == {None}


def test_a_score_that_is_no_yes_or_no_has_no_mcnemar_and_one_that_nobody_has_is_left_out(
    folders: tuple[Path, Path],
) -> None:
    by_name = {one.metric: one for one in compare(*folders).deltas}
    assert by_name["citation_recall_sentence"].mcnemar is by_name["citation_recall_sentence"].fell is None
    assert by_name["refusal"].mcnemar == 1.0
    assert "evidence_recall" not in by_name


def test_a_score_counts_where_both_runs_have_it(tmp_path: Path) -> None:
    half = [asked(1, True, scores={"target_exact": 1.0}), asked(2, True, scores={"target_exact": None})]
    full = [asked(1, True, scores={"target_exact": 0.0}), asked(2, True, scores={"target_exact": 1.0})]
    (delta,) = compare(recorded(tmp_path / "a", half), recorded(tmp_path / "b", full)).deltas
    assert (delta.n, delta.a, delta.b, delta.interval) == (1, 1.0, 0.0, None)


def test_what_flipped_and_what_was_set_otherwise(folders: tuple[Path, Path]) -> None:
    found = compare(*folders)
    assert [(flip.id, flip.gained) for flip in found.flips] == [
        ("q-1e", True),
        ("q-1o", True),
        ("q-2o", True),
        ("q-3o", False),
    ]
    assert {flip.failure for flip in found.flips} == {"wrong figure"}
    assert found.settings == {"settings.llm": ("extractive", "local:model")}
    assert found.reworded == 4


def test_it_is_told_in_words(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *map(str, folders)]) == 0
    text = capsys.readouterr().out
    assert text == told(compare(*folders)) + "\n"
    assert "A old，B new：题集 small，6 题，5 个题族。" in text
    assert "两次的不同：settings.llm extractive → local:model。" in text
    assert "| ★ 目标值全对 | 6 | 50.0% | 83.3% | +33.3（" in text
    assert "| 1 / 3 | 0.625 |" in text
    assert "★ 该答则答、该拒则拒 | 6 | 100.0% | 100.0% | 0.0（0.0 到 0.0） | 1.000 | 1.000 | 0 / 0 | 1.000 |" in text
    assert "目标值全对：看不出差别" in text
    assert "B 新答对 3 题：\n  q-1e 现状（原数字不对）第1问？" in text
    assert "B 新答错 1 题：\n  q-3o 现状（现数字不对）第3问？" in text


def test_a_difference_beyond_chance_is_called_one(tmp_path: Path) -> None:
    worse = [asked(number, False) for number in range(20)]
    better = [asked(number, True) for number in range(20)]
    text = told(compare(recorded(tmp_path / "a", worse), recorded(tmp_path / "b", better)))
    assert "目标值全对：B 高 100.0 个百分点，不像是偶然。" in text
    # 20 families of one sign: 1 in 10,001 draws, three tests.
    assert "| <0.001 | <0.001 | 0 / 20 | <0.001 |" in text
    assert "B 新答错 0 题。" in text


def test_a_run_beside_itself_does_not_differ(tmp_path: Path, yunze_folder: Path) -> None:
    source = written(tmp_path, SMALL)
    for name in "ab":
        run(source, tmp_path / name, Config(index=yunze_folder))
    found = compare(tmp_path / "a", tmp_path / "b")
    assert (found.flips, found.settings, found.reworded) == ((), {}, 0)
    assert {one.metric for one in found.deltas} >= {*PRIMARY, "accuracy", "recall@5", "mrr@10"}
    assert {(one.difference, one.p) for one in found.deltas} == {(0.0, 1.0)}
    assert "两次的不同：没有。" in told(found)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"set_sha256": "f" * 64},
            r"两次评测的题集不同（.*5e75e75e75….*ffffffffff…）.*请对同一题集和同一文件各评测一次",
        ),
        ({"document_sha256": "other"}, "两次评测的文件不同（.*d0c.*other）"),
    ],
)
def test_runs_of_other_sets_or_documents_are_refused(tmp_path: Path, changed: dict[str, str], reason: str) -> None:
    a, b = recorded(tmp_path / "a", BEFORE), recorded(tmp_path / "b", BEFORE, **changed)
    with pytest.raises(ComparisonError, match=reason):
        compare(a, b)


def test_runs_of_other_questions_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = recorded(tmp_path / "a", BEFORE), recorded(tmp_path / "b", [*BEFORE[1:], asked(9, True)])
    assert main(["compare", str(a), str(b)]) == 2
    told_ = capsys.readouterr().err
    assert told_.count("\n") == 1
    assert f"只在 {a} 的 1 题，只在 {b} 的 1 题，如 q-1o" in told_


@pytest.mark.parametrize("name", ["rows.jsonl", "figures.json", "manifest.json", "timing.json"])
def test_a_folder_without_a_whole_run_is_refused(tmp_path: Path, name: str) -> None:
    folder = recorded(tmp_path / "a", BEFORE)
    (folder / name).unlink()
    with pytest.raises(RecordError, match=f"没有完整的评测结果（缺 {name}）：请先运行 python -m eval run"):
        read_run(folder)


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    for place in (file, tmp_path / "none"):
        with pytest.raises(RecordError, match="没有完整的评测结果"):
            read_run(place)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", r"rows\.jsonl 第 1 行不是 JSON"),
        ("[1]", r"rows\.jsonl 第 1 行应是一个 JSON 对象"),
        ('{"id": "q"}', r"rows\.jsonl 第 1 行缺少 answer、citations、"),
        ("\n", r"rows\.jsonl 是空的"),
        ("\n".join([json.dumps(BEFORE[0])] * 2), "编号 q-1o 出现两次"),
        ("\udcff", r"读不出 .*rows\.jsonl"),
    ],
)
def test_a_broken_file_of_rows_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    folder = recorded(tmp_path / "a", BEFORE)
    (folder / "rows.jsonl").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(RecordError, match=reason):
        read_run(folder)


def test_a_small_chance_is_not_told_as_none() -> None:
    assert [chance(p) for p in (1.0, 0.0421, 0.001, 0.00099, 1e-90)] == ["1.000", "0.042", "0.001", "<0.001", "<0.001"]
