"""Everyday words -> official words, for widening a question: 老百姓能活多大岁数 also looks for 人均预期寿命.

The lexicon is a data file, general for government planning, of nothing but words: index/sources/lexicon.tsv with the
columns everyday word, official words (joined by |), field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from pathlib import Path

from index.errors import DocumentError
from index.keyword import fold

LEXICON = Path(__file__).resolve().parent.parent / "index" / "sources" / "lexicon.tsv"
GAP = 3
GAPPED_WEIGHT = 0.6
FULL_LENGTH = 4
SHORT = 2


@dataclass(frozen=True)
class Lexicon:
    """`entries` maps a folded everyday word to its official words."""

    entries: Mapping[str, tuple[str, ...]]

    def expand(self, text: str, core: str) -> dict[str, float]:
        """Official words for the everyday words in a question -> weight in (0, 1].

        `core` is the question without its question words: short words are looked for in it alone (少 is not in 多少).

        A longer word says more of what is meant: the weight grows with its length up to FULL_LENGTH characters. A word
        whose characters stand in order with up to GAP others between (能活到多大岁数 for 活多大岁数) counts
        GAPPED_WEIGHT of that. A word inside a longer one that was found is passed over.
        """
        folded = fold(text)
        found: list[tuple[str, float]] = []
        for word in chain.from_iterable(self._beginning.get(character, ()) for character in {*folded, *core}):
            if word in (folded if len(word) > SHORT else core):
                found.append((word, 1.0))
            elif len(word) >= FULL_LENGTH and (width := _window(word, folded)) and width <= len(word) + GAP:
                found.append((word, GAPPED_WEIGHT))
        found.sort(key=lambda pair: (-len(pair[0]), pair[0]))
        weights: dict[str, float] = {}
        for position, (word, weight) in enumerate(found):
            if any(word in longer for longer, _ in found[:position]):
                continue
            official = self.entries[word]
            share = weight * min(1.0, len(word) / FULL_LENGTH) * (1.0 if len(official) == 1 else 0.75)
            for term in official:
                weights[term] = max(weights.get(term, 0.0), share)
        return weights

    @cached_property
    def _beginning(self) -> dict[str, list[str]]:
        """First character -> the everyday words that begin with it: most begin with none of a question."""
        found: dict[str, list[str]] = {}
        for word in self.entries:
            found.setdefault(word[0], []).append(word)
        return found


def _window(word: str, text: str) -> int | None:
    """Length of the shortest stretch of `text` that holds the characters of `word` in order; None where none does."""
    best: int | None = None
    start = text.find(word[0])
    while start >= 0:
        position = start
        for character in word[1:]:
            position = text.find(character, position + 1)
            if position < 0:
                return best
        if best is None or position - start + 1 < best:
            best = position - start + 1
        start = text.find(word[0], start + 1)
    return best


@cache
def load_lexicon(path: Path = LEXICON) -> Lexicon:
    """The lexicon file. Raises DocumentError for a line that does not have three columns."""
    entries: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 3 or not all(columns[:2]):
            raise DocumentError(
                f"{path.name} 第 {number} 行应有三列（口语、官方用语、领域），实际是“{line[:40]}”：请更正。"
            )
        word = fold(columns[0])
        entries[word] = tuple(dict.fromkeys([*entries.get(word, ()), *columns[1].split("|")]))
    return Lexicon(entries)
