"""The default answerer, no model: quotes the sentences, rows and items that answer, verbatim, and cites each.

One sentence for a figure; further ones only where the question asks for more than the first holds (two years, two
places, two things), or where the documents say two different things, which are then both shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from index.chunk import label_of
from index.figures import equal, figures
from index.keyword import bigrams
from index.sentences import clauses
from rag.cite import MARK
from rag.disagree import differing, retold
from rag.phrase import row_words
from rag.prompts import render
from rag.types import Evidence, Query, Selection

NAME = "原文摘录"

_NEGATION = re.compile(r"(?<!是)不(?!是|少于|低于|超过|大于|小于)|[没无非]")
LENGTH_COST = 0.01  # of a bigram of the question, for each character shown


@dataclass(frozen=True)
class Extractive:
    """Callable: (query, selection) -> pieces of the answer.

    `longest` is the length in characters over which a quote is narrowed to the clauses that answer. `close` is how
    near in score (log-odds) a second piece of evidence must come to be shown as well; nearer for figures, of which a
    second one is a doubt where a second sentence is a help.
    """

    longest: int = 170
    close: float = 1.0
    close_figure: float = 0.5

    name = NAME

    def __call__(self, query: Query, selection: Selection) -> Iterator[str]:
        chosen = list(selection.parts)
        between = "\n"
        if affirmed(query, chosen):
            yield render("yes")
        if len(chosen) == 1:
            if other := differing(query, chosen[0], selection.evidence):
                yield render("differing") + "\n"
                chosen.append(other)
            elif other := retold(query, chosen[0], selection.evidence):
                between = "\n" + render("retold")
                chosen.append(other)
            elif other := self.rival(query, chosen[0], selection.evidence):
                between = "\n" + render("perhaps")
                chosen.append(other)
        for number, one in enumerate(chosen):
            yield (between if number else "") + self.quote(query, one)
        for asked in selection.unanswered:
            yield "\n" + render("side_missing", asked=asked)

    def rival(self, query: Query, best: Evidence, evidence: Sequence[Evidence]) -> Evidence | None:
        """Other evidence that is almost as likely to answer: which of the two is meant is for the reader to say."""
        other = next((one for one in evidence if one is not best), None)
        close = self.close_figure if query.want == "figure" else self.close
        return other if other is not None and best.score - other.score < close else None

    def quote(self, query: Query, evidence: Evidence) -> str:
        """The words of a piece of evidence with its mark: a row in words, a long sentence narrowed, a stretch of an
        item behind the item's label."""
        chunk = evidence.passage.chunk
        mark = f"[{evidence.passage.rank}]"
        if chunk.cells:
            return f"{_unmarked(row_words(chunk, query.years))}{mark}"
        text = evidence.text
        if len(text) > self.longest:
            start, end = narrow(query, text, self.longest)
            text = text[start:end].strip("、;；,， ")
        label = label_of(chunk) if chunk.kind == "item" else ""
        return f"{_unmarked(text if label in text else f'{label}：{text}')}{mark}"


def affirmed(query: Query, chosen: Sequence[Evidence]) -> bool:
    """Whether a yes-or-no question is answered by yes: it names figures, and each stands in what is quoted, in its
    unit. Of words alone no program can say so safely: 零违规举债 is no yes to 有没有乱借的."""
    asked = [figure for figure in figures(query.text) if figure.kind in ("quantity", "ratio")]
    if not asked or query.want != "choice" or len(chosen) != 1 or _NEGATION.search(query.text):
        return False
    chunk = chosen[0].passage.chunk
    held = figures(row_words(chunk, query.years) if chunk.cells else chosen[0].text)
    return all(any(equal(figure, other) for other in held) for figure in asked)


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
