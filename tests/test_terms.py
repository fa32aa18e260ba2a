"""Names and years that a document states of itself, on small plans of regions that do not exist."""

from __future__ import annotations

import pytest

from index.period import Period, named_plans, numeral, period_of, plan_years
from index.terms import abbreviations, own_terms, places, region
from index.types import Cell, Chunk, Document, Line


def chunk(text: str, cells: tuple[Cell, ...] = ()) -> Chunk:
    return Chunk("0", "doc", "row" if cells else "paragraph", (1,), 0, len(text), text, (), None, cells)


def document(text: str) -> Document:
    lines = tuple(Line(number, line) for number, line in enumerate(text.split("\n"), 1))
    return Document("doc", lines[0].text, "doc.txt", "0" * 64, lines)


# --- places


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("覆盖东山县、西岭市和北川开发区。东山县、西岭市和北川开发区联动。", ["东山县", "北川开发区", "西岭市"]),
        ("支持东山县、西岭市发展。支持东山县、西岭市发展。", ["东山县", "西岭市"]),
        ("引导东山县、西岭市协作。推行东山县、西岭市共建。东山县粮食增产。", ["东山县", "西岭市"]),
        ("布局在东山县、西岭市等地。落实东山县、西岭市任务。\n东山县牵头。", ["东山县", "西岭市"]),
        ("东山县及西岭市。白塔自治县与西岭市。白塔自治县、东山县。", ["东山县", "白塔自治县", "西岭市"]),
    ],
)
def test_places_of_enumerations(text: str, expected: list[str]) -> None:
    assert places([chunk(text)]) == expected


@pytest.mark.parametrize(
    "text",
    [
        "东山县、西岭市。",  # once is no name yet
        "东山县。东山县。东山县。",  # in no enumeration
        "各县市、各园区。各县市、各园区。",
        "工业园区、产业园区和示范区。工业园区、产业园区和示范区。",
        "中心城区、老旧小区。中心城区、老旧小区。",
    ],
)
def test_common_words_are_no_places(text: str) -> None:
    assert places([chunk(text)]) == []


def test_places_count_over_all_chunks() -> None:
    assert places([chunk("东山县、西岭市"), chunk("东山县、西岭市")]) == ["东山县", "西岭市"]


# --- short names, the region, the document's own terms


def test_abbreviations() -> None:
    text = "白塔族自治州(以下简称“白塔州”)。北方清洁能源基地（简称北能基地）。西岭市(县级)不是简称。"
    assert abbreviations([chunk(text)]) == {"白塔州": "白塔族自治州", "北能基地": "北方清洁能源基地"}


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("北川市国民经济和社会发展第十五个五年规划和二〇三五年远景目标纲要", ["北川市", "川城"]),
        ("北川市“十五五”规划", ["北川市", "川城"]),
        ("北川市林业发展规划", ["北川市", "川城"]),
        ("关于印发北川市国民经济和社会发展第十五个五年规划的通知", ["北川市", "川城"]),
        ("白塔族自治州2026-2030年水务规划", ["白塔族自治州"]),
        ("2026年工作要点", []),
        ("关于做好春耕的通知", []),
        ("Plan 2030", []),
        ("", []),
    ],
)
def test_region_of_a_title(title: str, expected: list[str]) -> None:
    assert region(title, [chunk("北川市(以下简称“川城”)位于西部。东山县(简称“东山”)在其北。")]) == expected


def test_own_terms() -> None:
    row = chunk("单位 | 万吨", (Cell("指标名称", "粮食综合产能", 1, 0), Cell("单位", "万吨", 1, 0)))
    text = "推进“两山转化”,建设北方清洁能源基地(简称“北能基地”)。东山县、西岭市。东山县、西岭市。"
    assert own_terms([row, chunk(text)]) == sorted(["两山转化", "北能基地", "粮食综合产能", "东山县", "西岭市"])


# --- the period


@pytest.mark.parametrize(
    ("word", "number"), [("五", 5), ("十", 10), ("十四", 14), ("十五", 15), ("二十", 20), ("二十一", 21)]
)
def test_numeral(word: str, number: int) -> None:
    assert numeral(word) == number


@pytest.mark.parametrize("word", ["", "四五", "百"])
def test_numeral_of_other_signs(word: str) -> None:
    with pytest.raises(KeyError):
        numeral(word)


def test_years_of_plans() -> None:
    # The tenth plan ran from 2001 to 2005, the fourteenth from 2021 to 2025, and so on in steps of five.
    assert [plan_years(n) for n in (10, 14, 15, 20)] == [(2001, 2005), (2021, 2025), (2026, 2030), (2051, 2055)]
    with pytest.raises(ValueError, match="tenth"):
        plan_years(9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("北川市国民经济和社会发展第十五个五年规划\n到2035年基本实现现代化", Period(2026, 2030)),
        ("北川市国民经济和社会发展第十五个五年规划和2035年远景目标纲要", Period(2026, 2030, 2035)),
        ("北川市第十个五年计划", Period(2001, 2005)),
        ("北川市“十五五”水务规划", Period(2026, 2030)),
        ("北川市水务规划\n本规划期限为2026—2035年。", Period(2026, 2035)),
        ("北川市“十五五”规划\n规划期为2027年至2030年。", Period(2027, 2030)),
    ],
)
def test_period_of_a_plan(text: str, expected: Period) -> None:
    assert period_of(document(text)) == expected


@pytest.mark.parametrize(
    "text", ["北川市供水条例\n第十五条 十五个工作日内办结。", "十五五个县", "第十五届五次会议", "无"]
)
def test_document_that_is_no_plan_has_no_period(text: str) -> None:
    assert period_of(document(text)) is None


def test_base_year() -> None:
    assert Period(2026, 2030).base == 2025


def test_plans_that_a_question_names() -> None:
    assert named_plans("“十四五”完成得怎样,十五五目标呢?") == [(2021, 2025), (2026, 2030)]
    assert named_plans("十五个县,第十五届") == []
