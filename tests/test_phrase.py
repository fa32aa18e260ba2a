"""Table rows in words: every word from the cells and their headers."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.figures import figures
from index.types import Cell, Chunk
from rag.phrase import row_of, row_words
from rag.verify import Cited, verify
from tests.fakes import row

GRAIN = row(
    [
        ("类型", "经济"),
        ("序号", "1"),
        ("指标名称", "粮食产能"),
        ("单位", "万吨"),
        ("2025年", "91.5"),
        ("2030年", "96"),
        ("年均/累计", "〔4.5〕"),
        ("指标属性", "约束性"),
    ]
)


def test_a_row_is_told_with_its_columns_unit_and_nature() -> None:
    assert row_words(GRAIN) == "粮食产能：2025年91.5万吨，2030年96万吨，年均/累计〔4.5万吨〕，约束性"


def test_only_the_years_asked_about_are_told() -> None:
    assert row_words(GRAIN, [2030]) == "粮食产能：2030年96万吨，约束性"
    assert row_words(GRAIN, (2025, 2030)) == "粮食产能：2025年91.5万吨，2030年96万吨，约束性"


def test_years_that_no_column_has_leave_the_whole_row() -> None:
    assert row_words(GRAIN, [2035]) == row_words(GRAIN)


@pytest.mark.parametrize(
    ("unit", "value", "told"),
    [
        ("%", "5.5左右", "2030年5.5%左右"),
        ("%", "93以上", "2030年93%以上"),
        ("件", "≥8", "2030年≥8件"),
        ("%", "〔0.3〕", "2030年〔0.3%〕"),
        ("", "340", "2030年340"),
        ("%", "控制在上级下达指标内", "2030年：控制在上级下达指标内"),
    ],
)
def test_the_unit_stands_behind_the_number(unit: str, value: str, told: str) -> None:
    chunk = row([("指标名称", "某指标"), ("单位", unit), ("2030年", value)])
    assert row_words(chunk) == f"某指标：{told}"


def test_an_empty_value_is_not_told() -> None:
    chunk = row([("指标名称", "某指标"), ("单位", "%"), ("2025年", "—"), ("2030年", "7")])
    assert row_words(chunk) == "某指标：2030年7%"
    assert [column for column, _ in row_of(chunk).values] == ["2030年"]


def test_a_row_of_names_alone_is_its_name_and_other_columns() -> None:
    assert row_words(row([("项目名称", "新馆建设"), ("备注", "续建")])) == "新馆建设：备注续建"
    assert row_words(row([("项目名称", "新馆建设")])) == "新馆建设"


@pytest.mark.parametrize("header", ["责任单位", "牵头单位", "实施单位"])
def test_the_office_in_charge_is_no_unit_of_measure(header: str) -> None:
    chunk = row([("项目名称", "新馆建设"), (header, "州文旅局"), ("2030年", "5")])
    assert row_words(chunk) == f"新馆建设：2030年5，{header}州文旅局"


@pytest.mark.parametrize("header", ["单位", "计量单位"])
def test_the_unit_of_measure_is_known_by_its_header(header: str) -> None:
    assert row_of(row([("指标名称", "某指标"), (header, "万吨"), ("2030年", "5")])).unit == "万吨"


def test_a_value_that_stands_inside_another_is_told_too() -> None:
    # the cells of a row of Word, HTML or Markdown share one line
    name, unit = Cell("指标名称", "死亡率", 1, 0), Cell("单位", "‰", 1, 6)
    cells = (name, unit, Cell("2025年", "5.8", 1, 10), Cell("2030年", "5", 1, 16))
    chunk = Chunk("x", "plan", "row", (1,), 0, 17, "死亡率 | ‰ | 5.8 | 5", (), None, cells)
    assert row_words(chunk) == "死亡率：2025年5.8‰，2030年5‰"


def test_a_cell_merged_over_several_columns_is_told_once() -> None:
    merged = Cell("2025年", "保持增长", 3, 0)
    cells = (Cell("指标名称", "产值", 1, 0), merged, replace(merged, column="2030年"))
    chunk = Chunk("x", "plan", "row", (1, 2, 3), 0, 9, "产值\n\n保持增长", (), None, cells)
    assert row_words(chunk) == "产值：2025年：保持增长"


@pytest.mark.parametrize(
    ("name", "column", "told"),
    [
        ("风电母港", "2030年投资（亿元）", "风电母港：2030年投资5亿元"),
        ("粮食产量(万吨)", "2030年", "粮食产量(万吨)：2030年5万吨"),
        ("城镇化率（常住人口）", "2030年", "城镇化率（常住人口）：2030年5"),
    ],
)
def test_a_unit_in_brackets_goes_behind_the_number(name: str, column: str, told: str) -> None:
    chunk = row([("项目名称", name), (column, "5")])
    assert row_words(chunk) == told
    cited = Cited(row_words(chunk), chunk.text, (), chunk.cells)
    assert all(check.ok for check in verify(f"{told}[1]", {1: cited}))


def test_a_row_without_headers_is_named_by_its_longest_cell() -> None:
    assert row_of(row([("", "甲"), ("", "最长的一格"), ("", "丙")])).name.text == "最长的一格"


VALUES = st.text(alphabet="0123456789.%—〔〕左右以上", min_size=1, max_size=8)
COLUMNS = ["2025年", "2030年", "年均增长", "属性", "备注", "序号"]


@given(st.sampled_from(["万吨", "%", "岁", ""]), st.lists(st.tuples(st.sampled_from(COLUMNS), VALUES), max_size=6))
def test_no_figure_is_told_that_no_cell_or_header_holds(unit: str, values: list[tuple[str, str]]) -> None:
    cells = [("指标名称", "粮食综合生产能力指标"), ("单位", unit), *values]
    held = " ".join(f"{column} {text}" for column, text in cells)
    told = row_words(row(cells))
    numbers = {number for figure in figures(told) for number in re.findall(r"\d+", figure.text)}
    assert numbers <= set(re.findall(r"\d+", held))


def test_a_rate_of_growth_does_not_take_the_unit_of_its_row() -> None:
    cells = [("指标名称", "地区生产总值"), ("单位", "亿元"), ("2030年", "1550")]
    cells += [("年均增长", "6"), ("年均增速（%）", "7")]
    assert row_words(row(cells)) == "地区生产总值：2030年1550亿元，年均增长6，年均增速7%"
