"""A language model's opinion of a run, beside the marking: python -m eval judge DIR --llm …

Never part of the figures: the marking goes by key points and places, which do not change with the model. Where the two
differ, one of them is wrong, and a person should look.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from eval.compare import read_run
from rag.generate.model import Message, Model, written_by
from rag.prompts import render

RIGHT, WRONG = "对", "错"
UNANSWERABLE = "文件没有写明，应当说明没有写明"
TOKENS = 8


@dataclass(frozen=True)
class Opinion:
    """What the model said of one question: `opinion` is 对, 错, or "" where it said neither."""

    id: str
    question: str
    verdict: str
    opinion: str

    @property
    def agrees(self) -> bool:
        return self.opinion == (RIGHT if self.verdict == "right" else WRONG)


def judge(folder: Path, model: Model, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Opinion]:
    """Ask the model about every row of a run and write judge.jsonl beside it. Raises RecordError, and what the model
    raises: a judge that fails in the middle has said nothing."""
    rows = read_run(folder).rows
    opinions: list[Opinion] = []
    for done, row in enumerate(rows, 1):
        expected = row.get("expected") or UNANSWERABLE
        asked = render("llm_judge", question=row["question"], expected=expected, answer=row["answer"])
        said = written_by(model, [Message("user", asked)], None, TOKENS)
        opinion = next((character for character in said if character in (RIGHT, WRONG)), "")
        opinions.append(Opinion(row["id"], row["question"], row["verdict"], opinion))
        progress(done, len(rows))
    part = folder / f".judge.jsonl.part-{os.getpid()}"
    lines = [json.dumps(vars(one) | {"agrees": one.agrees}, ensure_ascii=False) for one in opinions]
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.replace(folder / "judge.jsonl")
    return opinions


def told(opinions: list[Opinion]) -> str:
    """The opinions in a few lines."""
    spoken = [one for one in opinions if one.opinion]
    right = sum(one.opinion == RIGHT for one in spoken)
    agreeing = sum(one.agrees for one in spoken)
    share = f"{100 * agreeing / len(spoken):.1f}%" if spoken else "—"
    lines = [f"模型评了 {len(spoken)}/{len(opinions)} 题，认为对的 {right} 题；与评分一致 {agreeing} 题（{share}）。"]
    for one in spoken:
        if not one.agrees:
            marked = RIGHT if one.verdict == "right" else WRONG
            lines.append(f"  {one.id}  评分{marked}，模型说{one.opinion}：{one.question}")
    return "\n".join(lines)
