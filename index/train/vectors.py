"""Word vectors to start from: co-occurrence, positive pointwise mutual information, truncated SVD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def cooccurrence(rows: Sequence[Sequence[int]], size: int, window: int) -> Tensor:
    """Token ids -> symmetric counts (size, size), sparse float32; a neighbour at distance d counts 1/d, as in GloVe
    (https://aclanthology.org/D14-1162)."""
    import torch

    gap = [-1] * window
    flat = torch.tensor([token for row in rows for token in (*row, *gap)], dtype=torch.int64)
    counts = torch.sparse_coo_tensor(
        torch.empty((2, 0), dtype=torch.int64), torch.empty(0), (size, size), check_invariants=False
    )
    for distance in range(1, window + 1):
        pairs = torch.stack((flat[:-distance], flat[distance:]))
        pairs = pairs[:, (pairs >= 0).all(dim=0)]
        weights = torch.full((pairs.shape[1],), 1.0 / distance)
        counts = (counts + torch.sparse_coo_tensor(pairs, weights, (size, size))).coalesce()
    return (counts + counts.t()).coalesce()


def positive_pmi(counts: Tensor, smoothing: float = 0.75, least: float = 1.0) -> Tensor:
    """max(0, log(P(w, c) / (P(w) P(c)))) with contexts smoothed by a power (Levy, Goldberg and Dagan 2015,
    https://aclanthology.org/Q15-1016); cells below `least` are left out as noise."""
    import torch

    cells, values = counts.indices(), counts.values()
    word = torch.zeros(counts.shape[0]).index_add_(0, cells[0], values)
    context = word.pow(smoothing)
    pmi = torch.log(values * context.sum() / (word[cells[0]] * context[cells[1]]))
    kept = (values >= least) & (pmi > 0)
    return torch.sparse_coo_tensor(cells[:, kept], pmi[kept], counts.shape).coalesce()


def singular_vectors(matrix: Tensor, dimension: int) -> NDArray[np.float32]:
    """The leading left singular vectors, (size, dimension) float32, without the singular values: the power 0 of Levy,
    Goldberg and Dagan 2015, which retrieves best here. Randomised (https://arxiv.org/abs/0909.4061): seed torch."""
    import torch

    left, _, _ = torch.svd_lowrank(matrix.to_sparse_csr(), q=dimension + 16, niter=4)
    vectors: NDArray[np.float32] = left[:, :dimension].numpy()
    return vectors


def sif_weights(probabilities: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """a / (a + p(w)): frequent words say little (Arora, Liang and Ma 2017, https://openreview.net/forum?id=SyK00v5xx)."""
    return a / (a + probabilities)
