"""The registers as files for people and programs: a table for the terminal, jsonl, csv and xlsx for Excel.

jsonl is the contract for programs (see `target_record`). csv has a byte order mark, so that Excel reads it as UTF-8;
in csv and xlsx a text that Excel would take for a formula (= + - @ at its beginning) stays text.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from index.conflicts import Conflict
from index.errors import UserError
from index.figures import Comparator
from index.statements import Basis
from index.targets import Fact, Project, Target

Format = Literal["table", "jsonl", "csv", "xlsx"]
FORMATS: tuple[Format, ...] = ("table", "jsonl", "csv", "xlsx")
Value = str | int | float | None

BOUNDS: dict[Comparator, str] = {"=": "等于", ">=": "不低于", "<=": "不超过", ">": "高于", "<": "低于", "~": "左右"}
BASES: dict[Basis, str] = {
    "level": "水平", "cumulative": "累计", "annual_average": "年均", "increase": "增量", "growth": "增幅",
}  # fmt: skip
SOURCES = {"table": "表格", "text": "正文"}
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Sheet:
    """One list, ready to be written. `widths` are those of the columns in xlsx, in characters; `brief` are the columns
    that the terminal shows; `records` are the rows of jsonl; `empty` is what to say of a list without rows."""

    name: str
    headings: tuple[str, ...]
    widths: tuple[int, ...]
    brief: tuple[int, ...]
    rows: tuple[tuple[Value, ...], ...]
    records: tuple[dict[str, Any], ...]
    empty: str


def target_record(target: Target) -> dict[str, Any]:
    """A target as jsonl holds it: figures and years are strings, as they are written in the plan; what a target need
    not have (value_max, baseline_value, baseline_year) is left out where it has none, and so is what only this program
    finds its way by."""
    record = _record(target)
    for name in ("chunk", "start", "end", "part_of"):
        del record[name]
    for name in ("value_max", "baseline_value", "baseline_year"):
        if not record[name]:
            del record[name]
    return record


def target_sheet(targets: Sequence[Target]) -> Sheet:
    return Sheet(
        "指标台账",
        ("文档", "行号", "章节", "范围", "指标", "界限", "数值", "数值上限", "单位", "年份", "基期值",
         "基期年", "属性", "口径", "来源", "原文数值", "原句"),
        (16, 7, 32, 14, 34, 8, 10, 10, 12, 8, 10, 8, 9, 8, 7, 22, 70),
        (1, 3, 4, 5, 6, 8, 9, 12, 13),
        tuple(
            (
                t.doc, t.line, _path(t.section), t.subject, t.indicator, BOUNDS[t.comparator] if t.value else "",
                _number(t.value) if t.value else t.text_value, _number(t.value_max), t.unit, t.year,
                _number(t.baseline_value), t.baseline_year, t.nature, BASES[t.basis] if t.basis else "",
                SOURCES[t.source], t.text_value, t.sentence,
            )
            for t in targets
        ),
        tuple(map(target_record, targets)),
        "没有找到量化的目标。",
    )  # fmt: skip


def fact_sheet(facts: Sequence[Fact]) -> Sheet:
    return Sheet(
        "已达到",
        ("文档", "行号", "章节", "范围", "指标", "界限", "数值", "数值上限", "单位", "年份", "口径", "来源",
         "原文数值", "原句"),
        (16, 7, 32, 14, 34, 8, 10, 10, 12, 8, 8, 7, 22, 70),
        (1, 3, 4, 5, 6, 8, 9, 10),
        tuple(
            (
                f.doc, f.line, _path(f.section), f.subject, f.indicator, BOUNDS[f.comparator], _number(f.value),
                _number(f.value_max), f.unit, f.year, BASES[f.basis], SOURCES[f.source], f.text_value, f.sentence,
            )
            for f in facts
        ),
        tuple(_record(fact) for fact in facts),
        "没有找到已达到的数值。",
    )  # fmt: skip


def project_sheet(projects: Sequence[Project]) -> Sheet:
    return Sheet(
        "专栏项目",
        ("文档", "行号", "章节", "专栏", "类别", "项目", "地点", "规模"),
        (16, 7, 32, 28, 22, 60, 14, 16),
        (1, 3, 4, 5, 6, 7),
        tuple((p.doc, p.line, _path(p.section), p.box, p.group, p.project, p.place, p.capacity) for p in projects),
        tuple(_record(project) for project in projects),
        "没有找到专栏里的项目。",
    )


def conflict_sheet(conflicts: Sequence[Conflict]) -> Sheet:
    return Sheet(
        "待核对",
        ("文档", "行号", "类型", "对象", "说明", "一处", "另一处"),
        (16, 12, 16, 28, 60, 60, 60),
        (1, 2, 4),
        tuple(
            (
                c.sides[0].doc, "、".join(dict.fromkeys(str(side.line) for side in c.sides)), c.kind, c.about, c.note,
                _side(c, 0), "\n".join(_side(c, at) for at in range(1, len(c.sides))),
            )
            for c in conflicts
        ),
        tuple(_record(conflict) for conflict in conflicts),
        "没有发现需要核对的地方。",
    )  # fmt: skip


def write(sheet: Sheet, form: Format, out: Path | None) -> str:
    """Write the sheet to `out`; without a file, return what is to be printed ("" otherwise). Raises UserError for xlsx
    without a file, and where the file cannot be written."""
    if form == "xlsx" and out is None:
        raise UserError("xlsx 是二进制文件，不能显示在终端：请用 --out 指定要写入的文件，如 --out 台账.xlsx。")
    text = {"table": as_table, "jsonl": as_jsonl, "csv": as_csv}
    try:
        if out is None:
            return text[form](sheet)
        if form == "xlsx":
            _write_xlsx(sheet, out)
        else:
            out.write_text(text[form](sheet), encoding="utf-8-sig" if form == "csv" else "utf-8", newline="")
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"写不进 {out}（{reason}）：请检查文件夹是否存在、文件是否正被打开。") from error
    return ""


def as_jsonl(sheet: Sheet) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in sheet.records)


def as_csv(sheet: Sheet) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(sheet.headings)
    writer.writerows([safe(value) for value in row] for row in sheet.rows)
    return stream.getvalue()


def as_table(sheet: Sheet) -> str:
    """Aligned columns, Chinese characters counted as two; ends with the number of rows."""
    lines = [[sheet.headings[at] for at in sheet.brief]]
    lines += [[_shown(row[at]) for at in sheet.brief] for row in sheet.rows]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(sheet.brief))]
    told = [
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*told, f"共 {len(sheet.rows)} 条。" if sheet.rows else sheet.empty]) + "\n"


def _write_xlsx(sheet: Sheet, out: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    page = book.active
    page.title = sheet.name
    for number, row in enumerate((sheet.headings, *sheet.rows), 1):
        for column, value in enumerate(row, 1):
            cell = page.cell(number, column)
            cell.value = printable(value) if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with = would be stored as a formula
            cell.font = Font(bold=number == 1)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    for column, width in enumerate(sheet.widths, 1):
        page.column_dimensions[get_column_letter(column)].width = width
    page.freeze_panes = "A2"
    page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.headings))}{len(sheet.rows) + 1}"
    book.save(out)


def _record(entry: Target | Fact | Project | Conflict) -> dict[str, Any]:
    record = asdict(entry)
    for name in ("year", "baseline_year"):
        if record.get(name) is not None:
            record[name] = str(record[name])
    return record


def _path(section: Sequence[str]) -> str:
    return " › ".join(section)


def _side(conflict: Conflict, at: int) -> str:
    if at >= len(conflict.sides):
        return ""
    side = conflict.sides[at]
    return f"第{side.line}行 {_path(side.section)}\n{side.sentence}".strip()


def _number(text: str | None) -> Value:
    """A number where the text is one, so that Excel sorts and filters it as such."""
    if text is None or not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def safe(value: Value) -> Value:
    """For csv: a text that Excel would take for a formula, with the sign in front that makes it text."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def printable(text: str) -> str:
    """Without the control characters that xlsx cannot hold."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)


def _shown(value: Value) -> str:
    return "" if value is None else re.sub(r"\s+", " ", str(value))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
