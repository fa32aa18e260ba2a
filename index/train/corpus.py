"""What the model learns from: articles of laws, a plan with questions to it, a lexicon of everyday words."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from index.sentences import sentences

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
    """A passage of a plan, as its sentences, and questions that it answers."""

    sentences: tuple[str, ...]
    questions: tuple[str, ...]


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


def read_prepared(path: Path, plan: Sequence[str]) -> list[Prepared]:
    """Lines {"lines": [numbers from 1], "questions": […]} -> passages of `plan`. Raises OSError, ValueError, KeyError,
    IndexError for a line that the plan has not."""
    rows = [json.loads(line) for line in read_lines(path) if line]
    return [
        Prepared(
            tuple(split_sentences("\n".join(plan[number - 1] for number in row["lines"]))), tuple(row["questions"])
        )
        for row in rows
    ]
