"""python -m rag: what it prints, and one line and exit code 2 for what the user can mend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
FOREST = "2030年森林覆盖率要达到多少？"


def test_ask_prints_the_answer_and_where_it_stands(yunze_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", FOREST, "--index", str(yunze_folder)]) == 0
    text, citation = capsys.readouterr().out.splitlines()
    assert "27.5%" in text
    assert text.endswith("[1]")
    assert citation.strip() == "[1] yunze 第8行  第二章 主要目标 › 生态质量稳步提升"


def test_ask_prints_json(yunze_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", FOREST, "--json", "--index", str(yunze_folder)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    row = json.loads(line)
    assert (row["question"], row["status"]) == (FOREST, "answered")
    assert row["citations"][0]["lines"] == [8]


def test_a_refusal_is_no_failure(yunze_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "2035年森林覆盖率要达到多少？", "--index", str(yunze_folder)]) == 0
    assert "规划没有写明这一项2035年的情况" in capsys.readouterr().out


@pytest.mark.parametrize(
    "question", ["", "   ", "😀🎉", "forest coverage?", "粮" * 10_000, "<script></script>", "\u200b\x07", "\udcff"]
)
def test_a_question_that_cannot_be_asked_is_one_line_and_exit_2(
    yunze_folder: Path, capsys: pytest.CaptureFixture[str], question: str
) -> None:
    assert main(["ask", question, "--index", str(yunze_folder)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.endswith("。")


def test_what_stands_around_a_question_does_not_matter(
    yunze_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ask", FOREST, "--index", str(yunze_folder)])
    plain = capsys.readouterr().out
    for question in ("2030年森林覆蓋率要達到多少？", f"<b>{FOREST}</b>", f"\u200b{FOREST}\x07"):
        assert main(["ask", question, "--index", str(yunze_folder)]) == 0
        assert capsys.readouterr().out == plain


@pytest.mark.parametrize("command", [["ask", FOREST], ["batch", "IN", "--out", "OUT"]])
def test_a_missing_index_and_an_unknown_answerer_are_exit_2(
    tmp_path: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    given = {"IN": str(tmp_path / "in.jsonl"), "OUT": str(tmp_path / "out.jsonl")}
    (tmp_path / "in.jsonl").write_text(json.dumps({"question": FOREST}), encoding="utf-8")
    arguments = [given.get(argument, argument) for argument in command]
    assert main([*arguments, "--index", str(tmp_path / "none")]) == 2
    assert "python -m index build" in capsys.readouterr().err
    assert main([*arguments, "--index", str(yunze_folder), "--llm", "oracle"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "oracle" in line
    assert not (tmp_path / "out.jsonl").exists()


def test_a_damaged_index_is_exit_2(
    tmp_path: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in yunze_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "vectors.faiss").write_bytes(b"no vectors")
    assert main(["ask", FOREST, "--index", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "vectors.faiss" in line
    (tmp_path / "vectors.faiss").unlink()
    assert main(["ask", FOREST, "--index", str(tmp_path)]) == 2
    assert "缺 vectors.faiss" in capsys.readouterr().err


def test_batch_writes_every_row_and_is_exit_1_where_one_failed(
    tmp_path: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": "a", "question": FOREST}, {"id": "b", "question": "??"}]
    source.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    command = ["batch", str(source), "--out", str(out), "--index", str(yunze_folder)]
    assert main(command) == 1
    assert "其中 1 行未能回答" in capsys.readouterr().err
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(row["id"], row["status"]) for row in written] == [("a", "answered"), ("b", "error")]
    source.write_text(json.dumps(rows[0]), encoding="utf-8")
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1


@pytest.mark.parametrize("content", [None, b"", b"{broken", '{"question": "甲"}'.encode("gb18030"), b'{"id": 1}'])
def test_a_list_that_cannot_be_read_is_exit_2(
    tmp_path: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    if content is not None:
        source.write_bytes(content)
    assert main(["batch", str(source), "--out", str(out), "--index", str(yunze_folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "in.jsonl" in line
    assert not out.exists()


def test_an_output_folder_that_is_missing_is_exit_2(
    tmp_path: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"question": FOREST}), encoding="utf-8")
    assert main(["batch", str(source), "--out", str(tmp_path / "none" / "o.jsonl"), "--index", str(yunze_folder)]) == 2
    assert "写不进" in capsys.readouterr().err


def test_doctor_names_cause_and_cure_of_a_missing_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--index", str(tmp_path / "none")]) == 1
    printed = capsys.readouterr().out
    assert "有误  索引" in printed
    assert "python -m index build" in printed


def test_as_a_process_an_error_is_one_line_without_traceback(yunze_folder: Path) -> None:
    command = [sys.executable, "-m", "rag", "ask", "hello", "--index", str(yunze_folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_arguments_that_are_wrong_are_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["sing"], ["ask"], ["batch", "in.jsonl"]):
        with pytest.raises(SystemExit) as raised:
            main(arguments)
        assert raised.value.code == 2
    assert "usage" in capsys.readouterr().err
