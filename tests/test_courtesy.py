"""Phrases that ask nothing: what counts as one, and what is said to it."""

from __future__ import annotations

import pytest

from rag.courtesy import courtesy
from rag.pipeline import Pipeline
from rag.types import Turn
from rag.understand import clean


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("你好", "hello"),
        ("您好！", "hello"),
        ("在吗？", "hello"),
        ("上午好", "hello"),
        ("谢谢", "thanks"),
        ("好的，谢谢你了。", "thanks"),
        ("辛苦了", "thanks"),
        ("再见", "bye"),
        ("你是谁？", "about"),
        ("你好，你是谁", "about"),
        ("你能做什么", "about"),
        ("您可以回答哪些问题？", "about"),
        ("這個工具怎麼用", "about"),
        ("我可以问什么问题", "about"),
    ],
)
def test_a_message_of_nothing_but_such_phrases_is_known_by_its_kind(message: str, kind: str) -> None:
    assert courtesy(clean(message)) == kind


@pytest.mark.parametrize(
    "question",
    [
        "你好，2030年森林覆盖率是多少？",
        "怎么用？",
        "资金怎么用",
        "好在哪里",
        "谁负责",
        "他是谁",
        "这是什么规划",
        "农民能做什么",
        "可以问哪个部门",
    ],
)
def test_a_question_is_none(question: str) -> None:
    assert courtesy(clean(question)) == ""


@pytest.mark.parametrize("message", ["你好", "谢谢！", "你是谁？", "你能做什么"])
def test_it_is_told_what_can_be_asked_and_nothing_is_cited(yunze: Pipeline, message: str) -> None:
    answer = yunze.ask(message)
    assert answer.status == "refused"
    assert (answer.citations, answer.completed) == ((), None)
    assert all(f"· {example}" in answer.text for example in yunze.examples()[:3])
    assert "最接近" not in answer.text


def test_examples_with_figures_of_their_own_pass_the_check(shipped: Pipeline) -> None:
    answer = shipped.ask("你好")
    assert any(character.isdigit() for character in answer.text)
    assert all(check.ok for check in answer.checks)
    assert shipped.examples()[0] in answer.text


def test_thanks_in_a_conversation_are_no_follow_up(yunze: Pipeline) -> None:
    history = [Turn("2030年森林覆盖率是多少？", "27.5%")]
    assert yunze.ask("谢谢", history).text == yunze.ask("谢谢").text


@pytest.mark.parametrize("question", ["您好，请问2030年森林覆盖率是多少？", "2030年森林覆盖率是多少？谢谢！"])
def test_a_greeting_around_a_question_changes_nothing(yunze: Pipeline, question: str) -> None:
    plain = yunze.ask("2030年森林覆盖率是多少？")
    answer = yunze.ask(question)
    assert (answer.text, answer.status) == (plain.text, plain.status)
