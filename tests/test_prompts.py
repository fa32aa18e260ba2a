"""Fixed wordings: filled in strictly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.prompts import PROMPTS, lines, render


def test_a_wording_is_filled_in_without_its_last_line_break() -> None:
    assert render("completed", question="甲{乙}") == "理解为：甲{乙}"


@pytest.mark.parametrize("given", [{}, {"questions": "甲"}, {"question": "甲", "place": "乙"}])
def test_missing_and_unused_variables_are_errors(given: dict[str, str]) -> None:
    with pytest.raises(KeyError, match=r"prompts/completed\.txt wants \['question'\]"):
        render("completed", **given)


def test_a_wording_without_variables_takes_none() -> None:
    assert render("withdrawn")
    with pytest.raises(KeyError, match="reason"):
        render("withdrawn", reason="甲")


def test_an_unknown_wording_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        render("no_such_wording")


def test_lines_are_without_comments_and_blanks() -> None:
    assert lines("examples")
    assert not [line for line in lines("examples") if not line or line.startswith("#")]


@pytest.mark.parametrize("path", sorted(PROMPTS.glob("refusal*.txt")), ids=lambda path: path.stem)
def test_refusals_are_chinese_sentences_without_figures(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"[\u4e00-\u9fff]|\{reason\}", text)
    assert not re.search(r"\d", text)
