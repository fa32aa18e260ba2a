"""What is to be checked: each kind once where it is, and silence where scope, year, unit or measure differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.build import SHIPPED_PLAN
from index.chunk import chunks
from index.conflicts import Conflict, conflicts
from index.outline import outline
from index.period import period_of
from index.reader import read
from index.targets import register

DATA = Path(__file__).parent / "data"


def conflicts_of(path: Path, supplied: Path | None = None) -> tuple[Conflict, ...]:
    document = read(path)
    sections = outline(document, supplied)
    held = chunks(document, sections)
    return conflicts(register(document, sections, held, period_of(document)), held)


def found_in(folder: Path, *lines: str, name: str = "plan.txt") -> list[tuple[str, str, list[int]]]:
    path = folder / name
    path.write_text("\n".join(["南川市“十五五”规划纲要", *lines]) + "\n", encoding="utf-8")
    return [(c.kind, c.about, [side.line for side in c.sides]) for c in conflicts_of(path)]


TABLE = (
    "| 序号 | 指标名称 | 单位 | 2025年 | 2030年 | 年均/累计 | 属性 |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


@pytest.mark.parametrize("supplied", [None, SHIPPED_PLAN.with_suffix(".outline.tsv")])
def test_the_shipped_plan_has_these_and_no_others(supplied: Path | None) -> None:
    """Read by hand: every one of them is worth a look, and no line of the plan that is one is missing."""
    assert [(c.kind, [side.line for side in c.sides]) for c in conflicts_of(SHIPPED_PLAN, supplied)] == [
        ("目标不高于已达到", [11, 319]),
        ("表文不一致", [22, 198]),
        ("目标不高于已达到", [22, 198, 198, 562, 563]),
        ("目标不高于已达到", [23, 547]),
        ("表文不一致", [190, 557]),
        ("表文不一致", [215, 256]),
        ("清单不一致", [252, 255]),
    ]


def test_two_values_for_one_indicator(tmp_path: Path) -> None:
    assert found_in(tmp_path, "到2030年，公交覆盖率达到90%。", "到2030年，公交覆盖率达到85%。") == [
        ("数值不一致", "公交覆盖率", [2, 3])
    ]


@pytest.mark.parametrize(
    "other",
    [
        "到2028年，公交覆盖率达到85%。",
        "到2030年，双桥县公交覆盖率达到85%。",
        "到2030年，公交覆盖率提高5个百分点。",
        "到2030年，公交覆盖人数达到85万人。",
        "到2030年，校车覆盖率达到85%。",
        "到2030年，公交覆盖率达到90%以上。",
        "2025年，公交覆盖率达到85%。",
    ],
)
def test_another_year_place_measure_or_unit_is_no_disagreement(other: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, "到2030年，公交覆盖率达到90%。", other) == []


def test_table_and_text_differ_in_value_or_bound(tmp_path: Path) -> None:
    rows = ("| 1 | 森林覆盖率 | % | 40 | 42 | — | 约束性 |", "| 2 | 粮食产能 | 万吨 | 50 | 55 | 〔5〕 | 约束性 |")
    text = ("", "到2030年，森林覆盖率达到43%。", "到2030年，粮食产能达到55万吨以上。")
    assert found_in(tmp_path, "", *TABLE, *rows, *text, name="plan.md") == [
        ("表文不一致", "森林覆盖率", [5, 8]),
        ("表文不一致", "粮食产能", [6, 9]),
    ]


def test_table_and_text_that_agree(tmp_path: Path) -> None:
    rows = ("| 1 | 森林覆盖率 | % | 40 | ≥42 | — | 约束性 |",)
    assert found_in(tmp_path, "", *TABLE, *rows, "", "到2030年，森林覆盖率不低于42%。", name="plan.md") == []


def test_a_target_at_or_below_what_is_reached(tmp_path: Path) -> None:
    review = "“十四五”时期，接待游客达到900万人次，公路里程达到700公里。"
    assert found_in(tmp_path, review, "到2030年，接待游客达到800万人次，公路里程达到700公里。") == [
        ("目标不高于已达到", "接待游客", [2, 3]),
        ("目标不高于已达到", "公路里程", [2, 3]),
    ]


@pytest.mark.parametrize(
    ("reached", "aimed"),
    [
        ("接待游客达到900万人次", "接待游客达到950万人次"),
        ("城镇失业率为4%", "城镇失业率控制在3.5%左右"),
        ("饮水普及率达到100%", "饮水普及率达到100%"),
        ("用水总量为9亿立方米", "用水总量控制在8亿立方米以内"),
        ("新增城镇就业9万人", "新增城镇就业8万人"),
        ("耕地保有量为300万亩", "耕地保有量不低于298万亩"),
        ("医保参保率稳定在97%以上", "医保参保率稳定在97%以上"),
    ],
)
def test_no_target_below_what_is_reached(reached: str, aimed: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, f"“十四五”时期，{reached}。", f"到2030年，{aimed}。") == []


def test_parts_that_are_more_than_their_whole(tmp_path: Path) -> None:
    assert found_in(tmp_path, "到2030年，牧草面积达到20万亩，其中燕麦13万亩、苜蓿8万亩。") == [
        ("分项与合计不符", "牧草面积", [2])
    ]
    assert found_in(tmp_path, "到2030年，牧草面积达到20万亩，其中燕麦11万亩、苜蓿8万亩。") == []


def test_base_and_sum_of_a_row_against_its_target(tmp_path: Path) -> None:
    wrong = "| 1 | 粮食产能 | 万吨 | 50.2 | 55 | 〔6〕 | 约束性 |"
    rounded = "| 1 | 粮食产能 | 万吨 | 50.2 | 55 | 〔5〕 | 约束性 |"
    assert found_in(tmp_path, "", *TABLE, wrong, name="plan.md") == [("分项与合计不符", "粮食产能", [5])]
    assert found_in(tmp_path, "", *TABLE, rounded, name="plan.md") == []


def test_a_structure_that_does_not_make_a_hundred(tmp_path: Path) -> None:
    assert found_in(tmp_path, "到2030年，三次产业结构调整为10:40:52。") == [("分项与合计不符", "三次产业结构", [2])]
    assert found_in(tmp_path, "到2030年，三次产业结构调整为10:40:50。") == []


def test_two_lists_of_one_name(tmp_path: Path) -> None:
    first = "建设粮油、果蔬、畜牧、水产四大基地。"
    second = "四大基地：粮油基地：以东县为主。果蔬基地：以西县为主。畜牧基地：以北县为主。花卉基地：以南县为主。"
    assert found_in(tmp_path, first, second) == [("清单不一致", "四大基地", [2, 3])]
    path = tmp_path / "plan.txt"
    (conflict,) = conflicts_of(path)
    assert "第2行另有水产" in conflict.note
    assert "第3行另有花卉" in conflict.note


@pytest.mark.parametrize(
    "other",
    [
        "打造粮油、果蔬、畜牧（含禽类）、水产四大基地。",
        "完善仓储、运输、加工、销售四大基地。",
        "建设粮油、果蔬、畜牧、花卉四大园区。",
        "建设粮油、果蔬、花卉三大基地。",
    ],
)
def test_lists_that_are_the_same_or_of_other_things(other: str, tmp_path: Path) -> None:
    assert found_in(tmp_path, "建设粮油、果蔬、畜牧、水产四大基地。", other) == []


@pytest.mark.parametrize("name", ["county-14fyp.md", "prefecture-15fyp.txt", "district-15fyp.txt"])
def test_plans_that_agree_with_themselves(name: str) -> None:
    assert conflicts_of(DATA / name) == ()


def test_every_side_is_quoted_and_nothing_is_called_an_error() -> None:
    document = read(SHIPPED_PLAN)
    found = conflicts_of(SHIPPED_PLAN)
    assert found
    for conflict in found:
        assert conflict.note.startswith("待核对：")
        assert not any(word in conflict.note for word in ("错误", "矛盾", "有误"))
        for side in conflict.sides:
            line = document.lines[side.line - 1].text
            assert side.said in side.sentence
            assert side.said in line or "专栏1" in "".join(side.section)  # a table row has lines of its own
