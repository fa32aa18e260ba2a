"""Values as HTML: what several tabs draw. Everything that users or documents wrote is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import groupby

from index.outline import EDITOR_MARK
from index.types import Document
from rag.pipeline import SourceLine

PROMISE = "答案逐字引自原文；规划没有写明的不作答。"


def escape(text: str) -> str:
    """Text as HTML on a single line: the chat takes a message for Markdown, and leaves a block of HTML alone only as
    far as the next line break."""
    return re.sub(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", "<br>", html.escape(text))


def tag(text: str, kind: str, title: str = "") -> str:
    tooltip = f' title="{escape(title)}"' if title else ""
    return f'<span class="tag {kind}"{tooltip}>{escape(text)}</span>'


def line_numbers(lines: Sequence[int]) -> str:
    """第63、65–70行: line numbers in ascending order, neighbours joined."""
    runs = [
        [line for _, line in run] for _, run in groupby(enumerate(sorted(set(lines))), lambda pair: pair[1] - pair[0])
    ]
    return "第" + "、".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs) + "行"


def render_place(section: Sequence[str], lines: Sequence[int], page: int | None) -> str:
    """Section path, lines and page; a title that an editor supplied is marked as not being the document's own."""
    titles = []
    for title in section:
        words = escape(title.replace(EDITOR_MARK, ""))
        editor = tag("拟题", "editor", "原文此处缺标题，由整理者拟定") if EDITOR_MARK in title else ""
        titles.append(f"<span>{words}{editor}</span>")
    path = f'<span class="path">{" › ".join(titles)}</span>' if titles else ""
    pages = f"（第{page}页）" if page is not None else ""
    return f'<div class="place">{path}<span class="lines">{line_numbers(lines)}{pages}</span></div>'


def render_marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with the half-open `spans` in <mark>; overlapping ones become one. ValueError: a span outside it."""
    pieces, done = [], 0
    for start, end in sorted(spans):
        if not 0 <= start <= end <= len(text):
            raise ValueError(f"span {start}:{end} outside a text of {len(text)} characters")
        start = max(start, done)
        if start < end:
            pieces.append(f"{escape(text[done:start])}<mark>{escape(text[start:end])}</mark>")
            done = end
    return "".join(pieces) + escape(text[done:])


def render_source(lines: Sequence[SourceLine]) -> str:
    """The source of one citation: its paragraphs, or column and cell of a table row, with the quoted words marked."""
    if any(line.column for line in lines):
        cells = "".join(
            f"<tr><th>{escape(cell.column)}</th><td>{render_marked(cell.text, cell.marked)}</td></tr>" for cell in lines
        )
        return f'<table class="row">{cells}</table>'
    return "".join(f'<p class="original">{render_marked(line.text, line.marked)}</p>' for line in lines)


def render_header(documents: Sequence[Document], backend: str) -> str:
    names = [f"<span>{escape(document.title)}</span>" for document in documents]
    if len(names) > 3:
        head = f"<h1>规划问答</h1><details><summary>已收录 {len(names)} 份文件</summary>{'<br>'.join(names)}</details>"
    else:
        head = f"<h1>{'<br>'.join(names)}</h1>"
    return f"<header>{head}<p>{PROMISE}回答方式：{escape(backend)}</p></header>"
