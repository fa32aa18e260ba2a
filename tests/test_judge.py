"""Evidence -> verdict: what is objected to, and when a question is answered."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rag.align import Aligner, load_aligner
from rag.judge import (
    CERTAIN,
    FEATURES,
    Boosted,
    Judge,
    Split,
    another_measure,
    far,
    features_of,
    off_the_matter,
    passage_text,
    told_for_another_year,
    unfounded,
)
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


@pytest.mark.parametrize(
    ("question", "text", "another"),
    [
        ("2030年装备制造业增加值是多少？", "到2030年，装备制造业产值实现17亿元。", True),
        ("2030年装备制造业产值是多少？", "到2030年，装备制造业产值实现17亿元。", False),
        ("2030年第二产业增加值是多少？", "到2030年，第一产业增加值实现28亿元。", True),
        ("2030年第二产业增加值是多少？", "第一、第二产业增加值分别为28亿元和40亿元，第二产业占比提高。", False),
        ("2030年羊的存栏数量是多少？", "到2030年，羊出栏10万只。", True),
        ("2025年城镇登记失业率是多少？", "城镇调查失业率控制在5%左右。", True),
        ("2025年人均地区生产总值是多少？", "2025年地区生产总值达到862.4亿元。", True),
        ("2025年人均地区生产总值是多少？", "2025年人均地区生产总值达到6.1万元。", False),
        ("装备制造业增加值怎么做大？", "做大装备制造业产值。", False),  # no figure is asked for
    ],
)
def test_a_kindred_measure_is_not_the_one_asked_for(question: str, text: str, another: bool) -> None:
    assert another_measure(understand(question), covering(text)) == another


def test_the_figure_of_a_kindred_measure_is_refused_however_sure_the_estimate() -> None:
    asked = understand("2030年装备制造业增加值是多少？")
    found = covering("到2030年，装备制造业产值实现17亿元。")
    assert judge(asked, found, model=Boosted(20.0, ())) == (0.0, False, "measure")


def test_another_name_needs_a_surer_estimate_than_the_same() -> None:
    asked = understand("2030年生活污水治理率是多少？")
    other = covering("到2030年，工业废水治理率达到90%。")
    assert not judge(asked, other, model=Boosted(1.0, ()))[1]  # 1 / (1 + e^-1) = 0.73 < 0.85
    assert judge(asked, other, model=Boosted(2.0, ()))[1]  # 0.88
    assert judge(asked, covering("到2030年，生活污水治理率达到90%。"), model=Boosted(1.0, ()))[1]


def test_what_is_told_of_another_year_is_not_replaced_by_what_has_the_year() -> None:
    asked = understand("2025年人均预期寿命是多少？")
    near = {"bigrams": 0.1, "lexicon": 0.0, "cosine": 0.5}
    rank = covering("每千人口医师数2025年3.1人。", **near)
    said = covering("到2030年，人均预期寿命79岁。", bigrams=0.6, lexicon=0.0, cosine=0.8, year_other=1.0)
    assert told_for_another_year(asked, [rank, said]) is said
    assert judge(asked, rank, said, model=Boosted(20.0, ()))[1:] == (False, "year")
    assert told_for_another_year(asked, [covering("2025年人均预期寿命78岁。", bigrams=0.6), said]) is None
    assert told_for_another_year(understand("人均预期寿命是多少？"), [rank, said]) is None


@pytest.mark.parametrize(
    ("question", "text", "objection"),
    [
        ("怎么注册商标？", "加强商标的注册和保护。", ("detail", ("procedure",))),
        ("社保卡丢了去哪补？", "推进社保卡一卡通。", ("detail", ("procedure",))),
        ("社保卡丢了去哪补？", "社保卡遗失的，到服务窗口办理补卡。", None),
        ("养一头奶牛能领多少补贴？", "奶牛存栏12万头。", ("detail", ("money",))),
        ("养一头奶牛能领多少补贴？", "每头奶牛补贴500元。", None),
        ("那条高速咋不修了？", "建设云泽至石湾高速公路。", ("", ())),
        ("那条高速咋不修了？", "云泽至石湾高速公路暂缓建设。", None),
        ("商标注册量要达到多少？", "商标注册量达到300件。", None),
    ],
)
def test_an_affair_of_ones_own_and_a_wrong_premise_are_objected_to(
    question: str, text: str, objection: tuple[str, tuple[str, ...]] | None
) -> None:
    assert off_the_matter(understand(question), covering(text)) == objection


def test_far_is_what_shares_few_words_and_is_unlike() -> None:
    assert far(covering("推进文明旅游。", bigrams=0.0, lexicon=0.0, cosine=0.2))
    assert not far(covering("推进文明旅游。", bigrams=0.0, lexicon=0.0, cosine=0.5))
    assert not far(covering("推进文明旅游。", bigrams=0.2, lexicon=0.0, cosine=0.2))


@pytest.mark.parametrize(
    ("question", "text", "named", "measure", "scope"),
    [
        ("森林覆盖率是多少？", "到2030年，森林覆盖率达到27.5%。", True, 0.0, 0.0),
        ("装备制造业增加值是多少？", "到2030年，装备制造业产值达到170亿元。", True, 1.0, 0.0),
        ("全国森林覆盖率目标是多少？", "到2030年，森林覆盖率达到27.5%。", True, 0.0, 1.0),
        ("农药利用率是多少？", "到2030年，宽带接入能力达到100兆。", False, 1.0, 0.0),
        ("怎样提高森林覆盖率？", "到2030年，森林覆盖率达到27.5%。", False, 0.0, 0.0),  # no figure is asked for
    ],
)
def test_the_name_of_the_figure_its_measure_and_its_region_are_held_against_the_question(
    question: str, text: str, named: bool, measure: float, scope: float
) -> None:
    values = features_of(understand(question), [covering(text)], ALIGNER)
    assert (values["named"] > 0.6) is named
    assert (values["measure"], values["scope"]) == (measure, scope)


def test_the_name_of_a_row_is_the_name_of_its_figures() -> None:
    cells = [("指标名称", "森林覆盖率"), ("单位", "%"), ("2030年", "27.5")]
    one = covering("")
    found = replace(one, passage=replace(one.passage, chunk=row(cells)))
    assert features_of(ASKED, [found], ALIGNER)["named_bigrams"] == 1.0
