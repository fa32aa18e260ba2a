"""A document's own terms: names that a general dictionary cuts apart (places, parks, projects, indicators).

General for any plan: no name is listed here, only the forms in which official texts name things.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from index.types import Chunk

_QUOTED = re.compile(r"“([^“”,，。;；:：]{2,12})”")
_SHORT_FOR = re.compile(r"([\u4e00-\u9fff]{3,20})[(（](?:以下)?简称[“《]?([\u4e00-\u9fff]{2,10})[”》]?[)）]")
_KIND = "自治州|自治县|自治旗|开发区|高新区|经开区|示范区|试验区|合作区|园区|新区|县|市|州|区|旗|盟"
_NAME = rf"[\u4e00-\u9fff]{{2,6}}?(?:{_KIND})"
_ENUMERATES = re.compile(r"[县市州区旗盟][、和与及]")
_RUN = re.compile(rf"(?:{_NAME}[、和与及])+{_NAME}(?![\u4e00-\u9fff]?区)")
_WITH_WORDS = re.compile(r"^(?:[以在对从到由自将把按至向]|包括|依托|推动|加快|推进|支持|建设)")
_OF_SEVERAL = re.compile(r"[两二三四五六七八九十几]个?[县市州区旗盟]$")  # 东三县 is no county
COMMON = re.compile(
    r"^(?:各|全|该|本|有关|相关|所有|其他|周边|沿线|部分|重点|主要|工业|产业|旅游|示范|核心|集聚|功能|保护|生态|城镇|农村|中心|"
    r"综合|老旧|居民|住宅|自然|风景|名胜|国家|自治|内地|援疆|对口|东部|西部|中部|南部|北部|城乡|成果|先行|引领|富集|优势|缓冲)"
)


def own_terms(chunks: Iterable[Chunk]) -> list[str]:
    """Names of these chunks for the dictionary, sorted: quoted names, both names of a 简称, indicator names of tables,
    and places."""
    found: set[str] = set()
    held = list(chunks)
    for chunk in held:
        found.update(_QUOTED.findall(chunk.text))
        found.update(short for _, short in _SHORT_FOR.findall(chunk.text))
        found.update(cell.text for cell in chunk.cells if "名称" in cell.column)
    found.update(places(held))
    return sorted(found)


def places(chunks: Iterable[Chunk]) -> list[str]:
    """Places that the text names in enumerations (甲县、乙市和丙开发区) at least twice, sorted.

    Only enumerations tell names from common words ending alike (各县市, 工业园区) without a gazetteer.
    """
    text = "\n".join(chunk.text for chunk in chunks)
    items: Counter[str] = Counter()
    for stretch in re.split(r"[。；;:：,，\s]", text):
        if _ENUMERATES.search(stretch):  # the full pattern is slow, and most stretches enumerate no places
            items.update(item for run in _RUN.findall(stretch) for item in re.split("[、和与及]", run))
    counts: Counter[str] = Counter()
    for item, count in items.items():
        name = without_lead(item, text)
        if re.fullmatch(_NAME, name) and not COMMON.match(name) and not _OF_SEVERAL.search(name):
            counts[name] += count
    names = {name for name, count in counts.items() if count >= 2}
    return sorted(name for name in names if not any(name != other and name.endswith(other) for other in names))


def _begins(name: str, text: str) -> bool:
    """Whether a name stands somewhere at the beginning of the text or behind a sign, not inside other words."""
    position = text.find(name)
    while position >= 0:
        if position == 0 or not "\u4e00" <= text[position - 1] <= "\u9fff":
            return True
        position = text.find(name, position + 1)
    return False


def without_lead(item: str, text: str) -> str:
    """The first item of an enumeration without the verb before it (引导甲县): a name begins where it has once begun
    after a sign or a line break; else known verbs are taken off."""
    stem = re.sub(rf"(?:{_KIND})$", "", item)
    for start in range(len(stem) - 2, 0, -1):
        if _begins(item[start:], text):
            return item[start:]
    return _WITH_WORDS.sub("", item)


def names_of(place: str) -> tuple[str, ...]:
    """A place's full name and its name without the ending (奇台县, 奇台)."""
    short = re.sub(r"(?:自治县|自治州|开发区|县|市|州|旗|盟)$", "", place)
    return (place, short) if len(short) >= 2 and short != place else (place,)


def abbreviations(chunks: Iterable[Chunk]) -> dict[str, str]:
    """Short name -> the words before its bracket, as in 某某自治州(以下简称“某州”)."""
    return {short: long for chunk in chunks for long, short in _SHORT_FOR.findall(chunk.text)}


_TITLE_END = re.compile(
    r"国民经济|经济和社会|“|\"|第?[一二三四五六七八九十]+个?五年|十[一二三四五六七八九]五|(?:19|20)\d\d|"
    r"规划|计划|条例|办法"
)


def region(title: str, chunks: Iterable[Chunk]) -> list[str]:
    """Names of the region that a document is about: the words its title begins with, as far as the last of them that
    names a kind of region (北川市林业发展规划: 北川市), and their 简称; empty where the title begins otherwise."""
    end = _TITLE_END.search(title)
    name = re.sub(r"^关于(?:印发|批转|公布)?", "", title[: end.start()].strip() if end else "")
    if kind := re.match(r".+(?:共和国|[省市县州区旗盟乡镇])", name):
        name = kind.group()
    if not re.fullmatch(r"[\u4e00-\u9fff]{2,20}", name):
        return []
    return [name, *(short for short, long in abbreviations(chunks).items() if long.endswith(name))]
