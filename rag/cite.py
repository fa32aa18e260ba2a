"""Marks -> citations: each mark [rank] that an answerer wrote is bound to the words of its passage it rests on, and
renumbered in order of appearance.

Works the same for quoted and for generated text: words that stand verbatim in the passage are quoted as they stand,
others are bound to the sentence of the passage that supports them best.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from index.sentences import sentences
from index.types import Cell, Chunk
from rag.types import Citation, Passage

GAP = "……"  # in a quotation: something was left out
MARK = re.compile(r"\[(\d{1,3})\]")
_TRIM = " \t\n：:，,、；;。·"


def cite(
    text: str, passages: Sequence[Passage], stretches: Mapping[int, tuple[int, int]] | None = None
) -> tuple[str, tuple[Citation, ...]]:
    """The text with marks renumbered 1, 2, … and the citations they name. A mark that names no passage is taken out:
    it would point to nothing.

    `stretches` maps a rank to the stretch of its passage's text that it rests on, where the caller knows it and the
    words before the mark do not repeat it.
    """
    by_rank = {passage.rank: passage for passage in passages}
    citations: dict[tuple[int, int, int, int], Citation] = {}
    pieces: list[str] = []
    position = 0
    for mark in MARK.finditer(text):
        pieces.append(text[position : mark.start()])
        position = mark.end()
        passage = by_rank.get(int(mark.group(1)))
        if passage is None:
            continue
        line, start, end = _support(
            claims_before(text, mark.start()), passage.chunk, (stretches or {}).get(passage.rank)
        )
        key = (passage.rank, line, start, end)
        if key not in citations:
            citations[key] = _citation(len(citations) + 1, passage.chunk, line, start, end)
        pieces.append(f"[{citations[key].n}]")
    pieces.append(text[position:])
    return "".join(pieces), tuple(citations.values())


def claims_before(text: str, end: int) -> list[str]:
    """What a mark at `end` may stand for, longest first: the words back to the mark or line before it, then without
    the sentences, and without the label, in front."""
    before = text[:end]
    while (trailing := re.search(r"\[\d{1,3}\]\Z", before)) is not None:
        before = before[: trailing.start()]
    whole = re.split(r"\[\d{1,3}\]|\n", before)[-1]
    claims = [whole]
    claims += [whole[match.end() :] for match in re.finditer(r"[。！？；;!?：:]", whole)]
    return list(dict.fromkeys(claim.strip(_TRIM) for claim in claims if claim.strip(_TRIM)))


def _support(claims: Sequence[str], chunk: Chunk, known: tuple[int, int] | None) -> tuple[int, int, int]:
    """Line and offsets in that line of the words of `chunk` that the longest of `claims` it can carry rests on."""
    if chunk.cells:
        cell = _cell_for(claims[0] if claims else "", chunk.cells)
        return cell.line, cell.start, cell.start + len(cell.text)
    for claim in claims:
        start = chunk.text.find(claim)
        if start < 0 and GAP in claim:
            start, end = _around_gaps(claim, chunk.text)
        else:
            end = start + len(claim)
        if start >= 0:
            stop = re.match(r"[。！？；;!?]?[”’」』）)】》〉]*", chunk.text[end:])
            return _place(chunk, start, end + (stop.end() if stop else 0))
    if known is not None:
        return _place(chunk, *known)
    wanted = _bigrams(claims[0] if claims else "")
    spans = sentences(chunk.text) or ((0, len(chunk.text)),)
    best = max(spans, key=lambda span: _dice(wanted, _bigrams(chunk.text[span[0] : span[1]])))
    return _place(chunk, *best)


def _around_gaps(claim: str, text: str) -> tuple[int, int]:
    """The stretch of one sentence that holds the pieces of a claim with something left out between them (……), in
    their order; (-1, -1) where none does."""
    first, *others = (re.escape(piece.strip(_TRIM)) for piece in claim.split(GAP))
    for start, end in sentences(text):
        if held := re.search(first + "".join(f".*?{piece}" for piece in others), text[start:end]):
            return start + held.start(), start + held.end()
    return -1, -1


def _cell_for(claim: str, cells: Sequence[Cell]) -> Cell:
    """The cell quoted for a claim: of those whose words it repeats, the one of the last year, else of a yearly mean
    or a sum; else the row's name."""
    told = [cell for cell in cells if cell.text.strip("〔〕") and cell.text.strip("〔〕") in claim]
    dated = [cell for cell in told if re.search(r"\d{4}", cell.column)]
    summed = [cell for cell in told if re.search(r"年均|累计", cell.column)]
    return (dated or summed or told or list(cells))[-1]


def _place(chunk: Chunk, start: int, end: int) -> tuple[int, int, int]:
    """Offsets into chunk.text as line number and offsets into that line; ends at the line's end at the latest."""
    consecutive = [line for line in chunk.lines if line >= chunk.lines[-1] - chunk.text.count("\n")]
    before = chunk.text[:start]
    row = before.count("\n")
    line_start = 0 if row else chunk.start
    first = before.rfind("\n") + 1
    stop = chunk.text.find("\n", start, end)
    last = end if stop < 0 else stop
    return consecutive[row], line_start + start - first, line_start + last - first


def _citation(n: int, chunk: Chunk, line: int, start: int, end: int) -> Citation:
    lines = (line, *(number for number in chunk.lines if number != line)) if chunk.cells else (line,)
    quote = _words(chunk, line, start, end)
    return Citation(n, chunk.doc_id, lines, chunk.section, quote, start, end, chunk.page)


def _words(chunk: Chunk, line: int, start: int, end: int) -> str:
    """The words of a chunk at [start, end) of a source line. A quoted cell may be one merged over several rows, whose
    line stands before the row's own."""
    if chunk.cells:
        return next(cell.text for cell in chunk.cells if (cell.line, cell.start) == (line, start))
    first = chunk.lines[-1] - chunk.text.count("\n")
    before = chunk.start if line == first else 0
    return chunk.text.split("\n")[line - first][start - before : end - before]


def _bigrams(text: str) -> Counter[str]:
    return Counter(text[i : i + 2] for i in range(len(text) - 1))


def _dice(a: Counter[str], b: Counter[str]) -> float:
    """2 |a ∩ b| / (|a| + |b|) over character bigrams (Dice 1945)."""
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0
