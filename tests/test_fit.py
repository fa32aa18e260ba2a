"""Fitting: against solutions derived by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.dataset import Question
from eval.fit import (
    FALSE_REFUSALS,
    Calibration,
    answers,
    cross_validated,
    fit_intent,
    fit_listwise,
    fit_trees,
    fold_of,
    refusal_threshold,
    reranked,
)
from rag.judge import FEATURES
from rag.select import FEATURES as EVIDENCE_FEATURES
from tests.fakes import evidence, paragraph, row

Example = tuple[NDArray[np.float64], NDArray[np.bool_]]


def example(features: list[list[float]], right: list[bool]) -> Example:
    return np.array(features), np.array(right)


# One question, one feature: 1 for the right candidate, 0 for the wrong one. With weight w the right one holds
# 1 / (1 + exp(-w)) of the softmax, and p w^2 + log(1 + exp(-w)) is least where 2 p w = 1 / (1 + exp(w)). So w = 2
# solves it for p = 1 / (4 (1 + e^2)).
PENALTY = 1 / (4 * (1 + math.exp(2)))
SIMPLE = example([[1.0], [0.0]], [True, False])


def test_the_weight_of_a_solution_derived_by_hand() -> None:
    assert fit_listwise([SIMPLE], PENALTY) == pytest.approx([2.0], abs=1e-3)


def test_the_same_question_twice_weighs_no_more() -> None:
    assert fit_listwise([SIMPLE, SIMPLE], PENALTY) == pytest.approx([2.0], abs=1e-3)


def test_a_question_without_a_right_candidate_is_passed_over() -> None:
    lost = example([[0.0], [5.0]], [False, False])
    assert fit_listwise([SIMPLE, lost], PENALTY) == pytest.approx([2.0], abs=1e-3)


def test_a_weight_that_is_given_stays_and_the_others_are_fitted_beside_it() -> None:
    # The second feature is 1 for the right candidate too: its 0.5 is as much of the 2 that both add up to without a
    # penalty on it, so that p w^2 + log(1 + exp(-w - 0.5)) is least where 2 p w = 1 / (1 + exp(w + 0.5)).
    both = example([[1.0, 1.0], [0.0, 0.0]], [True, False])
    penalty = 1 / (2 * 1.5 * (1 + math.exp(2)))
    assert fit_listwise([both], penalty, {1: 0.5}) == pytest.approx([1.5, 0.5], abs=1e-3)


def test_a_feature_that_speaks_against_gets_the_opposite_weight_and_one_that_says_nothing_none() -> None:
    against = example([[0.0, 3.0], [1.0, 3.0]], [True, False])
    assert fit_listwise([against], PENALTY) == pytest.approx([-2.0, 0.0], abs=1e-3)


def test_where_several_candidates_are_right_their_shares_count_together() -> None:
    # Two right ones alike and one wrong: 2 p w = share of the wrong one = 1 / (1 + 2 exp(w)), so w = 2 for
    # p = 1 / (4 (1 + 2 e^2)).
    several = example([[1.0], [1.0], [0.0]], [True, True, False])
    assert fit_listwise([several], 1 / (4 * (1 + 2 * math.exp(2)))) == pytest.approx([2.0], abs=1e-3)


def test_no_step_away_from_the_solution_lessens_the_loss() -> None:
    rng = np.random.default_rng(1)
    questions = [(rng.normal(size=(6, 3)), np.arange(6) < 2) for _ in range(8)]

    def loss(weights: NDArray[np.float64]) -> float:
        held = [(np.exp(x @ weights)[right].sum() / np.exp(x @ weights).sum()) for x, right in questions]
        return float(0.1 * weights @ weights - np.mean(np.log(held)))

    solution = fit_listwise(questions, 0.1)
    steps = rng.normal(size=(50, 3)) * 0.05
    assert min(loss(solution + step) for step in steps) > loss(solution)


def test_large_features_overflow_nothing() -> None:
    weights = fit_listwise([example([[1000.0], [-1000.0]], [True, False])], 1e-3)
    assert np.isfinite(weights).all()
    assert weights[0] > 0


def told_by_a_feature() -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    features = np.random.default_rng(0).random((120, len(FEATURES)))
    return features, features[:, FEATURES.index("year_other")] < 0.5


def test_trees_learn_which_feature_tells_and_the_same_again() -> None:
    features, outcome = told_by_a_feature()
    model = fit_trees(features, outcome)
    estimate = np.array([model.probability(dict(zip(FEATURES, values, strict=True))) for values in features])
    assert ((estimate > 0) & (estimate < 1)).all()
    assert estimate[outcome].mean() > 0.6 + estimate[~outcome].mean()
    assert fit_trees(features, outcome) == model


def test_no_question_is_estimated_by_trees_that_have_seen_it() -> None:
    features, outcome = told_by_a_feature()
    folds = np.arange(120) % 10
    (estimate,) = cross_validated([features], [outcome], folds)
    others = folds != 3
    model = fit_trees(features[others], outcome[others])
    held = [model.probability(dict(zip(FEATURES, values, strict=True))) for values in features[~others]]
    assert estimate[~others] == pytest.approx(held)
    assert estimate[outcome].mean() > 0.5 + estimate[~outcome].mean()


def test_what_comes_true_more_often_than_estimated_is_calibrated_to_how_often_it_does() -> None:
    # Estimated 0.6 and right in 9 of 10, estimated 0.2 and right in 1 of 10: log-odds ln 1.5 and -ln 4 ought to be
    # ln 9 and -ln 9, which a straight line can give exactly.
    estimates = np.array([0.6] * 10 + [0.2] * 10)
    calibration = Calibration.fitted(estimates, np.array([True] * 9 + [False] * 10 + [True]))
    assert calibration.of(estimates)[[0, -1]] == pytest.approx([0.9, 0.1], abs=1e-3)
    assert calibration.slope == pytest.approx(2 * math.log(9) / math.log(6), abs=1e-2)


def test_calibrated_trees_estimate_what_the_calibration_says() -> None:
    features, outcome = told_by_a_feature()
    model, calibration = fit_trees(features, outcome), Calibration(1.7, -0.4)
    calibrated = calibration.model(model)
    rows = [dict(zip(FEATURES, values, strict=True)) for values in features]
    before = np.array([model.probability(row) for row in rows])
    assert [calibrated.probability(row) for row in rows] == pytest.approx(calibration.of(before), abs=1e-4)


def test_the_intent_is_the_direction_in_which_questions_are_answered() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]] * 10, dtype=np.float32)
    weights = fit_intent(vectors, np.array([True, True, False, False] * 10))
    assert weights.shape == (2,)
    assert (vectors[:2] @ weights > 0).all()
    assert (vectors[2:4] @ weights < 0).all()


def test_the_threshold_gives_up_a_small_share_of_what_can_be_answered() -> None:
    # 1,000 answerable questions from 0.500 up in steps of 0.0001: of them as many lie below as may be given up
    estimate = np.concatenate([0.5 + np.arange(1000) / 10000, [0.25, 0.2]])
    truly = np.array([True] * 1000 + [False] * 2)
    assert (estimate[truly] < refusal_threshold(estimate, truly)).sum() == round(1000 * FALSE_REFUSALS)


def test_evidence_is_put_in_another_order_by_other_weights() -> None:
    first = evidence(paragraph("甲"), rank=1, score=9.0, figure=1.0)
    second = evidence(paragraph("乙", 2), rank=2, score=1.0, year=1.0)
    weights = np.array([{"figure": 0.5, "year": 2.0}.get(name, 0.0) for name in EVIDENCE_FEATURES])
    assert [(one.text, one.score) for one in reranked([first, second], weights)] == [("乙", 2.0), ("甲", 0.5)]


def test_folds_keep_families_together_and_are_all_used() -> None:
    families = [f"q-{number:03}" for number in range(200)]
    folds = [fold_of(family, 5) for family in families]
    assert folds == [fold_of(family, 5) for family in families]
    assert set(folds) == set(range(5))
    assert max(folds.count(fold) for fold in range(5)) < 80
    assert {fold_of(family, 1) for family in families} == {0}


def test_evidence_answers_by_its_lines_and_its_words() -> None:
    asked = Question("a", "a", "", "fact", "问", (), (frozenset({8}),), (), (("27.5",), ("2030",)), ())
    assert answers(evidence(paragraph("到2030年达到27.5%。", 8)), asked) == 1
    assert answers(evidence(paragraph("达到27.5%。", 8)), asked) == 0.5
    assert answers(evidence(paragraph("到2030年达到27.5%。", 9)), asked) == 0
    assert answers(evidence(row([("指标名称", "森林"), ("2030年", "27.5")], 7)), asked) == 1
