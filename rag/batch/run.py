"""The whole road of a batch: read the list, answer what is missing, write the output.

    list    -> journal    rag.batch.reading, rag.batch.split    rows; each distinct question once
    journal -> replies    `answering`                           in worker processes, committed as they come
    replies -> output     rag.batch.writing                     beside its place, then renamed

The same command after a break goes on where it stopped; after the documents changed it asks again, and tells what
changed. The same list, index and settings give the same bytes, but for the measured `seconds` of jsonl.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache, partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from index.errors import UserError
from index.store import file_hash
from rag.batch.changes import Changes, changes, write_changes
from rag.batch.journal import Journal, Unit, journal_of
from rag.batch.reading import Listing, Row, open_list, read_rows
from rag.batch.record import check_list, error_record, evidence_digest, moved, record, together
from rag.batch.split import questions_in
from rag.batch.state import Tally, tally
from rag.batch.writing import check_output, list_time, notices_of, write_output
from rag.config import Config
from rag.errors import BatchError
from rag.library import same as sameness
from rag.pipeline import Pipeline, open_pipeline
from rag.types import Answer, Turn

PARALLEL_FROM = 300  # questions: a worker takes a second to start, in which this process answers two hundred
AT_ONCE = 24  # questions handed to each worker beforehand, so that none waits for the journal
TOGETHER = 0.1  # seconds of answers that are committed together, and lost when the process is killed
MAX_JOBS = 64  # each holds the index: some 150 MB
PROGRAM = Path(__file__).resolve().parents[1]

Reply = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a run came to. `already`: the output stood there as it would have been written. `changed` is what is
    different from the run before it, None where there was none; `report` the file that tells it."""

    tally: Tally
    notices: tuple[str, ...] = ()
    already: bool = False
    changed: Changes | None = None
    report: Path | None = None


def run(
    pipeline: Pipeline,
    config: Config,
    source: Path,
    out: Path,
    *,
    column: str = "",
    sheet: str = "",
    jobs: int = 0,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Answer the questions of `source` into `out`. `jobs`: worker processes, with a model questions asked at the
    same time, 0 for as many as suit the list and the model.

    Raises BatchError for a list that cannot be read, an output that exists and is not to be overwritten, and a place
    that cannot be written; what was answered until then is kept in the journal beside `out`.
    """
    if not 0 <= jobs <= MAX_JOBS:
        raise BatchError(f"--jobs 应在 0 到 {MAX_JOBS} 之间，收到 {jobs}：请改用一个这样的数。")
    check_output(source, out)
    listing = open_list(source, column, sheet)
    facts = identity(pipeline, config, source, listing)
    fresh = not journal_of(out).exists()
    with closing(Journal.open(journal_of(out))) as journal:
        try:
            # An empty file, as mktemp leaves one for its name, holds nothing to be lost.
            stands = os.path.lexists(out) and not (out.is_file() and out.stat().st_size == 0)
            same = all(journal.told(name) == value for name, value in facts.items())
            if stands and same and journal.told("written") == file_hash(out):
                counts = tally(journal)
                if not (overwrite and counts.failed):  # told to overwrite, what failed is tried again
                    return Outcome(counts, listing.notices, already=True)
            if stands and not overwrite:
                raise BatchError(
                    f"{out} 已存在，没有改动它：要覆盖请加 --overwrite（规划变了也用它，会列出变动），"
                    "或用 --out 换一个文件名。"
                )
            prepare(journal, source, listing, facts)
            total = journal.count()
            for done in answering(journal, pipeline, config, jobs):
                progress(done, total)
            changed = changes(journal)
            report = None if changed is None else write_changes(journal, pipeline, source, out)
            write_output(journal, pipeline, source, out)
        except BaseException:
            if fresh and not journal.told("listing"):  # nothing was read: nothing is left behind
                journal.close()
                for path in (journal.path, *(Path(f"{journal.path}{ending}") for ending in ("-wal", "-shm"))):
                    path.unlink(missing_ok=True)
            raise
        return Outcome(tally(journal), (*listing.notices, *notices_of(journal, out)), changed=changed, report=report)


def identity(pipeline: Pipeline, config: Config, source: Path, listing: Listing) -> dict[str, str]:
    """What the answers depend on, by name: the list, the index (and the documents in it, as they are told), the
    settings."""
    return {
        "list": file_hash(source),
        "where": f"{listing.sheet}\0{listing.column}",
        "index": str(pipeline.index.manifest["seal"]),
        "documents": "、".join(f"《{one.title}》{one.sha256[:8]}" for one in pipeline.documents),
        "settings": json.dumps(
            {"llm": config.llm, "passages": config.passages, "refuse_below": config.refuse_below,
             "approved": config.approved, "reranker": config.reranker, "quantize": config.quantize,
             "backend": pipeline.backend, "program": _program()},
            sort_keys=True, ensure_ascii=False,
        ),
    }  # fmt: skip


@cache
def _program() -> str:
    """First 16 hex digits of the sha256 over what makes answers: the read side's code, weights and wordings."""
    digest = hashlib.sha256()
    for path in sorted([*PROGRAM.glob("*.py"), *PROGRAM.glob("*.json"), *PROGRAM.glob("generate/*.py"),
                        *PROGRAM.parent.glob("prompts/*.txt")]):  # fmt: skip
        digest.update(path.name.encode("utf-8") + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


# --- the list


def prepare(journal: Journal, source: Path, listing: Listing, facts: Mapping[str, str]) -> None:
    """Bring the journal to this list, index and settings, keeping every reply that still holds."""
    if journal.told("list") and any(journal.told(name) != facts[name] for name in ("index", "settings")):
        journal.set_aside()
        journal.tell(earlier_documents=journal.told("documents"), earlier_settings=journal.told("settings"))
    else:
        journal.forget_failures()
    if any(journal.told(name) != facts[name] for name in ("list", "where")):
        told = {
            **facts,
            "listing": json.dumps(asdict(listing), ensure_ascii=False),
            "source": source.name,
            "time": list_time(source).strftime("%Y-%m-%d %H:%M"),
        }
        journal.take_in(_units(source, listing), told)
    journal.tell(**facts, written="")


def _units(source: Path, listing: Listing) -> Iterator[tuple[Row, Unit | None]]:
    """The rows of a list, each with what is to be asked for it. Raises BatchError where none asks anything."""
    broken: str = ""
    asked = False
    for row in read_rows(source, listing):
        unit = unit_of(row, listing)
        asked = asked or unit is not None
        broken = broken or row.error
        yield row, unit
    if not asked:
        shape = "：应有列表（- 或 1.）、以问号结尾的标题，或每行一个问题；表格请另存为 csv 或 xlsx。"
        md = source.suffix.lower() == ".md"
        what = f"，{broken}" if broken else shape if md else "：至少应有一个问题，请核对文件。"
        raise BatchError(f"问题文件 {source} {'没有一行能作答' if broken else '里没有问题，是空的'}{what}")


def unit_of(row: Row, listing: Listing) -> Unit | None:
    """What a row asks, None where it asks nothing. In jsonl a question is one question, word for word."""
    if row.error:
        return None
    if listing.kind == "jsonl":
        parts: tuple[str, ...] = (row.question,)
        same: Sequence[str] = parts
    else:
        parts = questions_in(row.question)
        same = [sameness(part) for part in parts]
    if not parts:
        return None
    turns = [[turn.question, turn.answer] for turn in row.history]
    key = hashlib.sha256(json.dumps([same, turns]).encode("ascii")).hexdigest()[:32]
    return Unit(key, parts, row.history)


# --- the answers


def answering(journal: Journal, pipeline: Pipeline, config: Config, jobs: int = 0) -> Generator[int, None, None]:
    """Answer what is missing; yields how many rows are done, at first and after each commit. Closing it stops; what was
    answered stays. `jobs` as in `run`.

    Raises BatchError where a worker dies or the journal cannot be written.
    """
    done = journal.done()
    yield done
    missing = _missing(journal)
    head = list(islice(missing, PARALLEL_FROM))
    if not head:
        return
    # A language model answers in this process, and a reranker orders: weights are not loaded twice.
    models = config.llm != "extractive" or config.reranker is not None
    alone = models or jobs == 1 or (jobs == 0 and len(head) < PARALLEL_FROM)
    workers = jobs or (pipeline.generate.at_once if alone else max(1, min(os.cpu_count() or 1, 8)))
    if alone:
        executor: Executor = ThreadPoolExecutor(workers)
        ask: Callable[[Unit, Reply | None], Reply] = partial(answer_unit, pipeline)
    else:
        # Not forked: threads of the numeric libraries do not survive it.
        spawn = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(workers, spawn, initializer=_open, initargs=(config,))
        ask = _answer
    # Quoting anew costs no more than finding out that the same would be quoted. Another model or another version of
    # the program may say something else over the same evidence.
    carry = config.llm != "extractive" and journal.told("earlier_settings") == journal.told("settings")
    pending: dict[Future[Reply], Unit] = {}
    queue = chain(head, missing)
    try:
        while True:
            for unit, earlier in queue:
                pending[executor.submit(ask, unit, earlier if carry else None)] = unit
                if len(pending) >= AT_ONCE * workers:
                    break
            if not pending:
                return
            finished, _ = wait(pending, TOGETHER)
            if not finished:
                finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            units = [pending.pop(future) for future in finished]
            replies = [_outcome(future, unit, pipeline) for future, unit in zip(finished, units, strict=True)]
            journal.keep((unit.key, reply) for unit, reply in zip(units, replies, strict=True))
            done += journal.rows_of(unit.key for unit in units)
            yield done
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _missing(journal: Journal) -> Iterator[tuple[Unit, Reply | None]]:
    after = 0
    while found := journal.missing(after, 200):
        for after, unit, earlier in found:  # noqa: B007
            yield unit, earlier


def _outcome(future: Future[Reply], unit: Unit, pipeline: Pipeline) -> Reply:
    """The reply of a unit; what it failed with is a reply of status "error", and the run goes on."""
    cause = future.exception()
    if cause is None:
        return future.result()
    if isinstance(cause, BrokenExecutor):
        raise BatchError(
            "一个答复进程意外退出（多半是内存不足）：请加 --jobs 1 再运行同一命令，已答的不会重做。"
        ) from cause
    reason = f"内部错误，这一行没有答复（{type(cause).__name__}: {cause}）：请再运行一次同一命令。"
    return _reply([error_record("", unit.parts[0], pipeline.backend, reason)], [None])


_opened: list[Pipeline] = []  # the pipeline of a worker process


def _open(config: Config) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _opened[:] = [open_pipeline(config)]


def _end_with_parent() -> None:
    """A parent that was killed says nothing to its workers: they would wait for questions for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(unit: Unit, earlier: Reply | None) -> Reply:
    return answer_unit(_opened[0], unit, earlier)


def answer_unit(pipeline: Pipeline, unit: Unit, earlier: Reply | None = None) -> Reply:
    """The reply to a unit: its questions in turn, each with those before it as its conversation. The reply of the run
    before is taken over where its evidence is unchanged."""
    if earlier is not None and len(unit.parts) == 1 and (kept := _unchanged(pipeline, unit, earlier)) is not None:
        return kept
    history = list(unit.history)
    records: list[dict[str, Any]] = []
    answers: list[Answer | None] = []  # None: an error
    for part in unit.parts:
        try:
            answer = pipeline.ask(part, history)
        except UserError as error:
            records.append(error_record("", part, pipeline.backend, str(error)))
            answers.append(None)
        else:
            records.append(record("", answer))
            answers.append(answer)
            history.append(Turn(part, answer.text))
    return _reply(records, answers)


def _unchanged(pipeline: Pipeline, unit: Unit, earlier: Reply) -> Reply | None:
    """The earlier reply, where the same passages are found again, with its quotations where these stand now; None where
    not. The answerer is not asked for this."""
    if earlier["record"]["status"] == "error" or len(earlier["record"]["citations"]) > pipeline.passages:
        return None
    try:
        with closing(pipeline.stream(unit.parts[0], unit.history)) as stream:
            found = next(stream)
    except UserError:
        return None
    # What a person approved since comes first, and what the library no longer serves is not served from here.
    if evidence_digest(found.passages) != earlier["evidence"] or found.approved is not None or earlier["approved"]:
        return None
    told = moved(earlier["record"], found.passages)
    return None if told is None else {**earlier, "record": told}


def _reply(records: Sequence[dict[str, Any]], answers: Sequence[Answer | None]) -> dict[str, Any]:
    """What the journal keeps of the answers to one unit: the contract's record of them together, and what the sheets
    tell besides."""
    given = [answer for answer in answers if answer is not None]
    approved = [asdict(answer.approved) for answer in given if answer.approved is not None]
    return {
        "record": together(records),
        "checks": [check_list(answer.checks) if answer is not None else [] for answer in answers],
        "marks": [len(told["citations"]) for told in records],
        "statuses": [told["status"] for told in records],
        "notes": [answer.note for answer in given if answer.note],
        "completed": [answer.completed for answer in given if answer.completed],
        "approved": approved if len(approved) == len(records) else [],
        "evidence": "-".join(evidence_digest(answer.passages) for answer in given),
    }
