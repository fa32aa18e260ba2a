"""How well each word of a question is met by a text: late interaction over the word vectors of the shipped model.

A text's mean vector (index.embed) tells what the whole is about; in a sentence of a hundred words the one that answers
is lost in it. Here every word of the question is held against the word of the text that is most like it (MaxSim of
ColBERT: Khattab and Zaharia, SIGIR 2020, https://arxiv.org/abs/2004.12832), the vectors being those of single words.
The table is trained for both uses at once (index/train).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.embed import DEFAULT_MODEL, Embedder, StaticEmbedder, load_embedder, unit_rows
from rag.bags import Bags, Numbers

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Words:
    """The distinct words of a question: `directions` (n, dimension) unit rows, `shares` (n,) their weights, which sum
    to 1 (both empty where the model knows none of its words)."""

    directions: NDArray[np.float32]
    shares: NDArray[np.float32]

    def share(self, met: NDArray[Any]) -> NDArray[np.float32]:
        """(n_texts,): the weighted mean of what each text meets (n_words, n_texts)."""
        mean: NDArray[np.float32] = (self.shares[:, None] * met).sum(axis=0)
        return mean


@dataclass(frozen=True)
class Aligner:
    """`vectors` (words, dimension): a word's direction is its meaning, its length its weight."""

    tokenizer: Tokenizer = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)

    def ids(self, texts: Sequence[str]) -> list[Numbers]:
        """The distinct words of each text, as rows of `vectors`."""
        encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.unique(np.array(encoding.ids, dtype=np.int32)) for encoding in encodings]

    def question(self, text: str) -> Words:
        rows = self.vectors[self.ids([text])[0]]
        lengths = np.linalg.norm(rows, axis=1)
        known = lengths > 0
        rows, lengths = rows[known], lengths[known]
        return Words(rows / lengths[:, None], lengths / max(float(lengths.sum()), 1e-12))

    def mean(self, text: str) -> NDArray[np.float32]:
        """The mean of a text's words, scaled to length 1 (zeros for a text without any)."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return unit_rows(self.vectors[ids].mean(axis=0, keepdims=True))[0] if ids else np.zeros_like(self.vectors[0])

    def met(self, question: Words, texts: Bags) -> NDArray[np.float32]:
        """(n_words, n_texts): the cosine of each word of the question with the word of each text most like it, 0 at
        least; 0 for a text without words."""
        place = np.zeros(len(self.vectors), dtype=np.int32)
        place[texts.values] = 1
        distinct = np.flatnonzero(place)
        place[distinct] = np.arange(len(distinct))
        cosines: NDArray[np.float32] = question.directions @ self.vectors[distinct].T
        cosines /= np.maximum(self.lengths[distinct], 1e-12)
        return texts.most(cosines.take(place[texts.values], axis=1, mode="clip"))  # "clip" checks nothing: it is faster

    @cached_property
    def lengths(self) -> NDArray[np.float32]:
        """(words,): the length of each word's vector."""
        lengths: NDArray[np.float32] = np.sqrt(np.einsum("ij,ij->i", self.vectors, self.vectors))
        return lengths


@cache
def load_aligner() -> Aligner:
    """The shipped model's words. Raises ModelMissing."""
    return aligner_beside(load_embedder())


def aligner_beside(embedder: Embedder) -> Aligner:
    """The shipped model's words, whatever model the index was built with: those of `embedder` where it is that one."""
    if isinstance(embedder, StaticEmbedder) and embedder.name == DEFAULT_MODEL.name:
        return Aligner(embedder.tokenizer, embedder.vectors)
    return load_aligner()
