"""The register: statements of sentences, table rows, facts and projects, against registers written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.dataset import SETS
from eval.register import Agreement, GoldError, Row, agreement, read_gold, similarity
from index.build import SHIPPED_PLAN
from index.chunk import chunks, table_problems
from index.outline import outline
from index.period import Period, period_of
from index.reader import read
from index.statements import Setting, statements
from index.targets import Fact, Register, Target, facts, register, targets

DATA = Path(__file__).parent / "data"
PLANS = ("city-15fyp.txt", "county-14fyp.md", "prefecture-15fyp.txt", "district-15fyp.txt")
PLAN = Setting(Period(2026, 2030), year=2030)
REVIEW = Setting(Period(2026, 2030), "past", 2025)


def register_of(path: Path, supplied: Path | None = None) -> Register:
    document = read(path)
    sections = outline(document, supplied)
    return register(document, sections, chunks(document, sections), period_of(document))


def register_of_text(text: str, folder: Path, name: str = "plan.txt") -> Register:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return register_of(path)


def told(sentence: str, setting: Setting = PLAN) -> list[tuple[str, str, str | None, str]]:
    return [(s.subject, s.indicator, s.value, s.unit) for s in statements(sentence, setting)]


# --- against registers written by hand


def check(agreed: Agreement, rows: float, fields: float) -> None:
    assert agreed.recall >= rows, agreed.remarks
    assert agreed.precision >= rows, agreed.remarks
    for name, (hits, total) in agreed.fields.items():
        assert hits >= fields * total, (name, agreed.remarks)


@pytest.mark.parametrize("supplied", [None, SHIPPED_PLAN.with_suffix(".outline.tsv")])
def test_the_shipped_plan(supplied: Path | None) -> None:
    found = register_of(SHIPPED_PLAN, supplied)
    check(agreement(found.targets, read_gold(SETS / "targets.jsonl")), 0.97, 0.97)
    check(agreement(found.facts, read_gold(SETS / "facts.jsonl")), 0.95, 0.9)


@pytest.mark.parametrize("name", PLANS)
def test_plans_of_other_places_styles_and_years(name: str) -> None:
    found = register_of(DATA / name)
    gold = DATA / f"{Path(name).stem}.gold.jsonl"
    check(agreement(found.targets, read_gold(gold, "target")), 0.95, 0.95)
    check(agreement(found.facts, read_gold(gold, "fact")), 0.92, 0.92)


@pytest.mark.parametrize("path", [SHIPPED_PLAN, *(DATA / name for name in PLANS)])
def test_what_is_quoted_stands_in_the_document(path: Path) -> None:
    document = read(path)
    sections = outline(document, None)
    made = {chunk.id: chunk for chunk in chunks(document, sections)}
    found = register(document, sections, tuple(made.values()), period_of(document))
    entries: list[Target | Fact] = [*found.targets, *found.facts]
    assert entries
    for entry in entries:
        if entry.source == "text":
            line = document.lines[entry.line - 1].text
            assert line[entry.start : entry.end] == entry.sentence
            assert entry.text_value in entry.sentence
        else:
            assert entry.sentence == made[entry.chunk].text
            assert entry.text_value in {cell.text for cell in made[entry.chunk].cells}
        assert entry.chunk in made
        assert entry.section == made[entry.chunk].section
    for project in found.projects:
        assert document.lines[project.line - 1].text[project.start : project.end] == project.project
        assert project.capacity in project.project


# --- indicators in full


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "到2030年，油菜种植面积稳定在30万亩左右，产量稳定在5万吨以上。",
            [("", "油菜种植面积", "30", "万亩"), ("", "油菜产量", "5", "万吨")],
        ),
        (
            "牧草种植面积达到20万亩，其中燕麦12万亩、苜蓿8万亩，年产量达到40万吨。",
            [
                ("", "牧草种植面积", "20", "万亩"),
                ("", "燕麦种植面积", "12", "万亩"),
                ("", "苜蓿种植面积", "8", "万亩"),
                ("", "牧草年产量", "40", "万吨"),
            ],
        ),
        (
            "城镇和农村居民人均可支配收入分别达到5.1万元和2.6万元。",
            [("", "城镇居民人均可支配收入", "5.1", "万元"), ("", "农村居民人均可支配收入", "2.6", "万元")],
        ),
        (
            "小学、初中专任教师数分别达到900人、600人。",
            [("", "小学专任教师数", "900", "人"), ("", "初中专任教师数", "600", "人")],
        ),
        ("到2030年，建成3座博物馆、12个社区食堂。", [("", "博物馆", "3", "座"), ("", "社区食堂", "12", "个")]),
        (
            "到2030年，新增省级实验室2家、市级实验室9家。",
            [("", "新增省级实验室", "2", "家"), ("", "新增市级实验室", "9", "家")],
        ),
        (
            "旅游业增加值达到300亿元，年均增长8%。",
            [("", "旅游业增加值", "300", "亿元"), ("", "旅游业增加值年均增长", "8", "%")],
        ),
        ("力争网络零售额达到商品零售额的30%以上。", [("", "网络零售额占商品零售额的比重", "30", "%")]),
        ("到2030年，70%以上的乡镇建成标准化卫生院。", [("", "建成标准化卫生院的乡镇比例", "70", "%")]),
        ("到2030年，重点企业100%达到排放标准。", [("", "重点企业达到排放标准的比例", "100", "%")]),
        (
            "双桥县的公交覆盖率达到90%，西部三县的公交覆盖率达到70%。",
            [("双桥县", "公交覆盖率", "90", "%"), ("西部三县", "公交覆盖率", "70", "%")],
        ),
        (
            "双桥县新建农田9万亩，改造灌区3处。",
            [("双桥县", "新建农田", "9", "万亩"), ("双桥县", "改造灌区", "3", "处")],
        ),
        ("全市森林覆盖率达到41%。", [("", "森林覆盖率", "41", "%")]),
        (
            "婴儿死亡率、孕产妇死亡率分别控制在3‰、9/10万以内。",
            [("", "婴儿死亡率", "3", "‰"), ("", "孕产妇死亡率", "9", "/10万")],
        ),
    ],
)
def test_indicators_are_named_in_full(sentence: str, expected: list[tuple[str, str, str | None, str]]) -> None:
    assert told(sentence) == expected


@pytest.mark.parametrize(
    ("sentence", "comparator", "approx"),
    [
        ("到2030年，城镇化率达到70%。", "=", False),
        ("到2030年，城镇化率达到70%以上。", ">=", False),
        ("到2030年，城镇化率不低于70%。", ">=", False),
        ("到2030年，城镇化率超过70%。", ">", False),
        ("到2030年，城镇化率达到70%左右。", "~", True),
        ("到2030年，失业率控制在5%以内。", "<=", False),
    ],
)
def test_bounds(sentence: str, comparator: str, approx: bool) -> None:
    (one,) = statements(sentence, PLAN)
    assert (one.comparator, one.approx) == (comparator, approx)


@pytest.mark.parametrize(
    ("sentence", "basis"),
    [
        ("粮食产量达到90万吨。", "level"),
        ("累计新增城镇就业9万人。", "cumulative"),
        ("新增铁路里程90公里。", "increase"),
        ("工业增加值年均增长7%。", "annual_average"),
        ("单位产值能耗降低14%。", "growth"),
        ("科技进步贡献率比2025年提高3个百分点。", "increase"),
        ("改造老旧小区300个。", "cumulative"),
    ],
)
def test_what_a_figure_measures(sentence: str, basis: str) -> None:
    assert [s.basis for s in statements(sentence, PLAN)] == [basis]


def test_years_of_a_sentence() -> None:
    both = statements("到2028年、2030年，城镇化率分别达到66%、70%。", PLAN)
    assert [(s.value, s.year) for s in both] == [("66", 2028), ("70", 2030)]
    assert [s.year for s in statements("到“十五五”末，城镇化率达到70%。", PLAN)] == [2030]
    assert [s.year for s in statements("到2035年，城镇化率达到75%。", PLAN)] == [2035]
    assert [s.year for s in statements("城镇化率达到70%。", PLAN)] == [2030]


def test_a_change_gives_target_and_baseline() -> None:
    reached, aimed = statements("到2030年，数字化率由2025年的40%提高到65%。", PLAN)
    assert (reached.tense, reached.value, reached.year) == ("past", "40", 2025)
    assert (aimed.tense, aimed.value, aimed.year) == ("forward", "65", 2030)
    assert (aimed.baseline_value, aimed.baseline_year) == ("40", 2025)


def test_ranges_and_spelled_figures() -> None:
    (span,) = statements("到2030年，建成3-5个产业基地。", PLAN)
    assert (span.value, span.value_max, span.unit, span.indicator) == ("3", "5", "个", "产业基地")
    (share,) = statements("到2030年，入园率达到百分之九十。", PLAN)
    assert (share.value, share.unit) == ("90", "%")


def test_goals_in_words() -> None:
    (zero,) = statements("到2030年，化肥使用量实现零增长。", PLAN)
    assert (zero.indicator, zero.value, zero.text, zero.basis) == ("化肥使用量", None, "实现零增长", "growth")


# --- what is no target


@pytest.mark.parametrize(
    "sentence",
    [
        "第三次全国代表大会召开。",
        "培育粮油、果蔬、畜牧三大产业。",
        "强化勘查、开采、储运3个环节。",
        "推进4×66万千瓦电源点项目、120万吨/年水泥项目建设。",
        "提升±800千伏特高压直流工程送电能力。",
        "深入开展专项整治三年行动。",
        "打造24小时阅读空间和15分钟生活圈。",
        "落实“六个百分之百”要求。",
        "衔接G30、S21和国道216线。",
    ],
)
def test_no_target(sentence: str) -> None:
    assert statements(sentence, PLAN) == ()


def test_the_past_is_a_fact_and_no_target(tmp_path: Path) -> None:
    text = (
        "南川市“十五五”规划纲要\n一、发展回顾\n“十四五”时期，粮食产量达到80万吨，新建水库4座。\n"
        "二、主要目标\n到2030年，粮食产量达到90万吨。2025年，粮食产量为80万吨。\n"
    )
    found = register_of_text(text, tmp_path)
    assert [(t.line, t.indicator, t.value) for t in found.targets] == [(5, "粮食产量", "90")]
    assert [(f.line, f.value, f.year, f.basis) for f in found.facts] == [
        (3, "80", 2025, "level"), (3, "4", 2025, "cumulative"), (5, "80", 2025, "level"),
    ]  # fmt: skip


def test_a_document_without_targets(tmp_path: Path) -> None:
    found = register_of_text("某某办法\n第一条 为了规范管理，制定本办法。\n第二条 罚款不得超过1000元。\n", tmp_path)
    assert found == Register((), (), ())


def test_a_document_that_is_no_plan_needs_a_year(tmp_path: Path) -> None:
    found = register_of_text("供水工作意见\n供水普及率达到95%。\n到2027年，供水普及率达到98%。\n", tmp_path)
    assert [(t.value, t.year) for t in found.targets] == [("98", 2027)]


# --- tables

TABLE = """# 东岭县“十五五”规划纲要

| 序号 | 指标名称 | 单位 | 2025年 | 2030年 | 年均/累计 | 属性 |
| --- | --- | --- | --- | --- | --- | --- |
| 1 | 森林覆盖率 | % | 40.1 | ≥42 | — | 约束性 |
| 2 | 粮食产能 | 万吨 | 50 | 55 | 〔5〕 | 约束性 |
| 3 | 单位产值能耗降低 | % | — | 完成省下达任务 | — | 约束性 |
| 4 | 破损的行 | % | 3 |
| 5 | 地区生产总值 | 亿元 | 300 | 420 | 7左右 | 预期性 |
"""


def test_rows_of_a_table(tmp_path: Path) -> None:
    found = register_of_text(TABLE, tmp_path, "plan.md")
    rows = [(t.indicator, t.value, t.unit, t.comparator, t.basis, t.baseline_value, t.nature) for t in found.targets]
    assert rows == [
        ("森林覆盖率", "42", "%", ">=", "level", "40.1", "约束性"),
        ("粮食产能", "55", "万吨", "=", "level", "50", "约束性"),
        ("粮食产能", "5", "万吨", "=", "cumulative", "50", "约束性"),
        ("单位产值能耗降低", None, "%", "=", None, None, "约束性"),
        ("地区生产总值", "420", "亿元", "=", "level", "300", "预期性"),
        ("地区生产总值年均增长", "7", "%", "~", "annual_average", "300", "预期性"),
    ]
    assert {t.year for t in found.targets} == {2030}
    assert {t.baseline_year for t in found.targets} == {2025, None}
    assert [(f.indicator, f.value, f.year) for f in found.facts] == [
        ("森林覆盖率", "40.1", 2025), ("粮食产能", "50", 2025), ("地区生产总值", "300", 2025),
    ]  # fmt: skip


def test_a_broken_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text(TABLE, encoding="utf-8")
    document = read(path)
    (problem,) = table_problems(document, outline(document, None))
    assert "第8行应有7格，实有4格" in problem


def test_a_table_of_projects_holds_no_targets(tmp_path: Path) -> None:
    table = "| 项目名称 | 责任单位 | 2030年投资（亿元） |\n| --- | --- | --- |\n| 西河水库工程 | 市水务局 | 18.6 |\n"
    assert register_of_text(f"# 东岭县“十五五”规划纲要\n\n{table}", tmp_path, "plan.md").targets == ()


# --- projects


def test_projects_of_a_box(tmp_path: Path) -> None:
    text = (
        "西平市“十五五”规划纲要\n专栏1 产业重点项目\n"
        "1.食品：东河县30万吨/年面粉项目、中型、小型粮库工程。 2.建材：60万套/年门窗项目等。\n"
    )
    found = register_of_text(text, tmp_path)
    assert found.targets == ()
    assert [(p.group, p.project, p.place, p.capacity) for p in found.projects] == [
        ("食品", "东河县30万吨/年面粉项目", "东河县", "30万吨/年"),
        ("食品", "中型、小型粮库工程", "", ""),
        ("建材", "60万套/年门窗项目", "", "60万套/年"),
    ]
    assert {p.box for p in found.projects} == {"专栏1 产业重点项目"}


# --- any text

ALPHABET = "到2030年,，。、；分别达实现增长提高%亿元万吨和其中以上左右由的率面积产量新个（）“”十五3.5/"


@settings(max_examples=150, deadline=None)
@given(st.text(ALPHABET, max_size=60), st.sampled_from([PLAN, REVIEW, Setting(None)]))
def test_statements_quote_the_sentence_whatever_it_is(sentence: str, setting: Setting) -> None:
    for statement in statements(sentence, setting):
        assert sentence[statement.start : statement.end] == statement.text
        assert statement.indicator
        assert statement.value is None or statement.value.strip()


def test_targets_and_facts_are_those_of_the_register() -> None:
    document = read(DATA / PLANS[0])
    sections = outline(document, None)
    held = chunks(document, sections)
    period = period_of(document)
    both = register(document, sections, held, period)
    assert targets(document, sections, held, period) == both.targets
    assert facts(document, sections, held, period) == both.facts


# --- the measure itself


def gold_row(**changes: object) -> Row:
    return {"line": 2, "indicator": "粮食产量", "value": "90", "unit": "万吨", "year": "2030"} | changes


def found_rows(folder: Path) -> Sequence[Target]:
    text = "南川市“十五五”规划纲要\n到2030年，粮食产量达到90万吨，油菜产量达到9万吨。\n"
    return register_of_text(text, folder).targets


def test_agreement_counts(tmp_path: Path) -> None:
    found = found_rows(tmp_path)
    agreed = agreement(found, [gold_row(), gold_row(value="50", indicator="茶叶产量")])
    assert (agreed.found, agreed.asked, agreed.matched) == (2, 2, 1)
    assert (agreed.precision, agreed.recall) == (0.5, 0.5)
    assert agreed.fields["year"] == (1, 1)
    assert len(agreed.remarks) == 2


def test_optional_rows_neither_help_nor_harm(tmp_path: Path) -> None:
    found = found_rows(tmp_path)
    rows = [gold_row(), gold_row(value="9", indicator="油菜产量", optional=True), gold_row(value="1", optional=True)]
    agreed = agreement(found, rows)
    assert (agreed.found, agreed.asked, agreed.matched, agreed.remarks) == (1, 1, 1, ())


def test_a_wrong_name_is_a_wrong_field_not_a_wrong_row(tmp_path: Path) -> None:
    agreed = agreement(found_rows(tmp_path)[:1], [gold_row(indicator="奶牛存栏数量")])
    assert (agreed.matched, agreed.fields["indicator"]) == (1, (0, 1))
    assert similarity("农村自来水普及率", ["自来水普及率"]) == 1.0


def test_an_unusable_gold_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text('{"line": 1, "indicator": "甲", "value": "1", "unit": ""}\n{"line": 2}\n', encoding="utf-8")
    with pytest.raises(GoldError, match=r"gold\.jsonl 第 2 行不能用"):
        read_gold(path)
