"""The answerer that quotes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.align import load_aligner
from rag.cite import cite
from rag.disagree import differing, other_side, retold
from rag.generate.extractive import NAME, Extractive, joins_items, narrow
from rag.prompts import render
from rag.types import Evidence, Query, Selection
from rag.understand import understand
from tests.fakes import evidence, paragraph, row

ALIGNER = load_aligner()
COVERAGE = understand("2025年基本医疗保险参保率是多少？")
TEXT = evidence(paragraph("2025年基本医疗保险参保率达到96.4%。", 5), 1, 3.0, (2025,), figure=1.0)
ROW = evidence(
    row([("指标名称", "基本医疗保险参保率"), ("单位", "%"), ("2025年", "96.7"), ("2030年", "98")], 29),
    2,
    2.0,
    (2025, 2030),
    figure=1.0,
)


def say(query: Query, *found: Evidence, parts: int = 1, longest: int = 130) -> str:
    return "".join(Extractive(ALIGNER, longest)(query, Selection(found, found[:parts])))


def test_it_names_itself() -> None:
    assert Extractive(ALIGNER).name == NAME


def test_one_sentence_is_quoted_with_its_mark() -> None:
    assert say(COVERAGE, TEXT) == "2025年基本医疗保险参保率达到96.4%。[1]"


def test_a_row_is_told_in_words_for_the_year_asked() -> None:
    assert say(COVERAGE, ROW) == "基本医疗保险参保率：2025年96.7%[2]"


def test_each_part_is_said_on_its_own_line() -> None:
    other = evidence(paragraph("森林覆盖率达到27.5%。", 8), 2)
    assert say(COVERAGE, TEXT, other, parts=2) == "2025年基本医疗保险参保率达到96.4%。[1]\n森林覆盖率达到27.5%。[2]"


def test_values_that_differ_are_both_shown_with_the_fixed_wording() -> None:
    said = say(COVERAGE, TEXT, ROW)
    assert said.startswith(render("differing") + "\n")
    assert "96.4%" in said
    assert "96.7%" in said


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("基本医疗保险有哪些要求？", ROW),  # no figure is asked for
        ("2025年基本医疗保险参保率是多少？", TEXT),  # the same value
        (
            "2025年基本医疗保险参保率是多少？",
            evidence(paragraph("2030年基本医疗保险参保率达到98%。", 6), 2, 2.0, (2030,), figure=1.0),  # another year
        ),
        (
            "2025年基本医疗保险参保率是多少？",
            evidence(paragraph("2025年基本医疗保险参保率达到96万人。", 6), 2, 2.0, (2025,), figure=1.0),  # another unit
        ),
        (
            "2025年基本医疗保险参保率是多少？",
            evidence(paragraph("2025年农村自来水普及率达到96%。", 6), 2, 2.0, (2025,), figure=1.0),  # another thing
        ),
        (
            "2025年基本医疗保险参保率是多少？",
            evidence(paragraph("2025年基本医疗保险参保率增长3.1%。", 6), 2, 2.0, (2025,), figure=1.0),  # far apart
        ),
    ],
)
def test_what_does_not_contradict_is_not_shown(question: str, other: Evidence) -> None:
    assert differing(understand(question), TEXT, [TEXT, other]) is None


def test_a_name_clause_goes_on_into_the_next() -> None:
    """The rate is of the insurance named in the clause before it."""
    text = "2025年基本医疗保险参保人数达到52万人，参保率达到96.4%。"
    one = evidence(paragraph(text, 5), 1, 3.0, (2025,), figure=1.0)
    assert differing(COVERAGE, one, [one, ROW]) is ROW


def test_the_same_matter_told_twice_is_shown_twice() -> None:
    query = understand("州博物馆新馆建在什么地段？")
    once = evidence(paragraph("建设州博物馆新馆，选址在滨江文化长廊东端地段。", 52), 1, 3.0)
    again = evidence(paragraph("州博物馆新馆，选址在湿地公园南侧地段，打造地标。", 60), 2, 2.5)
    other = evidence(paragraph("推进高速公路和国道改造，提升通行能力。", 47), 3, 2.0)
    assert retold(query, once, [once, other, again]) is again
    assert say(query, once, other, again) == f"{once.text}[1]\n{render('retold')}{again.text}[2]"
    assert retold(query, once, [once, other]) is None
    assert retold(understand("州博物馆新馆建多少座？"), once, [once, again]) is None  # figures are compared as such


def test_a_long_sentence_is_narrowed_to_the_clauses_that_answer() -> None:
    text = "加强协同，提升水平，" * 8 + "森林覆盖率达到27.5%，" + "完善机制，强化保障，" * 8 + "推动发展。"
    said = say(understand("森林覆盖率是多少？"), evidence(paragraph(text)), longest=40)
    assert "森林覆盖率达到27.5%" in said
    assert len(said) <= 50
    assert said.removesuffix("[1]").rstrip("，。") in text


def test_the_label_of_an_item_stays_before_what_is_quoted_of_it() -> None:
    text = "3.生态工程：" + "完善机制，强化保障，" * 8 + "森林覆盖率达到27.5%，" + "推动发展，" * 10
    item = replace(paragraph(text), kind="item")
    said = say(understand("森林覆盖率是多少？"), evidence(item), longest=40)
    assert said.startswith("生态工程：")
    assert "27.5%" in said


def test_a_list_is_never_cut() -> None:
    text = "建设" + "、".join(f"第{sign}基地" for sign in "甲乙丙丁戊己庚辛壬癸") + "。"
    query = understand("有哪些基地？")
    assert query.want == "list"
    assert narrow(query, text, 20) == (0, len(text))


def test_a_figure_asked_for_is_never_narrowed_away() -> None:
    text = "森林覆盖率稳步提高，" * 5 + "达到27.5%，" + "森林覆盖率持续巩固，" * 5
    start, end = narrow(understand("森林覆盖率是多少？"), text, 30)
    assert "27.5%" in text[start:end]


def test_footnote_signs_of_the_source_are_no_marks_of_the_answer() -> None:
    """A source taken from an encyclopedia page holds [1] of its own: it must not point at another passage."""
    own = evidence(paragraph("森林覆盖率达到27.5%[1]，居全省前列[2]。", 4), 3, 9.0)
    first = evidence(paragraph("粮食产能96万吨。", 9), 1)
    said = say(understand("森林覆盖率是多少？"), own, first)
    text, citations = cite(said, [own.passage, first.passage])
    assert [(c.n, c.lines) for c in citations] == [(1, (4,))]
    assert citations[0].quote == own.text
    assert text.count("[1]") == 1
    assert text.endswith("[1]")


def test_a_second_sentence_as_likely_as_the_first_is_shown_too() -> None:
    """Nearer for a figure than for words: a second figure is a doubt, a second sentence a help."""
    best = evidence(paragraph("支持社会力量举办养老机构。", 4), 1, 5.0)
    near = evidence(paragraph("推动居家社区机构相协调。", 9), 2, 4.2)
    far = evidence(paragraph("建设博物馆新馆。", 12), 2, 3.9)
    question = understand("养老服务怎么办好？")
    assert say(question, best, near) == f"支持社会力量举办养老机构。[1]\n{render('perhaps')}推动居家社区机构相协调。[2]"
    assert say(question, best, far) == "支持社会力量举办养老机构。[1]"
    assert render("perhaps") not in say(understand("养老机构有多少家？"), best, near)


# --- yes or no, points, items

LAND = evidence(
    paragraph("到2030年，耕地面积不低于665万亩，基本农田数量不低于534万亩。", 3), 1, 3.0, (2030,), figure=1.0
)
INCOME = evidence(paragraph("城镇居民和农村居民人均可支配收入分别达到34024元和20640元。", 4), 1, 3.0, (), figure=1.0)
JOBLESS = evidence(paragraph("城镇调查失业率控制在5.5%左右。", 5), 1, 3.0, (), figure=1.0)


@pytest.mark.parametrize(
    ("question", "found", "begins"),
    [
        ("耕地是不是不低于665万亩？", LAND, "yes"),
        ("基本农田是不是不低于534万亩？", LAND, "yes"),
        ("基本农田是不是不低于665万亩？", LAND, "no"),
        ("耕地面积要到534万亩吗？", LAND, "no"),
        ("农村居民收入是不是34024元？", INCOME, None),  # which of the two figures is of whom, the names do not tell
        ("登记失业率是不是5.5%？", JOBLESS, None),  # another indicator is told
        ("耕地是不是没有665万亩？", LAND, None),
        ("耕地是不是要保住？", LAND, None),
    ],
)
def test_yes_and_no_only_where_it_is_plain_whose_the_figure_is(
    question: str, found: Evidence, begins: str | None
) -> None:
    said = say(understand(question), found)
    assert [name for name in ("yes", "no") if said.startswith(render(name))] == ([begins] if begins else [])
    assert found.text in said


def test_measures_are_told_one_a_line_each_with_its_mark() -> None:
    chunk = paragraph("推广测土配方施肥。开展统防统治。", 7)
    one, two = (replace(evidence(chunk, 1, 3.0), start=start, end=end) for start, end in ((0, 9), (9, 16)))
    asked = understand("怎么控制化肥农药用量？")
    told = "".join(Extractive(ALIGNER)(asked, Selection((two, one), (two,), points=((one, two),))))
    assert told == "· 推广测土配方施肥。[1]\n· 开展统防统治。[1]"
    alone = "".join(Extractive(ALIGNER)(asked, Selection((two, one), (two,), points=((two,),))))
    assert alone == "开展统防统治。[1]"  # one alone is a quotation as any other, without what may be meant instead


def test_a_part_that_asks_how_is_told_by_its_measures_below_the_figure() -> None:
    chunk = paragraph("推广测土配方施肥。开展统防统治。到2030年，施肥技术覆盖率达到90%。", 7)
    one, two, aim = (replace(evidence(chunk, 1), start=a, end=b) for a, b in ((0, 9), (9, 16), (16, len(chunk.text))))
    selection = Selection((aim, one, two), (aim, one), ("“投资多少钱”",), ((), (one, two)))
    told = "".join(Extractive(ALIGNER)(understand("施肥技术覆盖率达到多少，怎么提高？"), selection)).split("\n")
    assert told == [
        "到2030年，施肥技术覆盖率达到90%。[1]",
        "· 推广测土配方施肥。[1]",
        "· 开展统防统治。[1]",
        render("side_missing", asked="“投资多少钱”"),
    ]


@pytest.mark.parametrize(
    ("stretch", "joined"),
    [
        ("甲县发展棉花;", False),
        ("甲县发展棉花;乙县发展奶牛", False),
        ("发展棉花;乙县发展奶牛", True),  # reads as if the two were one
        ("甲县发展棉花;乙县", True),
        ("发展奶牛", False),
    ],
)
def test_a_stretch_holds_the_items_it_touches_whole(stretch: str, joined: bool) -> None:
    text = "甲县发展棉花;乙县发展奶牛"
    start = text.index(stretch)
    assert joins_items(text, start, start + len(stretch)) is joined


def test_the_rate_is_no_second_side_of_a_number_of_people() -> None:
    both = "2025年基本医疗保险参保人数达到80.7万人，参保率达到96.4%。"
    asked = understand("2025年基本医疗保险参保人数有多少人？")
    assert differing(asked, evidence(paragraph(both, 5), 1, 3.0, (2025,), figure=1.0), (TEXT, ROW)) is None
    rate = understand("2025年基本医疗保险参保率是多少？")
    assert differing(rate, evidence(paragraph(both, 5), 1, 3.0, (2025,), figure=1.0), (TEXT, ROW)) is ROW


def test_what_is_told_of_another_time_is_no_rival() -> None:
    asked = understand("“十四五”期间累计新增城镇就业多少人？")
    back = evidence(paragraph("累计新增城镇就业4.6万人。", 5), 1, 3.0, figure=1.0)
    ahead = evidence(paragraph("到2030年，新增城镇就业5万人以上。", 9), 2, 2.9, (2030,), figure=1.0)
    assert render("perhaps") in say(asked, back, ahead)
    another_time = replace(ahead, features={**ahead.features, "plan_for_past": 1.0})
    assert say(asked, back, another_time) == "累计新增城镇就业4.6万人。[1]"


def test_the_same_figure_told_again_is_no_rival() -> None:
    asked = understand("森林覆盖率目标是多少？")
    first = evidence(paragraph("到2030年，森林覆盖率达到27.5%。", 5), 1, 3.0, (2030,), figure=1.0)
    again = evidence(paragraph("森林覆盖率提高到27.5%。", 9), 2, 2.9, (2030,), figure=1.0)
    assert say(asked, first, again) == "到2030年，森林覆盖率达到27.5%。[1]"
    other = evidence(paragraph("森林覆盖率提高到29.5%。", 9), 2, 2.9, figure=1.0)
    assert render("perhaps") in say(asked, first, other)


REACHED = evidence(paragraph("2025年九年义务教育巩固率达到104%。", 7), 2)
AIMED = evidence(paragraph("到2030年，九年义务教育巩固率达到99.5%以上。", 9), 1)
CITY_CARE = evidence(paragraph("推进河西康养示范城项目建设。", 7), 1)
PARK_CARE = evidence(paragraph("农业园区康养示范城建设。", 9), 2)


@pytest.mark.parametrize(
    ("question", "best", "other", "both"),
    [
        ("义务教育巩固率早就104%了，为什么2030年才要99.5%？", AIMED, REACHED, True),
        ("义务教育巩固率为什么2030年才要99.5%？", AIMED, REACHED, False),  # one figure
        ("义务教育巩固率早就98%了，为什么2030年才要99.5%？", AIMED, REACHED, False),  # 98% stands nowhere
        ("康养示范城落在城东北还是农业园区？", CITY_CARE, PARK_CARE, False),  # the first stands nowhere in these words
        ("康养示范城是在进河西还是农业园区？", CITY_CARE, PARK_CARE, True),
    ],
)
def test_what_a_question_holds_against_each_other_is_shown_on_both_sides(
    question: str, best: Evidence, other: Evidence, both: bool
) -> None:
    assert (other_side(understand(question), best, (best, other)) is other) is both
    assert not both or render("retold") in say(understand(question), best, other)
