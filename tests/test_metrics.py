"""Metrics: expected values are derived by hand, in comments where they are not plain."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from eval.dataset import Question, Slots
from eval.metrics import (
    FAILURES,
    Cited,
    Place,
    Response,
    Scored,
    citation_precision,
    citation_recall,
    claims,
    completed_at,
    evidence_precision,
    evidence_recall,
    failure,
    is_right,
    key_point_recall,
    ndcg,
    ratios,
    recall_at,
    recall_within,
    reciprocal_rank,
    scores,
    slot_faults,
    statements,
    supports,
    target_exact,
    wrong_number,
)

SLOTS = Slots("粮食产能", "145", "万吨", "2025", ">=", "level")
QUESTION = Question(
    id="q-1a",
    family="q-1",
    wording="official",
    type="target",
    question="到2025年粮食产能达到多少？",
    history=(),
    gold_lines=(frozenset({5}),),
    alt_gold_lines=(frozenset({9}),),
    must_include=(("145",),),
    must_not_include=("134.8",),
    answer="到2025年粮食产能达到145万吨以上。",
    slots=SLOTS,
)
TWO = replace(QUESTION, gold_lines=(frozenset({5}), frozenset({7})), alt_gold_lines=())
UNANSWERABLE = replace(
    QUESTION, type="unanswerable", gold_lines=(), alt_gold_lines=(), must_include=(), must_not_include=(), slots=None
)
QUOTE = "到2025年,粮食产能达到145万吨以上。"
CITED = Cited(1, frozenset({5}), QUOTE, f"稳定粮食生产。{QUOTE}")
REFUSED = Response("规划没有说明。", "refused", (), ())
CRASHED = Response("", "error", (), ())
EMPTY = Response(" ", "answered", (), ())


def places(*lines: int, characters: int = 100) -> tuple[Place, ...]:
    return tuple(Place(frozenset({line}), characters) for line in lines)


def said(text: str, *citations: Cited, retrieved: tuple[Place, ...] = ()) -> Response:
    return Response(text, "answered", citations or (CITED,), retrieved or places(5))


RIGHT = said(f"{QUOTE}[1]")


# --- right or wrong


@pytest.mark.parametrize(
    ("question", "response", "right"),
    [
        (QUESTION, RIGHT, True),
        (QUESTION, said("达到1145万吨。[1]"), False),
        (QUESTION, said("由134.8万吨达到145万吨。[1]"), False),
        (QUESTION, REFUSED, False),
        (QUESTION, CRASHED, False),
        (QUESTION, EMPTY, False),
        (UNANSWERABLE, REFUSED, True),
        (UNANSWERABLE, RIGHT, False),
        (UNANSWERABLE, CRASHED, False),
        (UNANSWERABLE, Response("", "refused", (), ()), False),  # a refusal that says nothing is an empty answer
    ],
)
def test_verdict(question: Question, response: Response, right: bool) -> None:
    assert is_right(question, response) is right


def test_key_points_of_a_refusal_are_none_said() -> None:
    half = replace(QUESTION, must_include=(("145",), ("2030",)))
    assert key_point_recall(half, RIGHT) == 0.5
    assert key_point_recall(half, Response("145", "refused", (), ())) == 0
    assert key_point_recall(half, CRASHED) == 0
    assert key_point_recall(UNANSWERABLE, REFUSED) is None


@pytest.mark.parametrize(
    ("question", "response", "kind"),
    [
        (QUESTION, RIGHT, None),
        (QUESTION, CRASHED, "error"),
        (QUESTION, EMPTY, "error"),
        (UNANSWERABLE, RIGHT, "missed refusal"),
        (QUESTION, REFUSED, "over-refusal"),
        (QUESTION, said("增长5%。[1]", replace(CITED, lines=frozenset({1})), retrieved=places(1, 2)), "retrieval miss"),
        (replace(QUESTION, must_include=(("145",), ("99",))), RIGHT, "partial"),
        (QUESTION, said("达到134.8万吨。[1]"), "wrong figure"),
        (QUESTION, said("达到15万吨。[1]"), "wrong figure"),
        (QUESTION, said("推进农业。[1]", replace(CITED, lines=frozenset({1}))), "wrong sentence"),
    ],
)
def test_kind_of_failure(question: Question, response: Response, kind: str | None) -> None:
    assert failure(question, response) == kind
    assert kind is None or kind in FAILURES


# --- retrieval


def test_evidence_is_whole_at_the_rank_of_its_last_group() -> None:
    assert completed_at(TWO, places(5, 1, 7)) == 3
    assert completed_at(TWO, places(5, 1)) is None
    assert completed_at(QUESTION, places(1, 9)) == 2  # the alternative line
    assert [recall_at(TWO, places(5, 1, 7), k) for k in (1, 2, 3)] == [0, 0, 1]
    assert reciprocal_rank(TWO, places(5, 1, 7)) == pytest.approx(1 / 3)
    assert reciprocal_rank(QUESTION, places(*range(20, 30), 5)) == 0  # rank 11


def test_ndcg() -> None:
    assert ndcg(QUESTION, places(5, 5)) == 1  # the group gains once
    assert ndcg(QUESTION, places(1, 5)) == pytest.approx(1 / math.log2(3))
    assert ndcg(QUESTION, places(1, 9)) == pytest.approx(1 / math.log2(3))
    # groups at ranks 1 and 3: (1 + 1/2) / (1 + 1/log2 3)
    assert ndcg(TWO, places(5, 1, 7)) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))
    assert ndcg(TWO, (Place(frozenset({5, 7}), 1),)) == 1  # both at once: 2 over the ideal, cut to 1
    assert ndcg(QUESTION, places(1)) == 0


def test_recall_within_counts_passages_that_fit_whole() -> None:
    found = (*places(1, characters=600), *places(5, characters=400), *places(7, characters=1))
    assert recall_within(QUESTION, found, 1000) == 1
    assert recall_within(QUESTION, found, 999) == 0
    assert recall_within(TWO, found, 1000) == 0
    assert recall_within(QUESTION, (), 1000) == 0


# --- figures


def test_claims_know_their_name_and_year() -> None:
    first, second, third = claims("粮食产能：2020年134.8万吨，2025年145万吨[1]\n棉花产量23万吨左右。[2]")
    assert (first.figure.text, first.year, second.figure.text, second.year) == ("134.8万吨", 2020, "145万吨", 2025)
    assert first.name == second.name == "粮食产能"
    assert (third.name, third.year, third.figure.approx) == ("棉花产量", None, True)
    assert [claim.year for claim in claims("比2020年增长5%。")] == [None]  # a baseline is not its year


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("到2025年,粮食产能达到145万吨以上。[1]", ()),
        ("粮食产能达到145万吨以上。", ()),  # the year of the question need not be said again
        ("到2025年,粮食产能达到１４５万吨以上。", ()),
        ("到2025年,粮食产能达到1450000吨以上。", ()),
        ("到2025年,粮食产能不低于145.0万吨。", ()),
        ("到2025年,粮食产能达到一百四十五万吨以上。", ()),
        ("到2025年,粮食产能达到145万亩以上。", ("value",)),
        ("到2025年,粮食产能达到1145万吨以上。", ("value",)),
        ("到2030年,粮食产能达到145万吨以上。", ("year",)),
        ("到2025年,粮食产能达到145万吨。", ("comparator",)),
        ("到2025年,粮食产能控制在145万吨以内。", ("comparator",)),
        ("到2025年,粮食产能年均增加145万吨以上。", ("basis",)),
        ("粮食产能达到145万吨以上,粮食产能达到150万吨以上。", ("conflict",)),
        ("粮食产能达到145万吨以上、150万吨以上。", ("conflict",)),
        ("粮食产能2020年134.8万吨，2025年不低于145万吨。", ()),  # another year is no conflict
        ("粮食产能达到145万吨以上,棉花产量稳定在23万吨左右。", ()),  # nor another thing
        ("没有数字。", ("value",)),
    ],
)
def test_target_exact(text: str, faults: tuple[str, ...]) -> None:
    assert slot_faults(QUESTION, SLOTS, text) == faults
    assert target_exact(QUESTION, said(text)) == float(not faults)


def test_percent_is_not_percentage_points() -> None:
    slots = Slots("覆盖率", "5", "%", "2025", "=", "level")
    assert slot_faults(QUESTION, slots, "2025年覆盖率5%。") == ()
    assert slot_faults(QUESTION, slots, "2025年覆盖率5个百分点。") == ("value",)


def test_basis_and_direction_of_a_change() -> None:
    slots = Slots("单位产值能耗", "5", "%", "2025", "=", "growth")
    falling = replace(QUESTION, answer="到2025年单位产值能耗下降5%。")
    assert slot_faults(falling, slots, "到2025年,单位产值能耗下降5%。") == ()
    assert slot_faults(falling, slots, "到2025年,单位产值能耗增长5%。") == ("direction",)
    assert slot_faults(falling, slots, "到2025年,单位产值能耗为5%。") == ("basis", "direction")
    yearly = Slots("研发经费投入增速", "10", "%", "2021-2025", "=", "annual_average")
    assert slot_faults(QUESTION, yearly, "研发经费投入年均增长10%。") == ()
    assert slot_faults(QUESTION, yearly, "到2025年,研发经费投入年均增长10%。") == ()
    assert slot_faults(QUESTION, yearly, "研发经费投入增长10%。") == ("basis",)


def test_several_figures_are_all_wanted() -> None:
    both = Slots("文明乡镇占比;文明村占比", "90;95", "%", "2025", "=", "level")
    assert slot_faults(QUESTION, both, "到2025年,文明乡镇、村分别达到90%和95%。") == ()
    assert slot_faults(QUESTION, both, "到2025年,文明乡镇达到90%。") == ("value",)


def test_wrong_numbers_are_counted_apart_from_silence() -> None:
    assert wrong_number(QUESTION, RIGHT) == 0
    assert wrong_number(QUESTION, said("到2025年,粮食产能达到145万吨。")) == 0  # inexact, but no wrong number
    assert wrong_number(QUESTION, said("到2025年,粮食产能达到150万吨以上。")) == 1
    assert wrong_number(QUESTION, said("推进农业发展。")) == 0
    assert wrong_number(QUESTION, REFUSED) == wrong_number(QUESTION, CRASHED) == 0
    assert wrong_number(UNANSWERABLE, RIGHT) is None
    assert target_exact(QUESTION, REFUSED) == target_exact(QUESTION, CRASHED) == 0
    assert target_exact(UNANSWERABLE, RIGHT) is None


# --- citations


def test_statements_take_the_marks_behind_them() -> None:
    found = statements("以下几项：\n产能145万吨。增长5%。[1][2]\n耕地670万亩[3]\n没有引用。")
    assert [(one.text, one.marks) for one in found] == [
        ("产能145万吨。", (1, 2)),
        ("增长5%。", (1, 2)),
        ("耕地670万亩", (3,)),
        ("没有引用。", ()),
    ]
    assert [one.text for one in statements("共3项：\n甲乙丙[1]")] == ["共3项：", "甲乙丙"]  # a figure is a claim


def test_support_is_exact_about_figures() -> None:
    assert supports(QUOTE, "粮食产能达到145万吨以上")
    assert supports(QUOTE, "粮食产能达到1450000吨以上")
    assert not supports(QUOTE, "粮食产能达到146万吨以上")
    assert not supports(QUOTE, "粮食产能达到145亿吨以上")
    assert not supports(QUOTE, "2030年粮食产能达到145万吨以上")
    assert not supports(QUOTE, "棉花种植面积稳定")


def test_citation_recall_and_precision() -> None:
    other = Cited(2, frozenset({8}), "推进林果业发展。", "推进林果业发展。")

    def both(text: str, *citations: Cited) -> tuple[float | None, float | None]:
        response = Response(text, "answered", citations, ())
        return citation_recall(response, sentence), citation_precision(response, sentence)

    def sentence(cited: Cited) -> str:
        return cited.sentence

    assert both(f"{QUOTE}[1]", CITED) == (1, 1)
    assert both(f"{QUOTE}[1][2]", CITED, other) == (1, 0.5)  # [2] neither supports nor is needed
    assert both(f"{QUOTE}[1][1]", CITED) == (1, 0.5)  # given twice
    assert both(f"{QUOTE}[1][7]", CITED) == (1, 0.5)  # names nothing
    assert both(f"{QUOTE}[7]", CITED) == (0, 0)
    assert both(QUOTE, CITED) == (0, 0)
    assert both(f"{QUOTE}[1]\n增长8%。[2]", CITED, other) == (0.5, 0.5)
    # two sources that support only together are both needed
    halves = (replace(CITED, sentence="粮食产能达到145万吨。"), replace(other, sentence="棉花产量达到23万吨。"))
    assert both("粮食产能达到145万吨,棉花产量达到23万吨。[1][2]", *halves) == (1, 1)
    assert citation_recall(REFUSED, sentence) is citation_precision(REFUSED, sentence) is None
    assert citation_recall(CRASHED, sentence) == citation_precision(CRASHED, sentence) == 0


def test_a_paragraph_supports_what_its_quoted_sentence_does_not() -> None:
    response = said("稳定粮食生产。[1]")
    values = scores(QUESTION, response)
    assert values["citation_recall_sentence"] == 0
    assert values["citation_recall_paragraph"] == 1


def test_citations_of_the_evidence() -> None:
    stray = Cited(2, frozenset({1}), "", "")
    assert evidence_recall(TWO, said("甲[1]", CITED, stray)) == 0.5
    assert evidence_precision(TWO, said("甲[1]", CITED, stray)) == 0.5
    assert evidence_recall(QUESTION, said("甲[1]", replace(CITED, lines=frozenset({9})))) == 1
    assert evidence_precision(QUESTION, CRASHED) == evidence_recall(QUESTION, CRASHED) == 0
    assert evidence_recall(QUESTION, REFUSED) is None
    assert evidence_precision(UNANSWERABLE, RIGHT) is None


# --- a run


def scored(question: Question, response: Response, rank: int | None = None, **changes: str) -> Scored:
    question = replace(question, **changes)
    return Scored(question, response.refused, scores(question, response), rank)


def test_scores_that_do_not_apply_are_none() -> None:
    assert {n for n, value in scores(UNANSWERABLE, REFUSED).items() if value is not None} == {"accuracy", "refusal"}
    assert scores(UNANSWERABLE, RIGHT)["refusal"] == scores(QUESTION, REFUSED)["refusal"] == 0
    assert scores(UNANSWERABLE, CRASHED)["refusal"] == scores(QUESTION, CRASHED)["refusal"] == 0
    assert scores(QUESTION, CRASHED)["recall@10"] == 0


def test_figures_of_refusing() -> None:
    # To refuse: u1 (refused), u2 (answered); to answer: q1 (refused), q2, q3 (answered).
    run = [
        scored(UNANSWERABLE, REFUSED, family="u1"),
        scored(UNANSWERABLE, RIGHT, family="u2"),
        scored(QUESTION, REFUSED, family="q1"),
        scored(QUESTION, RIGHT, family="q2"),
        scored(QUESTION, RIGHT, family="q3"),
    ]
    found = ratios(run)
    assert found["refusal_precision"].value == 1 / 2
    assert found["refusal_recall"].value == 1 / 2
    assert found["refusal_f1"].value == 1 / 2
    assert (found["over_refusal"].value, found["over_refusal"].n) == (1 / 3, 3)
    assert (found["accuracy"].value, found["accuracy"].n) == (3 / 5, 5)
    assert (found["key_point_recall"].value, found["key_point_recall"].n) == (2 / 3, 3)


def test_figures_of_families() -> None:
    run = [
        scored(QUESTION, RIGHT, 1, id="a1", family="a"),
        scored(QUESTION, RIGHT, 4, id="a2", family="a"),
        scored(QUESTION, RIGHT, 2, id="b1", family="b"),
        scored(QUESTION, REFUSED, None, id="b2", family="b"),
        scored(QUESTION, RIGHT, 1, id="c1", family="c"),  # a family of one says nothing
    ]
    found = ratios(run)
    assert (found["consistency"].value, found["consistency"].n) == (1 / 2, 2)
    assert found["rank_spread"].value == ((4 - 1) + (11 - 2)) / 2
    assert ratios(run[-1:])["consistency"].value is None
