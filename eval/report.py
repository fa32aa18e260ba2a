"""A run as one page to read: python -m eval report DIR.

The page (Chinese, template eval/report.html) holds its style, its script and its plots; it loads nothing. All that a
run says is escaped, and a content security policy lets no script run but the template's own, so that a question or a
document with markup in it stays text.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from string import Template
from typing import Any

from eval.compare import LABELS, LOWER_IS_BETTER, TYPE_NAMES, Record, Row, read_run
from eval.run import FAILURE_NAMES, WITHOUT_INTERVAL
from eval.stats import RESAMPLES, Bin, calibration_error, ratio_interval, reliability
from index.errors import UserError
from rag.batch.state import SURE

TEMPLATE = Path(__file__).with_name("report.html")
CARDS = ("accuracy", "target_exact", "wrong_number", "citation_recall_sentence", "refusal_f1", "over_refusal")
WORDING_NAMES = {"official": "书面", "everyday": "口语", "short": "关键词", "typo": "错别字"}
STATUS_NAMES = {"answered": "作答", "refused": "拒答", "error": "出错"}
FAULT_NAMES = {
    "value": "数值或单位",
    "year": "年份",
    "comparator": "以上、以下、左右",
    "basis": "口径",
    "direction": "增减方向",
    "conflict": "另有一个不同的值",
}
UNNAMED = "未注明"
RETRIEVED = 10  # passages listed with a question


class ReportError(UserError):
    """The page cannot be written."""


def report(folder: Path, out: Path | None = None) -> Path:
    """Write the page of the run in `folder` to `out` (report.html in the folder) and return where it is. Raises
    RecordError for a folder without a run, ReportError where the page cannot be written."""
    out = out or folder / "report.html"
    text = page(read_run(folder))
    part = out.with_name(f".{out.name}.part-{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ReportError(f"写不了 {out}（{error.strerror or error}）：请用 --out 换一个文件名。") from error
    return out


def page(record: Record) -> str:
    """The page of a run as HTML; the same run gives the same page."""
    template = TEMPLATE.read_text(encoding="utf-8")
    rows, manifest = record.rows, record.manifest
    answered = [row for row in rows if row["status"] == "answered"]
    refused = [row for row in rows if row["status"] == "refused"]
    return Template(template).substitute(
        policy=policy(template),
        title=escape(f"评测报告 · {record.name}"),
        subtitle=escape(
            f"题集 {manifest.get('set', UNNAMED)}，{len(rows)} 题，{record.families} 个题族；"
            f"文件 {manifest.get('document', UNNAMED)}{'（改写件）' if manifest.get('mutated') else ''}；"
            f"由 {manifest.get('settings', {}).get('llm', UNNAMED)} 回答。"
        ),
        resamples=f"{RESAMPLES:,}",
        cards="".join(_card(name, record.figures["overall"].get(name)) for name in CARDS),
        by_type=dots(record.figures["by_type"], TYPE_NAMES),
        by_wording=dots(record.figures["by_wording"], WORDING_NAMES),
        failures=failures(rows),
        timing=_timing(record.timing),
        answered=calibration(answered, [row["verdict"] == "right" for row in answered]),
        refused=calibration(refused, [row["verdict"] == "right" for row in refused]),
        figures=_figures(record.figures["overall"]),
        types=_options((row["type"] for row in rows), TYPE_NAMES),
        wordings=_options((row["wording"] or UNNAMED for row in rows), WORDING_NAMES),
        kinds=_options((row["failure"] for row in rows if row["failure"]), FAILURE_NAMES),
        count=len(rows),
        questions="\n".join(question(row, number, manifest.get("document")) for number, row in enumerate(rows)),
        manifest=_table(_flat(manifest)),
    )


def policy(template: str) -> str:
    """What the page may do: use the template's own style and script, known by their hashes, and load nothing
    (Content Security Policy Level 3, https://www.w3.org/TR/CSP3/)."""
    style, script = (re.findall(rf"<{tag}>(.*?)</{tag}>", template, re.DOTALL) for tag in ("style", "script"))
    return (
        f"default-src 'none'; style-src {' '.join(map(_hash, style))}; script-src {' '.join(map(_hash, script))}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# --- figures


def _card(name: str, figure: Row | None) -> str:
    if figure is None or figure["value"] is None:
        return ""
    lower = "，越低越好" if name in LOWER_IS_BETTER else ""
    return (
        f'<div class="panel"><span class="soft">{escape(LABELS.get(name, name))}</span>'
        f"<b>{_share(figure['value'])}</b>"
        f'<span class="soft">{_interval(figure)}<br>{figure["n"]} 题{lower}</span></div>'
    )


def _label(name: str) -> str:
    return escape(LABELS.get(name, name)) + ("（低为好）" if name in LOWER_IS_BETTER else "")


def _share(value: float) -> str:
    return f"{100 * value:.1f}%"


def _interval(figure: Row) -> str:
    return f"{100 * figure['low']:.1f}–{100 * figure['high']:.1f}%" if "low" in figure else "没有区间"


def _figures(overall: Mapping[str, Row]) -> str:
    lines = [
        f"<tr><td>{_label(name)}</td><td>{value}</td><td>{interval}</td><td>{figure['n']}</td></tr>"
        for name, figure in overall.items()
        if figure["value"] is not None
        for value, interval in [
            (f"{figure['value']:.2f}", "") if name in WITHOUT_INTERVAL else (_share(figure["value"]), _interval(figure))
        ]
    ]
    return f"<table><tr><th>指标</th><th>数值</th><th>95% 区间</th><th>n</th></tr>{''.join(lines)}</table>"


def _timing(timing: Row) -> str:
    units = (("p50_seconds", "每题用时，中位数"), ("p95_seconds", "每题用时，95% 的题以内"))
    told = [(label, f"{1000 * timing[name]:.1f} 毫秒") for name, label in units if timing.get(name) is not None]
    if timing.get("peak_memory_mb") is not None:
        told.append(("内存最多", f"{timing['peak_memory_mb']:.0f} MB"))
    return _table(told) if told else "<p>没有记录。</p>"


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in pairs)
    return f'<table class="facts">{lines}</table>'


def _flat(value: Mapping[str, Any], at: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, one in value.items():
        found += _flat(one, f"{at}{key}.") if isinstance(one, dict) else [(at + key, "—" if one is None else str(one))]
    return found


# --- plots


def dots(groups: Mapping[str, Mapping[str, Row]], names: Mapping[str, str]) -> str:
    """Accuracy of each group with its interval, in the order of `names`: a dot and a bar on a rail from 0 to 100%.
    Widths are in percent, so that the plot fits a telephone without smaller type."""
    lines = [
        f'<div class="bar"><span>{escape(names.get(of, of) or UNNAMED)}</span>{_rail(figure)}'
        f'<span>{_share(figure["value"])}<br><span class="soft">{figure["n"]} 题</span></span></div>'
        for of in sorted(groups, key=[*names, *groups].index)
        for figure in [groups[of]["accuracy"]]
    ]
    axis = (
        '<svg width="100%" height="14" aria-hidden="true"><text x="0" y="11">0</text>'
        '<text x="50%" y="11" text-anchor="middle">50%</text>'
        '<text x="100%" y="11" text-anchor="end">100%</text></svg>'
    )
    return "".join(lines) + f'<div class="bar"><span></span>{axis}<span></span></div>'


def _rail(figure: Row) -> str:
    told = f"{_share(figure['value'])}，95% 区间 {_interval(figure)}，{figure['n']} 题"
    span = ""
    if "low" in figure:
        span = f'<line class="span" x1="{_share(figure["low"])}" x2="{_share(figure["high"])}" y1="9" y2="9"/>'
    return (
        f'<svg width="100%" height="18" role="img" aria-label="{told}"><title>{told}</title>'
        f'<line class="rail" x1="0" x2="100%" y1="9" y2="9"/>{span}'
        f'<circle class="dot" cx="{_share(figure["value"])}" cy="9" r="4.5"/></svg>'
    )


def failures(rows: Sequence[Row]) -> str:
    """How many questions failed in each way, most frequent first; a name shows its questions."""
    counts = sorted(
        Counter(row["failure"] for row in rows if row["failure"]).items(), key=lambda one: (-one[1], one[0])
    )
    if not counts:
        return "<p>没有答错的题。</p>"
    most = counts[0][1]
    return "".join(
        f'<div class="bar"><button type="button" data-show="{escape(kind)}">'
        f"{escape(FAILURE_NAMES.get(kind, kind))}</button>"
        f'<svg width="100%" height="14" aria-hidden="true">'
        f'<rect class="fault" width="{_share(count / most)}" height="14" rx="2"/></svg>'
        f"<span>{count} 题</span></div>"
        for kind, count in counts
    )


SIDE, LEFT, TOP, COUNTS = 240, 44, 10, 40  # of the reliability plot, in its own units


def calibration(rows: Sequence[Row], outcomes: Sequence[bool]) -> str:
    """The reliability plot of the rows' confidence, and how far confidence and outcome lie apart."""
    if not rows:
        return "<p>没有这样的题。</p>"
    table = reliability([row["confidence"] for row in rows], outcomes)
    families = [row["family"] for row in rows]
    most = max(len(one.members) for one in table)
    grid = "".join(
        f'<line class="rail" x1="{LEFT}" x2="{LEFT + SIDE}" y1="{_y(at)}" y2="{_y(at)}"/>'
        f'<text x="{LEFT - 6}" y="{_y(at) + 4}" text-anchor="end">{at:.0%}</text>'
        f'<text x="{_x(at)}" y="{TOP + SIDE + COUNTS + 26}" text-anchor="middle">{at:.0%}</text>'
        for at in (0.0, 0.5, 1.0)
    )
    marks = "".join(_mark(one, outcomes, families, most) for one in table)
    error = calibration_error(table) or 0.0
    return (
        f'<svg class="square" viewBox="0 0 {LEFT + SIDE + 24} {TOP + SIDE + COUNTS + 32}" role="img" '
        f'aria-label="把握与实际比例，平均相差 {100 * error:.1f} 个百分点">{grid}'
        f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>{marks}</svg>'
        f'<p class="soft">{len(rows)} 题；把握与实际平均相差 {100 * error:.1f} 个百分点（ECE）。'
        f"{told_sure([row['confidence'] for row in rows], outcomes, families)}</p>"
    )


def told_sure(confidences: Sequence[float], outcomes: Sequence[bool], families: Sequence[str]) -> str:
    """How often those are right that are said to be sure: in a batch they need no second look."""
    sure = [at for at, confidence in enumerate(confidences) if confidence >= SURE]
    if not sure:
        return f"没有把握达到 {SURE} 的。"
    right = [float(outcomes[at]) for at in sure]
    interval = ratio_interval(right, [1.0] * len(sure), [families[at] for at in sure])
    between = f"（95% 区间 {100 * interval.low:.1f}–{interval.high:.1%}）" if interval is not None else ""
    share = sum(right) / len(sure)
    return f"把握达到 {SURE} 的 {len(sure)} 题，属实 {share:.1%}{between}；批量答复中这些不转人工，应不低于 95%。"


def _mark(one: Bin, outcomes: Sequence[bool], families: Sequence[str], most: int) -> str:
    count = len(one.members)
    true = [float(outcomes[at]) for at in one.members]
    interval = ratio_interval(true, [1.0] * count, [families[at] for at in one.members])
    told = f"把握 {one.forecast:.2f}，实际 {_share(one.share)}，{count} 题"
    span, height = "", COUNTS * count / most
    if interval:
        told += f"，95% 区间 {100 * interval.low:.1f}–{100 * interval.high:.1f}%"
        ends = f'y1="{_y(interval.low)}" y2="{_y(interval.high)}"'
        span = f'<line class="span" x1="{_x(one.forecast)}" x2="{_x(one.forecast)}" {ends}/>'
    return (
        f"<g><title>{told}</title>{span}"
        f'<circle class="dot" cx="{_x(one.forecast)}" cy="{_y(one.share)}" r="4.5"/>'
        f'<rect class="fill" x="{_x(one.low) + 1}" width="{SIDE * (one.high - one.low) - 2:.1f}" '
        f'y="{TOP + SIDE + 10 + COUNTS - height:.1f}" height="{height:.1f}"/></g>'
    )


def _x(share: float) -> float:
    return round(LEFT + SIDE * share, 1)


def _y(share: float) -> float:
    return round(TOP + SIDE * (1 - share), 1)


# --- questions


def _options(values: Iterable[str], names: Mapping[str, str]) -> str:
    counts = Counter(values)
    return '<option value="">全部</option>' + "".join(
        f'<option value="{escape(value)}">{escape(names.get(value, value))}（{counts[value]}）</option>'
        for value in sorted(counts, key=lambda value: (-counts[value], value))
    )


def question(row: Row, number: int, document: str | None) -> str:
    """A question with its answer, citations and verdict; `number` tells its anchors from others', `document` is the one
    that the set is about, which goes without saying."""
    wording = row["wording"] or UNNAMED
    verdict = "✓ 对" if row["verdict"] == "right" else f"✗ {FAILURE_NAMES.get(row['failure'], row['failure'])}"
    named = ((TYPE_NAMES, row["type"]), (WORDING_NAMES, wording), (STATUS_NAMES, row["status"]))
    about = [row["id"], *(names.get(name, name) for names, name in named), f"把握 {row['confidence']:.2f}"]
    parts = [
        ("前文", _history(row.get("history", []))),
        ("答案", _answer(row, number)),
        ("应答", _expected(row)),
        ("引用", _citations(row["citations"], number, document)),
        ("目标值不符", escape("、".join(FAULT_NAMES.get(fault, fault) for fault in row.get("slot_faults", [])))),
        ("检索到的行", _retrieved(row, document)),
        ("得分", _scores(row["scores"])),
    ]
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in parts if value)
    return (
        f'<article data-type="{escape(row["type"])}" data-wording="{escape(wording)}" '
        f'data-verdict="{escape(row["verdict"])}" data-failure="{escape(row["failure"] or "")}"><details><summary>'
        f'<span class="verdict {escape(row["verdict"])}">{escape(verdict)}</span><span>{escape(row["question"])}</span>'
        f'<span class="soft">{escape(" · ".join(about))}</span></summary>'
        f'<div class="body"><dl>{body}</dl></div></details></article>'
    )


def _history(turns: Sequence[Row]) -> str:
    return "".join(f"<p>问：{escape(turn['question'])}</p><p>答：{escape(turn['answer'])}</p>" for turn in turns)


def _answer(row: Row, number: int) -> str:
    """The answer, its marks leading to the citations."""
    if row["status"] == "error" or not row["answer"]:
        return escape(row.get("error") or "没有答案。")
    given = {citation["n"] for citation in row["citations"]}
    linked = re.sub(
        r"\[(\d+)\]",
        lambda mark: f'<a href="#c{number}-{mark[1]}">{mark[0]}</a>' if int(mark[1]) in given else mark[0],
        escape(row["answer"]),
    )
    return f'<span class="said">{linked}</span>'


def _expected(row: Row) -> str:
    if row["expected_status"] == "refused":
        return "应拒答：规划没有回答这一问题。"
    groups = "；".join(lines_of(group) for group in row.get("gold_lines", []))
    return escape(row.get("expected", "")) + (f' <span class="soft">依据：第 {groups} 行</span>' if groups else "")


def _citations(citations: Sequence[Row], number: int, document: str | None) -> str:
    items = []
    for citation in citations:
        first, *others = citation["lines"]
        place = [" › ".join(citation["section"]), f"第 {first} 行"]
        if citation.get("page"):
            place.append(f"第 {citation['page']} 页")
        if others:
            place.append(f"同一表格行的其他格在第 {lines_of(others)} 行")
        if citation["doc"] != document:
            place.insert(0, citation["doc"])
        items.append(
            f'<li id="c{number}-{citation["n"]}">[{citation["n"]}] <q>{escape(citation["quote"])}</q><br>'
            f'<span class="soft">{escape(" · ".join(part for part in place if part))}</span></li>'
        )
    return f"<ol>{''.join(items)}</ol>" if items else ""


def _retrieved(row: Row, document: str | None) -> str:
    gold = {line for group in row.get("gold_lines", []) for line in group}
    told = []
    for place in row["retrieved"][:RETRIEVED]:
        lines = lines_of(place["lines"])
        if place["doc"] != document:
            told.append(escape(f"{place['doc']} {lines}"))
        else:
            told.append(f'<span class="hit">{lines}</span>' if gold & set(place["lines"]) else lines)
    return "；".join(told) + ' <span class="soft">（由先到后，加粗的含依据行）</span>' if told else ""


def _scores(scores: Mapping[str, float | None]) -> str:
    told = (f"{_label(name)} {value:.2g}" for name, value in scores.items() if value is not None)
    return f'<span class="soft">{" · ".join(told)}</span>'


def lines_of(numbers: Iterable[int]) -> str:
    """Line numbers in few characters.

    >>> lines_of([157, 183, 181, 182])
    '157、181–183'
    """
    runs = (
        [number for _, number in run]
        for _, run in groupby(enumerate(sorted(set(numbers))), key=lambda pair: pair[1] - pair[0])
    )
    return "、".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
