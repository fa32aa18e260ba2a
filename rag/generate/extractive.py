"""The default answerer, no model: quotes the sentences, rows and items that answer, verbatim, and cites each.

One sentence for a figure; further ones only where the question asks for more than the first holds (two years, two
places, two things), or where the documents say two different things, which are then both shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from index.figures import Figure, cell_figure, figures
from index.keyword import bigrams
from index.sentences import clauses
from rag.cite import MARK
from rag.phrase import row_of, row_words
from rag.prompts import render
from rag.select import years_in
from rag.types import Evidence, Query, Selection

NAME = "原文摘录"

LENGTH_COST = 0.01  # of a bigram of the question, for each character shown


@dataclass(frozen=True)
class Extractive:
    """Callable: (query, selection) -> pieces of the answer.

    `longest` is the length in characters over which a quote is narrowed to the clauses that answer.
    """

    longest: int = 130

    name = NAME

    def __call__(self, query: Query, selection: Selection) -> Iterator[str]:
        chosen = list(selection.parts)
        if len(chosen) == 1 and (other := disagreement(query, chosen[0], selection.evidence)):
            yield render("differing") + "\n"
            chosen.append(other)
        for number, one in enumerate(chosen):
            yield ("\n" if number else "") + self.quote(query, one)

    def quote(self, query: Query, evidence: Evidence) -> str:
        """The words of a piece of evidence with its mark; a row in words, a long sentence narrowed."""
        chunk = evidence.passage.chunk
        mark = f"[{evidence.passage.rank}]"
        if chunk.cells:
            return f"{_unmarked(row_words(chunk, query.years))}{mark}"
        text = evidence.text
        if len(text) <= self.longest:
            return f"{_unmarked(text)}{mark}"
        label = re.match(r"(?:\d+[.．、])?([^:：。，,;；]{2,20})[:：]", text)
        start, end = narrow(query, text, self.longest)
        shown = text[start:end].strip("、;；,， ")
        if label and start >= label.end():
            return f"{_unmarked(f'{label.group(1)}：{shown}')}{mark}"
        return f"{_unmarked(shown)}{mark}"


def _unmarked(text: str) -> str:
    """Words of a source whose own footnote signs [3] cannot pass for marks of the answer."""
    return MARK.sub(r"［\1］", text)


def narrow(query: Query, text: str, longest: int) -> tuple[int, int]:
    """The run of clauses, about `longest` characters at most, that covers most of the question and, where a figure is
    wanted, holds one; the whole text for a list, whose items all count."""
    if query.want == "list":
        return 0, len(text)
    wanted = set(bigrams(query.core)) | {pair for term in query.terms for pair in bigrams(term)}
    spans = [span for start, end in clauses(text) for span in _elements(text, start, end, longest)]
    best, best_value = (0, len(text)), 0.0
    for first in range(len(spans)):
        for last in range(first, len(spans)):
            start, end = spans[first][0], spans[last][1]
            if end - start > longest and last > first:
                break
            piece = text[start:end]
            if query.want == "figure" and not any(f.kind in ("quantity", "ratio") for f in figures(piece)):
                continue
            value = len(wanted & set(bigrams(piece))) - LENGTH_COST * (end - start)
            if value > best_value:
                best, best_value = (start, end), value
    return best


def _elements(text: str, start: int, end: int, longest: int) -> list[tuple[int, int]]:
    """A clause, cut at 、 where it is a long enumeration."""
    if end - start <= longest:
        return [(start, end)]
    cuts = [start, *(start + m.end() for m in re.finditer("、", text[start:end])), end]
    return [(a, b) for a, b in pairwise(cuts) if b > a]


def disagreement(query: Query, best: Evidence, evidence: Sequence[Evidence]) -> Evidence | None:
    """Other evidence that gives the same thing for the same year in the same unit another value."""
    if query.want != "figure":
        return None
    asked = frozenset(bigrams(query.core)) | {pair for term in query.terms for pair in bigrams(term)}
    mine = [one for one in _statements(best) if one.name & asked and _of_years(one, query)]
    for other in evidence[1:FURTHER]:
        if other.features["figure"] and other.passage.chunk.lines != best.passage.chunk.lines:
            theirs = [one for one in _statements(other) if one.name & asked]
            if any(_at_odds(a, b) for a in mine for b in theirs):
                return other
    return None


FURTHER = 25
_NEAR = Decimal("0.05")  # disagreeing statements of one thing lie close together; far apart they are two things


_SAME_THING = 0.6
_NOT_NAME = re.compile(
    r"到?20\d\d年|达到|实现|稳定|保持|控制|左右|以上|以内|不低于|超过|力争|分别|全州|全市|全县|年均|累计|[\d.,%％〔〕()（）]"
)


@dataclass(frozen=True)
class _Statement:
    """A figure, the bigrams of the words that name it (a row's name, or its clause), and the years it is of."""

    figure: Figure
    name: frozenset[str]
    years: frozenset[int]


def _statements(evidence: Evidence) -> list[_Statement]:
    chunk = evidence.passage.chunk
    found: list[_Statement] = []
    if chunk.cells:
        row = row_of(chunk)
        name = frozenset(bigrams(row.name.text))
        for column, cell in row.values:
            if figure := cell_figure(cell.text, row.unit):
                found.append(_Statement(figure, name, years_in(column)))
        return found
    for start, end in clauses(evidence.text):
        clause = evidence.text[start:end]
        name = frozenset(bigrams(_NOT_NAME.sub(" ", clause)))
        found += [_Statement(f, name, evidence.years) for f in figures(clause) if f.kind == "quantity"]
    return found


def _of_years(statement: _Statement, query: Query) -> bool:
    return not query.years or not statement.years.isdisjoint(query.years)


def _at_odds(a: _Statement, b: _Statement) -> bool:
    """Whether two statements name the same thing of the same year in one unit with values that lie close but differ."""
    smaller = min(len(a.name), len(b.name))
    if not smaller or a.figure.unit != b.figure.unit or a.years.isdisjoint(b.years):
        return False
    difference = abs(a.figure.value - b.figure.value)
    return len(a.name & b.name) / smaller >= _SAME_THING and 0 < difference <= abs(a.figure.value) * _NEAR
