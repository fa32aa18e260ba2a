"""The tab 批量答复: a list is uploaded, its rows fill in, and each answer is reviewed beside its source.

`render_*` draw, `Desk` keeps the lists that are open, `build_batch` is the layout. A list is kept by its content beside
the index: uploaded or opened again, by whomever, it goes on where it was, with what was decided. One that was answered
over an earlier version of the documents is answered anew, and what came out otherwise is shown beside what was said.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Literal

from index.errors import UserError
from page.drawing import escape, render_place, render_source, tag
from rag.batch.changes import (
    ANSWER,
    EVIDENCE,
    MOVED,
    NEW,
    SAME,
    change_of,
    changed_rows,
    changes,
    earlier_state,
    write_changes,
)
from rag.batch.journal import Answered, Decision, Journal, journal_of
from rag.batch.reading import KINDS, Listing, open_list
from rag.batch.review import DECIDED, ReviewError, decide, decided_text, is_current, recheck
from rag.batch.run import answering, identity, prepare
from rag.batch.state import (
    ANSWERED,
    REFUSED,
    REVIEW,
    SURE,
    Tally,
    citations_of,
    evidence_told,
    parts_of,
    remark,
    shown,
    state_of,
    tally,
)
from rag.batch.writing import write_output
from rag.config import Config
from rag.errors import BatchError
from rag.pipeline import Pipeline
from rag.types import Check

if TYPE_CHECKING:
    import gradio as gr

KEPT = "answers"  # what the journal of a list is named for, beside the list in its folder
ALL = "全部"
WAITING = "未答"
UNREVIEWED = "未审核"
SHOWN_ROWS = 300  # a browser draws so many in a moment; filters bring the others
REDRAWN = 0.7  # seconds between two drawings of a list that fills in
COMPARED_ROWS = 100  # of those that changed: all of them are in the file
COLUMNS = {"行": 60, "问题": 330, "答复": 440, "状态": 90, "置信度": 80, "数字核对": 90, "审核": 140}
EXPORTS = {"Excel（原表格式）": ".xlsx", "Word 答复文稿": ".docx", "csv": ".csv", "jsonl": ".jsonl"}

STATES = (ALL, ANSWERED, REFUSED, REVIEW, WAITING)
CONFIDENCES: Mapping[str, tuple[float, float]] = {
    ALL: (0.0, 2.0), f"{SURE} 以上": (SURE, 2.0), f"0.7–{SURE}": (0.7, SURE), "0.7 以下": (0.0, 0.7),
}  # fmt: skip
FIGURES = (ALL, "全部核对", "有未核对", "没有数字")
AGAIN = "须重审"
REVIEWS = (ALL, UNREVIEWED, *DECIDED.values(), AGAIN)
CHANGED = "有变动"
CHANGES = (ALL, CHANGED, ANSWER, EVIDENCE, NEW, SAME)


@dataclass(frozen=True)
class Chosen:
    """What the list is filtered by: one of STATES, CONFIDENCES, FIGURES, REVIEWS and CHANGES each."""

    state: str = ALL
    confidence: str = ALL
    figures: str = ALL
    review: str = ALL
    change: str = ALL

    def holds(self, row: Answered, decision: Decision | None) -> bool:
        if not row.asks:
            return False
        low, high = CONFIDENCES[self.confidence]
        confidence = row.reply["record"]["confidence"] if row.reply is not None else 0.0
        return (
            self.state in (ALL, state_of(row) or WAITING)
            and low <= confidence < high
            and self.figures in (ALL, told_figures(row)[0])
            and self.review in (ALL, *told_review(row, decision)[0])
            and self.change in (ALL, *told_change(row, decision))
        )


def told_figures(row: Answered) -> tuple[str, str]:
    """How a row's figures came out, as filtered by and as shown."""
    checks = [check for part in parts_of(row.reply) for check in part] if row.reply is not None else []
    if not checks:
        return "没有数字", ""
    failed = sum(not check.ok for check in checks)
    return ("有未核对", f"✗ {failed}/{len(checks)}") if failed else ("全部核对", f"✓ {len(checks)}")


def told_review(row: Answered, decision: Decision | None) -> tuple[tuple[str, ...], str]:
    """What was decided, as filtered by and as shown. A row that is being answered anew keeps what was decided before
    until it is known whether that still holds."""
    if decision is None:
        return (UNREVIEWED,), ""
    told = DECIDED[decision.action] + (f"：{decision.recipient}" if decision.recipient else "")
    if row.reply is None or is_current(decision, row):
        return (DECIDED[decision.action],), told
    return (AGAIN,), f"{told}（{AGAIN}）"


def told_change(row: Answered, decision: Decision | None) -> tuple[str, ...]:
    """How a row came out against the run before, as filtered by; () while it has no answer."""
    if row.reply is None:
        return ()
    what = change_of(row, decision)
    return (SAME,) if what in (SAME, MOVED) else (what, CHANGED)


def brief(text: str, length: int = 90) -> str:
    """The beginning of a text on one line."""
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= length else f"{line[:length]}…"


def table_row(row: Answered, decision: Decision | None, again: bool = False) -> list[str | int]:
    """A row of the table, in the order of COLUMNS. `again`: the list was answered before, and changes are told."""
    answer = decided_text(row, decision) or row.row.error or remark(row)
    change = told_change(row, decision) if again else ()
    changed = f"（{change[0]}）" if CHANGED in change else ""
    return [
        row.row.number,
        brief(row.row.question),
        brief(answer),
        f"{state_of(row) or '作答中…'}{changed}",
        "" if row.reply is None else f"{shown(row.reply['record']['confidence']):.2f}",
        told_figures(row)[1],
        told_review(row, decision)[1],
    ]


def listed(journal: Journal, chosen: Chosen) -> tuple[list[list[str | int]], bool]:
    """The first rows that are chosen, at most SHOWN_ROWS, and whether there are more."""
    decisions, again = journal.decisions(), journal.has_earlier()
    rows: list[list[str | int]] = []
    for row in journal.rows():
        decision = decisions.get(row.position)
        if chosen.holds(row, decision):
            if len(rows) == SHOWN_ROWS:
                return rows, True
            rows.append(table_row(row, decision, again))
    return rows, False


# Drawn here and not by gr.Progress: that belongs to the one event that runs, is gone for whoever reloads or looks on,
# and says nothing of a list that was stopped.
def render_progress(name: str, done: int, total: int, running: bool, left: float | None = None) -> str:
    """How far a list is: a bar, counted rows, and the time that is left."""
    share = 100 * done / total if total else 100
    if done == total:
        told = "已全部答完"
    elif running:
        told = "作答中" + (f"，约剩 {told_seconds(left)}" if left is not None else "")
    else:
        told = "已停下，点“继续”接着答，已答的不会重做"
    return (
        f'<div class="progress"><div class="about"><b>{escape(name)}</b><span>{done}/{total} 行 · {told}</span></div>'
        f'<div class="bar"><div style="width:{share:.1f}%"></div></div></div>'
    )


def told_seconds(seconds: float) -> str:
    return f"{seconds:.0f} 秒" if seconds < 90 else f"{seconds / 60:.0f} 分钟"


def render_tally(counts: Tally) -> str:
    tags = [
        tag(f"已答复 {counts.answered}", "checked"),
        tag(f"未载明 {counts.refused}", "plain"),
        tag(f"待人工 {counts.review}", "refused" if counts.review else "plain"),
    ]
    if counts.repeated:
        tags.append(tag(f"重复 {counts.repeated}", "plain", "相同的问题只答一次"))
    if counts.several:
        tags.append(tag(f"一格多问 {counts.several}", "plain"))
    if counts.approved:
        tags.append(tag(f"已审定 {counts.approved}", "checked", "取自审定库"))
    return f'<div class="tags">{"".join(tags)}</div>'


def render_changes(journal: Journal, pipeline: Pipeline) -> str:
    """What came out otherwise than over the version before: counts, and old and new answer side by side."""
    counts = changes(journal)
    if counts is None:
        return ""
    before, after = journal.told("earlier_documents"), journal.told("documents")
    version = f"文件由 {before} 变为 {after}。" if before != after else "文件没有变，程序或设置变了。"
    told = (
        f"{version}与上一次相比：答复有变 {counts.answers} 行，只有依据有变 {counts.evidence} 行，"
        f"新问题 {counts.new} 行，其余 {counts.unchanged + counts.moved} 行未变，原来的审核仍然有效。"
    )
    titles = {document.id: document.title for document in pipeline.documents}
    rows = []
    for row, what in islice(changed_rows(journal), COMPARED_ROWS):
        sides = "".join(
            f"<td>{tag(state, 'plain')} {escape(reply['record']['answer'])}"
            f"<div class=evidence>{escape(evidence_told(reply, titles))}</div></td>"
            if reply is not None
            else "<td>（没有）</td>"
            for state, reply in ((earlier_state(row), row.earlier), (state_of(row), row.reply))
        )
        rows.append(f"<tr><td>{row.row.number}</td><td>{escape(row.row.question)}</td><td>{what}</td>{sides}</tr>")
    if not rows:
        return f'<p class="message">{escape(told)}</p>'
    total = counts.answers + counts.evidence + counts.new
    more = f"，这里列出前 {COMPARED_ROWS} 行，全部见下载的文件" if total > COMPARED_ROWS else ""
    heads = "".join(f"<th>{head}</th>" for head in ("行", "问题", "变动", "原答复", "现答复"))
    return (
        f'<p class="message">{escape(told + more)}</p>'
        f'<div class="scroll"><table class="compared"><tr>{heads}</tr>{"".join(rows)}</table></div>'
    )


def render_message(text: str, kind: str = "") -> str:
    return f'<p class="message {kind}">{escape(text)}</p>' if text else ""


def render_checks(checks: Sequence[Check]) -> str:
    """Every figure of the answer as it stands in the box, whether it is in what is cited."""
    if not checks:
        return '<p class="empty">答复里没有要核对的数字。</p>'
    tags = [
        tag(f"{check.figure} {'✓' if check.ok else '✗ ' + check.reason}", "checked" if check.ok else "failed")
        for check in checks
    ]
    return f'<div class="tags">{"".join(tags)}</div>'


def render_review(row: Answered, decision: Decision | None, pipeline: Pipeline) -> str:
    """A row as it is reviewed: its question, what was decided, and every source with the quoted words marked."""
    titles = {document.id: document.title for document in pipeline.documents}
    state = state_of(row)
    tags = [tag(state, "checked" if state == ANSWERED else "refused")] if state else []
    if row.reply is not None:
        tags.append(tag(f"置信度 {shown(row.reply['record']['confidence']):.2f}", "plain"))
    if decision is not None:
        when = decision.at.replace("T", " ")[:16]
        tags.append(tag(f"{told_review(row, decision)[1]}　{decision.by}　{when}", "plain"))
    note = f'<p class="note">{escape(remark(row))}</p>' if remark(row) else ""
    if row.earlier is not None and CHANGED in told_change(row, decision):
        said = row.earlier["record"]
        note += (
            f'<details class="earlier" open><summary>上一次的答复（{change_of(row, decision)}）</summary>'
            f"{tag(earlier_state(row), 'plain')} {escape(said['answer'])}"
            f'<div class="evidence">{escape(evidence_told(row.earlier, titles))}</div></details>'
        )
    cards = [
        f'<article class="card"><header><span class="number">[{one.n}]</span>'
        f'<span class="document">{escape(titles[one.doc])}</span></header>'
        f"{render_place(one.section, one.lines, one.page)}{render_source(pipeline.source(one))}</article>"
        for one in (citations_of(row.reply) if row.reply is not None else [])
        if one.doc in titles
    ]
    return (
        f'<div class="asked"><span class="number">第{row.row.number}行</span>{escape(row.row.question)}</div>'
        f'<div class="tags">{"".join(tags)}</div>{note}'
        f"{''.join(cards) or '<p class=empty>这一行没有引用原文。</p>'}"
    )


def for_page(text: str) -> str:
    """What is said of a list, with the fields of the page in place of the command's options."""
    return text.replace("（--sheet）", "（填在“工作表”里）").replace("（--column）", "（填在“问题列”里）")


WELCOME = "上传后自动作答，可以随时停下；再次上传或打开同一份清单，会接着上次的答复和审核。"
EMPTY_REVIEW = '<p class="empty">点选表中一行，这里显示它的依据原文，右侧可以修改和审核。</p>'


def render_library(pipeline: Pipeline) -> str:
    """The approved answers, and which of them a changed document has made stale."""
    entries = pipeline.library.entries() if pipeline.library is not None else ()
    if not entries:
        return '<p class="empty">还没有审定的答复。采纳一条答复，它就存到这里，以后问同样的问题时优先使用。</p>'
    rows = []
    for entry in entries:
        standing = pipeline.standing(entry) is not None
        state = tag("有效", "checked") if standing else tag("已失效", "failed", "所依据的原文已变，不再使用")
        approval = entry.approval
        rows.append(
            f"<tr><td>{state}</td><td>{escape(entry.question)}</td><td>{escape(entry.answer)}</td>"
            f"<td>{escape(entry.by)}<br>{escape(entry.at[:10])}</td><td>{escape(approval.version)}</td></tr>"
        )
    heads = "".join(f"<th>{head}</th>" for head in ("状态", "问题", "答复", "审定", "文件版本"))
    return f'<div class="scroll"><table class="library"><tr>{heads}</tr>{"".join(rows)}</table></div>'


# --- the lists that are open


@dataclass
class Job:
    """A list on the desk. `busy` is held by whoever answers it; `last` is when its table was last drawn."""

    name: str
    source: Path
    journal: Journal
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Desk:
    """The lists that the page has open, by key; each journal is opened once for all visitors."""

    pipeline: Pipeline
    config: Config
    folder: Path
    jobs: dict[str, Job] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, upload: Path, column: str, sheet: str) -> str:
        """Open an uploaded list and return its key. Raises BatchError for what is no list."""
        listing = open_list(upload, column.strip(), sheet.strip())
        content = hashlib.sha256(upload.read_bytes()).hexdigest()
        where = hashlib.sha256(f"{listing.sheet}\0{listing.column}".encode()).hexdigest()
        key = f"{content[:16]}-{where[:4]}"
        with self.lock:
            if key not in self.jobs:
                place = self.folder / key
                place.mkdir(parents=True, exist_ok=True)
                source = self._source(key) or place / upload.name
                if not source.exists():
                    shutil.copyfile(upload, source)
                self._open(key, source, listing)
        return key

    def reopen(self, key: str) -> None:
        """Open a list that was brought before. Raises BatchError where it is gone or damaged."""
        with self.lock:
            if key not in self.jobs:
                source = self._source(key)
                if source is None:
                    raise BatchError("这份清单已不在了：请重新上传。")
                self._open(key, source, None)

    def lists(self) -> list[tuple[str, str]]:
        """Name and key of the lists that were brought before, the last one worked on first."""
        places = self.folder.iterdir() if self.folder.is_dir() else ()
        found = [(journal_of(place / KEPT), place) for place in places]
        dated = sorted(((file.stat().st_mtime, place) for file, place in found if file.exists()), reverse=True)
        return [
            (f"{source.name}（{datetime.fromtimestamp(at):%m月%d日 %H:%M}）", place.name)
            for at, place in dated
            if (source := self._source(place.name)) is not None
        ]

    def _source(self, key: str) -> Path | None:
        place = self.folder / key
        kept = [file for file in place.iterdir() if file.suffix.lower() in KINDS] if place.is_dir() else []
        return kept[0] if kept else None

    def _open(self, key: str, source: Path, listing: Listing | None) -> None:
        journal = Journal.open(journal_of(self.folder / key / KEPT))
        try:
            listing = journal.listing if listing is None else listing
            prepare(journal, source, listing, identity(self.pipeline, self.config, source, listing))
        except UserError:
            journal.close()
            raise
        self.jobs[key] = Job(source.name, source, journal)

    def answer(self, key: str) -> Iterator[tuple[int, int, float | None]]:
        """Answer what is missing of a list; yields rows done, rows in all, and the seconds left. Where another visitor
        has it answered, watches."""
        job = self.jobs[key]
        total, began, first = job.journal.count(), time.monotonic(), job.journal.done()

        def left(done: int) -> float | None:
            return None if done <= first else (time.monotonic() - began) / (done - first) * (total - done)

        if not job.busy.acquire(blocking=False):
            while job.busy.locked():
                done = job.journal.done()
                yield done, total, left(done)
                time.sleep(REDRAWN)
            return
        try:
            with closing(answering(job.journal, self.pipeline, self.config)) as rows:
                for done in rows:
                    yield done, total, left(done)
        finally:
            job.busy.release()


def build_batch(pipeline: Pipeline, config: Config, tab: gr.Tab) -> None:
    """The tab, inside which this is called."""
    import gradio as gr

    beside = pipeline.library.path.parent if pipeline.library is not None else Path(mkdtemp(prefix="plan-qa-"))
    desk = Desk(pipeline, config, beside / "batch")

    closed = (EMPTY_REVIEW, gr.update(visible=False))  # no row is being reviewed

    def draw(key: str, chosen: Chosen) -> tuple[Any, Any]:
        rows, more = listed(desk.jobs[key].journal, chosen)
        told = f"列出 {len(rows)} 行" + (f"（只列前 {SHOWN_ROWS} 行，请用筛选缩小范围）" if more else "")
        return {"headers": list(COLUMNS), "data": rows}, f'<p class="count">{told}</p>'

    def take(upload: str | None, column: str, sheet: str) -> tuple[Any, ...]:
        if upload is None:
            return (gr.skip(),) * 8
        try:
            key = desk.take(Path(upload), column, sheet)
        except UserError as error:
            return refused(error)
        return opened_list(key)

    def reopen(key: str) -> tuple[Any, ...]:
        try:
            desk.reopen(key)
        except UserError as error:
            return refused(error)
        return opened_list(key)

    def refused(error: UserError) -> tuple[Any, ...]:
        hidden = gr.update(visible=False)
        return "", render_message(for_page(str(error)), "failed"), hidden, gr.skip(), *closed, gr.skip(), gr.skip()

    def opened_list(key: str) -> tuple[Any, ...]:
        journal = desk.jobs[key].journal
        told = [for_page(notice) for notice in journal.listing.notices]
        if again := journal.has_earlier():
            told.append("这份清单在文件或程序变动之前答过：现在重新核对，变动列在下面，答复未变的行保留原来的审核")
        offered = gr.update(choices=desk.lists(), value=key)
        changing = gr.update(visible=again, value=ALL)
        return key, render_message("；".join(told)), gr.update(visible=True), None, *closed, offered, changing

    def fill(key: str, *filters: str) -> Iterator[tuple[Any, ...]]:
        if not key:
            return
        job, chosen = desk.jobs[key], Chosen(*filters)
        running, drawn = (gr.update(interactive=False), gr.update(interactive=True)), 0.0
        try:
            for done, total, left in desk.answer(key):
                if time.monotonic() - drawn >= REDRAWN:
                    bar = render_progress(job.name, done, total, True, left)
                    yield (bar, *draw(key, chosen), "", *running, gr.skip(), gr.skip())
                    drawn = time.monotonic()
        except UserError as error:
            failed = render_message(str(error), "failed")
            yield (failed, *draw(key, chosen), "", *idle(key), gr.skip(), gr.skip())
            return
        yield ended(key, *filters)

    def idle(key: str) -> tuple[Any, Any]:
        journal = desk.jobs[key].journal
        return gr.update(interactive=journal.done() < journal.count()), gr.update(interactive=False)

    def ended(key: str, *filters: str) -> tuple[Any, ...]:
        """The list as it stands when nothing is being answered."""
        if not key:
            return (gr.skip(),) * 8
        job = desk.jobs[key]
        progress = render_progress(job.name, job.journal.done(), job.journal.count(), False)
        compared = render_changes(job.journal, pipeline)
        counts = render_tally(tally(job.journal))
        table, count = draw(key, Chosen(*filters))
        return progress, table, count, counts, *idle(key), gr.update(visible=bool(compared)), compared

    def filtered(key: str, *filters: str) -> tuple[Any, Any]:
        return draw(key, Chosen(*filters)) if key else (gr.skip(), gr.skip())

    def open_row(key: str, number: int) -> tuple[Any, ...]:
        journal = desk.jobs[key].journal
        row = journal.row(number)
        decision = journal.decision(row.position)
        text = decided_text(row, decision)
        checks = render_checks([check for part in parts_of(row.reply) for check in part]) if row.reply else ""
        return number, render_review(row, decision, pipeline), gr.update(visible=True), text, checks, ""

    def pick(key: str, event: Any) -> Any:
        if not key:
            return (gr.skip(),) * 6
        return open_row(key, int(event.row_value[0]))

    # gradio passes the row clicked to the argument that has this type, which is not known outside this function.
    pick.__annotations__["event"] = gr.SelectData

    def check(key: str, number: int | None, text: str) -> str:
        if not key or number is None:
            return ""
        try:
            return render_checks(recheck(pipeline, desk.jobs[key].journal.row(number), text))
        except ReviewError:
            return ""

    def decided(action: str) -> Callable[..., tuple[Any, ...]]:
        def act(key: str, number: int | None, text: str, by: str, recipient: str, *filters: str) -> tuple[Any, ...]:
            if not key or number is None:
                return (*(gr.skip(),) * 5, render_message("请先在表中点选一行。", "failed"), *(gr.skip(),) * 3)
            journal = desk.jobs[key].journal
            row = journal.row(number)
            at = datetime.now().astimezone().isoformat(timespec="seconds")
            try:
                decision = decide(pipeline, journal, row, action, by, at, text, recipient)
            except UserError as error:
                return (*(gr.skip(),) * 5, render_message(str(error), "failed"), *(gr.skip(),) * 3)
            told = f"第{number}行：{DECIDED[decision.action]}。"
            table, count = draw(key, Chosen(*filters))
            following = next_row(journal, row, Chosen(*filters))
            if following is None:
                message = render_message(f"{told}没有下一条未审核的了。", "good")
                return (*open_row(key, number)[:5], message, table, count, "")
            message = render_message(f"{told}下面是第{following}行。", "good")
            return (*open_row(key, following)[:5], message, table, count, "")

        return act

    def accept_listed(key: str, by: str, *filters: str) -> tuple[Any, ...]:
        """Accept what the list as filtered shows as answered and nobody ever decided on; the rest wants a person."""
        if not key:
            return (gr.skip(),) * 3
        journal, chosen = desk.jobs[key].journal, Chosen(*filters)
        at = datetime.now().astimezone().isoformat(timespec="seconds")
        accepted, failed = 0, ""
        for row in journal.rows():
            decision = journal.decision(row.position)
            if decision is not None or state_of(row) != ANSWERED or not chosen.holds(row, decision):
                continue
            try:
                decide(pipeline, journal, row, "accepted", by, at, decided_text(row, None))
            except UserError as error:
                failed = f"第{row.row.number}行起没有采纳：{error}"
                break
            accepted += 1
        told = failed or "其余的须逐条审核。"
        message = render_message(f"采纳了 {accepted} 条“{ANSWERED}”。{told}", "failed" if failed else "good")
        return message, *draw(key, chosen)

    def next_row(journal: Journal, after: Answered, chosen: Chosen) -> int | None:
        """The next row of the list as filtered that nobody has decided on."""
        decisions = journal.decisions()
        for row in journal.rows():
            decision = decisions.get(row.position)
            pending = decision is None or not is_current(decision, row)
            if row.position > after.position and pending and chosen.holds(row, decision):
                return row.row.number
        return None

    def export(key: str, form: str) -> str:
        if not key:
            raise gr.Error("请先上传问题清单。", title="没有导出", print_exception=False)
        job = desk.jobs[key]
        out = Path(mkdtemp(dir=exports)) / f"{Path(job.name).stem}-答复{EXPORTS[form]}"
        try:
            write_output(job.journal, pipeline, job.source, out, reviewed=True)
        except UserError as error:
            raise gr.Error(str(error), title="没有导出", print_exception=False) from error
        return str(out)

    def export_changes(key: str) -> str:
        job = desk.jobs[key]
        try:
            written = write_changes(job.journal, pipeline, job.source, Path(mkdtemp(dir=exports)) / job.name)
        except UserError as error:
            raise gr.Error(str(error), title="没有导出", print_exception=False) from error
        return str(written)

    exports = mkdtemp(prefix="plan-qa-export-")
    kinds: list[Literal["str", "number"]] = ["number" if heading == "行" else "str" for heading in COLUMNS]
    key, number = gr.State(""), gr.State(None)
    with gr.Row(elem_id="upload"):
        upload = gr.File(
            label="问题清单：xlsx、csv、txt、md 或 jsonl", file_types=list(KINDS), height=120, scale=3, min_width=280,
            elem_id="list",
        )  # fmt: skip
        with gr.Column(scale=2, min_width=240):
            column = gr.Textbox(label="问题列（可不填，自动按列名找）", elem_id="column", max_lines=1)
            sheet = gr.Textbox(label="工作表（可不填）", elem_id="sheet", max_lines=1)
    earlier = gr.Dropdown(desk.lists(), value=None, label="或打开以前的清单", elem_id="earlier-lists")
    message = gr.HTML(render_message(WELCOME), elem_id="batch-message")
    with gr.Column(visible=False, elem_id="batch") as board:
        with gr.Row(elem_id="running"):
            progress = gr.HTML("", elem_id="progress")
            going = gr.Button("继续", scale=0, min_width=80, interactive=False)
            stopping = gr.Button("停止", scale=0, min_width=80, interactive=False)
        counts = gr.HTML("", elem_id="counts")
        with gr.Accordion("变动对照", open=False, visible=False, elem_id="changes") as changed:
            compared = gr.HTML("", elem_id="compared")
            with gr.Row():
                exporting_changes = gr.Button("下载变动对照", scale=0, min_width=140)
                changes_file = gr.DownloadButton("下载", elem_id="changes-file")
        with gr.Row(elem_id="batch-filters"):
            filters = [
                gr.Dropdown(list(offered), value=ALL, label=label, min_width=120)
                for label, offered in (
                    ("状态", STATES), ("置信度", CONFIDENCES), ("数字核对", FIGURES), ("审核", REVIEWS),
                )
            ]  # fmt: skip
            changing = gr.Dropdown(list(CHANGES), value=ALL, label="与上一次相比", min_width=120, visible=False)
            filters.append(changing)
        count = gr.HTML("", elem_id="batch-count")
        table = gr.Dataframe(
            {"headers": list(COLUMNS), "data": []},
            datatype=kinds,
            label="答复",
            show_label=False,
            interactive=False,
            wrap=True,
            column_widths=[f"{width}px" for width in COLUMNS.values()],
            max_height=420,
            buttons=[],
            elem_id="answers",
        )
        with gr.Row(elem_id="review"):
            with gr.Column(scale=6, min_width=320):
                source = gr.HTML(EMPTY_REVIEW, elem_id="source")
            with gr.Column(scale=5, min_width=320, elem_id="deciding", visible=False) as deciding:
                text = gr.Textbox(label="答复（可修改，数字随改随核对）", lines=6, max_lines=16, elem_id="answer-text")
                checks = gr.HTML("", elem_id="checks")
                with gr.Row():
                    by = gr.Textbox(label="审核人", max_lines=1, elem_id="reviewer", min_width=120)
                    recipient = gr.Textbox(label="转给（转办时填）", max_lines=1, elem_id="recipient", min_width=120)
                with gr.Row(elem_id="actions"):
                    accepting = gr.Button("采纳", variant="primary", min_width=80)
                    rejecting = gr.Button("退回", min_width=80)
                    reassigning = gr.Button("转办", min_width=80)
                accepting_listed = gr.Button(
                    f"一并通过列出的“{ANSWERED}”", elem_id="accept-listed", size="sm",
                )  # fmt: skip
                verdict = gr.HTML("", elem_id="verdict")
        with gr.Row(elem_id="exporting"):
            form = gr.Dropdown(list(EXPORTS), value=next(iter(EXPORTS)), label="导出格式", min_width=230, scale=0)
            exporting = gr.Button("导出审核结果", scale=0, min_width=140)
            # What fetches the file has to exist before it is clicked, so the button above clicks this one.
            file = gr.DownloadButton("下载", elem_id="batch-file")
    with gr.Accordion("审定库", open=False, elem_id="approved") as shelf:
        library = gr.HTML("", elem_id="library")

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    board_drawn = [progress, table, count, counts, going, stopping, changed, compared]
    filling: dict[str, Any] = {"fn": fill, "inputs": [key, *filters], "outputs": board_drawn, **quiet}
    taking = [key, message, board, number, source, deciding, earlier, changing]
    taken = upload.upload(take, [upload, column, sheet], taking, **quiet)
    named = gr.on([column.submit, sheet.submit], take, [upload, column, sheet], taking, **quiet)
    again = earlier.input(reopen, earlier, taking, **quiet)
    runs = [taken.then(**filling), named.then(**filling), again.then(**filling), going.click(**filling)]
    tab.select(lambda: gr.update(choices=desk.lists()), None, earlier, **quiet)
    # What was cancelled can draw nothing more, so the list as it then stands is drawn after it.
    stopping.click(None, cancels=runs).then(ended, [key, *filters], board_drawn, **quiet)
    gr.on(
        [one.input for one in filters], filtered, [key, *filters], [table, count], trigger_mode="always_last", **quiet
    )
    opened = [number, source, deciding, text, checks, verdict]
    table.select(pick, key, opened, **quiet).then(
        None, js="() => document.querySelector('#review').scrollIntoView({block: 'nearest'})", **quiet
    )
    # Not text.input: it is not told of what is pasted or composed.
    text.change(check, [key, number, text], checks, trigger_mode="always_last", **quiet)
    for button, action in ((accepting, "accepted"), (rejecting, "rejected"), (reassigning, "reassigned")):
        button.click(
            decided(action),
            [key, number, text, by, recipient, *filters],
            [*opened, table, count, recipient],
            **quiet,
        ).then(lambda: render_library(pipeline), None, library, **quiet)
    accepting_listed.click(accept_listed, [key, by, *filters], [verdict, table, count], **quiet).then(
        lambda: render_library(pipeline), None, library, **quiet
    )
    shelf.expand(lambda: render_library(pipeline), None, library, **quiet)
    for button, fetch, inputs, fetched in (
        (exporting, export, [key, form], file), (exporting_changes, export_changes, [key], changes_file),
    ):  # fmt: skip
        button.click(fetch, inputs, fetched, **quiet).success(
            None, js=f"() => document.querySelector('#{fetched.elem_id}').click()", **quiet
        )
