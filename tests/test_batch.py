"""Lists of questions in, answers out: in order, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.batch import Row, answer_rows, read_rows, record, run
from rag.errors import BatchError
from rag.pipeline import Pipeline
from rag.types import Turn
from tests.fakes import Asked

FIELDS = ["id", "question", "answer", "status", "citations", "retrieved", "confidence", "backend", "seconds"]
GRAIN = "2030年粮食综合生产能力要达到多少？"


def written(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def answers(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# --- reading


def test_rows_are_read_in_order_with_blank_lines_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(
        '\ufeff{"id": "b", "question": "甲"}\r\n\n   \n{"id": 7, "question": "乙"}\n'
        '{"question": "丙", "history": null}\n'
        '{"id": null, "question": "丁", "history": [{"question": "甲", "answer": "一"}]}',
        encoding="utf-8",
    )
    assert read_rows(path) == [
        Row("b", "甲"),
        Row(7, "乙"),
        Row("5", "丙"),  # the number of its line
        Row("6", "丁", (Turn("甲", "一"),)),
    ]


@pytest.mark.parametrize(
    "line",
    [
        '{"question": "甲"',
        "甲",
        '"甲"',
        "[1]",
        "5",
        "null",
        '{"id": 1}',
        '{"question": null}',
        '{"question": 5}',
        '{"question": ["甲"]}',
        '{"question": "甲", "history": "乙"}',
        '{"question": "甲", "history": 5}',
        '{"question": "甲", "history": [5]}',
        '{"question": "甲", "history": [{"question": "乙"}]}',
        '{"question": "甲", "history": [{"question": 5, "answer": "乙"}]}',
        '{"question": "甲", "history": [{"question": "乙", "answer": null}]}',
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"question": "好"}}\n\n{line}\n', encoding="utf-8")
    with pytest.raises(BatchError, match="第 3 行") as raised:
        read_rows(path)
    assert "\n" not in str(raised.value)
    assert "请更正这一行" in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="没有找到问题文件"):
        read_rows(tmp_path / "none.jsonl")
    for content in ("", "\n \n"):
        (tmp_path / "empty.jsonl").write_text(content, encoding="utf-8")
        with pytest.raises(BatchError, match="是空的"):
            read_rows(tmp_path / "empty.jsonl")
    (tmp_path / "gb.jsonl").write_bytes('{"question": "粮食产能是多少？"}'.encode("gb18030"))
    with pytest.raises(BatchError, match="应为 UTF-8 编码") as raised:
        read_rows(tmp_path / "gb.jsonl")
    assert "codec" not in str(raised.value)
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(BatchError, match="读不出"):
        read_rows(tmp_path / "folder.jsonl")


# --- records


def test_a_record_has_exactly_the_fields_of_the_contract(answered: list[Asked]) -> None:
    for one in answered:
        row = record(one.question.id, one.asked)
        assert list(row) == FIELDS, one.question.id
        assert row["id"] == one.question.id
        assert row["question"] == one.question.question
        assert row["status"] in ("answered", "refused")
        assert len(row["retrieved"]) >= 10
        for citation in row["citations"]:
            assert list(citation) == ["n", "doc", "lines", "section", "quote", "start", "end"]
        for place in row["retrieved"]:
            assert list(place) == ["doc", "lines", "score"]
        assert json.loads(json.dumps(row, ensure_ascii=False)) == row


def test_an_error_row_has_the_fields_and_its_reason(yunze: Pipeline) -> None:
    (row,) = answer_rows(yunze, [Row("x", "😀")])
    assert list(row) == [*FIELDS, "error"]
    assert (row["status"], row["answer"], row["citations"], row["retrieved"]) == ("error", "", [], [])
    assert "请用中文" in row["error"]


# --- the whole run


def test_rows_keep_their_ids_and_order_and_errors_do_not_stop_the_run(yunze: Pipeline, tmp_path: Path) -> None:
    source = written(
        tmp_path / "in.jsonl",
        [
            {"id": "z-1", "question": GRAIN},
            {"id": 3, "question": ""},
            {"id": "a", "question": "2035年粮食综合生产能力是多少？"},
            {"id": "long", "question": "粮" * 10_000},
            {"id": "那", "question": "那2025年呢？", "history": [{"question": GRAIN, "answer": "96万吨"}]},
        ],
    )
    seen: list[tuple[int, int]] = []
    out = tmp_path / "out.jsonl"
    assert run(yunze, source, out, lambda done, total: seen.append((done, total))) == 2
    rows = answers(out)
    assert [row["id"] for row in rows] == ["z-1", 3, "a", "long", "那"]
    assert [row["status"] for row in rows] == ["answered", "error", "refused", "error", "answered"]
    assert ["error" in row for row in rows] == [False, True, False, True, False]
    assert "91.5万吨" in rows[4]["answer"]
    assert seen == [(n, 5) for n in range(1, 6)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_half_a_surrogate_pair_is_written_as_json_writes_it(yunze: Pipeline, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"question": "2030年森林覆盖率要达到多少？\\ud83d"}\n', encoding="utf-8")
    out = tmp_path / "out.jsonl"
    assert run(yunze, source, out) == 0
    (row,) = answers(out)
    assert row["question"].endswith("\ud83d")
    assert row["status"] == "answered"


@pytest.mark.parametrize(("source", "out"), [("in.doc", "out.jsonl"), ("in.jsonl", "out.doc"), ("in", "out.jsonl")])
def test_other_endings_are_refused(yunze: Pipeline, tmp_path: Path, source: str, out: str) -> None:
    written(tmp_path / source, [{"question": GRAIN}])
    with pytest.raises(BatchError):
        run(yunze, tmp_path / source, tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == [source]


def test_a_place_that_cannot_be_written_is_named_and_left_clean(yunze: Pipeline, tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", [{"question": GRAIN}])
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "folder.jsonl").mkdir()
    places = ("none/out.jsonl", "file/out.jsonl", "folder.jsonl", f"{'长' * 80}.jsonl")
    for place in places:
        with pytest.raises(BatchError, match="写不进") as raised:
            run(yunze, source, tmp_path / place)
        assert "\n" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.jsonl", "in.jsonl"]
    assert list((tmp_path / "folder.jsonl").iterdir()) == []


def test_a_run_that_breaks_off_leaves_the_answers_that_stood_there(yunze: Pipeline, tmp_path: Path) -> None:
    source = written(tmp_path / "in.jsonl", [{"question": GRAIN}, {"question": GRAIN}])
    out = tmp_path / "out.jsonl"
    out.write_text("earlier answers\n", encoding="utf-8")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(yunze, source, out, stop)
    assert out.read_text(encoding="utf-8") == "earlier answers\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_the_list_itself_may_be_replaced_by_its_answers(yunze: Pipeline, tmp_path: Path) -> None:
    path = written(tmp_path / "list.jsonl", [{"id": 1, "question": GRAIN}])
    assert run(yunze, path, path) == 0
    assert answers(path)[0]["status"] == "answered"
