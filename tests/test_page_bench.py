"""The evaluation behind the page: sets, one run at a time, stopping and going on, and the runs there are."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Semaphore
from typing import Any

import pytest

import eval.run
from eval.dataset import SetError
from eval.run import run
from index.build import build
from page.bench import SET_NAMES, Bench, BenchError, Job
from rag.config import Config
from rag.pipeline import Pipeline
from tests.conftest import PATIENCE
from tests.test_run import ROWS, rows_of, written


def until(bench: Bench, true: Callable[[Job], bool]) -> Job:
    for _ in range(PATIENCE * 50):
        if bench.job is not None and true(bench.job):
            return bench.job
        time.sleep(0.02)
    raise AssertionError(f"still {bench.job}")


def ended(bench: Bench) -> Job:
    return until(bench, lambda job: not job.live)


def stop(bench: Bench, gate: Semaphore) -> None:
    """Stop while a question is being answered, and let that one through."""
    bench.stop()
    gate.release()
    ended(bench)


def test_sets_are_those_of_the_project_by_name_and_those_uploaded(bench: Bench, yunze: Pipeline) -> None:
    assert list(bench.sets()) == ["small"]
    assert list(Bench(Config(), bench.runs).sets()) == list(SET_NAMES.values())
    assert bench.about("small", yunze.documents) == (4, 3, yunze.documents[0])
    with pytest.raises(BenchError, match=r"没有名为“\.\./small”的题集"):
        bench.source("../small")


def test_an_upload_is_taken_for_the_document_chosen(
    bench: Bench, yunze: Pipeline, qinghe: Pipeline, tmp_path: Path
) -> None:
    upload = written(tmp_path, ROWS[:2]).rename(tmp_path / "我的 题集.jsonl")
    name = bench.add(upload, yunze.documents[0])
    assert name == "上传：我的_题集"
    assert list(bench.sets()) == ["small", name]
    assert bench.about(name, [*qinghe.documents, *yunze.documents]) == (2, 2, yunze.documents[0])
    written(tmp_path, ROWS).rename(upload)
    assert bench.add(upload, yunze.documents[0]) == name
    assert bench.about(name, yunze.documents)[0] == 4


def test_an_upload_with_broken_rows_is_refused_with_their_numbers(
    bench: Bench, yunze: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = written(tmp_path, [ROWS[0], ROWS[1] | {"type": "riddle"}, ROWS[2] | {"gold_lines": [[900]]}])
    with pytest.raises(SetError, match=r"(?s)2 处不能用.*第 2 行（q-1a）：没有“riddle”.*第 3 行（q-1b）：依据行 900"):
        bench.add(upload, yunze.documents[0])
    monkeypatch.setattr("page.bench.MOST_BYTES", 10)
    with pytest.raises(BenchError, match="请分成几个"):
        bench.add(upload, yunze.documents[0])
    assert list(bench.sets()) == ["small"]


def test_a_set_of_another_document_is_recognised(bench: Bench, qinghe: Pipeline, yunze: Pipeline) -> None:
    with pytest.raises(SetError, match=r"是为 yunze.*索引里只有 qinghe"):
        bench.about("small", qinghe.documents)


def test_a_run_of_the_page_is_the_run_of_the_command_line(bench: Bench, tmp_path: Path) -> None:
    bench.start("small")
    job = ended(bench)
    assert (job.state, job.done, job.total) == ("done", 4, 4)
    run(bench.source("small"), tmp_path / "other", bench.config)
    for name in ("rows.jsonl", "figures.json", "manifest.json"):
        assert (job.out / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    (entry,) = bench.entries()
    assert (entry.folder, entry.answered, entry.manifest["set"]) == (job.out, 4, "small")
    assert entry.figures is not None
    assert entry.figures["accuracy"]["n"] == 4


def test_one_run_at_a_time(bench: Bench, gate: Semaphore) -> None:
    bench.start("small")
    with pytest.raises(BenchError, match="正在评测 small"):
        bench.start("small")
    stop(bench, gate)


def test_a_run_that_was_stopped_is_gone_on_with(bench: Bench, gate: Semaphore) -> None:
    bench.start("small")
    gate.release()
    first = until(bench, lambda job: job.done == 1)
    assert first.seconds_left(first.since + 5) is None  # nothing to judge by yet
    stop(bench, gate)
    assert bench.job is not None
    assert (bench.job.state, bench.job.done) == ("stopped", 2)  # the one in the air was written down as well
    (entry,) = bench.entries()
    assert (entry.figures, entry.answered) == (None, 2)
    gate.release(2)
    bench.start("small")
    job = ended(bench)
    assert (job.state, job.out, job.first) == ("done", first.out, 3)
    assert [row["id"] for row in rows_of(job.out)] == ["q-1a", "q-1b", "q-2a", "q-3a"]
    gate.release(4)
    bench.start("small")
    assert ended(bench).out != first.out


def test_what_another_version_began_is_begun_anew(bench: Bench, gate: Semaphore) -> None:
    bench.start("small")
    gate.release()
    job = until(bench, lambda job: job.done == 1)
    stop(bench, gate)
    journal = job.out / "journal.jsonl"
    head, *answers = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest = json.loads(head) | {"code_sha256": "0" * 64}
    journal.write_text(json.dumps(manifest) + "\n" + "".join(answers), encoding="utf-8")
    gate.release(4)
    bench.start("small")
    again = ended(bench)
    assert (again.state, again.out, again.first) == ("done", job.out, 1)
    assert json.loads((job.out / "manifest.json").read_text(encoding="utf-8"))["code_sha256"] != "0" * 64


def test_what_cannot_be_run_is_said_and_leaves_no_folder(bench: Bench, documents: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    build([documents / "qinghe.txt"], other)
    bench.config = Config(index=other)
    bench.start("small")
    job = ended(bench)
    assert job.state == "failed"
    assert "是为 yunze" in job.message
    assert bench.entries() == []
    assert not job.out.exists()


def test_a_defect_is_logged_and_the_next_run_can_be_begun(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> dict[str, Any]:
        raise ArithmeticError("not a figure")

    monkeypatch.setattr(eval.run, "scores", broken)
    with caplog.at_level(logging.ERROR):
        bench.start("small")
        job = ended(bench)
    assert (job.state, job.message) == ("failed", "内部错误，评测没有完成：请查看终端日志。")
    assert "ArithmeticError: not a figure" in caplog.text
    monkeypatch.undo()
    bench.start("small")
    assert ended(bench).state == "done"


def test_folders_without_a_run_are_passed_over(bench: Bench) -> None:
    assert bench.entries() == []
    for name, text in (("empty", ""), ("broken", "{"), ("other", "7\n")):
        (bench.runs / name).mkdir(parents=True)
        (bench.runs / name / "journal.jsonl").write_text(text, encoding="utf-8")
    run(bench.source("small"), bench.results / "dev", bench.config)
    assert [entry.name for entry in bench.entries()] == ["dev（make eval）"]
    assert bench.entry("dev（make eval）").folder == bench.results / "dev"
    with pytest.raises(BenchError, match="没有名为“empty”的评测"):
        bench.entry("empty")


@pytest.mark.parametrize(
    ("done", "first", "passed", "left"),
    [(10, 0, 5.0, 45.0), (60, 50, 1.0, 4.0), (50, 50, 1.0, None), (100, 0, 9.0, 0.0)],
)
def test_the_time_left_is_judged_by_this_sitting(done: int, first: int, passed: float, left: float | None) -> None:
    job = Job(Path("a"), Path("b"), done=done, total=100, first=first, since=7.0)
    assert job.seconds_left(7.0 + passed) == left
