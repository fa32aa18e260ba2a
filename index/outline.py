"""Lines -> tree of sections: from an outline file beside the text where there is one, else from the headings that the
file declares or that show by their form (第X章, 一、, （一）, 1.); 专栏 boxes and paragraphs with lead titles are added
in both ways. No section is made up: a document without headings has its root, boxes and leads only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import OutlineError
from index.tables import bare, flat_extent, numeral, real_extent
from index.types import Document, Line, Section, SectionKind

EDITOR_MARK = "〔拟题〕"
HEADING_LENGTH = 40  # characters; twice that where the file itself declares the heading
_ORIGINS: dict[str, SectionKind] = {"原文": "heading", "拟题": "editor", "残留": "residue"}
_COLUMNS = ["line", "level", "origin", "title"]

_N = r"[\d一二三四五六七八九十百零〇]+"
# From the widest to the narrowest, the order of Chinese official documents. The first group is the number.
_FORMS = (
    re.compile(rf"第\s*({_N})\s*(?:篇|编|部分|卷)"),
    re.compile(rf"第\s*({_N})\s*章"),
    re.compile(rf"第\s*({_N})\s*节"),
    re.compile(rf"第\s*({_N})\s*条(?:之{_N})?(?=[\s【]|$)"),
    re.compile(r"([一二三四五六七八九十百]+)[、．.]"),
    re.compile(r"[（(]([一二三四五六七八九十百]+)[）)]"),
    re.compile(r"(\d{1,2})[.．、](?!\d)"),
    re.compile(r"[（(](\d{1,2})[）)]"),
)
_STRONG, _ARTICLE, _FIRST_LIST_FORM = 3, 3, 4  # 篇, 章 and 节 end a box; 条 has its text on its own line
_LEADER = re.compile(r"(?:[.．…·•\s]{2,}|\t)\d+$|[.．…·•]{3,}")
_CONTENTS = re.compile(r"目\s*[录次]")
_OPEN_END = re.compile(r"[。；;，,、！？!?]$")
_BOX = re.compile(rf"[【\[]?专栏\s*{_N}(?:[-—.．]\d+)?(?!\d)")
_LEAD = re.compile(r"(?:[—–-]{1,3}|[•·●■◆])?\s*([^。！？!?，,；;：:\d|]{4,25})。(?=\s*[^\s|])")
# "一是…", an article of a law, a rule: sentences, not titles.
_NO_LEAD = re.compile(rf"[一二三四五六七八九十]+[是要]|第{_N}条|.*(?:应当|必须|不得|可以|有权)")
_NOTE = re.compile(r"\s*(?:备?注|说明)\s*[:：]")
_ITEM = re.compile(r"(\d{1,2})[.．、](?!\d)|[（(](\d{1,2})[）)]|[（(]([一二三四五六七八九十]+)[）)]|([①-⑳])")


@dataclass(frozen=True)
class _Stretch:
    """A section before it has its place in the tree; `level` 0 means one below the section that covers it."""

    kind: SectionKind
    level: int
    title: str
    first: int
    last: int


@dataclass(frozen=True)
class _Heading:
    """A line that reads as a heading: `form` is its place in _FORMS, None for one that only the file declares.
    `inline`: its text follows on the same line, as that of an article does."""

    line: int
    title: str
    form: int | None
    number: int
    declared: int
    inline: bool


def outline(document: Document, supplied: Path | None = None) -> tuple[Section, ...]:
    """The sections of `document` in pre-order, the root first: every line is in exactly one deepest section.

    `supplied` is an outline file (tab-separated; see index/sources/README.md). Raises OutlineError where it is
    unreadable, is of another text, or names a heading that does not stand at its line.
    """
    boxes = _boxes(document.lines)
    stretches = _supplied(document, supplied) if supplied is not None else _found(document, boxes)
    starts = sorted({stretch.first for stretch in stretches})
    taken = {line for stretch in stretches if stretch.kind == "residue" for line in _span(stretch)}
    taken |= {stretch.first for stretch in stretches if stretch.kind == "heading"}
    for box in boxes:
        if box.first not in taken:
            last = min([box.last, *(start - 1 for start in starts if start > box.first)])
            cut = _Stretch("box", 0, box.title, box.first, last)
            stretches.append(cut)
            taken.update(_span(cut))
    for line in document.lines:
        if line.number not in taken and not line.cells and (title := lead_title(line.text)):
            stretches.append(_Stretch("lead", 0, title, line.number, line.number))
    return _tree(document, stretches)


def lead_title(text: str) -> str:
    """The short title sentence that a paragraph begins with ("稳定粮食生产。到2025年…" -> "稳定粮食生产"), "" where it
    begins with none: 4 to 25 characters without comma or figure, and more text behind it."""
    match = _LEAD.match(text.strip())
    if match is None or _NO_LEAD.match(match.group(1)):
        return ""
    return match.group(1).strip()


def heading_span(line: Line) -> tuple[int, int]:
    """Where the words of a line that may be a heading stand in it, without Markdown's signs."""
    start, end = bare(line.text)
    marked = re.match(r"#+\s*(.*?)(?:\s+#+)?$", line.text[start:end]) if line.heading else None
    return (start + marked.start(1), start + marked.end(1)) if marked else (start, end)


def _tree(document: Document, stretches: Sequence[_Stretch]) -> tuple[Section, ...]:
    sections = [
        Section(document.id, "document", 0, document.title, 1, len(document.lines), (), None),
    ]
    trail = [0]
    for stretch in sorted(stretches, key=lambda stretch: (stretch.first, stretch.level or 99)):
        while sections[trail[-1]].last < stretch.last:
            trail.pop()
        above = sections[trail[-1]]
        entry = EDITOR_MARK + stretch.title if stretch.kind == "editor" else stretch.title
        sections.append(
            Section(
                document.id,
                stretch.kind,
                stretch.level or above.level + 1,
                stretch.title,
                stretch.first,
                stretch.last,
                (*above.path, entry),
                trail[-1],
            )
        )
        trail.append(len(sections) - 1)
    return tuple(sections)


def _span(stretch: _Stretch) -> range:
    return range(stretch.first, stretch.last + 1)


def _closed(heads: Sequence[tuple[int, int, SectionKind, str]], last_line: int) -> list[_Stretch]:
    """(line, level, kind, title) in reading order -> stretches up to the next one of the same or a higher level."""
    stretches = []
    for position, (line, level, kind, title) in enumerate(heads):
        later = (other[0] for other in heads[position + 1 :] if other[1] <= level)
        stretches.append(_Stretch(kind, level, title, line, next(later, last_line + 1) - 1))
    return stretches


# --- an outline file


def _supplied(document: Document, path: Path) -> list[_Stretch]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OutlineError(f"提纲文件{path}应为可读的 UTF-8 文本，读取时出错（{error}），请检查该文件。") from error
    table: list[tuple[int, list[str]]] = []
    of_text = ""
    for number, row in enumerate(text.splitlines(), start=1):
        fields = row.split("\t")
        if row.startswith("#"):
            if fields[0] == "# sha256" and len(fields) == 2:
                of_text = fields[1].strip()
        elif row.strip():
            table.append((number, fields))
    if of_text != document.sha256:
        found = of_text or "没有“# sha256”一行"
        raise OutlineError(
            f"提纲文件{path}应对应 sha256 为 {document.sha256} 的正文，写的是 {found}，请按现在的正文改写或删去该文件。"
        )
    if not table or table[0][1] != _COLUMNS:
        raise OutlineError(f"提纲文件{path}的首行应为以制表符分隔的“{' '.join(_COLUMNS)}”，请补上。")
    heads: list[tuple[int, int, SectionKind, str]] = []
    for number, fields in table[1:]:
        head = _supplied_row(document, fields, f"提纲文件{path}第{number}行")
        if heads and (head[0] < heads[-1][0] or (head[0] == heads[-1][0] and head[1] <= heads[-1][1])):
            raise OutlineError(
                f"提纲文件{path}第{number}行应排在正文第{heads[-1][0]}行的上级标题之后，读到的是正文第{head[0]}行"
                f"第{head[1]}级，请按正文顺序、先上级后下级排列。"
            )
        heads.append(head)
    return _closed(heads, len(document.lines))


def _supplied_row(document: Document, fields: list[str], place: str) -> tuple[int, int, SectionKind, str]:
    if len(fields) != len(_COLUMNS):
        raise OutlineError(f"{place}应有{len(_COLUMNS)}列（以制表符分隔），实有{len(fields)}列，请改正。")
    line, level, origin, title = (field.strip() for field in fields)
    if not (line.isdecimal() and 1 <= int(line) <= len(document.lines)):
        raise OutlineError(f"{place}的 line 应为 1 至 {len(document.lines)} 的行号，读到“{line}”，请改正。")
    if not (level.isdecimal() and int(level) >= 1):
        raise OutlineError(f"{place}的 level 应为从 1 起的整数，读到“{level}”，请改正。")
    if origin not in _ORIGINS:
        raise OutlineError(f"{place}的 origin 应为{'、'.join(_ORIGINS)}之一，读到“{origin}”，请改正。")
    if not title and origin != "残留":
        raise OutlineError(f"{place}应有标题，读到空白，请补上。")
    standing = document.lines[int(line) - 1].text.strip()
    if origin == "原文" and title != standing:
        raise OutlineError(f"{place}应与正文第{line}行“{standing[:HEADING_LENGTH]}”逐字相同，读到“{title}”，请改正。")
    return int(line), int(level), _ORIGINS[origin], title or origin


# --- headings found by their form


def _found(document: Document, boxes: Sequence[_Stretch]) -> list[_Stretch]:
    inside = {line for box in boxes for line in _span(box)} | _flat_tables(document.lines)
    candidates = [
        heading for line in document.lines if line.number not in inside and (heading := _heading(line)) is not None
    ]
    heads = _without_lists(document.lines, _without_contents(document.lines, candidates))
    stretches = _closed(
        [(head.line, level, "heading", head.title) for head, level in zip(heads, _levels(heads), strict=True)],
        len(document.lines),
    )
    return _cut_at_breaks(document.lines, heads, stretches, boxes)


def _heading(line: Line) -> _Heading | None:
    text = line.text[slice(*heading_span(line))]
    if not text or line.cells or "|" in line.text:
        return None
    form = next((form for form, pattern in enumerate(_FORMS) if pattern.match(text)), None)
    match = _FORMS[form].match(text) if form is not None else None
    if form is None or match is None:
        titled = bool(line.heading) and len(text) <= 2 * HEADING_LENGTH
        return _Heading(line.number, text, None, 0, line.heading, inline=False) if titled else None
    titled = len(text) <= 2 * HEADING_LENGTH if line.heading else _is_title(text, form)
    if not titled and form != _ARTICLE:
        return None
    title = text if titled else match.group(0)
    return _Heading(line.number, title, form, numeral(match.group(1)), line.heading, inline=not titled)


def _is_title(text: str, form: int) -> bool:
    """Whether a line of this form is a heading as a whole, not the beginning of a text."""
    if len(text) > HEADING_LENGTH or _OPEN_END.search(text) or "。" in text:
        return False
    if form == _ARTICLE:
        return not re.search("[，,：:]", text)
    return not (form > _FIRST_LIST_FORM and text[-1] in "：:")


def _key(text: str) -> str:
    """What a heading and its line in a table of contents have in common."""
    return re.sub(r"\s+", "", re.sub(r"[.．…·•\s]*\d*$", "", text.strip()))


def _without_contents(lines: Sequence[Line], candidates: Sequence[_Heading]) -> list[_Heading]:
    """Headings that are not lines of a table of contents: lines with leaders and page numbers, a run behind 目录, or
    a run of headings without text between them whose first comes again."""
    kept = [heading for heading in candidates if not _LEADER.search(lines[heading.line - 1].text.strip())]
    position = 0
    result: list[_Heading] = []
    while position < len(kept):
        run = _run(lines, kept, position)
        length = _contents_length(lines, kept, position, run)
        if length:
            position += length
        else:
            result.append(kept[position])
            position += 1
    return result


def _run(lines: Sequence[Line], headings: Sequence[_Heading], position: int) -> int:
    """How many headings stand from `position` on without text between them."""
    length = 1
    while position + length < len(headings):
        before, after = headings[position + length - 1], headings[position + length]
        if before.inline or any(lines[number - 1].text.strip() for number in range(before.line + 1, after.line)):
            break
        length += 1
    return length


def _contents_length(lines: Sequence[Line], headings: Sequence[_Heading], position: int, run: int) -> int:
    """How many of the `run` headings from `position` on belong to a table of contents."""
    first = headings[position]
    before = next((line.text.strip() for line in reversed(lines[: first.line - 1]) if line.text.strip()), "")
    announced = bool(_CONTENTS.fullmatch(before))
    if run < (2 if announced else 3):
        return 0
    key = _key(first.title)
    again = next((at for at in range(position + 1, len(headings)) if _key(headings[at].title) == key), None)
    if again is not None:
        return min(run, again - position)
    if not announced:
        return 0
    # The body's titles may be worded otherwise: it starts where the numbering does.
    for at in range(position + 1, position + run):
        if (headings[at].form, headings[at].number) == (first.form, first.number):
            return at - position
    return run


def _without_lists(lines: Sequence[Line], headings: Sequence[_Heading]) -> list[_Heading]:
    """Headings that are not items of a list: undeclared lines of the same list form (一、, （一）, 1., （1）) counted
    on without text between them."""
    listed: set[int] = set()
    for position, heading in enumerate(headings[:-1]):
        follower = headings[position + 1]
        if (
            heading.form is not None
            and heading.form >= _FIRST_LIST_FORM
            and not heading.declared
            and not follower.declared
            and follower.form == heading.form
            and follower.number == heading.number + 1
            and _run(lines, headings, position) > 1
        ):
            listed |= {heading.line, follower.line}
    return [heading for heading in headings if heading.line not in listed]


def _levels(headings: Sequence[_Heading]) -> list[int]:
    """Declared levels as they are; forms from the widest to the narrowest used, below the declared ones, but for a
    form that the file declares elsewhere: that has one level throughout."""
    declared: dict[int | None, int] = {}
    for heading in headings:
        if heading.declared and heading.form is not None:
            declared.setdefault(heading.form, heading.declared)
    deepest = max((heading.declared for heading in headings), default=0)
    free = {heading.form for heading in headings if heading.form is not None and not heading.declared} - set(declared)
    by_form = declared | {form: deepest + rank for rank, form in enumerate(sorted(free), start=1)}
    return [heading.declared or by_form[heading.form] for heading in headings]


def _cut_at_breaks(
    lines: Sequence[Line], heads: Sequence[_Heading], stretches: Sequence[_Stretch], boxes: Sequence[_Stretch]
) -> list[_Stretch]:
    """Sections that may not reach to the next heading, cut short. Where the counting of 篇, 章 or 节 does not go on, a
    heading is lost behind the last one counted well, and what is open there ends at the first sign of a break: better
    no section than a wrong one. In such a text that holds for its end, too."""
    doubtful = _miscounted(heads, stretches)
    if not doubtful:
        return list(stretches)
    strong = [head.line for head in heads if head.form is not None and head.form < _STRONG]
    breaks = _breaks(lines, {head.line for head in heads}, boxes)
    cuts: set[int] = set()
    for lost in (*doubtful, len(lines) + 1):
        counted = max((line for line in strong if line < lost), default=0)
        cuts |= {lost, *(line for line in breaks if counted < line < lost)}
    cut = []
    for stretch in stretches:
        last = min(stretch.last, *(line - 1 for line in cuts if line > stretch.first))
        cut.append(_Stretch(stretch.kind, stretch.level, stretch.title, stretch.first, last))
    return cut


def _miscounted(heads: Sequence[_Heading], stretches: Sequence[_Stretch]) -> list[int]:
    """Lines of the 篇, 章 and 节 whose number is neither one more than that of the one before in the same section nor,
    as the first of its section, 1 or a counting on through the whole text."""
    found: list[int] = []
    trail: list[int] = []
    in_section: dict[tuple[int, int], int] = {}
    in_text: dict[int, int] = {}
    for at, (head, stretch) in enumerate(zip(heads, stretches, strict=True)):
        while trail and stretches[trail[-1]].last < stretch.first:
            trail.pop()
        if head.form is not None and head.form < _STRONG:
            place = (trail[-1] if trail else -1, head.form)
            before = in_section.get(place)
            expected = (before + 1,) if before is not None else (1, in_text.get(head.form, 0) + 1)
            if head.number not in expected:
                found.append(head.line)
            in_section[place] = in_text[head.form] = head.number
        trail.append(at)
    return found


def _breaks(lines: Sequence[Line], heads: set[int], boxes: Sequence[_Stretch]) -> list[int]:
    """Paragraphs without a lead title that follow, with no heading between, one that has it or a box."""
    boxed = {number for box in boxes for number in _span(box)}
    found: list[int] = []
    led = False
    for line in lines:
        if line.number in heads:
            led = False
        elif line.number in boxed or lead_title(line.text):
            led = True
        elif line.text.strip() and not line.cells:
            if led:
                found.append(line.number)
            led = False
    return found


# --- boxes


def _boxes(lines: Sequence[Line]) -> list[_Stretch]:
    found: list[_Stretch] = []
    for line in lines:
        if found and line.number <= found[-1].last:
            continue
        title = _box_title(line)
        if title:
            found.append(_Stretch("box", 0, title, line.number, _box_end(lines, line.number)))
    return found


def _box_title(line: Line) -> str:
    text = line.text[slice(*heading_span(line))]
    if "|" in text or len(text) > HEADING_LENGTH or _OPEN_END.search(text) or _LEADER.search(text):
        return ""
    return text if _BOX.match(text) else ""


def _box_end(lines: Sequence[Line], title: int) -> int:
    """The last line of the box whose title stands at line `title`: the end of its table, or its line of items and the
    lines that carry their numbering on."""
    end = next((line.number - 1 for line in lines[title:] if _ends_box(line)), len(lines))
    body = list(lines[title:end])
    while body and not bare(body[0].text)[1]:
        body.pop(0)
    if not body:
        return title
    first = body[0]
    if lines[title - 1].cells and first.cells:  # the box is a table of the file, its title the first row
        return next((line.number - 1 for line in body if not line.cells), end)
    extent = real_extent(body, 0, len(body))
    if extent:
        return next(
            (line.number for line in body[extent : extent + 2] if _NOTE.match(line.text)), body[extent - 1].number
        )
    extent = flat_extent(body)
    if extent:
        return body[extent - 1].number
    last, mark = first, _item_mark(first)
    for line in body[1:]:
        if not bare(line.text)[1]:
            continue
        following = _item_mark(line)
        if mark is not None and following is not None and following[0] == mark[0] and following[1] > mark[1]:
            mark = following
        elif not ("|" in first.text and line.text.rstrip().endswith("|")):
            break
        last = line
    return last.number


def _ends_box(line: Line) -> bool:
    if line.heading or _box_title(line):
        return True
    heading = _heading(line)
    return heading is not None and heading.form is not None and heading.form < _STRONG


def _item_mark(line: Line) -> tuple[int, int] | None:
    """The kind of the item mark that the line begins with, and its number."""
    match = _ITEM.match(line.text.strip())
    if match is None or match.lastindex is None:
        return None
    sign = match.group(match.lastindex)
    return match.lastindex, ord(sign) - ord("①") + 1 if "①" <= sign <= "⑳" else numeral(sign)


def _flat_tables(lines: Sequence[Line]) -> set[int]:
    """Lines of flattened tables outside boxes: their cells are no headings."""
    covered: set[int] = set()
    for position, line in enumerate(lines):
        if line.text.strip() and line.number not in covered:
            covered.update(range(line.number, line.number + flat_extent(lines, position)))
    return covered
