"""Yes-or-no questions after a thing: 是 where the text says so in so many words, refused where it is named nowhere."""

from __future__ import annotations

import pytest

from rag.disagree import affirmed, borne_out, thing_asked_for
from rag.pipeline import Pipeline
from rag.understand import understand
from tests.fakes import evidence, paragraph, row


@pytest.mark.parametrize(
    ("question", "thing", "mention"),
    [
        ("有没有提到抽水蓄能电站？", "抽水蓄能电站", True),
        ("规划里提到区块链了吗？", "区块链", True),
        ("规划提到无人机没有？", "无人机", True),
        ("是否涉及碳达峰的内容？", "碳达峰", True),
        ("是不是要建体育馆？", "体育馆", False),
        ("会不会建一个体育馆？", "体育馆", False),
        ("要建通用机场吗？", "通用机场", False),
        ("是不是要建5座水库？", "", False),  # a figure is borne out in another way
        ("是不是要建水库和灌区？", "", False),
        ("有没有提到哪些机场？", "", False),
        ("有没有提到碳中和？", "碳中和", True),  # no 和 between two things
        ("有没有提到团结和谐？", "团结和谐", True),
        ("森林覆盖率提高了吗？", "", False),
        ("不要建体育馆吗？", "", False),
        ("为什么要建体育馆？", "", False),
    ],
)
def test_the_thing_that_is_asked_for(question: str, thing: str, mention: bool) -> None:
    assert thing_asked_for(understand(question)) == (thing, mention)


@pytest.mark.parametrize(
    ("question", "text", "yes"),
    [
        ("有没有提到体育馆？", "暂不新建体育馆。", True),  # it is mentioned
        ("是不是要建体育馆？", "新建体育馆，改造图书馆。", True),
        ("是不是要建体育馆？", "推进体育馆项目。", True),
        ("是不是要建体育馆？", "暂不新建体育馆。", False),
        ("是不是要建体育馆？", "体育馆建成投用。", False),
        ("是不是要建体育馆？", "体育馆项目取消，建设图书馆。", False),
        ("是不是要建体育馆？", "研究建设体育馆。", False),
        ("是不是要建体育馆？", "控制体育馆建设规模。", False),
        ("是不是要建体育馆？", "不断推进体育馆建设。", True),
        ("是不是要建体育馆？", "建设图书馆，办好体育馆赛事。", False),  # another thing is built
        ("是不是要建体育馆？", "建设图书馆、办好体育馆赛事。", False),
        ("是不是要建体育馆？", "新建体育馆停车场。", False),
        ("是不是要建体育馆？", "建设图书馆、体育馆、博物馆。", True),
        ("是不是要建甲县体育馆？", "建设甲县图书馆、乙县体育馆。", False),  # not in so many words
        ("是不是要建体育馆？", "建设体育场馆。", False),
        ("体育馆要建在哪里？", "建设体育馆。", False),
    ],
)
def test_yes_is_said_where_the_text_says_so(question: str, text: str, yes: bool) -> None:
    assert affirmed(understand(question), evidence(paragraph(text))) is yes


def test_what_was_built_before_the_plan_is_no_yes() -> None:
    past = evidence(paragraph("新建体育馆。"), past_for_plan=1.0)
    assert not affirmed(understand("是不是要建体育馆？"), past)


@pytest.mark.parametrize("question", ["有没有提到抽水蓄能电站？", "是不是要建松阳通用机场？", "会不会建抽水蓄能电站？"])
def test_the_answer_begins_with_yes_and_its_evidence(lingan: Pipeline, question: str) -> None:
    answer = lingan.ask(question)
    assert answer.status == "answered"
    assert answer.text == "是。推进120万千瓦抽水蓄能电站建设，新建松阳通用机场，建成溪岭至云坪高速公路。[1]"


def test_a_reservation_is_shown_and_not_answered_for(lingan: Pipeline) -> None:
    answer = lingan.ask("是不是要建体育馆？")
    assert answer.text == "因财力有限，暂不新建体育馆。[1]"


@pytest.mark.parametrize("question", ["有没有提到区块链？", "是不是要建地铁？", "规划涉及无人机吗？"])
def test_what_is_named_nowhere_is_refused(lingan: Pipeline, question: str) -> None:
    thing, _ = thing_asked_for(understand(question))
    answer = lingan.ask(question)
    assert answer.status == "refused"
    assert answer.text.startswith(f"规划里没有提到“{thing}”。")


@pytest.mark.parametrize(
    ("question", "agreed"),
    [
        ("2030年森林覆盖率是27.5%吗？", True),
        ("2030年森林覆盖率是不是26.1%？", False),  # that is of 2025
        ("2025年森林覆盖率是26.1%吗？", True),
        ("2025年森林覆盖率是27.5%吗？", False),
        ("森林覆盖率是27.5%吗？", None),  # of which year?
        ("2027年森林覆盖率是27.5%吗？", None),
    ],
)
def test_a_row_bears_out_the_figure_of_the_year_that_is_named(question: str, agreed: bool | None) -> None:
    found = evidence(row([("指标名称", "森林覆盖率"), ("单位", "%"), ("2025年", "26.1"), ("2030年", "27.5")], 7))
    assert borne_out(understand(question), found) is agreed


def test_a_target_is_compared_with_the_last_year_of_a_row() -> None:
    forest = evidence(row([("指标名称", "森林覆盖率"), ("单位", "%"), ("2025年", "26"), ("2030年", "27.5")]))
    assert borne_out(understand("森林覆盖率目标是27.5%对吗？"), forest) is True
    assert borne_out(understand("森林覆盖率目标是26%对吗？"), forest) is False
    assert borne_out(understand("森林覆盖率是26%对吗？"), forest) is None  # of which year is not said
