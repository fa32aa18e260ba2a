"""The values that pass between the steps of the write side. Frozen, equal when their content is equal; text is always
verbatim: what is added for embedding goes into the embedding input, never into `text`.

Offsets are half-open and count characters (code points), line numbers count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SectionKind = Literal["document", "heading", "editor", "lead", "box", "residue"]
ChunkKind = Literal["paragraph", "heading", "item", "row", "note"]


@dataclass(frozen=True)
class Line:
    """One line of a document, without its line break.

    `heading` is the level that the file itself declares (Word style, Markdown #, HTML h1-h6), 0 where it declares
    none. `cells` are the cells of a table row of a file that has real tables (docx, html, md); `text` then holds them
    joined by " | ".
    """

    number: int
    text: str
    page: int | None = None
    heading: int = 0
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A file read into lines. `id` is unique within an index, `sha256` is of the file's bytes."""

    id: str
    title: str
    source: str
    sha256: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Section:
    """A titled stretch of one document, lines `first` to `last` inclusive, its sub-sections within.

    kind: "document" the root; "heading" a heading that stands in the text; "editor" a heading an editor supplied where
    the text lost its own (shown as 拟题); "lead" a paragraph with a lead title ("稳定粮食生产。…"); "box" a 专栏;
    "residue" page residue that is not text of the document.
    `path` holds the titles from the root's child down to this section, an editor's title marked 〔拟题〕; the root's is
    empty. `parent` is the position of the parent in the document's tuple of sections (pre-order), None for the root.
    A line belongs to the deepest section that covers it, and so to exactly one.
    """

    doc_id: str
    kind: SectionKind
    level: int
    title: str
    first: int
    last: int
    path: tuple[str, ...]
    parent: int | None


@dataclass(frozen=True)
class Cell:
    """A cell of a table row: `text` stands verbatim in line `line` at `start`. `column` is the header's text."""

    column: str
    text: str
    line: int
    start: int


@dataclass(frozen=True)
class Chunk:
    """A retrievable stretch of one document: a paragraph, an item of a 专栏, a table row, a heading or a note.

    `text` equals "\\n".join(lines first..last)[start:end], where first and last are the smallest and largest of
    `lines` that are consecutive; `lines` of a row may hold in front the line of a merged cell it shares with others.
    `section` is the path of the deepest section that covers it. `cells` is empty but for rows.
    `id` hashes document, lines, offsets and text (16 hex digits).
    """

    id: str
    doc_id: str
    kind: ChunkKind
    lines: tuple[int, ...]
    start: int
    end: int
    text: str
    section: tuple[str, ...]
    page: int | None = None
    cells: tuple[Cell, ...] = ()
