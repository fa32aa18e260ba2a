"""The page's drawing with hand-made answers and registers, the conversation with a scripted pipeline, and the command
line."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from index.conflicts import Conflict, Evidence
from index.targets import Fact, Register, Target
from index.types import Cell, Chunk, Document, Line
from rag.errors import EmptyQuestion
from rag.pipeline import SourceLine
from rag.types import Answer, Check, Citation, Passage, Turn

ROOT = Path(app.__file__).parent
TITLES = {"plan": "甲县规划", "report": "乙市报告"}
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> **粗** [链接](http://example.com) & \"引\" '号'"

CITATION = Citation(1, "plan", (256,), ("第一篇 总则", "农业〔拟题〕"), "粮食产量145万吨", 4, 13, page=7)
SOURCE = (SourceLine(number=256, text="到五年末粮食产量145万吨，稳定增长。", marked=((4, 13),), column=""),)


def passage(lines: tuple[int, ...], text: str, rank: int = 1, doc: str = "plan") -> Passage:
    return Passage(Chunk(f"{rank:016x}", doc, "paragraph", lines, 0, len(text), text, ("第二篇 民生",)), 1.0, rank)


ANSWER = Answer(
    question="粮食产量是多少？",
    text="粮食产量145万吨[1]。",
    status="answered",
    citations=(CITATION,),
    passages=(passage((256,), SOURCE[0].text), passage((300, 301, 305), "养老机构二十家。", 2)),
    checks=(Check("145", (1,), True),),
    confidence=0.9,
)


class Reader(HTMLParser):
    """What a browser would see: tags, attributes, and the text with <br> as a line break."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.text += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


@dataclass
class ScriptedPipeline:
    """Yields its script, raising what stands in it; records what it was asked and whether its stream was closed."""

    script: Sequence[Answer | Exception]
    documents: tuple[Document, ...] = (Document("plan", "甲县规划", "甲.txt", "0", (Line(256, SOURCE[0].text),)),)
    backend: str = "原文摘录"
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    closed: int = 0

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Answer]:
        self.asked.append((question, tuple(history)))
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed += 1

    def source(self, citation: Citation) -> tuple[SourceLine, ...]:
        return SOURCE


# A target read from a sentence, one read from a table row, and the figure that row gives for the year before.
SAID = "到2030年,播种面积达到65%,有效灌溉达到65%以上。"
PARAGRAPH = f"稳定生产。{SAID}其余从略。"
SOWN = Target(
    doc="plan", line=7, section=("第二篇 农业〔拟题〕", "第一节", "稳定生产"), subject="乙镇", indicator="有效灌溉",
    value="65", value_max=None, unit="%", comparator=">=", approx=False, year=2030, baseline_value=None,
    baseline_year=None, nature=None, basis="level", source="text", sentence=SAID, text_value="达到65%", chunk="text",
    start=5, end=5 + len(SAID),
)  # fmt: skip
TEXT = Chunk("text", "plan", "paragraph", (7,), 0, len(PARAGRAPH), PARAGRAPH, SOWN.section)
ROW = Chunk(
    "row", "plan", "row", (3, 5, 6), 0, 9, "产量 |\n80 |\n80", ("第一篇", "专栏1"), page=2,
    cells=(Cell("指标", "产量", 5, 0), Cell("2025年", "80", 6, 0), Cell("2030年", "80", 6, 5)),
)  # fmt: skip
GROWN = replace(
    SOWN, line=5, section=ROW.section, subject="", indicator="产量", value="80", unit="万吨", comparator="=",
    baseline_value="80", baseline_year=2025, nature="约束性", source="table", sentence=ROW.text, text_value="80",
    chunk="row", start=0, end=9,
)  # fmt: skip
ADDED = replace(GROWN, value="12", text_value="〔12〕", basis="cumulative")
REACHED = Fact(
    "plan", 5, ROW.section, "", "产量", "80", None, "万吨", "=", False, 2025, "level", "table", ROW.text, "80",
    "row", 0, 9,
)  # fmt: skip
TARGETS = (GROWN, ADDED, SOWN)


# Drawing


def test_a_mark_leads_to_its_card_and_other_brackets_stay_text() -> None:
    answer = replace(ANSWER, text="粮食145万吨[1]，见[2]。")
    page = Reader(app.render_answer(answer))
    assert page.values("href") == ["#" + Reader(app.render_sources(answer, [SOURCE], TITLES)).values("id")[0]]
    assert "粮食145万吨[1]，见[2]。" in page.text


def test_cards_of_different_questions_have_different_anchors() -> None:
    other = replace(ANSWER, question="粮食呢？")
    assert app.anchor(ANSWER, 1) != app.anchor(other, 1)
    assert app.anchor(ANSWER, 1) == app.anchor(replace(ANSWER, text="粮食"), 1)
    assert app.anchor(other, 1) != app.anchor(replace(other, completed="乙县粮食产量是多少？"), 1)


def test_checked_figures_are_counted_and_confidence_is_a_word_with_its_number() -> None:
    page = app.render_answer(ANSWER)
    assert "已核对 1 个数字" in page
    assert 'title="0.90（满分 1）">把握：高<' in page


def test_a_figure_that_failed_is_named_and_nothing_passes_for_checked() -> None:
    answer = replace(ANSWER, checks=(*ANSWER.checks, Check("9", (1,), False, "所引句中没有")))
    page = app.render_answer(answer)
    assert "1 个数字未能核对" in page
    assert "9：所引句中没有" in page
    assert "已核对" not in page


@pytest.mark.parametrize(("confidence", "word"), [(0.0, "低"), (0.33, "低"), (0.34, "中"), (0.67, "高"), (1.0, "高")])
def test_confidence_in_words(confidence: float, word: str) -> None:
    assert f"把握：{word}<" in app.render_answer(replace(ANSWER, confidence=confidence))


def test_a_growing_answer_carries_no_verdict() -> None:
    page = Reader(app.render_answer(replace(ANSWER, confidence=0.0), final=False))
    assert page.text == ANSWER.text
    assert "正在查阅原文" in app.render_answer(replace(ANSWER, text=""), final=False)


def test_what_a_follow_up_was_taken_for_stands_above_the_answer_and_the_note_below() -> None:
    page = Reader(app.render_answer(replace(ANSWER, completed="甲县粮食产量是多少？", note="另有一处数字不同。"))).text
    assert page.startswith("理解为：甲县粮食产量是多少？")
    assert page.index(ANSWER.text) < page.index("另有一处数字不同。")


def test_a_refusal_is_tagged_and_shows_the_nearest_passage_with_its_place() -> None:
    refused = replace(ANSWER, text="原文没有写明。", status="refused", citations=(), checks=(), confidence=0.1)
    page = app.render_answer(refused)
    assert ">未载明</span>" in page
    assert 'class="reply refused"' in page
    assert "把握：" not in Reader(page).text
    assert SOURCE[0].text in page
    assert "第256行" in page
    assert "本次回答没有引用原文。" in app.render_sources(refused, [], TITLES)


def test_a_refusal_that_cites_shows_its_citation_once() -> None:
    refused = replace(ANSWER, text="原文没有写明；最接近的是：粮食产量145万吨[1]。", status="refused")
    assert "原文中最接近的内容" not in app.render_answer(refused)
    assert 'class="cite"' in app.render_answer(refused)


@pytest.mark.parametrize(
    ("lines", "shown"),
    [((5,), "第5行"), ((63, 65, 66), "第63、65–66行"), ((9, 7, 8), "第7–9行"), ((4, 4), "第4行")],
)
def test_line_numbers(lines: tuple[int, ...], shown: str) -> None:
    assert app.line_numbers(lines) == shown


def test_a_card_names_document_section_line_and_page_and_marks_the_quoted_words() -> None:
    page = app.render_sources(ANSWER, [SOURCE], TITLES)
    text = Reader(page).text
    assert text.startswith("[1]甲县规划第一篇 总则 › 农业拟题第256行（第7页）")
    assert "〔拟题〕" not in page
    assert "到五年末<mark>粮食产量145万吨</mark>，稳定增长。" in page


def test_a_table_row_is_shown_as_column_and_cell() -> None:
    row = (SourceLine(70, "粮食产量", (), "指标"), SourceLine(71, "145", ((0, 3),), "2025年"))
    page = app.render_sources(ANSWER, [row], TITLES)
    assert "<tr><th>指标</th><td>粮食产量</td></tr><tr><th>2025年</th><td><mark>145</mark></td></tr>" in page


def test_other_passages_are_folded_away_and_hold_nothing_cited() -> None:
    page = app.render_sources(ANSWER, [SOURCE], TITLES)
    folded = page[page.index('<details class="others">') :]
    assert "其他检索结果（1）" in folded
    assert "养老机构二十家。" in folded
    assert "第300–301、305行" in folded
    assert "粮食" not in folded


def test_a_passage_of_another_document_on_the_same_line_is_not_taken_for_cited() -> None:
    answer = replace(ANSWER, passages=(passage((256,), "乙市的另一句。", doc="report"),))
    assert "乙市的另一句。" in app.render_sources(answer, [SOURCE], TITLES)


def test_as_many_sources_as_citations() -> None:
    with pytest.raises(ValueError, match="zip"):
        app.render_sources(ANSWER, [], TITLES)


@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        ([], "甲乙丙丁"),
        ([(1, 3)], "甲<mark>乙丙</mark>丁"),
        ([(2, 2)], "甲乙丙丁"),
        ([(2, 3), (0, 1)], "<mark>甲</mark>乙<mark>丙</mark>丁"),
        ([(0, 3), (1, 2)], "<mark>甲乙丙</mark>丁"),
        ([(0, 2), (1, 4)], "<mark>甲乙</mark><mark>丙丁</mark>"),
    ],
)
def test_marked_words(spans: list[tuple[int, int]], shown: str) -> None:
    assert app.render_marked("甲乙丙丁", spans) == shown


@pytest.mark.parametrize("span", [(3, 5), (-1, 2), (3, 2)])
def test_a_span_outside_the_text_is_an_error(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        app.render_marked("甲乙丙丁", [span])


def test_the_header_names_the_documents_and_folds_a_long_list() -> None:
    documents = [Document(str(n), f"第{n}号文件<b>", "x", "0", ()) for n in range(5)]
    assert Reader(app.render_header(documents[:1], "原文摘录")).text == f"第0号文件<b>{app.PROMISE}回答方式：原文摘录"
    many = app.render_header(documents, "原文摘录")
    assert "已收录 5 份文件" in many
    assert "<details>" in many


# The register of targets


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (SOWN, "≥65%"),
        (GROWN, "80万吨"),
        (replace(SOWN, comparator="~", approx=True), "65%左右"),
        (replace(SOWN, approx=True), "≥65%左右"),
        (replace(SOWN, comparator="<="), "≤65%"),
        (replace(SOWN, comparator="=", value_max="70"), "65–70%"),
        (replace(SOWN, value=None, unit="", text_value="控制在下达指标内"), "控制在下达指标内"),
    ],
)
def test_a_value_is_told_with_bound_range_and_unit(target: Target, shown: str) -> None:
    assert app.told_value(target) == shown


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (SOWN, ""),
        (GROWN, "80万吨（2025年）"),
        # 12万吨 in five years are not to be set against a level of 80万吨.
        (ADDED, "80（2025年）"),
        (replace(GROWN, unit="%"), "80（2025年）"),
        (replace(SOWN, sentence="由６０％提高到65%。", baseline_value="60"), "60%"),
        (replace(SOWN, sentence="由1,500元提高到2000元。", baseline_value="1500", unit="元"), "1500元"),
        (replace(SOWN, sentence="由9500万元提高到1.2亿元。", baseline_value="9500", unit="亿元"), "9500"),
    ],
)
def test_a_baseline_has_a_unit_only_where_it_is_the_targets_own(target: Target, shown: str) -> None:
    assert app.told_baseline(target, (REACHED,)) == shown


def test_a_row_of_the_table_has_a_cell_for_each_heading() -> None:
    row = dict(zip(app.COLUMNS, app.target_row(SOWN, ()), strict=True))
    assert (row["指标"], row["主体"], row["目标值"], row["年份"]) == ("有效灌溉", "乙镇", "≥65%", "2030")
    assert (row["基期值"], row["属性"], row["口径"], row["行"]) == ("", "", "水平", 7)
    assert row["章节"] == "第二篇 农业〔拟题〕 › … › 稳定生产"
    assert dict(zip(app.COLUMNS, app.target_row(ADDED, ()), strict=True))["口径"] == "累计"


def test_two_titles_are_shown_whole_and_one_once() -> None:
    assert app.target_row(GROWN, ())[7] == "第一篇 › 专栏1"
    assert app.target_row(replace(GROWN, section=("第一篇",)), ())[7] == "第一篇"
    assert app.target_row(replace(GROWN, section=()), ())[7] == ""


@pytest.mark.parametrize(
    ("words", "chosen", "found"),
    [
        ("", ("全部", "全部", "全部", "全部"), TARGETS),
        ("灌溉", ("全部", "全部", "全部", "全部"), (SOWN,)),
        ("乙镇 ２０３０", ("全部", "全部", "全部", "全部"), (SOWN,)),
        ("产量 乙镇", ("全部", "全部", "全部", "全部"), ()),
        ("", ("第一篇", "全部", "全部", "全部"), (GROWN, ADDED)),
        ("", ("全部", "约束性", "2030年", "万吨"), (GROWN, ADDED)),
        ("", ("全部", "未注明", "全部", "全部"), (SOWN,)),
        ("", ("全部", "约束性", "全部", "%"), ()),
    ],
)
def test_targets_are_found_by_words_and_filters(words: str, chosen: tuple[str, ...], found: tuple[Target, ...]) -> None:
    assert app.matching(TARGETS, words, chosen) == found


def test_as_many_choices_as_filters() -> None:
    with pytest.raises(ValueError, match="zip"):
        app.matching(TARGETS, "", ("全部",))


def test_filters_offer_what_there_is_in_the_order_of_the_text_and_years_in_theirs() -> None:
    bare = replace(SOWN, section=(), unit="", year=None)
    offered = app.choices([*TARGETS, replace(SOWN, year=2027), bare])
    assert offered["章节"] == ["全部", "第一篇", "第二篇 农业〔拟题〕", "不在章节内"]
    assert offered["属性"] == ["全部", "约束性", "未注明"]
    assert offered["年份"] == ["全部", "2027年", "2030年", "未注明"]
    assert offered["单位"] == ["全部", "万吨", "%", "无单位"]


def test_the_words_of_a_target_are_those_after_its_name() -> None:
    first, second = app.spans_of(SAID, "有效灌溉", ["达到65%"])
    assert (SAID[slice(*first)], SAID[slice(*second)]) == ("有效灌溉", "达到65%")
    assert second[0] == SAID.rindex("达到65%")
    assert app.spans_of(SAID, "灌溉率", ["达到65%"]) == [(SAID.index("达到65%"), SAID.index("达到65%") + 5)]
    assert app.spans_of("超65%的是灌溉", "灌溉", ["超65%"]) == [(6, 8), (0, 4)]


def test_words_that_are_not_in_the_sentence_are_an_error() -> None:
    with pytest.raises(ValueError, match="substring"):
        app.spans_of(SAID, "有效灌溉", ["达到66%"])


def test_a_target_is_shown_in_its_paragraph_with_place_and_words() -> None:
    card = app.render_target(SOWN, TEXT, PARAGRAPH, "甲县规划")
    sentence = "到2030年,播种面积达到65%,<mark>有效灌溉</mark><mark>达到65%</mark>以上。"
    assert f'稳定生产。<span class="sentence">{sentence}</span>其余从略。' in card
    assert Reader(card).text.startswith("乙镇有效灌溉≥65%甲县规划第二篇 农业拟题 › 第一节 › 稳定生产第7行")


def test_of_a_box_only_the_item_is_shown() -> None:
    line = f"1.别的项目。2.{PARAGRAPH}3.又一项。"
    start = line.index(PARAGRAPH)
    item = replace(TEXT, kind="item", start=start, end=start + len(PARAGRAPH))
    target = replace(SOWN, start=line.index(SAID), end=line.index(SAID) + len(SAID))
    card = app.render_target(target, item, line, "甲县规划")
    assert '<span class="sentence">到2030年' in card
    assert "别的项目" not in card
    assert "又一项" not in card


def test_of_a_row_the_cell_of_the_targets_year_is_marked() -> None:
    card = app.render_target(GROWN, ROW, "", "甲县规划")
    assert "<th>2025年</th><td>80</td>" in card
    assert "<th>2030年</th><td><mark>80</mark></td>" in card
    assert "第3、5–6行（第2页）" in card


def test_what_differs_is_shown_with_both_sides_and_called_to_be_checked() -> None:
    other = Evidence("plan", 7, SOWN.section, SAID, "达到65%以上", "text", SOWN.start, SOWN.end)
    row = Evidence("plan", 5, ROW.section, ROW.text, "产量", "row", 0, 9)
    conflict = Conflict("表文不一致", "产量", "待核对：产量两处数值不同。", (other, row, replace(row, said="80")))
    page = app.render_conflicts([conflict], {"text": TEXT, "row": ROW})
    text = Reader(page).text
    assert "共 1 处待核对" in text
    assert "表文不一致" in text
    assert "待核对：产量两处数值不同。" in text
    assert "有效灌溉<mark>达到65%以上</mark>。" in page
    assert "稳定生产。" not in text
    # Two sides that stand in one row: the row once, both marked.
    assert page.count('<table class="row">') == 1
    assert "<td><mark>产量</mark></td>" in page
    assert page.count("<mark>80</mark>") == 2
    assert "第7行" in text
    assert "第3、5–6行" in text
    assert "错误" not in text


def test_nothing_to_check_is_said_so() -> None:
    assert "没有发现需要核对的地方" in app.render_conflicts([], {})


def test_only_single_numbers_of_one_measure_are_drawn_beside_their_baselines() -> None:
    register = Register(
        (
            GROWN,
            ADDED,
            SOWN,
            replace(GROWN, value=None),
            replace(GROWN, value="12:48:40"),
            replace(GROWN, baseline_value="—"),
        ),
        (REACHED, replace(REACHED, value="—")),
        (),
    )
    assert app.changes(register) == [GROWN]


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([16, 95.81], (0, 100)),
        ([101, 4], (0, 200)),
        ([0.714, 1.379], (0, 2)),
        ([3.37], (0, 5)),
        ([10], (0, 10)),
        ([0, 0], (0, 1)),
        ([-3, 12], (-5, 20)),
        ([-3, -1], (-5, 0)),
    ],
)
def test_scales_begin_at_zero_and_end_at_a_round_number(values: list[float], ends: tuple[float, float]) -> None:
    assert app.scale_of(values) == pytest.approx(ends)


def test_percentages_share_a_scale_and_other_units_have_their_own() -> None:
    half = replace(SOWN, indicator="甲率", value="50", baseline_value="25", baseline_year=2025)
    low = replace(SOWN, indicator="乙率", value="5", baseline_value="0")
    page = app.render_changes([half, low, GROWN])
    places = [float(value.removesuffix("%")) for value in Reader(page).values("cx")]
    # Baseline and target of each on 2..98: 25 and 50 of 50, 0 and 5 of 50, 80 and 80 of 100.
    assert places == pytest.approx([50, 98, 2, 11.6, 78.8, 78.8])
    text = Reader(page).text
    assert text.index("百分比（同一刻度）") < text.index("甲率") < text.index("其他单位") < text.index("产量")
    assert "共 3 项" in text
    assert "≥50%（2030年）" in text
    assert "25%（2025年）" in text
    assert "第5行，刻度 0–100万吨" in text
    assert "甲率：基期值25%（2025年），目标值≥50%（2030年）" in "".join(Reader(page).values("aria-label"))


def test_labels_at_the_ends_stay_within_the_drawing() -> None:
    page = app.render_change(replace(SOWN, value="100", baseline_value="0"), (0, 100))
    assert Reader(page).values("text-anchor") == ["end", "start"]


def test_nothing_to_draw_is_said_so() -> None:
    assert "没有同时写明基期值和目标值" in app.render_changes([])


@pytest.mark.parametrize(
    ("shown", "every", "words"),
    [(116, 116, "共 116 项"), (9, 116, "共 9 项（全部 116 项）"), (0, 116, "请放宽筛选")],
)
def test_the_targets_shown_are_counted(shown: int, every: int, words: str) -> None:
    assert words in Reader(app.render_count(shown, every)).text


# Escaping


def draw_everything(words: str) -> str:
    """All that is drawn from an answer of which every part is `words`."""
    citation = replace(CITATION, section=(words, f"{words}〔拟题〕"))
    other = passage((300,), words, 2)
    other = replace(other, chunk=replace(other.chunk, section=(words,)))
    answer = replace(
        ANSWER,
        question=words,
        text=words,
        citations=(citation,),
        passages=(other,),
        checks=(Check(words, (1,), False, words),),
        completed=words,
        note=words,
    )
    refused = replace(answer, status="refused", citations=())
    sources = [(SourceLine(1, words, ((0, len(words)),) if words else (), ""),)]
    row = [(SourceLine(1, words, (), words or "列"),)]
    exchange = app.Exchange(words, app.render_answer(answer), app.render_sources(answer, sources, {"plan": words}))
    text = Chunk("0", "plan", "paragraph", (1,), 0, len(words), words, (words,))
    cells = Chunk("1", "plan", "row", (1,), 0, len(words), words, (words,), cells=(Cell(words, words, 1, 0),))
    target = replace(
        SOWN,
        section=(words,),
        subject=words,
        indicator=words,
        unit=words,
        sentence=words,
        text_value=words,
        start=0,
        end=len(words),
    )
    side = Evidence("plan", 1, (words,), words, words, "0", 0, len(words))
    conflict = Conflict("清单不一致", words, words, (side, replace(side, chunk="1")))
    return "".join(
        [
            app.render_panel((exchange,)),
            app.render_answer(refused),
            app.render_sources(answer, row, {"plan": words}),
            app.render_failure(words),
            app.render_header([Document("plan", words, "x", "0", ())], words),
            app.render_target(target, text, words, words),
            app.render_target(target, cells, words, words),
            app.render_conflicts([conflict], {"0": text, "1": cells}),
            app.render_changes([replace(target, baseline_value="1")]),
            app.render_untargeted(words),
            *(message["content"] for message in app.messages((exchange,))),
        ]
    )


OWN_TAGS = {"a", "article", "br", "details", "div", "h1", "h2", "header", "li", "mark", "ol", "p", "section", "span"}
OWN_TAGS |= {"summary", "table", "td", "th", "tr", "h3", "figure", "figcaption", "svg", "line", "circle", "text"}
OWN_ATTRIBUTES = {"class", "href", "id", "title", "role", "aria-label", "width", "height", "x", "y", "text-anchor"}
OWN_ATTRIBUTES |= {"x1", "x2", "y1", "y2", "cx", "cy", "r"}


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("<>&\"'[]()*`$\n\r\u2028{}"), max_size=40))
def test_no_word_of_users_or_documents_becomes_markup(words: str) -> None:
    page = Reader(draw_everything(words))
    assert page.tags <= OWN_TAGS
    assert {name for name, _ in page.attributes} <= OWN_ATTRIBUTES
    assert all(value.startswith("#source-") for value in page.values("href"))


def test_hostile_words_are_shown_as_they_are() -> None:
    page = draw_everything(HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    # panel: question, section twice, paragraph, other section, other text; and so on through every part drawn.
    assert Reader(page).text.count(HOSTILE) > 15


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("\n\r\v\f\x1c\x85\u2028\u2029 *_#")))
def test_a_message_is_one_line_so_that_the_chat_reads_no_markdown_in_it(words: str) -> None:
    exchange = app.Exchange(words, app.render_answer(replace(ANSWER, text=words)))
    for message in app.messages((exchange,)):
        assert len(message["content"].splitlines()) == 1
        assert message["content"].startswith("<div ")


def test_line_breaks_are_kept() -> None:
    assert Reader(app.escape("一\n\n二\r\n三")).text == "一\n\n二\n三"


# Conversation


def test_the_conversation_grows_and_ends_with_the_whole_answer() -> None:
    growing = [replace(ANSWER, text="", citations=(), checks=()), replace(ANSWER, text="粮食产量", checks=()), ANSWER]
    pipeline = ScriptedPipeline(growing)
    steps = list(app.converse(pipeline, ANSWER.question, ()))
    assert [step[-1].running for step in steps] == [True, True, True, True, False]
    last = steps[-1][-1]
    assert last.reply == app.render_answer(ANSWER)
    assert last.sources == app.render_sources(ANSWER, [SOURCE], {"plan": "甲县规划"})
    assert last.turn == Turn(ANSWER.question, ANSWER.text)
    assert pipeline.closed == 1


def test_later_questions_come_with_the_turns_before_them_but_not_with_failures() -> None:
    pipeline = ScriptedPipeline([ANSWER])
    failed = app.Exchange("？", app.render_failure("没有问题。"))
    *_, first = app.converse(pipeline, "粮食产量是多少？", (failed,))
    list(app.converse(pipeline, "那明年呢？", first))
    assert pipeline.asked == [
        ("粮食产量是多少？", ()),
        ("那明年呢？", (Turn("粮食产量是多少？", ANSWER.text),)),
    ]


def test_an_error_meant_for_the_user_is_the_answer() -> None:
    message = "问题是空的：请输入要查的内容。"
    *_, last = app.converse(ScriptedPipeline([EmptyQuestion(message)]), "", ())
    assert Reader(last[-1].reply).text == message
    assert last[-1].turn is None
    assert not last[-1].running
    assert Reader(app.messages(last)[0]["content"]).text == "（没有输入问题）"


def test_a_defect_is_logged_with_its_traceback_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    growing = replace(ANSWER, text="粮食")
    with caplog.at_level(logging.ERROR):
        *_, last = app.converse(ScriptedPipeline([growing, RuntimeError("broken wire")]), "粮食？", ())
    assert Reader(last[-1].reply).text.startswith("内部错误")
    assert "请查看终端日志" in last[-1].reply
    assert "RuntimeError: broken wire" in caplog.text
    assert last[-1].turn is None


def test_closing_the_conversation_closes_the_stream() -> None:
    pipeline = ScriptedPipeline([replace(ANSWER, text="粮食"), ANSWER])
    conversation = app.converse(pipeline, "粮食？", ())
    next(conversation)
    next(conversation)
    assert pipeline.closed == 0
    conversation.close()
    assert pipeline.closed == 1


def test_stopping_marks_what_was_cut_short_and_leaves_whole_answers_alone() -> None:
    cut = (app.Exchange("粮食？", app.render_answer(ANSWER, final=False), running=True),)
    stopped = app.stop(cut)
    assert "已停止" in stopped[-1].reply
    assert not stopped[-1].running
    assert app.stop(stopped) == stopped
    assert app.stop(()) == ()


def test_the_panel_holds_the_sources_of_every_answer_that_has_some() -> None:
    assert app.EMPTY_PANEL in app.render_panel((app.Exchange("？", "没有问题。"),))
    two = tuple(app.Exchange(words, "答", f"<p>{words}</p>") for words in ("一问", "二问"))
    assert app.render_panel(two).count('<section class="turn">') == 2
    assert app.EMPTY_PANEL not in app.render_panel(two)


# Command line


def test_a_busy_port_is_named_before_the_index_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert app.main(["--port", str(port), "--index", str(tmp_path / "no-index")]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"端口 {port} 已被" in message
    assert "--port" in message


@pytest.mark.parametrize("port", ["0", "65536", "abc", "-1", "７８６０"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main([f"--port={port}"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"“{port}”" in message


def test_a_host_of_another_machine(capsys: pytest.CaptureFixture[str]) -> None:
    # 192.0.2.0/24 is set aside for documentation (RFC 5737): no machine has such an address.
    assert app.main(["--host", "192.0.2.1", "--port", "7861"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "“192.0.2.1”" in message


def test_an_unknown_answerer_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--llm", "no-such-answerer"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "no-such-answerer" in message


def test_help_needs_none_of_the_heavy_libraries() -> None:
    blocked = ["torch", "transformers", "sentence_transformers", "faiss", "gradio", "jieba", "pandas", "openpyxl"]
    script = (
        "import runpy, sys\n"
        f"sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "sys.argv = ['app.py', '--help']\n"
        "runpy.run_path('app.py', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for option in ("--host", "--port", "--index", "--llm"):
        assert option in done.stdout
