"""Statistics: against values worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from eval.stats import (
    Bin,
    Interval,
    calibration_error,
    clopper_pearson,
    difference_interval,
    family_sums,
    holm,
    mcnemar,
    ratio,
    ratio_interval,
    reliability,
    sign_flip,
)


def each_its_own(count: int) -> list[str]:
    return [f"q{number}" for number in range(count)]


def test_sums_of_families_in_the_order_of_their_first_question() -> None:
    assert family_sums([1, 2, 3, 4], ["b", "a", "b", "c"]).tolist() == [4, 2, 4]


def test_a_ratio_is_a_mean_or_a_precision_and_nothing_over_nothing_is_no_figure() -> None:
    assert ratio([1, 0, 1, 0], [1, 1, 1, 1]) == 0.5
    assert ratio([1, 0, 0], [1, 0, 1]) == 0.5
    assert ratio([0, 0], [0, 0]) is None
    assert ratio([], []) is None


def test_interval_of_two_families_holds_what_their_four_draws_give() -> None:
    # Draws of (a, b): aa, ab, ba, bb. Means 1, 1/2, 1/2, 0, each end with probability 1/4, far above 2.5%.
    assert ratio_interval([1, 0], [1, 1], ["a", "b"]) == Interval(0.0, 1.0)
    # Family a has three questions, all right, b one, wrong: the mean of a and b together is 3/4, not 1/2.
    wide = ratio_interval([1, 1, 1, 0], [1, 1, 1, 1], ["a", "a", "a", "b"])
    assert wide == Interval(0.0, 1.0)


def test_interval_agrees_with_the_binomial_quantiles_where_each_question_is_its_own_family() -> None:
    # The number right in a resample of 10 questions, 5 of them right, is Binomial(10, 1/2). P(X <= 1) = 11/1024 = 1.1%,
    # P(X <= 2) = 56/1024 = 5.5%: the 2.5% quantile is 2, and by symmetry the 97.5% quantile is 8.
    interval = ratio_interval([1.0, 0.0] * 5, [1.0] * 10, each_its_own(10))
    assert interval == Interval(pytest.approx(0.2), pytest.approx(0.8))


def test_wordings_that_are_right_together_tell_less_than_as_many_questions_of_their_own() -> None:
    right = [1.0] * 20 + [0.0] * 20
    ones = [1.0] * 40
    apart = ratio_interval(right, ones, each_its_own(40))
    together = ratio_interval(right, ones, [f"f{number // 4}" for number in range(40)])
    assert apart is not None
    assert together is not None
    # Ten families instead of forty questions: the standard error doubles.
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(2, rel=0.1)


def test_only_families_that_count_are_drawn() -> None:
    padded = ratio_interval([1, 0, 0, 0], [1, 1, 0, 0], ["a", "b", "c", "d"])
    assert padded == ratio_interval([1, 0], [1, 1], ["a", "b"])


def test_all_right_leaves_room_for_error_by_the_number_of_families() -> None:
    # Five families in ten questions: 0.025^(1/5) = 0.4782 (Clopper and Pearson's table: 47.8% for 5 of 5).
    families = [f"f{number // 2}" for number in range(10)]
    assert ratio_interval([1.0] * 10, [1.0] * 10, families) == Interval(pytest.approx(0.4782, abs=1e-4), 1.0)
    assert ratio_interval([0.0] * 10, [1.0] * 10, families) == Interval(0.0, pytest.approx(0.5218, abs=1e-4))


def test_one_family_between_and_nothing_counted_have_no_interval() -> None:
    assert ratio_interval([1, 0], [1, 1], ["a", "a"]) is None
    assert ratio_interval([0, 0], [0, 0], ["a", "b"]) is None
    assert ratio_interval([], [], []) is None


def test_exact_interval_is_for_none_or_all() -> None:
    assert clopper_pearson(0, 1) == Interval(0.0, 0.975)
    with pytest.raises(ValueError, match="1 of 2"):
        clopper_pearson(1, 2)
    with pytest.raises(ValueError, match="0 of 0"):
        clopper_pearson(0, 0)


def test_interval_of_a_difference() -> None:
    # The sum over 4 families of +1, +1, 0, 0 drawn 4 times is Binomial(4, 1/2): P(0) = 6.25%, above 2.5%.
    assert difference_interval([1, 1, 0, 0], each_its_own(4)) == Interval(0.0, 1.0)
    assert difference_interval([0.0] * 5, each_its_own(5)) == Interval(0.0, 0.0)
    assert difference_interval([0.25, 0.25], ["a", "b"]) == Interval(0.25, 0.25)
    assert difference_interval([1.0, 1.0], ["a", "a"]) is None


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    values = [float(value) for value in np.random.default_rng(5).random(60)]
    families = [f"f{number // 2}" for number in range(60)]
    first = ratio_interval(values, [1.0] * 60, families)
    assert ratio_interval(values, [1.0] * 60, families) == first
    assert ratio_interval(values, [1.0] * 60, families, seed=1) != first


def test_bootstrap_interval_agrees_with_the_normal_one_for_many_families() -> None:
    values = np.random.default_rng(3).random(400)
    interval = ratio_interval(values.tolist(), [1.0] * 400, each_its_own(400))
    half = 1.96 * float(values.std()) / math.sqrt(400)
    assert interval is not None
    assert interval.low == pytest.approx(values.mean() - half, abs=2e-3)
    assert interval.high == pytest.approx(values.mean() + half, abs=2e-3)


@pytest.mark.parametrize(
    ("lost", "gained", "p"),
    [
        (0, 0, 1.0),
        (3, 3, 1.0),
        (0, 5, 2 / 32),
        (5, 0, 2 / 32),
        (1, 8, 2 * (1 + 9) / 512),
        (2, 10, 2 * (1 + 12 + 66) / 4096),
    ],
)
def test_mcnemar(lost: int, gained: int, p: float) -> None:
    assert mcnemar(lost, gained) == p


def test_mcnemar_of_thousands_does_not_overflow() -> None:
    assert 0 < mcnemar(400, 1600) < 1e-100


def test_sign_flip_tries_every_pattern_of_few_families() -> None:
    # Sums 1, 2, 3: of 8 patterns only +++ and --- reach 6.
    assert sign_flip([1, 2, 3], ["a", "b", "c"]) == 2 / 8
    # Sums 1, 1, -1 reach 1 in every pattern.
    assert sign_flip([1, 1, -1], ["a", "b", "c"]) == 1.0
    # Two wordings of a family go together: sums 2 and 1, 2 of 4 patterns reach 3.
    assert sign_flip([1, 1, 1], ["a", "a", "b"]) == 2 / 4


def test_sign_flip_of_no_difference_is_one() -> None:
    assert sign_flip([0.0, 0.0], ["a", "b"]) == 1.0
    assert sign_flip([1, -1], ["a", "a"]) == 1.0
    assert sign_flip([], []) == 1.0


def test_sign_flip_is_mcnemar_where_each_question_is_its_own_family() -> None:
    differences = [1.0] * 8 + [-1.0] * 2 + [0.0] * 20
    assert sign_flip(differences, each_its_own(30)) == mcnemar(2, 8)


def test_sign_flip_drawn_is_near_the_exact_one_and_never_nothing() -> None:
    differences = [1.0] * 16 + [-1.0] * 6
    assert sign_flip(differences, each_its_own(22)) == pytest.approx(mcnemar(6, 16), abs=0.01)
    assert sign_flip([1.0] * 60, each_its_own(60)) == 1 / 10_001


def test_sign_flip_counts_thirds_that_differ_in_their_last_bits() -> None:
    # 0.1 + 0.2 > 0.3 in floating point; all patterns of these reach 0 = |0.1 + 0.2 - 0.3|.
    assert sign_flip([0.1, 0.2, -0.3], ["a", "b", "c"]) == 1.0


def test_holm_keeps_order_grows_and_stays_within_one() -> None:
    # Sorted 0.01, 0.03, 0.04: times 3, 2, 1 gives 0.03, 0.06, 0.04, and the last may not be below the one before it.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_holm_rejects_what_the_stepwise_procedure_rejects() -> None:
    for ps in itertools.product([0.001, 0.017, 0.02, 0.04, 0.06, 0.3], repeat=3):
        ordered = sorted(ps)
        within = [p <= 0.05 / (3 - at) for at, p in enumerate(ordered)]
        steps = [at for at in range(3) if all(within[: at + 1])]
        assert sorted(p <= 0.05 for p in holm(ps)) == sorted(at in steps for at in range(3))


def test_bins_of_forecasts() -> None:
    table = reliability([0.0, 0.04, 0.1, 0.95, 1.0], [False, True, False, True, True])
    assert table == [
        Bin(0.0, 0.1, (0, 1), 0.02, 0.5),
        Bin(0.1, 0.2, (2,), 0.1, 0.0),
        Bin(0.9, 1.0, (3, 4), pytest.approx(0.975), 1.0),
    ]
    # (2 * 0.48 + 1 * 0.1 + 2 * 0.025) / 5
    assert calibration_error(table) == pytest.approx((0.96 + 0.1 + 0.05) / 5)
    assert reliability([], []) == []
    assert calibration_error([]) is None
