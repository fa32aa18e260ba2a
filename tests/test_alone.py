"""A figure told alone: the clause that is asked for and no other, and the whole sentence where that is not plain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.alone import told_alone
from rag.cite import cite
from rag.generate.extractive import Extractive
from rag.types import Selection
from rag.understand import understand
from tests.fakes import evidence, paragraph

SCHOOLS = "到2030年，学前教育毛入园率达到97%以上，义务教育巩固率达到99%，高中阶段教育毛入学率达到96%以上。"


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("2030年高中阶段教育毛入学率是多少？", "到2030年，……高中阶段教育毛入学率达到96%以上"),
        ("学前教育毛入园率要达到多少？", "到2030年，学前教育毛入园率达到97%以上"),
        ("义务教育巩固率2030年多少", "到2030年，……义务教育巩固率达到99%"),
        ("教育毛入率是多少？", ""),  # of which?
        ("学前教育毛入园率和义务教育巩固率是多少？", ""),  # two are asked for
        ("学前教育毛入园率多少？高中阶段教育毛入学率多少？", ""),
        ("高中阶段教育毛入学率比义务教育巩固率低多少？", ""),  # both are compared
        ("高中阶段教育毛入学率年均提高、增长多少？", ""),  # how much it grows is not told
        ("怎样提高高中阶段教育毛入学率？", ""),  # no figure is asked for
        ("小学食堂有多少？", ""),
    ],
)
def test_the_clause_asked_for_is_told_behind_its_time(question: str, alone: str) -> None:
    assert told_alone(understand(question), SCHOOLS) == alone


@pytest.mark.parametrize(
    ("question", "text"),
    [
        # It leans on the clause before.
        ("2030年全株玉米种植面积是多少？", "到2030年，饲草料种植面积达到60万亩，其中全株玉米种植面积达到45万亩。"),
        # What is asked of stands in two clauses.
        ("北部三县道路清扫率是多少？", "到2030年，南部四县道路机械清扫率达到80%，北部三县的清扫率达到70%。"),
        # When that is to be is told elsewhere.
        ("牛奶产量要达到多少？", "到2030年肉类产量达到5万吨，牛奶产量达到70万吨。"),
        # A clause with two figures, and one that says nothing of what becomes of it.
        ("新增高速公路里程多少？", "到2030年，新增高速公路里程130公里、铁路里程200公里，道路完好率达到95%。"),
        ("专业技术人才有多少？", "到2030年，专业技术人才2万人，企业数量达到300家。"),
        # One figure only.
        ("粮食产量要达到多少？", "到2030年，粮食产量达到100万吨，稳定粮食种植面积。"),
    ],
)
def test_what_would_be_told_amiss_is_told_whole(question: str, text: str) -> None:
    assert told_alone(understand(question), text) == ""


def test_an_answer_with_a_gap_cites_the_words_from_its_time_to_its_figure() -> None:
    whole = evidence(paragraph(f"推进教育公平。{SCHOOLS}改善办学条件。", 12))
    found = replace(whole, start=len("推进教育公平。"), end=len(f"推进教育公平。{SCHOOLS}"))
    told = "".join(Extractive()(understand("2030年高中阶段教育毛入学率是多少？"), Selection((found,), (found,))))
    text, (citation,) = cite(told, [found.passage])
    assert citation.quote == SCHOOLS
    assert text == "到2030年，……高中阶段教育毛入学率达到96%以上[1]"


def test_pieces_that_no_sentence_holds_in_their_order_are_not_bound_together() -> None:
    passage = evidence(paragraph("高中入学率达到96%，到2030年。学前教育入园率达到97%。", 3)).passage
    _, (citation,) = cite("到2030年，……高中入学率达到96%[1]", [passage])
    assert citation.quote == "高中入学率达到96%，到2030年。"
