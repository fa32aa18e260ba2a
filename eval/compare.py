"""Two runs of the same set beside each other: what changed, by how much, and whether that may be chance.

    python -m eval compare A B

Everything is paired by question: a score counts where both runs have one, so a figure here may differ a little from the
run's own (the citations of an answer that only one run gave are left out). Δ is B less A.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.run import FAILURE_NAMES, SHOWN
from eval.stats import LEVEL, ROUNDING, Interval, difference_interval, holm, mcnemar, sign_flip
from index.errors import UserError

Row = Mapping[str, Any]

# One for each promise of the tool: the figure is right, its source bears it out, what the document does not answer is
# refused. These three share one error rate; the other figures are shown without that guard.
PRIMARY = ("target_exact", "citation_recall_sentence", "refusal")
LABELS = SHOWN | {
    "refusal": "该答则答、该拒则拒",
    "recall@1": "检索 recall@1",
    "recall_2000_characters": "两千字内召回",
    "citation_recall_paragraph": "引用召回（段）",
    "citation_precision_paragraph": "引用精确（段）",
    "rank_spread": "各问法名次之差",
}
LOWER_IS_BETTER = frozenset({"wrong_number", "over_refusal", "rank_spread"})
TYPE_NAMES = {
    "target": "目标",
    "fact": "现状",
    "table": "表格",
    "list": "列举",
    "multi": "多段综合",
    "conflict": "前后不一",
    "paraphrase": "口语转述",
    "unanswerable": "规划未答",
}
ROW_KEYS = frozenset(
    {
        *("id", "family", "wording", "type", "question", "answer", "status", "expected_status", "citations"),
        *("retrieved", "confidence", "verdict", "failure", "scores"),
    }
)
SAME = ("set_sha256", "document_sha256")  # of the manifest: what makes two runs the same questions


class RecordError(UserError):
    """A folder does not hold a whole run."""


class ComparisonError(UserError):
    """Two runs that cannot be compared."""


@dataclass(frozen=True)
class Record:
    """A run as it was written (see eval.run), rows in the order of their ids."""

    name: str
    rows: tuple[Row, ...]
    figures: Row
    manifest: Row
    timing: Row

    @property
    def families(self) -> int:
        return len({row["family"] for row in self.rows})


@dataclass(frozen=True)
class Delta:
    """A score in both runs, over the `n` questions that have it in both: the means `a` and `b`, the mean difference
    with its 95% interval, the p of the sign-flip test by family, and that p after Holm for the primary scores. For a
    score that is 0 or 1 also how many questions `fell` and `rose`, and McNemar's p."""

    metric: str
    n: int
    a: float
    b: float
    difference: float
    interval: Interval | None
    p: float
    adjusted: float | None = None
    fell: int | None = None
    rose: int | None = None
    mcnemar: float | None = None


@dataclass(frozen=True)
class Flip:
    """A question right in one run only. `failure` is the kind of failure in the other."""

    id: str
    type: str
    question: str
    gained: bool
    failure: str


@dataclass(frozen=True)
class Comparison:
    """`settings` maps what differs between the manifests to its value in A and in B; `reworded` counts the questions
    whose answer has other words."""

    a: Record
    b: Record
    settings: Mapping[str, tuple[str, str]]
    deltas: tuple[Delta, ...]
    flips: tuple[Flip, ...]
    reworded: int


# --- reading


def read_run(folder: Path) -> Record:
    """A run from its folder. Raises RecordError where a file is missing or not what eval.run writes."""
    rows: dict[str, Row] = {}
    for number, line in enumerate(_text(folder, "rows.jsonl").split("\n"), 1):
        if not line.strip():
            continue
        place = f"{folder}/rows.jsonl 第 {number} 行"
        row = _object(line, place)
        if missing := ROW_KEYS - row.keys():
            raise RecordError(f"{place}缺少 {'、'.join(sorted(missing))}：请用 python -m eval run 重新评测。")
        if row["id"] in rows:
            raise RecordError(f"{folder}/rows.jsonl 里编号 {row['id']} 出现两次：请用 python -m eval run 重新评测。")
        rows[row["id"]] = row
    if not rows:
        raise RecordError(f"{folder}/rows.jsonl 是空的，应每题一行：请用 python -m eval run 重新评测。")
    figures, manifest, timing = (
        _object(_text(folder, name), f"{folder}/{name}") for name in ("figures.json", "manifest.json", "timing.json")
    )
    return Record(folder.resolve().name, tuple(rows[id] for id in sorted(rows)), figures, manifest, timing)


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise RecordError(
            f"{folder} 里没有完整的评测结果（缺 {name}）：请先运行 python -m eval run --out {folder}。"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"读不出 {folder}/{name}（{error}）：请检查文件，或重新评测。") from error


def _object(text: str, place: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise RecordError(f"{place}不是 JSON（{error}）：请用 python -m eval run 重新评测。") from error
    if not isinstance(value, dict):
        raise RecordError(f"{place}应是一个 JSON 对象：请用 python -m eval run 重新评测。")
    return value


# --- comparing


def compare(a: Path, b: Path) -> Comparison:
    """The runs in two folders compared. Raises RecordError for a folder without a run, ComparisonError where the two
    did not ask the same questions of the same document."""
    first, second = read_run(a), read_run(b)
    for key, what in zip(SAME, ("题集", "文件"), strict=True):
        if first.manifest.get(key) != second.manifest.get(key):
            raise ComparisonError(
                f"两次评测的{what}不同（{a}：{_short(first.manifest.get(key))}，{b}：{_short(second.manifest.get(key))}），"
                "不能比较：请对同一题集和同一文件各评测一次。"
            )
    ids, others = {row["id"] for row in first.rows}, {row["id"] for row in second.rows}
    if ids != others:
        raise ComparisonError(
            f"两次评测的题目不同（只在 {a} 的 {len(ids - others)} 题，只在 {b} 的 {len(others - ids)} 题，"
            f"如 {min(ids ^ others)}），不能比较：请对同一题集各评测一次。"
        )
    pairs = list(zip(first.rows, second.rows, strict=True))
    names = dict.fromkeys(name for rows in pairs for row in rows for name in row["scores"])
    found = [
        one for name in (*PRIMARY, *(name for name in names if name not in PRIMARY)) if (one := _delta(name, pairs))
    ]
    return Comparison(
        a=first,
        b=second,
        settings=dict(_differing(first.manifest, second.manifest)),
        deltas=_guarded(found),
        flips=tuple(
            Flip(old["id"], old["type"], old["question"], new["verdict"] == "right", old["failure"] or new["failure"])
            for old, new in pairs
            if old["verdict"] != new["verdict"]
        ),
        reworded=sum(old["answer"] != new["answer"] for old, new in pairs),
    )


def _delta(name: str, pairs: list[tuple[Row, Row]]) -> Delta | None:
    """None where no question has the score in both runs."""
    held = [
        (old["family"], old["scores"][name], new["scores"][name])
        for old, new in pairs
        if old["scores"].get(name) is not None and new["scores"].get(name) is not None
    ]
    if not held:
        return None
    families, before, after = zip(*held, strict=True)
    differences = [new - old for old, new in zip(before, after, strict=True)]
    delta = Delta(
        metric=name,
        n=len(held),
        a=math.fsum(before) / len(held),
        b=math.fsum(after) / len(held),
        difference=math.fsum(differences) / len(held),
        interval=difference_interval(differences, families),
        p=sign_flip(differences, families),
    )
    if not {*before, *after} <= {0, 1}:
        return delta
    fell, rose = differences.count(-1), differences.count(1)
    return replace(delta, fell=fell, rose=rose, mcnemar=mcnemar(fell, rose))


def _guarded(deltas: list[Delta]) -> tuple[Delta, ...]:
    """The primary scores' p adjusted together."""
    primary = [one for one in deltas if one.metric in PRIMARY]
    adjusted = dict(zip((one.metric for one in primary), holm([one.p for one in primary]), strict=True))
    return tuple(replace(one, adjusted=adjusted.get(one.metric)) for one in deltas)


def _differing(a: Any, b: Any, at: str = "") -> Iterator[tuple[str, tuple[str, str]]]:
    """Path of names -> the two values, where two manifests differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in dict.fromkeys([*a, *b]):
            yield from _differing(a.get(key), b.get(key), f"{at}.{key}" if at else key)
    elif a != b:
        yield at, (_short(a), _short(b))


def _short(value: Any) -> str:
    text = "（无）" if value is None else str(value)
    return text if len(text) <= 24 else text[:10] + "…"


# --- telling

HEADINGS = ("指标", "n", "A", "B", "Δ 百分点（95% 区间）", "p", "p（Holm）", "变低 / 变高的题", "p（McNemar）")
NOTE = (
    "Δ 是 B 减 A；区间按题族自助抽样，p 是按题族的符号翻转检验；★ 为主要指标，三项的 p 经 Holm 校正；"
    "McNemar 检验把每题看作独立。"
)


def told(comparison: Comparison) -> str:
    """A comparison as lines of text for the terminal."""
    a, b = comparison.a, comparison.b
    lines = [f"A {a.name}，B {b.name}：题集 {a.manifest.get('set', '')}，{len(a.rows)} 题，{a.families} 个题族。"]
    changed = "；".join(f"{name} {old} → {new}" for name, (old, new) in comparison.settings.items())
    lines += [f"两次的不同：{changed or '没有'}。", ""]
    lines += [f"| {' | '.join(HEADINGS)} |", "| --- |" + " ---: |" * (len(HEADINGS) - 1)]
    lines += [f"| {' | '.join(cells(delta))} |" for delta in comparison.deltas]
    lines += [
        "",
        NOTE,
        *verdicts(comparison),
        f"答案文字有变的 {comparison.reworded} 题，其中对错有变的 {len(comparison.flips)} 题。",
    ]
    for gained, label in ((True, "B 新答对"), (False, "B 新答错")):
        flips = [flip for flip in comparison.flips if flip.gained == gained]
        lines += ["", f"{label} {len(flips)} 题" + ("：" if flips else "。")]
        lines += [
            f"  {flip.id} {TYPE_NAMES.get(flip.type, flip.type)}（{'原' if gained else '现'}"
            f"{FAILURE_NAMES.get(flip.failure, flip.failure)}）{flip.question}"
            for flip in flips
        ]
    return "\n".join(lines)


def cells(delta: Delta) -> list[str]:
    """A difference under HEADINGS."""
    interval = f"（{_points(delta.interval.low)} 到 {_points(delta.interval.high)}）" if delta.interval else ""
    label = LABELS.get(delta.metric, delta.metric) + ("（低为好）" if delta.metric in LOWER_IS_BETTER else "")
    return [
        ("★ " if delta.adjusted is not None else "") + label,
        str(delta.n),
        f"{100 * delta.a:.1f}%",
        f"{100 * delta.b:.1f}%",
        _points(delta.difference) + interval,
        chance(delta.p),
        "" if delta.adjusted is None else chance(delta.adjusted),
        "" if delta.fell is None else f"{delta.fell} / {delta.rose}",
        "" if delta.mcnemar is None else chance(delta.mcnemar),
    ]


def verdicts(comparison: Comparison) -> list[str]:
    """What is to be made of the primary scores, a sentence each."""
    return [_verdict(delta, delta.adjusted) for delta in comparison.deltas if delta.adjusted is not None]


def _verdict(delta: Delta, adjusted: float) -> str:
    label = LABELS.get(delta.metric, delta.metric)
    if adjusted > 1 - LEVEL + ROUNDING:
        return f"{label}：看不出差别（Holm 校正后 p={chance(adjusted)}）。"
    return (
        f"{label}：B {'高' if delta.difference > 0 else '低'} {100 * abs(delta.difference):.1f} 个百分点，不像是偶然。"
    )


def _points(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def chance(p: float) -> str:
    """A p as it is shown.

    >>> chance(0.0421), chance(0.00002)
    ('0.042', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"
