"""A question understood: cleaned, completed from the history, its years, places, units and sides."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.period import Period
from index.terms import names_of
from rag.errors import EmptyQuestion, QuestionTooLong
from rag.types import Query, Turn, Want
from rag.typos import Vocabulary
from rag.understand import (
    MAX_CHARACTERS,
    MAX_SIDES,
    Frame,
    asks_how,
    clean,
    core_of,
    is_elliptic,
    places_of,
    same_things,
    sides_of,
    understand,
    units_of,
    want_of,
    years_of,
)

FRAME = Frame(
    Period(2026, 2030, 2040),
    {
        "石湾县": ("石湾县",),
        "石湾": ("石湾县",),
        "柳川县": ("柳川县",),
        "柳川": ("柳川县",),
        "云泽市": ("云泽市",),
        "云泽": ("云泽市", "云泽州"),
        "云泽州": ("云泽州",),
    },
    frozenset({"云泽州"}),
)
GRAIN = "2030年粮食综合生产能力要达到多少？"


def follow_up(question: str, *earlier: str) -> str:
    return understand(question, [Turn(asked, "见上文。") for asked in earlier], FRAME).text


# --- cleaning


@pytest.mark.parametrize(
    ("question", "cleaned"),
    [
        ("  森林覆盖率\t是\n多少  ", "森林覆盖率 是 多少"),
        ("森林\u200b覆\u200d盖\ufeff率\u00ad是多少", "森林覆盖率是多少"),  # signs without width stand inside words
        ("森林覆盖率\x07\x00\x9b是多少", "森林覆盖率 是多少"),
        ("森林覆盖率\u202e是多少\u2066", "森林覆盖率是多少"),
        ("森林\ud83d覆盖率", "森林 覆盖率"),  # half of a surrogate pair can be written to no file
        ("<b>森林</b>覆盖率<script src='x'>", "森林 覆盖率"),
        ("２０３０年森林覆盖率", "2030年森林覆盖率"),
        ("森林覆蓋率要達到多少", "森林覆盖率要达到多少"),
    ],
)
def test_clean_leaves_the_words_alone(question: str, cleaned: str) -> None:
    assert clean(question) == cleaned


@pytest.mark.parametrize(
    "question",
    ["", "   ", "\n\t", "？！。…", "😀🎉", "\u200b\u200b", "<script></script>", "forest coverage", "hello", "12345"],
)
def test_nothing_to_look_up_is_an_empty_question(question: str) -> None:
    with pytest.raises(EmptyQuestion, match="请用中文") as raised:
        understand(question)
    assert str(raised.value).count("。") == 1
    assert "\n" not in str(raised.value)


def test_a_year_alone_can_be_looked_up() -> None:
    assert understand("2030").years == (2030,)


def test_too_long_a_question_names_limit_and_length() -> None:
    with pytest.raises(QuestionTooLong, match=f"{MAX_CHARACTERS} 个字，收到 10000 个字"):
        understand("问" * 10_000)
    assert understand("问" * MAX_CHARACTERS).text == "问" * MAX_CHARACTERS


@given(st.text(max_size=80))
def test_any_text_is_understood_or_refused_by_name(text: str) -> None:
    try:
        query = understand(text, [Turn(text, text), Turn("森林覆盖率是多少？", "")], FRAME)
    except (EmptyQuestion, QuestionTooLong):
        return
    assert query.question == text
    assert query.core
    query.text.encode("utf-8")


# --- what is asked


@pytest.mark.parametrize(
    ("question", "want"),
    [
        ("森林覆盖率是多少", "figure"),
        ("床位占比", "figure"),
        ("新建几公里公路", "figure"),
        ("四大基地有哪些", "list"),
        ("基地包括什么", "list"),
        ("要不要建新馆", "choice"),
        ("会建新馆吗", "choice"),
        ("怎样发展文化产业", "text"),
    ],
)
def test_want(question: str, want: Want) -> None:
    assert want_of(question) == want


@pytest.mark.parametrize(
    ("question", "units"),
    [
        ("新建多少公里公路", ("公里",)),
        ("改造多少户、多少套", ("户", "套")),
        ("多少万亩农田", ("万亩",)),
        ("覆盖率是多少", ()),
    ],
)
def test_units(question: str, units: tuple[str, ...]) -> None:
    assert units_of(question) == units


@pytest.mark.parametrize(
    ("question", "years"),
    [
        ("2030年的目标", (2030,)),
        ("2030年比2025年多多少", (2030, 2025)),
        ("25年的数", (2025,)),
        ("二〇三〇年的目标", (2030,)),
        ("二零二五年和二〇三〇年的目标", (2025, 2030)),
        ("规划期末的目标", (2030,)),
        ("“十五五”末的目标", (2030,)),
        ("十四五末达到多少", (2025,)),
        ("基期是多少", (2025,)),
        ("远景目标", (2040,)),
        ("过去五年多少，往后打算多少", (2025, 2030)),
        ("森林覆盖率", ()),
        ("电话12030年费", ()),
    ],
)
def test_years_come_from_the_question_and_the_plan(question: str, years: tuple[int, ...]) -> None:
    assert years_of(question, FRAME.period) == years


def test_words_of_time_mean_no_year_without_a_plan() -> None:
    assert years_of("规划期末和基期的数", None) == ()


@pytest.mark.parametrize(
    ("question", "places"),
    [
        ("石湾县建多少", ("石湾县",)),
        ("石湾建多少", ("石湾县",)),
        ("柳川县比石湾县多多少", ("柳川县", "石湾县")),  # in the order named
        ("云泽市建多少", ("云泽市",)),
        ("云泽州建多少", ()),  # the region restricts nothing
        ("云泽建多少", ()),
        ("别处建多少", ()),
    ],
)
def test_places(question: str, places: tuple[str, ...]) -> None:
    assert places_of(question, FRAME) == places


def test_names_of_a_place_are_each_given_once() -> None:
    assert names_of("石湾县") == ("石湾县", "石湾")
    assert names_of("白沙自治县") == ("白沙自治县", "白沙")
    assert names_of("农业园区") == ("农业园区",)
    assert names_of("沙县") == ("沙县",)


def test_core_is_without_question_words_and_the_region() -> None:
    core = core_of("请问云泽州的森林覆盖率到底是多少呢", FRAME)
    assert "森林覆盖率" in core
    assert not [word for word in ("请问", "云泽", "到底", "多少", "呢") if word in core]
    assert "云泽市" in core_of("云泽市的森林覆盖率", FRAME)
    assert core_of("多少", FRAME) == "多少"  # nothing else is left


def test_everyday_words_bring_official_ones() -> None:
    terms = understand("老百姓平均能活到多大岁数").terms
    assert "人均预期寿命" in terms
    assert all(0 < weight <= 1 for weight in terms.values())


# --- the questions within a question


def sides(question: str) -> tuple[Query, ...]:
    return sides_of(understand(question, (), FRAME), FRAME)


def test_one_question_has_one_side() -> None:
    query = understand(GRAIN, (), FRAME)
    assert sides_of(query, FRAME) == (query,)


def test_two_years_are_two_sides() -> None:
    assert [side.years for side in sides("2025年和2030年粮食产能分别是多少")] == [(2025,), (2030,)]


def test_a_difference_is_matched_by_what_it_compares() -> None:
    found = sides("公共充电桩2030年比2025年增加多少？")
    assert [side.years for side in found] == [(2030,), (2025,)]
    assert {side.core.replace(" ", "").strip("?？") for side in found} == {"公共充电桩"}


@pytest.mark.parametrize("question", ["有色金属和化工产业合计多少", "有色金属和化工产业哪个更大"])
def test_sums_and_comparisons_of_two_things_are_two_sides(question: str) -> None:
    assert ["有色金属" in side.core for side in sides(question)] == [True, False]


@pytest.mark.parametrize(
    ("question", "years"),
    [("十五五投入多少", ()), ("十四五投入多少", ()), ("十三五投入多少", (2020,)), ("十六五期间投入多少", (2035,))],
)
def test_a_plan_that_is_neither_the_documents_own_nor_the_last_is_another_year(
    question: str, years: tuple[int, ...]
) -> None:
    assert years_of(question, Period(2026, 2030, None)) == years


@pytest.mark.parametrize(
    "question", ["石湾县和柳川县分别新建多少农田", "石湾县和柳川县新建农田多少亩", "石湾和柳川哪个新建的农田多"]
)
def test_two_places_are_two_sides_each_without_the_other(question: str) -> None:
    found = sides(question)
    assert [side.places for side in found] == [("石湾县",), ("柳川县",)]
    assert ["柳川" in side.core for side in found] == [False, True]
    assert ["石湾" in side.core for side in found] == [True, False]


def test_places_named_together_in_a_question_on_one_thing_stay_together() -> None:
    assert len(sides("石湾县、柳川县的重点产业有什么特色")) == 1


def test_a_name_that_may_stand_for_two_places_is_one_side() -> None:
    frame = Frame(places={"青石": ("青石县", "青石开发区")})
    query = understand("青石新建多少农田", (), frame)
    assert query.places == ("青石县", "青石开发区")
    assert sides_of(query, frame) == (query,)


def test_parts_that_ask_each_for_themselves_keep_the_years_of_the_whole() -> None:
    found = sides("2030年森林覆盖率达到多少，常住人口城镇化率达到多少？")
    assert [("森林" in side.text, "城镇化" in side.text) for side in found] == [(True, False), (False, True)]
    assert [side.years for side in found] == [(2030,), (2030,)]


def test_a_question_is_never_cut_into_more_sides_than_the_limit() -> None:
    assert len(sides("2021年2022年2023年2024年2025年的产能分别是多少")) == MAX_SIDES
    assert len(sides("石湾县、柳川县、云泽市分别建多少")) <= MAX_SIDES


# --- follow-ups


@pytest.mark.parametrize(
    ("question", "earlier", "completed"),
    [
        ("那2025年呢？", GRAIN, "2025年粮食综合生产能力要达到多少?"),
        ("柳川县呢？", "到2030年石湾县新建多少农田？", "到2030年柳川县新建多少农田?"),
        ("农村的呢？", "2030年城镇床位占比是多少？", "2030年农村床位占比是多少?"),
        ("那优质茶叶基地呢？", "优质水稻基地在哪里？", "优质茶叶基地在哪里?"),
        ("那2025年？", "规划期末的粮食产能是多少？", "2025年的粮食产能是多少?"),
    ],
)
def test_what_is_named_takes_the_place_of_its_counterpart(question: str, earlier: str, completed: str) -> None:
    assert follow_up(question, earlier) == completed


def test_an_indicator_named_in_full_takes_the_place_of_the_whole_subject() -> None:
    completed = follow_up("那人均预期寿命呢？", GRAIN)
    assert "人均预期寿命" in completed
    assert "2030年" in completed
    assert "粮食" not in completed
    assert "石湾县" in follow_up("那人均预期寿命呢？", "石湾县2030年粮食综合生产能力要达到多少？")


def test_two_follow_ups_in_a_row() -> None:
    completed = follow_up("那2025年呢？", GRAIN, "那人均预期寿命呢？")
    assert "人均预期寿命" in completed
    assert "2025年" in completed
    assert "2030" not in completed


def test_a_year_alone_is_asked_of_the_last_question() -> None:
    assert follow_up("2020年是多少？", GRAIN) == "2020年粮食综合生产能力要达到多少?"
    assert follow_up("到2025年要达到多少", GRAIN) == "2025年粮食综合生产能力要达到多少?"


def test_a_follow_up_of_nothing_but_a_nod_is_the_last_question_again() -> None:
    assert follow_up("那呢？", GRAIN) == clean(GRAIN)


@pytest.mark.parametrize(
    ("question", "earlier", "completed"),
    [
        ("为什么？", ("2030年森林覆盖率是多少？",), "2030年森林覆盖率为什么?"),
        ("多少个？", ("要建哪些水库？",), "要建水库多少个?"),
        ("哪几个县？", ("要建哪些水库？",), "要建水库哪几个县?"),
        ("多少个项目？", ("煤矿有哪些重点项目？",), "煤矿重点项目多少个项目?"),
        ("那投资呢？", ("新建多少个水库？",), "新建水库投资是多少"),
        ("增速呢？", ("2030年工业产值目标是多少？",), "2030年工业产值增速是多少"),
        ("比2025年提高多少？", ("2030年森林覆盖率是多少？",), "2030年森林覆盖率比2025年提高多少?"),
        ("油料呢？", ("2030年粮食产量是多少？",), "2030年油料产量是多少?"),
        ("两个加起来呢？", ("2030年粮食产量是多少？", "油料呢？"), "2030年粮食产量和油料产量合计多少"),
        ("谁多？", ("2030年粮食产量是多少？", "油料呢？", "两个加起来呢？"), "2030年粮食产量和油料产量哪个更多"),
        ("差多少？", ("石湾县新建多少农田？", "柳川县呢？"), "石湾县新建农田和柳川县新建农田相差多少"),
        ("三个合计多少？", ("粮食产量是多少？", "油料呢？", "茶叶呢？"), "粮食产量和油料产量和茶叶产量合计多少"),
        ("为什么？", ("要建哪些水库？", "哪几个县？"), "要建水库为什么?"),  # the subject is that of the first
    ],
)
def test_a_question_without_a_subject_takes_that_of_the_one_before(
    question: str, earlier: tuple[str, ...], completed: str
) -> None:
    assert follow_up(question, *earlier) == completed


@pytest.mark.parametrize(
    "question",
    [
        "为什么要建水库？",
        "粮食和油料加起来多少？",
        "哪几个县种茶叶？",
        "新建多少个水库？",
        "这个规划的期限是哪几年？",
        "这份规划谁编的？",
        "那些基地在哪里？",
        "到2030年要建成哪些水库和灌区？",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    query = understand(question, [Turn(GRAIN, "")], FRAME)
    assert not query.completed
    assert query.text == clean(question)


def test_elliptic() -> None:
    assert is_elliptic("那2025年呢?")
    assert is_elliptic("农村的呢")
    assert is_elliptic("到2020年是多少?")
    assert not is_elliptic("2020年产量是多少?")
    assert not is_elliptic("森林覆盖率是多少?")


def test_without_history_nothing_is_completed() -> None:
    query = understand("那2025年呢？", (), FRAME)
    assert not query.completed
    assert query.years == (2025,)


@pytest.mark.parametrize("unreadable", ["", "😀", "hello there", "问" * 10_000])
def test_an_earlier_question_that_cannot_be_read_does_not_stop_the_present_one(unreadable: str) -> None:
    assert follow_up("森林覆盖率是多少？", unreadable) == "森林覆盖率是多少?"
    assert follow_up("那2025年呢？", GRAIN, unreadable) == "2025年粮食综合生产能力要达到多少?"


def test_traditional_characters_in_the_history_are_read_too() -> None:
    assert follow_up("那2025年呢？", "2030年糧食產能是多少？") == "2025年粮食产能是多少?"


def test_a_question_about_another_region_names_it() -> None:
    frame = Frame(places={"石湾县": ("石湾县",), "云泽州": ("云泽州",)}, region=frozenset({"云泽州"}))
    assert understand("乌鲁木齐的粮食产量目标是多少？", (), frame).elsewhere == ("乌鲁木齐",)
    assert understand("石湾县的粮食产量目标是多少？", (), frame).elsewhere == ()
    assert understand("石湾县跟乌鲁木齐挨着，它的定位是啥？", (), frame).elsewhere == ()
    held = Frame(places={"昌吉市": ("昌吉市",)})
    assert understand("昌吉市的粮食产量目标是多少？", (), held).elsewhere == ()


HELD = Vocabulary.of(
    "", ["地区生产总值达到862.4亿元。", "一般公共预算收入达到57.3亿元，高于GDP增长。", "营业收入、农民收入、农民收入。"]
)


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("2025年GDP有多少亿？", "2025年地区生产总值有多少亿?"),
        ("GDP目标", "地区生产总值目标"),
        ("财政收入", "一般公共预算收入"),
        ("怎么增加财政收入？", "怎么增加财政收入?"),  # no figure is asked for
        ("农民收入是多少？", "农民收入是多少?"),  # the documents say so themselves
        ("社零总额是多少？", "社零总额是多少?"),  # they have neither
        ("一般公共预算收入即财政收入是多少？", "一般公共预算收入即财政收入是多少?"),
    ],
)
def test_an_indicator_by_another_name_is_asked_for_by_its_official_one(question: str, asked: str) -> None:
    assert understand(question, (), Frame(vocabulary=HELD)).text == asked


def test_other_names_are_names_alone() -> None:
    pairs = same_things()
    assert len({other for other, _ in pairs}) == len(pairs)
    assert not [pair for pair in pairs if re.search(r"\d", "".join(pair)) or pair[0] == pair[1]]


def test_a_region_that_speaks_of_itself_is_the_documents_own() -> None:
    for name in ("咱州", "咱们州", "本州", "我州"):
        assert understand(f"{name}森林覆盖率是多少？").core.strip().startswith("森林")


def test_some_of_the_counties_of_a_side_are_no_question_for_their_number() -> None:
    query = understand("西边几个县发展什么产业？")
    assert query.kinds == ()
    assert "西部" in query.terms


def test_a_difference_to_the_base_year_is_to_the_end_of_the_plan() -> None:
    first, base, last = FRAME.period.first, FRAME.period.base, FRAME.period.last
    assert understand(f"森林覆盖率比{base}年提高多少？", (), FRAME).years == (last, base)
    assert understand(f"森林覆盖率比{base}年增加几个百分点？", (), FRAME).years == (last, base)
    assert understand(f"森林覆盖率比{first}年提高多少？", (), FRAME).years == (first,)
    assert understand(f"{base}年森林覆盖率提高多少？", (), FRAME).years == (base,)


def test_what_two_places_named_together_have_is_asked_of_each() -> None:
    frame = Frame(places={"石湾县": ("石湾县",), "柳河县": ("柳河县",)})
    sides = sides_of(understand("石湾县和柳河县的定位", (), frame), frame)
    assert [side.places for side in sides] == [("石湾县",), ("柳河县",)]
    assert len(sides_of(understand("石湾县和柳河县之间的公路", (), frame), frame)) == 1


def test_a_subject_in_front_of_the_year_gives_way_to_another() -> None:
    assert follow_up("那做衣服纺纱的呢？", "食品加工业2030年产值目标是多少？") == "做衣服纺纱2030年产值目标是多少?"
    assert follow_up("养牛的呢？", "2030年粮食产量目标是多少？") == "2030年养牛产量目标是多少?"


def test_how_much_alone_asks_for_the_difference_of_what_was_asked_before() -> None:
    assert follow_up("提高了多少？", "2025年粮食产量是多少？", "2020年粮食产量是多少？") == (
        "2025年粮食产量和2020年粮食产量相差多少"
    )
    assert follow_up("增加了多少？", "粮食产量是多少？") == "粮食产量增加了多少?"


@pytest.mark.parametrize(
    ("question", "elsewhere"),
    [
        ("全省新增城镇就业目标是多少？", ("全省",)),
        ("国家十四五规划里经济增速定了多少？", ("国家",)),
        ("自治区层面人均预期寿命定到多少岁？", ("自治区",)),
        ("有多少样农产品上全国名优目录？", ()),  # the list is the country's, the figure is not
        ("国家级园区有多少个？", ()),
        ("全省率先做了什么？", ()),  # no figure is asked for
    ],
)
def test_a_figure_of_the_country_or_the_province_is_elsewhere(question: str, elsewhere: tuple[str, ...]) -> None:
    assert understand(question, (), Frame(region=frozenset({"云泽州"}))).elsewhere == elsewhere


def test_a_plan_of_the_province_tells_its_own_figures() -> None:
    assert understand("全省新增城镇就业目标是多少？", (), Frame(region=frozenset({"云泽省"}))).elsewhere == ()


def test_an_indicator_in_letters_is_enough_chinese() -> None:
    assert clean("GDP 2025") == "GDP 2025"
    with pytest.raises(EmptyQuestion):
        clean("what is it 2025")


def test_a_quantity_of_a_question_is_no_year() -> None:
    assert understand("装机容量达到2095万千瓦了吗？").years == ()


@pytest.mark.parametrize(
    ("question", "how"),
    [
        ("如何留住和吸引人才？", True),
        ("怎么才能让农民增收？", True),
        ("早就达到104%了，咋2025年才要99.5%？", False),  # why
        ("目标怎么反而低了？", False),
    ],
)
def test_a_question_of_why_is_not_one_of_how(question: str, how: bool) -> None:
    assert asks_how(question) is how


@pytest.mark.parametrize(
    ("question", "want"),
    [
        ("每万人全科医生 2025", "figure"),
        ("森林覆盖率在2030年达到什么水平？", "figure"),
        ("农业项目 2025", "text"),  # which?
        ("2025年要建高铁", "text"),
    ],
)
def test_a_name_and_a_year_ask_for_a_figure(question: str, want: str) -> None:
    assert want_of(question) == want


def test_short_years_beside_a_full_one_are_read() -> None:
    plan = Period(2021, 2025)
    assert years_of("参保率2020年多少，25年定多少？", plan) == (2020, 2025)
    assert years_of("2020年受教育年限10.8年", plan) == (2020,)
    assert years_of("上个五年和这个五年各多少万？", plan) == (2020, 2025)


@pytest.mark.parametrize(
    ("region", "question", "wider"),
    [
        ("云泽州", "全国森林覆盖率是多少？", ("country",)),
        ("云泽州", "全省粮食产量是多少？", ("province",)),
        ("云泽州", "全州粮食产量是多少？", ()),
        ("云泽省", "全省粮食产量是多少？", ()),  # its own
        ("云泽区", "全区粮食产量是多少？", ()),
        ("云泽省", "全国粮食产量是多少？", ("country",)),
        ("云泽州", "国家级园区有几个？", ()),
    ],
)
def test_regions_above_the_documents_own_are_told_from_it(region: str, question: str, wider: tuple[str, ...]) -> None:
    query = understand(question, (), Frame(region=frozenset({region})))
    assert query.wider == wider
    assert bool(query.elsewhere) is bool(wider)


def test_a_phrase_that_asks_nothing_leans_on_no_question_before_it() -> None:
    query = understand("好的，谢谢", [Turn(GRAIN, "见上文。")], FRAME)
    assert (query.courtesy, query.text) == ("thanks", "好的,谢谢")
    assert understand(GRAIN, (), FRAME).courtesy == ""
