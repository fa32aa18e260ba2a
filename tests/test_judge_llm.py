"""A language model's opinion of a run, beside the marking."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.compare import RecordError
from eval.judge import judge, told
from rag.errors import GenerationError
from rag.generate.model import Message
from tests.test_compare import BEFORE, recorded
from tests.test_written import Dying, Scripted


def test_opinions_stand_beside_the_marking(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", BEFORE)

    def opinion(messages: Sequence[Message], call: int) -> str:
        return ["对。", "错", "我说不好", "对", "对", "错"][call - 1]

    model = Scripted(opinion)
    opinions = judge(folder, model)
    # In the order of ids; marked wrong: the first family's two and the second's, right: the others.
    assert [one.opinion for one in opinions] == ["对", "错", "", "对", "对", "错"]
    assert [one.agrees for one in opinions] == [False, True, False, True, True, False]
    text = told(opinions)
    assert text.startswith("模型评了 5/6 题，认为对的 3 题；与评分一致 3 题（60.0%）。")
    assert text.count("模型说") == 2
    written = [json.loads(line) for line in (folder / "judge.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["opinion"] for row in written] == [one.opinion for one in opinions]
    assert "标准答案：145万吨。" in model.asked[0][0].content


def test_a_judge_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = recorded(tmp_path / "run", BEFORE)
    with pytest.raises(GenerationError, match="断了"):
        judge(folder, Dying("对", GenerationError("断了。")))
    assert not (folder / "judge.jsonl").exists()
    with pytest.raises(RecordError):
        judge(tmp_path / "none", Scripted(lambda messages, call: "对"))
