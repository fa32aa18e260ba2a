"""What several tabs draw: places, marked words, the header."""

from __future__ import annotations

import pytest

from index.types import Document
from page import drawing
from tests.markup import Reader


@pytest.mark.parametrize(
    ("lines", "shown"),
    [((5,), "第5行"), ((63, 65, 66), "第63、65–66行"), ((9, 7, 8), "第7–9行"), ((4, 4), "第4行")],
)
def test_line_numbers(lines: tuple[int, ...], shown: str) -> None:
    assert drawing.line_numbers(lines) == shown


@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        ([], "甲乙丙丁"),
        ([(1, 3)], "甲<mark>乙丙</mark>丁"),
        ([(2, 2)], "甲乙丙丁"),
        ([(2, 3), (0, 1)], "<mark>甲</mark>乙<mark>丙</mark>丁"),
        ([(0, 3), (1, 2)], "<mark>甲乙丙</mark>丁"),
        ([(0, 2), (1, 4)], "<mark>甲乙</mark><mark>丙丁</mark>"),
    ],
)
def test_marked_words(spans: list[tuple[int, int]], shown: str) -> None:
    assert drawing.render_marked("甲乙丙丁", spans) == shown


@pytest.mark.parametrize("span", [(3, 5), (-1, 2), (3, 2)])
def test_a_span_outside_the_text_is_an_error(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        drawing.render_marked("甲乙丙丁", [span])


def test_the_header_names_the_documents_and_folds_a_long_list() -> None:
    documents = [Document(str(n), f"第{n}号文件<b>", "x", "0", ()) for n in range(5)]
    assert (
        Reader(drawing.render_header(documents[:1], "原文摘录")).text
        == f"第0号文件<b>{drawing.PROMISE}回答方式：原文摘录"
    )
    many = drawing.render_header(documents, "原文摘录")
    assert "已收录 5 份文件" in many
    assert "<details>" in many


def test_line_breaks_are_kept() -> None:
    assert Reader(drawing.escape("一\n\n二\r\n三")).text == "一\n\n二\n三"
