"""Questions of how, and questions of two parts: on a made-up plan, sentence by sentence, and on the shipped one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from index.build import build
from rag.measures import LONGEST, MOST, enumerates, how, kind_of, points_of
from rag.pipeline import Pipeline
from rag.prompts import render
from rag.types import Answer, Evidence
from rag.understand import asks_how, understand, want_of
from tests.conftest import opened
from tests.fakes import evidence, paragraph

PLAN = """安澜县国民经济和社会发展第十五个五年规划纲要
（2026-2030年）
第一章 发展环境
“十四五”期间，全县经济稳中有进。
养老服务短板明显。全县养老机构布局不均，护理人员数量不足、素质不高，农村养老服务能力亟待提升。
渔业发展成效显著。水产品产量稳步增长，渔民人均收入达到2.8万元，打造了一批渔业品牌。
第二章 产业发展
做强现代渔业。坚持生态优先、养捕结合，推动渔业高质量发展。推广池塘循环水养殖，支持养殖户改造标准化鱼塘；建立水产品质量追溯平台，打造安澜小龙虾区域公用品牌。培育渔业龙头企业，延伸加工、冷链、餐饮链条。到2030年，水产品产量达到6.5万吨，标准化鱼塘面积达到4万亩。
壮大油茶产业。实施低产油茶林改造工程，推广良种壮苗。建设油茶精深加工园，支持企业开发茶油化妆品。到2030年，油茶种植面积达到12万亩。
第三章 民生保障
健全养老服务。构建居家社区机构相协调的养老服务体系。实施老旧小区适老化改造，支持社会力量举办护理型养老机构。建立护理员培训补贴制度，加强养老服务队伍建设。发展农村互助养老，每个乡镇建成一所区域养老服务中心。到2030年，护理型床位占比达到65%，建成养老服务中心14所。
优化教育资源。新建小学3所、初中2所，改扩建幼儿园12所。推进县域普通高中标准化建设，实施名师引进计划。
保障饮水安全。新建水厂2座，铺设供水管网180公里。建立水源地巡查制度，严禁在保护区内排污。到2030年，农村自来水普及率达到96%。
"""


@pytest.fixture(scope="module")
def anlan(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder: Path = tmp_path_factory.mktemp("anlan")
    (folder / "anlan.txt").write_text(PLAN, encoding="utf-8")
    build([folder / "anlan.txt"], folder / "index")
    return opened(folder / "index")


def said_in(answer: Answer) -> list[str]:
    """The points of an answer without bullet and mark."""
    lines = [line for line in answer.text.split("\n") if line.startswith("· ")]
    return [line.removeprefix("· ").rpartition("[")[0] for line in lines]


def of(*texts: str, scores: tuple[float, ...] = (), title: str = "") -> tuple[Evidence, ...]:
    """The sentences of one paragraph as evidence, best first."""
    chunk = paragraph("".join(texts), 7, section=(title,) if title else ())
    found = []
    for number, text in enumerate(texts):
        start = chunk.text.index(text)
        score = scores[number] if scores else 5.0 - number
        found.append(replace(evidence(chunk, 1, score), start=start, end=start + len(text)))
    return tuple(sorted(found, key=lambda one: -one.score))


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("怎么保护草原？", True),
        ("养老服务有哪些举措？", True),
        ("靠什么吸引人才？", True),
        ("采取哪些措施促进就业？", True),
        ("为了防止返贫要做哪些工作？", True),
        ("农机化做了哪些工作？", True),
        ("草原保护得怎么样？", False),
        ("空间是怎么布局的？", False),
        ("怎么还不修路？", False),
        ("构建怎样的政商关系？", False),
        ("管理办法叫什么？", False),
        ("2025年草原面积是多少？", False),
    ],
)
def test_what_asks_how(question: str, asks: bool) -> None:
    assert asks_how(question) is asks


@pytest.mark.parametrize("question", ["咋申请低保？", "怎么报名参加培训？", "开家庭农场手续咋跑？", "怎么提高到多少？"])
def test_how_to_apply_for_something_and_a_figure_are_asked_for_otherwise(question: str) -> None:
    assert not how(understand(question))


@pytest.mark.parametrize(
    ("question", "want"),
    [
        ("怎么提高森林覆盖率？", "text"),
        ("如何提高城乡居民收入水平？", "text"),
        ("采取哪些措施促进就业？", "list"),
        ("森林覆盖率要提高到多少？", "figure"),
        ("怎么提高，提高多少？", "figure"),
    ],
)
def test_a_question_of_how_that_names_an_indicator_wants_no_figure(question: str, want: str) -> None:
    assert want_of(question) == want


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("大力推广池塘循环水养殖，支持养殖户改造鱼塘。", "measure"),
        ("以龙头企业为重点，打造小龙虾品牌。", "measure"),
        ("逐步解决管护不到位的问题。", "measure"),
        ("补齐养老服务短板。", "measure"),
        ("到2030年，水产品产量达到6.5万吨。", "target"),
        ("养老机构布局不均，护理人员数量不足。", "adverse"),
        ("吸引人才、留住人才的问题亟待破解。", "adverse"),
        ("养老服务水平显著提升，供给结构持续优化。", "adverse"),
        ("全县共有14个乡镇。", "other"),
    ],
)
def test_what_a_sentence_tells(text: str, kind: str) -> None:
    assert kind_of(evidence(paragraph(text))) == kind


def test_a_paragraph_that_is_about_what_is_amiss_or_was_reached_states_no_measures() -> None:
    sentence = "打造了一批渔业品牌。"
    for title in ("渔业发展成效显著", "渔业人才匮乏"):
        assert kind_of(evidence(paragraph(sentence, section=(title,)))) == "adverse"
    assert kind_of(evidence(paragraph(sentence, section=("做强渔业",)))) == "measure"


def test_points_stand_in_the_order_of_the_text_without_what_is_to_be_reached() -> None:
    texts = ("推广循环水养殖。", "培育渔业龙头企业。", "到2030年，产量达到6万吨。")
    found = of(*texts, scores=(3.0, 5.0, 4.5), title="做强渔业")
    told = points_of(understand("渔业怎么发展？"), found)
    assert [one.text for one in told] == ["推广循环水养殖。", "培育渔业龙头企业。"]
    assert points_of(understand("渔业有多少户？"), found) == ()


def test_a_sentence_far_below_is_a_point_only_where_the_title_names_what_is_asked() -> None:
    asked = understand("渔业怎么发展？")
    texts, scores = ("推广循环水养殖。", "完善乡村道路。"), (9.0, 2.0)
    assert [one.text for one in points_of(asked, of(*texts, scores=scores, title="农村工作"))] == ["推广循环水养殖。"]
    assert len(points_of(asked, of(*texts, scores=scores, title="做强渔业"))) == 2


def test_points_are_few_and_short_and_each_is_whole_clauses() -> None:
    sentence = "推广第{}项养殖技术，" + "支持养殖户改造标准化鱼塘，" * 9 + "打造品牌。"
    found = of(*(sentence.format(sign) for sign in "甲乙丙丁戊己庚辛"), title="做强渔业")
    told = points_of(understand("渔业怎么发展？"), found)
    assert 1 < len(told) <= MOST
    assert sum(one.end - one.start for one in told) <= LONGEST
    assert all(one.text.endswith(("鱼塘", "品牌。")) for one in told)


def test_one_sentence_of_several_measures_is_parted_at_its_items() -> None:
    items = (
        "推广循环水养殖，改造标准化鱼塘，提高水产养殖的单产水平",
        "培育渔业龙头企业，延伸加工、冷链、餐饮链条",
        "打造渔业区域公用品牌，办好渔业文化节。",
    )
    told = points_of(understand("渔业怎么发展？"), of(";".join(items), title="做强渔业"))
    assert tuple(one.text for one in told) == items


def test_an_enumeration_of_figures_names_no_things() -> None:
    assert enumerates(evidence(paragraph("重点发展番茄、甜菜、红花。")))
    assert not enumerates(evidence(paragraph("出栏牲畜10万头、家禽60万羽。")))


# --- a plan never seen


@pytest.mark.parametrize("question", ["渔业怎么发展？", "采取哪些措施发展渔业？", "渔业靠什么做强？"])
def test_the_measures_of_a_paragraph_are_told_as_points(anlan: Pipeline, question: str) -> None:
    answer = anlan.ask(question)
    points = said_in(answer)
    assert answer.status == "answered"
    assert "培育渔业龙头企业，延伸加工、冷链、餐饮链条。" in points
    assert len(points) == len(answer.citations) > 1
    assert all(one.quote == point for one, point in zip(answer.citations, points, strict=True))
    assert "成效" not in answer.text
    assert "6.5万吨" not in answer.text
    assert answer.checks == () or all(check.ok for check in answer.checks)


@pytest.mark.parametrize("question", ["怎么解决养老服务不足的问题？", "养老服务有哪些举措？"])
def test_what_is_amiss_is_no_answer_where_there_are_measures(anlan: Pipeline, question: str) -> None:
    answer = anlan.ask(question)
    assert answer.status == "answered"
    assert "建立护理员培训补贴制度，加强养老服务队伍建设。" in said_in(answer)
    assert "不足" not in answer.text
    assert "亟待" not in answer.text


def test_a_figure_to_be_reached_stands_for_the_measures_of_its_paragraph(anlan: Pipeline) -> None:
    answer = anlan.ask("怎样保障农村饮水安全？")
    assert said_in(answer) == ["新建水厂2座，铺设供水管网180公里。", "建立水源地巡查制度，严禁在保护区内排污。"]


@pytest.mark.parametrize(
    ("question", "figure", "measure"),
    [
        ("水产品产量要达到多少，怎么实现？", "6.5万吨", "推广池塘循环水养殖"),
        ("农村自来水普及率达到多少，如何保障？", "96%", "建立水源地巡查制度"),
        ("油茶种植面积多少，怎么做大油茶产业？", "12万亩", "实施低产油茶林改造工程"),
        ("护理型床位占比达到多少？靠什么措施？", "65%", "实施老旧小区适老化改造"),
    ],
)
def test_neither_part_of_a_question_is_lost(anlan: Pipeline, question: str, figure: str, measure: str) -> None:
    answer = anlan.ask(question)
    assert answer.status == "answered"
    assert figure in answer.text
    assert measure in answer.text
    assert answer.text.index(figure) < answer.text.index(measure)  # in the order asked


def test_two_counts_of_one_verb_are_both_told_and_what_is_missing_is_said(anlan: Pipeline) -> None:
    both = anlan.ask("新建几所小学、几所初中？")
    assert "小学3所、初中2所" in both.text
    assert render("side_missing", asked="“几所初中”") not in both.text
    one = anlan.ask("新建几所小学、几家医院？")
    assert "小学3所" in one.text
    assert one.text.endswith(render("side_missing", asked="“几家医院”"))
    money = anlan.ask("水产品产量多少，渔业投资多少钱？")
    assert "6.5万吨" in money.text
    assert money.text.endswith(render("side_missing", asked="“渔业投资多少钱”"))


# --- the shipped plan


@pytest.mark.parametrize(
    ("question", "line", "measure"),
    [
        ("怎样让农民增收？", 489, "多渠道增加低收入群体收入"),
        ("怎么防止返贫？", 395, "建立健全易返贫致贫人口快速发现和响应机制"),
        ("怎样减少化肥农药用量？", 455, "提倡增施生物有机肥"),
        ("国企改革怎么推进？", 479, "推进混合所有制改革"),
        ("怎么发展夜间经济？", 389, "培育特色精品夜市"),
        ("采取哪些措施促进就业？", 538, "加强就业信息监测平台"),
    ],
)
def test_measures_of_the_shipped_plan(shipped: Pipeline, question: str, line: int, measure: str) -> None:
    answer = shipped.ask(question)
    assert answer.status == "answered"
    assert any(measure in point for point in said_in(answer))
    assert [one.lines[0] for one in answer.citations].count(line) > 1
    assert len(said_in(answer)) <= MOST


def test_a_paragraph_of_shortcomings_does_not_tell_how(shipped: Pipeline) -> None:
    answer = shipped.ask("如何留住和吸引人才？")
    assert answer.status == "answered"
    assert "匮乏" not in answer.text
    assert "亟待" not in answer.text
    assert "以产业吸引人才聚集" in answer.text


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("棉花种多少亩，怎么巩固棉花优势？", "160万亩", "加强棉花种子市场监管"),
        ("特色作物种植面积达到多少，重点发展哪些作物？", "140万亩", "加工番茄"),
        ("规上工业增加值多少，旅游人数多少？", "343.09亿元", "1亿人次"),
        ("怎么巩固棉花优势，到2025年种多少亩？", "加强棉花种子市场监管", "160万亩"),
    ],
)
def test_both_parts_are_told_of_the_shipped_plan(shipped: Pipeline, question: str, first: str, second: str) -> None:
    answer = shipped.ask(question)
    assert answer.text.index(first) < answer.text.index(second)


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("高标准农田多少亩，省长工资多少？", "“省长工资多少”"),
        ("咋发展乡村旅游？投资多少钱？", "“投资多少钱”"),
        ("怎么发展夜间经济，目标是什么？", "“目标是什么”"),
    ],
)
def test_a_part_without_an_answer_is_said_to_have_none(shipped: Pipeline, question: str, missing: str) -> None:
    answer = shipped.ask(question)
    assert answer.status == "answered"
    assert answer.text.endswith(render("side_missing", asked=missing))
