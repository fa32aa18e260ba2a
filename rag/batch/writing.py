"""Rows and replies -> the output: jsonl, csv, xlsx or docx, by its ending.

Each is written beside its place and renamed when it is whole. Texts that a spreadsheet would take for a formula are
written as text. The same rows and replies give the same bytes: times inside the files are those of the list.
"""

from __future__ import annotations

import csv
import datetime
import json
import os
import re
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from index.export import printable, safe
from index.store import file_hash
from rag.batch.journal import Answered, Decision, Journal
from rag.batch.reading import Value
from rag.batch.record import FIELDS, error_record
from rag.batch.review import DECIDED, decided_text, is_current
from rag.batch.state import (
    REFUSED,
    SURE,
    Tally,
    checks_told,
    citations_of,
    evidence_told,
    lines_told,
    remark,
    shown,
    state_of,
    tally,
)
from rag.errors import BatchError
from rag.pipeline import Pipeline
from rag.types import Citation

ENDINGS = (".jsonl", ".csv", ".xlsx", ".docx")
ADDED = ("答复", "状态", "置信度", "依据", "数字核对", "备注")
REVIEWED = ("审核", "审核人", "审核时间", "转交")
WIDTHS = {"答复": 60, "状态": 9, "置信度": 8, "依据": 52, "数字核对": 26, "备注": 30, "审核": 8, "审核人": 10,
          "审核时间": 18, "转交": 12, "问题": 44, "序号": 7}  # fmt: skip
EXCEL_CELL = 32_767  # characters that a cell of a workbook holds
LOADED_ROWS = 5_000  # of a workbook loaded whole to keep its look; a longer one is written row by row
DOCX_ROWS = 5_000  # a document of that many questions has some thousand pages
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can name

Titles = Mapping[str, str]


@dataclass(frozen=True)
class Told:
    """What the writers are given: the rows, in order, and what stands above and beside them."""

    journal: Journal
    pipeline: Pipeline
    source: Path
    decisions: Mapping[int, Decision]
    reviewed: bool

    @property
    def titles(self) -> Titles:
        return {document.id: document.title for document in self.pipeline.documents}

    @property
    def added(self) -> tuple[str, ...]:
        return (*ADDED, *REVIEWED) if self.reviewed else ADDED

    def values(self, row: Answered) -> tuple[Value, ...]:
        """The added cells of a row, in the order of `added`; empty for a row that asks nothing."""
        if not row.asks:
            return ()
        reply = row.reply
        decision = self.decisions.get(row.position)
        cells: tuple[Value, ...] = (
            self.text(row),
            state_of(row),
            None if reply is None or reply["record"]["status"] == "error" else shown(reply["record"]["confidence"]),
            "" if reply is None else evidence_told(reply, self.titles),
            "" if reply is None else checks_told(reply),
            remark(row),
        )
        if not self.reviewed:
            return cells
        if decision is None:
            return (*cells, "未审核", "", "", "")
        told = DECIDED[decision.action] + ("" if is_current(decision, row) else "（依据已变，请重审）")
        return (*cells, told, decision.by, decision.at.replace("T", " ")[:16], decision.recipient)

    def words(self, citation: Citation) -> str:
        """The lines of a citation in full, those of a table's row with their columns."""
        lines = self.pipeline.source(citation)
        return "｜".join(f"{line.column}：{line.text}" if line.column else line.text for line in lines)

    def text(self, row: Answered) -> str:
        decision = self.decisions.get(row.position)
        return decided_text(row, decision if self.reviewed else None)


def check_output(source: Path, out: Path) -> None:
    """Raises BatchError for an output that cannot be what is asked for, before anything is done."""
    if out.suffix.lower() not in ENDINGS:
        raise BatchError(f"--out 应以 {'、'.join(ENDINGS)} 之一结尾，收到“{out.name}”：请改用其中一种。")
    if out.is_dir():
        raise BatchError(f"写不进 {out}（这是一个文件夹）：请给出一个文件名。")
    if out.exists() and source.exists() and out.samefile(source):
        raise BatchError(f"输出和问题文件是同一个文件 {out}，会毁掉原表：请用 --out 换一个文件名。")
    if not out.parent.is_dir():
        raise BatchError(f"写不进 {out}（文件夹不存在）：请先建立文件夹 {out.parent}，或换一个地方。")
    part = _part(out)
    try:  # better known now than after the last answer
        part.touch()
        part.unlink()
    except OSError as error:
        raise BatchError(f"写不进 {out}（{error.strerror or error}）：请检查文件名、写权限和磁盘空间。") from error


def write_output(journal: Journal, pipeline: Pipeline, source: Path, out: Path, reviewed: bool = False) -> None:
    """Write the rows of the journal and their replies to `out`, `reviewed` with what was decided about them. Raises
    BatchError where it cannot be written; what stood there is then untouched."""
    write: dict[str, Callable[[Told, Path], None]] = {
        ".jsonl": _write_jsonl, ".csv": _write_csv, ".xlsx": _write_xlsx, ".docx": _write_docx,
    }  # fmt: skip
    told = Told(journal, pipeline, source, journal.decisions() if reviewed else {}, reviewed)
    with _whole(out) as part:
        write[out.suffix.lower()](told, part)
        if not reviewed:
            # Before the rename: a process killed between the two finds its own output and knows it.
            journal.tell(written=file_hash(part))


def _part(out: Path) -> Path:
    return out.with_name(f".{out.name}.part-{os.getpid()}")


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A place beside `out` to write to, which becomes `out` when it is whole. Raises BatchError where that fails."""
    part = _part(out)
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise BatchError(
            f"写不进 {out}（{error.strerror or error}）：请检查文件夹、写权限和磁盘空间，文件是否正被打开；"
            "已答的都在，用同一命令可以续写。"
        ) from error
    finally:
        if os.path.exists(part):  # False, where Path.exists raises, for a name that no file system takes
            part.unlink()


def write_sheet(out: Path, source: Path, name: str, rows: Iterable[Sequence[Value]], widths: Sequence[int]) -> None:
    """Write a workbook of one sheet, headings first. Raises BatchError where it cannot be written."""
    from openpyxl import Workbook

    with _whole(out) as part:
        book = Workbook(write_only=True)
        _stream_sheet(book, name, rows, 1, widths)
        book.save(part)
        book.close()
        seal(part, source)


# --- jsonl and csv


def contract(row: Answered, backend: str) -> dict[str, Any]:
    """The object of a row as jsonl holds it; with a `note` where the answer has one."""
    if row.reply is None:
        return error_record(row.row.id, row.row.question, backend, row.row.error or "还没有答复")
    told = {**row.reply["record"], "id": row.row.id, "question": row.row.question}
    noted = {"note": "；".join(row.reply["notes"])} if row.reply["notes"] else {}
    return {name: told[name] for name in (*FIELDS, "error") if name in told} | noted


def _write_jsonl(told: Told, part: Path) -> None:
    # Half of a surrogate pair, which JSON can hold and UTF-8 cannot, is written as JSON writes it: \\ud83d.
    with part.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        for row in told.journal.rows():
            if not row.asks:
                continue
            line = contract(row, told.pipeline.backend)
            if told.reviewed:
                decision = told.decisions.get(row.position)
                line["answer"] = told.text(row)
                line["review"] = None if decision is None else {
                    "action": decision.action, "by": decision.by, "at": decision.at, "to": decision.recipient,
                    "current": is_current(decision, row),
                }  # fmt: skip
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _write_csv(told: Told, part: Path) -> None:
    with part.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)
        for cells in table_of(told):
            writer.writerow([safe(cell) for cell in cells])


def table_of(told: Told) -> Iterator[list[Value]]:
    """The list as a table: its own columns as they were, then the added ones."""
    listing = told.journal.listing
    if listing.kind not in ("table", "sheet"):
        yield ["序号", "问题", *told.added]
        for row in told.journal.rows():
            if row.asks or row.row.question:  # 一、农业类 asks nothing and stays
                yield [row.row.id, row.row.question, *told.values(row)]
        return
    width = max(len(listing.headings), listing.column + 1)
    headed = listing.heading_row > 0
    if not headed:
        yield [*("问题" if at == listing.column else "" for at in range(width)), *told.added]
    for row in told.journal.rows():
        cells = [*row.row.cells, *([""] * (width - len(row.row.cells)))]
        if headed and row.row.number == listing.heading_row:
            yield [*cells, *told.added]
        elif row.asks and row.row.error and len(cells) > width:
            yield [*cells[:width], *told.values(row)]  # which of its cells were meant is not known
        else:
            yield [*cells, *told.values(row)]


# --- xlsx


def _write_xlsx(told: Told, part: Path) -> None:
    from openpyxl import Workbook, load_workbook

    listing = told.journal.listing
    if listing.kind == "sheet" and told.journal.size() <= LOADED_ROWS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that openpyxl leaves out
            book = load_workbook(told.source, rich_text=True)
        _fill_sheet(book[listing.sheet], told)
        for page in book.worksheets:
            page.sheet_view.tabSelected = page.title == listing.sheet
        book.active = book.sheetnames.index(listing.sheet)
    else:
        book = Workbook(write_only=True)
        _stream_sheet(book, "答复", table_of(told), _heading_number(told))
    names = set(book.sheetnames)
    _stream_sheet(book, _free("依据原文", names), sources_of(told), 1, SOURCE_WIDTHS)
    _stream_sheet(book, _free("汇总", names), summary_of(told), 1, (24, 90))
    book.save(part)
    book.close()
    seal(part, told.source)


def notices_of(journal: Journal, out: Path) -> tuple[str, ...]:
    """What to say of the output: of a sheet too long to be kept in its look, and of columns that the list had already
    under the names of those added."""
    listing, ending = journal.listing, out.suffix.lower()
    told = []
    if listing.kind == "sheet" and ending == ".xlsx" and journal.size() > LOADED_ROWS:
        told.append(f"工作表超过 {LOADED_ROWS:,} 行，逐行写出：内容和顺序不变，单元格格式没有保留")
    twice = [name for name in ADDED if name in listing.headings]
    if twice and ending in (".xlsx", ".csv"):
        told.append(f"清单原有“{'”“'.join(twice)}”列，内容没有改动；这次的答复写在表右侧的同名列")
    return tuple(told)


def _heading_number(told: Told) -> int:
    listing = told.journal.listing
    return listing.heading_row if listing.kind in ("table", "sheet") and listing.heading_row else 1


def _free(name: str, taken: Iterable[str]) -> str:
    """A name for a sheet that no other has."""
    used = set(taken)
    return next(one for one in (name, *(f"{name}{n}" for n in range(2, 1000))) if one not in used)


def _fill_sheet(page: Any, told: Told) -> None:
    """Put the added columns beside those of a sheet, in the look of its own headings and cells."""
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    listing = told.journal.listing
    asked = listing.column + 1
    spans = {span.min_row: span for span in page.merged_cells.ranges if span.min_col <= asked <= span.max_col}
    heading_end = spans[listing.heading_row].max_row if listing.heading_row in spans else listing.heading_row
    first = max(page.max_column, len(listing.headings), listing.column + 1) + 1
    while first > 2 and all(page.cell(row, first - 1).value is None for row in range(1, page.max_row + 1)):
        first -= 1  # columns that only look used
    like = page.cell(max(listing.heading_row, 1), listing.column + 1)
    if listing.heading_row:
        for at, name in enumerate(told.added):
            _put(page, listing.heading_row, first + at, name, like)
    body = {"vertical": "top", "wrap_text": True}
    for row in told.journal.rows():
        number = row.row.number
        values = told.values(row)
        span = spans.get(number)
        if values:
            page.row_dimensions[number].height = None  # an answer needs more than the question's own height
        for at, value in enumerate(values):
            cell = _put(page, number, first + at, value, page.cell(number, listing.column + 1))
            cell.alignment = Alignment(**body, horizontal="center" if told.added[at] in ("状态", "置信度") else "left")
            cell.number_format = "0.00" if told.added[at] == "置信度" else "General"
            if span is not None and span.max_row > span.min_row:
                page.merge_cells(start_row=number, end_row=span.max_row, start_column=first + at, end_column=first + at)
    if heading_end > listing.heading_row > 0:
        for at in range(len(told.added)):
            page.merge_cells(
                start_row=listing.heading_row, end_row=heading_end, start_column=first + at, end_column=first + at
            )
    for at, name in enumerate(told.added):
        page.column_dimensions[get_column_letter(first + at)].width = WIDTHS[name]
    last = get_column_letter(first + len(told.added) - 1)
    if page.auto_filter.ref:
        start, _, end = page.auto_filter.ref.partition(":")
        page.auto_filter.ref = f"{start}:{last}{re.sub(r'[^0-9]', '', end or start)}"
    if page.print_area and "," not in page.print_area:  # else the answers would be left out of what is printed
        start, _, end = page.print_area.rpartition("!")[2].replace("$", "").partition(":")
        page.print_area = f"{start}:{last}{re.sub(r'[^0-9]', '', end or start)}"
    _fit_to_width(page)


def _fit_to_width(page: Any) -> None:
    """Print a sheet as wide as a page: with the answers it is too wide for any."""
    from openpyxl.worksheet.properties import PageSetupProperties

    page.page_setup.orientation, page.page_setup.fitToWidth, page.page_setup.fitToHeight = "landscape", 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _put(page: Any, row: int, column: int, value: Value, like: Any) -> Any:
    cell = page.cell(row, column)
    cell.value = _fitting(value)
    if isinstance(value, str):
        cell.data_type = "s"  # a text that begins with = would be stored as a formula
    if like.has_style:
        cell.font, cell.border, cell.fill = copy(like.font), copy(like.border), copy(like.fill)
        cell.alignment = copy(like.alignment)
    return cell


def _fitting(value: Value) -> Value:
    """A value that a cell of a workbook can hold."""
    if not isinstance(value, str):
        return value
    text = printable(value).encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= EXCEL_CELL else f"{text[: EXCEL_CELL - 20]}……（过长，未全列）"


def _stream_sheet(
    book: Any, name: str, rows: Iterable[Sequence[Value]], heading_row: int, widths: Sequence[int] = ()
) -> None:
    """A sheet written row by row: in a write-only book nothing else is held."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    page = book.create_sheet(name)
    rows = iter(rows)
    first = next(rows, ())
    if not widths:
        widths = [WIDTHS.get(str(cell), 20) for cell in first]
    for column, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(column)].width = width
    page.freeze_panes = f"A{heading_row + 1}"
    page.print_title_rows = f"{heading_row}:{heading_row}"
    _fit_to_width(page)
    plain, heading = WriteOnlyCell(page), WriteOnlyCell(page)
    plain.alignment = heading.alignment = Alignment(vertical="top", wrap_text=True)
    heading.font, heading.fill = Font(bold=True), PatternFill("solid", fgColor="E3ECF5")
    for number, values in enumerate(chain([first], rows), 1):
        cells = []
        for value in values:
            cell = WriteOnlyCell(page, _fitting(value))
            if isinstance(value, str):
                cell.data_type = "s"  # a text that begins with = would be stored as a formula
            # Taken from a cell that has it: setting it anew for each takes most of the time.
            cell._style = heading._style if number == heading_row else plain._style
            cells.append(cell)
        page.append(cells)


# 清单行 is the row of the list, as the remarks name it; the list may have a 序号 of its own.
SOURCES = ("清单行", "问题", "标记", "文件", "章节", "原文行", "引文", "原文")
SOURCE_WIDTHS = (7, 36, 6, 24, 36, 14, 50, 80)


def sources_of(told: Told) -> Iterator[list[Value]]:
    """The sources of every answer in full, a row for each mark."""
    yield list(SOURCES)
    for row in told.journal.rows():
        if row.reply is None:
            continue
        for one in citations_of(row.reply):
            words = told.words(one)
            place = " › ".join(one.section)
            at = lines_told(one.lines, one.page)
            title = told.titles.get(one.doc, one.doc)
            yield [row.row.number, row.row.question, f"[{one.n}]", title, place, at, one.quote, words]


def summary_of(told: Told) -> Iterator[list[Value]]:
    """Counts, settings and what the answers were made from, a row each."""
    journal, counts = told.journal, tally(told.journal)
    yield ["项目", "内容"]
    yield from counts_told(counts)
    if told.reviewed:
        for action, words in DECIDED.items():
            yield [f"审核：{words}", sum(decision.action == action for decision in told.decisions.values())]
    settings = json.loads(journal.told("settings"))
    listing = journal.listing
    yield ["回答方式", settings["backend"]]
    if settings["reranker"] is not None:
        yield ["重排模型", settings["reranker"]]
    yield ["每答检索段落", settings["passages"]]
    yield ["未载明的界限", "按数据拟合" if settings["refuse_below"] is None else settings["refuse_below"]]
    yield ["程序版本", settings["program"]]
    yield ["问题清单", journal.told("source") + (f"，工作表“{listing.sheet}”" if listing.sheet else "")]
    yield ["清单 sha256", journal.told("list")]
    yield ["清单时间", journal.told("time")]
    yield ["索引", journal.told("index")]
    for document in told.pipeline.documents:
        yield [f"文件《{document.title}》", f"sha256 {document.sha256}"]


def counts_told(counts: Tally) -> list[list[Value]]:
    return [
        ["问题行数", counts.asked],
        ["已答复", counts.answered],
        [REFUSED, counts.refused],
        ["待人工", counts.review],
        [f"置信度低于 {SURE}", counts.unsure],
        ["出错", counts.failed],
        ["重复问题", counts.repeated],
        ["一格多问", counts.several],
        ["空行和小标题", counts.blank],
        ["已审定答复", counts.approved],
    ]


# --- docx


def _write_docx(told: Told, part: Path) -> None:
    import docx
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    if told.journal.count() > DOCX_ROWS:
        raise BatchError(
            f"docx 最多写 {DOCX_ROWS:,} 个问题，清单有 {told.journal.count():,} 个：请把 --out 改成 .xlsx。"
        )
    document = docx.Document()
    for name in ("Normal", "Title", "Heading 1", "Heading 2"):
        style = document.styles[name]
        style.font.name = "Times New Roman"
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体" if name == "Normal" else "黑体")
        style.font.color.rgb = RGBColor(0, 0, 0)
    document.styles["Normal"].font.size = Pt(12)
    document.styles["Heading 1"].font.size, document.styles["Heading 2"].font.size = Pt(15), Pt(13)
    document.add_heading("问题答复", 0)
    counts = tally(told.journal)
    about = "、".join(f"《{document.title}》" for document in told.pipeline.documents)
    document.add_paragraph(
        f"依据{about}作答，共 {counts.asked} 问：已答复 {counts.answered}，未载明 {counts.refused}，"
        f"待人工 {counts.review}。答复后方括号内的数字对应该问之下的依据。"
    )
    number = 0
    for row in told.journal.rows():
        if not row.asks:
            if row.row.question:  # 一、农业类
                document.add_heading(_clean(row.row.question.strip()), 1)
            continue
        number += 1
        document.add_heading(_clean(f"{number}. {_one_line(row)}"), 2)
        for paragraph in (told.text(row) or row.row.error or remark(row)).split("\n"):
            _marked_paragraph(document, _clean(paragraph))
        notes = [f"状态：{state_of(row)}", remark(row)] if state_of(row) != "已答复" else [remark(row)]
        decision = told.decisions.get(row.position)
        if decision is not None:
            notes.append(f"{DECIDED[decision.action]}：{decision.by}，{decision.at.replace('T', ' ')[:16]}")
        if note := "；".join(filter(None, notes)):
            _small(document, _clean(note), italic=True)
        for one in citations_of(row.reply) if row.reply is not None else []:
            title = told.titles.get(one.doc, one.doc)
            place = " › ".join(one.section)
            at = lines_told(one.lines, one.page)
            # The cell of a table alone, “145”, tells nobody what it is of.
            whole = f"（整行：{told.words(one)}）" if len(one.lines) > 1 else ""
            _small(document, _clean(f"[{one.n}] 《{title}》{place} {at}：“{one.quote}”{whole}"))
    properties = document.core_properties
    properties.title, properties.author, properties.comments = "问题答复", "", ""
    document.save(str(part))
    seal(part, told.source)


def _one_line(row: Answered) -> str:
    from rag.batch.split import unnumbered

    return re.sub(r"\s+", " ", unnumbered(row.row.question)) or "（没有问题）"


def _clean(text: str) -> str:
    return printable(text).encode("utf-8", "replace").decode("utf-8")


def _marked_paragraph(document: Any, text: str) -> None:
    """A paragraph with its marks [n] raised."""
    paragraph = document.add_paragraph()
    for piece in re.split(r"((?:\[\d{1,3}\])+)", text):
        if piece:
            paragraph.add_run(piece).font.superscript = bool(re.fullmatch(r"(?:\[\d{1,3}\])+", piece)) or None


def _small(document: Any, text: str, italic: bool = False) -> None:
    from docx.shared import Pt, RGBColor

    paragraph = document.add_paragraph()
    paragraph.paragraph_format.left_indent = Pt(18)
    paragraph.paragraph_format.space_after = Pt(2)
    run = paragraph.add_run(text)
    run.font.size, run.font.color.rgb, run.italic = Pt(9.5), RGBColor(0x55, 0x60, 0x6B), italic or None


def list_time(source: Path) -> datetime.datetime:
    """When the list was last saved, to the minute: the time that the outputs name. Their own would make each different
    from the next."""
    return datetime.datetime.fromtimestamp(source.stat().st_mtime // 60 * 60, datetime.timezone.utc).astimezone()


def seal(path: Path, source: Path) -> None:
    """Make the times inside a file of Office those of the list."""
    stamp = list_time(source).astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")
    sealed = path.with_name(f"{path.name}.sealed")
    try:
        with zipfile.ZipFile(path) as unsealed, zipfile.ZipFile(sealed, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in unsealed.infolist():
                fixed = zipfile.ZipInfo(entry.filename, EPOCH)
                fixed.compress_type, fixed.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                large = entry.file_size > 1 << 30
                with unsealed.open(entry) as content, archive.open(fixed, "w", force_zip64=large) as copied:
                    if entry.filename == "docProps/core.xml":
                        dated = rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms)"
                        copied.write(re.sub(dated, rb"\g<1>" + stamp + rb"\g<3>", content.read()))
                    else:
                        shutil.copyfileobj(content, copied, 1 << 20)
        sealed.replace(path)
    finally:
        sealed.unlink(missing_ok=True)
