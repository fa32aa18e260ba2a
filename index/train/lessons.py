"""Pairs to learn from: a question and the passage it should find."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from index.train.corpus import Entry

Ids = list[int]


@dataclass(frozen=True)
class Pair:
    """A question, and the token ids of a passage that answers it."""

    question: Ids | str
    passage: Ids


@dataclass(frozen=True)
class Occurrence:
    """A lexicon term in an article: where it stands, and the everyday words for it."""

    article: int
    sentence: int
    start: int
    term: str
    words: tuple[str, ...]


def cloze(article: Sequence[Ids], rng: random.Random, kept: float = 0.5) -> Pair:
    """A stretch of 3 to 20 words of a sentence <-> the article, the sentence itself `kept` in it half of the time: the
    inverse cloze task (Lee, Chang and Toutanova 2019, https://aclanthology.org/P19-1612)."""
    chosen = rng.choice([position for position, sentence in enumerate(article) if sentence])
    sentence = article[chosen]
    length = min(len(sentence), rng.randint(3, 20))
    start = rng.randint(0, len(sentence) - length)
    rest = [token for position, other in enumerate(article) if position != chosen for token in other]
    if not rest or rng.random() < kept:
        rest += sentence
    return Pair(sentence[start : start + length], rest)


def occurrences(articles: Sequence[Sequence[str]], lexicon: Sequence[Entry], limit: int = 60) -> list[Occurrence]:
    """Where the lexicon's terms stand in the articles, the longest term first, `limit` times each at most."""
    words = defaultdict(list)
    for entry in lexicon:
        for term in entry.terms:
            words[term].append(entry.word)
    any_term = re.compile("|".join(map(re.escape, sorted(words, key=lambda term: (-len(term), term)))))
    seen: Counter[str] = Counter()
    found: list[Occurrence] = []
    for i, article in enumerate(articles):
        for j, sentence in enumerate(article):
            for match in any_term.finditer(sentence):
                term = match.group()
                seen[term] += 1
                if seen[term] <= limit:
                    found.append(Occurrence(i, j, match.start(), term, tuple(words[term])))
    return found


def reworded(
    at: Occurrence, articles: Sequence[Sequence[str]], ids: Sequence[Sequence[Ids]], rng: random.Random
) -> Pair:
    """A stretch around a term, the term replaced by an everyday word for it <-> the sentence, or its article."""
    text = articles[at.article][at.sentence]
    end = at.start + len(at.term)
    before = text[max(0, at.start - rng.randint(0, 12)) : at.start]
    after = text[end : end + rng.randint(0, 12)]
    sentence = ids[at.article][at.sentence]
    whole = [token for other in ids[at.article] for token in other]
    return Pair(before + rng.choice(at.words) + after, rng.choice([sentence, whole]))


def drop(ids: Ids, share: float, rng: random.Random) -> Ids:
    """Leave out a share of the tokens, so that no single word carries the match; never all of them."""
    return [token for token in ids if rng.random() >= share] or ids
