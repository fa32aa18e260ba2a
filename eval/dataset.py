"""Question sets: rows of jsonl as described in eval/sets/README.md, and how an answer's words are matched to a row.

Reading takes a row as it is; whether it is true of its document is checked in eval/check.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index.errors import UserError
from rag.types import Turn

SETS = Path(__file__).resolve().parent / "sets"


class SetError(UserError):
    """A question set has a row that cannot be used."""


@dataclass(frozen=True)
class Slots:
    """The figure that a right answer states, as written in the document: "145", "万吨", "2025" (or "2021-2025"), and
    its comparator and basis as in the register of targets. Where it states several of one unit, their values are
    joined by ";", and so are their indicators."""

    indicator: str
    value: str
    unit: str
    year: str
    comparator: str
    basis: str

    @property
    def parts(self) -> tuple[Slots, ...]:
        """The slots of each figure."""
        values, names = self.value.split(";"), self.indicator.split(";")
        if len(names) != len(values):
            names = [self.indicator] * len(values)
        return tuple(replace(self, indicator=n, value=v) for n, v in zip(names, values, strict=True))


@dataclass(frozen=True)
class Question:
    """A row of a set.

    `gold_lines` are groups of source lines: an answer needs one line of every group; `alt_gold_lines` are other lines
    that answer as well where there is one group. `must_include` are groups of wordings: an answer holds one of every
    group. `answer` is a right answer in a sentence, for people; `slots` stand where the question is about one figure.
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
    answer: str = ""
    slots: Slots | None = None

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
    for number, line in numbered_lines(path):
        try:
            questions.append(question_of(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SetError(f"{path.name} 第 {number} 行不能用（{error!r}）：请按 eval/sets/README.md 更正。") from error
    return questions


def numbered_lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a set that are not blank, with their numbers. Raises SetError where there are none to read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SetError(f"没有找到题集 {path}：请核对文件名。") from error
    except UnicodeDecodeError as error:
        raise SetError(f"题集 {path} 应为 UTF-8 编码，实际不是：请另存为 UTF-8 后重试。") from error
    except OSError as error:
        raise SetError(f"题集 {path} 读不出（{error.strerror or error}）：请给出一个 jsonl 文件。") from error
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise SetError(f"题集 {path} 是空的：每行应为一个 JSON 对象，格式见 eval/sets/README.md。")
    return lines


def question_of(row: dict[str, Any]) -> Question:
    """A row as a Question. Raises KeyError, TypeError, ValueError or AttributeError where it has not the shape."""
    slots = row.get("slots")
    return Question(
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
        answer=row.get("answer", ""),
        slots=Slots(**{name: slots[name] for name in Slots.__dataclass_fields__}) if slots else None,
    )


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
