"""A list of questions in, the same list answered: in order, whole or not at all, and never twice the same work."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from index.build import build
from rag.batch import writing
from rag.batch.journal import Journal, Unit, journal_of
from rag.batch.record import record, together
from rag.batch.run import answer_unit, run
from rag.batch.writing import ADDED
from rag.config import Config
from rag.errors import BatchError
from rag.pipeline import Pipeline, open_pipeline
from rag.types import Aside
from tests.fakes import YUNZE, Asked, ScriptedGenerator

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ["id", "question", "answer", "status", "citations", "retrieved", "confidence", "backend", "seconds"]
GRAIN = "2030年粮食综合生产能力要达到多少？"
FOREST = "2030年森林覆盖率要达到多少？"
UNKNOWN = "2035年粮食综合生产能力是多少？"


@pytest.fixture
def config(yunze_folder: Path) -> Config:
    return Config(index=yunze_folder)


def jsonl(path: Path, rows: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def answers(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def timeless(path: Path) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in answers(path)]


def sheet(path: Path, rows: Sequence[Sequence[object]], title: str = "清单") -> Path:
    book = Workbook()
    page = book.active
    page.title = title
    for cells in rows:
        page.append(list(cells))
    book.save(path)
    return path


def shown(path: Path, title: str = "") -> list[tuple[Any, ...]]:
    book = load_workbook(path)
    page = book[title] if title else book.worksheets[0]
    return [tuple(cell.value for cell in row) for row in page.iter_rows()]


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


def test_answers_of_one_cell_are_told_together_with_marks_counted_on(yunze: Pipeline) -> None:
    records = [record("", yunze.ask(question)) for question in (GRAIN, UNKNOWN)]
    joined = together(records)
    count = len(records[0]["citations"])
    assert joined["answer"].startswith(f"（1）{records[0]['answer']}\n（2）")
    assert [one["n"] for one in joined["citations"]] == list(range(1, count + len(records[1]["citations"]) + 1))
    assert f"[{count + 1}]" in joined["answer"].split("（2）")[1]
    assert joined["status"] == "answered"
    assert joined["confidence"] == min(one["confidence"] for one in records)
    assert list(joined) == FIELDS


# --- jsonl, the contract


def test_rows_keep_their_ids_and_order_and_errors_do_not_stop_the_run(
    yunze: Pipeline, config: Config, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    rows = [
        {"id": "z-1", "question": GRAIN},
        {"id": 3, "question": ""},
        {"id": "a", "question": UNKNOWN},
        {"id": "long", "question": "粮" * 10_000},
        {"id": "那", "question": "那2025年呢？", "history": [{"question": GRAIN, "answer": "96万吨"}]},
    ]
    jsonl(source, rows)
    source.write_text("\ufeff" + source.read_text("utf-8") + '\n  \n{"id": "cut", "question": "粮食\n5\n', "utf-8")
    seen: list[tuple[int, int]] = []
    out = tmp_path / "out.jsonl"
    outcome = run(yunze, config, source, out, progress=lambda done, total: seen.append((done, total)))
    told = answers(out)
    assert [row["id"] for row in told] == ["z-1", 3, "a", "long", "那", "8", "9"]
    assert [row["status"] for row in told] == ["answered", "error", "refused", "error", "answered", "error", "error"]
    assert ["error" in row for row in told] == [False, True, False, True, False, True, True]
    assert all(list(row) == [*FIELDS, *(["error"] if row["status"] == "error" else [])] for row in told)
    assert "第 8 行" in told[5]["error"]
    assert "91.5万吨" in told[4]["answer"]
    assert outcome.tally.failed == 4
    assert seen[0] == (2, 7)  # the two broken rows need no answer
    assert seen[-1] == (7, 7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl", "out.jsonl.journal"]


def test_half_a_surrogate_pair_is_written_as_json_writes_it(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"question": "2030年森林覆盖率要达到多少？\\ud83d"}\n', encoding="utf-8")
    for ending in ("jsonl", "csv", "xlsx", "docx"):
        run(yunze, config, source, tmp_path / f"out.{ending}")
    (row,) = answers(tmp_path / "out.jsonl")
    assert row["question"].endswith("\ud83d")
    assert row["status"] == "answered"


def test_a_list_longer_than_what_is_looked_at_beforehand_loses_no_row(
    yunze: Pipeline, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.batch.run.PARALLEL_FROM", 3)
    rows = [{"id": str(n), "question": f"{GRAIN[:-1]}（第{n}次问）？"} for n in range(40)]
    source = jsonl(tmp_path / "in.jsonl", rows)
    assert run(yunze, config, source, tmp_path / "out.jsonl", jobs=1).tally.failed == 0
    assert [row["id"] for row in answers(tmp_path / "out.jsonl")] == [row["id"] for row in rows]
    assert {row["status"] for row in answers(tmp_path / "out.jsonl")} == {"answered"}


def test_the_same_words_in_jsonl_are_asked_once_and_others_are_others(
    yunze: Pipeline, config: Config, tmp_path: Path
) -> None:
    source = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}, {"question": f"1、{GRAIN}"}, {"question": GRAIN}])
    run(yunze, config, source, tmp_path / "out.jsonl")
    first, other, again = answers(tmp_path / "out.jsonl")
    assert {**first, "id": "3"} == again  # with its seconds: it was not asked again
    assert other["question"] == f"1、{GRAIN}"


# --- sheets


def test_a_sheet_keeps_its_look_and_gains_the_answers(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    from openpyxl.styles import Font, PatternFill

    source = tmp_path / "清单.xlsx"
    book = Workbook()
    page = book.active
    page.title = "农业处"
    page["A1"] = "群众关心的问题清单"
    page.merge_cells("A1:C1")
    for column, heading in enumerate(("类别", "问题", "备注"), 1):
        page.cell(2, column, heading).font = Font(bold=True, color="FF1D4E89")
    page["A3"], page["B3"], page["C3"] = "农业", f"1、{GRAIN}", "=1+1"
    page.merge_cells("A3:A4")
    page["B4"] = f" {FOREST[:4]} {FOREST[4:]}粮食综合生产能力呢？"
    page["B6"], page["B6"].fill = f"2. {GRAIN}", PatternFill("solid", fgColor="FFFFF0B3")
    page["B7"] = UNKNOWN
    page["A8"] = "二、其他"
    page.column_dimensions["B"].width = 41
    page.freeze_panes = "A3"
    book.create_sheet("说明").append(["只是说明"])
    book.save(source)

    outcome = run(yunze, config, source, tmp_path / "out.xlsx")
    answered = load_workbook(tmp_path / "out.xlsx")
    assert answered.sheetnames == ["农业处", "说明", "依据原文", "汇总"]
    page = answered["农业处"]
    assert [str(span) for span in page.merged_cells.ranges] == ["A1:C1", "A3:A4"]
    assert (page.column_dimensions["B"].width, page.freeze_panes, page["C3"].value) == (41, "A3", "=1+1")
    assert page["B2"].font.color.rgb == "FF1D4E89"
    assert page["D2"].font.bold
    assert page["D6"].fill.fgColor.rgb == "FFFFF0B3"
    assert [cell.value for cell in page[2]][3:] == list(ADDED)
    by_row = {number: [cell.value for cell in page[number]][3:] for number in range(3, 9)}
    assert "96万吨" in by_row[3][0]
    assert by_row[3][3].startswith("[1] ")
    assert "96万吨 ✓ [1] 第" in by_row[3][4]
    assert by_row[4][0].startswith("（1）")
    assert "一格含2问" in by_row[4][5]
    assert by_row[5] == [None] * 6
    assert by_row[6][0] == by_row[3][0]
    assert "与第3行的问题相同" in by_row[6][5]
    assert by_row[7][1] == "未载明"
    assert by_row[8] == [None] * 6
    sources = shown(tmp_path / "out.xlsx", "依据原文")
    assert {row[0] for row in sources[1:]} >= {3, 4, 6}
    assert all(row[6] in row[7] for row in sources[1:])  # each quotation stands in its source
    summary = dict(shown(tmp_path / "out.xlsx", "汇总")[1:])
    assert (summary["问题行数"], summary["重复问题"], summary["一格多问"], summary["空行和小标题"]) == (4, 1, 1, 2)
    assert yunze.documents[0].sha256 in str(summary[f"文件《{yunze.documents[0].title}》"])
    assert outcome.tally.asked == 4


def test_texts_that_look_like_formulas_stay_texts(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(f'问题,来源\n{GRAIN},"=HYPERLINK(""http://x"")"\n=1+1是多少,+86\n@SUM吗,-2\n', encoding="utf-8")
    run(yunze, config, source, tmp_path / "out.xlsx")
    with zipfile.ZipFile(tmp_path / "out.xlsx") as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    page = load_workbook(tmp_path / "out.xlsx").worksheets[0]
    assert {cell.data_type for row in page.iter_rows() for cell in row if isinstance(cell.value, str)} == {"s"}
    run(yunze, config, source, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in "=+@\t\r" and cell] == []
    assert "-2" in cells  # a number


def test_a_docx_numbers_the_questions_and_lists_their_sources(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    import docx

    source = tmp_path / "in.txt"
    source.write_text(f"1、{GRAIN}\n\n2、{UNKNOWN}\n", encoding="utf-8")
    run(yunze, config, source, tmp_path / "out.docx")
    paragraphs = docx.Document(str(tmp_path / "out.docx")).paragraphs
    headings = [one.text for one in paragraphs if one.style.name == "Heading 2"]
    assert headings == [f"1. {GRAIN}", f"2. {UNKNOWN}"]
    told = [one.text for one in paragraphs]
    assert any(text.startswith("[1] 《") and "第" in text and "“" in text for text in told)
    raised = [run.text for one in paragraphs for run in one.runs if run.font.superscript]
    assert raised[0] == "[1]"


def test_headings_within_a_list_stay_and_are_not_asked(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    import docx

    source = tmp_path / "in.txt"
    source.write_text(f"一、农业类\n1、{GRAIN}\n二、生态类\n1、{FOREST}\n", encoding="utf-8")
    assert run(yunze, config, source, tmp_path / "out.xlsx").tally.asked == 2
    page = shown(tmp_path / "out.xlsx")
    assert [(row[1], bool(row[2])) for row in page[1:]] == [
        ("一、农业类", False), (f"1、{GRAIN}", True), ("二、生态类", False), (f"1、{FOREST}", True),
    ]  # fmt: skip
    run(yunze, config, source, tmp_path / "out.docx")
    told = [one.text for one in docx.Document(str(tmp_path / "out.docx")).paragraphs if "Heading" in one.style.name]
    assert told == ["一、农业类", f"1. {GRAIN}", "二、生态类", f"2. {FOREST}"]


def test_a_list_with_columns_of_these_names_is_told_which_are_whose(
    yunze: Pipeline, config: Config, tmp_path: Path
) -> None:
    source = sheet(tmp_path / "in.xlsx", [["问题", "答复"], [GRAIN, "旧"]])
    book = load_workbook(source)
    book.active.print_area = "A1:B2"
    book.save(source)
    outcome = run(yunze, config, source, tmp_path / "out.xlsx")
    assert "“答复”列" in outcome.notices[-1]
    page = load_workbook(tmp_path / "out.xlsx").worksheets[0]
    assert page["B2"].value == "旧"
    assert page["C1"].value == "答复"
    assert page.print_area.endswith("$A$1:$H$2")  # else the answers were left out of what is printed


def test_what_an_answer_notes_stands_beside_it(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}, {"question": UNKNOWN}])
    said = (Aside(note="模型没有作答"), "96万吨。[1]")
    noted = replace(yunze, generate=ScriptedGenerator([said, said]))
    run(noted, config, source, tmp_path / "out.jsonl")
    first, second = answers(tmp_path / "out.jsonl")
    assert list(first) == [*FIELDS, "note"]
    assert first["note"] == "模型没有作答"
    assert list(second) == FIELDS
    run(noted, config, source, tmp_path / "out.csv")
    assert "模型没有作答" in (tmp_path / "out.csv").read_text("utf-8-sig")


@pytest.mark.parametrize("ending", ["xlsx", "csv", "docx"])
def test_the_same_list_gives_the_same_bytes(yunze: Pipeline, config: Config, tmp_path: Path, ending: str) -> None:
    source = sheet(tmp_path / "in.xlsx", [["问题"], [GRAIN], [FOREST]])
    run(yunze, config, source, tmp_path / f"a.{ending}")
    time.sleep(2.1)  # a zip names times to two seconds
    run(yunze, config, source, tmp_path / f"b.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


# --- what stands there


def test_an_output_that_exists_is_left_alone_unless_told(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}])
    out = tmp_path / "out.jsonl"
    out.write_text("earlier answers\n", encoding="utf-8")
    with pytest.raises(BatchError, match="--overwrite"):
        run(yunze, config, source, out)
    assert out.read_text(encoding="utf-8") == "earlier answers\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
    run(yunze, config, source, out, overwrite=True)
    written = out.read_bytes()
    assert run(yunze, config, source, out).already
    assert out.read_bytes() == written
    jsonl(source, [{"question": GRAIN}, {"question": FOREST}])
    with pytest.raises(BatchError, match="已存在"):
        run(yunze, config, source, out)


def test_an_empty_output_holds_nothing_to_be_lost(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source, out = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}]), tmp_path / "out.jsonl"
    out.touch()
    run(yunze, config, source, out)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 1


def test_a_long_sheet_is_written_row_by_row_and_says_so(
    yunze: Pipeline, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sheet(tmp_path / "in.xlsx", [["标题"], ["编号", "问题"], [7, GRAIN], [], [8, "=1+1"], [9, f" {GRAIN}"]])
    run(yunze, config, source, tmp_path / "short.xlsx")
    monkeypatch.setattr(writing, "LOADED_ROWS", 3)
    outcome = run(yunze, config, source, tmp_path / "long.xlsx")
    assert "单元格格式没有保留" in outcome.notices[-1]
    short, long = shown(tmp_path / "short.xlsx"), shown(tmp_path / "long.xlsx")
    assert [row[2:] for row in long[1:]] == [row[2:] for row in short[1:]]
    assert [row[:2] for row in long[1:3]] == [row[:2] for row in short[1:3]]


def test_too_many_processes_are_refused(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}])
    for jobs in (-1, 1000):
        with pytest.raises(BatchError, match="--jobs"):
            run(yunze, config, source, tmp_path / "out.jsonl", jobs=jobs)


def test_the_list_itself_is_never_replaced(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "list.jsonl", [{"id": 1, "question": GRAIN}])
    before = path.read_bytes()
    with pytest.raises(BatchError, match="同一个文件"):
        run(yunze, config, path, path, overwrite=True)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named_and_left_clean(
    yunze: Pipeline, config: Config, tmp_path: Path
) -> None:
    source = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}])
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "folder.jsonl").mkdir()
    for place in ("none/out.jsonl", "file/out.jsonl", "folder.jsonl", f"{'长' * 80}.jsonl"):
        with pytest.raises(BatchError, match="写不进") as raised:
            run(yunze, config, source, tmp_path / place)
        assert "\n" not in str(raised.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.jsonl", "in.jsonl"]


def test_a_journal_in_use_or_of_something_else_is_left_alone(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source, out = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}]), tmp_path / "out.jsonl"
    with closing(Journal.open(journal_of(out))), pytest.raises(BatchError, match="正被另一个"):
        run(yunze, config, source, out)
    journal_of(out).write_text("my notes" * 1000, encoding="utf-8")
    with pytest.raises(BatchError, match="移走这个文件"):
        run(yunze, config, source, out)
    assert journal_of(out).read_text(encoding="utf-8").startswith("my notes")


# --- breaking off and going on


def test_a_run_that_breaks_off_goes_on_with_what_is_missing(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    questions = [GRAIN, FOREST, UNKNOWN, "2030年新能源装机规模达到多少？", "州里建设哪四大基地？"]
    source = jsonl(tmp_path / "in.jsonl", [{"question": question} for question in questions])
    run(yunze, config, source, tmp_path / "whole.jsonl")

    def stop(done: int, total: int) -> None:
        if done >= 2:
            raise KeyboardInterrupt

    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(yunze, config, source, out, progress=stop)
    assert not out.exists()
    seen: list[int] = []
    run(yunze, config, source, out, progress=lambda done, total: seen.append(done))
    assert seen[0] >= 2
    assert timeless(out) == timeless(tmp_path / "whole.jsonl")


@pytest.mark.slow
def test_a_run_killed_at_any_moment_ends_in_the_same_file(yunze_folder: Path, tmp_path: Path) -> None:
    rows = [["编号", "问题"], *([n, f"{GRAIN[:-1]}（第{n}次问）？"] for n in range(400))]
    source = sheet(tmp_path / "in.xlsx", rows)
    command = [sys.executable, "-m", "rag", "batch", str(source), "--index", str(yunze_folder), "--jobs", "2", "--out"]

    def start(out: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, str(tmp_path / out)], cwd=ROOT, start_new_session=True)

    assert start("whole.xlsx").wait(timeout=300) == 0
    assert len([row for row in shown(tmp_path / "whole.xlsx")[1:] if row[2]]) == 400
    killed = 0
    for wait in (0.8, 1.5, 2.5, 3.0, 4.0):
        process = start("out.xlsx")
        time.sleep(wait)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)  # the process alone: its workers have to notice
            killed += 1
        process.wait()
    assert killed
    process = start("out.xlsx")
    assert process.wait(timeout=300) == 0
    assert (tmp_path / "out.xlsx").read_bytes() == (tmp_path / "whole.xlsx").read_bytes()
    assert not list(tmp_path.glob(".*part*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits the size of files as a full disk would")
def test_a_full_disk_is_one_sentence_and_loses_nothing(yunze_folder: Path, tmp_path: Path) -> None:
    rows = [{"question": f"{GRAIN[:-1]}（第{n}次问）？"} for n in range(120)]
    source, out = jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    command = ["-m", "rag", "batch", str(source), "--out", str(out), "--index", str(yunze_folder)]
    limited = (
        "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)); sys.argv = {['rag', *command[2:]]!r}; "
        "runpy.run_module('rag', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run([sys.executable, "-c", limited], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "磁盘空间" in done.stderr
    assert not out.exists()
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert len(answers(out)) == 120


def test_what_failed_is_tried_again_when_told(yunze: Pipeline, config: Config, tmp_path: Path) -> None:
    source, out = jsonl(tmp_path / "in.jsonl", [{"question": GRAIN}]), tmp_path / "out.jsonl"
    broken = replace(yunze, generate=ScriptedGenerator([], name=yunze.backend))  # it has nothing to say: a defect
    assert run(broken, config, source, out).tally.failed == 1
    assert "内部错误" in answers(out)[0]["error"]
    assert run(yunze, config, source, out, overwrite=True).tally.failed == 0


# --- after the documents changed


def test_a_rerun_over_a_changed_plan_tells_what_changed(tmp_path: Path) -> None:
    plan, index = tmp_path / "yunze.txt", tmp_path / "index"
    plan.write_text(YUNZE, encoding="utf-8")
    build([plan], index)
    config = Config(index=index)
    source = sheet(tmp_path / "in.xlsx", [["问题"], [FOREST], ["2030年新能源装机规模达到多少？"]])
    out = tmp_path / "out.xlsx"
    assert run(open_pipeline(config), config, source, out).changed is None
    plan.write_text(YUNZE.replace("27.5%", "28.1%"), encoding="utf-8")
    build([plan], index)
    pipeline = open_pipeline(config)
    with pytest.raises(BatchError, match="--overwrite"):
        run(pipeline, config, source, out)
    outcome = run(pipeline, config, source, out, overwrite=True)
    assert outcome.changed is not None
    assert (outcome.changed.answers, outcome.changed.evidence, outcome.changed.unchanged) == (1, 0, 1)
    assert outcome.report == tmp_path / "out-变动.xlsx"
    _, changed = shown(outcome.report)
    assert changed[1:3] == (FOREST, "答复有变")
    assert "27.5%" in changed[4]
    assert "28.1%" in changed[6]
    assert "28.1%" in shown(out)[1][1]


def test_a_model_is_asked_again_only_where_the_evidence_changed(tmp_path: Path) -> None:
    plan, index = tmp_path / "yunze.txt", tmp_path / "index"
    source = sheet(tmp_path / "in.xlsx", [["问题"], [FOREST], ["2030年新能源装机规模达到多少？"], [UNKNOWN]])
    quoting = Config(index=index)
    spoken = replace(quoting, llm="transformers:/some/model")  # as far as the batch knows: it is given the pipeline

    def told(text: str, config: Config) -> tuple[list[tuple[str, list[int]]], Any, int]:
        plan.write_text(text, encoding="utf-8")
        build([plan], index)
        said = ScriptedGenerator([("见原文。[1]",), ("见原文。[1]",)])
        pipeline = open_pipeline(quoting)
        if config is spoken:
            pipeline = replace(pipeline, generate=said)
        outcome = run(pipeline, config, source, tmp_path / "out.jsonl", overwrite=True)
        rows = answers(tmp_path / "out.jsonl")
        cited = [(row["answer"], [one["lines"][0] for one in row["citations"]]) for row in rows]
        return cited, outcome.changed, said.started

    told(YUNZE, quoting)
    before, changed, asked = told(YUNZE, spoken)  # over the same evidence, but it is another who answers
    assert (asked, changed.answers) == (2, 2)
    after, changed, asked = told(YUNZE.replace("第一章 发展基础", "\n\n第一章 发展基础"), spoken)
    assert asked == 0
    assert [text for text, _ in after] == [text for text, _ in before]
    assert [lines for _, lines in after] == [[line + 2 for line in lines] for _, lines in before]
    assert (changed.answers, changed.evidence, changed.moved) == (0, 0, 3)
    _, changed, asked = told(YUNZE.replace("27.5%", "28.1%"), spoken)
    assert asked == 1


def test_a_reply_whose_evidence_is_unchanged_is_taken_over_without_asking(yunze: Pipeline) -> None:
    unit = Unit("k", (FOREST,))
    reply = answer_unit(yunze, unit)
    silent = ScriptedGenerator([("没有人听",), ("没有人听",), ("别的",)])
    again = replace(yunze, generate=silent)
    assert answer_unit(again, unit, reply) == reply
    assert silent.started == 0
    assert answer_unit(again, unit, {**reply, "evidence": "other"})["record"]["answer"] == "别的"
