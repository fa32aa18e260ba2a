"""Names for several places: those that a document defines in its own text (东三县（甲县、乙县、丙县）), and those that
people use beside it (西边几个县), which may be listed in `<name>.places.tsv`: name, tab, members joined by 、.

General for any plan. A definition is read only where it is plain: a name of a form that groups of places have, followed
or led by an enumeration of nothing but places that the document names, as many as the name says. A definition missed
costs a question its members; one misread would answer for the wrong places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from index.errors import DocumentError
from index.tables import numeral
from index.terms import COMMON, names_of, places, without_lead
from index.types import Chunk, Document

ENDING = ".places.tsv"
LEAST = 2  # members of a group; a seat of government is one place


@dataclass(frozen=True)
class Group:
    """A name for one or more places, by their full names. `stated`: the document itself says which they are."""

    name: str
    members: tuple[str, ...]
    stated: bool


_NUMBER = r"(?:[一二两三四五六七八九十]|(?<!\d)\d{1,2})"
_KINDS = r"(?:县市区|县市|市县|区县|旗县|县|市|区|旗|州|盟)(?:[(（][市区旗、]{1,3}[)）])?"
_COUNTED = rf"{_NUMBER}个?{_KINDS}"
_SIDE = "东南|东北|西南|西北|东|西|南|北|中"
# 江西三县 and 苏北三县 are not 西三县 and 北三县.
_NOT_WITHIN = "(?<![东西山江陕广湖河云海关辽苏皖浙闽粤鲁豫鄂赣湘桂川滇黔晋冀蒙陇淮华台])"
_WHERE = (
    rf"(?:{_NOT_WITHIN}(?:{_SIDE})(?:部|边|面|片|线|翼)?|山区|平原|沿江|沿河|沿海|沿边|沿线|环湖|环城|牧区|农区|边境|城区|"
    "库区|老区|湖区|坝区|河谷|近郊|远郊|滨海|滨江)"
)
_COUNTED_NAME = rf"{_WHERE}(?:{_COUNTED})+"
_AREA_NAME = rf"{_WHERE}(?:片区|组团|县市|县区|县[(（]市[)）]|城镇群|城市群)"
_NAME = rf"(?:{_COUNTED_NAME}|{_AREA_NAME})"
_IS = "即|是指|指的是|指"
_HOLDS = "包括|包含|分别为|分别是|为|是"
_BRACKETED = re.compile(
    rf"(?P<name>{_NAME})[”」』]?\s?[(（](?:{_IS}|{_HOLDS}|含)?[:：]?(?P<listed>[^()（）]{{3,120}})[)）]"
)
_TOLD = re.compile(
    rf"(?:(?P<name>{_COUNTED_NAME})[”」』]?[,，]?(?:{_IS}|{_HOLDS})|(?P<area>{_AREA_NAME})[”」』]?[,，]?(?:{_IS}))[:：]?"
    r"(?P<listed>[^。；;!?！？()（）,，\n]{3,120})(?=[。；;,，\n]|$)"
)
_SHORT = re.compile(rf"[(（](?:以下)?(?:简|统|合|并)?称为?[:：]?[“「『]?(?P<name>{_NAME})[”」』]?(?:[,，]下同)?[)）]")
_APPOSED = re.compile(rf"等?(?P<name>{_COUNTED_NAME})(?![(（])")
_STOP = re.compile(r"[。；;:：,，()（）“”\s]")
_SEAT = re.compile(r"(?P<name>州首?府|盟府|省会|首府)(?:所在地|驻地)?(?:是|为|在|设在)?")
_ALSO_SEAT = "(?:自治)?州的?(?:首?府(?:所在地|驻地)?|(?:人民)?政府(?:所在地|驻地))"
_PLACE = re.compile(r"(?:[\u4e00-\u9fff](?<![县市旗盟])){1,8}?(?:自治县|自治旗|县|市|区|旗|州|盟)")
_CLOSING = re.compile(rf"等?(?:共|这)?{_COUNTED}$")
LONGEST = 120  # characters of an enumeration


def stated_groups(chunks: Iterable[Chunk]) -> tuple[Group, ...]:
    """The groups that these chunks define, by name. One that they define in two ways is left out: which of them a
    question means is not known."""
    held = list(chunks)
    known = _Known.of(held)
    found: dict[str, set[frozenset[str]]] = {}
    order: dict[str, tuple[str, ...]] = {}
    for chunk in held:
        for name, members in _definitions(chunk.text, known):
            found.setdefault(name, set()).add(frozenset(members))
            order.setdefault(name, members)
    return tuple(Group(name, order[name], True) for name in sorted(found) if len(found[name]) == 1)


@dataclass(frozen=True)
class _Known:
    """What a document names places by: every name -> the full names it may stand for; and its whole text."""

    places: Mapping[str, Sequence[str]]
    text: str

    @staticmethod
    def of(chunks: Sequence[Chunk]) -> _Known:
        found: dict[str, list[str]] = {}
        for full in places(chunks):
            for name in names_of(full):
                found.setdefault(name, []).append(full)
        return _Known(found, "\n".join(chunk.text for chunk in chunks))

    def resolved(self, item: str) -> str | None:
        """The full name of the place that an item is; None for what the document names nowhere else as a place."""
        if meant := self.places.get(item):
            return meant[0] if len(meant) == 1 else None
        if COMMON.match(item):
            return None
        if _PLACE.fullmatch(item):
            return item if self.text.count(item) > 1 else None
        if not re.fullmatch(r"[\u4e00-\u9fff]{2,5}", item):
            return None
        full = [item + kind for kind in ("自治县", "县", "市", "区", "旗") if item + kind in self.text]
        return full[0] if len(full) == 1 else None

    def last_of(self, item: str) -> str | None:
        """The same for an item that other words may lead (支持甲县)."""
        if full := self.resolved(item):
            return full
        ends = [item[start:] for start in range(1, len(item) - 1) if len(self.places.get(item[start:], ())) == 1]
        return self.places[ends[0]][0] if ends else self.resolved(without_lead(item, self.text))

    def members(self, listed: str, led: bool) -> tuple[str, ...] | None:
        """The places that an enumeration names, None where it names anything else or leaves some out (等)."""
        items = [item.strip(" “”") for item in re.split("[、,，]", re.sub("[,，]?下同$", "", listed.strip()))]
        found: list[str] = []
        for item in items:
            read = self.last_of if led and not found else self.resolved
            if (full := read(item)) is not None:
                found.append(full)
                continue
            for part in re.split("以及|[和与及]", item):
                read = self.last_of if led and not found else self.resolved
                if (full := read(part)) is None:
                    return None
                found.append(full)
        return tuple(found) if len(set(found)) == len(found) >= LEAST else None


def _definitions(text: str, known: _Known) -> Iterator[tuple[str, tuple[str, ...]]]:
    for form in (_BRACKETED, _TOLD):
        for match in form.finditer(text):
            name = match["name"] or match["area"]
            yield from _agreed(name, known.members(_CLOSING.sub("", match["listed"]), led=False))
    for form in (_SHORT, _APPOSED):
        for match in form.finditer(text):
            listed = _STOP.split(text[max(0, match.start() - LONGEST) : match.start()])[-1]
            # 甲县、乙县和丙县等三县（以下简称东三县)
            yield from _agreed(match["name"], known.members(_CLOSING.sub("", listed), led=True))
    for match in _SEAT.finditer(text):
        behind = text[match.end() : match.end() + 12]
        full = [name for name in known.places if behind.startswith(name) and known.places[name] == [name]]
        if full:
            yield match["name"], (max(full, key=len),)


def _agreed(name: str, members: tuple[str, ...] | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    if members is not None and count_of(name) in (None, len(members)):
        yield name, members


def count_of(name: str) -> int | None:
    """How many places the name of a group says it has (东三县 3, 三县一市 4); None where it says none."""
    numbers = [re.match(_NUMBER, counted) for counted in re.findall(_COUNTED, name)]
    return sum(numeral(number.group()) for number in numbers if number) or None


_SPOKEN = re.compile(rf"(?P<side>{_SIDE})(?:部|边|面|片|线|翼)?(?:(?P<number>{_NUMBER}|几)个?)(?P<kind>{_KINDS})")
_NUMERALS = "〇一二三四五六七八九十"


@cache
def spoken(name: str) -> re.Pattern[str]:
    """The ways in which people say the name of a group: 东三县 as 东部三县, 东边三个县, 东3县."""
    if re.fullmatch(_ALSO_SEAT, name):
        return re.compile(_ALSO_SEAT)
    said = _SPOKEN.fullmatch(name)
    if said is None:
        return re.compile(re.escape(name))
    if said["number"] == "几":
        number = "(?:几|各)"
    else:
        value = numeral(said["number"])
        number = rf"(?:{_NUMERALS[value]}|{value}{'|两' if value == 2 else ''})" if value <= 10 else said["number"]
    kind = r"(?:县[(（]市[)）]|县市区?|市县|区县|县)" if "县" in said["kind"] else re.escape(said["kind"])
    return re.compile(
        rf"{_NOT_WITHIN}{said['side']}(?:部|边|面|片|头)?的?[这那]?{number}个?{kind}(?![级乡镇域一二两三四五六七八九])"
    )


def nicknames_file(source: Path) -> Path | None:
    """The names of places beside a document, None where there are none."""
    beside = source.with_name(source.stem + ENDING)
    return beside if beside.is_file() else None


def read_nicknames(path: Path, document: Document) -> tuple[Group, ...]:
    """The groups that a file beside a document lists, in its order. Raises DocumentError for a line of another shape, a
    member that the document does not name, and a number of members other than the name says."""
    try:
        rows = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path.name} 应为 UTF-8 编码的文本，读不出：请另存为 UTF-8。") from error
    text = "\n".join(line.text for line in document.lines)
    found: dict[str, Group] = {}
    for number, row in enumerate(rows, 1):
        if not row.strip() or row.startswith("#"):
            continue
        at = f"{path.name} 第 {number} 行"
        name, _, listed = (part.strip() for part in row.partition("\t"))
        members = tuple(member.strip() for member in listed.split("、"))
        if not re.search(r"[\u4e00-\u9fff]{2}", name) or not all(members) or "\t" in listed:
            raise DocumentError(f"{at}应为“俗称、制表符、用顿号隔开的地名”，是“{row.strip()}”：请更正，或删去该行。")
        if name in found:
            raise DocumentError(f"{at}的“{name}”前面已经有了：请删去其中一行。")
        for member in members:
            if not _PLACE.search(member[-3:]) or member not in text:
                raise DocumentError(f"{at}的“{member}”不是文档里的地名：请写文中所用的全称，或删去该行。")
        if (count := count_of(name)) not in (None, len(set(members))):
            raise DocumentError(
                f"{at}的“{name}”应有 {count} 个地方，列了 {len(set(members))} 个：请补全、删去多余的，或更正俗称。"
            )
        found[name] = Group(name, members, False)
    return tuple(found.values())
