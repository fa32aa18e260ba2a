"""Runs over a small plan with known answers: what is written, going on after a stop, and what goes wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import eval.run
from eval.__main__ import main
from eval.ablation import FULL, ablate
from eval.dataset import SetError
from eval.run import RunError, bar, faithful, figures_of, prepare, run, summary, table, timing_of, told
from index.build import build
from rag.config import Config
from rag.pipeline import Pipeline
from rag.types import Answer, Turn
from tests.fakes import YUNZE
from tests.test_check import ROW
from tests.test_metrics import CITED, QUESTION, UNANSWERABLE, said

FILES = ("rows.jsonl", "figures.json", "manifest.json")
ROAD = next(n for n, line in enumerate(YUNZE.split("\n"), 1) if "418公里" in line)
EXPORTS = ("run.trec", "qrels.trec", "ragas.jsonl", "ragchecker.json")


def made(number: int, **changes: Any) -> dict[str, Any]:
    return ROW | {"id": f"q-{number}a", "family": f"q-{number}"} | changes


ROWS = [
    made(2, question="到2030年全州的高速公路通车里程是多少公里？", type="fact", gold_lines=[[ROAD]], answer="418公里。")
    | {"must_include": [["418"]], "slots": None},
    ROW,
    ROW | {"id": "q-1b", "wording": "everyday", "question": "2030年全州有多大一片林子，占几成？"},
    made(3, question="到2030年森林蓄积量达到多少？", type="unanswerable", gold_lines=[], must_include=[], slots=None)
    | {"answer": "规划没有提到。"},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return written(tmp_path, ROWS)


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "small.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def config(yunze_folder: Path) -> Config:
    return Config(index=yunze_folder)


def rows_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "rows.jsonl").read_text(encoding="utf-8").splitlines()]


# --- what is written


def test_a_run_writes_rows_figures_and_what_was_run(tmp_path: Path, source: Path, config: Config) -> None:
    out = tmp_path / "out"
    steps: list[tuple[int, int]] = []
    done = run(source, out, config, progress=lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {path.name for path in out.iterdir()} == {*FILES, *EXPORTS, "timing.json", "journal.jsonl"}
    rows = rows_of(out)
    assert [row["id"] for row in rows] == ["q-1a", "q-1b", "q-2a", "q-3a"]
    assert tuple(rows) == done.rows
    right = rows[0]
    assert (right["verdict"], right["failure"], right["status"]) == ("right", None, "answered")
    assert "27.5%" in right["answer"]
    assert right["citations"][0]["lines"] == [8]
    assert right["scores"]["target_exact"] == right["scores"]["recall@5"] == right["scores"]["evidence_recall"] == 1
    assert right["slot_faults"] == []
    assert {row["expected_status"] for row in rows if row["type"] == "unanswerable"} == {"refused"}
    figures = json.loads((out / "figures.json").read_text(encoding="utf-8"))
    assert figures == done.figures
    assert figures["overall"]["accuracy"]["n"] == 4
    share = sum(row["verdict"] == "right" for row in rows) / 4
    assert figures["overall"]["accuracy"]["value"] == pytest.approx(share)
    assert set(figures["by_type"]) == {"fact", "target", "unanswerable"}
    assert set(figures["by_wording"]) == {"everyday", "official"}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["set"], manifest["document"], manifest["mutated"]) == ("small", "yunze", False)
    assert manifest["settings"]["llm"] == "extractive"


def test_the_same_run_gives_the_same_bytes(tmp_path: Path, source: Path, config: Config) -> None:
    run(source, tmp_path / "a", config)
    run(source, tmp_path / "b", config)
    run(source, tmp_path / "c", config, jobs=2)
    for name in (*FILES, *EXPORTS):
        assert len({(tmp_path / folder / name).read_bytes() for folder in "abc"}) == 1, name


def test_an_earlier_turn_is_asked_along(tmp_path: Path, config: Config) -> None:
    history = [{"question": "到2030年全州的森林覆盖率是多少？", "answer": "27.5%。"}]
    follow = made(4, question="那高速公路通车里程呢？", history=history, gold_lines=[[ROAD]], answer="418公里。")
    source = written(tmp_path, [follow | {"must_include": [["418"]], "slots": None}])
    run(source, tmp_path / "out", config)
    (row,) = rows_of(tmp_path / "out")
    assert row["history"] == history
    assert row["verdict"] == "right"


# --- going on


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, source: Path, config: Config) -> None:
    out = tmp_path / "out"
    run(source, out, config)
    whole = {name: (out / name).read_bytes() for name in FILES}
    journal = out / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    journal.write_text("".join(lines[:3]) + lines[3][:40], encoding="utf-8")  # two answers, and one cut off
    (out / "rows.jsonl").unlink()
    steps: list[tuple[int, int]] = []
    run(source, out, config, progress=lambda *step: steps.append(step))
    assert steps == [(3, 4), (4, 4)]
    assert {name: (out / name).read_bytes() for name in FILES} == whole
    assert len(journal.read_text(encoding="utf-8").splitlines()) == 5
    steps.clear()
    run(source, out, config, progress=lambda *step: steps.append(step))
    assert steps == []


def test_another_run_is_not_mixed_in(tmp_path: Path, source: Path, config: Config) -> None:
    out = tmp_path / "out"
    run(source, out, config)
    with pytest.raises(RunError, match="里是另一次评测（不同的有：settings）"):
        run(source, out, replace(config, refuse_below=0.9))
    before = rows_of(out)
    strict = run(source, out, replace(config, refuse_below=1.0), fresh=True)
    assert rows_of(out) == list(strict.rows) != before


# --- what goes wrong


@dataclass(frozen=True)
class Faltering:
    """A pipeline that fails at one question and says nothing to another."""

    whole: Pipeline

    @property
    def index(self) -> Any:
        return self.whole.index

    def ask(self, question: str, history: tuple[Turn, ...] = ()) -> Answer:
        if "高速公路" in question:
            raise ZeroDivisionError("半路出错")
        answer = self.whole.ask(question, history)
        return replace(answer, text="") if "林子" in question else answer


def test_a_crash_and_an_empty_answer_are_wrong_and_counted(
    tmp_path: Path, source: Path, config: Config, yunze: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eval.run, "open_pipeline", lambda *_: Faltering(replace(yunze, passages=40)))
    done = run(source, tmp_path / "out", config)
    by_id = {row["id"]: row for row in done.rows}
    crashed = by_id["q-2a"]
    assert (crashed["status"], crashed["verdict"], crashed["failure"]) == ("error", "wrong", "error")
    assert crashed["error"] == "ZeroDivisionError: 半路出错"
    assert crashed["scores"]["recall@10"] == crashed["scores"]["citation_recall_sentence"] == 0
    assert (by_id["q-1b"]["verdict"], by_id["q-1b"]["failure"]) == ("wrong", "error")
    assert by_id["q-1a"]["verdict"] == "right"
    assert done.figures["overall"]["accuracy"]["n"] == 4
    assert done.timing["answers"] == 3
    assert "出错 2" in told(done)


def test_a_question_that_the_tool_refuses_to_read_is_an_error(tmp_path: Path, config: Config) -> None:
    source = written(tmp_path, [made(5, question="abc?")])
    (row,) = run(source, tmp_path / "out", config).rows
    assert (row["status"], row["failure"]) == ("error", "error")
    assert row["error"].startswith("EmptyQuestion")


def test_a_metric_that_raises_stops_the_run(
    tmp_path: Path, source: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, float | None]:
        raise ArithmeticError("not a figure")

    monkeypatch.setattr(eval.run, "scores", broken)
    with pytest.raises(ArithmeticError):
        run(source, tmp_path / "out", config)
    assert not (tmp_path / "out" / "figures.json").exists()


def test_a_set_that_does_not_fit_is_refused_before_the_first_answer(tmp_path: Path, config: Config) -> None:
    source = written(tmp_path, [ROW | {"gold_lines": [[900]]}])
    with pytest.raises(SetError, match="依据行 900 不在文件里"):
        run(source, tmp_path / "out", config)
    entry = {"small": {"document": "other", "document_sha256": "f" * 64}}
    (tmp_path / "sets.json").write_text(json.dumps(entry), encoding="utf-8")
    with pytest.raises(SetError, match="是为 other"):
        run(written(tmp_path, [ROW]), tmp_path / "out", config)
    assert list((tmp_path / "out").iterdir()) == []


def test_jobs_and_folder_are_checked(tmp_path: Path, source: Path, config: Config) -> None:
    with pytest.raises(RunError, match="--jobs 应为 1 或更大"):
        run(source, tmp_path / "out", config, jobs=0)
    with pytest.raises(RunError, match="建不了文件夹"):
        run(source, source / "out", config)


def test_lines_of_another_document_are_no_evidence(tmp_path: Path, source: Path, documents: Path) -> None:
    folder = tmp_path / "both"
    build([documents / "yunze.txt", documents / "qinghe.txt"], folder)
    with pytest.raises(SetError, match="没有说明是为哪个文件编写的，索引里有 2 个"):
        run(source, tmp_path / "out", Config(index=folder))
    plan = next(one for one in eval.run.load(folder).documents if one.id == "qinghe")
    entry = {"small": {"document": "qinghe", "document_sha256": plan.sha256}}
    (tmp_path / "sets.json").write_text(json.dumps(entry), encoding="utf-8")
    line = next(line for line in plan.lines if "1.2万元" in line.text)
    asked = made(6, question="县道的养护资金每年每公里多少钱？", type="fact", gold_lines=[[line.number]], slots=None)
    other = made(7, question="全州的森林覆盖率达到多少？", type="fact", gold_lines=[[4]], answer="0.6", slots=None)
    rows = [asked | {"must_include": [["1.2"]], "answer": "1.2万元。"}, other | {"must_include": [["0.6"]]}]
    first, second = run(written(tmp_path, rows), tmp_path / "out", Config(index=folder)).rows
    assert first["scores"]["evidence_recall"] == 1
    assert second["citations"][0]["doc"] == "yunze"
    assert second["scores"]["evidence_recall"] == second["scores"]["evidence_precision"] == 0


# --- the changed copy


def test_a_changed_copy_is_asked_with_its_own_figures(tmp_path: Path, source: Path, config: Config) -> None:
    done = run(source, tmp_path / "out", config, mutated=True)
    rows = {row["id"]: row for row in done.rows}
    assert "27.5" not in rows["q-1a"]["expected"]
    assert rows["q-1a"]["verdict"] == "right"
    assert rows["q-1a"]["scores"]["faithful"] == 1
    assert rows["q-3a"]["scores"]["faithful"] is None
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["mutated"], manifest["seed"], manifest["document"]) == (True, 7, "yunze-mutated")
    other = prepare(source, tmp_path / "out", config, seed=8, mutated=True)
    assert other.document.sha256 != manifest["document_sha256"]


def test_an_answer_out_of_memory_is_not_faithful() -> None:
    changed = replace(QUESTION, must_include=(("152",),), must_not_include=())
    assert faithful(changed, QUESTION, said("达到152万吨以上。[1]")) == 1
    assert faithful(changed, QUESTION, said("达到145万吨以上。[1]")) == 0
    both = "达到152万吨以上，不是145万吨。[1]"
    assert faithful(changed, QUESTION, said(both, replace(CITED, paragraph="达到152万吨以上。"))) == 0
    assert faithful(changed, QUESTION, said(both, replace(CITED, paragraph="152万吨以上；另有145万吨。"))) == 1
    assert faithful(QUESTION, QUESTION, said("达到145万吨以上。[1]")) is None
    assert faithful(UNANSWERABLE, UNANSWERABLE, said("甲")) is None


# --- ablation


def test_ablation_sets_each_variant_beside_the_whole(tmp_path: Path, source: Path, config: Config) -> None:
    steps: list[tuple[int, int]] = []
    result = ablate(source, tmp_path / "out", config, lambda *step: steps.append(step))
    assert len(result["variants"]) == 7
    assert list(result["noise"]) == ["0", "0.4", "0.8"]
    assert steps == [(done, 10) for done in range(1, 11)]
    whole = result["variants"][FULL]
    assert whole["accuracy"] == run(source, tmp_path / "run", config).figures["overall"]["accuracy"]
    assert "change" not in whole["accuracy"]
    changed = result["variants"]["只用 BM25"]["accuracy"]
    assert changed["change"] == pytest.approx(changed["value"] - whole["accuracy"]["value"])
    assert result["noise"]["0"]["accuracy"]["n"] == 3  # questions with evidence
    assert json.loads((tmp_path / "out" / "ablation.json").read_text(encoding="utf-8")) == result
    assert "| 只用向量 |" in (tmp_path / "out" / "ablation.md").read_text(encoding="utf-8")


# --- what is told


def test_timing_is_by_nearest_rank() -> None:
    rows = [{"seconds": n / 100, "status": "answered", "peak_mb": 10.0 + n} for n in range(100)]
    rows.append({"seconds": 0.0, "status": "error", "peak_mb": None})
    assert timing_of(rows) == {"answers": 100, "p50_seconds": 0.5, "p95_seconds": 0.95, "peak_memory_mb": 109.0}
    assert timing_of(rows[-1:])["p50_seconds"] is None


def test_tables_hold_runs_side_by_side() -> None:
    one = {"overall": {"accuracy": {"value": 0.5, "n": 4, "low": 0.25, "high": 0.75}}, "by_type": {}, "by_wording": {}}
    other = {
        "overall": {"accuracy": {"value": None, "n": 0}},
        "by_type": {"fact": {"accuracy": {"value": 1.0, "n": 2}}},
        "by_wording": {},
    }
    assert table({"甲": one, "乙": other}) == [
        "| 指标 | 甲 | 乙 |",
        "| --- | ---: | ---: |",
        "| 正确率 | 50.0%（25.0–75.0） n=4 | — |",
        "| 正确率·fact | — | 100.0% n=2 |",
    ]
    assert figures_of([])["by_type"] == {}


def test_the_bar_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    bar(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    bar(1, 2)
    assert capsys.readouterr().err == f"\r[{'█' * 15}{'·' * 15}] 1/2"


def test_commands(tmp_path: Path, source: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "runs" / "first"
    command = ["run", "--set", str(source), "--index", str(yunze_folder), "--out", str(out)]
    assert main(command) == 0
    assert "| 正确率 |" in capsys.readouterr().out
    assert main([*command, "--seed", "9"]) == 2
    assert "加 --fresh 从头再来" in capsys.readouterr().err
    assert main(["summary", str(tmp_path / "runs")]) == 0
    assert "| 指标 | first |" in capsys.readouterr().out
    assert main(["summary", str(tmp_path)]) == 2
    assert main(["check", "dev"]) == 0
    assert "dev.jsonl：" in capsys.readouterr().out
    with pytest.raises(RunError, match="没有评测结果"):
        summary(tmp_path / "runs" / "first")
