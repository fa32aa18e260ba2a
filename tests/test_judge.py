"""Evidence -> verdict: what is objected to, and when a question is answered."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rag.align import Aligner, load_aligner
from rag.judge import CERTAIN, FEATURES, Boosted, Judge, Split, features_of, passage_text, unfounded
from rag.types import Evidence, Query
from rag.understand import understand
from tests.fakes import evidence, paragraph, row

EVEN = Boosted(0.0, ())  # log-odds 0: probability 0.5
SURE = Boosted(2.0, ())
ALIGNER: Aligner = load_aligner()
NO_INTENT = np.zeros(ALIGNER.vectors.shape[1], dtype=np.float32)


def judge(query: Query, *found: Evidence, model: Boosted = EVEN, threshold: float = 0.5) -> tuple[float, bool, str]:
    verdict = Judge(model, SURE, NO_INTENT, ALIGNER, threshold)(query, found)
    return verdict.answerable, verdict.answered, verdict.objection


def covering(text: str, **features: float) -> Evidence:
    one = evidence(paragraph(text))
    return replace(one, features={**one.features, "characters": 0.8, "bigrams": 0.5, **features})


FOREST = covering("到2030年，森林覆盖率达到27.5%。")
ASKED = understand("2030年森林覆盖率是多少？")


def test_the_estimate_is_the_logistic_of_bias_and_leaves_and_decides_by_the_threshold() -> None:
    # one tree: no figure found (feature 0) goes low, +2; a missing figure goes high, -2
    tree = (Split("no_figure", 0.5, 1, 2, 0.0), Split("", 0.0, 0, 0, 2.0), Split("", 0.0, 0, 0, -2.0))
    model = Boosted(1.0, (tree,))
    assert judge(ASKED, FOREST, model=model)[0] == pytest.approx(1 / (1 + math.exp(-3)), abs=1e-4)
    without = covering("森林覆盖率稳步提高。", no_figure=1.0)
    answerable, answered, _ = judge(ASKED, without, model=model)
    assert answerable == pytest.approx(1 / (1 + math.e), abs=1e-4)
    assert not answered
    assert judge(ASKED, FOREST)[1]
    assert not judge(ASKED, FOREST, threshold=0.51)[1]


def test_no_evidence_or_none_that_shares_a_word_is_nothing() -> None:
    always = Boosted(20.0, ())
    assert judge(ASKED, model=always) == (0.0, False, "nothing")
    assert judge(ASKED, evidence(paragraph("建设新馆。")), model=always) == (0.0, False, "nothing")


def test_features_are_those_named_but_for_the_intent() -> None:
    assert features_of(ASKED, [FOREST], ALIGNER).keys() == set(FEATURES) - {"intent"}


def test_the_confidence_of_an_answer_is_that_its_evidence_is_right_of_a_refusal_that_nothing_answers() -> None:
    given = Judge(EVEN, SURE, NO_INTENT, ALIGNER, 0.5)(ASKED, [FOREST])
    assert (given.answered, given.confidence) == (True, pytest.approx(1 / (1 + math.exp(-2)), abs=1e-4))
    refused = Judge(Boosted(-1.0, ()), SURE, NO_INTENT, ALIGNER, 0.5)(ASKED, [FOREST])
    assert (refused.answered, refused.confidence) == (False, pytest.approx(1 / (1 + math.exp(-1)), abs=1e-4))
    ruled = Judge(SURE, SURE, NO_INTENT, ALIGNER, 0.5)(understand("覆盖率从20%提到27.5%靠什么"), [FOREST])
    assert (ruled.answered, ruled.confidence) == (False, CERTAIN)


def test_the_intent_is_what_the_words_of_the_question_weigh() -> None:
    apply = understand("低保怎么申请要带什么材料")
    intent = ALIGNER.mean(apply.text)
    model = Boosted(0.0, ((Split("intent", 0.9, 1, 2, 0.0), Split("", 0, 0, 0, 2.0), Split("", 0, 0, 0, -2.0)),))
    verdicts = [Judge(model, SURE, intent, ALIGNER, 0.5)(one, [FOREST]) for one in (apply, ASKED)]
    assert [one.answered for one in verdicts] == [False, True]


def test_chance_and_doubt_are_those_of_the_softmax() -> None:
    even = [evidence(paragraph("甲"), rank=1, score=2.0), evidence(paragraph("乙", 2), rank=2, score=2.0)]
    features = features_of(ASKED, even, ALIGNER)
    assert features["chance"] == pytest.approx(0.5)
    assert features["doubt"] == pytest.approx(math.log(2), abs=1e-6)


def test_margin_is_to_the_best_of_another_passage() -> None:
    best, same = evidence(paragraph("甲"), rank=1, score=5.0), evidence(paragraph("甲"), rank=1, score=4.0)
    other = evidence(paragraph("乙", 2), rank=2, score=3.0)
    assert features_of(ASKED, [best, same, other], ALIGNER)["margin"] == 2.0
    assert features_of(ASKED, [best, same], ALIGNER)["margin"] == 0.0


@pytest.mark.parametrize(
    ("question", "found", "objection", "missing"),
    [
        ("2035年森林覆盖率？", covering("到2030年达到27.5%。", year_other=1.0), "year", ()),
        ("石湾县森林覆盖率？", covering("达到27.5%。", place_missing=1.0), "place", ()),
        ("覆盖率从20%提到27.5%靠什么", covering("达到27.5%。"), "premise", ("20%",)),
        ("新馆总投资多少？", covering("建设新馆。"), "detail", ("money",)),
        ("新馆哪天开馆，电话是多少？", covering("建设新馆。"), "detail", ("phone", "date")),
        ("规模要达到多大", covering("扩大规模。", no_figure=1.0), "detail", ("figure",)),
        ("森林怎么保护？", covering("加强森林保护。"), "", ()),
    ],
)
def test_the_objection_names_what_is_missing(
    question: str, found: Evidence, objection: str, missing: tuple[str, ...]
) -> None:
    verdict = Judge(EVEN, SURE, NO_INTENT, ALIGNER, 0.9)(understand(question), [found])
    assert not verdict.answered
    assert (verdict.objection, verdict.missing) == (objection, missing)


@pytest.mark.parametrize(
    ("question", "text", "figures"),
    [
        ("从95%提到98%", "提高到98%", ("95%",)),
        ("从95%提到98%", "由95%提高到98%", ()),
        ("产量为什么从150万吨降下来", "产量达到1450000吨", ("150万吨",)),
        ("产量145万吨靠什么", "产量达到1450000吨", ()),
        ("是哪四种城市", "宜居宜业", ()),  # the number of things asked for states nothing
        ("那五个办是哪五个", "马上办、网上办", ()),
        ("每千人床位数是多少", "床位7.4张", ()),
        ("800多公里的高速在哪", "高速公路845公里", ()),  # no exact figure is claimed
        ("30年以后的目标", "目标", ()),
        ("2030年的目标", "目标", ()),
    ],
)
def test_figures_that_the_question_states_and_no_passage_holds(
    question: str, text: str, figures: tuple[str, ...]
) -> None:
    assert unfounded(understand(question), [covering(text)]) == figures


def test_a_figure_founded_in_any_of_the_passages_is_founded() -> None:
    elsewhere = evidence(paragraph("五年前为95%。", 9), rank=2)
    assert unfounded(understand("从95%提到98%"), [covering("提高到98%"), elsewhere]) == ()


def test_a_passage_reads_with_its_titles_and_a_row_in_words() -> None:
    chunk = row([("指标名称", "森林覆盖率"), ("单位", "%"), ("2030年", "27.5")])
    assert "2030年27.5%" in passage_text(evidence(chunk))
    titled = paragraph("建设新馆。", section=("第一篇", "〔拟题〕文化"))
    assert passage_text(evidence(titled)).startswith("第一篇 文化 建设新馆。")
