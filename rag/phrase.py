"""Table rows in words a person would say: 粮食综合生产能力：2020年134.8万吨，2025年145万吨，年均/累计〔10.2万吨〕.

Every word comes from the row's cells and the headers above them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from index.figures import figures
from index.tables import row_of as row_of
from index.types import Chunk
from rag.cite import MARK
from rag.types import Evidence

_BRACKETED = re.compile(r"[(（](?:单位[:：])?([^()（）]{1,12})[)）]\s*\|?\s*$")
_GROWTH_COLUMN = re.compile("增长|增速|增幅|增减")
_ENDS_IN_NUMBER = re.compile(r"[\d〕]\Z|\d(?:左右|以上|以内|以下)\Z")


def row_words(chunk: Chunk, years: Collection[int] = ()) -> str:
    """A row in words; with `years`, of its values only those of columns that name one of them, if there are any."""
    row = row_of(chunk)
    values = [(c, cell) for c, cell in row.values if any(str(year) in c for year in years)] or list(row.values)
    parts: list[str] = []
    told: set[tuple[int, int]] = set()
    for column, cell in values:
        if (cell.line, cell.start) in told:  # a cell merged over several columns is told once
            continue
        told.add((cell.line, cell.start))
        own = bracketed_unit(column)
        label = _BRACKETED.sub("", column) if own else column
        parts.append(f"{label}{_with_unit(cell.text, unit_under(column, row.unit or bracketed_unit(row.name.text)))}")
    parts += [f"{cell.column}{cell.text}" for cell in row.others]
    if row.nature:
        parts.append(row.nature)
    return f"{row.name.text}：{'，'.join(parts)}" if parts else row.name.text


def said_by(evidence: Evidence) -> str:
    """What a piece of evidence says: a sentence, or a row in words."""
    chunk = evidence.passage.chunk
    return row_words(chunk) if chunk.cells else evidence.text


def unmarked(text: str) -> str:
    """Words of a source whose own footnote signs [3] cannot pass for marks of an answer."""
    return MARK.sub(r"［\1］", text)


def unit_under(column: str, row_unit: str) -> str:
    """The unit of the values under a header: the one it names itself, none under a header of growth (年均增长), where
    the row's 亿元 does not hold and % is not said, else the row's."""
    if own := bracketed_unit(column):
        return own
    return "" if _GROWTH_COLUMN.search(column) and row_unit not in ("%", "％", "百分点") else row_unit


def bracketed_unit(text: str) -> str:
    """The unit of measure in brackets at the end of a header or a row's name, as in 粮食产量(万吨), 投资（单位：亿元）;
    "" where the words in brackets are none, as in 城镇化率（常住人口）."""
    written = _BRACKETED.search(text)
    found = figures(f"1{written.group(1)}") if written else ()
    return written.group(1) if written and found and found[0].end == len(written.group(1)) + 1 else ""


def _with_unit(value: str, unit: str) -> str:
    """5.5左右 with % -> 5.5%左右; a goal in words takes no unit and is set off by a colon."""
    if not _ENDS_IN_NUMBER.search(value):
        return f"：{value}"
    if value.endswith("〕"):
        return f"{value[:-1]}{unit}〕"
    trailing = re.search(r"(?:左右|以上|以内|以下)\Z", value)
    return f"{value[: trailing.start()]}{unit}{trailing.group()}" if trailing else f"{value}{unit}"
