"""Prepared questions for one's own documents, written by a language model: python -m rag expand.

One jsonl line for each paragraph, in the form of index/prepared.py: put beside a document as `<name>.questions.jsonl`,
the next `python -m index build` takes them for further keys that lead to its paragraphs. A question is kept where it is
one, has no figure that the paragraph lacks, is answered by the documents, and finds its own paragraph among the first.
The command belongs to the read side because both the model and the search do, and the write side imports nothing of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from index.prepared import Prepared, passage_hash
from index.types import Chunk
from rag.errors import BatchError
from rag.generate.model import Message, Model, written_together
from rag.generate.number_lock import NumberLock
from rag.phrase import row_words
from rag.pipeline import Pipeline
from rag.prompts import render
from rag.understand import understand

SHORTEST = 30  # characters of a paragraph worth a question
FOUND = 3  # passages among which a question must find its own
TOKENS = 200
AT_ONCE = 32  # paragraphs whose questions are written before the next are begun
_QUESTION = re.compile(r"[\u3400-\u9fff][^\n]{4,58}[？?]")
_NUMBER = re.compile(r"^\s*(?:\d{1,2}[.、)）．]|[-*•])\s*")


def expand(
    pipeline: Pipeline, model: Model, out: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Write the questions of every paragraph to `out`, going on where an earlier run stopped; returns how many
    questions were kept. Raises BatchError, and what the model raises: what was written before stays."""
    if out.suffix.lower() != ".jsonl":
        raise BatchError(f"问题写成 jsonl 文件，收到“{out.name}”：请用 .jsonl 结尾的文件名。")
    done = _done(out)
    chunks = [chunk for chunk in pipeline.index.chunks if len(chunk.text) >= SHORTEST]
    left = [chunk for chunk in chunks if passage_hash(chunk) not in done]
    kept = 0
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("a", encoding="utf-8") as file:
            for number, (chunk, text) in enumerate(_written(model, left), len(chunks) - len(left) + 1):
                questions = good(pipeline, chunk, text)
                kept += len(questions)
                row = {
                    "passage": passage_hash(chunk),
                    "line": min(chunk.lines),
                    "questions": [[one.question, one.start, one.end] for one in questions],
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                progress(number, len(chunks))
    except OSError as error:
        raise BatchError(f"写不进 {out}（{error.strerror or error}）：请检查文件夹、写权限和磁盘空间。") from error
    return kept


def good(pipeline: Pipeline, chunk: Chunk, text: str) -> list[Prepared]:
    """The questions of a model's reply that may be kept, each with the sentence that answers it best."""
    lock = NumberLock([words_of(chunk)], 0)
    found: dict[str, Prepared] = {}
    for line in text.splitlines():
        question = _NUMBER.sub("", line).strip()
        if question in found or _QUESTION.fullmatch(question) is None or not lock.admits(question):
            continue
        passages, selection, verdict = pipeline.search(understand(question, (), pipeline.frame))
        if verdict.answered and any(passage.chunk.id == chunk.id for passage in passages[:FOUND]):
            own = (one for one in selection.evidence if one.passage.chunk.id == chunk.id)
            best = next(own, None)
            start, end = (best.start, best.end) if best is not None else (0, len(chunk.text))
            found[question] = Prepared(question, start, end)
    return list(found.values())


def words_of(chunk: Chunk) -> str:
    return row_words(chunk) if chunk.cells else chunk.text


def _written(model: Model, chunks: list[Chunk]) -> Iterator[tuple[Chunk, str]]:
    """Each paragraph with what the model wrote for it, several written at once where the model can."""
    for first in range(0, len(chunks), AT_ONCE):
        some = chunks[first : first + AT_ONCE]
        prompts = [
            ([Message("user", render("llm_questions", passage=words_of(chunk)))], NumberLock([words_of(chunk)], 0))
            for chunk in some
        ]
        yield from zip(some, written_together(model, prompts, TOKENS), strict=True)


def _done(out: Path) -> set[str]:
    """The hashes of the paragraphs that a file holds already; a last line that was cut short is taken out."""
    if not out.exists():
        return set()
    rows: list[dict[str, Any]] = []
    whole = ""
    for line in out.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
        whole += line
    out.write_text(whole, encoding="utf-8")
    try:
        return {str(row["passage"]) for row in rows}
    except (KeyError, TypeError) as error:
        raise BatchError(f"{out} 里不是本命令写的问题：请用 --out 给出另一个文件名。") from error
