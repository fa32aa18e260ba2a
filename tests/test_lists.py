"""Whole lists and their counts: boxes, enumerations, and what is said of each place. The plan is made up."""

from __future__ import annotations

import pytest

from rag.lists import Count, counted, enumerated
from rag.pipeline import Pipeline
from rag.understand import understand
from tests.fakes import evidence, paragraph


def ask(pipeline: Pipeline, question: str) -> str:
    answer = pipeline.ask(question)
    assert answer.status == "answered", answer.text
    assert all(check.ok for check in answer.checks)
    return answer.text


def test_a_box_that_is_named_is_told_whole_and_counted(lingan: Pipeline) -> None:
    assert ask(lingan, "专栏2有哪些项目？") == (
        "专栏2 产业重点项目，共2类：\n"
        "· 1.食品加工项目：年产3万吨茶油项目、竹笋深加工项目、肉制品冷链项目。[1]\n"
        "· 2.装备制造项目：农机装备项目、智能电机项目等。[2]"
    )


@pytest.mark.parametrize("question", ["专栏2列了几类？", "专栏二分哪几类？"])
def test_its_classes_are_named_and_counted(lingan: Pipeline, question: str) -> None:
    assert ask(lingan, question) == "专栏2 产业重点项目，共2类：\n· 食品加工项目[1]\n· 装备制造项目[2]"


def test_of_a_box_the_item_asked_for_alone_is_told(lingan: Pipeline) -> None:
    said = ask(lingan, "专栏2里食品加工有哪些项目？")
    assert said.startswith("专栏2 产业重点项目，共3项：\n1.食品加工项目")
    assert "装备" not in said


def test_the_rows_of_a_table_are_all_told(lingan: Pipeline) -> None:
    said = ask(lingan, "专栏1有哪些指标？")
    assert said.startswith("专栏1 “十五五”时期主要指标，共4项：")
    assert said.count("\n· ") == 4


def test_a_box_that_is_not_there_is_refused(lingan: Pipeline) -> None:
    answer = lingan.ask("专栏9有哪些项目？")
    assert (answer.status, answer.text) == ("refused", "文中没有专栏9。")


@pytest.mark.parametrize("question", ["专栏1中2025年森林覆盖率是多少？", "专栏2里茶油项目的规模有什么说法？"])
def test_a_question_for_some_of_a_box_is_no_question_for_all(lingan: Pipeline, question: str) -> None:
    assert "共4项" not in ask(lingan, question)
    assert "共2类" not in ask(lingan, question)


def test_what_is_said_of_each_place_is_told_of_all(lingan: Pipeline) -> None:
    said = ask(lingan, "各县市的定位分别是什么？")
    assert said.startswith("共4个：")
    assert [place in said for place in ("溪岭市", "云坪县", "禾塘县", "桐川县")] == [True] * 4


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("茶油项目、竹笋项目、冷链项目。", Count(3, False)),
        ("茶油项目、竹笋项目、冷链项目等。", Count(3, True)),
        ("茶油项目、竹笋项目、冷链等项目。", None),  # cold storage and others: the last member is cut short
        ("茶油项目;竹笋项目;冷链项目。", Count(3, False)),
        ("茶油项目、竹笋项目;冷链项目。", None),  # two levels
        ("中型、小型水库工程、灌区工程。", None),  # the first ends in another way
        ("主要任务包括修路、架桥、通水。", Count(3, False)),
        ("主要任务包括修路、架桥和养护、通水。", None),
        ("修路、架桥、通水。", None),  # no kind in common and no introduction: one may be the verb of the next
        ("茶油项目、竹笋项目。", None),
        ("修一条路。", None),
    ],
)
def test_members_are_counted_where_they_are_plain(text: str, count: Count | None) -> None:
    assert enumerated(text) == count


@pytest.mark.parametrize(
    ("question", "text", "members"),
    [
        ("三大主业有哪些？", "重点发展粮、棉、肉三大主业。", 3),
        ("重点发展哪些主业？", "重点发展粮、棉、肉三大主业。", 3),
        ("三大主业有哪些？", "围绕三大主业（粮、棉、肉）布局。", 3),
        ("两大中心有哪些？", "建设物流和会展两大中心。", None),  # no member set off by a sign
        ("三个支点城市有哪些？", "以甲市、乙市和丙县三个支点城市为重点。", 3),
        ("重点发展哪些主业？", "统筹山、水、林三大空间，发展主业。", None),  # the number is of something else
        ("四大主业有哪些？", "重点发展粮、棉、肉四大主业。", None),  # it does not come out
        ("三大主业是多少？", "重点发展粮、棉、肉三大主业。", None),  # no list is asked for
    ],
)
def test_a_count_that_the_text_states_is_told_where_it_comes_out(question: str, text: str, members: int | None) -> None:
    count = counted(understand(question), evidence(paragraph(text)))
    assert (count.members if count else None) == members


def test_the_count_stands_behind_the_quotation(lingan: Pipeline) -> None:
    assert ask(lingan, "重点打造哪三大产业？").endswith("[1]（共3项）")
    assert ask(lingan, "食品加工项目有哪些？").endswith("肉制品冷链项目。[1]（共3项）")
