"""Sections -> chunks: paragraphs, headings, items of boxes, table rows and notes, each a verbatim stretch of the
document. Page residue and blank lines give none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from index.outline import heading_span
from index.sentences import clauses, sentences
from index.tables import Row, bare, flat_extent, is_rule, items, real_extent, rows
from index.types import Cell, Chunk, ChunkKind, Document, Line, Section

_LABEL = re.compile(r"(?:\d+[.．、])?\s*([^。:：,，;；]{2,25})[。:：]")
PARAGRAPH_LENGTH = 1200  # characters; a longer paragraph is split where its sentences end


def label_of(chunk: Chunk) -> str:
    """What a chunk says of itself before its first word on the matter: the label of an item (2.食品加工项目:…, or
    某县。…), else the last title above it, an editor's without its mark."""
    if chunk.kind == "item" and (label := _LABEL.match(chunk.text)):
        return label.group(1)
    return chunk.section[-1].removeprefix("〔拟题〕") if chunk.section else ""


def chunks(document: Document, sections: Sequence[Section]) -> tuple[Chunk, ...]:
    """The chunks of `document` in the order of their first own lines. `sections` is its outline in pre-order."""
    made: list[Chunk] = []
    for owner, at, until in _owned(document, sections):
        made += _section_chunks(document, sections, owner, at, until)
    return tuple(made)


def table_problems(document: Document, sections: Sequence[Section]) -> tuple[str, ...]:
    """What the tables of `document` hold that could not be read whole, named in Chinese (`Table.problems`)."""
    found: list[str] = []
    for owner, start, end in _owned(document, sections):
        for at, length in _stretches(document, sections, owner, start, end):
            found += rows(document.lines[at : at + length]).problems if length else ()
    return tuple(found)


def _owned(document: Document, sections: Sequence[Section]) -> Iterator[tuple[int, int, int]]:
    """The section at each run of lines [start, end) that has the same deepest one; page residue is left out."""
    deepest = _deepest(document, sections)
    at = 0
    while at < len(document.lines):
        owner = deepest[at]
        until = at
        while until < len(document.lines) and deepest[until] == owner:
            until += 1
        if sections[owner].kind != "residue":
            yield owner, at, until
        at = until


def _deepest(document: Document, sections: Sequence[Section]) -> list[int]:
    """For each line the position of its deepest section."""
    deepest = [0] * len(document.lines)
    for position, section in enumerate(sections):
        deepest[section.first - 1 : section.last] = [position] * (section.last - section.first + 1)
    return deepest


def _section_chunks(
    document: Document, sections: Sequence[Section], owner: int, start: int, end: int
) -> Iterator[Chunk]:
    """The chunks of lines[start:end], which all belong to the section at `owner`."""
    for at, length in _stretches(document, sections, owner, start, end):
        if length:
            yield from _table_chunks(document, document.lines[at : at + length], sections[owner].path)
        else:
            yield from _line_chunks(document, document.lines[at], sections, owner)


def _stretches(
    document: Document, sections: Sequence[Section], owner: int, start: int, end: int
) -> Iterator[tuple[int, int]]:
    """Where the tables and single lines of lines[start:end] begin, and how many lines a table has (0: a line)."""
    at = start
    while at < end:
        length = 0
        if not _is_heading(document.lines[at], sections, owner):
            length = real_extent(document.lines, at, end) or flat_extent(document.lines, at, end)
        yield at, length
        at += max(length, 1)


def _line_chunks(document: Document, line: Line, sections: Sequence[Section], owner: int) -> Iterator[Chunk]:
    whole = bare(line.text)
    if whole == (0, 0):
        return
    kind: ChunkKind = "paragraph"
    spans: tuple[tuple[int, int], ...] = (whole,)
    if _is_heading(line, sections, owner):
        kind, spans = "heading", (heading_span(line),)
    elif sections[owner].kind == "box":
        kind, spans = "item", items(line.text)
    for first, last in spans:
        for part in _split(line.text, first, last):
            yield _chunk(document, kind, (line.number,), *part, sections[owner].path)


def _is_heading(line: Line, sections: Sequence[Section], owner: int) -> bool:
    """Whether the whole line is the title of a section that begins with it."""
    position: int | None = owner
    while position is not None and sections[position].first == line.number:
        section = sections[position]
        if section.kind in ("heading", "box") and section.title == line.text[slice(*heading_span(line))]:
            return True
        position = section.parent
    return False


def _split(text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The span cut at sentence ends (a sentence too long by itself at its clauses) into parts of at most
    PARAGRAPH_LENGTH characters; a single clause is never cut."""
    if last - first <= PARAGRAPH_LENGTH:
        yield first, last
        return
    pieces: list[tuple[int, int]] = []
    for start, end in sentences(text[first:last]):
        if end - start > PARAGRAPH_LENGTH:
            pieces += [(first + start + a, first + start + b) for a, b in clauses(text[first + start : first + end])]
        else:
            pieces.append((first + start, first + end))
    part_first, part_last = pieces[0]
    for start, end in pieces[1:]:
        if end - part_first > PARAGRAPH_LENGTH:
            yield part_first, part_last
            part_first = start
        part_last = end
    yield part_first, part_last


def _table_chunks(document: Document, lines: Sequence[Line], path: tuple[str, ...]) -> Iterator[Chunk]:
    """One chunk a row; what is left (header, notes, cells of no row) as notes, a run of lines each."""
    table = rows(lines)
    by_line: dict[int, Row] = {row.first: row for row in table.rows}
    covered = {number for row in table.rows for number in _row_lines(row)}
    left: list[int] = []
    for line in lines:
        if line.number in covered or line.number in table.notes[:1]:
            yield from _note(document, left, path)
            left = []
        if line.number not in covered and bare(line.text)[1] and not is_rule(line):
            left.append(line.number)
        # A row may consist of cells without a word: nothing to find or to cite.
        if line.number in by_line and bare(line.text)[1]:
            yield _row_chunk(document, by_line[line.number], path)
    yield from _note(document, left, path)


def _row_lines(row: Row) -> tuple[int, ...]:
    """Lines of merged cells that stand before the row, then all lines of its own."""
    shared = sorted({cell.line for cell in row.cells if not row.first <= cell.line <= row.last})
    return (*shared, *range(row.first, row.last + 1))


def _row_chunk(document: Document, row: Row, path: tuple[str, ...]) -> Chunk:
    """The text is that of the row's own lines, also where the line of a merged cell stands just before them."""
    lines = _row_lines(row)
    own = _joined(document, range(row.first, row.last + 1))
    start, end = bare(own)
    before = len(_joined(document, lines)) - len(own)
    return _chunk(document, "row", lines, before + start, before + end, path, row.cells)


def _note(document: Document, numbers: Sequence[int], path: tuple[str, ...]) -> Iterator[Chunk]:
    if numbers:
        lines = tuple(range(numbers[0], numbers[-1] + 1))
        yield _chunk(document, "note", lines, *bare(_joined(document, lines)), path)


def _joined(document: Document, lines: Sequence[int]) -> str:
    """The text that a chunk's offsets count in: the consecutive lines that `lines` end with."""
    first = len(lines) - 1
    while first > 0 and lines[first - 1] == lines[first] - 1:
        first -= 1
    return "\n".join(document.lines[number - 1].text for number in lines[first:])


def _chunk(
    document: Document,
    kind: ChunkKind,
    lines: tuple[int, ...],
    start: int,
    end: int,
    path: tuple[str, ...],
    cells: tuple[Cell, ...] = (),
) -> Chunk:
    text = _joined(document, lines)[start:end]
    parts = f"{document.id}\n{','.join(map(str, lines))}\n{start}-{end}\n{text}"
    identity = hashlib.sha256(parts.encode()).hexdigest()[:16]
    page = document.lines[lines[-1] - 1].page
    return Chunk(identity, document.id, kind, lines, start, end, text, path, page, cells)
