"""Whole lists and their counts: what a 专栏 holds that a question names, and how many members an enumeration has.

A count is told only where it is plain: where the text states it itself (三大基地), where all members are things of one
kind (…项目、…项目), or where nothing but the enumeration follows its introduction. A wrong count is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.chunk import label_of
from index.figures import figures
from index.keyword import bigrams, fold
from index.sentences import clauses
from index.types import Chunk
from rag.phrase import row_words, unmarked
from rag.prompts import render
from rag.types import Evidence, Passage, Query, Worked
from rag.understand import EACH_PLACE

LIKE = 0.6  # share of an item's label, in bigrams, that a question names which means that item
LEAST = 3  # members that make an enumeration
LONGEST = 15  # characters of a member that an introduction is followed by
ENDING = 2  # characters in which things of one kind end alike

_BOX = re.compile(r"专栏\s*(?:\d{1,3}|[一二三四五六七八九十]{1,3})(?![\d一二三四五六七八九十])")
_BOX_TITLE = re.compile(r"^专栏\s*[\d一二三四五六七八九十]+\s*")
_LISTED = re.compile(
    r"哪|什么|啥|列|几[个项类种条]|多少[个项类种条]|内容|包括|包含|有(?:关)?$|全部|所有|清单|说了|讲了|写了"
)
_NOT_TOPIC = re.compile(r"分别|各自|主要|都|是|的|有|要")
_HOW_MANY = re.compile(r"(?:多少|几)\s*(?:个|大|项|类|种|条)?(?:重点)?(?:项目|工程|类|种|项|指标|任务|方面|$)")
_GENERAL = re.compile(
    r"列[出举了]?|包括|包含|内容|全部|所有|清单|重点|主要|项目|工程|任务|一共|总共|都|[的里中有是了分讲写说及和类种项样大个共]"
)
_CLASSES = re.compile(r"(?:几|多少|哪几|哪些)(?:大|个)?[类种]|(?:几|多少)(?:个方面|方面)")
_ITEM_LABEL = re.compile(
    r"(?:(?:\d{1,2}[.．、])|[（(][\d一二三四五六七八九十]+[)）]|[①-⑳]|[一二三四五六七八九十]+、)?\s*([^。:：,，;；、]{2,25})[。:：]"
)
_NUMBERED = re.compile(r"^(?:\d{1,2}[.．、]|[（(][\d一二三四五六七八九十]+[)）]|[①-⑳]|[一二三四五六七八九十]+、)\s*")
_THINGS = re.compile(r"(?:项目|工程|任务)$")
_SHIELDED = re.compile(r"[（(][^（()）]*[)）]|“[^”]*”|《[^》]*》|「[^」]*」")
_AND = re.compile(r"[和与及]|以及")
_OPEN = re.compile(r"等(?:[^、]{0,12})$")
_MANY = r"(?P<number>[二两三四五六七八九十]|\d{1,2})(?:大|个|项|种|类|条|座)"
_STATED = re.compile(rf"^(?P<last>.*?[^第前上下]){_MANY}")
_STATED_BEFORE = re.compile(
    rf"{_MANY}(?P<head>[\u4e00-\u9fff]{{2,15}})"
    r"(?:[(（](?P<bracketed>[^（()）]+)[)）]|(?:是|为|即|包括|分别是|分别为|[:：])(?P<after>[^:：]+)$)"
)
_INTRODUCED = re.compile(r"^.*?(?:包括|包含|分别[是为]|分为|[:：])")
_NUMERALS = {numeral: value for value, numeral in enumerate("零一二三四五六七八九十")} | {"两": 2}


@dataclass(frozen=True)
class Count:
    """How many members an enumeration names. `open`: it ends in 等 and may have more."""

    members: int
    open: bool

    @property
    def figure(self) -> str:
        return f"{self.members}项"

    @property
    def told(self) -> str:
        return render("count_open" if self.open else "count", count=self.figure)


def box_list(query: Query, chunks: Sequence[Chunk]) -> Worked | None:
    """What the 专栏 that a question names holds, whole and counted: its items, the rows of its table, or those of its
    items that the question names besides; a refusal where the documents have no such 专栏. None for every other
    question."""
    named = _BOX.search(query.text)
    if named is None or not _LISTED.search(query.text.replace(named.group(), "")):
        return None
    if query.want == "figure" and not _HOW_MANY.search(query.text):
        return None
    number = figures(named.group())[0].value
    boxes: dict[tuple[str, tuple[str, ...]], list[Chunk]] = {}
    for chunk in chunks:
        at = _BOX.match(chunk.section[-1]) if chunk.section else None
        if at is not None and figures(at.group())[0].value == number and chunk.kind in ("item", "row"):
            boxes.setdefault((chunk.doc_id, chunk.section), []).append(chunk)
    if not boxes:
        known = any(_BOX.match(chunk.section[-1]) for chunk in chunks if chunk.section)
        return Worked(render("no_box", box=named.group()), (), (), refused=True) if known else None
    if len(boxes) > 1:
        return None
    ((_, section), held), *_ = boxes.items()
    return _told(query, section[-1], held)


def _told(query: Query, title: str, held: Sequence[Chunk]) -> Worked | None:
    rest = fold(_BOX_TITLE.sub("", title))
    asked = set(bigrams(_GENERAL.sub(" ", _BOX.sub(" ", query.core)))) - set(bigrams(rest))
    chosen = [chunk for chunk in held if _label(chunk) and _names(asked, _label(chunk), rest)] or list(held)
    narrower = asked - {pair for chunk in chosen for pair in bigrams(fold(_label(chunk)))}
    if narrower & {pair for chunk in held for pair in bigrams(fold(f"{chunk.text} {_beside(chunk)}"))}:
        return None  # only some of what it holds is asked for
    evidence = tuple(Evidence(Passage(chunk, 0.0, n), 0, len(chunk.text), 0.0) for n, chunk in enumerate(chosen, 1))
    labelled = len(chosen) > 1 and all(map(_label, chosen))
    if labelled and _CLASSES.search(query.text):
        count = f"{len(chosen)}类"
        lines = [f"· {_label(chunk)}[{n}]" for n, chunk in enumerate(chosen, 1)]
        head = render("box", title=title, count=render("count", count=count))
        return Worked("\n".join([head, *lines]), evidence, (count, *(figure.text for figure in figures(title))))
    lines = [f"· {unmarked(row_words(c) if c.cells else c.text)}[{n}]" for n, c in enumerate(chosen, 1)]
    counts = [None if c.cells else enumerated(c.text[_label_end(c) :]) for c in chosen]
    own = [figure.text for figure in figures(title)]
    told: list[str] = []
    if len(chosen) > 1:
        own.append(f"{len(chosen)}{'类' if labelled and all(map(_THINGS.search, map(_label, chosen))) else '项'}")
        told.append(render("count", count=own[-1]))
    if all(counts):
        plain = [count for count in counts if count is not None]
        total = Count(sum(count.members for count in plain), any(count.open for count in plain))
        own.append(total.figure)
        told.append(total.told)
    if len(chosen) == 1:
        lines = [line.removeprefix("· ") for line in lines]
    first = [render("box", title=title, count="，".join(told))] if told else []
    return Worked("\n".join([*first, *lines]), evidence, tuple(own))


def _names(asked: set[str], label: str, title: str) -> bool:
    """Whether a question names the item of this label: most of what sets it apart from the title of the box."""
    own = set(bigrams(fold(re.sub(r"(?:重点)?(?:项目|工程)$", "", _NUMBERED.sub("", label))))) - set(bigrams(title))
    return bool(own) and len(own & asked) / len(own) >= LIKE


def _beside(chunk: Chunk) -> str:
    """The cells of a row, those that it shares with others included (the group that it belongs to)."""
    return " ".join(cell.text for cell in chunk.cells)


def _label(chunk: Chunk) -> str:
    """The label of an item without its number, "" where it has none."""
    label = _ITEM_LABEL.match(chunk.text) if chunk.kind == "item" else None
    return label.group(1) if label else ""


def _label_end(chunk: Chunk) -> int:
    label = _ITEM_LABEL.match(chunk.text)
    return label.end() if label else 0


def by_place(query: Query, chunks: Sequence[Chunk], places: Sequence[str]) -> Worked | None:
    """For a question of what holds for each place (各县市的定位), the items that the documents give under the names of
    places, all of them; None where no such list has the question's words in its title or its items."""
    if not EACH_PLACE.search(query.text) or query.want == "figure":
        return None
    asked = set(bigrams(_NOT_TOPIC.sub(" ", EACH_PLACE.sub(" ", query.core))))
    lists: dict[tuple[str, tuple[str, ...]], list[Chunk]] = {}
    for chunk in chunks:
        if _label(chunk) in places:
            lists.setdefault((chunk.doc_id, chunk.section), []).append(chunk)
    fitting = [held for (_, section), held in lists.items() if len(held) > 1 and _told_of(asked, section, held)]
    if len(fitting) != 1:
        return None
    (held,) = fitting
    evidence = tuple(Evidence(Passage(chunk, 0.0, n), 0, len(chunk.text), 0.0) for n, chunk in enumerate(held, 1))
    count = f"{len(held)}个"
    lines = [f"· {unmarked(chunk.text)}[{n}]" for n, chunk in enumerate(held, 1)]
    return Worked("\n".join([render("listed", count=count), *lines]), evidence, (count,))


def _told_of(asked: set[str], section: tuple[str, ...], items: Sequence[Chunk]) -> bool:
    """Whether most of what is asked stands in the title above these items, or in most of them."""
    texts = [section[-1] if section else "", *(item.text for item in items)]
    fits = [bool(asked) and len(asked & set(bigrams(fold(text)))) / len(asked) >= LIKE for text in texts]
    return fits[0] or 2 * sum(fits[1:]) > len(items)


def counted(query: Query, evidence: Evidence) -> Count | None:
    """How many members the enumeration has that a question asks for and that stands in a piece of evidence; None where
    the question asks for none, for some of them, where there are several, and where the count is not plain."""
    if query.want != "list" or evidence.passage.chunk.cells:
        return None
    shown = [evidence.text[start:end] for start, end in clauses(evidence.text)]
    found = [clause for clause in shown if "、" in _shielded(clause) or _STATED_BEFORE.search(clause)]
    stated = [count for clause in found if (count := _stated(clause, query)) is not None]
    if stated:
        return stated[0] if len(stated) == 1 else None
    chunk = evidence.passage.chunk
    label = label_of(chunk) if evidence.start == 0 else ""
    asked = set(bigrams(_GENERAL.sub(" ", _BOX.sub(" ", query.core))))
    if chunk.kind != "item" or not label or not _names(asked, _BOX_TITLE.sub("", label), ""):
        return None
    if (asked - set(bigrams(fold(label)))) & set(bigrams(fold(evidence.text[_label_end(chunk) :]))):
        return None  # only some of them are asked for
    return enumerated(evidence.text[_label_end(chunk) :])


def enumerated(text: str) -> Count | None:
    """The members of a text that is one enumeration and nothing else, or the end of whose only clause with members is
    one behind its introduction (包括…); None where it is not plain where one ends and the next begins."""
    body = text.strip(" |。；;\n")
    plain = _shielded(body)
    if ";" in plain or "；" in plain:
        parts = [part.strip() for part in re.split("[;；]", plain) if part.strip()]
        return _alike(parts) if not any("、" in part for part in parts) else None
    if "、" not in plain or re.search("[。]", plain):
        return None
    if "," not in plain and "，" not in plain and (found := _alike(plain.split("、"))) is not None:
        return found
    clause = next(plain[a:b] for a, b in clauses(plain) if "、" in plain[a:b]).rstrip("，,；;。 ")
    introduced = _INTRODUCED.match(clause)
    if introduced is None or not plain.endswith(clause):
        return None
    members = clause[introduced.end() :].split("、")
    open_ = bool(_OPEN.search(members[-1]))
    members[-1] = _OPEN.sub("", members[-1])
    simple = all(2 <= len(m) <= LONGEST and not _AND.search(m) and "的" not in m for m in members)
    return Count(len(members), open_) if simple and len(members) >= LEAST else None


def _alike(members: Sequence[str]) -> Count | None:
    """The count of members that end alike (…项目、…项目); behind 等 the ending may stand once more (…等项目)."""
    open_ = bool(_OPEN.search(members[-1]))
    held = [member.strip() for member in members]
    last = _OPEN.sub("", held[-1])
    endings = {re.sub(r"[(（].*$", "", member)[-ENDING:] for member in (*held[:-1], last)}
    if len(held) < LEAST or len(endings) > 1 or not re.fullmatch(r"[\u4e00-\u9fff]{2}", endings.pop()):
        return None
    return None if any(re.search("以及|(?:项目|工程)[和与及]", member) for member in held) else Count(len(held), open_)


def _stated(clause: str, query: Query) -> Count | None:
    """The count of an enumeration that states its own number (粮、棉、肉三大主业, or in brackets behind it), where it
    has as many members and is what the question asks for."""
    for before in _STATED_BEFORE.finditer(clause):
        listed = (before["bracketed"] or before["after"]).rstrip("，,；;。 ")
        number = _number(before["number"])
        if _joined(_shielded(listed).split("、"), number):
            return Count(number, False) if _asked_for(before["number"], before["head"], query.text) else None
    *members, last = _shielded(clause).split("、")
    end = _STATED.match(last)
    if end is None or not members or not _joined([*members, end["last"]], _number(end["number"])):
        return None
    asked = _asked_for(end["number"], last[end.end() :].strip('“”"\0'), query.text)
    return Count(_number(end["number"]), False) if asked else None


def _joined(members: Sequence[str], number: int) -> bool:
    """Whether there are so many members, the last two of them joined by 和 or not."""
    if "等" in members[-1][-1:]:
        return False
    return len(members) == number or (len(members) + 1 == number and len(_AND.findall(members[-1])) == 1)


def _asked_for(number: str, head: str, question: str) -> bool:
    """Whether a question names the number, or asks which things of this kind there are."""
    value = _number(number)
    written = "|".join(numeral for numeral, meant in _NUMERALS.items() if meant == value) or number
    if re.search(rf"(?<![\d.])(?:{value}|{written})(?![\d.])", question):
        return True
    kind = re.escape(head[:2])
    before = rf"(?:哪些|哪几.|什么|啥)[^，,。?？]{{0,4}}{kind}"
    behind = rf"{kind}[^，,。?？]{{0,2}}(?:有?哪|包括|是什么|名单)"
    return len(head) >= 2 and bool(re.search(f"{before}|{behind}", question))


def _number(written: str) -> int:
    return int(written) if written.isdecimal() else _NUMERALS[written]


def _shielded(text: str) -> str:
    """The text with the signs inside brackets and quotation marks taken out of sight, its length kept."""
    return _SHIELDED.sub(lambda match: re.sub("[、,，;；。:：]", "\0", match.group()), text)
