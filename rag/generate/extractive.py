"""The default answerer, no model: quotes the sentences, rows and items that answer, verbatim, and cites each.

One sentence for a figure; further ones only where the question asks for more than the first holds (two years, two
places, two things), or where the documents say two different things, which are then both shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from index.chunk import label_of
from index.figures import amounts
from index.keyword import bigrams
from index.sentences import clauses
from rag.align import Aligner
from rag.alone import item_alone, told_alone
from rag.disagree import affirmed, borne_out, differing, other_side, retold, says_the_same
from rag.lists import counted
from rag.phrase import row_words, unmarked
from rag.prompts import render
from rag.types import Evidence, Query, Selection

NAME = "原文摘录"

_LEADS_ON = re.compile(
    r"(?:^|[,，;；。])\s*(?:以[^,，;；。]*为[^,，;；。]{1,6}|围绕[^,，;；。]*|按照[^,，;；。]*|依托[^,，;；。]*|立足[^,，;；。]*|"
    r"瞄准[^,，;；。]*|针对[^,，;；。]*|结合[^,，;；。]*)$"
)
_ANOTHER_TIME = ("past_for_plan", "plan_for_past", "year_other")
MENTIONED = 10  # pieces of evidence of which one may say yes in so many words
LENGTH_COST = 0.01  # of a bigram of the question, for each character shown


@dataclass(frozen=True)
class Extractive:
    """Callable: (query, selection) -> pieces of the answer.

    The `aligner` tells which of several figures is asked for. `longest` is the length in characters over which a quote
    is narrowed to the clauses that answer. `close` is how near in score (log-odds) a second piece of evidence must come
    to be shown as well; nearer for figures, of which a second one is a doubt where a second sentence is a help.
    """

    aligner: Aligner = field(repr=False)
    longest: int = 170
    close: float = 1.0
    close_figure: float = 0.5

    name = NAME
    at_once = 1  # it waits for nothing but the processor

    def __call__(self, query: Query, selection: Selection) -> Iterator[str]:
        chosen = list(selection.parts)
        between = "\n"
        saying = next((one for one in selection.evidence[:MENTIONED] if affirmed(query, one)), None)
        if saying is not None and len(chosen) == 1:
            yield render("yes") + self.quote(query, saying)
            return
        points = selection.points or ((),) * len(chosen)
        if len(chosen) == 1 and not points[0]:
            if other := differing(query, chosen[0], selection.evidence):
                yield render("differing") + "\n"
                chosen.append(other)
            elif other := (
                other_side(query, chosen[0], selection.evidence) or retold(query, chosen[0], selection.evidence)
            ):
                between = "\n" + render("retold")
                chosen.append(other)
            elif not selection.several and (other := self.rival(query, chosen[0], selection.evidence)):
                between = "\n" + render("perhaps")
                chosen.append(other)
        if len(chosen) == 1 and not points[0] and (agreed := borne_out(query, chosen[0])) is not None:
            yield render("yes" if agreed else "no")
        for number, one in enumerate(chosen):
            told = points[number] if number < len(points) else ()
            yield (between if number else "") + (self.listed(query, told) if told else self.quote(query, one))
            if len(selection.parts) == 1 and not number and not told and (count := counted(query, one)):
                yield render("counted", count=count.told)
        for asked in selection.unanswered:
            yield "\n" + render("side_missing", asked=asked)

    def listed(self, query: Query, points: Sequence[Evidence]) -> str:
        """Measures, one a line; one alone as any quotation."""
        quoted = [self.quote(query, one) for one in points]
        return "\n".join(f"· {one}" for one in quoted) if len(quoted) > 1 else quoted[0]

    def rival(self, query: Query, best: Evidence, evidence: Sequence[Evidence]) -> Evidence | None:
        """Other evidence that is almost as likely to answer: which of the two is meant is for the reader to say."""
        other = next((one for one in evidence if one is not best), None)
        close = self.close_figure if query.want == "figure" else self.close
        if other is None or best.score - other.score >= close:
            return None
        of_another_time = any(other.features[name] and not best.features[name] for name in _ANOTHER_TIME)
        if query.want == "figure" and (of_another_time or says_the_same(best, other)):
            return None
        return other

    def quote(self, query: Query, evidence: Evidence) -> str:
        """The words of a piece of evidence with its mark: a row in words, a long sentence narrowed, a stretch of an
        item behind the item's label."""
        chunk = evidence.passage.chunk
        mark = f"[{evidence.passage.rank}]"
        if chunk.cells:
            return f"{unmarked(row_words(chunk, query.years))}{mark}"
        text = evidence.text
        if alone := told_alone(query, text, self.aligner) or item_alone(query, text, self.aligner):
            text = alone
        elif len(text) > self.longest:
            start, end = narrow(query, text, self.longest)
            text = text[start:end].strip("、;；,， ")
        label = label_of(chunk) if chunk.kind == "item" else ""
        return f"{unmarked(text if label in text else f'{label}：{text}')}{mark}"


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
            if joins_items(text, start, end):
                continue
            piece = text[start:end]
            if query.want == "figure" and not amounts(piece):
                continue
            if last + 1 < len(spans) and _LEADS_ON.search(piece.rstrip(" ,，")):
                continue  # 以甲县、乙县为重点, and then what
            value = len(wanted & set(bigrams(piece))) - LENGTH_COST * (end - start)
            if value > best_value:
                best, best_value = (start, end), value
    return best


def joins_items(text: str, start: int, end: int) -> bool:
    """Whether a stretch runs from one item of a sentence's enumeration into the next without holding both whole: the
    end of the one and the beginning of the other would read as one statement."""
    inside = text[start:end].rstrip("；; ")
    if not re.search("[；;]", inside):
        return False
    begins = start == 0 or text[:start].rstrip()[-1:] in "；;。"
    ends = end == len(text) or text[:end].rstrip()[-1:] in "；;。"
    return not (begins and ends)


def _elements(text: str, start: int, end: int, longest: int) -> list[tuple[int, int]]:
    """A clause, cut at 、 where it is a long enumeration."""
    if end - start <= longest:
        return [(start, end)]
    cuts = [start, *(start + m.end() for m in re.finditer("、", text[start:end])), end]
    return [(a, b) for a, b in pairwise(cuts) if b > a]
