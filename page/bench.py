"""The evaluation behind the tab 评测: the sets there are, one run at a time in the background, and the runs there are.

Runs are those of eval.run: one that was stopped, or that ended with the page, is gone on with when its set is chosen
again, and what the page has run, the command line can report and compare.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, count
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Literal

from eval.check import SIDECAR, check_set, document_of, read_rows, refuse
from eval.dataset import SETS
from eval.run import ROOT, OtherRun, run
from index.errors import UserError
from index.types import Document
from rag.config import Config

RUNS = ROOT / "var" / "eval"
RESULTS = ROOT / "eval" / "results"
SET_NAMES = {"dev": "开发集 dev", "test": "测试集 test", "train": "拟合集 train"}
UPLOADED = "sets"  # folder under the runs
MOST_BYTES = 20_000_000  # of a set: some 20,000 questions

State = Literal["running", "stopping", "done", "stopped", "failed"]


class BenchError(UserError):
    """A run cannot be begun, or a set not taken."""


class Stopped(Exception):
    """Raised within a run that is to stop."""


@dataclass(frozen=True)
class Job:
    """A run as it goes. `done` of `total` questions are answered, `total` being 0 until the first is; `message` says
    why it failed. `first` is how many were answered by the time `since` (of time.monotonic) in this sitting."""

    source: Path
    out: Path
    state: State = "running"
    done: int = 0
    total: int = 0
    message: str = ""
    first: int = 0
    since: float = 0.0

    @property
    def live(self) -> bool:
        return self.state in ("running", "stopping")

    def seconds_left(self, now: float) -> float | None:
        """How long the questions that remain will take if they take as long as those before, in seconds."""
        asked = self.done - self.first
        return (now - self.since) / asked * (self.total - self.done) if asked > 0 else None


@dataclass(frozen=True)
class Entry:
    """A run on disk. `figures` are those over all its questions, by name, None where it did not come to an end;
    `answered` how many questions it has answers to."""

    name: str
    folder: Path
    ended: float
    manifest: dict[str, Any]
    figures: dict[str, Any] | None
    answered: int


class Bench:
    """Sets, runs and the run in progress of one page; all its visitors share them."""

    def __init__(self, config: Config, runs: Path = RUNS, results: Path = RESULTS, sets: Path = SETS) -> None:
        self.config = config
        self.runs = runs
        self.results = results
        self.shipped = sets
        self.job: Job | None = None
        self._lock = Lock()
        self._stopping = Event()
        self._thread: Thread | None = None

    # --- sets

    def sets(self) -> dict[str, Path]:
        """Name -> file: those that the sets.json of the project's sets names, then those uploaded."""
        named = json.loads((self.shipped / SIDECAR).read_text(encoding="utf-8"))
        shipped = {SET_NAMES.get(stem, stem): self.shipped / f"{stem}.jsonl" for stem in named}
        uploaded = {f"上传：{path.stem}": path for path in sorted((self.runs / UPLOADED).glob("*.jsonl"))}
        return {name: path for name, path in (shipped | uploaded).items() if path.is_file()}

    def source(self, name: str) -> Path:
        """The file of a set. Raises BenchError for a name that is none, as that of a set taken away meanwhile."""
        found = self.sets().get(name)
        if found is None:
            raise BenchError(f"没有名为“{name}”的题集：请重新选择。")
        return found

    def add(self, upload: Path, document: Document) -> str:
        """Take a set written for `document`; returns its name. One of the same name is replaced. Raises SetError with
        the rows that are not true of the document, BenchError for a file too large."""
        if upload.stat().st_size > MOST_BYTES:
            size = upload.stat().st_size / 1_000_000
            raise BenchError(f"题集应不超过 {MOST_BYTES // 1_000_000} MB，{upload.name} 有 {size:.0f} MB：请分成几个。")
        refuse(upload, check_set(upload, document))
        stem = re.sub(r"[^\w.-]", "_", upload.stem)
        folder = self.runs / UPLOADED
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{stem}.jsonl").write_bytes(upload.read_bytes())
        sidecar = folder / SIDECAR
        named = json.loads(sidecar.read_text(encoding="utf-8")) if sidecar.is_file() else {}
        named[stem] = {"document": document.id, "document_sha256": document.sha256}
        sidecar.write_text(json.dumps(named, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return f"上传：{stem}"

    def about(self, name: str, documents: Sequence[Document]) -> tuple[int, int, Document]:
        """How many questions and families a set has, and the document of those given that it was written for. Raises
        SetError where that is not among them or the set cannot be read."""
        source = self.source(name)
        document = document_of(source, documents)
        rows = read_rows(source)
        return len(rows), len({str(row.get("family", row.get("id"))) for row in rows}), document

    # --- the run in progress

    def start(self, name: str) -> None:
        """Begin a run of a set, or go on with one of it that did not come to an end. Raises BenchError where one is
        going on already: two at a time would only slow each other, and the answers to the page's visitors."""
        source = self.source(name)
        with self._lock:
            if self.job is not None and self.job.live:
                raise BenchError(f"正在评测 {self.job.source.stem}，一次只做一个：请等它完成，或先按“停止”。")
            out = self._unfinished(source) or self._new(source)
            self._stopping.clear()
            self.job = Job(source, out)
            self._thread = Thread(target=self._work, args=(self.job,), name="evaluation", daemon=True)
            self._thread.start()

    def _new(self, source: Path) -> Path:
        """The folder of a run that begins now; two may begin within a second."""
        begun = f"{source.stem}-{time.strftime('%Y%m%d-%H%M%S')}"
        names = chain([begun], (f"{begun}-{number}" for number in count(2)))
        return next(self.runs / name for name in names if not (self.runs / name).exists())

    def stop(self, wait: bool = False) -> None:
        """Stop the run after the question that is being answered; `wait` until that is so."""
        self._stopping.set()
        with self._lock:
            if self.job is not None and self.job.state == "running":
                self.job = replace(self.job, state="stopping")
        if wait and self._thread is not None:
            self._thread.join()

    def _work(self, job: Job) -> None:
        state: State = "failed"
        message = ""
        try:
            try:
                run(job.source, job.out, self.config, progress=self._told)
            except OtherRun:  # begun by another version of the tool or over another index: this one cannot end it
                run(job.source, job.out, self.config, fresh=True, progress=self._told)
            state = "done"
        except Stopped:
            state = "stopped"
        except UserError as error:
            message = str(error)
        except Exception:
            logging.exception("no run of %s", job.source)
            message = "内部错误，评测没有完成：请查看终端日志。"
        with suppress(OSError):
            job.out.rmdir()  # where nothing was written; a folder that holds anything stays
        self._change(state=state, message=message)

    def _told(self, done: int, total: int) -> None:
        began = {} if self.job is None or self.job.total else {"first": done, "since": time.monotonic()}
        self._change(done=done, total=total, **began)
        if self._stopping.is_set() and done < total:
            raise Stopped

    def _change(self, **changes: Any) -> None:
        with self._lock:
            assert self.job is not None
            self.job = replace(self.job, **changes)

    def _unfinished(self, source: Path) -> Path | None:
        wanted = sha256(source.read_bytes()).hexdigest()
        left = (one for one in self.entries() if one.figures is None and one.folder.parent == self.runs)
        return next((one.folder for one in left if one.manifest.get("set_sha256") == wanted), None)

    # --- the runs there are

    def entries(self) -> list[Entry]:
        """The runs of the page and those of `make eval`, latest first."""
        folders = [(folder, folder.name) for folder in self.runs.glob("*/")]
        folders += [(folder, f"{folder.name}（make eval）") for folder in self.results.glob("*/")]
        found = [entry for folder, name in folders if (entry := entry_of(folder, name)) is not None]
        return sorted(found, key=lambda one: (-one.ended, one.name))

    def entry(self, name: str) -> Entry:
        """Raises BenchError for a name that is none, as that of a run taken away meanwhile."""
        for entry in self.entries():
            if entry.name == name:
                return entry
        raise BenchError(f"没有名为“{name}”的评测：请重新选择。")


def entry_of(folder: Path, name: str) -> Entry | None:
    """The run in a folder; None where there is none, or not a whole file of it."""
    journal, figures = folder / "journal.jsonl", folder / "figures.json"
    try:
        with journal.open(encoding="utf-8") as file:
            head = json.loads(file.readline())
            answered = sum(1 for _ in file)
        if not isinstance(head, dict):
            return None
        if not figures.is_file():
            return Entry(name, folder, journal.stat().st_mtime, head, None, answered)
        overall = json.loads(figures.read_text(encoding="utf-8"))["overall"]
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return Entry(name, folder, figures.stat().st_mtime, manifest, overall, answered)
    except (OSError, ValueError, KeyError):
        return None
