"""Sets of numbers of differing sizes, compared with a question all at once instead of one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Bags:
    """`values` holds the bags one after the other, `sizes` (n_bags,) how many numbers are whose."""

    values: Numbers
    sizes: Numbers

    @staticmethod
    def of(bags: Sequence[Numbers]) -> Bags:
        values = np.concatenate(bags, dtype=np.int32) if bags else np.zeros(0, dtype=np.int32)
        return Bags(values, np.array([len(bag) for bag in bags], dtype=np.int32))

    @staticmethod
    def joined(parts: Sequence[Bags]) -> Bags:
        """The bags of all the parts, in order; there is one part at least."""
        return Bags(np.concatenate([part.values for part in parts]), np.concatenate([part.sizes for part in parts]))

    def holding(self, wanted: Numbers) -> NDArray[np.bool_]:
        """(n_wanted, n_bags): which bag holds which of the wanted numbers, which are distinct and 0 at least."""
        found = np.zeros((len(wanted), len(self.sizes)), dtype=np.bool_)
        # A table of all numbers: a tenth of the time that looking each value up among the wanted takes.
        row = np.zeros(1 + max(self.values.max(initial=0), wanted.max(initial=0)), dtype=np.int16)
        row[wanted] = np.arange(1, len(wanted) + 1)
        rows = row[self.values]
        at = np.flatnonzero(rows)
        found[rows[at] - 1, np.searchsorted(np.cumsum(self.sizes), at, side="right")] = True
        return found

    def most(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(…, n_bags): the greatest of the scores (…, n_values) of each bag's values, 0 at least, and for an empty
        bag."""
        found = np.zeros((*scores.shape[:-1], len(self.sizes)), dtype=np.float32)
        filled = self.sizes > 0
        if filled.any():
            starts = np.cumsum(self.sizes)[filled] - self.sizes[filled]
            found[..., filled] = np.maximum(np.maximum.reduceat(scores, starts, axis=-1), 0)
        return found
