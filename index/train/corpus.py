"""What the model learns from: articles of laws, a plan with questions to it, a lexicon of everyday words."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.build import embedding_texts
from index.chunk import chunks
from index.outline import outline
from index.reader import read
from index.sentences import sentences
from index.types import Chunk

ARTICLE = re.compile(r"第[〇零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十])?[\s:：]*")
CHAPTER = re.compile(r"第[〇零一二三四五六七八九十百千]+[编章节]")
ENUMERATION = re.compile(r"[（(]?[一二三四五六七八九十\d]+[)）、.．]\s*")


@dataclass(frozen=True)
class Entry:
    """A line of the lexicon: what people say, and the terms by which official texts mean it."""

    word: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Prepared:
    """Questions and what of a plan answers them, in the texts that the index embeds.

    `wholes` are its chunks as wholes; `sentences` their sentences (a chunk of one sentence is its own). For each
    question, `gold_wholes` and `gold_sentences` are the positions of those that answer it: all of them where the
    answer is not known to the sentence.
    """

    questions: tuple[str, ...]
    wholes: tuple[str, ...]
    sentences: tuple[str, ...]
    gold_wholes: tuple[tuple[int, ...], ...]
    gold_sentences: tuple[tuple[int, ...], ...]


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text, stripped; `.xz` is unpacked. Raises OSError, lzma.LZMAError, UnicodeDecodeError."""
    opener = lzma.open if path.suffix == ".xz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [line.strip() for line in file]


def articles(lines: Sequence[str]) -> list[tuple[str, ...]]:
    """Lines of statutes -> the sentences of each article that has at least two, "第一条" and "（一）" taken away.

    A chapter's heading, or a line without a closing sign (a title, a date), ends an article.
    """
    found: list[list[str]] = []
    inside = False
    for line in filter(None, lines):
        start = ARTICLE.match(line)
        if start:
            found.append([line[start.end() :]])
            inside = True
        elif CHAPTER.match(line) or line[-1] not in "。；;：:，,":
            inside = False
        elif inside:
            found[-1].append(ENUMERATION.sub("", line, count=1))
    split = [tuple(sentence for line in article for sentence in split_sentences(line)) for article in found]
    return [article for article in split if len(article) > 1]


def split_sentences(text: str) -> list[str]:
    """The sentences of a text as the index cuts them, cut further at semicolons."""
    return [part for a, b in sentences(text) for part in re.findall(r"[^；;]+[；;]?", text[a:b])]


def read_lexicon(path: Path) -> list[Entry]:
    """Lines "word, tab, terms between |, …". Raises OSError, ValueError for a line of another shape."""
    entries: list[Entry] = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line or line.startswith("#"):
            continue
        word, tab, rest = line.partition("\t")
        terms = tuple(filter(None, rest.partition("\t")[0].split("|")))
        if not (word and tab and terms):
            raise ValueError(f"{path}:{number}: expected a word, a tab and terms, found {line!r}")
        entries.append(Entry(word, terms))
    return entries


def read_prepared(path: Path, plan: Path) -> list[Prepared]:
    """Lines {"lines": [numbers from 1], "questions": […], "answers": [[[line, start, end], …], …]} -> questions and
    what they are answered by in `plan`, cut as the index cuts it. "answers" is one list for each question, of the
    stretches that answer it; it may be missing. Raises OSError, ValueError, KeyError, DocumentError."""
    document = read(plan)
    supplied = plan.with_suffix(".outline.tsv")
    made = chunks(document, outline(document, supplied if supplied.is_file() else None))
    by_line: dict[int, list[Chunk]] = {}
    for chunk in made:
        for line in chunk.lines:
            by_line.setdefault(line, []).append(chunk)
    rows = [json.loads(line) for line in read_lines(path) if line]
    return [_prepared(row, by_line) for row in rows]


def _prepared(row: dict[str, Any], by_line: dict[int, list[Chunk]]) -> Prepared:
    held = list(dict.fromkeys(chunk for number in row["lines"] for chunk in by_line.get(number, [])))
    held = [chunk for chunk in held if chunk.kind != "heading"] or held
    if not held:
        raise ValueError(f"no text of the plan stands at lines {row['lines']}")
    sentences_of: list[tuple[int, tuple[int, int], str]] = []  # chunk, span, text
    for position, chunk in enumerate(held):
        spans = sentences(chunk.text) if not chunk.cells else ()
        whole, *keys = embedding_texts(chunk)
        sentences_of += (
            [(position, s, key) for s, key in zip(spans, keys, strict=True)]
            if keys
            else [(position, (0, len(chunk.text)), whole)]
        )
    gold: list[tuple[int, ...]] = []
    for stretches in row.get("answers") or [[]] * len(row["questions"]):
        chosen = tuple(
            number
            for number, (position, (start, end), _) in enumerate(sentences_of)
            for line, first, last in stretches
            if line in held[position].lines
            and first - held[position].start < end
            and last - held[position].start > start
        )
        gold.append(tuple(dict.fromkeys(chosen)) or tuple(range(len(sentences_of))))
    return Prepared(
        tuple(row["questions"]),
        tuple(embedding_texts(chunk)[0] for chunk in held),
        tuple(text for _, _, text in sentences_of),
        tuple(tuple(dict.fromkeys(sentences_of[number][0] for number in numbers)) for numbers in gold),
        tuple(gold),
    )
