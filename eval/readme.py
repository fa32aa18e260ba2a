"""The figures of dev and test as the README tells them: python -m eval summary DIR --readme README.md."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eval.run import RunError

ENGLISH = {
    "accuracy": "right",
    "target_exact": "target-exact",
    "wrong_number": "wrong number",
    "recall@5": "recall@5",
    "citation_precision_sentence": "citation precision (sentence)",
    "citation_recall_sentence": "citation recall (sentence)",
    "refusal_f1": "refusal F1",
    "over_refusal": "over-refusal",
}


def put_figures(readme: Path, folder: Path) -> None:
    """Put the runs named dev and test in a folder into a README, between the marks <!-- figures --> and
    <!-- /figures -->. Raises RunError where the marks or a run is missing."""
    text = readme.read_text(encoding="utf-8")
    match = re.search(r"(<!-- figures -->\n).*(<!-- /figures -->)", text, re.DOTALL)
    if match is None:
        raise RunError(f"{readme} 里没有 <!-- figures --> 和 <!-- /figures --> 两个标记：请先加上。")
    lines = english({name: folder / name for name in ("dev", "test")})
    whole = "\n".join([match[1], *lines, "", match[2]])
    readme.write_text(text[: match.start()] + whole + text[match.end() :], encoding="utf-8", newline="\n")


def english(runs: Mapping[str, Path]) -> list[str]:
    """Accuracy of runs by type with its 95% interval, the main figures, and the three largest kinds of failure, as the
    README tells them."""
    missing = [path for path in runs.values() if not (path / "figures.json").is_file()]
    if missing:
        raise RunError(f"{missing[0]} 里没有评测结果：请先运行 python -m eval run。")
    figures = {name: json.loads((path / "figures.json").read_text(encoding="utf-8")) for name, path in runs.items()}
    lines = ["| percent (95% interval), questions | " + " | ".join(runs) + " |", "| --- |" + " ---: |" * len(runs)]
    for name, label in ENGLISH.items():
        lines.append(f"| {label} | " + " | ".join(_plain(one["overall"].get(name)) for one in figures.values()) + " |")
    for of in dict.fromkeys(of for one in figures.values() for of in one["by_type"]):
        cells = [_plain(one["by_type"].get(of, {}).get("accuracy")) for one in figures.values()]
        lines.append(f"| right: {of} | " + " | ".join(cells) + " |")
    lines.append("")
    for name, path in runs.items():
        text = (path / "rows.jsonl").read_text(encoding="utf-8")
        counts = Counter(row["failure"] for row in map(json.loads, text.splitlines()) if row["failure"])
        largest = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items(), key=lambda one: -one[1])[:3])
        lines.append(f"Most frequent failures, {name}: {largest or 'none'}.")
    return lines


def _plain(figure: Mapping[str, Any] | None) -> str:
    if figure is None or figure["value"] is None:
        return "—"
    interval = f" ({100 * figure['low']:.1f}–{100 * figure['high']:.1f})" if "low" in figure else ""
    return f"{100 * figure['value']:.1f}{interval}, {figure['n']}"
