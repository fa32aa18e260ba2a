"""The check of answers: what stands in the cited words passes, everything else is reported with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from index.figures import equal, figures
from index.types import Cell
from rag.verify import (
    DEAD_MARK,
    NO_FIGURE,
    NO_MARK,
    WRONG_COMPARATOR,
    WRONG_UNIT,
    WRONG_YEAR,
    Cited,
    FigureCheck,
    check_quote,
    verify,
)

PLAN = Path(__file__).parent.parent / "index" / "sources" / "changji-14fyp.txt"


def faults(answer: str, *evidence: Cited, allowed: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(figure, reason) of the figures that fail; evidence is numbered from 1."""
    checks = verify(answer, dict(enumerate(evidence, start=1)), allowed)
    return [(check.figure.text, check.reason) for check in checks if not check.ok]


# answer, quote: everything in the answer is borne out
SOUND = [
    ("粮食产能达到145万吨以上[1]。", "到2025年,粮食综合生产能力达到145万吨以上。"),
    ("到2025年，粮食产能达到145万吨以上。[1]", "到2025年,粮食综合生产能力达到145万吨以上。"),
    ("比重为65%[1]", "使用比重达到65%以上"),
    ("比重为百分之六十五[1]", "比重达到65%以上"),
    ("比重为65%[1]", "比重达到百分之六十五以上"),
    ("产能１４５万吨[1]", "产能145万吨"),
    ("产能145万吨[1]", "产能１４５万吨"),
    ("产能1450000吨[1]", "产能145万吨"),
    ("新增14万人[1]", "新增十四万人"),
    ("系数为0.670[1]", "系数提高至0.67。"),
    ("占80%[1]", "占八成"),
    ("占50%以上[1]", "占一半以上"),
    ("占三分之一[1]", "占三分之一"),
    ("里程13518.8公里[1]", "里程13,518.8公里"),
    ("装机66万千瓦[1]", "4×66万千瓦电源点"),
    ("电压1100千伏[1]", "±1100千伏特高压"),
    ("形成1至2个产业[1]", "形成1-2个产业"),
    ("增长5%—8%[1]", "增长5%～8%"),
    ("结构为17.5：41.9：40.6[1]", "调整到17.5:41.9:40.6。"),
    ("规划期为2021—2025年[1]", "规划期限为2021-2025年"),
    ("规划始于2021年[1]", "规划期限为2021-2025年"),
    ("展望到2035年[1]", "展望到二〇三五年"),
    ("到2025年超过1亿人次[1]", "力争到“十四五”末突破1亿人次"),
    ("用水24.26亿立方米以内[1]", "用水总量控制在24.26亿立方米以内"),
    ("用水不超过24.26亿立方米[1]", "用水总量控制在24.26亿立方米以内"),
    ("“1249”格局、国道216[1]", "现代农业“1249”格局、国道216、312"),
    ("5G、G30、PM2.5、第三次、“十四五”、专栏2均不核对[1]", "没有数字的一句话"),
    ("这是一项工作,要进一步推进[1]", "没有数字的一句话"),
    ("由2014年的2.04%降到0%[1]", "贫困发生率由2014年的2.04%降到0%"),
    ("2015年为358.05亿元,2020年为563.51亿元[1]", "由2015年的358.05亿元增长到2020年的563.51亿元"),
    ("2020年增长47.5%[1]", "2020年实现143.13亿元,比2015年(下同)增长47.5%"),
    ("到2025年达到145万吨，比2020年的134.8万吨多[1]", "2025年达到145万吨,2020年为134.8万吨"),
    ("能源145万吨(2025年)[1]", "能源145万吨(2025年)"),
    ("规划没有写明。", "没有数字的一句话"),
]  # fmt: skip

# answer, quote, the figures that fail with their reasons
UNSOUND = [
    ("产能155万吨[1]", "产能145万吨", [("155万吨", NO_FIGURE)]),
    ("产能45万吨[1]", "产能145万吨", [("45万吨", NO_FIGURE)]),
    ("产值70亿元[1]", "产值170亿元", [("70亿元", NO_FIGURE)]),
    ("产值5亿元[1]", "产值1.5亿元", [("5亿元", NO_FIGURE)]),
    ("产能145万亩[1]", "产能145万吨", [("145万亩", WRONG_UNIT)]),
    ("产能145吨[1]", "产能145万吨", [("145吨", WRONG_UNIT)]),
    ("产能145[1]", "产能145万吨", [("145", WRONG_UNIT)]),
    ("新增14人[1]", "新增14万人", [("14人", WRONG_UNIT)]),
    ("新增14人[1]", "新增十四万人", [("14人", NO_FIGURE)]),
    ("提高10%[1]", "提高了10个百分点", [("10%", WRONG_UNIT)]),
    ("产能1.17亿吨标煤[1]", "产能1.15亿吨标煤", [("1.17亿吨标煤", NO_FIGURE)]),
    ("产能1.15亿吨/年[1]", "产能1.15亿吨标煤", [("1.15亿吨/年", WRONG_UNIT)]),
    ("产能1.15亿吨[1]", "产能1.15亿吨标煤", [("1.15亿吨", WRONG_UNIT)]),
    ("系数0.68[1]", "系数0.67", [("0.68", NO_FIGURE)]),
    ("形成1-3个[1]", "形成1-2个", [("1-3个", NO_FIGURE)]),
    ("形成2个[1]", "形成1-2个", [("2个", NO_FIGURE)]),
    ("结构为17.5:41.9:40.7[1]", "17.5:41.9:40.6", [("17.5:41.9:40.7", NO_FIGURE)]),
    ("占九成[1]", "占八成", [("九成", NO_FIGURE)]),
    ("占百分之六十六[1]", "占65%", [("百分之六十六", NO_FIGURE)]),
    ("三家企业[1]", "两家企业", [("三家", NO_FIGURE)]),
    ("八大基地[1]", "九大基地", [("八大", NO_FIGURE)]),
    ("到2035年产能145万吨[1]", "到2025年产能145万吨", [("2035年", WRONG_YEAR), ("145万吨", WRONG_YEAR)]),
    ("2025年为134.8万吨[1]", "2025年达到145万吨,2020年为134.8万吨", [("134.8万吨", WRONG_YEAR)]),
    ("134.8万吨(2025年)[1]", "2025年达到145万吨,2020年为134.8万吨", [("134.8万吨", WRONG_YEAR)]),
    ("展望到2060年[1]", "展望到2035年", [("2060年", WRONG_YEAR)]),
    ("期限为2021-2026年[1]", "期限为2021-2025年", [("2021-2026年", WRONG_YEAR)]),
    ("2020年末突破1亿人次[1]", "力争到“十四五”末突破1亿人次", [("2020年", WRONG_YEAR), ("1亿人次", WRONG_YEAR)]),
    ("失业率5.5%以上[1]", "失业率5.5%以内", [("5.5%", WRONG_COMPARATOR)]),
    ("失业率不低于5.5%[1]", "失业率控制在5.5%以内", [("5.5%", WRONG_COMPARATOR)]),
    ("耕地不超过665万亩[1]", "耕地不低于665万亩", [("665万亩", WRONG_COMPARATOR)]),
    ("占比低于70%[1]", "占比超过70%", [("70%", WRONG_COMPARATOR)]),
    ("产能145万吨", "产能145万吨", [("145万吨", NO_MARK)]),
    ("产能145万吨[2]", "产能145万吨", [("145万吨", DEAD_MARK)]),
    ("到2025年产能145万吨", "到2025年产能145万吨", [("2025年", NO_MARK), ("145万吨", NO_MARK)]),
    ("产能145万吨，棉花23万吨[1]", "产能145万吨", [("23万吨", NO_FIGURE)]),
    ("有“155”之说[1]", "有145之说", [("155", NO_FIGURE)]),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "quote"), SOUND)
def test_sound(answer: str, quote: str) -> None:
    assert faults(answer, Cited(quote)) == []


@pytest.mark.parametrize(("answer", "quote", "expected"), UNSOUND)
def test_unsound(answer: str, quote: str, expected: list[tuple[str, str]]) -> None:
    assert faults(answer, Cited(quote)) == expected


def test_every_claim_is_listed_in_order() -> None:
    evidence = {1: Cited("到2025年145万吨"), 2: Cited("24万吨")}
    checks = verify("到2025年，粮食145万吨[1]。G30棉花23万吨[2]。", evidence)
    assert [(check.figure.text, check.marks, check.ok) for check in checks] == [
        ("2025年", (1,), True),
        ("145万吨", (1,), True),
        ("23万吨", (2,), False),
    ]
    assert checks[0].sentence == "到2025年，粮食145万吨[1]。"
    assert isinstance(checks[2], FigureCheck)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("粮食145万吨[1]、棉花23万吨[2]。", []),
        ("粮食145万吨[2]、棉花23万吨[1]。", [("145万吨", NO_FIGURE), ("23万吨", NO_FIGURE)]),
        ("粮食145万吨、棉花23万吨[1][2]。", []),
        ("粮食145万吨、棉花23万吨[1,2]。", []),
        ("粮食145万吨。[1]棉花23万吨。[2]", []),
        ("- 粮食145万吨\n- 棉花23万吨 [1][2]", []),
        ("据[1],粮食145万吨。", []),
        ("据[1],粮食145万吨。棉花23万吨[2]。", [("145万吨", NO_FIGURE)]),
        ("粮食145万吨[1]。棉花23万吨。", [("23万吨", NO_MARK)]),
    ],
)
def test_each_figure_rests_on_its_own_mark(answer: str, expected: list[tuple[str, str]]) -> None:
    assert faults(answer, Cited("粮食145万吨"), Cited("棉花23万吨")) == expected


def test_the_quote_inherits_years_from_its_paragraph() -> None:
    context = "着眼2035年远景。到2025年,粮食达到145万吨,棉花23万吨。到2030年,实现达峰。"
    quote = "棉花23万吨"
    assert faults("到2025年，棉花23万吨[1]。", Cited(quote, context)) == []
    assert faults("到2035年，棉花23万吨[1]。", Cited(quote, context)) == [("23万吨", WRONG_YEAR)]
    assert faults("到2030年，棉花23万吨[1]。", Cited(quote, context)) == [
        ("2030年", WRONG_YEAR),
        ("23万吨", WRONG_YEAR),
    ]
    assert faults("粮食145万吨[1]。", Cited(quote, context)) == [("145万吨", NO_FIGURE)]


def test_the_quote_inherits_years_from_earlier_sentences() -> None:
    context = "2020年(下同)产值增长,比2015年增长6%。结构由2015年的21:40调整到17:41。机械化水平达到96.5%。"
    assert faults("2020年机械化水平为96.5%[1]", Cited("机械化水平达到96.5%", context)) == []
    assert faults("2016年机械化水平为96.5%[1]", Cited("机械化水平达到96.5%", context)) == [
        ("2016年", WRONG_YEAR),
        ("96.5%", WRONG_YEAR),
    ]


def test_a_quote_that_cuts_a_figure_does_not_state_its_rest() -> None:
    context = "粮食达到1450万吨。"
    assert faults("粮食450万吨[1]", Cited("450万吨", context)) == [("450万吨", NO_FIGURE)]
    assert faults("粮食1450万吨[1]", Cited("粮食达到1450", context)) == []
    assert faults("粮食1450吨[1]", Cited("粮食达到1450", context)) == [("1450吨", WRONG_UNIT)]


def test_years_of_other_titles_give_no_figure() -> None:
    quote = "依据《行动计划(2015-2030年)》,到2025年达到80%"
    assert faults("到2025年达到80%[1]", Cited(quote)) == []
    assert faults("到2030年达到80%[1]", Cited(quote)) == [("80%", WRONG_YEAR)]


def test_section_titles_lend_years_but_not_an_editors() -> None:
    assert faults("2035年达到80%[1]", Cited("达到80%", section=("2035年远景目标",))) == []
    untitled = Cited("达到80%", section=("〔拟题〕2035年远景目标",))
    assert faults("2035年达到80%[1]", untitled) == [("2035年", WRONG_YEAR)]


def row(*cells: tuple[str, str]) -> Cited:
    quote = " | ".join(text for _, text in cells)
    made = tuple(Cell(column, text, line, 0) for line, (column, text) in enumerate(cells, start=1))
    return Cited(quote, "专栏1 主要指标 注:1.带〔〕为五年累计数。", cells=made)


GRAIN = row(
    ("序号", "19 |"), ("指标名称", "粮食综合生产能力 |"), ("单位", "万吨 |"), ("2020年", "134.8 |"),
    ("2025年", "145 |"), ("年均/累计", "〔10.2〕 |"), ("指标 属性", "约束性 |"),
)  # fmt: skip
NURSERY = row(("指标名称", "每千人口拥有3岁以下婴幼儿托位数"), ("单位", "个"), ("2020年", "0.714"), ("2025年", "1.379"))
ENERGY = row(("指标名称", "能源生产能力"), ("单位", "亿吨标煤"), ("2020年", "—"), ("2025年", "≥1.15"))
SPINDLES = row(("指标名称", "纺锭规模"), ("计量单位", "万锭箱"), ("2025年", "30"))


@pytest.mark.parametrize(
    ("answer", "evidence", "expected"),
    [
        ("2025年粮食产能145万吨[1]", GRAIN, []),
        ("2025年粮食产能1450000吨[1]", GRAIN, []),
        ("2025年粮食产能不低于145万吨[1]", GRAIN, []),
        ("2020年134.8万吨，2025年145万吨，五年累计10.2万吨[1]", GRAIN, []),
        ("2025年134.8万吨[1]", GRAIN, [("134.8万吨", WRONG_YEAR)]),
        ("2035年145万吨[1]", GRAIN, [("2035年", WRONG_YEAR), ("145万吨", WRONG_YEAR)]),
        ("粮食产能19万吨[1]", GRAIN, [("19万吨", NO_FIGURE)]),
        ("2025年145[1]", GRAIN, [("145", WRONG_UNIT)]),
        ("2025年145吨[1]", GRAIN, [("145吨", WRONG_UNIT)]),
        ("2025年145万亩[1]", GRAIN, [("145万亩", WRONG_UNIT)]),
        ("2025年146万吨[1]", GRAIN, [("146万吨", NO_FIGURE)]),
        ("三年累计10.2万吨[1]", GRAIN, [("三年", NO_FIGURE)]),
        ("3岁以下婴幼儿托位数2025年为1.379个[1]", NURSERY, []),
        ("3岁以下婴幼儿托位数2020年为1.379个[1]", NURSERY, [("1.379个", WRONG_YEAR)]),
        ("2025年不低于1.15亿吨标煤[1]", ENERGY, []),
        ("2025年不超过1.15亿吨标煤[1]", ENERGY, [("1.15亿吨标煤", WRONG_COMPARATOR)]),
        ("2025年1.15亿吨/年[1]", ENERGY, [("1.15亿吨/年", WRONG_UNIT)]),
        ("2025年30万锭箱[1]", SPINDLES, []),
        ("2025年30万木箱[1]", SPINDLES, [("30万", WRONG_UNIT)]),
    ],
)
def test_rows_are_read_by_cell(answer: str, evidence: Cited, expected: list[tuple[str, str]]) -> None:
    assert faults(answer, evidence) == expected


def test_unit_of_a_row_without_a_unit_cell() -> None:
    assert faults("2025年145万吨[1]", row(("指标", "粮食产量(万吨)"), ("2025年", "145"))) == []
    assert faults("2025年145万吨[1]", row(("指标", "粮食产量"), ("2025年（万吨）", "145"))) == []
    assert faults("2025年145万吨[1]", row(("指标", "粮食产量"), ("2025年", "145"))) == [("145万吨", WRONG_UNIT)]


def test_figures_of_the_question_need_no_evidence_in_a_refusal() -> None:
    answer = "规划没有写明2030年新增20万人的目标。"
    assert faults(answer) == [("2030年", NO_MARK), ("20万人", NO_MARK)]
    assert faults(answer, allowed=("2030年", "20万人")) == []
    assert faults(answer, allowed=("2030年",)) == [("20万人", NO_MARK)]
    # What the question names is no licence to give the plan's figure another year.
    grain = Cited("到2025年产能145万吨")
    assert faults("2030年产能145万吨[1]", grain, allowed=("2030年",)) == [("145万吨", WRONG_YEAR)]


def test_quotes_stand_where_they_say() -> None:
    line = "到2025年,粮食145万吨。"
    assert check_quote("145万吨", line, 9, 14)
    assert not check_quote("145万吨", line, 8, 13)
    assert not check_quote("145万亩", line, 9, 14)
    assert not check_quote("", line, 9, 9)
    assert not check_quote("145万吨。", line, 9, 99)
    assert not check_quote("。", line, -1, 15)


def test_every_sentence_of_the_shipped_plan_bears_itself_out() -> None:
    checked = 0
    for line in PLAN.read_text(encoding="utf-8").splitlines():
        for sentence in re.findall(r"[^。;]+[。;]?", line):
            checks = verify(f"{sentence}[1]", {1: Cited(sentence, line)})
            checked += len(checks)
            assert [(check.figure.text, check.reason) for check in checks if not check.ok] == []
    assert checked > 400


UNITS = ["万吨", "万亩", "亿元", "%", "个百分点", "万人", "公里", "个", "万千瓦", "亿立方米"]
amounts = st.tuples(
    st.integers(1, 99999).map(str) | st.integers(11, 9999).map(lambda n: f"{n / 10:.1f}"),
    st.sampled_from(UNITS),
    st.sampled_from(["", "以上", "以内", "左右"]),
)
quotes = st.tuples(st.integers(2001, 2099), st.lists(amounts, min_size=1, max_size=5)).map(
    lambda made: f"到{made[0]}年," + "、".join(f"某指标达到{n}{unit}{tail}" for n, unit, tail in made[1]) + "。"
)


@settings(deadline=None)
@given(quotes)
def test_an_answer_that_repeats_its_quote_is_sound(quote: str) -> None:
    assert faults(f"{quote}[1]", Cited(quote)) == []


@settings(deadline=None)
@given(quotes, st.data())
def test_any_changed_digit_is_reported(quote: str, data: st.DataObject) -> None:
    places = [at for at, c in enumerate(quote) if c.isdigit()]
    at = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([c for c in "0123456789" if c != quote[at]]))
    answer = quote[:at] + digit + quote[at + 1 :]
    changed = next(figure for figure in figures(answer) if figure.start <= at < figure.end)
    # 1 made 01, or a figure made equal to another of the quote, claims nothing new.
    assume(not any(equal(changed, figure) for figure in figures(quote)))
    checks = verify(f"{answer}[1]", {1: Cited(quote)})
    assert [check.ok for check in checks if check.figure.start == changed.start] == [False]


@settings(deadline=None)
@given(quotes, st.data())
def test_any_changed_unit_is_reported(quote: str, data: st.DataObject) -> None:
    amount = data.draw(st.sampled_from([figure for figure in figures(quote) if figure.kind == "quantity"]))
    unit = data.draw(st.sampled_from(UNITS))
    number = re.match(r"[\d.]+", amount.text)
    assert number is not None
    answer = quote[: amount.start] + number.group() + unit + quote[amount.end :]
    changed = next(figure for figure in figures(answer) if figure.start == amount.start)
    assume(not any(equal(changed, figure) for figure in figures(quote)))
    checks = verify(f"{answer}[1]", {1: Cited(quote)})
    assert [check.ok for check in checks if check.figure.start == changed.start] == [False]


@settings(deadline=None)
@given(quotes, st.integers(2001, 2099))
def test_any_changed_year_is_reported(quote: str, year: int) -> None:
    stated = figures(quote)[0]
    assume(year != stated.value)
    answer = quote.replace(stated.text, f"{year}年", 1)
    checks = verify(f"{answer}[1]", {1: Cited(quote)})
    assert {check.reason for check in checks} == {WRONG_YEAR}
