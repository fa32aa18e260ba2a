"""Query -> passages: BM25 over words, bigrams and characters, and vectors, fused.

Each scorer's scores are divided by its best for the question (so that they are comparable between questions), and
added with weights fitted on the development questions (rag/weights.json, made by `python -m eval fit`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.embed import Embedder
from index.keyword import bigrams, characters
from index.store import Index
from rag.types import Passage, Query

SCORERS = (
    "words", "bigrams", "characters", "lexicon", "whole", "sentence", "heading",
    "asked_words",  # prepared questions that lead to the chunk: their words
    "asked",  # … and the vector of the one most like the question
)  # fmt: skip


@dataclass(frozen=True)
class Retriever:
    """Callable: (query, k) -> the k best passages, best first, one for each place in the text.

    `weights` maps each of SCORERS to its weight in the fusion.
    """

    index: Index
    embedder: Embedder
    weights: Mapping[str, float]

    def __call__(self, query: Query, k: int) -> tuple[Passage, ...]:
        fused = self.fuse(self.scores(query))
        order = np.argsort(-fused, kind="stable")
        return tuple(
            Passage(self.index.chunks[position], round(float(fused[position]), 6), rank)
            for rank, position in enumerate(order[:k], 1)
        )

    def scores(self, query: Query) -> dict[str, NDArray[np.float32]]:
        """Every scorer's score of every chunk, (n_chunks,) each, divided by the best of the question."""
        text = query.core
        terms = {
            "words": Counter(self.index.segmenter.words(text)),
            "bigrams": Counter(bigrams(text)),
            "characters": Counter(characters(text)),
        }
        found: dict[str, NDArray[np.float32]] = {}
        for name, counted in terms.items():
            found[name] = self.index.postings[name].scores(dict.fromkeys(counted, 1.0))
        official: dict[str, float] = {}
        for term, weight in query.terms.items():
            for word in self.index.segmenter.words(term):
                official[word] = max(official.get(word, 0.0), weight)
        found["lexicon"] = self.index.postings["words"].scores(official)
        found["whole"], found["sentence"] = self._dense(text)
        found["asked_words"] = self.index.postings["questions"].scores(dict.fromkeys(bigrams(query.text), 1.0))
        found["asked"] = self._asked(query.text)
        found["heading"] = self._headings
        return {name: _scaled(scores) for name, scores in found.items()}

    def fuse(self, scores: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Weighted sum of the scorers, (n_chunks,)."""
        total = np.zeros(len(self.index.chunks), dtype=np.float32)
        for name, weight in self.weights.items():
            total += np.float32(weight) * scores[name]
        return total

    def _dense(self, text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cosine of the question with the whole of each chunk, and with the best of its sentences; 0 at least."""
        count = len(self.index.chunks)
        whole, best = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
        if len(self.index.keys.chunk):
            cosine = self.index.vector_matrix @ self.embedder.embed_questions([text])[0]
            chunks, starts = _first_of_each(self.index.keys.chunk)
            whole[chunks] = np.maximum(cosine[starts], 0)  # the whole comes before its sentences
            best[chunks] = np.maximum(np.maximum.reduceat(cosine, starts), 0)
        return whole, best

    def _asked(self, text: str) -> NDArray[np.float32]:
        """Cosine of the question with the prepared question of each chunk most like it; 0 at least, and for a chunk
        without any."""
        best = np.zeros(len(self.index.chunks), dtype=np.float32)
        if self.index.questions:
            cosine = self.index.question_matrix @ self.embedder.embed_questions([text])[0]
            chunks, starts = _first_of_each(self.index.question_chunks)
            best[chunks] = np.maximum(np.maximum.reduceat(cosine, starts), 0)
        return best

    @cached_property
    def _headings(self) -> NDArray[np.float32]:
        """(n_chunks,): 1 for a heading, else 0."""
        return np.array([chunk.kind == "heading" for chunk in self.index.chunks], dtype=np.float32)


def _first_of_each(chunks: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The distinct chunks among ascending ones, and where each stands first."""
    starts = np.flatnonzero(np.diff(chunks, prepend=-1))
    return chunks[starts], starts


def _scaled(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    top = float(scores.max(initial=0.0))
    return scores / np.float32(top) if top > 0 else scores


def distinct(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Passages of distinct lines, ranks counted anew: several items of one line are one place in the text."""
    seen: set[tuple[str, tuple[int, ...]]] = set()
    kept: list[Passage] = []
    for passage in passages:
        place = (passage.chunk.doc_id, passage.chunk.lines)
        if place not in seen:
            seen.add(place)
            kept.append(Passage(passage.chunk, passage.score, len(kept) + 1))
    return tuple(kept)
