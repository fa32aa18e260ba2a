"""Where Chinese sentences and clauses begin and end. Spans are half-open and count characters; the text itself is
never changed, so a span can be quoted and cited as it stands."""

from __future__ import annotations

import re

_BRACKETS = {"（": "）", "(": ")"}
_STOP = re.compile(
    r"[。！？]+"
    # A half-width sign ends a sentence only before a blank, a closing sign, the end or a full-width character: it is
    # also part of addresses (…/page?id=3).
    r"|[!?]+(?=[\s\"')\]]|$|[^\x00-\x7f])"
)
_CLOSING = "”’」』）)】》〉〕］]"
_COMMA = re.compile(r"[；;，]|,(?!(?<=\d,)\d{3}(?!\d))")


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the sentences of `text`: they end at 。！？!? (with the closing quotes and brackets that follow) and at
    line breaks, never at decimal points, "3." or inside addresses. Every non-blank character is in exactly one span.

    >>> [text[a:b] for a, b in sentences(text := "产量达到1.17亿吨。“稳增长。”见表3.")]
    ['产量达到1.17亿吨。', '“稳增长。”', '见表3.']
    """
    spans: list[tuple[int, int]] = []
    for line in re.finditer(r"[^\r\n\u2028\u2029]+", text):
        start, last_of_line = line.start(), line.end()
        first_of_line = len(spans)
        while start < last_of_line:
            stop = _STOP.search(text, start, last_of_line)
            end = _with_closing(text, start, stop.end(), last_of_line) if stop else last_of_line
            piece = _trimmed(text, start, end)
            if piece is not None:
                if len(spans) > first_of_line and not any(map(str.isalnum, text[piece[0] : piece[1]])):
                    spans[-1] = (spans[-1][0], piece[1])  # a stray sign is no sentence of its own
                else:
                    spans.append(piece)
            start = end
    return tuple(spans)


def clauses(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the clauses of `text`: its sentences, cut further after ；;，, but not inside brackets and not at the
    thousands comma of a figure (13,518).

    >>> [text[a:b] for a, b in clauses(text := "总里程13,518公里，覆盖各县（市，区）；提升能力。")]
    ['总里程13,518公里，', '覆盖各县（市，区）；', '提升能力。']
    """
    spans: list[tuple[int, int]] = []
    for first, last in sentences(text):
        shielded = _bracketed(text, first, last)
        start = first
        for comma in _COMMA.finditer(text, first, last):
            end = _with_closing(text, start, comma.end(), last)
            if comma.start() in shielded or end < start:
                continue
            piece = _trimmed(text, start, end)
            if piece is not None:
                spans.append(piece)
            start = end
        piece = _trimmed(text, start, last)
        if piece is not None:
            spans.append(piece)
    return tuple(spans)


def _with_closing(text: str, start: int, end: int, limit: int) -> int:
    """`end` moved behind the closing signs that follow it. A straight quote closes when one is open since `start`."""
    while end < limit:
        sign = text[end]
        if sign in _CLOSING or sign in "。！？" or (sign in "\"'" and text.count(sign, start, end) % 2):
            end += 1
        else:
            break
    return end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The span without blanks at its ends, None where it holds nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _bracketed(text: str, first: int, last: int) -> set[int]:
    """Positions between round brackets that are closed again before `last`."""
    inside: set[int] = set()
    opened: list[int] = []
    for position in range(first, last):
        if text[position] in _BRACKETS:
            opened.append(position)
        elif text[position] in _BRACKETS.values() and opened:
            inside.update(range(opened.pop(), position))
    return inside
