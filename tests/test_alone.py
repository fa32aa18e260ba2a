"""A figure told alone: the clause that is asked for and no other, and the whole sentence where that is not plain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from index.figures import amounts
from rag.align import load_aligner
from rag.alone import item_alone, items_of, told_alone, told_in, without_others
from rag.cite import GAP, cite
from rag.generate.extractive import Extractive
from rag.types import Selection
from rag.understand import understand
from tests.fakes import evidence, paragraph

ALIGNER = load_aligner()
SCHOOLS = "到2030年，学前教育毛入园率达到97%以上，义务教育巩固率达到99%，高中阶段教育毛入学率达到96%以上。"
INCOME = "2020年城镇居民和农村居民人均可支配收入分别达到30000元和20000元，年均分别增长6.1%和8.2%。"
FODDER = "到2030年，饲草料种植面积达到60万亩，其中全株玉米青贮45万亩、苜蓿15万亩，年产量达到213万吨左右。"
GROWN = "三产增加值由2015年的300亿元增长到2020年的500亿元。"


def alone(question: str, text: str) -> str:
    return told_alone(understand(question), text, ALIGNER)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("2030年高中阶段教育毛入学率是多少？", "到2030年，……高中阶段教育毛入学率达到96%以上"),
        ("学前教育毛入园率要达到多少？", "到2030年，学前教育毛入园率达到97%以上"),
        ("我家娃娃要上高中，2030年毛入学率多少？", "到2030年，……高中阶段教育毛入学率达到96%以上"),
        ("教育毛入率是多少？", ""),  # of which?
        ("学前教育毛入园率和义务教育巩固率是多少？", ""),  # two are asked for
        ("学前教育毛入园率多少？高中阶段教育毛入学率多少？", ""),
        ("高中阶段教育毛入学率比义务教育巩固率低多少？", ""),  # both are compared
        ("怎样提高高中阶段教育毛入学率？", ""),  # no figure is asked for
        ("小学食堂有多少？", ""),
    ],
)
def test_the_clause_asked_for_is_told_behind_its_time(question: str, told: str) -> None:
    assert alone(question, SCHOOLS) == told


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        # Names first, then the figures in the same order.
        ("2020年农村居民人均可支配收入是多少？", INCOME, "2020年……农村居民人均可支配收入……20000元"),
        ("2020年城镇居民人均可支配收入是多少？", INCOME, "2020年城镇居民……人均可支配收入……30000元"),
        ("农村居民人均可支配收入年均增长多少？", INCOME, "2020年……农村居民人均可支配收入……年均……增长……8.2%"),
        ("农村和城镇居民人均可支配收入分别是多少？", INCOME, ""),
        # What is named before lends its name, and parts stand alone.
        ("饲草料年产量是多少？", FODDER, "到2030年，饲草料……年产量达到213万吨左右"),
        ("全株玉米青贮种植面积是多少？", FODDER, "到2030年，……其中全株玉米青贮45万亩"),
        # Of one thing in two years, that of the year asked for.
        ("2020年三产增加值是多少？", GROWN, "三产增加值……增长到2020年的500亿元"),
        ("2015年三产增加值是多少？", GROWN, "三产增加值由2015年的300亿元"),
        ("三产增加值是多少？", GROWN, ""),
        # The thing counted stands behind its figure.
        ("要新建几所初中？", "到2030年，新建12所小学和5所初中。", "到2030年，新建……5所初中"),
        # One of its time that stands in the middle.
        (
            "文明村比例多少？",
            "深化创建，到2030年，文明乡镇比例和文明村比例分别达到90%和95%。",
            "到2030年，……文明村比例……95%",
        ),
        # A bound that may be said of both.
        ("文明村比例多少？", "到2030年，文明乡镇比例和文明村比例分别不低于90%和95%。", ""),
        # What is asked for has no name of its own in the sentence.
        ("小学有多少教师？", "到2030年，小学新增12所，投入3亿元。", ""),
        # One figure only.
        ("粮食产量要达到多少？", "到2030年，粮食产量达到100万吨，稳定粮食种植面积。", ""),
    ],
)
def test_one_figure_of_several_is_told_with_its_name_and_time(question: str, text: str, told: str) -> None:
    assert alone(question, text) == told


@pytest.mark.parametrize(
    ("question", "text"),
    [
        # Another year than that of the figure, or the base that it is compared with.
        ("2020年常住人口是多少？", "2020年、2025年全市常住人口分别为161万人、180万人，城镇化率为60%。"),
        ("农村居民收入增长多少？", "与2015年相比，城镇居民收入增长40%，农村居民收入增长50%。"),
        ("棉花产量增加多少？", "在2020年基础上，粮食产量增加8万吨，棉花产量增加5万吨。"),
        ("主要污染物排放下降多少？", "较2015年能耗下降20%，主要污染物排放下降10%。"),
        ("新增就业多少人？", "2021至2025年新建学校30所，新增就业15万人。"),
        # What holds for all that follows.
        ("新增供水能力多少？", "每年新增供热面积100万平方米，新增供水能力5万吨。"),
        ("耕地面积多少？", "不包括农场，全州耕地面积800万亩，林地面积300万亩。"),
        ("城镇化率达到多少？", "除甲县外，各县市城镇化率达到50%，参保率达到95%。"),
        ("光伏装机达到多少？", "若资金允许，风电装机达到300万千瓦，光伏装机达到800万千瓦。"),
        # 均 is said of two things, and a unit is cut.
        ("化肥利用率达到多少？", "化肥、农药使用量分别减少10%、5%，利用率均达到43%以上。"),
        ("参保率提高多少？", "参保率、就业率较上年分别提高2个和1个百分点，收入增长5%。"),
        # How much it grows is asked, and only how much it is told.
        ("农村居民收入增长多少？", "城镇居民收入达到3万元，农村居民收入达到2万元。"),
    ],
)
def test_what_is_left_out_must_not_bear_on_the_figure(question: str, text: str) -> None:
    assert alone(question, text) == ""


YEARLY = "每年新增城镇就业3万人，技能培训达到15万人次以上。"
PARTS = "到2030年，新建学校30所，其中小学20所、幼儿园10所。"


@pytest.mark.parametrize(
    ("figure", "text", "told"),
    [
        ("500亿元", "接待游客1000万人次，争取旅游收入突破500亿元。", "争取旅游收入突破500亿元"),
        ("3万人", YEARLY, "每年新增城镇就业3万人"),
        ("20所", PARTS, "到2030年，……其中小学20所"),
        ("10所", PARTS, "到2030年，……其中……幼儿园10所"),
    ],
)
def test_what_bears_on_it_in_its_own_clause_is_told_with_it(figure: str, text: str, told: str) -> None:
    (one,) = (one for one in told_in(text) if text[slice(*one.figure)] == figure)
    assert without_others(text, one) == told


PROJECTS = "1.食品加工项目：3万吨/年亚麻籽油项目、烘焙食品生产线项目、甲县馕产业园建设项目、50万头/年生猪屠宰项目等。"
CLUSTERS = "以甲县、乙县为重点，打造面粉产业集群；以丙县为重点，打造棉花产业集群；以丁市、园区为重点，打造奶牛集群。"


@pytest.mark.parametrize(
    ("question", "text", "told"),
    [
        ("亚麻籽油项目一年多少吨？", PROJECTS, "1.食品加工项目：3万吨/年亚麻籽油项目"),
        ("生猪屠宰项目规模多大？", PROJECTS, "1.食品加工项目：……50万头/年生猪屠宰项目"),
        ("馕产业园建在哪个县？", PROJECTS, "1.食品加工项目：……甲县馕产业园建设项目"),
        ("烘焙食品生产线建在哪个县？", PROJECTS, ""),  # the item names no place
        ("食品加工项目有哪些？", PROJECTS, ""),  # the whole list is asked for
        ("亚麻籽油项目和生猪屠宰项目的规模？", PROJECTS, ""),  # two are
        ("奶牛集群重点在哪里？", CLUSTERS, "以丁市、园区为重点，打造奶牛集群"),
        ("产业集群怎么布局？", CLUSTERS, ""),  # no one of them
        # What governs all items must not be lost.
        ("乙河水库怎么安排？", "取消甲河电站项目、乙河水库工程、丙县风电基地、丁县热电项目。", ""),
        ("肉产量多少？", "到2030年，粮食产量达到200万吨；棉花产量达到30万吨；肉产量达到20万吨。", ""),
        ("甲县馕产业园什么时候建成？", PROJECTS, ""),
        ("粮食产量多少？", "粮食产量稳定，面积、单产、品质、效益一起抓。", ""),  # no enumeration of projects
    ],
)
def test_one_item_of_an_enumeration_is_told_behind_what_it_begins_with(question: str, text: str, told: str) -> None:
    assert item_alone(understand(question), text, ALIGNER) == told


def test_signs_within_brackets_set_no_items_apart() -> None:
    text = "建设项目：甲县道路工程（一期、二期、三期）、乙县水库工程、丙县泵站工程、丁县渠道工程。"
    begin, items = items_of(text)
    assert text[:begin] == "建设项目："
    assert [text[start:end] for start, end in items][:2] == ["甲县道路工程（一期、二期、三期）", "乙县水库工程"]
    assert len(items) == 4


@pytest.mark.parametrize(
    "text",
    [
        INCOME,
        FODDER,
        GROWN,
        SCHOOLS,
        "到2030年，新增高速公路里程130公里、铁路里程200公里，道路完好率达到95%。",
        "全州建成3个国家级园区及6个自治区级园区，园区产值占比70%以上。",
    ],
)
def test_what_is_told_alone_has_one_figure_and_stands_in_its_sentence(text: str) -> None:
    told = [without_others(text, one) for one in told_in(text) if one.basis is not None]
    assert any(told)
    for words in filter(None, told):
        assert len(amounts(words)) == 1
        position = 0
        for piece in words.split(GAP):
            position = text.index(piece, position) + len(piece)


def test_an_answer_with_a_gap_cites_the_words_from_its_time_to_its_figure() -> None:
    whole = evidence(paragraph(f"推进教育公平。{SCHOOLS}改善办学条件。", 12))
    found = replace(whole, start=len("推进教育公平。"), end=len(f"推进教育公平。{SCHOOLS}"))
    told = "".join(Extractive(ALIGNER)(understand("2030年高中阶段教育毛入学率是多少？"), Selection((found,), (found,))))
    text, (citation,) = cite(told, [found.passage])
    assert citation.quote == SCHOOLS
    assert text == "到2030年，……高中阶段教育毛入学率达到96%以上[1]"


def test_pieces_that_no_sentence_holds_in_their_order_are_not_bound_together() -> None:
    passage = evidence(paragraph("高中入学率达到96%，到2030年。学前教育入园率达到97%。", 3)).passage
    _, (citation,) = cite("到2030年，……高中入学率达到96%[1]", [passage])
    assert citation.quote == "高中入学率达到96%，到2030年。"
