"""Prepared questions: what people may ask that a passage answers, written or generated beforehand (doc2query: Nogueira
et al. 2019, https://arxiv.org/abs/1904.08375) and indexed as further keys that lead to it. They are never shown, and no
answer is taken from them.

They stand beside a document in `<name>.questions.jsonl`, a line for each passage:

    {"passage": "1f3a…", "line": 256, "questions": [["粮食一年要打多少", 0, 24], …]}

`passage` is the hash of the passage's text, so that a passage whose words have changed loses its questions; `line` is
for people. A question is answered by the stretch [start, end) of the passage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import DocumentError
from index.store import text_hash
from index.types import Chunk

ENDING = ".questions.jsonl"


@dataclass(frozen=True)
class Prepared:
    """A question that passage.text[start:end] answers."""

    question: str
    start: int
    end: int


def questions_file(source: Path) -> Path | None:
    """The prepared questions beside a document, None where there are none."""
    beside = source.with_name(source.stem + ENDING)
    return beside if beside.is_file() else None


def passage_hash(chunk: Chunk) -> str:
    return text_hash(chunk.text).decode("ascii")


def read_questions(path: Path) -> dict[str, tuple[Prepared, ...]]:
    """Hash of a passage -> its questions. Raises DocumentError for a line of another shape."""
    found: dict[str, tuple[Prepared, ...]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            questions = tuple(Prepared(str(text), int(start), int(end)) for text, start, end in row["questions"])
            found[str(row["passage"])] = (*found.get(str(row["passage"]), ()), *questions)
        except (ValueError, KeyError, TypeError) as error:
            raise DocumentError(
                f'{path.name} 第 {number} 行应为 {{"passage": …, "questions": [[问题, 起, 止], …]}}（{error!r}）：'
                "请更正，或删去该行。"
            ) from error
    return found


def of_chunks(chunks: Sequence[Chunk], questions: Mapping[str, Sequence[Prepared]]) -> list[tuple[int, Prepared]]:
    """Position of a chunk -> a question to it, for every question whose passage is among the chunks and reaches as far
    as it says."""
    return [
        (position, one)
        for position, chunk in enumerate(chunks)
        for one in questions.get(passage_hash(chunk), ())
        if 0 <= one.start < one.end <= len(chunk.text)
    ]
