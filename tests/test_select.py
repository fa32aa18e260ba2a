"""Passages -> evidence: candidates stand verbatim in their chunks, features say what speaks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from index.period import Period
from index.store import Index
from index.types import Chunk
from rag.align import load_aligner
from rag.pipeline import Pipeline
from rag.select import (
    FEATURES,
    Selector,
    level_before_growth,
    looking_back,
    row_years,
    spans_of,
    those_so_many,
    years_in,
)
from rag.types import Evidence, Passage, Query
from rag.understand import understand
from tests.fakes import KeywordEmbedder, evidence, index_of, paragraph, row

PERIOD = Period(2026, 2030, 2040)
EMBEDDER = KeywordEmbedder(("森林", "粮食", "农田", "床位"))


@pytest.fixture(scope="module")
def index(documents: Path) -> Index:
    return index_of(documents / "yunze.txt", EMBEDDER)


def everything(index: Index) -> list[Passage]:
    return [Passage(chunk, 1.0 / rank, rank) for rank, chunk in enumerate(index.chunks, 1)]


def select(index: Index, question: str, yunze: Pipeline, **weights: float) -> tuple[Evidence, ...]:
    query = understand(question, (), yunze.frame)
    return Selector(index, EMBEDDER, load_aligner(), weights, PERIOD)(query, everything(index))


def of(found: tuple[Evidence, ...], words: str) -> Evidence:
    return next(one for one in found if words in one.text)


def test_evidence_stands_verbatim_in_its_passage_best_first(index: Index, yunze: Pipeline) -> None:
    found = select(index, "2030年森林覆盖率要达到多少？", yunze, characters=1.0, bigrams=1.0)
    assert "森林覆盖率达到27.5%" in found[0].text
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert 0 <= one.start < one.end <= len(one.passage.chunk.text)
        assert tuple(one.features) == FEATURES
        assert one.score == pytest.approx(one.features["characters"] + one.features["bigrams"])


def test_no_passages_no_evidence(index: Index) -> None:
    assert Selector(index, EMBEDDER, load_aligner(), {}, PERIOD)(Query("问", "问", "问"), ()) == ()


def test_shares_and_cosine_are_within_one(index: Index, yunze: Pipeline) -> None:
    for one in select(index, "2030年森林覆盖率和农田各是多少？", yunze):
        for name in ("characters", "bigrams", "words", "lexicon", "around", "passage"):
            assert 0 <= one.features[name] <= 1 + 1e-9, name
        assert -1 - 1e-6 <= one.features["cosine"] <= 1 + 1e-6


def test_the_year_asked_for_another_year_and_none(index: Index, yunze: Pipeline) -> None:
    found = select(index, "2030年森林覆盖率要达到多少？", yunze)
    assert of(found, "森林覆盖率达到").features["year"] == 1
    assert of(found, "地区生产总值达到").features["year_other"] == 1
    # a sentence of the plan that names no year is meant for its last
    unnamed = of(found, "山歌节")
    assert unnamed.features["year"] == 0
    assert unnamed.features["year_near"] > 0
    assert unnamed.years == {2030}


def test_a_year_that_nothing_speaks_of_counts_against_all(index: Index, yunze: Pipeline) -> None:
    for one in select(index, "2037年森林覆盖率要达到多少？", yunze):
        assert one.features["year_other"] > 0
        assert one.features["year"] == one.features["year_near"] == 0


def test_the_place_asked_for(index: Index, yunze: Pipeline) -> None:
    found = select(index, "石湾县新建多少高标准农田？", yunze)
    assert of(found, "石湾县新建高标准农田12.6万亩").features["place"] == 1
    assert of(found, "柳川县新建高标准农田8.5万亩").features["place_missing"] == 1
    assert all(not one.features["place_missing"] for one in select(index, "新建多少农田？", yunze))


def test_figures_units_and_kinds(index: Index, yunze: Pipeline) -> None:
    found = select(index, "高速公路通车里程达到多少公里？", yunze)
    road, culture = of(found, "418公里"), of(found, "山歌节")
    assert (road.features["figure"], road.features["no_figure"]) == (1, 0)
    assert (culture.features["figure"], culture.features["no_figure"]) == (0, 1)
    assert (road.features["unit"], road.features["no_unit"]) == (1, 0)
    assert (road.features["kind_missing"], culture.features["kind_missing"]) == (0, 1)


def test_looking_back_and_ahead(index: Index, yunze: Pipeline) -> None:
    ahead = select(index, "未来一般公共预算收入打算达到多少？", yunze)
    assert of(ahead, "一般公共预算收入").features["past_for_plan"] == 1
    assert of(ahead, "森林覆盖率").features["past_for_plan"] == 0


def test_rows_are_whole_and_know_their_columns(index: Index, yunze: Pipeline) -> None:
    found = select(index, "2030年粮食综合生产能力", yunze)
    one = of(found, "粮食综合生产能力")
    assert one.features["row"] == 1
    assert one.text == one.passage.chunk.text
    assert one.years == {2025, 2030}


def test_spans_of_a_heading_a_row_and_a_paragraph() -> None:
    assert spans_of(replace(paragraph("第一章 总则"), kind="heading")) == ()
    cells = row([("指标名称", "产能"), ("2030年", "5")])
    assert spans_of(cells) == ((0, len(cells.text)),)
    chunk = paragraph("森林稳步增长。到2030年，森林覆盖率达到27.5%。加强草原保护和湿地修复工作。")
    assert [chunk.text[a:b] for a, b in spans_of(chunk)][-2:] == [
        "到2030年，森林覆盖率达到27.5%。",
        "加强草原保护和湿地修复工作。",
    ]
    assert spans_of(paragraph("建设新馆。")) == ((0, 5),)  # all there is
    note = replace(paragraph("指标名称 |\n2030年 |\n注：本表数据为全州口径。"), kind="note")
    assert [note.text[a:b] for a, b in spans_of(note)] == ["注：本表数据为全州口径。"]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("到2030年", {2030}),
        ("规划期限为2026-2030年", {2026, 2027, 2028, 2029, 2030}),
        ("2025年和2030年", {2025, 2030}),
        ("投资12030元、2030.5元", set()),
        ("没有年份", set()),
    ],
)
def test_years_in_a_text(text: str, years: set[int]) -> None:
    assert years_in(text) == years


def test_years_of_a_row_are_those_with_a_value() -> None:
    assert row_years(row([("指标名称", "产能"), ("2025年", "—"), ("2030年", "5")])) == {2030}


def test_looking_back_ends_where_the_plan_begins() -> None:
    def chunk(number: int, text: str, section: tuple[str, ...] = ()) -> Chunk:
        return paragraph(text, number, section=section)

    chunks = [
        chunk(1, "“十四五”时期，全州经济取得新成就。"),
        chunk(2, "民生保障更加有力，参保率达到96.4%。"),
        chunk(3, "“十五五”时期，我州发展环境面临新变化。"),
        chunk(4, "参保率达到98%。"),
    ]
    assert looking_back(chunks, PERIOD) == {chunks[0].id, chunks[1].id}


@pytest.mark.parametrize(
    "text", ["装机容量达到2095万千瓦", "新改建农村公路2000公里以上", "投入1980多万元", "增长率2050%"]
)
def test_a_quantity_is_no_year(text: str) -> None:
    assert years_in(text) == frozenset()


def test_a_year_before_a_word_is_one() -> None:
    assert years_in("2025人均收入，到2030年") == {2025, 2030}


def test_those_that_are_said_to_be_so_many_come_first() -> None:
    query = understand("三条风景道分别是什么？")
    names = evidence(paragraph("提升风景道的停车场、驿站。"), 1, 3.0)
    says = evidence(paragraph("打造甲、乙、丙三条风景道。"), 2, 2.5)
    assert those_so_many(query, (names, says)) == (says,)
    assert those_so_many(query, (says, names)) == (says, names)
    distant = replace(says, score=1.9)
    assert those_so_many(query, (names, distant)) == (names, distant)
    assert those_so_many(understand("风景道有哪些？"), (names, says)) == (names, says)


def test_a_level_comes_before_a_row_of_growth_where_none_is_asked_for() -> None:
    grown = row([("指标名称", "地区生产总值增长"), ("单位", "%"), ("2025年", "5.3")])
    growth = evidence(grown, 1, 3.0, bigrams=0.9)
    level = evidence(paragraph("2025年地区生产总值达到862.4亿元。", line=9), 2, 2.0, bigrams=0.9)
    assert level_before_growth(understand("2025年地区生产总值"), (growth, level)) == (level,)
    assert level_before_growth(understand("2025年地区生产总值增长多少？"), (growth, level)) == (growth, level)
    assert level_before_growth(understand("2025年地区生产总值"), (growth, replace(level, score=0.9)))[0] is growth
    assert level_before_growth(understand("2025年地区生产总值"), ()) == ()
