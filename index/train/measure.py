"""Retrieval measures: of all passages, is the right one among the first k?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.train.corpus import Prepared

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class RetrievalSet:
    """`gold[i]` is the passage that answers `questions[i]`; a passage is found by the best of its texts, and
    `owner[j]` is the passage of `texts[j]`, ascending."""

    name: str
    questions: tuple[str, ...]
    gold: tuple[int, ...]
    texts: tuple[str, ...]
    owner: tuple[int, ...]


def reading_set(path: Path) -> RetrievalSet:
    """Lines {"text", "qas": [{"question"}]} -> questions over the paragraphs. Raises OSError, KeyError."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    asked = [(qa["question"], position) for position, row in enumerate(rows) for qa in row["qas"]]
    questions, gold = zip(*asked, strict=True)
    return RetrievalSet(path.stem, questions, gold, tuple(row["text"] for row in rows), tuple(range(len(rows))))


def prepared_set(name: str, passages: Sequence[Prepared], asked: Sequence[Prepared]) -> RetrievalSet:
    """The questions of `asked` over `passages`, each found as a whole or by a sentence."""
    position = {passage: number for number, passage in enumerate(passages)}
    texts = [(text, number) for passage, number in position.items() for text in (*passage.wholes, *passage.sentences)]
    questions = [(question, position[passage]) for passage in asked for question in passage.questions]
    return RetrievalSet(
        name,
        tuple(question for question, _ in questions),
        tuple(number for _, number in questions),
        tuple(text for text, _ in texts),
        tuple(number for _, number in texts),
    )


def ranks(measured: RetrievalSet, embed: Embed) -> NDArray[np.int64]:
    """The rank from 1 of each question's passage by cosine; ties count against it."""
    starts = np.unique(np.array(measured.owner), return_index=True)[1]
    scores = np.maximum.reduceat(embed(measured.questions) @ embed(measured.texts).T, starts, axis=1)
    of_gold = scores[np.arange(len(measured.gold)), list(measured.gold)]
    found: NDArray[np.int64] = (scores >= of_gold[:, None]).sum(axis=1)
    return found


def recall_line(measured: RetrievalSet, embed: Embed) -> str:
    """Recall at 1, 5 and 10: the share of questions whose passage is among the first k."""
    found = ranks(measured, embed)
    shares = "  ".join(f"@{k} {(found <= k).mean():.3f}" for k in (1, 5, 10))
    return f"{measured.name} ({len(found)} questions, {len(set(measured.owner))} passages): recall {shares}"
