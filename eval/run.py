"""A run: a set asked of the tool, every answer scored.

    python -m eval run --set dev --out DIR

    set, index, settings
      -> prepare      checked set, its document recognised by hash; for --mutate a changed copy of both
      -> answer_all   rag.pipeline, in one or several processes; every answer goes to the journal at once
      -> score        eval.metrics, on every answer
      -> write        what is read afterwards

DIR then holds

    rows.jsonl      a line per question, sorted by id: the question, the answer, what was cited and retrieved, verdict,
                    failure kind, scores
    figures.json    every figure overall, by type and by wording, with how many questions (families) it is taken over
    manifest.json   what was run: hashes of document, set, index, weights, prompts and code; model, settings, seed
    timing.json     seconds for an answer (median, 95th percentile) and peak memory; the only file that differs between
                    two runs of the same
    journal.jsonl   answers as they came: a run that was interrupted goes on from here
    run.trec, qrels.trec, ragas.jsonl, ragchecker.json   the same for other tools (eval/export.py)
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from eval import export
from eval.check import check_set, document_of, read_rows, refuse
from eval.dataset import Question, question_of, says
from eval.metrics import (
    Cited,
    Place,
    Ratio,
    Response,
    Scored,
    completed_at,
    failure,
    is_right,
    ratios,
    scores,
    slot_faults,
)
from eval.mutate import Dropped, mutate, rewrite
from eval.stats import SEED, ratio_interval
from index.build import DEFAULT_INDEX, build
from index.errors import UserError
from index.store import Index, load
from index.types import Chunk, Document
from rag.batch.record import record
from rag.config import Config
from rag.phrase import row_words
from rag.pipeline import WEIGHTS, Pipeline, open_pipeline

ROOT = Path(__file__).resolve().parent.parent
PASSAGES = 40  # listed with each answer: enough to fill 2,000 characters
MUTATION_SEED = 7
FAILURE_NAMES = {
    "error": "出错",
    "missed refusal": "该拒未拒",
    "over-refusal": "误拒",
    "retrieval miss": "没检索到",
    "partial": "答不全",
    "wrong figure": "数字不对",
    "wrong sentence": "选错句子",
}
WITHOUT_INTERVAL = frozenset({"rank_spread"})  # no share
Row = dict[str, Any]
Progress = Callable[[int, int], None]


class RunError(UserError):
    """A run cannot be begun or gone on with."""


class OtherRun(RunError):
    """A folder holds a run of other settings, of another set or by another version of the tool."""


@dataclass(frozen=True)
class Plan:
    """What is to be run. `rows` are the set's rows as they stand, `before` the rows that a changed copy was made from,
    by id (empty for a plain run), `dropped` how many had no counterpart in the copy. `document` is what the gold lines
    are lines of. `folder` is the index's, `set_sha256` of the set's file as given."""

    name: str
    rows: tuple[Row, ...]
    before: Mapping[str, Row]
    dropped: int
    document: Document
    folder: Path
    config: Config
    set_sha256: str
    seed: int
    mutated: bool

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(sorted((question_of(row) for row in self.rows), key=lambda question: question.id))


@dataclass(frozen=True)
class Run:
    """A run done: its rows and figures as written, and where."""

    out: Path
    rows: tuple[Row, ...]
    figures: dict[str, Any]
    timing: dict[str, Any]


def run(
    source: Path,
    out: Path,
    config: Config | None = None,
    seed: int = MUTATION_SEED,
    jobs: int = 1,
    mutated: bool = False,
    fresh: bool = False,
    progress: Progress = lambda done, total: None,
) -> Run:
    """Ask every question of a set and write what came of it to `out`; goes on where an earlier run of the same stopped,
    `fresh` begins anew. `seed` is that of the changed copy. `progress` is told after every answer how many there are;
    what it raises stops the run, whose answers stay for the next time.

    Raises SetError for a set that cannot be used, OtherRun where `out` holds another run, RunError where a process
    died, and what open_pipeline raises.
    """
    if jobs < 1:
        raise RunError(f"--jobs 应为 1 或更大的整数，收到 {jobs}。")
    _make(out)
    plan = prepare(source, out, unaided(config), seed, mutated)
    index = load(plan.folder)
    manifest = manifest_of(plan, index)
    journal = out / "journal.jsonl"
    if fresh:
        journal.unlink(missing_ok=True)
    answered = read_journal(journal, manifest)
    missing = [question for question in plan.questions if question.id not in answered]
    if missing:
        with journal.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            if not file.tell():
                file.write(_line(manifest))
            # What `progress` raises stops the answering.
            with closing(answer_all(plan, missing, jobs)) as answers:
                for row in answers:
                    file.write(_line(row))
                    file.flush()
                    answered[row["id"]] = row
                    progress(len(answered), len(plan.questions))
    rows, scored = judged(plan, index, answered)
    result = Run(out, tuple(rows), figures_of(scored), timing_of(list(answered.values())))
    write(result, manifest, index, plan)
    return result


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"建不了文件夹 {out}（{error.strerror or error}）：请换一个 --out。") from error


# --- what is to be run


def prepare(source: Path, out: Path, config: Config, seed: int = MUTATION_SEED, mutated: bool = False) -> Plan:
    """The set checked against its document in the index, and for a changed copy its own index, under `out`. The default
    index is built first where it is missing or out of date."""
    config = replace(config, passages=max(PASSAGES, config.passages))
    index = open_pipeline(config, _told).index
    document = document_of(source, index.documents)
    refuse(source, check_set(source, document))
    rows = tuple(read_rows(source))
    plan = Plan(
        name=source.stem,
        rows=rows,
        before={},
        dropped=0,
        document=document,
        folder=config.index or DEFAULT_INDEX,
        config=config,
        set_sha256=_sha256(source),
        seed=seed,
        mutated=mutated,
    )
    return changed(plan, out) if mutated else plan


def changed(plan: Plan, out: Path) -> Plan:
    """The plan over a changed copy of its document (eval.mutate): other places, other figures, the same lines. The copy
    has no outline file, so its sections are those that any unknown document would get."""
    mutation = mutate([line.text for line in plan.document.lines], plan.seed)
    pairs = [(row, rewrite(row, mutation)) for row in plan.rows]
    kept = [(old, new) for old, new in pairs if not isinstance(new, Dropped)]
    text = out / "copy" / f"{plan.document.id}-mutated.txt"
    text.parent.mkdir(exist_ok=True)
    text.write_text("\n".join(mutation.lines), encoding="utf-8", newline="\n")
    folder = out / "copy" / "index"
    build([text], folder)
    return replace(
        plan,
        rows=tuple(new for _, new in kept),
        before={old["id"]: old for old, _ in kept},
        dropped=len(pairs) - len(kept),
        document=load(folder).documents[0],
        folder=folder,
        config=replace(plan.config, index=folder),
    )


def unaided(config: Config | None) -> Config:
    """The settings of a run: what people have approved is no merit of the tool, and is not consulted."""
    return replace(config or Config(), approved=False)


def _told(message: str) -> None:
    print(message, file=sys.stderr)


# --- answers


def answer_all(plan: Plan, questions: Sequence[Question], jobs: int = 1) -> Generator[Row, None, None]:
    """A journal row for each question, in the order in which they are answered. Whatever an answer ends in is a row: an
    error of the tool is an answer of status "error"."""
    if jobs == 1:
        executor: Executor = ThreadPoolExecutor(1)
        ask: Callable[[Question], Row] = partial(answer, open_pipeline(plan.config))
    else:
        # Not forked: threads of the numeric libraries do not survive it.
        spawn = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(jobs, spawn, initializer=_open, initargs=(plan.config,))
        ask = _answer
    with executor:
        left = iter(questions)
        pending = {executor.submit(ask, question): question for question in islice(left, jobs)}
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                question, cause = pending.pop(future), future.exception()
                if isinstance(cause, BrokenExecutor):
                    raise RunError(
                        "一个评测进程意外退出（多半是内存不足）：请用较小的 --jobs 再运行一次同一命令，已答的不会重做。"
                    ) from cause
                yield future.result() if cause is None else failed(question, cause)
                # Only now, so that a caller that stops reading waits for no question more than is being answered.
                pending |= {executor.submit(ask, another): another for another in islice(left, 1)}


_opened: list[Pipeline] = []  # the pipeline of a worker process


def _open(config: Config) -> None:
    _opened[:] = [open_pipeline(config)]


def _answer(question: Question) -> Row:
    return answer(_opened[0], question)


def answer(pipeline: Pipeline, question: Question) -> Row:
    """The journal row of one question: the answer as it is written down, with the ids of the chunks retrieved and the
    memory used so far."""
    given = pipeline.ask(question.question, question.history)
    row = record(question.id, given)
    for retrieved, passage in zip(row["retrieved"], given.passages, strict=True):
        retrieved["chunk"] = passage.chunk.id
        retrieved["score"] = round(retrieved["score"], 5)
    return {**row, "peak_mb": _peak_memory()}


def failed(question: Question, cause: BaseException) -> Row:
    """The journal row of a question that ended in an error."""
    return {
        "id": question.id,
        "question": question.question,
        "answer": "",
        "status": "error",
        "citations": [],
        "retrieved": [],
        "confidence": 0.0,
        "backend": "",
        "seconds": 0.0,
        "error": f"{type(cause).__name__}: {cause}",
        "peak_mb": _peak_memory(),
    }


def _peak_memory() -> float | None:
    """Most memory this process has held, in MB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def read_journal(path: Path, manifest: Row) -> dict[str, Row]:
    """The answers that an earlier run of the same left, by id. A last line that was cut off in the middle is taken out
    of the file. Raises OtherRun where the journal is of another run."""
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8", newline="\n")
    lines = whole.splitlines()
    if not lines:
        return {}
    earlier = json.loads(lines[0])
    if earlier != json.loads(_line(manifest)):
        differing = "、".join(sorted(k for k in {*earlier, *manifest} if earlier.get(k) != manifest.get(k)))
        raise OtherRun(
            f"{path.parent} 里是另一次评测（不同的有：{differing}）：请换一个 --out，或加 --fresh 从头再来。"
        )
    return {row["id"]: row for row in map(json.loads, lines[1:])}


# --- scores


def judged(plan: Plan, index: Index, answered: Mapping[str, Row]) -> tuple[list[Row], list[Scored]]:
    """The rows of a run, and what its figures are taken from, in the order of the questions."""
    rows: list[Row] = []
    scored: list[Scored] = []
    by_id = {row["id"]: row for row in plan.rows}
    for question in plan.questions:
        row = answered[question.id]
        response = response_of(row, index, plan.document.id)
        values = scores(question, response)
        if plan.mutated:
            values["faithful"] = faithful(question, question_of(plan.before[question.id]), response)
        scored.append(Scored(question, response.refused, values, completed_at(question, response.retrieved)))
        faults: tuple[str, ...] = ()
        if question.slots and not (response.failed or response.refused):
            faults = slot_faults(question, question.slots, response.text)
        rows.append(
            {
                "id": question.id,
                "family": question.family,
                "wording": question.wording,
                "type": question.type,
                "question": question.question,
                **({"history": [asdict(turn) for turn in question.history]} if question.history else {}),
                "expected": by_id[question.id].get("answer", ""),
                "gold_lines": [sorted(group) for group in question.gold_lines],
                "answer": row["answer"],
                "status": row["status"],
                "expected_status": "answered" if question.answerable else "refused",
                "citations": row["citations"],
                "retrieved": row["retrieved"],
                "confidence": row["confidence"],
                "backend": row["backend"],
                **({"error": row["error"]} if "error" in row else {}),
                "verdict": "right" if is_right(question, response) else "wrong",
                "failure": failure(question, response),
                "slot_faults": list(faults),
                "scores": {name: None if value is None else round(value, 6) for name, value in values.items()},
            }
        )
    return rows, scored


def faithful(question: Question, before: Question, response: Response) -> float | None:
    """1 where an answer about a changed copy is right by the copy and says no key point of the original that what it
    cites of the copy does not; None where the change left the key points as they were. An answer out of memory would
    be wrong here."""
    gone = [
        wording
        for old, new in zip(before.must_include, question.must_include, strict=True)
        for wording in old
        if not any(says(kept, wording) for kept in new)
    ]
    if not gone:
        return None
    remembered = any(
        says(response.text, wording) and not any(says(source.paragraph, wording) for source in response.citations)
        for wording in gone
    )
    return float(is_right(question, response) and not remembered)


def response_of(row: Row, index: Index, doc: str) -> Response:
    """A journal row as it is scored: lines are those of the document `doc`, none for another's."""
    chunk_of = {chunk.id: chunk for chunk in index.chunks}
    return Response(
        row["answer"],
        row["status"],
        tuple(cited(citation, index, doc) for citation in row["citations"]),
        tuple(
            Place(_lines(place, doc), len(chunk_of[place["chunk"]].text) if place["chunk"] in chunk_of else 0)
            for place in row["retrieved"]
        ),
    )


def cited(citation: Row, index: Index, doc: str) -> Cited:
    """What a citation rests on: its quote and its line; for a table row the row in words and its cells."""
    chunk = _row_at(index, citation["doc"], citation["lines"])
    if chunk is not None:
        words = row_words(chunk)
        cells = "\n".join(f"{cell.column} {cell.text}" for cell in chunk.cells)
        return Cited(citation["n"], _lines(citation, doc), words, f"{words}\n{cells}")
    paragraph = "\n".join(index.line(citation["doc"], number).text for number in citation["lines"])
    return Cited(citation["n"], _lines(citation, doc), citation["quote"], paragraph)


def _row_at(index: Index, doc: str, lines: Iterable[int]) -> Chunk | None:
    wanted = sorted(lines)
    return next((c for c in index.chunks if c.cells and c.doc_id == doc and sorted(c.lines) == wanted), None)


def _lines(place: Row, doc: str) -> frozenset[int]:
    return frozenset(place["lines"]) if place["doc"] == doc else frozenset()


def figures_of(scored: Sequence[Scored]) -> dict[str, Any]:
    """Every figure of a run overall, by type and by wording: {"value", "n"}, with the 95% interval ("low", "high") for
    all of them overall, and for accuracy everywhere."""
    types = dict.fromkeys(sorted(one.question.type for one in scored))
    wordings = dict.fromkeys(sorted(one.question.wording for one in scored))
    return {
        "overall": {name: _figure(ratio, name not in WITHOUT_INTERVAL) for name, ratio in ratios(scored).items()},
        "by_type": {of: _figures([one for one in scored if one.question.type == of]) for of in types},
        "by_wording": {of: _figures([one for one in scored if one.question.wording == of]) for of in wordings},
    }


def _figures(scored: Sequence[Scored]) -> Row:
    return {name: _figure(ratio, name == "accuracy") for name, ratio in ratios(scored).items() if ratio.n}


def _figure(ratio: Ratio, with_interval: bool) -> Row:
    value = ratio.value
    found: Row = {"value": None if value is None else round(value, 6), "n": ratio.n}
    interval = ratio_interval(ratio.numerators, ratio.denominators, ratio.families) if with_interval else None
    return found | ({"low": round(interval.low, 6), "high": round(interval.high, 6)} if interval else {})


def timing_of(answered: Sequence[Row]) -> Row:
    """Median and 95th percentile (nearest rank) of the seconds for an answer, and peak memory."""
    seconds = sorted(row["seconds"] for row in answered if row["status"] != "error")
    memory = [row["peak_mb"] for row in answered if row["peak_mb"] is not None]

    def percentile(share: float) -> float | None:
        return seconds[min(len(seconds) - 1, int(share * len(seconds)))] if seconds else None

    return {
        "answers": len(seconds),
        "p50_seconds": percentile(0.5),
        "p95_seconds": percentile(0.95),
        "peak_memory_mb": max(memory, default=None),
    }


# --- what is written


def manifest_of(plan: Plan, index: Index) -> Row:
    """What a run was made of. Equal manifests give equal rows and figures."""
    from importlib.metadata import version

    return {
        "set": plan.name,
        "set_sha256": plan.set_sha256,
        "questions": len(plan.rows),
        "dropped": plan.dropped,
        "mutated": plan.mutated,
        "document": plan.document.id,
        "document_sha256": plan.document.sha256,
        "index_sha256": _sha256(plan.folder / "manifest.json"),
        "model": dict(index.manifest["embedding"]),
        "weights_sha256": _sha256(WEIGHTS),
        "prompts_sha256": _hash(ROOT.glob("prompts/*")),
        "code_sha256": _hash(path for room in ("index", "rag", "eval") for path in (ROOT / room).rglob("*.py")),
        "settings": {
            "llm": plan.config.llm,
            "passages": plan.config.passages,
            "refuse_below": plan.config.refuse_below,
            "reranker": plan.config.reranker,
            "quantize": plan.config.quantize,
        },
        "seed": plan.seed,
        "interval_seed": SEED,
        "versions": {"python": platform.python_version(), **{n: version(n) for n in ("numpy", "faiss-cpu", "jieba")}},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hash(paths: Iterable[Path]) -> str:
    """One sha256 of several files' paths and bytes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def write(result: Run, manifest: Row, index: Index, plan: Plan) -> None:
    """Write the files of a run, each beside its place and then renamed."""
    files = {
        "rows.jsonl": "".join(map(_line, result.rows)),
        "figures.json": _pretty(result.figures),
        "manifest.json": _pretty(manifest),
        "timing.json": _pretty(result.timing),
        "run.trec": export.trec_run(result.rows, plan.name),
        "qrels.trec": export.trec_qrels(plan.questions, index.chunks, plan.document.id),
        "ragas.jsonl": "".join(map(_line, export.ragas(result.rows, plan.document, index.chunks))),
        "ragchecker.json": _line(export.ragchecker(result.rows, index.chunks)),
    }
    for name, text in files.items():
        part = result.out / f".{name}.part-{os.getpid()}"
        part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        part.replace(result.out / name)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=False) + "\n"


def _pretty(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def told(result: Run) -> str:
    """A run in a few lines for the terminal."""
    return "\n".join([*table({result.out.name: result.figures}), *failures(result.rows)])


def summary(folder: Path) -> str:
    """The runs in a folder side by side, and an ablation where there is one. Raises RunError where there is no run."""
    runs = {path.parent.name: path for path in sorted(folder.glob("*/figures.json"))}
    if not runs:
        raise RunError(f"{folder} 里没有评测结果（应有 <名称>/figures.json）：请先运行 python -m eval run。")
    lines = table({name: json.loads(path.read_text(encoding="utf-8")) for name, path in runs.items()})
    lines.append("")
    for name, path in runs.items():
        rows = path.with_name("rows.jsonl").read_text(encoding="utf-8").splitlines()
        timing = json.loads(path.with_name("timing.json").read_text(encoding="utf-8"))
        spent = f"每题 {1000 * timing['p50_seconds']:.0f} 毫秒（p95 {1000 * timing['p95_seconds']:.0f}）"
        lines += [f"{name}：{line}{spent}" for line in failures([json.loads(row) for row in rows])]
    for path in sorted(folder.glob("*/ablation.md")):
        lines += ["", path.read_text(encoding="utf-8").rstrip()]
    return "\n".join(lines)


SHOWN = {
    "accuracy": "正确率",
    "target_exact": "目标值全对",
    "wrong_number": "给出错误数字",
    "key_point_recall": "要点召回",
    "recall@5": "检索 recall@5",
    "recall@10": "检索 recall@10",
    "mrr@10": "MRR@10",
    "ndcg@10": "nDCG@10",
    "recall_1000_characters": "千字内召回",
    "citation_recall_sentence": "引用召回（句）",
    "citation_precision_sentence": "引用精确（句）",
    "evidence_recall": "引到依据行",
    "evidence_precision": "引用在依据行",
    "refusal_precision": "拒答精确率",
    "refusal_recall": "拒答召回率",
    "refusal_f1": "拒答 F1",
    "over_refusal": "误拒",
    "consistency": "各问法全对",
    "faithful": "改写件忠实",
}


def table(columns: Mapping[str, dict[str, Any]]) -> list[str]:
    """Figures side by side as a Markdown table: the value in percent, its 95% interval, the number of questions; then
    accuracy by type and by wording."""
    head = ["| 指标 | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    lines = [
        f"| {label} | " + " | ".join(_cell(figures["overall"].get(name)) for figures in columns.values()) + " |"
        for name, label in SHOWN.items()
        if any(figures["overall"].get(name) for figures in columns.values())
    ]
    for group, label in (("by_type", "正确率·"), ("by_wording", "正确率·")):
        for of in dict.fromkeys(of for figures in columns.values() for of in figures[group]):
            cells = [_cell(figures[group].get(of, {}).get("accuracy")) for figures in columns.values()]
            lines.append(f"| {label}{of} | " + " | ".join(cells) + " |")
    return head + lines


def _cell(figure: Row | None) -> str:
    if figure is None or figure["value"] is None:
        return "—"
    interval = f"（{100 * figure['low']:.1f}–{100 * figure['high']:.1f}）" if "low" in figure else ""
    return f"{100 * figure['value']:.1f}%{interval} n={figure['n']}"


def failures(rows: Sequence[Row]) -> list[str]:
    """How many rows failed in each way, most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        if row["failure"]:
            counts[row["failure"]] = counts.get(row["failure"], 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = "、".join(f"{FAILURE_NAMES[kind]} {count}" for kind, count in ordered)
    return [f"答错的：{named}。" if named else "没有答错的。"]


def bar(done: int, total: int) -> None:
    """A progress bar on a terminal; elsewhere nothing."""
    if sys.stderr.isatty():
        filled = 30 * done // max(total, 1)
        end = "\n" if done == total else ""
        print(f"\r[{'█' * filled}{'·' * (30 - filled)}] {done}/{total}", end=end, file=sys.stderr, flush=True)
