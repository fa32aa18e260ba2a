"""Which years a plan speaks of: its period and its base year, and the years that words like “十四五”末 stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.types import Document

_NUMERALS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
# What follows a number of four digits that is no year: 2095万千瓦.
COUNTED = r"\s*[多余]?(?:[万亿千百%％元吨亩户座套台辆头只]|名(?![单录])|公里|平方|立方)"
_STATED = re.compile(r"规划(?:期限|期|时限|年限)[^。\d]{0,8}((?:19|20)\d\d)年?\s*[-—–~～至到]+\s*((?:19|20)\d\d)")
_NTH_PLAN = re.compile(r"第(十[一二三四五六七八九]?|二十[一二三四五六七八九]?)个五年(?:规划|计划)")
_SHORT = re.compile(r"(?<![第一二三四五六七八九十百])(十[一二三四五六七八九])五(?![个条章届次年天岁人万亿%])")
_HORIZON = re.compile(r"((?:19|20)\d\d)年远景目标")


@dataclass(frozen=True)
class Period:
    """First and last year of a plan; `base` is the year before the first, `horizon` that of the long-range goals."""

    first: int
    last: int
    horizon: int | None = None

    @property
    def base(self) -> int:
        return self.first - 1


def numeral(text: str) -> int:
    """十四 -> 14, 二十 -> 20. Raises KeyError for other signs."""
    if "十" not in text:
        return _NUMERALS[text]
    tens, ones = text.split("十")
    return (_NUMERALS[tens] if tens else 1) * 10 + (_NUMERALS[ones] if ones else 0)


def plan_years(n: int) -> tuple[int, int]:
    """First and last year of China's n-th five-year plan, from the tenth on (2001-2005)."""
    if n < 10:
        raise ValueError(f"only plans from the tenth on are dated by this rule, not {n}")
    return 2001 + 5 * (n - 10), 2005 + 5 * (n - 10)


def period_of(document: Document) -> Period | None:
    """The plan period that the document states, or that its number implies; None for a document that is no plan."""
    text = "\n".join(line.text for line in document.lines)
    horizon = _HORIZON.search(text)
    year = int(horizon.group(1)) if horizon else None
    if stated := _STATED.search(text):
        return Period(int(stated.group(1)), int(stated.group(2)), year)
    head = text[:2000]
    if named := _NTH_PLAN.search(head) or _SHORT.search(head):
        return Period(*plan_years(numeral(named.group(1))), year)
    return None


def named_plans(text: str) -> list[tuple[int, int]]:
    """Years (first, last) of the five-year plans that a text names: “十三五” -> (2016, 2020)."""
    return [plan_years(numeral(name)) for name in _SHORT.findall(text)]
