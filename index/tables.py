"""专栏 boxes and tables -> rows of cells, and the items of a box that stands on one line.

A plan taken from a web page or a PDF often holds its tables flattened to one cell a line: no row is marked, merged
cells stand once for several rows or columns, and a bare "|" is layout. `rows` reads such tables and real ones
(`Line.cells`) alike. What cannot be placed with certainty is left out and named in `Table.problems`, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.types import Cell, Chunk, Line

_NUMERAL = "一二三四五六七八九十百零〇"
_BLANKS = re.compile(r"\s+")
_HAN = re.compile("[一-鿿]")
# Whole cells; a title above the table ("“十四五”主要经济指标") is none of them.
_HEADER = re.compile(
    r"[序编]号|(?:指标|目标|项目|工程|任务)?(?:类[型别]?|领域|名称|内容|属性|性质)|(?:主要)?(?:指标|目标|项目|任务)"
    r"|(?:计量|责任|牵头|实施|完成)?单位(?:[（(].*[）)])?|备注|(?:规划)?(?:目标|现状|基期|基准|完成|实际|预期)[值年]?"
    r"|[〔\[“（(]*(?:(?:19|20)\d{2}|年均|累计|年度|[十“]{1,2}[一二三四五六]五).{0,16}|.{0,6}(?:增长率?|增速|增幅)"
)
_NATURE_HEADER = re.compile("属性|性质")
_NATURE = re.compile(r"(?:约束|预期|指导|引导)性")
_UNIT = re.compile(
    r"[^\d，,。；;]{0,10}[%‰％元吨人个件年岁张亩米里时度天次户家所辆台处座项倍克升瓦煤点位架只头羽部套例篇级股口株条][)）]?|[—–-]+"
)
_RULE = re.compile(r"[\s|:-]*-[\s|:-]*")
_NOTE = re.compile(r"(?:备?注|说明)\s*[:：]")
_SENTENCE_SIGN = re.compile("[。；;]")

_VALUE_COLUMN = re.compile(r"(?:19|20)\d\d|年均|累计|目标|现状|基数|基准|数值|完成|实际|期末|基期|增速|增长")
_NATURE_COLUMN = re.compile(r"属性|性质")
_NAME_COLUMN = re.compile(r"名称|指标|项目|内容")
# 责任单位 and its like name offices.
_UNIT_COLUMN = re.compile(r"\s*(?:计量)?\s*单\s*位\s*(?:[（(].*)?")
_NO_PART = re.compile(r"属性|性质|序号|类型|类别|^类$|^号$")
_SAYS = re.compile(r"[\w≥≤<>〔]")

_HEADER_LENGTH = 20  # characters
CELL_LENGTH = 45  # characters; the longest indicator names of plans have about 35
MIN_CELLS = 6


@dataclass(frozen=True)
class Row:
    """A table row. `first` to `last`: the lines of its own; a merged cell may stand on a line before them."""

    cells: tuple[Cell, ...]
    first: int
    last: int


@dataclass(frozen=True)
class Table:
    """A table read. `header` and `notes` are line numbers. `problems` (Chinese) names every row that could not be
    read whole; such a row keeps the cells whose column is certain."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    header: tuple[int, ...]
    notes: tuple[int, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    """A cell as it stands: `text` verbatim in line `line` at `start`, without the layout around it."""

    text: str
    line: int
    start: int

    @property
    def plain(self) -> str:
        return _BLANKS.sub("", self.text)

    def cell(self, column: str) -> Cell:
        return Cell(column, self.text, self.line, self.start)


@dataclass(frozen=True)
class RowParts:
    """A table row by the part each cell plays. `values` are (column, cell) with something in the cell."""

    name: Cell
    unit: str
    values: tuple[tuple[str, Cell], ...]
    nature: str
    others: tuple[Cell, ...]


def row_of(chunk: Chunk) -> RowParts:
    """The parts of a row's chunk, by the headers of its cells. The name is the cell under a header like 指标名称, else
    the longest cell; cells that play no part (类型, 序号) are left out, other columns are kept."""
    cells = [cell for cell in chunk.cells if cell.text.strip()]
    named = [c for c in cells if _NAME_COLUMN.search(c.column) and not _NATURE_COLUMN.search(c.column)]
    name = (named or sorted(cells, key=lambda cell: -len(cell.text)))[0]
    units = [cell for cell in cells if _UNIT_COLUMN.fullmatch(cell.column)]
    nature = next((cell.text for cell in cells if _NATURE_COLUMN.search(cell.column)), "")
    values = tuple(
        (cell.column, cell)
        for cell in cells
        if cell is not name and _VALUE_COLUMN.search(cell.column) and not _NATURE_COLUMN.search(cell.column)
    )
    told = {id(cell) for cell in (name, *units, *(cell for _, cell in values))}
    others = tuple(
        cell for cell in cells if id(cell) not in told and not _NO_PART.search(cell.column) and _SAYS.search(cell.text)
    )
    unit = units[0].text if units else ""
    return RowParts(name, unit, tuple((c, cell) for c, cell in values if _SAYS.search(cell.text)), nature, others)


def unit_in_brackets(name: str) -> tuple[str, str]:
    """An indicator's name and the unit it ends with in brackets, "" where it ends with none.

    >>> unit_in_brackets("常住人口城镇化率（%）")
    ('常住人口城镇化率', '%')
    """
    match = re.fullmatch(r"(.+?)\s*[（(]([^（()）]{1,8})[）)]", name.strip())
    if match is None or not _UNIT.fullmatch(match.group(2)):
        return name, ""
    return match.group(1), match.group(2)


def bare(text: str) -> tuple[int, int]:
    """Span of `text` without blanks and layout bars ("|") at its ends, (0, 0) where nothing else is left."""
    start, end = 0, len(text)
    while start < end and (text[start].isspace() or text[start] == "|"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] == "|"):
        end -= 1
    return (start, end) if start < end else (0, 0)


def is_rule(line: Line) -> bool:
    """Whether the line is the rule under the header of a Markdown table."""
    return not line.cells and "|" in line.text and bool(_RULE.fullmatch(line.text))


def real_extent(lines: Sequence[Line], start: int, end: int) -> int:
    """How many of lines[start:end] are, from `start` on, the rows of one real table; 0 for none. A row with a single
    filled cell begins none: frames around a text are tables of one cell."""
    at = start
    if at == end or _filled(lines[at]) < 2:
        return 0
    while at < end and (len(lines[at].cells) > 1 or is_rule(lines[at])):
        at += 1
    return at - start


def flat_extent(lines: Sequence[Line], start: int = 0, end: int | None = None) -> int:
    """How many of lines[start:end] form, from `start` on, a table flattened to one cell a line, its notes included; 0
    where they form none. Such a table begins with two or more header cells and has at least six cells."""
    end = len(lines) if end is None else end
    cells = extent = 0
    barred = False
    for position in range(start, end):
        line = lines[position]
        first, last = bare(line.text)
        text = line.text[first:last]
        if not text:
            if "|" in line.text:
                extent = position + 1 - start
            continue
        if _NOTE.match(text):
            return _notes_end(lines, position + 1, end) - start if cells >= MIN_CELLS else 0
        if cells == 0:
            barred = "|" in line.text
        if cells < 2 and not (len(text) <= _HEADER_LENGTH and _HEADER.fullmatch(_BLANKS.sub("", text))):
            return 0
        if line.cells or line.heading or len(text) > CELL_LENGTH or _SENTENCE_SIGN.search(text):
            break
        if barred and "|" not in line.text:
            break
        cells += 1
        extent = position + 1 - start
    return extent if cells >= MIN_CELLS else 0


def rows(lines: Sequence[Line]) -> Table:
    """Read the table that `lines` hold: a real one (lines with `cells`, the first of them the header) or one flattened
    to one cell a line. Columns are the header's texts without inner blanks.

    A cell merged over several columns gives one Cell per column, all at the same place; one merged over several rows
    (a group's name before its first row, a goal in words that the next row shares) gives one Cell in each row.

    Flattened: a row starts at its ordinal (1, 2, 3…) or, where the header has no 序号, after the nature
    (约束性/预期性) of the row before. The unit follows the name, the nature comes last, what is between are the values,
    filled by position. A value in words that stands last where values are missing is merged over the columns that are
    left. A row whose last value cells are missing altogether shares the words of the row before if those are merged
    over just these columns. Any other row with too few or too many values keeps none of them.
    """
    if any(line.cells for line in lines):
        return _real_rows(lines)
    return _flat_rows(lines)


def items(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the items of a box's line: "1.… 2.…" (also （1）, ①, 一、, （一）), runs of labels ("一核:… 两翼:…"), or
    pieces with lead titles ("甲县。按照… 乙县。围绕…"). A line without such marks is one item, a blank one has none.

    >>> [text[a:b] for a, b in items(text := "1.煤电:4×66万千瓦。 2.煤炭:1.17亿吨。 |")]
    ['1.煤电:4×66万千瓦。', '2.煤炭:1.17亿吨。']
    """
    first, last = bare(text)
    if first == last:
        return ()
    starts = _numbered(text, first) or _labelled(text, first) or _lead_titled(text, first) or [first]
    if starts[0] > first:
        starts.insert(0, first)
    ends = [*starts[1:], last]
    spans = []
    for start, end in zip(starts, ends, strict=True):
        inner_start, inner_end = bare(text[start:end])
        if inner_end:
            spans.append((start + inner_start, start + inner_end))
    return tuple(spans)


_BOUNDARY = r"(?:^|(?<=[\s。；;|]))"
_MARKS = (
    (re.compile(_BOUNDARY + r"(\d{1,2})[.．、](?!\d)"), int),
    (re.compile(_BOUNDARY + r"[（(](\d{1,2})[）)]"), int),
    (re.compile(_BOUNDARY + r"([①-⑳])"), lambda sign: ord(sign) - ord("①") + 1),
    (re.compile(_BOUNDARY + rf"([{_NUMERAL}]{{1,3}})、"), lambda sign: numeral(sign)),
    (re.compile(_BOUNDARY + rf"[（(]([{_NUMERAL}]{{1,3}})[）)]"), lambda sign: numeral(sign)),
)
_LABEL = re.compile(r"(?:^|(?<=[。；;])\s+)([^\s，,。；;:：、|（()）]{2,15})[:：]")
_PIECE = re.compile(r"(?:^|(?<=。)\s+)([^\s，,。；;:：|\d]{2,25})。(?=[^\s|])")


def numeral(text: str) -> int:
    """The value of a Chinese or Arabic ordinal up to 999 ("十二" -> 12), 0 where `text` is none."""
    if text.isdecimal():
        return int(text)
    total = digit = 0
    for sign in text:
        if sign in "零〇":
            continue
        if sign == "百":
            total, digit = total + (digit or 1) * 100, 0
        elif sign == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif sign == "两":
            digit = 2
        elif sign in _NUMERAL:
            digit = _NUMERAL.index(sign) + 1
        else:
            return 0
    return total + digit


def _numbered(text: str, first: int) -> list[int]:
    """Starts of the items counted 1, 2, 3… by the kind of mark whose 1 comes first; [] where there is none."""
    found: list[list[int]] = []
    for mark, value in _MARKS:
        starts: list[int] = []
        for match in mark.finditer(text, first):
            if value(match.group(1)) == len(starts) + 1:
                starts.append(match.start())
        if starts and (len(starts) > 1 or starts[0] == first):
            found.append(starts)
    return min(found, key=lambda starts: starts[0], default=[])


def _labelled(text: str, first: int) -> list[int]:
    starts = [match.start(1) for match in _LABEL.finditer(text[first:])]
    return [first + start for start in starts] if len(starts) > 1 and starts[0] == 0 else []


def _lead_titled(text: str, first: int) -> list[int]:
    starts = [match.start(1) for match in _PIECE.finditer(text[first:])]
    return [first + start for start in starts] if len(starts) > 1 and starts[0] == 0 else []


def _token(line: Line) -> _Token | None:
    start, end = bare(line.text)
    return _Token(line.text[start:end], line.number, start) if end else None


def _notes_end(lines: Sequence[Line], position: int, end: int) -> int:
    """Where the notes end whose first stands before `position`: "2.…" and so on may have lines of their own."""
    number = 2
    while position < end and re.match(rf"\s*{number}[.．、](?!\d)", lines[position].text):
        position, number = position + 1, number + 1
    return position


def _filled(line: Line) -> int:
    return sum(1 for cell in line.cells if cell.strip())


def _tokens(line: Line) -> list[_Token | None]:
    """The cells of a real row, None for an empty one."""
    found: list[_Token | None] = []
    after = 0
    for cell in line.cells:
        text = cell.strip()
        if text:
            start = line.text.index(text, after)
            after = start + len(text)
            found.append(_Token(text, line.number, start))
        else:
            found.append(None)
    return found


def _real_rows(lines: Sequence[Line]) -> Table:
    """A merged cell stands once, at its first row and column; where it goes on cells are empty."""
    body = [line for line in lines if line.cells]
    columns = [_BLANKS.sub("", cell) for cell in body[0].cells]
    header = 1
    while header < len(body) and _continues_header(body[header], columns):
        columns = [_BLANKS.sub("", cell) or above for cell, above in zip(body[header].cells, columns, strict=True)]
        header += 1
    shape = _shape(tuple(columns))
    values = range(shape.first_value, shape.first_value + len(shape.values)) if shape is not None else range(0)
    grouped = range(len(shape.groups)) if shape is not None else range(0)
    read: list[Row] = []
    problems: list[str] = []
    notes: list[int] = []
    groups: dict[int, _Token] = {}
    label: _Token | None = None
    merged: tuple[int, _Token] | None = None
    for line in body[header:]:
        found = _tokens(line)
        filled = [token for token in found if token is not None]
        if notes or (filled and _NOTE.match(filled[0].text)):
            notes.append(line.number)
        elif len(found) != len(columns):
            problems.append(f"第{line.number}行应有{len(columns)}格，实有{len(found)}格，各格属于哪一列无法确定")
            read.append(Row((), line.number, line.number))
        elif shape is not None and len(filled) == 1 and not filled[0].text.isdecimal():
            label = filled[0]
        elif filled:
            merged = _spread(found, values, merged)
            for at in grouped:
                if (group := found[at]) is not None:
                    groups[at] = group
                else:
                    found[at] = groups.get(at)
            cells = [label.cell("")] if label is not None else []
            cells += [token.cell(column) for column, token in zip(columns, found, strict=True) if token is not None]
            read.append(Row(tuple(cells), line.number, line.number))
    header_lines = tuple(line.number for line in body[:header])
    return Table(tuple(columns), tuple(read), header_lines, tuple(notes), tuple(problems))


def _continues_header(line: Line, columns: Sequence[str]) -> bool:
    """A second row of a header: its cells stand under merged ones and read as header cells."""
    if len(line.cells) != len(columns) or line.cells[0].strip() or not _filled(line):
        return False
    return all(_HEADER.fullmatch(_BLANKS.sub("", cell)) for cell in line.cells if cell.strip())


def _spread(
    found: list[_Token | None], values: Sequence[int], merged_before: tuple[int, _Token] | None
) -> tuple[int, _Token] | None:
    """Fills the empty value cells that merged words cover: those of this row, or of the row before (see `rows`).
    Returns the words, and how many values stand before them."""
    given = [found[at] for at in values]
    count = next((at for at, token in enumerate(given) if token is None), len(given))
    if count == len(given) or any(token is not None for token in given[count:]):
        return None
    last = given[count - 1] if count else None
    merged: tuple[int, _Token] | None = None
    if last is not None and _is_words(last):
        merged = (count - 1, last)
    elif merged_before is not None and merged_before[0] == count:
        merged = merged_before
    if merged is not None:
        for at in values[count:]:
            found[at] = merged[1]
    return merged


@dataclass(frozen=True)
class _Shape:
    """Where the columns of a flattened table stand in its header."""

    groups: tuple[str, ...]
    ordinal: str | None
    name: str
    unit: str | None
    values: tuple[str, ...]
    first_value: int
    nature: str | None


def _flat_rows(lines: Sequence[Line]) -> Table:
    tokens: list[_Token] = []
    notes: list[int] = []
    for line in lines:
        token = _token(line)
        if token is None:
            continue
        if notes or _NOTE.match(token.text):
            notes.append(line.number)
        else:
            tokens.append(token)
    header, body = _split_header(tokens)
    columns = tuple(token.plain for token in header)
    header_lines = tuple(token.line for token in header)
    shape = _shape(columns)
    if shape is None:
        problem = f"表头应有指标名称和序号（或属性），读到的是“{'、'.join(columns)}”，无法分行"
        return Table(columns, (), header_lines, tuple(notes), (problem,))
    read: list[Row] = []
    problems: list[str] = []
    groups: tuple[_Token, ...] = ()
    merged: tuple[int, _Token] | None = None
    group_columns = shape.groups or ("",)
    pieces = _split_rows(body, shape)
    labelled = _has_labels(pieces, shape)
    for piece in pieces:
        if piece.labels:
            groups = piece.labels
            if not labelled or len(groups) != len(group_columns):
                found = "、".join(label.text for label in groups)
                problems.append(f"第{groups[0].line}行起的“{found}”不知属于哪一栏，未列入各行")
                groups = ()
        cells, merged, problem = _read_row(piece.own, shape, merged)
        shared = [label.cell(column) for column, label in zip(group_columns, groups, strict=False)]
        read.append(Row((*shared, *cells), piece.own[0].line, piece.own[-1].line))
        if problem:
            problems.append(problem)
        if piece.lost:
            problems.append(f"第{piece.lost[0].line}行起的“{piece.lost[0].text}”应有一行，但认不出行首，未列入")
        if piece.lost or len(piece.own) > len(columns) - len(shape.groups):
            groups, merged = (), None  # a label may be among what could not be read
    if not read:
        problems.append("表中应有按序号排列的行，没有读到一行")
    return Table(columns, tuple(read), header_lines, tuple(notes), tuple(problems))


def _split_header(tokens: Sequence[_Token]) -> tuple[Sequence[_Token], Sequence[_Token]]:
    """The leading run of header cells (it ends at 属性), and the rest."""
    end = 0
    while end < len(tokens) and _HEADER.fullmatch(tokens[end].plain) and len(tokens[end].plain) <= _HEADER_LENGTH:
        end += 1
        if _NATURE_HEADER.search(tokens[end - 1].plain):
            break
    return tokens[:end], tokens[end:]


def _shape(columns: tuple[str, ...]) -> _Shape | None:
    """None where rows cannot be told apart: no column of names, or neither ordinals nor natures."""
    ordinal = next((at for at, column in enumerate(columns) if column in ("序号", "编号")), None)
    nature = next((at for at, column in enumerate(columns) if _NATURE_HEADER.search(column)), None)
    unit = next((at for at, column in enumerate(columns) if column.startswith("单位")), None)
    if ordinal is not None:
        name = ordinal + 1
    elif unit is not None:
        name = unit - 1
    else:
        name = next((at for at, column in enumerate(columns) if re.search("指标|名称|项目", column)), len(columns))
    first_value = max(name, unit if unit is not None else name) + 1
    last_value = nature if nature is not None else len(columns)
    if name < 0 or first_value > last_value or (ordinal is None and nature is None):
        return None
    if unit not in (None, name + 1) or (nature is not None and nature != len(columns) - 1):
        return None
    return _Shape(
        columns[: ordinal if ordinal is not None else name],
        columns[ordinal] if ordinal is not None else None,
        columns[name],
        columns[unit] if unit is not None else None,
        columns[first_value:last_value],
        first_value,
        columns[nature] if nature is not None else None,
    )


@dataclass(frozen=True)
class _Piece:
    """A row's own tokens (ordinal or name first), the group labels before it, and behind it what ends in a nature like
    a row but does not begin as one."""

    labels: tuple[_Token, ...]
    own: tuple[_Token, ...]
    lost: tuple[_Token, ...]


def _split_rows(body: Sequence[_Token], shape: _Shape) -> list[_Piece]:
    starts: list[int] = []
    last_ordinal, complete = 0, True
    for at, token in enumerate(body):
        if shape.ordinal is None:
            if complete and _names_row(body, at, shape):
                starts.append(at)
                complete = False
        elif re.fullmatch(r"\d{1,3}", token.text) and _names_row(body, at + 1, shape, loosely=complete):
            number = int(token.text)
            if number == last_ordinal + 1 or (complete and number > last_ordinal):
                starts.append(at)
                last_ordinal, complete = number, False
        if _NATURE.fullmatch(token.plain):
            complete = True
    ends = [*starts[1:], len(body)] if starts else []
    labels = list(body[: starts[0]]) if starts else list(body)
    split: list[_Piece] = []
    for start, end in zip(starts, ends, strict=True):
        natures = [at for at in range(start, end) if _NATURE.fullmatch(body[at].plain)]
        row_end, lost_end = (natures[0] + 1, natures[-1] + 1) if natures and shape.nature is not None else (end, end)
        split.append(_Piece(tuple(labels), tuple(body[start:row_end]), tuple(body[row_end:lost_end])))
        labels = list(body[lost_end:end])
    return split


def _has_labels(pieces: Sequence[_Piece], shape: _Shape) -> bool:
    """Whether what stands between the rows names groups of rows. It does not where the table has a column behind the
    nature: then there is one too many before the first row, or one before every row of a table without groups."""
    if not pieces or len(pieces[0].labels) > max(1, len(shape.groups)):
        return False
    return bool(shape.groups) or len(pieces) == 1 or not all(piece.labels for piece in pieces[1:])


def _names_row(body: Sequence[_Token], at: int, shape: _Shape, loosely: bool = False) -> bool:
    """Whether the name of a row stands at `at`: words, and (unless `loosely`) a unit behind them."""
    if at >= len(body) or not _is_name(body[at]) or _NATURE.fullmatch(body[at].plain):
        return False
    if loosely or shape.unit is None:
        return True
    return at + 1 < len(body) and _is_unit(body[at + 1])


def _read_row(
    own: tuple[_Token, ...], shape: _Shape, merged_before: tuple[int, _Token] | None
) -> tuple[list[Cell], tuple[int, _Token] | None, str]:
    """The cells of one row, the words merged over its last values (position of the first of them, token), and what
    could not be read ("" where all was)."""
    rest = list(own)
    cells: list[Cell] = []
    lacking: list[str] = []
    if shape.ordinal is not None:
        cells.append(rest.pop(0).cell(shape.ordinal))
    name = rest.pop(0)
    cells.append(name.cell(shape.name))
    if shape.unit is not None:
        if rest and _is_unit(rest[0]):
            cells.append(rest.pop(0).cell(shape.unit))
        else:
            lacking.append(f"缺“{shape.unit}”")
    nature: Cell | None = None
    if shape.nature is not None:
        if rest and _NATURE.fullmatch(rest[-1].plain):
            nature = rest.pop().cell(shape.nature)
        else:
            lacking.append(f"缺“{shape.nature}”")
    wanted = len(shape.values)
    merged: tuple[int, _Token] | None = None
    placed = rest
    if 0 < len(rest) < wanted and _is_words(rest[-1]) and not any(map(_is_words, rest[:-1])):
        merged = (len(rest) - 1, rest[-1])
        placed = rest[:-1] + [rest[-1]] * (wanted - len(rest) + 1)
    elif merged_before is not None and len(rest) == merged_before[0] and not any(map(_is_words, rest)):
        merged = merged_before
        placed = rest + [merged_before[1]] * (wanted - len(rest))
    if len(placed) == wanted and not (lacking and len(rest) != wanted):
        cells += [token.cell(column) for column, token in zip(shape.values, placed, strict=True)]
    else:
        lacking.append(f"应有{wanted}格数值，读到{len(rest)}格，各格属于哪一列无法确定")
        merged = None
    if nature is not None:
        cells.append(nature)
    problem = f"第{own[0].line}行起的“{name.text}”未能读全：{'；'.join(lacking)}" if lacking else ""
    return cells, merged, problem


def _is_words(token: _Token) -> bool:
    """Words, not a figure: a cell with a digit ("5.5左右", ">60") or only a dash is a value of one column."""
    return not re.search(r"\d", token.text) and bool(_HAN.search(token.text))


def _is_name(token: _Token) -> bool:
    """Looks like the name of a row; it may hold figures ("5G用户普及率") but does not begin with one."""
    return not re.match(r"[\d\W]*\d", token.text) and len(_HAN.findall(token.text)) >= 2


def _is_unit(token: _Token) -> bool:
    return bool(_UNIT.fullmatch(token.plain)) and not _NATURE.fullmatch(token.plain)
