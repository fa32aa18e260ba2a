"""What the model learns from: articles of laws, a plan with questions to it, a lexicon of everyday words."""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from index.build import embedding_texts
from index.chunk import chunks
from index.outline import outline
from index.prepared import Prepared as Question
from index.prepared import passage_hash, read_questions
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
    """The questions of a file of prepared questions (index/prepared.py) and what answers them in `plan`, cut as the
    index cuts it. Raises OSError, DocumentError, and ValueError for a row whose passage is not in the plan."""
    document = read(plan)
    supplied = plan.with_suffix(".outline.tsv")
    made = chunks(document, outline(document, supplied if supplied.is_file() else None))
    by_hash = {passage_hash(chunk): chunk for chunk in made}
    rows = read_questions(path)
    if unknown := rows.keys() - by_hash.keys():
        raise ValueError(f"{path}: no passage of {plan.name} has the hash {min(unknown)}")
    return [_prepared(by_hash[held], questions) for held, questions in rows.items()]


def _prepared(chunk: Chunk, questions: Sequence[Question]) -> Prepared:
    whole, *keys = embedding_texts(chunk)
    spans = sentences(chunk.text) if keys else ((0, len(chunk.text)),)
    golds = [
        tuple(number for number, (start, end) in enumerate(spans) if start < one.end and one.start < end)
        for one in questions
    ]
    return Prepared(
        tuple(one.question for one in questions),
        (whole,),
        tuple(keys or [whole]),
        tuple((0,) for _ in questions),
        tuple(gold or tuple(range(len(spans))) for gold in golds),
    )


def read_passages(path: Path) -> list[Prepared]:
    """Made-up passages of plans with their questions: lines {"title", "sentences": [text, …], "questions": [[question,
    number of the sentence that answers it], …]}. Raises OSError, ValueError, KeyError."""
    found = []
    for row in map(json.loads, filter(None, read_lines(path))):
        keys = tuple(f"{row['title']} {sentence}" for sentence in row["sentences"])
        asked = [(str(question), int(number)) for question, number in row["questions"]]
        found.append(
            Prepared(
                tuple(question for question, _ in asked),
                (" ".join([row["title"], *row["sentences"]]),),
                keys,
                tuple((0,) for _ in asked),
                tuple((range(len(keys))[number],) for _, number in asked),
            )
        )
    return found
