"""A file of questions -> rows, one at a time: csv, xlsx, jsonl, txt and md lists.

A row that is broken is a row with its reason; only a file that as a whole is no list is refused (BatchError). Nothing
is held but the row at hand, so that the length of a list does not show in memory.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
import unicodedata
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from rag.errors import BatchError
from rag.types import Turn

Kind = Literal["jsonl", "table", "sheet", "lines"]
Value = str | int | float | None

KINDS: Mapping[str, Kind] = {
    ".jsonl": "jsonl", ".csv": "table", ".tsv": "table", ".xlsx": "sheet", ".txt": "lines", ".md": "lines",
}  # fmt: skip
MAX_BYTES = 200 * 1024 * 1024  # of a file: 200,000 rows of 1,000 bytes
MAX_UNPACKED_BYTES = 500 * 1024 * 1024  # of a workbook: what Excel itself makes of such a list is a fifth of it
MAX_ROWS = 200_000  # at a hundred rows a second, half an hour; a longer list is better asked in parts
MAX_CELL = 1 << 20  # characters of a cell of a csv file; Excel itself holds 32,767
HEADING_WITHIN = 20  # rows: titles and notes may stand above the headings
SNIFFED_ROWS = 50
DELIMITERS = (",", ";", "\t", "|", "，", "；")

_HEADINGS = frozenset([
    "问题", "提问", "问", "问题内容", "提问内容", "问题描述", "问题明细", "具体问题", "常见问题", "咨询内容",
    "咨询问题",
    "咨询事项", "疑问", "题目", "问句", "群众提问", "群众问题", "网民提问", "网友提问", "question", "questions",
    "faq", "q", "query", "prompt",
])  # fmt: skip
_NAMES_QUESTION = re.compile(r"问题|提问|疑问|question|咨询", re.IGNORECASE)
_OTHER_HEADING = re.compile(
    r"编号|序号|类[别型]|分类|来源|时间|日期|[人者]$|单位|部门|状态|数量?$|[号码]$|电话|等级|领域|[清名]单$|汇总|答|回复|"
    r"id$|no\.?$",
    re.IGNORECASE,
)
_ID_HEADINGS = frozenset(["id", "编号", "序号", "问题编号", "no", "no."])
_LOOKS_ASKED = re.compile(r"[?？]|多少|几|哪|什么|怎|如何|吗|是否|目标")
_MD_ITEM = re.compile(r"(\s*)(?:[-*+]|\d{1,4}[.)、])\s+(?:\[[ xX]\]\s+)?(.*)")
_MD_QUESTION = re.compile(r"#{1,6}\s+(.*[?？])\s*#*")
_MD_MARKS = re.compile(r"\*\*|__|`")
# What reading a damaged workbook may end in, in openpyxl and beneath it.
_DAMAGED = (KeyError, ValueError, TypeError, SyntaxError, zipfile.BadZipFile, zlib.error, EOFError)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True)
class Row:
    """A row of a list.

    `number` is its line or its row in the sheet, from 1; `id` the row's own, or its number. `question` is the cell as
    it stands, "" where the row asks nothing (blank, a title, the headings). `error` says why a row cannot be asked.
    `cells` are all of a table's row, as far as they are filled.
    """

    number: int
    id: str | int
    question: str
    history: tuple[Turn, ...] = ()
    cells: tuple[Value, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class Listing:
    """What is known of a list before its rows: `headings` of its columns (none: a list without), in row `heading_row`
    (0: none), the questions in `column` from 0; `sheet` of a workbook. `notices` are what the user should hear."""

    kind: Kind
    headings: tuple[str, ...] = ()
    heading_row: int = 0
    column: int = 0
    sheet: str = ""
    delimiter: str = ","
    encoding: str = "utf-8"
    notices: tuple[str, ...] = ()


def open_list(path: Path, column: str = "", sheet: str = "") -> Listing:
    """What kind of list a file is and where its questions stand. `column` names the column of questions, by heading or
    letter, `sheet` the sheet. Raises BatchError for a file that is no list or has no such column."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise BatchError(_unknown(path))
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise BatchError(f"没有找到问题文件 {path}：请核对文件名。") from error
    except OSError as error:
        raise BatchError(_unreadable(path, error)) from error
    if path.is_file() and size == 0:
        raise BatchError(f"问题文件 {path} 是空的：至少应有一个问题。")
    if size > MAX_BYTES:
        raise BatchError(
            f"问题文件 {path} 有 {size / 2**20:.0f} MB，上限 {MAX_BYTES // 2**20} MB：请分成几个文件，分别作答。"
        )
    if column and kind not in ("table", "sheet"):
        raise BatchError(f"--column 用于 csv 和 xlsx 表格，{path.name} 没有列：请去掉 --column。")
    if sheet and kind != "sheet":
        raise BatchError(f"--sheet 用于 xlsx 工作簿，{path.name} 没有工作表：请去掉 --sheet。")
    try:
        if kind == "sheet":
            return _open_workbook(path, column, sheet)
        if kind == "table":
            return _open_table(path, column)
        return Listing(kind, encoding="utf-8-sig" if kind == "jsonl" else encoding_of(path))
    except OSError as error:
        raise BatchError(_unreadable(path, error)) from error


def read_rows(path: Path, listing: Listing) -> Iterator[Row]:
    """The rows of a list in their order. Raises BatchError where the file turns out to be damaged or too long."""
    read = {"jsonl": _jsonl_rows, "table": _table_rows, "sheet": _sheet_rows, "lines": _lines_rows}[listing.kind]
    try:
        for count, row in enumerate(read(path, listing), 1):
            if count > MAX_ROWS:
                raise BatchError(
                    f"问题文件 {path} 超过 {MAX_ROWS:,} 行的上限：请分成几个文件，分别作答；没有开始作答。"
                )
            yield row
    except UnicodeDecodeError as error:
        expected = "UTF-8" if listing.kind == "jsonl" else "UTF-8 或 GB18030"
        raise BatchError(f"问题文件 {path} 应为 {expected} 编码，实际不是：请另存为 UTF-8 后重试。") from error
    except OSError as error:
        raise BatchError(_unreadable(path, error)) from error


def _unknown(path: Path) -> str:
    ending = path.suffix.lower()
    if ending in (".xlsm", ".xltm", ".xlsb"):
        return f"{path.name} 是带宏的工作簿，为安全起见不读取：请在 Excel 里另存为 xlsx（不带宏）后重试。"
    if ending in (".xls", ".et", ".ods", ".numbers"):
        return f"{path.name} 是“{ending}”格式，不能直接读取：请另存为 xlsx 后重试。"
    if ending in (".doc", ".docx", ".wps", ".pdf"):
        return f"{path.name} 不是问题清单的格式：请把问题放进 xlsx 或 txt（每行一个）后重试。"
    return f"问题清单应为 csv、xlsx、jsonl、txt 或 md 文件，收到“{path.name}”：请换一种格式。"


def _unreadable(path: Path, error: OSError) -> str:
    return f"问题文件 {path} 读不出（{error.strerror or error}）：请检查文件和读权限。"


# --- jsonl


def _jsonl_rows(path: Path, listing: Listing) -> Iterator[Row]:
    with path.open(encoding=listing.encoding, newline="\n") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _json_row(number, line.strip())


def _json_row(number: int, line: str) -> Row:
    def broken(found: str, row_id: str | int = str(number), question: str = "") -> Row:
        shape = "应为带 question 字段的 JSON 对象（history 若有，是 question、answer 的列表）"
        return Row(number, row_id, question, error=f"第 {number} 行{shape}，实际{found}：请更正这一行。")

    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return broken(f"读到“{line[:40]}”")
    if not isinstance(told, dict):
        return broken(f"读到“{line[:40]}”")
    given = told.get("id")
    row_id = str(number) if given is None else given if isinstance(given, int) else str(given)
    question = told.get("question")
    if not isinstance(question, str):
        return broken("没有 question" if question is None else f"question 是 {question!r}，不是文字", row_id)
    history = told.get("history") or []
    if not isinstance(history, list):
        return broken("history 不是列表", row_id, question)
    turns: list[Turn] = []
    for turn in history:
        said, answer = (turn.get("question"), turn.get("answer")) if isinstance(turn, dict) else (None, None)
        if not isinstance(said, str) or not isinstance(answer, str):
            return broken("history 里有一轮不是问答的文字", row_id, question)
        turns.append(Turn(said, answer))
    return Row(number, row_id, question, tuple(turns))


# --- txt and md


def encoding_of(path: Path) -> str:
    """utf-8-sig, utf-16 or gb18030, the first that reads the whole file. Raises BatchError for none of them."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in head:
        raise BatchError(f"问题文件 {path} 不是文本文件：请用 csv、txt 或 xlsx 格式另存后重试。")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding) as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise BatchError(f"问题文件 {path} 应为 UTF-8 或 GB18030 编码，实际不是：请另存为 UTF-8 后重试。")


def _lines_rows(path: Path, listing: Listing) -> Iterator[Row]:
    with path.open(encoding=listing.encoding) as file:
        lines = _md_items(file) if path.suffix.lower() == ".md" else enumerate(file, 1)
        for number, line in lines:
            if line.strip():
                yield Row(number, str(number), line.strip())


def _md_items(lines: Iterator[str] | io.TextIOBase) -> Iterator[tuple[int, str]]:
    """The items of a Markdown list, each with the lines that go on it; in a file without lists the headings that ask
    (above answers, as FAQ pages have them), or else its lines. Quotations, tables, rules and fences ask nothing."""
    item: list[str] = []
    first = 0
    fenced = listed = False
    plain: list[tuple[int, str]] = []
    asking: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if not fenced and not listed and (heading := _MD_QUESTION.fullmatch(line.strip())) and len(asking) < MAX_ROWS:
            asking.append((number, _MD_MARKS.sub("", heading.group(1))))
        if fenced or re.match(r"\s*(?:#|>|---|===|\|)", line):
            line = "\n"
        found = _MD_ITEM.match(line)
        if found is None and line.strip() and item:  # goes on the item above
            item.append(line.strip())
            continue
        if item:
            yield first, _MD_MARKS.sub("", "".join(item))
            item = []
        if found is not None:
            listed, first, item = True, number, [found.group(2).strip()]
        elif line.strip() and not listed and len(plain) < MAX_ROWS:
            plain.append((number, _MD_MARKS.sub("", line.strip())))
    if item:
        yield first, _MD_MARKS.sub("", "".join(item))
    if not listed:
        yield from asking or plain


# --- tables


def _open_table(path: Path, column: str) -> Listing:
    encoding = encoding_of(path)
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(1 << 16)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else delimiter_of(head)
    listing = Listing("table", delimiter=delimiter, encoding=encoding)
    with closing(_csv_rows(path, listing)) as rows:
        found = [(number, _trimmed(cells)) for number, cells in islice(rows, SNIFFED_ROWS)]
    headings, heading_row, at, notices = _find_column(path.name, found, column)
    return Listing("table", headings, heading_row, at, "", delimiter, encoding, notices)


def delimiter_of(text: str) -> str:
    """What separates the columns: of DELIMITERS the one that cuts most rows into the same number of cells, more than
    one; a comma where none does (a list of one column)."""
    best, share = ",", 0.5
    for delimiter in DELIMITERS:
        try:
            rows = [len(row) for row in islice(csv.reader(io.StringIO(text), delimiter=delimiter), SNIFFED_ROWS) if row]
        except csv.Error:
            continue
        rows = rows[:-1] if len(text) >= 1 << 16 else rows  # the last may be cut off
        columns, agreeing = Counter(rows).most_common(1)[0] if rows else (1, 0)
        if columns > 1 and agreeing / len(rows) > share:
            best, share = delimiter, agreeing / len(rows)
    return best


def _csv_rows(path: Path, listing: Listing) -> Generator[tuple[int, tuple[Value, ...]], None, None]:
    csv.field_size_limit(MAX_CELL)
    with path.open(encoding=listing.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=listing.delimiter)
        number = 0
        try:
            for number, cells in enumerate(reader, 1):
                yield number, tuple(cells)
        except csv.Error as error:
            raise BatchError(
                f"{path} 第 {number + 1} 行读不成表格（{error}）：请检查这一行的引号和长度，或另存为 xlsx 后重试。"
            ) from error


def _table_rows(path: Path, listing: Listing) -> Iterator[Row]:
    for number, cells in _csv_rows(path, listing):
        row = _row(number, _trimmed(cells), listing)
        if number > listing.heading_row and len(row.cells) > len(listing.headings) > 0 and row.question:
            yield Row(
                number, row.id, row.question, (), row.cells,
                f"这一行有 {len(row.cells)} 格，表头只有 {len(listing.headings)} 格，分不清哪一格是问题："
                "请把含分隔符的文字用引号括起来。",
            )  # fmt: skip
        else:
            yield row


def _row(number: int, cells: Sequence[Value], listing: Listing) -> Row:
    asked = cells[listing.column] if len(cells) > listing.column and number > listing.heading_row else None
    question = _told(asked).strip()
    row_id = str(number)
    names = [heading.strip().casefold() for heading in listing.headings]
    for position, name in enumerate(names if number > listing.heading_row else ()):
        if name in _ID_HEADINGS and position < len(cells) and _told(cells[position]).strip():
            row_id = _told(cells[position]).strip()
            break
    return Row(number, row_id, question, (), tuple(cells))


def _told(value: Value) -> str:
    """A cell as text, a whole number without its point."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _trimmed(cells: Sequence[Value]) -> tuple[Value, ...]:
    """The cells as far as they are filled."""
    last = max((at for at, cell in enumerate(cells, 1) if _told(cell).strip()), default=0)
    return tuple(cells[:last])


def _find_column(
    name: str, rows: Sequence[tuple[int, Sequence[Value]]], column: str
) -> tuple[tuple[str, ...], int, int, tuple[str, ...]]:
    """Headings, their row, the column of questions, and notices, from the first rows of a table."""
    told = [(number, [_told(cell).strip() for cell in cells]) for number, cells in rows if cells]
    if not told:
        raise BatchError(f"{name} 是空的：第一行应为表头，其中一列是“问题”。")
    if column:
        return _named_column(name, told, column)
    best: tuple[int, int, int] | None = None
    for number, cells in told[:HEADING_WITHIN]:
        ranks = [_heading_rank(cell) for cell in cells]
        rank = max(ranks, default=0)
        # A title of one cell (常见问题清单) names no column.
        if rank and (rank == 3 or sum(bool(cell) for cell in cells) > 1) and (best is None or rank > best[0]):
            best = (rank, number, ranks.index(rank))
    if best is not None:
        headings = tuple(next(cells for number, cells in told if number == best[1]))
        alike = [heading for heading in headings if _heading_rank(heading) == best[0]]
        others = f"，另有“{'”“'.join(alike[1:])}”，要换请指明问题列（--column）" if len(alike) > 1 else ""
        notices = (f"问题在“{headings[best[2]]}”列{others}",) if others else ()
        return headings, best[1], best[2], notices
    filled = [at for at in range(max(len(cells) for _, cells in told)) if any(_filled(cells, at) for _, cells in told)]
    if len(filled) == 1:
        asked = sum(bool(_LOOKS_ASKED.search(cells[filled[0]])) for _, cells in told)
        if asked * 2 > len(told):
            return (), 0, filled[0], ()
    widest = max((cells for _, cells in told[:HEADING_WITHIN]), key=lambda cells: sum(map(bool, cells)))
    found = "、".join(cell[:12] for cell in widest if cell)
    raise BatchError(
        f"{name} 里没有找到问题列：表头中应有“问题”“提问”或“question”，实际是“{found[:80]}”："
        "请改列名，或指明问题列（--column）。"
    )


def _named_column(
    name: str, rows: Sequence[tuple[int, Sequence[str]]], column: str
) -> tuple[tuple[str, ...], int, int, tuple[str, ...]]:
    wanted = unicodedata.normalize("NFKC", column).strip().casefold()
    for number, cells in rows[:HEADING_WITHIN]:
        for at, cell in enumerate(cells):
            if unicodedata.normalize("NFKC", cell).strip().casefold() == wanted:
                return tuple(cells), number, at, ()
    if re.fullmatch(r"[a-z]{1,2}", wanted):
        at = sum((ord(sign) - 96) * 26**power for power, sign in enumerate(reversed(wanted))) - 1
        if any(_filled(cells, at) for _, cells in rows):
            number, cells = rows[0]
            heads = _filled(cells, at) and not _LOOKS_ASKED.search(cells[at])
            return (tuple(cells), number, at, ()) if heads else ((), 0, at, ())
    told = "、".join(cell[:12] for cell in rows[0][1] if cell)
    raise BatchError(f"{name} 里没有名为“{column}”的列，第一行是“{told[:80]}”：请核对 --column 的列名或列号（如 C）。")


def _filled(cells: Sequence[Value], at: int) -> bool:
    return at < len(cells) and bool(_told(cells[at]).strip())


def _heading_rank(cell: str) -> int:
    """3: the heading of a column of questions; 1: one that may be; 0: another."""
    plain = re.sub(r"[\s*＊]|[（(].*?[)）]", "", unicodedata.normalize("NFKC", cell)).casefold()
    if plain in _HEADINGS:
        return 3
    return int(len(plain) <= 10 and bool(_NAMES_QUESTION.search(plain)) and not _OTHER_HEADING.search(plain))


# --- workbooks


def check_workbook(path: Path) -> None:
    """Raises BatchError for a workbook that is protected, holds macros, is a bomb, or is none at all."""
    with path.open("rb") as file:
        head = file.read(8)
        if head == _OLE:
            file.seek(0)
            protected = "EncryptedPackage".encode("utf-16-le") in file.read(MAX_BYTES)
            if protected:
                raise BatchError(f"{path.name} 有打开密码，读不了：请在 Excel 里去掉密码，另存后重试。")
            raise BatchError(f"{path.name} 其实是旧版 Excel（.xls）格式：请在 Excel 里另存为 xlsx 后重试。")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise BatchError(f"{path.name} 不是完好的 xlsx 文件：请用 Excel 打开并另存一份后重试。") from error
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise BatchError(
            f"{path.name} 解压后有 {unpacked / 2**20:,.0f} MB，上限 {MAX_UNPACKED_BYTES // 2**20} MB，可能是压缩炸弹："
            "请核对文件来源，或只留下问题列另存后重试。"
        )
    names = {entry.filename.lower() for entry in entries}
    if any(name.endswith("vbaproject.bin") for name in names):
        raise BatchError(f"{path.name} 里有宏，为安全起见不读取：请在 Excel 里另存为 xlsx（不带宏）后重试。")
    if "[content_types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise BatchError(f"{path.name} 不是 xlsx 工作簿：请用 Excel 打开并另存为 xlsx 后重试。")


def _book(path: Path, values: bool) -> Any:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that openpyxl leaves out
            return load_workbook(path, read_only=True, data_only=values)
    except _DAMAGED as error:
        raise BatchError(f"{path.name} 不是完好的 xlsx 文件：请用 Excel 打开并另存一份后重试。") from error


def _open_workbook(path: Path, column: str, sheet: str) -> Listing:
    check_workbook(path)
    with closing(_book(path, values=True)) as book:
        titles = [page.title for page in book.worksheets]
        if sheet and sheet not in titles:
            raise BatchError(f"{path.name} 里没有工作表“{sheet}”，有“{'”“'.join(titles)}”：请核对 --sheet。")
        # What is hidden (lists for menus, earlier versions) is read where nothing else is there.
        titles.sort(key=lambda title: book[title].sheet_state != "visible")
        found: list[tuple[str, tuple[str, ...], int, int, tuple[str, ...]]] = []
        refusal: BatchError | None = None
        for title in [sheet] if sheet else titles:
            rows = list(islice(_sheet_values(path, book, title), SNIFFED_ROWS))
            if not any(cells for _, cells in rows) and len(titles) > 1 and not sheet:
                continue
            try:
                found.append((title, *_find_column(f"{path.name} 的工作表“{title}”", rows, column)))
            except BatchError as error:
                refusal = refusal or error
    if not found:
        raise refusal or BatchError(f"{path.name} 是空的：第一行应为表头，其中一列是“问题”。")
    title, headings, heading_row, at, notices = found[0]
    if len(found) > 1:
        rest = "”“".join(one[0] for one in found[1:])
        notices = (*notices, f"只答工作表“{title}”，“{rest}”里也有问题，要答它请指明工作表（--sheet）")
    return Listing("sheet", headings, heading_row, at, title, notices=notices)


def _sheet_values(path: Path, book: Any, title: str) -> Iterator[tuple[int, tuple[Value, ...]]]:
    """Number and cells of the rows of a sheet; rows that the file leaves out are blank."""
    page = book[title]
    page.reset_dimensions()  # what a file says of its own size may be wrong
    try:
        for number, cells in enumerate(page.iter_rows(values_only=True), 1):
            yield number, _trimmed([_plain(cell) for cell in cells])
    except (*_DAMAGED, IndexError) as error:
        raise BatchError(
            f"{path.name} 的工作表“{title}”读不完（文件可能损坏）：请用 Excel 打开并另存一份后重试。"
        ) from error


def _plain(value: Any) -> Value:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)


def _sheet_rows(path: Path, listing: Listing) -> Iterator[Row]:
    """Questions that are formulas are read as what the formula gave when the file was saved."""
    with closing(_book(path, values=True)) as shown, closing(_book(path, values=False)) as written:
        pairs = zip(
            _sheet_values(path, shown, listing.sheet), _sheet_values(path, written, listing.sheet), strict=False
        )
        for (number, cells), (_, formulas) in pairs:
            row = _row(number, cells, listing)
            formula = formulas[listing.column] if len(formulas) > listing.column else None
            is_formula = isinstance(formula, str) and formula.startswith("=") and number > listing.heading_row
            if is_formula and (not row.question or row.question == formula):
                reason = f"问题是公式 {str(formula)[:40]}，没有算出的文字：请在 Excel 里“选择性粘贴—数值”后重试。"
                yield Row(number, row.id, str(formula), (), row.cells, reason)
            else:
                yield row
