"""Question sets: rows of jsonl as described in eval/sets/README.md, and how an answer's words are matched to a row."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from index.errors import UserError
from rag.types import Turn

SETS = Path(__file__).resolve().parent / "sets"


class SetError(UserError):
    """A question set has a row that cannot be used."""


@dataclass(frozen=True)
class Question:
    """A row of a set.

    `gold_lines` are groups of source lines: an answer needs one line of every group; `alt_gold_lines` are other lines
    that answer as well where there is one group. `must_include` are groups of wordings: an answer holds one of every
    group.
    """

    id: str
    family: str
    wording: str
    type: str
    question: str
    history: tuple[Turn, ...]
    gold_lines: tuple[frozenset[int], ...]
    alt_gold_lines: tuple[frozenset[int], ...]
    must_include: tuple[tuple[str, ...], ...]
    must_not_include: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        return self.type != "unanswerable"

    @property
    def evidence(self) -> frozenset[int]:
        """Every line of every group."""
        return frozenset().union(*self.gold_lines, *self.alt_gold_lines)


def read_set(path: Path) -> list[Question]:
    """The questions of a set. Raises SetError with the line and the reason for a row that cannot be used."""
    questions: list[Question] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            questions.append(
                Question(
                    id=row["id"],
                    family=row.get("family", row["id"]),
                    wording=row.get("wording", ""),
                    type=row["type"],
                    question=row["question"],
                    history=tuple(Turn(turn["question"], turn["answer"]) for turn in row.get("history") or ()),
                    gold_lines=tuple(frozenset(group) for group in row["gold_lines"]),
                    alt_gold_lines=tuple(frozenset(group) for group in row.get("alt_gold_lines") or ()),
                    must_include=tuple(tuple(group) for group in row["must_include"]),
                    must_not_include=tuple(row["must_not_include"]),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SetError(f"{path.name} 第 {number} 行不能用（{error!r}）：请按 eval/sets/README.md 更正。") from error
    return questions


def plain(text: str) -> str:
    """Text as it is matched: without blanks and thousands commas, ％ as %."""
    return re.sub(r"[\s,，]", "", text).replace("％", "%")


def says(text: str, wording: str) -> bool:
    """Whether a wording stands in `text`, both made plain first; a figure in it never as part of a longer figure
    (70亿 is not in 170亿)."""
    option = plain(wording)
    left = r"(?<![\d.])" if option[:1].isdigit() else ""
    right = r"(?![\d]|\.\d)" if option[-1:].isdigit() else ""
    return re.search(left + re.escape(option) + right, plain(text)) is not None


def key_points(text: str, question: Question) -> float:
    """Share of the groups of `must_include` of which `text` says one wording; 0 where there are none."""
    groups = question.must_include
    return sum(any(says(text, wording) for wording in group) for group in groups) / len(groups) if groups else 0.0


def covered(question: Question, lines: Iterable[Collection[int]]) -> bool:
    """Whether places given by their lines touch every group of evidence; an alternative counts where there is one
    group."""
    places = [frozenset(place) for place in lines]
    hit = [any(group & place for place in places) for group in question.gold_lines]
    if len(hit) == 1 and not hit[0]:
        return any(group & place for group in question.alt_gold_lines for place in places)
    return all(hit)
