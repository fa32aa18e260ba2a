"""The registers as terminal table, jsonl, csv and xlsx, and the command that writes them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from eval.__main__ import main as eval_main
from index import export
from index.__main__ import main
from index.build import build
from index.errors import UserError
from index.targets import Fact, Project, Target

PLAN = """北川市国民经济和社会发展第十五个五年规划纲要
第一章 发展回顾
“十四五”时期，粮食产量达到60万吨。
第二章 主要目标
到2030年，粮食产量达到50万吨以上，城镇化率达到65.5%左右，化肥使用量实现零增长。
专栏1 重点项目
1.水利：西河水库工程、东河县30万吨/年供水项目。
"""
TARGET = Target(
    "plan", 5, ("第二章 主要目标", "第一节"), "", "粮食产量", "50", None, "万吨", ">=", False, 2030, None, None, None,
    "level", "text", "到2030年，粮食产量达到50万吨以上。", "达到50万吨以上", "c1", 0, 19,
)  # fmt: skip
FACT = Fact(
    "plan", 3, ("第一章",), "", "粮食产量", "60", None, "万吨", "=", False, 2025, "level", "text",
    "粮食产量达到60万吨。", "达到60万吨", "c0", 0, 11,
)  # fmt: skip
EVIL = ("=1+1", "+A1", "-B2", "@SUM(A1)")


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    (folder / "北川.txt").write_text(PLAN, encoding="utf-8")
    build([folder / "北川.txt"], folder / "index")
    return folder / "index"


def run(index: Path, *options: object) -> int:
    return main(["targets", "--index", str(index), *map(str, options)])


# --- the contract of jsonl


def test_a_target_in_jsonl() -> None:
    record = export.target_record(TARGET)
    assert list(record)[:6] == ["doc", "line", "section", "subject", "indicator", "value"]
    assert {"value_max", "baseline_value", "baseline_year"} & record.keys() == set()
    assert (record["value"], record["year"], record["nature"]) == ("50", "2030", None)
    full = export.target_record(replace(TARGET, value_max="60", baseline_value="40", baseline_year=2025))
    assert (full["value_max"], full["baseline_value"], full["baseline_year"]) == ("60", "40", "2025")


def test_jsonl_has_a_line_a_row() -> None:
    text = export.write(export.target_sheet([TARGET, TARGET]), "jsonl", None)
    assert [json.loads(line)["indicator"] for line in text.splitlines()] == ["粮食产量", "粮食产量"]
    assert "粮食产量" in text


# --- for Excel


def test_csv_has_a_byte_order_mark_and_chinese_headings(tmp_path: Path) -> None:
    out = tmp_path / "台账.csv"
    assert export.write(export.target_sheet([TARGET]), "csv", out) == ""
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = read_csv(data.decode("utf-8-sig"))
    assert (row["指标"], row["数值"], row["界限"]) == ("粮食产量", "50", "不低于")
    assert row["章节"] == "第二章 主要目标 › 第一节"


@pytest.mark.parametrize("evil", EVIL)
def test_what_looks_like_a_formula_stays_text(evil: str, tmp_path: Path) -> None:
    sheet = export.target_sheet([replace(TARGET, indicator=evil, sentence=evil)])
    (row,) = read_csv(export.as_csv(sheet))
    assert row["指标"] == f"'{evil}"
    out = tmp_path / "t.xlsx"
    export.write(sheet, "xlsx", out)
    cell = openpyxl.load_workbook(out).active["E2"]
    assert (cell.value, cell.data_type) == (evil, "s")


def test_a_negative_number_is_a_number_in_csv() -> None:
    (row,) = read_csv(export.as_csv(export.target_sheet([replace(TARGET, value="-2.5")])))
    assert row["数值"] == "-2.5"


def test_xlsx_is_ready_to_use(tmp_path: Path) -> None:
    out = tmp_path / "台账.xlsx"
    export.write(export.target_sheet([TARGET, replace(TARGET, value=None, text_value="实现零增长\x0b")]), "xlsx", out)
    page = openpyxl.load_workbook(out).active
    headings = [cell.value for cell in page[1]]
    assert page.title == "指标台账"
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == f"A1:Q{page.max_row}"
    assert page.max_row == 3
    value, sentence = headings.index("数值"), headings.index("原句")
    assert page[2][value].value == 50
    assert page[3][value].value == "实现零增长"
    assert page[2][sentence].alignment.wrap_text
    assert page.column_dimensions["Q"].width > 50
    assert page[1][0].font.bold


# --- every list


@pytest.mark.parametrize(
    "sheet",
    [
        export.target_sheet([TARGET]),
        export.fact_sheet([FACT]),
        export.project_sheet([Project("plan", 7, (), "专栏1", "水利", "西河水库工程", "西河", "", "c2", 5, 11)]),
        export.conflict_sheet([]),
    ],
)
def test_a_sheet_is_rectangular(sheet: export.Sheet) -> None:
    assert len(sheet.headings) == len(sheet.widths)
    assert all(len(row) == len(sheet.headings) for row in sheet.rows)
    assert max(sheet.brief) < len(sheet.headings)
    assert len(sheet.records) == len(sheet.rows)


def test_the_terminal_table_is_aligned() -> None:
    rows: Sequence[Target] = [TARGET, replace(TARGET, indicator="城镇化率（常住人口）", unit="%")]
    heading, first, second, count = export.as_table(export.target_sheet(rows)).splitlines()
    # a Chinese character takes two columns: the heading 单位 and both units begin at the same column
    at = len(heading[: heading.index("单位")].encode("gbk"))
    assert first.encode("gbk")[at:].decode("gbk").startswith("万吨")
    assert second.encode("gbk")[at:].decode("gbk").startswith("%")
    assert count == "共 2 条。"


def test_an_empty_list_says_so() -> None:
    assert export.as_table(export.target_sheet([])).endswith("没有找到量化的目标。\n")
    assert export.as_jsonl(export.target_sheet([])) == ""


def test_xlsx_needs_a_file() -> None:
    with pytest.raises(UserError, match="--out"):
        export.write(export.target_sheet([TARGET]), "xlsx", None)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_file_that_cannot_be_written_is_named(form: export.Format, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="写不进"):
        export.write(export.target_sheet([TARGET]), form, tmp_path / "missing" / f"t.{form}")


# --- the command


def test_the_command_prints_the_register(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(index) == 0
    printed = capsys.readouterr().out
    assert "粮食产量" in printed
    assert printed.splitlines()[-1] == "共 3 条。"
    assert run(index, "--format", "jsonl") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["indicator"], row["value"], row["comparator"]) for row in rows] == [
        ("粮食产量", "50", ">="), ("城镇化率", "65.5", "~"), ("化肥使用量", None, "="),
    ]  # fmt: skip
    assert run(index, "--format", "csv") == 0
    assert [row["指标"] for row in read_csv(capsys.readouterr().out)] == ["粮食产量", "城镇化率", "化肥使用量"]


def test_the_other_lists(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = {}
    for option in ("--facts", "--projects", "--conflicts"):
        assert run(index, option, "--format", "jsonl") == 0
        listed[option] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["indicator"], row["value"], row["year"]) for row in listed["--facts"]] == [("粮食产量", "60", "2025")]
    assert [row["project"] for row in listed["--projects"]] == ["西河水库工程", "东河县30万吨/年供水项目"]
    assert [(row["kind"], [side["line"] for side in row["sides"]]) for row in listed["--conflicts"]] == [
        ("目标不高于已达到", [3, 5])
    ]


def test_the_ending_of_the_file_gives_the_format(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(index, "--out", tmp_path / "t.xlsx") == 0
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").active.max_row == 4
    assert run(index, "--conflicts", "--out", tmp_path / "t.csv") == 0
    (row,) = read_csv((tmp_path / "t.csv").read_text(encoding="utf-8-sig"))
    assert (row["类型"], row["行号"]) == ("目标不高于已达到", "3、5")
    assert "第3行" in row["一处"]
    assert "第5行" in row["另一处"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "共 3 条" in printed.err


def test_mistakes_end_in_one_line(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(index, "--format", "xlsx") == 2
    assert "--out" in capsys.readouterr().err
    assert run(tmp_path / "none") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_document_without_targets_and_a_broken_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header = "| 序号 | 指标名称 | 单位 | 2025年 | 属性 |\n| --- | --- | --- | --- | --- |\n"
    text = f"# 某办法\n\n{header}| 1 | 覆盖率 | % |\n"
    (tmp_path / "某办法.md").write_text(text, encoding="utf-8")
    build([tmp_path / "某办法.md"], tmp_path / "index")
    assert run(tmp_path / "index", "--format", "jsonl") == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "没有找到量化的目标" in printed.err
    assert "某办法 的表格未能读全：第5行" in printed.err


def test_the_measure_is_printed(tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert eval_main(["register", "--index", str(index)]) == 2
    assert "索引里没有它" in capsys.readouterr().err
