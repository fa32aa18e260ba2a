"""Lists of questions: jsonl in, jsonl out, row by row in the same order.

A row that cannot be answered (an empty question, say) is marked "error" and the run goes on; a file that cannot be
read is refused before the first answer. The output is written beside its place and renamed when it is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import UserError
from rag.errors import BatchError
from rag.pipeline import Pipeline
from rag.types import Answer, Citation, Passage, Turn


@dataclass(frozen=True)
class Row:
    """A question of a list. `id` is the row's own, or the number of its line."""

    id: str | int
    question: str
    history: tuple[Turn, ...] = ()


def read_rows(path: Path) -> list[Row]:
    """The questions of a jsonl file; blank lines are passed over. Raises BatchError naming the line that is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise BatchError(f"没有找到问题文件 {path}：请核对文件名。") from error
    except UnicodeDecodeError as error:
        raise BatchError(f"问题文件 {path} 应为 UTF-8 编码，实际不是：请另存为 UTF-8 后重试。") from error
    except OSError as error:
        raise BatchError(f"问题文件 {path} 读不出（{error.strerror or error}）：请检查文件和读权限。") from error
    rows = [_row(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not rows:
        raise BatchError(f"问题文件 {path} 是空的：每行应为一个 JSON 对象，至少有 question 字段。")
    return rows


def _row(path: Path, number: int, line: str) -> Row:
    try:
        row = json.loads(line)
        history = tuple(Turn(turn["question"], turn["answer"]) for turn in row.get("history") or ())
        question, row_id = row["question"], row.get("id")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BatchError(
            f"{path} 第 {number} 行应为带 question 字段的 JSON 对象（history 若有，是 question、answer 的列表），"
            f"实际读到“{line[:40]}”：请更正这一行。"
        ) from error
    for said in (question, *(words for turn in history for words in (turn.question, turn.answer))):
        if not isinstance(said, str):
            raise BatchError(f"{path} 第 {number} 行的问题和回答应为文字，实际是 {said!r}：请更正这一行。")
    return Row(str(number) if row_id is None else row_id if isinstance(row_id, int) else str(row_id), question, history)


def answer_rows(pipeline: Pipeline, rows: list[Row]) -> Iterator[dict[str, Any]]:
    """One record for each row, as written to jsonl."""
    for row in rows:
        try:
            answer = pipeline.ask(row.question, row.history)
        except UserError as error:
            yield {
                "id": row.id,
                "question": row.question,
                "answer": "",
                "status": "error",
                "citations": [],
                "retrieved": [],
                "confidence": 0.0,
                "backend": pipeline.backend,
                "seconds": 0.0,
                "error": str(error),
            }
        else:
            yield record(row.id, answer)


def record(row_id: str | int, answer: Answer) -> dict[str, Any]:
    """An answer as a JSON object, with its citations and what was retrieved."""
    return {
        "id": row_id,
        "question": answer.question,
        "answer": answer.text,
        "status": answer.status,
        "citations": [_citation(citation) for citation in answer.citations],
        "retrieved": [_passage(passage) for passage in answer.passages],
        "confidence": answer.confidence,
        "backend": answer.backend,
        "seconds": answer.seconds,
    }


def _citation(citation: Citation) -> dict[str, Any]:
    return {
        "n": citation.n,
        "doc": citation.doc,
        "lines": list(citation.lines),
        "section": list(citation.section),
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        **({"page": citation.page} if citation.page is not None else {}),
    }


def _passage(passage: Passage) -> dict[str, Any]:
    return {"doc": passage.chunk.doc_id, "lines": list(passage.chunk.lines), "score": passage.score}


def run(
    pipeline: Pipeline, source: Path, out: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Answer the questions of `source` into `out`; returns how many rows ended in an error.

    Raises BatchError for a list that cannot be read, another ending than .jsonl, or a place that cannot be written.
    """
    for path in (source, out):
        if path.suffix.lower() != ".jsonl":
            raise BatchError(f"批量问答读写 jsonl 文件，收到“{path.name}”：请用 .jsonl 结尾的文件名。")
    rows = read_rows(source)
    if out.is_dir():
        raise BatchError(f"写不进 {out}（这是一个文件夹）：请给出一个 .jsonl 文件名。")
    part = out.with_name(f".{out.name}.part-{os.getpid()}")
    failed = 0
    try:
        # Half of a surrogate pair, which JSON can hold and UTF-8 cannot, is written as JSON writes it: \\ud83d.
        with part.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for done, answered in enumerate(answer_rows(pipeline, rows), 1):
                file.write(json.dumps(answered, ensure_ascii=False) + "\n")
                file.flush()
                failed += answered["status"] == "error"
                progress(done, len(rows))
        part.replace(out)
    except OSError as error:
        raise BatchError(f"写不进 {out}（{error.strerror or error}）：请检查文件夹、写权限和磁盘空间。") from error
    finally:
        if os.path.exists(part):  # False, where Path.exists raises, for a name that no file system takes
            part.unlink()
    return failed
