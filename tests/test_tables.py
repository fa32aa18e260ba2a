"""Rows of flattened and real tables, items of boxes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.tables import Row, Table, flat_extent, items, rows
from index.types import Cell, Line

PLAN = Path(__file__).parents[1] / "index" / "sources" / "changji-14fyp.txt"
HEADER = ["类别", "序号", "指标", "单位", "2025年", "2030年", "年均增速", "属性"]


def lines(texts: list[str], first: int = 1) -> list[Line]:
    return [Line(number, text) for number, text in enumerate(texts, first)]


def plan_table() -> Table:
    return rows(lines(PLAN.read_text(encoding="utf-8").split("\n")[63:229], first=64))


def values(row: Row) -> dict[str, str]:
    return {cell.column: cell.text for cell in row.cells}


def check_cells(table: Table, source: list[Line]) -> None:
    text = {line.number: line.text for line in source}
    for row in table.rows:
        for cell in row.cells:
            assert text[cell.line][cell.start : cell.start + len(cell.text)] == cell.text


# --- the shipped plan's first box, against values read by hand


def test_plan_table_as_a_whole() -> None:
    table = plan_table()
    assert table.columns == ("类型", "序号", "指标名称", "单位", "2020年", "2025年", "年均/累计", "指标属性")
    assert (table.header, table.notes, table.problems) == (tuple(range(65, 73)), (229,), ())
    assert [values(row)["序号"] for row in table.rows] == [str(number) for number in range(1, 21)]
    assert all(tuple(values(row)) == table.columns for row in table.rows)
    check_cells(table, lines(PLAN.read_text(encoding="utf-8").split("\n")))
    groups = [values(row)["类型"].replace(" ", "") for row in table.rows]
    assert groups == [*["经济发展"] * 3, *["创新驱动"] * 3, *["绿色发展"] * 5, *["民生福祉"] * 7, *["安全保障"] * 2]


@pytest.mark.parametrize(
    ("number", "own", "expected"),
    [
        (1, (74, 80), ["地区生产总值增长", "%", "5.3", "—", "保持在合理区间、各年度视情提出", "预期性"]),
        (3, (89, 95), ["常住人口城镇化率", "%", "—", ">60", "—", "预期性"]),
        (4, (98, 104), ["全社会研究与试验发展(R&D)经费投入增速", "%", "—", "—", "10", "预期性"]),
        (6, (113, 119), ["使用5G网络人口占比", "%", "16", "45", "—", "预期性"]),
        # one goal in words over 2025年 and 年均/累计, and over rows 7 and 8
        (7, (122, 127), ["单位地区生产总值能源消耗降低", "%", "—", *["控制在自治区下达指标内"] * 2, "约束性"]),
        (8, (129, 133), ["单位地区生产总值二氧化碳排放降低", "%", "—", *["控制在自治区下达指标内"] * 2, "约束性"]),
        (9, (135, 141), ["森林覆盖率", "%", "14", "14.2", "—", "约束性"]),
        (11, (150, 155), ["地表水质量达到或好于Ⅲ类水体比例", "%", "100", *["控制在自治区下达指标内"] * 2, "约束性"]),
        (12, (158, 163), ["居民人均可支配收入增长率", "%", "—", *["与GDP增长基本同步"] * 2, "预期性"]),
        (13, (165, 171), ["城镇调查失业率", "%", "—", "5.5左右", "—", "预期性"]),
        (15, (181, 187), ["每千人口拥有3岁以下婴幼儿托位数", "个", "0.714", "1.379", "—", "预期性"]),
        (19, (214, 220), ["粮食综合生产能力", "万吨", "134.8", "145", "〔10.2〕", "约束性"]),
        (20, (221, 227), ["能源综合生产能力", "亿吨标煤", "—", "≥1.15", "—", "约束性"]),
    ],
)
def test_plan_rows(number: int, own: tuple[int, int], expected: list[str]) -> None:
    row = plan_table().rows[number - 1]
    assert (row.first, row.last) == own
    assert [cell.text for cell in row.cells][2:] == expected


def test_merged_cells_stand_where_they_are() -> None:
    row = plan_table().rows[7]
    place = {cell.column: cell.line for cell in row.cells}
    assert (place["类型"], place["2020年"], place["2025年"], place["年均/累计"]) == (121, 132, 126, 126)


# --- other flattened tables


def test_other_years_and_indicators() -> None:
    body = [
        "经济",
        "1",
        "工业产值",
        "亿元",
        "300",
        "500",
        "10.8",
        "预期性",
        "2",
        "数字经济占比",
        "%",
        "8",
        "12左右",
        "—",
    ]
    more = ["预期性", "", "生态", "3", "PM2.5平均浓度", "微克/立方米", "—", "完成下达任务", "约束性"]
    source = lines([*HEADER, *body, *more, "注：", "2.按当年价格计算"])
    table = rows(source)
    assert table.problems == ()
    check_cells(table, source)
    assert [list(values(row).values()) for row in table.rows] == [
        ["经济", "1", "工业产值", "亿元", "300", "500", "10.8", "预期性"],
        ["经济", "2", "数字经济占比", "%", "8", "12左右", "—", "预期性"],
        ["生态", "3", "PM2.5平均浓度", "微克/立方米", "—", "完成下达任务", "完成下达任务", "约束性"],
    ]
    assert table.notes == (32, 33)


def test_ordinals_among_the_values_start_no_row() -> None:
    body = ["民生", "1", "新建医院", "所", "2", "3", "—", "预期性", "2", "新建学校", "所", "3", "4", "5", "预期性"]
    table = rows(lines([*HEADER, *body, "3", "新建公园", "个", "4", "5", "—", "预期性"]))
    assert [values(row)["指标"] for row in table.rows] == ["新建医院", "新建学校", "新建公园"]
    assert table.problems == ()


def test_broken_rows_keep_only_what_is_certain() -> None:
    broken = ["民生", "1", "医院床位", "张", "20", "预期性"]  # two of three values are lost: which is not known
    without_unit = ["2", "新建学校", "3", "4", "5", "预期性"]
    without_nature = ["3", "新建公园", "个", "4", "5", "—"]
    whole = ["4", "公共厕所", "座", "6", "7", "—", "预期性"]
    table = rows(lines([*HEADER, *broken, *without_unit, *without_nature, *whole]))
    assert [values(row) for row in table.rows] == [
        {"类别": "民生", "序号": "1", "指标": "医院床位", "单位": "张", "属性": "预期性"},
        {
            **{"类别": "民生", "序号": "2", "指标": "新建学校"},
            **{"2025年": "3", "2030年": "4", "年均增速": "5", "属性": "预期性"},
        },
        {
            **{"类别": "民生", "序号": "3", "指标": "新建公园", "单位": "个"},
            **{"2025年": "4", "2030年": "5", "年均增速": "—"},
        },
        {
            **{"类别": "民生", "序号": "4", "指标": "公共厕所", "单位": "座"},
            **{"2025年": "6", "2030年": "7", "年均增速": "—", "属性": "预期性"},
        },
    ]
    assert [problem.split("”")[0] for problem in table.problems] == [
        "第10行起的“医院床位",
        "第15行起的“新建学校",
        "第21行起的“新建公园",
    ]


def test_a_lost_ordinal_is_noticed() -> None:
    body = ["民生", "1", "医院床位", "张", "1", "2", "—", "预期性", "新建学校", "所", "3", "4", "—", "预期性"]
    table = rows(lines([*HEADER, *body, "3", "新建公园", "个", "4", "5", "—", "预期性"]))
    assert [values(row)["序号"] for row in table.rows] == ["1", "3"]
    assert table.problems == ("第17行起的“新建学校”应有一行，但认不出行首，未列入",)
    assert len(table.rows[0].cells) == len(HEADER)
    # A group's label may be among the lost cells: the next row is not given the last one known.
    assert "类别" not in values(table.rows[1])


@pytest.mark.parametrize("groups", [[], ["民生"]])
def test_a_column_behind_the_nature_names_no_group(groups: list[str]) -> None:
    header = [*HEADER[1 - len(groups) :], "责任部门"]
    body = [
        "1",
        "医院床位",
        "张",
        "1",
        "2",
        "—",
        "预期性",
        "卫健委",
        "2",
        "新建学校",
        "所",
        "3",
        "4",
        "—",
        "预期性",
        "教育局",
    ]
    table = rows(lines([*header, *groups, *body]))
    assert [values(row) for row in table.rows] == [
        dict(zip(HEADER[1:], body[:7], strict=True)),
        dict(zip(HEADER[1:], body[8:15], strict=True)),
    ]
    assert any("卫健委" in problem for problem in table.problems)


def test_without_ordinals_rows_end_at_the_nature() -> None:
    header = ["指标名称", "单位", "2025年", "2030年", "属性"]
    table = rows(lines([*header, "森林面积", "万亩", "3", "5", "约束性", "草原面积", "万亩", "4", "6", "约束性"]))
    assert [list(values(row).values()) for row in table.rows] == [
        ["森林面积", "万亩", "3", "5", "约束性"],
        ["草原面积", "万亩", "4", "6", "约束性"],
    ]
    assert table.problems == ()


def test_without_nature_rows_begin_at_the_ordinal() -> None:
    header = ["序号", "指标名称", "单位", "2025年", "2030年"]
    table = rows(lines([*header, "1", "森林面积", "万亩", "2", "5", "2", "草原面积", "万亩", "4", "6"]))
    assert [list(values(row).values()) for row in table.rows] == [
        ["1", "森林面积", "万亩", "2", "5"],
        ["2", "草原面积", "万亩", "4", "6"],
    ]


def test_table_whose_rows_cannot_be_told_apart_is_named() -> None:
    table = rows(lines(["指标名称", "单位", "2025年", "森林面积", "万亩", "3"]))
    assert table.rows == ()
    assert "无法分行" in table.problems[0]


def test_extent_of_a_flattened_table() -> None:
    table = ["|||", *(f"{cell} |" for cell in HEADER), "民生 |", "1 |", "医院床位 |", "|"]
    assert flat_extent(lines([*table, "加强医院建设，提高水平"])) == len(table)
    assert flat_extent(lines([*table, "注:年末数。", "2.含分院。", "加强医院建设。"])) == len(table) + 2
    assert flat_extent(lines(["医院床位", *HEADER])) == 0
    assert flat_extent(lines(HEADER[:4])) == 0


# --- real tables


def test_rows_of_a_real_table() -> None:
    grid = [
        ("类别", "序号", "指标", "单位", "规划目标", "", "属性"),
        ("", "", "", "", "2025 年", "2030 年", ""),
        ("经济", "1", "工业产值", "亿元", "300", "500", "预期性"),
        ("", "2", "服务业产值", "亿元", "300", "300", "预期性"),
        ("生态", "3", "能耗降低", "%", "完成下达任务", "", "约束性"),
        ("", "4", "碳排放降低", "%", "", "", "约束性"),
        ("注：当年价格。", "", "", "", "", "", ""),
    ]
    source = [Line(number, " | ".join(cells), cells=cells) for number, cells in enumerate(grid, 1)]
    table = rows(source)
    assert table.columns == ("类别", "序号", "指标", "单位", "2025年", "2030年", "属性")
    assert (table.header, table.notes, table.problems) == ((1, 2), (7,), ())
    check_cells(table, source)
    assert [list(values(row).values()) for row in table.rows] == [
        ["经济", "1", "工业产值", "亿元", "300", "500", "预期性"],
        ["经济", "2", "服务业产值", "亿元", "300", "300", "预期性"],
        ["生态", "3", "能耗降低", "%", "完成下达任务", "完成下达任务", "约束性"],
        ["生态", "4", "碳排放降低", "%", "完成下达任务", "完成下达任务", "约束性"],
    ]
    # equal texts in one row keep their own places
    assert [cell.start for cell in table.rows[1].cells if cell.text == "300"] == [20, 26]


def test_real_row_of_another_width_is_named() -> None:
    grid = [("项目", "投资"), ("水库", "3亿元"), ("水库", "2亿元", "二期")]
    table = rows([Line(number, " | ".join(cells), cells=cells) for number, cells in enumerate(grid, 1)])
    assert table.rows == (
        Row((Cell("项目", "水库", 2, 0), Cell("投资", "3亿元", 2, 5)), 2, 2),
        Row((), 3, 3),
    )
    assert table.problems == ("第3行应有2格，实有3格，各格属于哪一列无法确定",)


# --- items


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("1.煤电:4×66万千瓦。 2.煤炭:1.17亿吨。 |", ["1.煤电:4×66万千瓦。", "2.煤炭:1.17亿吨。"]),
        (
            "1.教育信息化。实施 2.0工程，投资2.5亿元。 2.学校。",
            ["1.教育信息化。实施 2.0工程，投资2.5亿元。", "2.学校。"],
        ),
        ("项目如下。1.甲站。2.乙站", ["项目如下。", "1.甲站。", "2.乙站"]),
        ("（1）甲；（2）乙；（4）丁", ["（1）甲；", "（2）乙；（4）丁"]),
        ("①甲。②乙。", ["①甲。", "②乙。"]),
        ("一、甲。1.子。2.丑。 二、乙。", ["一、甲。1.子。2.丑。", "二、乙。"]),
        ("一核:城区。 两翼:东、西。 基地: 小麦基地:甲县。", ["一核:城区。", "两翼:东、西。", "基地: 小麦基地:甲县。"]),
        ("甲市。按照定位，建城。 乙县。围绕定位，建园。 |", ["甲市。按照定位，建城。", "乙县。围绕定位，建园。"]),
        ("甲项目、乙项目等。 |", ["甲项目、乙项目等。"]),
        ("重点项目:甲。另有:乙。", ["重点项目:甲。另有:乙。"]),
        ("稳定粮食生产。优化结构。", ["稳定粮食生产。优化结构。"]),
        ("1.17亿吨煤。", ["1.17亿吨煤。"]),
        (" | ", []),
    ],
)
def test_items(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in items(text)] == pieces


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="12.、。:：；甲乙县（）()①② |", max_size=60))
def test_items_cover_all_but_layout(text: str) -> None:
    spans = items(text)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    covered = {at for start, end in spans for at in range(start, end)}
    assert all(at in covered or sign in " |" for at, sign in enumerate(text))


CELLS = [
    "1",
    "2",
    "3",
    "森林面积",
    "万亩",
    "—",
    "5.5左右",
    "控制在指标内",
    "约束性",
    "生态",
    "",
    "|",
    "注:年末数。",
    *HEADER,
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(CELLS), max_size=40))
def test_every_cell_of_any_table_is_verbatim_and_rows_do_not_overlap(texts: list[str]) -> None:
    source = lines([*HEADER, *texts])
    table = rows(source)
    check_cells(table, source)
    ends = [0, *(row.last for row in table.rows)]
    assert all(row.first > end and row.last >= row.first for row, end in zip(table.rows, ends, strict=False))
    whole = [row for row in table.rows if {cell.column for cell in row.cells} == set(HEADER)]
    assert all(sum(cell.column == "指标" for cell in row.cells) == 1 for row in whole)
