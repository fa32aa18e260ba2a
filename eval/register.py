"""How well the register of a document agrees with one written by hand.

A gold file is jsonl, a row an object with the fields of a target (design: "A target in jsonl") or of a fact; `alias`
lists other names of the indicator that are as good, and a row with `optional` is neither asked for nor counted wrong.

Rows match one to one on source line, value and unit (as written; blanks and full-width signs do not count); a goal in
words matches on its line alone. Where several could match, the pair whose indicators are nearest goes first.
Precision is matched / found and recall matched / asked for, optional rows left out of both. A field agrees where it is
the same in both rows; the indicator agrees at a similarity of 0.8 or more to the gold name or an alias (see
`similarity`), `text_value` where one holds the other, and `sentence` without blanks and table bars. Fields that the
gold row does not have are not compared.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index.errors import UserError
from index.targets import Fact, Target

NEAR = 0.8
FIELDS = (
    "subject", "indicator", "value_max", "comparator", "approx", "year", "baseline_value", "baseline_year", "nature",
    "basis", "source", "sentence", "text_value",
)  # fmt: skip
Row = Mapping[str, Any]


class GoldError(UserError):
    """A gold register has a row that cannot be used."""


@dataclass(frozen=True)
class Agreement:
    """Counts of rows (optional ones left out) and, for each field, in how many matched rows it agrees and how many were
    compared. `remarks` tells every disagreement in words."""

    found: int
    asked: int
    matched: int
    fields: Mapping[str, tuple[int, int]]
    remarks: tuple[str, ...]

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.matched / self.asked if self.asked else 1.0


def read_gold(path: Path, kind: str | None = None) -> list[Row]:
    """The rows of a gold register; with `kind`, those whose "kind" is that. Raises GoldError for an unusable row."""
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not {"line", "indicator", "value", "unit"} <= row.keys():
                raise ValueError("缺 line、indicator、value 或 unit")
        except (ValueError, AttributeError) as error:
            told = f"{path.name} 第 {number} 行不能用（{error}）：应是一个指标的 JSON 对象，请更正。"
            raise GoldError(told) from error
        if kind is None or row.get("kind") == kind:
            rows.append(row)
    return rows


def agreement(found: Sequence[Target | Fact], gold: Sequence[Row]) -> Agreement:
    """Match the rows found with the gold ones and compare their fields."""
    rows = [asdict(entry) for entry in found]
    pairs = sorted(
        (
            (-similarity(row["indicator"], _names(wanted)), at, of)
            for at, row in enumerate(rows)
            for of, wanted in enumerate(gold)
            if _same_figure(row, wanted)
        ),
    )
    of_row: dict[int, int] = {}
    for _, at, of in pairs:
        if at not in of_row and of not in of_row.values():
            of_row[at] = of
    optional = {of for of, wanted in enumerate(gold) if wanted.get("optional")}
    counted = {at: of for at, of in of_row.items() if of not in optional}
    fields = {name: [0, 0] for name in FIELDS}
    remarks: list[str] = []
    for at, row in enumerate(rows):
        if at not in of_row:
            remarks.append(f"多出 {_described(row)}")
    for of, wanted in enumerate(gold):
        if of not in of_row.values() and of not in optional:
            remarks.append(f"缺少 {_described(wanted)}")
    for at, of in sorted(counted.items()):
        for name in FIELDS:
            if name not in gold[of] or name not in rows[at]:
                continue
            agrees = _agrees(name, rows[at], gold[of])
            fields[name][0] += agrees
            fields[name][1] += 1
            if not agrees:
                remarks.append(f"{name} {_described(gold[of])}：应为 {gold[of][name]!r}，得到 {rows[at][name]!r}")
    return Agreement(
        len(rows) - (len(of_row) - len(counted)),
        len(gold) - len(optional),
        len(counted),
        {name: (hits, total) for name, (hits, total) in fields.items()},
        tuple(remarks),
    )


def similarity(name: str, names: Sequence[str]) -> float:
    """How near an indicator's name is to the nearest of `names`, 0 to 1: 1 where they are equal, or one holds the other
    and is at least 0.6 of its length; else the ratio of Ratcliff and Obershelp (1988) as difflib computes it. Blanks,
    的 and signs other than letters do not count.

    >>> similarity("旅游业总收入", ["旅游业的总收入"]), similarity("收入", ["旅游业收入"]) < 0.8
    (1.0, True)
    """
    return max((_nearness(_bare(name), _bare(other)) for other in names), default=0.0)


def _nearness(one: str, other: str) -> float:
    shorter, longer = sorted((one, other), key=len)
    if one == other or (shorter in longer and len(shorter) >= 0.6 * len(longer)):
        return 1.0
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _bare(text: str) -> str:
    return re.sub(r"[\W的_]", "", unicodedata.normalize("NFKC", text))


def _names(row: Row) -> list[str]:
    return [row["indicator"], *row.get("alias", ())]


def _written(text: str | None) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text or ""))


def _same_figure(row: Row, wanted: Row) -> bool:
    if row["line"] != wanted["line"] or (row["value"] is None) != (wanted["value"] is None):
        return False
    if row["value"] is None:
        return True
    same: bool = _written(row["value"]) == _written(wanted["value"])
    return same and _written(row["unit"]) == _written(wanted["unit"])


def _agrees(name: str, row: Row, wanted: Row) -> bool:
    one, other = row[name], wanted[name]
    if name == "indicator":
        return similarity(one, _names(wanted)) >= NEAR
    if name == "text_value":
        return _written(one) in _written(other) or _written(other) in _written(one)
    if name == "sentence":
        return re.sub(r"[\s|]", "", one) == re.sub(r"[\s|]", "", other)
    return _written(_word(one)) == _written(_word(other))


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _described(row: Row) -> str:
    value = row["value"] if row["value"] is not None else row.get("text_value", "")
    return f"第{row['line']}行 {row.get('subject', '')}{row['indicator']} {value}{row['unit']}"


def told(name: str, agreed: Agreement, remarks: bool = False) -> str:
    """The agreement as lines of text for the terminal."""
    lines = [
        f"{name}：找到 {agreed.found}，应有 {agreed.asked}，相符 {agreed.matched}；"
        f"准确率 {agreed.precision:.3f}，召回率 {agreed.recall:.3f}"
    ]
    for field, (hits, total) in agreed.fields.items():
        if total:
            lines.append(f"  {field:<15}{hits / total:.3f}  ({hits}/{total})")
    return "\n".join([*lines, *(f"  {remark}" for remark in agreed.remarks if remarks)])
