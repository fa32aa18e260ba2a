"""What a batch has done so far, on disk: a SQLite file beside the output (OUT.journal).

Every answer is committed as it comes, so that a process that is killed loses at most the answers in its hands; the same
command then goes on where it stopped. The file stays after the run: it holds what reviewers decide, and what a re-run
over another index is compared with. Held by one process at a time.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.batch.reading import Listing, Row, Value
from rag.errors import BatchError
from rag.types import Turn

FORMAT = "plan-qa batch journal 1"
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rows (position INTEGER PRIMARY KEY, number INTEGER NOT NULL, id TEXT NOT NULL, question TEXT NOT NULL,
    cells TEXT NOT NULL, unit TEXT, error TEXT NOT NULL);
CREATE INDEX rows_of_unit ON rows (unit);
CREATE INDEX rows_by_number ON rows (number);
CREATE TABLE units (unit TEXT PRIMARY KEY, first INTEGER NOT NULL, parts TEXT NOT NULL, history TEXT NOT NULL)
    WITHOUT ROWID;
CREATE INDEX units_in_order ON units (first);
CREATE TABLE replies (unit TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE earlier (unit TEXT PRIMARY KEY, reply TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE decisions (number INTEGER PRIMARY KEY, position INTEGER NOT NULL, reply TEXT NOT NULL,
    action TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL, recipient TEXT NOT NULL);
CREATE INDEX decisions_of_row ON decisions (position, number);
"""


@dataclass(frozen=True)
class Unit:
    """What is asked once: the questions of a cell (one for most), and the conversation before them. `key` is the same
    for all rows that ask it."""

    key: str
    parts: tuple[str, ...]
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class Answered:
    """A row with its reply. `reply` is None while it has none, and for a row that asks nothing; `same_as` is the row
    number where the same question was answered first, None where that is here."""

    position: int
    row: Row
    unit: str | None
    parts: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    reply: Mapping[str, Any] | None = None
    earlier: Mapping[str, Any] | None = None
    same_as: int | None = None

    @property
    def asks(self) -> bool:
        return self.unit is not None or bool(self.row.error)


@dataclass(frozen=True)
class Decision:
    """What a reviewer decided about a row: "accepted", "edited", "rejected" or "reassigned" (to `recipient`), by whom
    and when (ISO 8601). `text` is the answer decided on. `reply` is the digest of the reply that was looked at."""

    position: int
    reply: str
    action: str
    by: str
    at: str
    text: str
    recipient: str = ""


def journal_of(out: Path) -> Path:
    """Where the journal of an output lies."""
    return out.with_name(f"{out.name}.journal")


@dataclass
class Journal:
    """Usable from several threads; close it when done."""

    path: Path
    base: sqlite3.Connection
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """The journal at `path`, made where there is none. Raises BatchError where it is in use, damaged, something
        else, or cannot be written."""
        try:
            base = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise BatchError(f"写不进 {path}（{error}）：请检查文件夹是否存在、写权限和磁盘空间。") from error
        try:
            # Held until closed or killed: two runs over one output would undo each other's work.
            base.execute("PRAGMA locking_mode=EXCLUSIVE")
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
            base.execute("BEGIN IMMEDIATE")
            if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                if base.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise sqlite3.DatabaseError("其他程序的数据库")
                for statement in _TABLES.split(";"):
                    base.execute(statement)
                base.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
            base.execute("COMMIT")
            journal = cls(path, base)
            if journal.told("format") != FORMAT:
                raise sqlite3.DatabaseError(f"格式是 {journal.told('format')}")
        except sqlite3.OperationalError as error:
            base.close()
            if "locked" in str(error):
                raise BatchError(f"{path} 正被另一个批量答复使用：请等它结束，或用 --out 换一个文件名。") from error
            raise BatchError(f"写不进 {path}（{error}）：请检查文件夹是否存在、写权限和磁盘空间。") from error
        except sqlite3.DatabaseError as error:
            base.close()
            raise BatchError(
                f"{path} 应为本程序的续答记录，实际读不懂（{error}）：请移走这个文件，或用 --out 换一个文件名。"
            ) from error
        return journal

    def close(self) -> None:
        with self.lock:
            self.base.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing. Raises BatchError where the disk is full or gone."""
        with self.lock:
            try:
                self.base.execute("BEGIN IMMEDIATE")
                yield self.base
                self.base.execute("COMMIT")
            except sqlite3.Error as error:
                self._undo()
                raise BatchError(
                    f"写不进 {self.path}（{error}）：请检查磁盘空间和写权限；已答的都在，用同一命令可以续答。"
                ) from error
            except BaseException:
                self._undo()
                raise

    def _undo(self) -> None:
        if self.base.in_transaction:
            self.base.execute("ROLLBACK")

    def _read(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self.lock:
            return self.base.execute(statement, tuple(values)).fetchall()

    # --- what the run is

    def told(self, name: str) -> str:
        """A fact of the run, "" where it is not known."""
        found = self._read("SELECT value FROM meta WHERE name = ?", (name,))
        return str(found[0][0]) if found else ""

    def tell(self, **facts: str) -> None:
        with self.writing() as base:
            base.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.items())

    @property
    def listing(self) -> Listing:
        told = json.loads(self.told("listing"))
        return Listing(**{**told, "headings": tuple(told["headings"]), "notices": tuple(told["notices"])})

    # --- rows

    def take_in(self, rows: Iterable[tuple[Row, Unit | None]], facts: Mapping[str, str]) -> None:
        """Keep the rows of a list, in place of those before, and drop what no row asks any more. All or nothing."""
        with self.writing() as base:
            base.execute("DELETE FROM rows")
            base.execute("DELETE FROM units")
            for position, (row, unit) in enumerate(rows, 1):
                key = unit.key if unit is not None else None
                words = _json(row.question)
                base.execute(
                    "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (position, row.number, _json(row.id), words, _json(row.cells), key, row.error),
                )
                if unit is not None:
                    turns = [[turn.question, turn.answer] for turn in unit.history]
                    base.execute(
                        "INSERT OR IGNORE INTO units VALUES (?, ?, ?, ?)",
                        (unit.key, position, _json(unit.parts), _json(turns)),
                    )
            for table in ("replies", "earlier"):
                base.execute(f"DELETE FROM {table} WHERE unit NOT IN (SELECT unit FROM units)")
            base.execute("DELETE FROM decisions")
            base.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.items())

    def size(self) -> int:
        """Rows of any kind."""
        return int(self._read("SELECT count(*) FROM rows")[0][0])

    def has_earlier(self) -> bool:
        """Whether there are replies of a run before, over another index or with other settings."""
        return bool(self._read("SELECT 1 FROM earlier LIMIT 1"))

    def count(self) -> int:
        """Rows that ask something."""
        return int(self._read("SELECT count(*) FROM rows WHERE unit IS NOT NULL OR error != ''")[0][0])

    def done(self) -> int:
        """Rows that ask something and have their reply, or the reason why there is none."""
        return int(
            self._read(
                "SELECT count(*) FROM rows LEFT JOIN replies USING (unit) WHERE reply IS NOT NULL OR error != ''"
            )[0][0]
        )

    def rows_of(self, units: Iterable[str]) -> int:
        """How many rows ask these units."""
        return sum(int(self._read("SELECT count(*) FROM rows WHERE unit = ?", (unit,))[0][0]) for unit in units)

    def missing(self, after: int, limit: int) -> list[tuple[int, Unit, Mapping[str, Any] | None]]:
        """Units without a reply in the order in which they are first asked, from behind position `after`, each with
        its position and the reply of the run before, if there was one."""
        found = self._read(
            "SELECT first, unit, parts, history, earlier.reply FROM units LEFT JOIN replies USING (unit) "
            "LEFT JOIN earlier USING (unit) WHERE replies.reply IS NULL AND first > ? ORDER BY first LIMIT ?",
            (after, limit),
        )
        return [
            (
                first,
                Unit(key, tuple(json.loads(parts)), tuple(Turn(*turn) for turn in json.loads(history))),
                json.loads(earlier) if earlier else None,
            )
            for first, key, parts, history, earlier in found
        ]

    def keep(self, replies: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        with self.writing() as base:
            base.executemany(
                "INSERT OR REPLACE INTO replies VALUES (?, ?)", [(unit, _json(reply)) for unit, reply in replies]
            )

    def forget_failures(self) -> None:
        """Take back the replies that are errors: what failed may work now."""
        with self.writing() as base:
            base.execute("DELETE FROM replies WHERE json_extract(reply, '$.record.status') = 'error'")

    def set_aside(self) -> None:
        """Make the replies those of the run before: the index or the settings have changed since."""
        with self.writing() as base:
            base.execute("INSERT OR REPLACE INTO earlier SELECT unit, reply FROM replies")
            base.execute("DELETE FROM replies")

    def rows(self) -> Iterator[Answered]:
        """Every row in the order of the list, blank ones too; a few hundred in memory at a time."""
        after, batch = 0, 200
        while found := self._rows("position > ? ORDER BY position LIMIT ?", (after, batch)):
            yield from found
            after = found[-1].position

    def row(self, number: int) -> Answered:
        """The row of that number in the list. Raises KeyError where there is none."""
        found = self._rows("number = ?", (number,))
        if not found:
            raise KeyError(number)
        return found[0]

    def _rows(self, where: str, values: tuple[int, ...]) -> list[Answered]:
        found = self._read(
            "SELECT position, number, id, question, cells, unit, error, parts, history, replies.reply, earlier.reply, "
            "first, "
            "(SELECT number FROM rows AS one WHERE one.position = first) FROM rows LEFT JOIN units USING (unit) "
            f"LEFT JOIN replies USING (unit) LEFT JOIN earlier USING (unit) WHERE {where}",
            values,
        )
        return [
            Answered(
                position,
                Row(number, json.loads(row_id), json.loads(question), (), _cells(cells), error),
                unit,
                tuple(json.loads(parts)) if parts else (),
                tuple(Turn(*turn) for turn in json.loads(history)) if history else (),
                json.loads(reply) if reply else None,
                json.loads(earlier) if earlier else None,
                first_number if unit is not None and first != position else None,
            )
            for (
                position, number, row_id, question, cells, unit, error, parts, history, reply, earlier, first,
                first_number,
            ) in found
        ]  # fmt: skip

    # --- decisions

    def decide(self, decision: Decision) -> None:
        """Keep a decision about a row, for all rows that ask the same."""
        with self.writing() as base:
            base.execute(
                "INSERT INTO decisions (position, reply, action, by, at, text, recipient) "
                "SELECT one.position, ?, ?, ?, ?, ?, ? FROM rows AS one JOIN rows AS this ON this.position = ? "
                "WHERE one.position = this.position OR one.unit = this.unit ORDER BY one.position",
                (
                    decision.reply, decision.action, decision.by, decision.at, _json(decision.text),
                    decision.recipient, decision.position,
                ),
            )  # fmt: skip

    def decision(self, position: int) -> Decision | None:
        """The last decision about a row."""
        found = self._read(
            "SELECT position, reply, action, by, at, text, recipient FROM decisions WHERE position = ? "
            "ORDER BY number DESC LIMIT 1",
            (position,),
        )
        if not found:
            return None
        position, reply, action, by, at, text, recipient = found[0]
        return Decision(position, reply, action, by, at, json.loads(text), recipient)

    def decisions(self) -> dict[int, Decision]:
        """The last decision about each row that has one: position -> Decision."""
        found = self._read("SELECT position, reply, action, by, at, text, recipient FROM decisions ORDER BY number")
        return {
            position: Decision(position, reply, action, by, at, json.loads(text), recipient)
            for position, reply, action, by, at, text, recipient in found
        }


def _cells(text: str) -> tuple[Value, ...]:
    return tuple(json.loads(text))


def _json(value: Any) -> str:
    # ASCII: half a surrogate pair, which JSON can hold, is no text for SQLite.
    return json.dumps(value, ensure_ascii=True)
