"""Marks -> citations: every mark that stays names words that stand in the source."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Cell, Chunk
from rag.cite import cite, claims_before
from tests.fakes import paragraph, passage, row

FOREST = paragraph("生态质量稳步提升。到2030年，森林覆盖率达到27.5%。加强湿地修复。", line=8, section=("第二章",))
ROAD = paragraph("高速公路通车里程达到418公里；建成两条国道。", line=47, start=5)
PASSAGES = [passage(FOREST, 3), passage(ROAD, 7)]


def test_marks_are_renumbered_in_order_of_appearance() -> None:
    text, citations = cite("里程达到418公里。[7]森林覆盖率达到27.5%。[3]", PASSAGES)
    assert text == "里程达到418公里。[1]森林覆盖率达到27.5%。[2]"
    assert [(c.n, c.doc, c.lines) for c in citations] == [(1, "plan", (47,)), (2, "plan", (8,))]


def test_the_quote_stands_in_its_line_at_its_offsets() -> None:
    _, (citation,) = cite("高速公路通车里程达到418公里[7]", PASSAGES)
    # the chunk begins at character 5 of its line
    assert citation.quote == "高速公路通车里程达到418公里；"
    assert (citation.start, citation.end) == (5, 5 + len(citation.quote))
    assert citation.section == ()


def test_verbatim_words_are_quoted_with_their_full_stop() -> None:
    _, (citation,) = cite("到2030年，森林覆盖率达到27.5%[3]", PASSAGES)
    assert citation.quote == "到2030年，森林覆盖率达到27.5%。"
    assert (citation.start, citation.section) == (9, ("第二章",))


def test_words_of_ones_own_rest_on_the_sentence_most_like_them() -> None:
    _, (citation,) = cite("2030年的森林覆盖率目标为27.5%[3]", PASSAGES)
    assert citation.quote == "到2030年，森林覆盖率达到27.5%。"


def test_a_label_before_quoted_words_does_not_hide_them() -> None:
    _, (citation,) = cite("最接近的内容是：加强湿地修复。[3]", PASSAGES)
    assert citation.quote == "加强湿地修复。"


def test_a_mark_that_names_no_passage_is_taken_out() -> None:
    assert cite("里程418公里[5]。[12]", PASSAGES) == ("里程418公里。", ())
    text, citations = cite("甲[5]高速公路通车里程达到418公里[7]", PASSAGES)
    assert text == "甲高速公路通车里程达到418公里[1]"
    assert len(citations) == 1


def test_the_same_words_cited_twice_are_one_citation() -> None:
    text, citations = cite("森林覆盖率达到27.5%。[3]\n森林覆盖率达到27.5%。[3]", PASSAGES)
    assert text.count("[1]") == 2
    assert len(citations) == 1


def test_two_places_of_one_passage_are_two_citations() -> None:
    _, citations = cite("森林覆盖率达到27.5%。[3]加强湿地修复。[3]", PASSAGES)
    assert [c.quote for c in citations] == ["森林覆盖率达到27.5%。", "加强湿地修复。"]


def test_text_without_marks_stays_as_it_is() -> None:
    assert cite("没有标记，〔2025〕12号", PASSAGES) == ("没有标记，〔2025〕12号", ())
    assert cite("", PASSAGES) == ("", ())


def test_a_row_quotes_the_cell_that_is_told_and_names_the_lines_of_all() -> None:
    chunk = row([("指标名称", "粮食产能"), ("单位", "万吨"), ("2025年", "91.5"), ("2030年", "96")], line=17)
    _, (citation,) = cite("粮食产能：2030年96万吨[1]", [passage(chunk)])
    assert (citation.quote, citation.lines) == ("96", (20, 17, 18, 19))
    _, (citation,) = cite("粮食产能：2025年91.5万吨[1]", [passage(chunk)])
    assert (citation.quote, citation.lines) == ("91.5", (19, 17, 18, 20))
    _, (citation,) = cite("这一项[1]", [passage(chunk)])
    assert citation.quote in ("粮食产能", "96")


def test_a_merged_cell_in_front_of_a_row_can_be_quoted() -> None:
    shared = Cell("2030年", "保持稳定", 4, 2)
    own = (Cell("指标名称", "产能", 7, 0), Cell("单位", "万吨", 8, 0))
    chunk = Chunk("x", "plan", "row", (4, 7, 8), 0, 5, "产能\n万吨", (), None, (*own, shared))
    _, (citation,) = cite("产能：2030年：保持稳定[1]", [passage(chunk)])
    assert (citation.quote, citation.lines[0], citation.start, citation.end) == ("保持稳定", 4, 2, 6)


def test_a_quote_stays_within_one_line() -> None:
    chunk = Chunk("x", "plan", "note", (3, 4), 2, 13, "注：甲口径。\n乙口径。", ())
    _, (first,) = cite("注：甲口径。\n乙口径。[1]", [passage(chunk)])
    assert "\n" not in first.quote
    _, (second,) = cite("另说明：乙口径。[1]", [passage(chunk)])
    assert (second.lines, second.quote, second.start) == ((4,), "乙口径。", 0)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("甲乙。丙丁", ["甲乙。丙丁", "丙丁"]),
        ("甲[1]乙[2]", ["乙"]),
        ("甲乙[1][2]", ["甲乙"]),
        ("前言\n标签：丙", ["标签：丙", "丙"]),
        ("", []),
    ],
)
def test_what_a_mark_may_stand_for(text: str, claims: list[str]) -> None:
    assert claims_before(text, len(text)) == claims


SAID = st.text(alphabet="森林覆盖率达到27.5%。418公里[]37，：\n ", max_size=60)


@given(SAID)
def test_marks_left_are_exactly_the_citations_and_quotes_stand(said: str) -> None:
    text, citations = cite(said, PASSAGES)
    assert [c.n for c in citations] == list(range(1, len(citations) + 1))
    marks = {int(n) for n in re.findall(r"\[(\d{1,3})\]", text)}
    assert {c.n for c in citations} <= marks
    for citation in citations:
        chunk = FOREST if citation.lines == (8,) else ROAD
        line = " " * chunk.start + chunk.text
        assert line[citation.start : citation.end] == citation.quote
