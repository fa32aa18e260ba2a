"""Statistics of a run and of two runs: intervals, tests of a difference, calibration.

Questions of one family ask for the same fact in other words and are right or wrong together, so the family, not the
question, is what is resampled and what is flipped. Everything here is a pure function of its arguments; where chance
is used, the seed is fixed, so that the same rows give the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 10_000
SEED = 20210301
LEVEL = 0.95
ENUMERATED = 14  # families up to which every pattern of signs is tried: 2^14 is about what is sampled beyond
BINS = 10
ROUNDING = 1e-9  # sums of thirds differ in their last bits with the order of addition


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, in the unit of the figure."""

    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """The forecasts within [low, high) (the last bin holds 1 as well): their places among those given, their mean, and
    the share of them that came true."""

    low: float
    high: float
    members: tuple[int, ...]
    forecast: float
    share: float


def family_sums(values: Sequence[float], families: Sequence[str]) -> Floats:
    """The values of each family added up, (n_families,) in the order in which the families first appear.

    >>> family_sums([1, 0, 1], ["a", "b", "a"])
    array([2., 0.])
    """
    place = {family: number for number, family in enumerate(dict.fromkeys(families))}
    sums = np.zeros(len(place))
    np.add.at(sums, [place[family] for family in families], np.asarray(values, dtype=float))
    return sums


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float | None:
    """Sum over sum, None where the denominators add up to nothing. A mean has denominators of 1; precision, recall and
    F1 are such ratios as well: 2 TP / (refused + to be refused) is the F1 of refusing."""
    below = math.fsum(denominators)
    return math.fsum(numerators) / below if below else None


def ratio_interval(
    numerators: Sequence[float],
    denominators: Sequence[float],
    families: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """95% interval of a ratio of sums between 0 and 1, one numerator, denominator and family for each question.

    Percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13) over families drawn
    with replacement (Field and Welsh, Bootstrapping Clustered Data, J. R. Statist. Soc. B 69, 2007). Resamples whose
    denominators add up to nothing are left out. Where every question has 0, or every question all of its denominator,
    no resample differs, and the interval is the exact one of Clopper and Pearson (Biometrika 26, 1934) with one trial
    for each family. None where fewer than two families have a denominator, and the ratio lies strictly between.
    """
    above, below = family_sums(numerators, families), family_sums(denominators, families)
    above, below = above[below > 0], below[below > 0]
    if not above.any() or np.array_equal(above, below):
        return clopper_pearson(len(above) if above.any() else 0, len(above)) if len(above) else None
    if len(above) < 2:
        return None
    drawn = _draws(len(above), resamples, seed)
    return _percentiles(above[drawn].sum(axis=1) / below[drawn].sum(axis=1))


def difference_interval(
    differences: Sequence[float], families: Sequence[str], resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """95% interval of the mean of paired differences, one for each question, by the bootstrap of `ratio_interval`.
    None where there are fewer than two families."""
    above, below = family_sums(differences, families), family_sums([1.0] * len(differences), families)
    if len(above) < 2:
        return None
    drawn = _draws(len(above), resamples, seed)
    return _percentiles(above[drawn].sum(axis=1) / below[drawn].sum(axis=1))


def _draws(families: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """(resamples, families): which families each resample draws."""
    return np.random.default_rng(seed).integers(families, size=(resamples, families))


def _percentiles(figures: Floats) -> Interval:
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def clopper_pearson(successes: int, trials: int) -> Interval:
    """Exact 95% interval of a share, for none or all of the trials a success (its closed form).

    >>> clopper_pearson(10, 10).low == 0.025 ** (1 / 10)
    True
    """
    if trials < 1 or successes not in (0, trials):
        raise ValueError(f"only none or all of at least one trial: {successes} of {trials}")
    edge = ((1 - LEVEL) / 2) ** (1 / trials)
    return Interval(edge, 1.0) if successes else Interval(0.0, 1 - edge)


def mcnemar(lost: int, gained: int) -> float:
    """Two-sided p of `lost` questions right only before against `gained` right only after, under the hypothesis that
    either is as likely: the exact binomial form of McNemar, Psychometrika 12 (1947). It takes questions as independent.

    >>> mcnemar(1, 5)  # 2 (1 + 6) / 2^6
    0.21875
    """
    discordant = lost + gained
    tail = sum(math.comb(discordant, number) for number in range(min(lost, gained) + 1))
    return min(1.0, 2 * tail / (1 << discordant))


def sign_flip(
    differences: Sequence[float], families: Sequence[str], permutations: int = RESAMPLES, seed: int = SEED
) -> float:
    """Two-sided p of the mean of paired differences, one for each question, under the hypothesis that in each family
    the two runs could as well be exchanged (Fisher's randomisation test, The Design of Experiments, 1935, section 21,
    with families as its units).

    All patterns of signs are tried where at most 14 families differ; beyond that `permutations` are drawn, and the
    observed one counts among them (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010), so that p is never 0.
    """
    sums = family_sums(differences, families)
    sums = sums[np.abs(sums) > ROUNDING]
    if not len(sums):
        return 1.0
    observed = abs(float(sums.sum())) - ROUNDING
    if len(sums) <= ENUMERATED:
        signs = np.array(list(product((1.0, -1.0), repeat=len(sums)))).reshape(2 ** len(sums), len(sums))
        return float(np.mean(np.abs(signs @ sums) >= observed))
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(permutations, len(sums)))
    reached = int(np.count_nonzero(np.abs(signs @ sums) >= observed))
    return (1 + reached) / (1 + permutations)


def holm(ps: Sequence[float]) -> list[float]:
    """The p of several tests, raised so that comparing each with a level keeps the chance of any false alarm within it:
    Holm, Scandinavian Journal of Statistics 6 (1979). In the order given.

    >>> holm([0.03, 0.01, 0.04])
    [0.06, 0.03, 0.06]
    """
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for done, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        highest = max(highest, min(1.0, (len(ps) - done) * ps[at]))
        adjusted[at] = highest
    return adjusted


def reliability(forecasts: Sequence[float], outcomes: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Forecast probabilities in bins of equal width beside the share that came true (DeGroot and Fienberg, The
    Statistician 32, 1983); empty bins are left out."""
    chosen = [min(int(forecast * bins), bins - 1) for forecast in forecasts]
    table = []
    for number in sorted(set(chosen)):
        held = [at for at, one in enumerate(chosen) if one == number]
        table.append(
            Bin(
                low=number / bins,
                high=(number + 1) / bins,
                members=tuple(held),
                forecast=math.fsum(forecasts[at] for at in held) / len(held),
                share=sum(outcomes[at] for at in held) / len(held),
            )
        )
    return table


def calibration_error(table: Sequence[Bin]) -> float | None:
    """Mean distance of forecast and share over the bins, weighted by their counts (expected calibration error: Naeini,
    Cooper and Hauskrecht, AAAI 2015); None without bins."""
    total = sum(len(one.members) for one in table)
    return math.fsum(len(one.members) * abs(one.forecast - one.share) for one in table) / total if total else None
