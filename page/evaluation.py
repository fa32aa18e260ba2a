"""The tab 评测: choose a set, run it, read the report, look at past runs, compare two.

`render_job`, `render_report` and `render_comparison` draw, `build_evaluation` is the layout; what runs behind it is in
page/bench.py, what is measured in eval/.
"""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

from eval.compare import HEADINGS, NOTE, SAME, TYPE_NAMES, Comparison, Flip, cells, compare, read_run, verdicts
from eval.report import page as report_page
from eval.report import report
from eval.run import FAILURE_NAMES
from index.errors import UserError
from index.types import Document
from page.bench import Bench, Entry, Job
from page.drawing import escape, tag

if TYPE_CHECKING:
    import gradio as gr

# Headings of the table of runs and the widths of its columns in px.
RUNS = {
    "名称": 312,
    "题集": 130,
    "题数": 65,
    "时间": 155,
    "正确率（95% 区间）": 190,
    "目标值全对（95% 区间）": 195,
    "状态": 175,
}
SECONDS = 1.0  # between two looks at the run in progress
TEMPER = {
    "开发集 dev": "工具的权重是在这个题集上拟合的，成绩偏高；对外报告请用测试集。",
    "拟合集 train": "工具的权重是在这个题集上拟合的，成绩偏高；对外报告请用测试集。",
    "测试集 test": "没有任何权重在这个题集上拟合，供对外报告。",
}

Row = tuple[str | int, ...]

EMPTY_JOB = '<p class="empty">选好题集，按“开始评测”。评测在后台进行，问答照常可用；中途停止，答过的题不会重做。</p>'
EMPTY_REPORT = '<p class="empty">点选表中一次评测，这里显示它的报告。</p>'
NO_RUNS = '<p class="empty">还没有做过评测。</p>'
EMPTY_COMPARISON = '<p class="empty">选同一题集的两次评测，按“比较”。</p>'


def render_fault(message: str) -> str:
    """An error meant for the user; where it lists several, one below the other."""
    head, *others = message.split("\n")
    items = "".join(f"<li>{escape(other.strip())}</li>" for other in others)
    return f'<div class="fault"><p>{escape(head)}</p>{f"<ul>{items}</ul>" if items else ""}</div>'


def render_about(name: str, questions: int, families: int, document: Document) -> str:
    temper = TEMPER.get(name, "")
    return f'<p class="count">{questions} 题，{families} 个题族，为《{escape(document.title)}》编写。{temper}</p>'


def told_span(seconds: float) -> str:
    """不到 1 分钟, 3 分钟, 2 小时."""
    if seconds < 60:
        return "不到 1 分钟"
    return f"{round(seconds / 60)} 分钟" if seconds < 90 * 60 else f"{round(seconds / 3600)} 小时"


def render_job(job: Job | None, now: float) -> str:
    """The run in progress, or how the last one ended; `now` is of time.monotonic."""
    if job is None:
        return EMPTY_JOB
    name = escape(job.source.stem)
    if job.state == "failed":
        return render_fault(job.message)
    if job.state == "stopped":
        return f'<p class="told">{name} 的评测已停止，答过的 {job.done} 题已存下：再按“开始评测”会接着做。</p>'
    if job.state == "done":
        return f'<p class="told">{name} 已评测完，报告见下。</p>'
    if job.state == "stopping":
        words = f"正在停止 {name} 的评测……"
    elif not job.total:
        words = f"正在核对 {name} 和索引……"
    elif job.done == job.total:
        words = f"{name} 的 {job.total} 题已答完，正在评分……"
    else:
        left = job.seconds_left(now)
        words = f"正在评测 {name}：已答 {job.done} / {job.total} 题"
        words += f"，约还需{told_span(left)}" if left is not None else ""
    bar = f'<progress max="{job.total}" value="{job.done}"></progress>' if job.total else "<progress></progress>"
    return f'<div class="going"><p class="told">{words}</p>{bar}</div>'


def told_figure(figure: dict[str, Any] | None) -> str:
    """88.2%（84.1–92.0）."""
    if figure is None or figure.get("value") is None:
        return "—"
    interval = f"（{100 * figure['low']:.1f}–{100 * figure['high']:.1f}）" if "low" in figure else ""
    return f"{100 * figure['value']:.1f}%{interval}"


def run_row(entry: Entry) -> Row:
    """A run as a row of the table, in the order of RUNS."""
    figures, questions = entry.figures or {}, entry.manifest.get("questions", 0)
    state = "完成" if entry.figures is not None else f"未完成，已答 {entry.answered}"
    return (
        entry.name,
        f"{entry.manifest.get('set', '')}{'（改写件）' if entry.manifest.get('mutated') else ''}",
        questions,
        datetime.fromtimestamp(entry.ended).strftime("%Y-%m-%d %H:%M"),
        told_figure(figures.get("accuracy")),
        told_figure(figures.get("target_exact")),
        state,
    )


def render_report(folder: Path, name: str) -> str:
    """The report of the run in `folder` in a frame of its own, in which its style and script act. Raises RecordError
    where there is no whole run."""
    text = html.escape(report_page(read_run(folder)))
    # No allow-same-origin: the report's script cannot reach the page.
    return f'<iframe title="{escape(name)} 的评测报告" sandbox="allow-scripts" srcdoc="{text}"></iframe>'


def render_comparison(comparison: Comparison) -> str:
    """Two runs beside each other: what is to be made of it, what differs between them, every figure, and the questions
    that flipped."""
    a, b = comparison.a, comparison.b
    judged = "".join(f"<li>{escape(one)}</li>" for one in verdicts(comparison))
    return (
        f'<p class="count">A：{escape(a.name)}　B：{escape(b.name)}　题集 {escape(str(a.manifest.get("set", "")))}，'
        f'{len(a.rows)} 题，{a.families} 个题族。</p><ul class="judged">{judged}</ul>'
        f"<h3>两次的不同</h3>{render_settings(comparison)}"
        f"<h3>各项指标</h3>{render_table(HEADINGS, [cells(delta) for delta in comparison.deltas])}"
        f'<p class="small">{escape(NOTE)}</p>'
        f"<h3>对错有变的题</h3>"
        f'<p class="count">答案文字有变的 {comparison.reworded} 题，其中对错有变的 {len(comparison.flips)} 题。</p>'
        f"{render_flips('B 新答对', [one for one in comparison.flips if one.gained])}"
        f"{render_flips('B 新答错', [one for one in comparison.flips if not one.gained])}"
    )


def render_settings(comparison: Comparison) -> str:
    if not comparison.settings:
        return '<p class="empty">没有不同：文件、题集、索引、模型、权重、提示词、程序和设置都一样。</p>'
    return render_table(("", "A", "B"), [(name, old, new) for name, (old, new) in comparison.settings.items()])


def render_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{lines}</table></div>'


def render_flips(label: str, flips: Sequence[Flip]) -> str:
    items = "".join(
        f'<li><span class="asked">{escape(flip.question)}</span>{tag(TYPE_NAMES.get(flip.type, flip.type), "kind")}'
        f"{tag(('原来：' if flip.gained else '现在：') + FAILURE_NAMES.get(flip.failure, flip.failure), 'kind')}"
        f'<span class="small">{escape(flip.id)}</span></li>'
        for flip in flips
    )
    if not items:
        return f'<p class="empty">{label}：没有。</p>'
    kind = "gained" if flips[0].gained else "lost"
    return f'<details class="flips {kind}" open><summary>{label} {len(flips)} 题</summary><ol>{items}</ol></details>'


def pair(entries: Sequence[Entry]) -> tuple[str | None, str | None]:
    """The two runs that one is likeliest to compare: the latest of which there is an earlier one that can be compared
    with it, the earlier first; None where there are no two. `entries` latest first."""
    done = [entry for entry in entries if entry.figures is not None]
    for at, later in enumerate(done):
        for earlier in done[at + 1 :]:
            if all(earlier.manifest.get(key) == later.manifest.get(key) for key in SAME):
                return earlier.name, later.name
    return None, None


def build_evaluation(bench: Bench, documents: Sequence[Document], tab: gr.Tab) -> None:
    """The tab of the evaluation, inside which this is called; `documents` are those of the page's index."""
    import gradio as gr

    titles = {document.id: document for document in documents}
    # Files stay until they were sent, at most as long as the page is served.
    exports = TemporaryDirectory(prefix="plan-qa-")

    def look(name: str | None) -> tuple[Any, ...]:
        """The set chosen, and whether it can be run here."""
        idle = bench.job is None or not bench.job.live
        if name is None:
            return "", gr.update(interactive=False)
        try:
            questions, families, document = bench.about(name, documents)
        except UserError as error:
            return render_fault(str(error)), gr.update(interactive=False)
        return render_about(name, questions, families, document), gr.update(interactive=idle)

    def draw_job() -> tuple[Any, ...]:
        live = bench.job is not None and bench.job.live
        return (
            render_job(bench.job, time.monotonic()),
            gr.update(interactive=bench.job is not None and bench.job.state == "running"),
            gr.Timer(SECONDS, active=live),
        )

    def draw_runs() -> tuple[Any, ...]:
        entries = bench.entries()
        done = [entry.name for entry in entries if entry.figures is not None]
        first, second = pair(entries)
        return (
            gr.update(visible=not entries),
            gr.update(visible=bool(entries)),
            {"headers": list(RUNS), "data": [run_row(entry) for entry in entries]},
            gr.update(choices=done, value=first),
            gr.update(choices=done, value=second),
        )

    def draw_report(name: str) -> tuple[Any, ...]:
        """The report, its name for the download, and whether there is one to download."""
        try:
            entry = bench.entry(name)
            if entry.figures is None:
                words = f"“{name}”没有做完，没有报告：选题集 {entry.manifest.get('set', '')} 再按“开始评测”，会接着做。"
                return f'<p class="empty">{escape(words)}</p>', "", gr.update(interactive=False)
            return render_report(entry.folder, name), name, gr.update(interactive=True)
        except UserError as error:
            return render_fault(str(error)), "", gr.update(interactive=False)

    def open_tab(chosen: str | None) -> tuple[Any, ...]:
        names = list(bench.sets())
        chosen = chosen if chosen in names else names[0]
        return (gr.update(choices=names, value=chosen), *look(chosen), *draw_job(), *draw_runs())

    def begin(chosen: str) -> tuple[Any, ...]:
        try:
            bench.start(chosen)
        except UserError as error:
            # The run of another visitor goes on: it is watched from here as well.
            _, stopping_, timer_ = draw_job()
            return "running", render_fault(str(error)), stopping_, timer_, gr.skip()
        return "running", *draw_job(), gr.update(interactive=False)

    def watch(state: str, chosen: str | None) -> tuple[Any, ...]:
        """Drawn every second while a run goes on, and once when it has ended."""
        job = bench.job
        if job is None or job.live or state == job.state:
            return (job.state if job is not None else "", *draw_job(), *(gr.skip() for _ in ended))
        shown = draw_report(job.out.name) if job.state == "done" else (gr.skip(),) * 3
        return (job.state, *draw_job(), look(chosen)[1], *draw_runs(), *shown)

    def halt() -> tuple[Any, ...]:
        bench.stop()
        return draw_job()

    def take(upload: str, document: str) -> tuple[Any, ...]:
        try:
            name = bench.add(Path(upload), titles[document])
        except UserError as error:
            return gr.skip(), render_fault(str(error)), gr.skip()
        return gr.update(choices=list(bench.sets()), value=name), *look(name)

    def pick(event: Any) -> tuple[Any, ...]:
        return draw_report(event.row_value[0])

    # gradio passes the row clicked to the argument that has this type, which is not known outside this function.
    pick.__annotations__["event"] = gr.SelectData

    def export(name: str) -> str:
        out = Path(mkdtemp(dir=exports.name)) / f"评测报告-{bench.entry(name).folder.name}.html"
        return str(report(bench.entry(name).folder, out))

    def beside(first: str | None, second: str | None) -> str:
        if first is None or second is None:
            return render_fault("要比较的两次评测没有选全：请在“先”和“后”里各选一次。")
        try:
            return render_comparison(compare(bench.entry(first).folder, bench.entry(second).folder))
        except UserError as error:
            return render_fault(str(error))

    state = gr.State("")
    shown = gr.State("")
    timer = gr.Timer(SECONDS, active=False)
    with gr.Row(elem_id="running"):
        chosen = gr.Dropdown([], label="题集", elem_id="set", scale=2, min_width=200)
        document = gr.Dropdown(
            [(document.title, document.id) for document in documents],
            value=documents[0].id,
            label="上传的题集所依据的文档",
            visible=len(documents) > 1,
            min_width=200,
        )
        uploading = gr.UploadButton("上传题集", scale=0, min_width=100)
        starting = gr.Button("开始评测", variant="primary", interactive=False, scale=0, min_width=110)
        stopping = gr.Button("停止", interactive=False, scale=0, min_width=72, elem_id="halt")
    about = gr.HTML("", elem_id="about")
    progress = gr.HTML(EMPTY_JOB, elem_id="progress")
    with gr.Tabs(elem_id="results"):
        with gr.Tab("报告"):
            none = gr.HTML(NO_RUNS, elem_id="none", visible=False)
            with gr.Column(elem_id="past") as past:
                runs = gr.Dataframe(
                    {"headers": list(RUNS), "data": []},
                    datatype=["number" if heading == "题数" else "str" for heading in RUNS],
                    label="历次评测",
                    show_label=False,
                    interactive=False,
                    wrap=True,
                    column_widths=[f"{width}px" for width in RUNS.values()],
                    max_height=300,
                    buttons=[],
                    elem_id="runs",
                )
                with gr.Row(elem_id="saving"):
                    exporting = gr.Button("下载报告", interactive=False, scale=0, min_width=110)
                    # What fetches the file has to exist before it is clicked, so the button above clicks this one.
                    file = gr.DownloadButton("下载", elem_id="saved")
                frame = gr.HTML(EMPTY_REPORT, elem_id="report")
        with gr.Tab("比较"):
            with gr.Row(elem_id="choosing"):
                first = gr.Dropdown([], label="先（A）", min_width=200)
                second = gr.Dropdown([], label="后（B）", min_width=200)
                comparing = gr.Button("比较", scale=0, min_width=110)
            comparison = gr.HTML(EMPTY_COMPARISON, elem_id="comparison")
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    drawn_job = [progress, stopping, timer]
    drawn_runs = [none, past, runs, first, second]
    drawn_report = [frame, shown, exporting]
    ended = [starting, *drawn_runs, *drawn_report]
    tab.select(open_tab, chosen, [chosen, about, starting, *drawn_job, *drawn_runs], **quiet)
    chosen.input(look, chosen, [about, starting], **quiet)
    uploading.upload(take, [uploading, document], [chosen, about, starting], **quiet)
    starting.click(begin, chosen, [state, *drawn_job, starting], trigger_mode="once", **quiet)
    stopping.click(halt, None, drawn_job, **quiet)
    timer.tick(watch, [state, chosen], [state, *drawn_job, *ended], **quiet)
    runs.select(pick, None, drawn_report, **quiet)
    exporting.click(export, shown, file, **quiet).success(
        None, js="() => document.querySelector('#saved').click()", **quiet
    )
    comparing.click(beside, [first, second], comparison, **quiet)
