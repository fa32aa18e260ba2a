"""Kinds of detail: how each is asked for, and how it looks where it is given."""

from __future__ import annotations

import pytest

from rag.kinds import KINDS, kinds_asked, kinds_missing
from rag.prompts import lines

# kind: a question that asks for it, a text that holds it, a text on the same subject that does not
EXAMPLES = {
    "money": ("体育馆总投资多少", "体育馆总投资3.2亿元", "建成体育馆3座"),
    "phone": ("服务中心的电话是多少", "咨询电话0999-1234567", "设立服务中心2个"),
    "date": ("新馆哪天开馆", "新馆2028年开馆", "建设新馆"),
    "moment": ("明天下雪吗", "明天有雪", "防御低温雪灾"),
    "address": ("新馆在哪条街", "新馆位于人民路12号", "建设新馆"),
    "person": ("这项工作谁负责", "由县水务局负责", "推进这项工作"),
    "procedure": ("低保怎么申请", "申请低保要带户口簿等材料", "强化低保动态管理"),
    "share": ("护理床位占比多少", "护理型床位占62%", "增加护理型床位"),
    "area": ("水稻种多少亩", "水稻面积稳定在30万亩", "稳定水稻种植"),
    "weight": ("水稻产量多少", "水稻产量12万吨", "稳定水稻种植"),
    "distance": ("新路多少公里", "新建公路40公里", "新建公路"),
    "beds": ("新医院床位多少", "设置床位300张", "新建医院"),
    "volume": ("水库库容多大", "库容2000万立方米", "新建水库"),
    "people": ("新增就业多少人", "新增就业2万人", "稳定和扩大就业"),
    "duration": ("坐车要多久", "车程缩短到2小时", "缩短车程"),
    "count": ("建多少个车站", "建设车站5个", "建设车站"),
}


def test_every_kind_has_an_example_and_a_name_for_refusals() -> None:
    assert EXAMPLES.keys() == KINDS.keys()
    named = dict(line.split("=", 1) for line in lines("detail_names"))
    assert KINDS.keys() | {"figure"} == named.keys()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_kind_is_asked_for_given_and_missed(kind: str) -> None:
    question, given, lacking = EXAMPLES[kind]
    assert kind in kinds_asked(question)
    assert kinds_missing((kind,), given) == ()
    assert kinds_missing((kind,), lacking) == (kind,)


def test_a_question_may_ask_for_several_kinds_or_none() -> None:
    assert {"money", "date"} <= set(kinds_asked("体育馆投资多少，什么时候建成"))
    assert kinds_asked("怎样发展文化产业") == ()


def test_which_ones_asks_for_no_count() -> None:
    assert "count" in kinds_asked("要建几个机场")
    assert "count" not in kinds_asked("要建几个机场，放在哪里")


def test_so_many_of_a_hundred_is_a_share_and_no_count() -> None:
    assert kinds_asked("到2025年一百个人里得有多少个住在城里？") == ("share",)
    assert kinds_asked("100个村里头，几个要通车？") == ("share",)
    assert "count" in kinds_asked("一百个村要建几个车站？")


def test_a_word_for_a_measure_asks_for_no_figure_alone() -> None:
    assert "people" not in kinds_asked("对事故死亡人数有什么要求？")
    assert {"people"} == set(kinds_asked("事故死亡人数降到多少？"))
    assert kinds_asked("高效节水面积占比达到多少？") == ("share",)


def test_kinds_missing_keeps_their_order() -> None:
    assert kinds_missing(("date", "phone", "money"), "总投资3亿元") == ("date", "phone")
    assert kinds_missing((), "") == ()
