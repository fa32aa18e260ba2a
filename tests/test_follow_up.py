"""What a model may do besides answering: word a follow-up, and prepare questions for a document."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from index.prepared import of_chunks, read_questions
from rag.errors import BatchError, GenerationError
from rag.expand import expand
from rag.follow_up import completed_by
from rag.generate.model import Message
from rag.pipeline import Pipeline
from rag.types import Turn
from tests.test_written import Dying, Scripted, says

FIRST = "石湾县新建多少高标准农田？"
THEN = "那柳川县呢？"


def history(pipeline: Pipeline) -> list[Turn]:
    return [Turn(FIRST, pipeline.ask(FIRST).text)]


def test_a_model_words_the_follow_up(yunze: Pipeline) -> None:
    model = Scripted(says("柳川县新建多少高标准农田？"))
    answer = replace(yunze, complete=partial(completed_by, model)).ask(THEN, history(yunze))
    assert answer.completed == "柳川县新建多少高标准农田?"
    assert "8.5万亩" in answer.text
    assert answer.question == THEN
    assert FIRST in model.asked[0][0].content


@pytest.mark.parametrize(
    "worded",
    [
        "", "柳川县2035年新建多少高标准农田？", "昆明市滇池环湖湿地公园开放时间是什么时候？",
        "柳川县\n新建多少高标准农田？", "柳川县新建多少高标准农田" * 10,
    ],
)  # fmt: skip
def test_wording_that_was_not_said_is_not_taken(yunze: Pipeline, worded: str) -> None:
    model = Scripted(says(worded))
    assert completed_by(model, THEN, history(yunze)) is None
    plain = yunze.ask(THEN, history(yunze))
    answer = replace(yunze, complete=partial(completed_by, model)).ask(THEN, history(yunze))
    assert (answer.text, answer.completed) == (plain.text, plain.completed)


def test_without_the_model_the_plain_road_completes(yunze: Pipeline) -> None:
    assert completed_by(Dying("", GenerationError("断了。")), THEN, history(yunze)) is None


def test_a_question_of_its_own_is_not_given_to_the_model(yunze: Pipeline) -> None:
    model = Scripted(says("别的？"))
    replace(yunze, complete=partial(completed_by, model)).ask(FIRST)
    assert model.asked == []


# --- prepared questions


def ask_by_words(messages: Sequence[Message], call: int) -> str:
    """A question in the paragraph's own words, one with a figure from nowhere, one of another matter, no question."""
    words = messages[0].content.splitlines()[-1].split("。")[0].split("，")[0][:18]
    return f"1. {words}怎么样？\n2. {words}达到77.7%了吗？\n天上的月亮为什么在转呢？\n不是问题"


def test_questions_are_kept_where_they_find_their_paragraph(yunze: Pipeline, tmp_path: Path) -> None:
    out = tmp_path / "q.jsonl"
    seen: list[tuple[int, int]] = []
    kept = expand(yunze, Scripted(ask_by_words), out, lambda done, total: seen.append((done, total)))
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    questions = [question for row in rows for question, _, _ in row["questions"]]
    assert len(questions) == kept > 5
    assert all(question.endswith("怎么样？") for question in questions)
    # they are what an index takes up beside its document
    taken = of_chunks(yunze.index.chunks, read_questions(out))
    assert [one.question for _, one in taken] == questions
    for position, one in taken:
        words = one.question.removesuffix("怎么样？")
        assert words[:4] in yunze.index.chunks[position].text
    assert seen[-1] == (len(rows), len(rows))


def test_it_goes_on_where_it_was_interrupted(yunze: Pipeline, tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    expand(yunze, Scripted(ask_by_words), whole)
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    part = tmp_path / "part.jsonl"
    part.write_text("".join(lines[:4]) + lines[4][:15], encoding="utf-8")
    model = Scripted(ask_by_words)
    expand(yunze, model, part)
    assert part.read_text(encoding="utf-8") == whole.read_text(encoding="utf-8")
    assert len(model.asked) == len(lines) - 4


def test_other_files_are_left_alone(yunze: Pipeline, tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"\.jsonl"):
        expand(yunze, Scripted(ask_by_words), tmp_path / "q.txt")
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": 1}\n', encoding="utf-8")
    with pytest.raises(BatchError, match="不是本命令写的问题"):
        expand(yunze, Scripted(ask_by_words), other)
    assert other.read_text(encoding="utf-8") == '{"id": 1}\n'
