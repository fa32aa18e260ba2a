"""A file becomes a Document: numbered lines of verbatim text, whatever the format.

Plain text and Markdown keep exactly the file's own lines, so a line number in a citation is the one an editor shows.
Word, PDF and web pages have no lines of their own: theirs are the non-blank paragraphs, table rows and (PDF) lines of
print in reading order, numbered from 1.

Every failure is a DocumentError whose one Chinese sentence names the file, what was found and what to do.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from index.errors import DocumentError
from index.types import Document, Line

MAX_BYTES = 100 * 1024 * 1024
MAX_UNPACKED_BYTES = 500 * 1024 * 1024
TITLE_CHARACTERS = 60
TITLE_LINES = 4
_TITLE_ENDINGS = ("纲要", "规划", "计划", "方案", "意见", "报告", "条例", "办法", "通知", "决定", "建议", "要点")

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd]")
_OLE_HEADER = bytes.fromhex("D0CF11E0A1B11AE1")
_OLD_OFFICE = frozenset({".doc", ".wps", ".rtf", ".odt"})


def read(path: Path) -> Document:
    """Read one file by its suffix. `Document.id` is the file's stem, `sha256` is of its bytes.

    Raises DocumentError for a file that is missing, no regular file, unreadable, empty, over MAX_BYTES, damaged,
    protected by a password, without text, or of a suffix that is not in SUFFIXES.
    """
    data = _bytes(path)
    content = _READERS[path.suffix.lower()](data, path.name)
    if not any(block.text.strip() for block in content.blocks):
        raise DocumentError(f"文件“{path.name}”里只有空白，没有文字；请检查文件内容后重试。")
    return Document(
        id=path.stem,
        title=_title(content),
        source=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        lines=tuple(
            Line(number, block.text, block.page, block.heading, block.cells)
            for number, block in enumerate(content.blocks, start=1)
        ),
    )


@dataclass(frozen=True)
class _Block:
    """A line that has no number yet; the fields are those of Line."""

    text: str
    page: int | None = None
    heading: int = 0
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Content:
    """What a format yields: blocks in reading order and the title its metadata declare ("" where none)."""

    blocks: tuple[_Block, ...]
    declared_title: str = ""


def _bytes(path: Path) -> bytes:
    """The file's bytes, after every check that can be made without reading it."""
    suffixes = "、".join(sorted(SUFFIXES))
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DocumentError(f"“{path.name}”是文件夹，此处需要一个文件；请给出其中的文件（{suffixes}）。")
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError(f"“{path.name}”不是普通文件；请给出磁盘上的一个文件（{suffixes}）。")
        if path.suffix.lower() in _OLD_OFFICE:
            raise DocumentError(f"文件“{path.name}”是“{path.suffix}”格式，不能直接读取；请另存为 docx 后重试。")
        if path.suffix.lower() not in SUFFIXES:
            found = f"后缀“{path.suffix}”" if path.suffix else "没有后缀"
            raise DocumentError(f"文件“{path.name}”的类型不能识别（{found}）；可读取的类型有 {suffixes}。")
        if status.st_size == 0:
            raise DocumentError(f"文件“{path.name}”是空的（0 字节）；请检查文件是否保存完整。")
        if status.st_size > MAX_BYTES:
            raise DocumentError(
                f"文件“{path.name}”过大：上限 {_megabytes(MAX_BYTES)} MB，实际 {_megabytes(status.st_size)} MB；"
                "请拆分或压缩其中的图片后重试。"
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DocumentError(f"找不到文件“{path.name}”；请检查路径“{path}”。") from error
    except PermissionError as error:
        raise DocumentError(f"没有读取文件“{path.name}”的权限；请修改文件权限，或复制到有权限的文件夹。") from error
    except OSError as error:
        raise DocumentError(f"读取文件“{path.name}”时系统报错（{error.strerror}）；请检查磁盘和路径。") from error


def _megabytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0")


def _title(content: _Content) -> str:
    """The first non-blank line, or the declared title where the text opens with that very title, perhaps broken over
    several lines. Metadata that the text does not confirm ("文档1", a site's name) are not believed."""
    filled = [block for block in content.blocks if block.text.strip()]
    first = filled[0].text.strip()
    opening = re.sub(r"\s", "", "".join(block.text for block in filled[:20]))
    declared = content.declared_title.strip()
    if len(declared) >= 8 and re.sub(r"\s", "", declared) in opening:
        return declared[:TITLE_CHARACTERS]
    if filled[0].heading:
        return (first.lstrip("#").strip() or first)[:TITLE_CHARACTERS].strip()
    return _title_block([block.text.strip() for block in filled[:20]])[:TITLE_CHARACTERS].strip()


def _title_block(lines: Sequence[str]) -> str:
    """A title broken over several lines, put together: the first line, and while it does not end as a title does (…
    纲要, …规划), the short lines after it up to one that does; the first line alone where none does."""
    for count in range(1, min(TITLE_LINES, len(lines)) + 1):
        block = lines[:count]
        if any(len(line) > TITLE_CHARACTERS // 2 or line.endswith(("。", "；", "：")) for line in block):
            break
        if block[-1].endswith(_TITLE_ENDINGS):
            return "".join(block)
    return lines[0]


# --- plain text and Markdown

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _decode(data: bytes, name: str, declared: str = "") -> str:
    """Text of bytes in UTF-8, UTF-16 with BOM, the `declared` encoding (of a web page) or GB18030, tried in this
    order. GB18030 accepts nearly any bytes: it is believed only where most of what it yields are everyday characters.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise _unknown_encoding(name)
    for bom, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(bom):
            try:
                return _text_only(data.decode(encoding), name)
            except UnicodeDecodeError as error:
                raise _damaged_text(name, error) from error
    if b"\0" in data:
        raise _binary(name)
    try:
        return _text_only(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        if _mostly_utf8(data):
            raise _damaged_text(name, error) from error
    for encoding in dict.fromkeys(filter(None, (declared, "gb18030"))):
        try:
            text = data.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if encoding != "gb18030" or _everyday_share(text) >= 0.7:
            return _text_only(text, name)
    raise _binary(name) if _control_share(data.decode("latin-1")) > 0.1 else _unknown_encoding(name)


def _mostly_utf8(data: bytes) -> bool:
    """UTF-8 with a few bad bytes, not another encoding."""
    beyond_ascii = re.sub(r"[\x00-\x7f]", "", data.decode("utf-8", "replace"))
    return beyond_ascii.count("\ufffd") < 0.1 * len(beyond_ascii)


def _everyday_share(text: str) -> float:
    """Share of the characters beyond ASCII that GB 2312 has: 6,763 common Chinese characters and the signs used with
    them, 0.97 and more of Chinese prose; about half of what Big5 or other bytes look like when read as GB18030."""
    beyond_ascii = re.sub(r"[\x00-\x7f]", "", text)
    known = beyond_ascii.encode("gb2312", "ignore").decode("gb2312")
    return len(known) / max(1, len(beyond_ascii))


def _control_share(text: str) -> float:
    return len(_CONTROL.findall(text)) / max(1, len(text))


def _text_only(text: str, name: str) -> str:
    if "\0" in text or _control_share(text) > 0.02:
        raise _binary(name)
    return text


def _binary(name: str) -> DocumentError:
    return DocumentError(f"文件“{name}”的内容是二进制数据，不是文本；请检查后缀是否写错，或另存为 UTF-8 文本后重试。")


def _unknown_encoding(name: str) -> DocumentError:
    return DocumentError(
        f"文件“{name}”的编码不能识别，需要 UTF-8、GB18030 或带 BOM 的 UTF-16；请用编辑器另存为 UTF-8 后重试。"
    )


def _damaged_text(name: str, error: UnicodeDecodeError) -> DocumentError:
    return DocumentError(
        f"文件“{name}”第 {error.start + 1} 个字节处有不合 {error.encoding.upper()} 编码的内容，"
        "文件可能已损坏；请重新保存后重试。"
    )


def _split(text: str) -> list[str]:
    """Lines as an editor counts them: never broken at U+2028, form feed and the like, as str.splitlines would."""
    lines = _LINE_BREAK.split(text)
    return lines[:-1] if lines[-1] == "" else lines


def _read_text(data: bytes, name: str) -> _Content:
    return _Content(tuple(_Block(line) for line in _split(_decode(data, name))))


_MD_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t\u3000]+|$)")
_MD_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MD_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")


def _read_markdown(data: bytes, name: str) -> _Content:
    """CommonMark's ATX headings and GitHub's tables, outside fenced code; text stays verbatim."""
    lines = _split(_decode(data, name))
    blocks: list[_Block] = []
    fence, in_table = "", False
    for i, line in enumerate(lines):
        mark = _MD_FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        following = lines[i + 1] if i + 1 < len(lines) else ""
        in_table = not fence and "|" in line and (in_table or _is_delimiter(following))
        heading = None if fence else _MD_HEADING.match(line)
        cells = _markdown_cells(line) if in_table and not _is_delimiter(line) else ()
        blocks.append(_Block(line, heading=len(heading[1]) if heading else 0, cells=cells))
    return _Content(tuple(blocks))


def _is_delimiter(line: str) -> bool:
    return "|" in line and _MD_DELIMITER.fullmatch(line) is not None


def _markdown_cells(line: str) -> tuple[str, ...]:
    """Cells verbatim, an escaped bar left escaped."""
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", inner))


# --- tables of Word files and web pages

# A cell with more paragraphs than this holds a piece of the page, not a value.
_MAX_CELL_BLOCKS = 12


def _row(cells: Sequence[Sequence[_Block]]) -> list[_Block]:
    """One table row, given the blocks in each cell (none where a merged cell continues: it is not repeated, yet its
    column stays). A row of values becomes one block. A table drawn only as a frame or for the page's layout holds
    whole paragraphs, headings or tables: its blocks follow one another.
    """
    filled = [cell for cell in cells if cell]
    if not filled:
        return []
    framed = len(filled) == 1 and len(filled[0]) > 1
    layout = any(len(cell) > _MAX_CELL_BLOCKS or any(b.heading or b.cells for b in cell) for cell in filled)
    if framed or layout:
        return [block for cell in filled for block in cell]
    texts = tuple(" ".join(block.text for block in cell) for cell in cells)
    return [_Block(" | ".join(texts), cells=texts)]


# --- Word


def _read_docx(data: bytes, name: str) -> _Content:
    """Paragraphs, text boxes and tables in document order, heading levels from styles; the table of contents that
    Word generates is left out. Numbers that Word adds by automatic numbering are no text of the file."""
    if data.startswith(_OLE_HEADER):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise DocumentError(f"文件“{name}”设有密码，无法读取；请在 Word 中取消密码另存一份后重试。")
        raise DocumentError(f"文件“{name}”其实是旧版 Word（.doc）格式；请用 Word 或 WPS 另存为 docx 后重试。")
    import docx
    from docx.opc.exceptions import OpcError

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise DocumentError(
                f"文件“{name}”解压后过大：上限 {_megabytes(MAX_UNPACKED_BYTES)} MB，实际 {_megabytes(unpacked)} MB；"
                "请删去其中的大图片后重试。"
            )
        document = docx.Document(io.BytesIO(data))
        if document.element.body is None:
            raise ValueError("no body")
    except (zipfile.BadZipFile, zlib.error, OpcError, KeyError, ValueError, SyntaxError, NotImplementedError) as error:
        raise DocumentError(f"文件“{name}”不是完好的 docx 文件；请用 Word 打开并另存一份后重试。") from error
    styles = _heading_styles(document.styles.element)
    return _Content(tuple(_word_blocks(document.element.body, styles)), document.core_properties.title)


_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MARKUP = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_WORD_CHARACTERS = {_WORD + "tab": "\t", _WORD + "br": "\n", _WORD + "cr": "\n", _WORD + "noBreakHyphen": "-"}
# Parts of a paragraph that are not its text: properties, drawings, moved-away or deleted text, ruby.
_NOT_TEXT = frozenset(_WORD + tag for tag in ("pPr", "rPr", "drawing", "pict", "object", "moveFrom", "del", "rt"))
_BLOCK_WRAPPERS = frozenset(_WORD + tag for tag in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_CONTENTS = -1


def _heading_styles(styles: Any) -> dict[str, int]:
    """style id -> heading level from 1, _CONTENTS for the lines of a generated table of contents. A style without a
    telling name or outline level has that of the style it is based on."""
    own: dict[str, int] = {}
    based_on: dict[str, str] = {}
    for style in styles.iterchildren(_WORD + "style"):
        identity = style.get(_WORD + "styleId", "")
        name = _value(style.find(_WORD + "name"))
        numbered = re.fullmatch(r"(?:heading|标题)\s*([1-9])", name, re.IGNORECASE)
        outline = _value(style.find(f"{_WORD}pPr/{_WORD}outlineLvl"))
        if re.fullmatch(r"(?:toc|目录)\s*[1-9]", name, re.IGNORECASE):
            own[identity] = _CONTENTS
        elif numbered:
            own[identity] = int(numbered[1])
        elif name.lower() in ("title", "标题"):
            own[identity] = 1
        elif outline:
            own[identity] = _outline_level(outline)
        based_on[identity] = _value(style.find(_WORD + "basedOn"))
    return {identity: _inherited(identity, own, based_on) for identity in based_on}


def _inherited(identity: str, own: Mapping[str, int], based_on: Mapping[str, str]) -> int:
    seen: set[str] = set()
    while identity not in own and identity not in seen and based_on.get(identity):
        seen.add(identity)
        identity = based_on[identity]
    return own.get(identity, 0)


def _value(element: Any) -> str:
    return "" if element is None else str(element.get(_WORD + "val", ""))


def _outline_level(value: str) -> int:
    """Word counts outline levels from 0; 9 is body text."""
    return int(value) + 1 if value.isdigit() and int(value) < 9 else 0


def _word_blocks(parent: Any, styles: Mapping[str, int]) -> Iterator[_Block]:
    """The blocks of a body, cell or text box, in document order."""
    for element in parent.iterchildren():
        if element.tag == _WORD + "p":
            yield from _paragraph_blocks(element, styles)
        elif element.tag == _WORD + "tbl":
            for row in element.iterchildren(_WORD + "tr"):
                yield from _row(_word_cells(row, styles))
        elif element.tag in _BLOCK_WRAPPERS:
            yield from _word_blocks(element, styles)


def _paragraph_blocks(paragraph: Any, styles: Mapping[str, int]) -> Iterator[_Block]:
    level = styles.get(_value(paragraph.find(f"{_WORD}pPr/{_WORD}pStyle")), 0)
    outline = _value(paragraph.find(f"{_WORD}pPr/{_WORD}outlineLvl"))
    level = _outline_level(outline) if outline and level != _CONTENTS else level
    if level != _CONTENTS:
        for text in _split("".join(_word_text(paragraph))):
            if text.strip():
                yield _Block(text, heading=level)
    for box in _text_boxes(paragraph):
        yield from _word_blocks(box, styles)


def _text_boxes(element: Any) -> Iterator[Any]:
    """Word writes a box twice, for new and (Fallback) for old versions; a box within a box comes with the outer one."""
    for child in element.iterchildren():
        if child.tag == _WORD + "txbxContent":
            yield child
        elif child.tag != _MARKUP + "Fallback":
            yield from _text_boxes(child)


def _word_text(element: Any) -> Iterator[str]:
    for child in element.iterchildren():
        if child.tag == _WORD + "t":
            yield child.text or ""
        elif child.tag in _WORD_CHARACTERS:
            yield _WORD_CHARACTERS[child.tag]
        elif child.tag not in _NOT_TEXT and child.tag != _MARKUP + "AlternateContent":
            yield from _word_text(child)


def _word_cells(row: Any, styles: Mapping[str, int]) -> list[list[_Block]]:
    cells: list[list[_Block]] = []
    for cell in row.iter(_WORD + "tc"):
        if next(cell.iterancestors(_WORD + "tr")) is not row:
            continue
        merge = cell.find(f"{_WORD}tcPr/{_WORD}vMerge")
        continued = merge is not None and _value(merge) in ("", "continue")
        cells.append([] if continued else list(_word_blocks(cell, styles)))
        span = _value(cell.find(f"{_WORD}tcPr/{_WORD}gridSpan"))
        cells.extend([] for _ in range(_span(span) - 1))
    return cells


def _span(value: str) -> int:
    """Columns or rows that a merged cell covers; damaged files name absurd numbers."""
    return min(max(int(value), 1), 100) if value.isdigit() else 1


# --- PDF

# What reading a damaged object raises inside pypdf, beside its own errors.
_DAMAGE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)


def _read_pdf(data: bytes, name: str) -> _Content:
    """One block per line of print, with its page from 1."""
    import pypdf
    from pypdf.errors import DependencyError, PyPdfError

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(f"文件“{name}”设有密码，无法读取；请取消密码另存一份后重试。")
        pages = [page.extract_text() for page in reader.pages]
        title = (reader.metadata.title or "") if reader.metadata else ""
    except DependencyError as error:
        raise DocumentError(f"文件“{name}”用 AES 加密，无法读取；请取消加密另存一份后重试。") from error
    except (PyPdfError, *_DAMAGE) as error:
        raise DocumentError(f"文件“{name}”不是完好的 PDF 文件；请重新下载或用 PDF 软件另存一份后重试。") from error
    text = re.sub(r"\s", "", "".join(pages))
    if not text:
        raise DocumentError(f"文件“{name}”共 {len(pages)} 页，没有文字层，可能是扫描件；请先做文字识别（OCR）后重试。")
    if len(_UNREADABLE.findall(text)) > 0.2 * len(text):
        raise DocumentError(f"文件“{name}”的文字层是乱码（字体缺少编码表）；请先做文字识别（OCR）后重试。")
    lines = ((number, line) for number, page in enumerate(pages, start=1) for line in _split(page))
    return _Content(tuple(_Block(line, page=number) for number, line in lines if line.strip()), title)


# --- web pages

_META_CHARSET = re.compile(rb"<meta[^>]*?charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_SITE_NAME = re.compile(r"\s*(?:[_|｜]|\s[-–—]\s|(?<=[\u4e00-\u9fff])-(?=[\u4e00-\u9fff])).*", re.DOTALL)
_CJK = r"[\u3000-\u9fff\uff00-\uffef]"
_BETWEEN_CJK = re.compile(rf"(?<={_CJK})[ \t\f]*[\r\n]\s*(?={_CJK})", re.ASCII)
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
})  # fmt: skip
_HIDDEN = frozenset({
    "script", "style", "noscript", "template", "title", "nav", "footer", "iframe", "object", "select", "button",
    "textarea", "svg",
})  # fmt: skip
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "o:p", "q", "rb", "rp", "ruby", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "time", "tt", "u", "var",
})  # fmt: skip
_TABLE = frozenset({"table"})
_TABLE_PARTS = frozenset({"td", "th", "tr", "thead", "tbody", "tfoot", "caption"})
_CELL = frozenset({"table", "td", "th"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def _read_html(data: bytes, name: str) -> _Content:
    """The visible text in block order, with heading levels and table rows."""
    charset = _META_CHARSET.search(data[:4096])
    declared = charset[1].decode("ascii").lower() if charset else ""
    # Browsers read GB2312 as its superset (WHATWG Encoding Standard): pages that declare it hold more characters.
    page = _Page()
    page.feed(_decode(data, name, "gb18030" if declared in ("gb2312", "gbk") else declared))
    page.close()
    return _Content(tuple(page.blocks), _SITE_NAME.sub("", page.title.strip()))


@dataclass
class _OpenRow:
    """A table row being read. `pending`: column -> rows that a merged cell above still covers, shared by the table;
    `current`: the cell that text goes to, the first of the columns it covers."""

    pending: dict[int, int]
    cells: list[list[_Block]] = field(default_factory=list)
    current: int = 0

    def start_cell(self, rows: int, columns: int) -> None:
        self.skip_merged()
        self.current = len(self.cells)
        for column in range(self.current, self.current + columns):
            self.pending[column] = rows - 1
            self.cells.append([])

    def skip_merged(self) -> None:
        while self.pending.get(len(self.cells), 0):
            self.pending[len(self.cells)] -= 1
            self.cells.append([])


class _Page(HTMLParser):
    """Collects `blocks` and `title`. Tags left open are closed with the element around them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[_Block] = []
        self.title = ""
        self._open: list[tuple[str, bool]] = []
        self._text: list[str] = []
        self._pending: list[dict[int, int]] = []
        self._rows: list[_OpenRow] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag not in _INLINE:
            self._end_block()
        if tag in _VOID:
            return
        if tag in ("td", "th"):
            self._close("td", "th", within=_TABLE)
        elif tag == "tr":
            self._close("tr", within=_TABLE)
        hidden = tag in _HIDDEN or "hidden" in values or values.get("role") == "navigation"
        hidden = hidden or "display:none" in values.get("style", "").replace(" ", "").lower()
        self._open.append((tag, hidden))
        if tag == "table":
            self._pending.append({})
        elif tag == "tr":
            self._rows.append(_OpenRow(self._pending[-1] if self._pending else {}))
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].start_cell(_span(values.get("rowspan", "")), _span(values.get("colspan", "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # HTML has no self-closing elements but void ones; XHTML writes <p/>, <o:p/> for an empty element.
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self._end_block()
        if tag in ("table", "body", "html"):
            self._close(tag, within=frozenset())
        else:
            self._close(tag, within=_TABLE if tag in _TABLE_PARTS else _CELL)

    def handle_data(self, data: str) -> None:
        hidden = [tag for tag, hidden in self._open if hidden]
        if hidden == ["title"]:
            self.title += data
        elif not hidden:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_block()
        while self._open:
            self._pop()

    def _close(self, *tags: str, within: frozenset[str]) -> None:
        """Close the nearest open element of `tags` and what is open inside it; nothing where an element of `within`
        is nearer: an end tag in a cell never closes what is open around the table."""
        for depth in range(len(self._open) - 1, -1, -1):
            if self._open[depth][0] in tags:
                while len(self._open) > depth:
                    self._pop()
                return
            if self._open[depth][0] in within:
                return

    def _pop(self) -> None:
        tag = self._open[-1][0]
        if tag not in _INLINE:
            self._end_block()
        self._open.pop()
        if tag == "table":
            self._pending.pop()
        elif tag == "tr":
            row = self._rows.pop()
            row.skip_merged()
            self._target().extend(_row(row.cells))

    def _target(self) -> list[_Block]:
        """Where finished blocks go: the innermost open cell, else the page."""
        row = next((row for row in reversed(self._rows) if row.cells), None)
        return row.cells[row.current] if row else self.blocks

    def _end_block(self) -> None:
        text = "".join(self._text)
        self._text.clear()
        tags = [tag for tag, _ in self._open]
        lines = _split(text) if "pre" in tags else [_BETWEEN_CJK.sub("", text)]
        level = next((_HEADINGS[tag] for tag in reversed(tags) if tag in _HEADINGS), 0)
        for line in lines:
            line = line.rstrip() if "pre" in tags else re.sub(r"[ \t\r\n\f]+", " ", line).strip()
            if line.strip():
                self._target().append(_Block(line, heading=level))


_READERS: dict[str, Callable[[bytes, str], _Content]] = {
    ".txt": _read_text,
    ".md": _read_markdown,
    ".docx": _read_docx,
    ".pdf": _read_pdf,
    ".html": _read_html,
    ".htm": _read_html,
}
SUFFIXES: frozenset[str] = frozenset(_READERS)
