"""Approved answers: what a person has accepted for a question, served again when the same is asked.

A SQLite file beside the index. An answer stands as long as the lines it rests on do: where one of them reads otherwise
after a new version of the document, the answer is stale and is not served. Lines that only moved are found again. An
answer that says something is not stated rests on whole documents, and is stale when one of them changes or joins.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.types import Document
from rag.errors import LibraryError
from rag.types import Approval, Citation, Status

# Cosine of two questions from which one may be a paraphrase of the other, where they also name the same years, places
# and figures, lead to the same words of the same document and name the same of what stands there. Chosen with
# `python -m eval wordings`, to be run again when the vectors change: over dev and train the first two that ask
# different things have 0.940. Better no approved answer than that to another question.
LIKE = 0.95
_SIGNS = re.compile(r"[\s?!,、;:。“”\"'‘’()《》「」…~]+|\.(?!\d)")
_TABLE = """
CREATE TABLE IF NOT EXISTS approved (same TEXT PRIMARY KEY, question TEXT NOT NULL, answer TEXT NOT NULL,
    status TEXT NOT NULL, citations TEXT NOT NULL, own TEXT NOT NULL, documents TEXT NOT NULL, by TEXT NOT NULL,
    at TEXT NOT NULL)
"""


@dataclass(frozen=True)
class Source:
    """A citation and the words of its lines when it was approved, one for each of `citation.lines`."""

    citation: Citation
    words: tuple[str, ...]


@dataclass(frozen=True)
class Approved:
    """An approved answer to `question` (complete in itself). `own` are figures that no source holds, as in
    rag.pipeline.Reply; `documents` maps the indexed documents to their sha256 at the time."""

    question: str
    answer: str
    status: Status
    sources: tuple[Source, ...]
    own: tuple[str, ...]
    documents: Mapping[str, str]
    by: str
    at: str

    @property
    def approval(self) -> Approval:
        """Named are the versions of the documents it rests on, first 8 hex digits of their sha256 each."""
        cited = {source.citation.doc for source in self.sources} or set(self.documents)
        return Approval(self.by, self.at, "、".join(self.documents[doc][:8] for doc in sorted(cited)))


@dataclass
class Library:
    """Approved answers on disk, read anew when the file has changed. A place without a file is an empty library."""

    path: Path
    _read_at: int = field(default=-1, repr=False)
    _entries: tuple[Approved, ...] = field(default=(), repr=False)

    def add(self, approved: Approved) -> None:
        """Keep an answer, in place of an earlier one to the same question. Raises LibraryError."""
        citations = [
            [source.citation.n, source.citation.doc, source.citation.lines, source.citation.section,
             source.citation.quote, source.citation.start, source.citation.end, source.citation.page, source.words]
            for source in approved.sources
        ]  # fmt: skip
        row = (
            same(approved.question), approved.question, approved.answer, approved.status, json.dumps(citations),
            json.dumps(approved.own), json.dumps(dict(approved.documents)), approved.by, approved.at,
        )  # fmt: skip
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as base, base:
                base.execute(_TABLE)
                base.execute("INSERT OR REPLACE INTO approved VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise LibraryError(f"审定库 {self.path} 写不进（{error}）：请检查文件、写权限和磁盘空间。") from error

    def entries(self) -> tuple[Approved, ...]:
        """All of them, the latest first. Raises LibraryError for a file that is no library."""
        changed = self._changes()
        if changed != self._read_at:
            self._entries, self._read_at = self._load(), changed
        return self._entries

    def _changes(self) -> int:
        """SQLite's own count of changes, in the file's header; -2 where there is no file."""
        try:
            with self.path.open("rb") as file:
                return int.from_bytes(file.read(28)[24:28], "big")
        except FileNotFoundError:
            return -2
        except OSError as error:
            reason = error.strerror or error
            raise LibraryError(f"审定库 {self.path} 读不出（{reason}）：请检查文件和读权限。") from error

    def _load(self) -> tuple[Approved, ...]:
        if not self.path.exists():
            return ()
        try:
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as base:
                rows = base.execute(
                    "SELECT question, answer, status, citations, own, documents, by, at FROM approved "
                    "ORDER BY at DESC, same"
                ).fetchall()
        except sqlite3.Error as error:
            raise LibraryError(f"审定库 {self.path} 读不懂（{error}）：请移走这个文件，或从备份中恢复。") from error
        return tuple(
            Approved(
                question, answer, status,
                tuple(
                    Source(Citation(n, doc, tuple(lines), tuple(section), quote, start, end, page), tuple(words))
                    for n, doc, lines, section, quote, start, end, page, words in json.loads(citations)
                ),
                tuple(json.loads(own)), json.loads(documents), by, at,
            )
            for question, answer, status, citations, own, documents, by, at in rows
        )  # fmt: skip


def library_of(index: Path) -> Path:
    """Where the approved answers of an index lie."""
    return index.with_name(f"{index.name}.approved.sqlite")


def same(question: str) -> str:
    """What two questions share that are the same but for spaces, punctuation, width and capitals. The point of 5.5 and
    the signs - and % stay: they tell figures apart."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return _SIGNS.sub("", folded) or folded.strip()


def found_again(source: Source, document: Document) -> Citation | None:
    """The citation where its lines stand now; None where one of them reads otherwise, or where they could be found in
    more than one place and not in their own."""
    lines, words = source.citation.lines, source.words

    def stand(shift: int) -> bool:
        numbers = [line + shift for line in lines]
        return all(
            0 < number <= len(document.lines) and document.lines[number - 1].text == text
            for number, text in zip(numbers, words, strict=True)
        )

    if stand(0):
        return source.citation
    shifts = [line.number - lines[0] for line in document.lines if line.text == words[0]]
    places = [shift for shift in shifts if stand(shift)]
    if len(places) != 1:
        return None
    return replace(source.citation, lines=tuple(line + places[0] for line in lines))


def sources_of(citations: Sequence[Citation], documents: Mapping[str, Document]) -> tuple[Source, ...]:
    """Citations with the words of their lines."""
    return tuple(Source(one, tuple(documents[one.doc].lines[line - 1].text for line in one.lines)) for one in citations)
