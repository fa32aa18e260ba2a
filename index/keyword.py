"""The keyword side of the index: BM25 over jieba words, character bigrams and single characters.

Three sets of postings over the same chunks. Words find what a question names exactly, bigrams survive another
segmentation and typing errors, single characters bridge everyday and official words that share a character
(穷村 / 贫困村). Their scores are added with weights by the reader.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import jieba

K1 = 1.2
B = 0.6
REMEMBERED = 1024  # texts of which the words are kept: those of a question are asked for several times

_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z0-9α-ω]+(?:\.[0-9]+)?", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u9fff]")


def fold(text: str) -> str:
    """NFKC, lower case, typographic variants of one sign made equal: for matching only, never for showing.

    The length may change, so offsets into the result are not offsets into `text`.
    """
    return unicodedata.normalize("NFKC", text).replace("ш", "iii").replace("Ш", "iii").lower()


def characters(text: str) -> list[str]:
    """Single Han characters; runs of Latin letters and digits stay whole."""
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        found.extend(run if _HAN.match(run) else [run])
    return found


def bigrams(text: str) -> list[str]:
    """Overlapping pairs of Han characters within a run; runs of Latin letters and digits stay whole."""
    found: list[str] = []
    for run in _RUN.findall(fold(text)):
        if _HAN.match(run):
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            found.append(run)
    return found


class Segmenter:
    """jieba over a dictionary of the index's own: the words of jieba's dictionary that occur in the documents, and
    the documents' own terms (places, projects, indicators).

    The dictionary travels with the index, so both sides of a search cut alike, and it is small, so that loading it
    costs milliseconds where jieba's own costs half a second.
    """

    def __init__(self, dictionary: str) -> None:
        self.dictionary = dictionary
        self._tokenizer = _tokenizer(_NamedText(dictionary))
        self._remembered = lru_cache(REMEMBERED)(self._words)

    def words(self, text: str) -> list[str]:
        """Words of two characters or more, and the shorter words inside long ones (jieba's search mode)."""
        return list(self._remembered(text))

    def _words(self, text: str) -> tuple[str, ...]:
        cut = self._tokenizer.cut_for_search(fold(text), HMM=False)
        return tuple(word for word in cut if len(word) > 1 and _RUN.match(word))

    def cut(self, text: str) -> list[str]:
        """The text as a sequence of words, single characters and signs included."""
        return list(self._tokenizer.cut(text, HMM=False))


def _tokenizer(dictionary: BinaryIO | None = None) -> jieba.Tokenizer:
    """A jieba tokeniser over a dictionary, None: jieba's own, without jieba's cache file. That one is keyed by path
    and time alone, so an index that is copied back would meet a stale one, and it is a marshal file in a folder where
    others may write."""
    import jieba

    tokenizer = jieba.Tokenizer()
    with dictionary or tokenizer.get_dict_file() as file:
        tokenizer.FREQ, total = tokenizer.gen_pfdict(file)
    tokenizer.total = max(1, total)  # jieba takes its logarithm, also that of an empty dictionary
    tokenizer.initialized = True
    return tokenizer


class _NamedText(io.BytesIO):
    """jieba reads its dictionary from a named binary file."""

    name = "dictionary.txt"

    def __init__(self, text: str) -> None:
        super().__init__(text.encode("utf-8"))


def make_dictionary(texts: Sequence[str], terms: Iterable[str]) -> str:
    """The text of an index's dictionary (lines "word frequency"): what jieba's own dictionary finds in `texts`, and
    `terms`, which win over cuts inside them. Sorted, so that the same documents give the same bytes."""
    full = _tokenizer()
    seen = {word for text in texts for word in full.cut_for_search(fold(text), HMM=False)}
    frequency = {word: max(1, int(full.FREQ.get(word) or 1)) for word in seen if _RUN.match(word)}
    for term in terms:
        folded = fold(term)
        if len(folded) > 1 and not re.search(r"\s", folded) and folded not in frequency:
            frequency[folded] = max(1, int(full.suggest_freq(folded, tune=False)))
    return "".join(f"{word} {count}\n" for word, count in sorted(frequency.items()))


@dataclass(frozen=True)
class Postings:
    """One inverted list per term, in the three arrays of a CSR matrix (terms x chunks).

    `terms` sorted; `starts` (n_terms + 1,) int64; `chunks` and `counts` (n_entries,) int32; `lengths` (n_chunks,)
    float32: terms per chunk.
    """

    terms: tuple[str, ...]
    starts: NDArray[np.int64]
    chunks: NDArray[np.int32]
    counts: NDArray[np.int32]
    lengths: NDArray[np.float32]
    _position: dict[str, int] = field(init=False, repr=False, compare=False)
    _idf: NDArray[np.float64] = field(init=False, repr=False, compare=False)
    _saturated: NDArray[np.float32] = field(init=False, repr=False, compare=False)

    @staticmethod
    def of(documents: Sequence[Sequence[str]]) -> Postings:
        """Postings of chunks given as lists of terms."""
        entries: dict[str, list[tuple[int, int]]] = {}
        for position, terms in enumerate(documents):
            for term, count in Counter(terms).items():
                entries.setdefault(term, []).append((position, count))
        ordered = sorted(entries)
        flat = [pair for term in ordered for pair in entries[term]]
        starts = np.cumsum([0] + [len(entries[term]) for term in ordered], dtype=np.int64)
        return Postings(
            tuple(ordered),
            starts,
            np.array([chunk for chunk, _ in flat], dtype=np.int32),
            np.array([count for _, count in flat], dtype=np.int32),
            np.array([len(terms) for terms in documents], dtype=np.float32),
        )

    def __post_init__(self) -> None:
        object.__setattr__(self, "_position", {term: i for i, term in enumerate(self.terms)})
        mean = float(self.lengths.mean()) if len(self.lengths) else 0.0
        norm = K1 * (1 - B + B * self.lengths / max(mean, 1e-9))
        counts = self.counts.astype(np.float32)
        object.__setattr__(self, "_saturated", counts * (K1 + 1) / (counts + norm[self.chunks]))
        object.__setattr__(self, "_idf", self._idf_of(np.diff(self.starts)))

    def _idf_of(self, held: Any) -> Any:
        return np.log1p((len(self.lengths) - held + 0.5) / (held + 0.5))

    def idf(self, term: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)), n chunks of N holding the term; a term of no chunk counts as n = 0."""
        position = self._position.get(term)
        return float(self._idf_of(0) if position is None else self._idf[position])

    def scores(self, weights: Mapping[str, float]) -> NDArray[np.float32]:
        """BM25 of every chunk (n_chunks,) for a question given as term -> weight (1 for a word of the question).

        sum over terms of weight * idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)):
        Robertson & Zaragoza, The Probabilistic Relevance Framework (2009), eq. 3.15, with the idf of Lucene.
        """
        result = np.zeros(len(self.lengths), dtype=np.float32)
        for term, weight in weights.items():
            position = self._position.get(term)
            if position is None:
                continue
            span = slice(self.starts[position], self.starts[position + 1])
            result[self.chunks[span]] += np.float32(weight * self._idf[position]) * self._saturated[span]
        return result
