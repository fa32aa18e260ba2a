"""Answers from the register of targets: complete lists (全部约束性指标), and lists that stand at two places."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from index.conflicts import CHECK, Conflict
from index.figures import Figure, figures, unit_of
from index.keyword import bigrams, fold
from index.tables import numeral
from index.targets import Register, Target
from index.types import Chunk
from rag.phrase import row_words
from rag.prompts import render
from rag.types import Evidence, Passage, Query, Worked

LIKE = 0.3  # cosine of a topic with an indicator's name and titles from which the indicator is of that topic
TOPIC = 0.5  # share of a topic's bigrams that stand in an indicator's name, titles or sentence
_SO_MANY = "一两二三四五六七八九十"
_LIST = rf"(?:哪些|哪[几{_SO_MANY}]{{1,2}}[个项]|所有|全部|列出|列举|清单|一览|都有什么|多少[个项]|几[个项])"
_TARGETS = r"(?:指标|(?:量化|数字|具体|约束性|预期性)的?目标|目标值)"
# 哪些措施, 哪些县市: what is asked for is not the targets named behind
_OTHER = (
    r"(?!的?(?:措施|办法|做法|举措|工作|任务|工程|项目|政策|手段|途径|"
    r"[^，,。]{0,2}(?:地方|地区|[县市乡镇州区]|部门|单位|企业|行业)))"
)
_ASKS = re.compile(
    rf"{_LIST}{_OTHER}.*?{_TARGETS}|{_TARGETS}[^，,。]*?{_LIST}(?:表|来|内容|呢|吗|啊|[^\u4e00-\u9fff\w])*$"
)
_NATURE = re.compile(r"约束性|预期性")
_PERCENT = re.compile(r"百分比|百分数|百分之|带%|%|％")
_UNIT = re.compile(r"以([\u4e00-\u9fff]{1,3})(?:为单位|计(?:算|量)?)|单位(?:是|为)([\u4e00-\u9fff]{1,3})")
_TABLE = re.compile(r"专栏|表[里中格]|主要(?:经济)?(?:社会)?(?:发展)?指标")
_NOT_TOPIC = re.compile(
    r"哪[几一两二三四五六七八九十]{1,2}|指标|目标值?|量化|数字|具体|约束性|预期性|百分比|百分数|百分之|带%|%|％|以[\u4e00-\u9fff]{1,3}(?:为单位|计)|"
    r"单位[是为][\u4e00-\u9fff]{1,3}|专栏\d*|表[里中格]|主要|经济社会发展|所有|全部|列出来?|列举|清单|一览|都有什么|"
    r"都有|提出|设置|设定|列入|属于|包括|一栏|那类|这类|类|设了|明确|确定|规定|制定|一共|总共|有关|方面|领域|相关|表示|关于|规划|"
    r"[的是有用以请把个项里中到年了]|\d+|[,，。?？、]"
)
_BEYOND = (
    r"(?:超过|突破|高于|大于|多于|超|不低于|不少于|不小于|至少|达到|达|够|"
    r"低于|小于|少于|不到|不足|不超过|不高于|不多于|至多|等于)"
)
_BOUND = re.compile(rf"{_BEYOND}|以上|以下|以内|[≥≤<>]")
_REACHES = re.compile(r"(?:达到?|够|到)了?$")
_ASKS_BOUND = re.compile(r"哪些|哪几|哪[个项]|什么|啥|列出|列举|有几|多少[个项]|全部|所有|指标|目标")
# 哪些产品…, 哪些县…, 投资超过1亿元的项目有哪些: other things than targets
_OTHERS = re.compile(
    r"(?:哪些|哪几[个项种类]?|哪[个项种类]|什么|啥)(?!\s*(?:[?？。]|$|的?(?:(?:约束性|预期性|量化|数字)的?)?(?:指标|目标|产业|行业)))|"
    r"(?:项目|工程|企业|公司|县市?|乡镇|园区|地方|地区|措施|单位|部门|政策|人)(?=有|是|都|[?？。]|$)"
)


def asks_for_list(query: Query) -> bool:
    """Whether a question asks for a list of targets, of a kind or beyond a bound."""
    return bool(_ASKS.search(query.text)) or bound_in(query) is not None


def bound_in(query: Query) -> Figure | None:
    """The bound by which a question asks for targets (产值超过100亿元的有哪些), its comparator what it asks; None where
    it names none or several, or asks for other things than targets (投资超过1亿元的项目有哪些)."""
    named = [figure for figure in figures(query.text) if figure.kind == "quantity" and figure.unit]
    if len(named) != 1 or not _ASKS_BOUND.search(query.text) or _OTHERS.search(query.text):
        return None
    (bound,) = named
    around = f"{query.text[max(0, bound.start - 4) : bound.start]} {query.text[bound.end : bound.end + 3]}"
    behind = re.match(r"(?:及?以[上下内])?(?:的|有|[?？。]|$)", query.text[bound.end :])
    if not _BOUND.search(around) or behind is None:
        return None
    if bound.comparator in ("=", "~") and _REACHES.search(query.text[: bound.start]):
        return replace(bound, comparator=">=")
    return bound if bound.comparator not in ("=", "~") or "等于" in around else None


def _within(target: Target, bound: Figure) -> bool:
    """Whether a target lies within a bound for certain: of 至少95% that is known of 超过90%, and not of 低于98%."""
    factor, unit = unit_of(target.unit)
    if target.value is None or unit != bound.unit:
        return False
    low = Decimal(target.value) * factor
    high = low if target.value_max is None else Decimal(target.value_max) * factor
    if (target.comparator == "~" or target.approx) and bound.value in (low, high):  # 接近100%
        return False
    if bound.comparator in (">=", ">"):
        above = low > bound.value or (low == bound.value and (bound.comparator == ">=" or target.comparator == ">"))
        return above and target.comparator not in ("<=", "<")
    if bound.comparator in ("<=", "<"):
        below = high < bound.value or (high == bound.value and (bound.comparator == "<=" or target.comparator == "<"))
        return below and target.comparator not in (">=", ">")
    return low == high == bound.value and target.comparator == "="


def two_lists(query: Query, conflicts: Sequence[Conflict], chunks: Mapping[str, Chunk]) -> Worked | None:
    """Both sides of a list that stands in the documents twice with other members, where the question asks for it."""
    for conflict in conflicts:
        if conflict.kind != "清单不一致" or conflict.about not in query.text:
            continue
        # A list may run over several items of its line: what is cited is the whole of it, not the item it begins in.
        sides = [
            replace(chunks[side.chunk], start=side.start, end=side.end, text=side.sentence) for side in conflict.sides
        ]
        evidence = tuple(
            Evidence(Passage(side, 0.0, number), 0, len(side.text), 0.0) for number, side in enumerate(sides, 1)
        )
        first = conflict.sides[0]
        note = conflict.note.removeprefix(f"{CHECK}：")
        marks = "".join(f"[{number}]" for number in range(1, len(conflict.sides) + 1))
        text = f"{render('differing')}\n{first.said}[1]\n{note}{marks}"
        return Worked(text, evidence, (note,))
    return None


def listing(
    query: Query,
    registers: Mapping[str, Register],
    chunks: Mapping[str, Chunk],
    likeness: Callable[[str, Sequence[str]], Sequence[float]] | None,
) -> Worked | None:
    """All targets that a question asks to be listed, in the order of the text; None where the register holds nothing of
    the kind, and a refusal where it holds none within the bound that is asked for."""
    bound = bound_in(query)
    chosen = [target for register in registers.values() for target in register.targets]
    if nature := _NATURE.search(query.text):
        chosen = [target for target in chosen if target.nature == nature.group()]
    if _PERCENT.search(query.text):
        chosen = [target for target in chosen if target.unit == "%"]
    elif unit := _UNIT.search(query.text):
        chosen = [target for target in chosen if target.unit.endswith(unit.group(1) or unit.group(2))]
    if _TABLE.search(query.text):
        chosen = [target for target in chosen if target.source == "table"]
    if query.years:
        chosen = [target for target in chosen if target.year in query.years]
    said = query.core
    if bound is not None:
        if not any(unit_of(t.unit)[1] == bound.unit for register in registers.values() for t in register.targets):
            return Worked(render("no_unit", unit=bound.unit), (), (), refused=True)
        chosen = [target for target in chosen if _within(target, bound)]
        said = re.sub(rf"{_BEYOND}|及?以[上下内]|[≥≤<>]", " ", said.replace(fold(bound.text), " "))
    topic = "".join(_NOT_TOPIC.sub(" ", said).split())
    if len(topic) >= 2:
        # 产值 stands in names of indicators: one that is only like it (地区生产总值) is not meant.
        if bound is not None and any(_named(topic, t) for register in registers.values() for t in register.targets):
            chosen = [target for target in chosen if _named(topic, target)]
        else:
            chosen = _of_topic(topic, query, chosen, chunks, likeness)
    rows = {t.chunk for t in chosen if t.source == "table"}  # a row is told as a whole, once
    distinct = {
        t.chunk if t.chunk in rows else (t.chunk, t.start, t.indicator, t.subject, t.text_value): t for t in chosen
    }
    chosen = list(distinct.values())
    asked = re.search(f"哪([{_SO_MANY}]{{1,2}})[个项]", query.text)
    if asked is not None and numeral(asked.group(1)) != len(chosen):
        return None  # 哪两项指标 asks for two
    if not chosen:
        return None if bound is None else Worked(render("none_within", bound=_told_bound(query, bound)), (), (), True)
    evidence: list[Evidence] = []
    lines: list[str] = []
    for number, target in enumerate(chosen, 1):
        chunk = chunks[target.chunk]
        evidence.append(Evidence(Passage(chunk, 0.0, number), *_stretch(target, chunk), 0.0))
        lines.append(f"· {told(target, chunk)}[{number}]")
    count = f"{len(chosen)}项"
    return Worked("\n".join([render("listed", count=count), *lines]), tuple(evidence), (count,))


def _told_bound(query: Query, bound: Figure) -> str:
    """A bound as the question words it: 超过100亿元, 50%以上."""
    before = re.search(rf"{_BEYOND}?$", query.text[: bound.start])
    behind = re.match(r"及?以[上下内]", query.text[bound.end :])
    return f"{before.group() if before else ''}{bound.text}{behind.group() if behind else ''}"


def told(target: Target, chunk: Chunk) -> str:
    """A target in words: a table row as a whole, else its name and the plan's own words for its value."""
    if chunk.cells:
        return row_words(chunk)
    year = f"（{target.year}年）" if target.year is not None and str(target.year) in target.sentence else ""
    name, value = f"{target.subject}{target.indicator}", target.text_value
    # 收入年均增长 | 年均增长7%左右: words in which the name ends and the value begins are told once
    shared = next((k for k in range(min(len(name), len(value)), 1, -1) if name.endswith(value[:k])), 0)
    return f"{name} {value[shared:]}{year}"


def _stretch(target: Target, chunk: Chunk) -> tuple[int, int]:
    start = chunk.text.find(target.sentence)
    return (start, start + len(target.sentence)) if start >= 0 else (0, len(chunk.text))


def _of_topic(
    topic: str,
    query: Query,
    targets: Sequence[Target],
    chunks: Mapping[str, Chunk],
    likeness: Callable[[str, Sequence[str]], Sequence[float]] | None,
) -> list[Target]:
    """The targets of a topic: its words, or official words for them, in their names and titles, or their likeness."""
    wanted = set(bigrams(topic))
    official = {fold(term) for term in query.terms}
    names = [_name_with_titles(target, chunks[target.chunk]) for target in targets]
    alike = likeness(topic, names) if likeness is not None and names else [0.0] * len(names)
    found = []
    for target, name, cosine in zip(targets, names, alike, strict=True):
        share = len(wanted & set(bigrams(name))) / max(len(wanted), 1)
        if share >= TOPIC or cosine >= LIKE or any(term in fold(target.indicator) for term in official):
            found.append(target)
    return found


def _named(topic: str, target: Target) -> bool:
    """Whether the indicator's own name holds most of a topic."""
    wanted = set(bigrams(topic))
    return len(wanted & set(bigrams(fold(target.subject + target.indicator)))) >= TOPIC * len(wanted)


def _name_with_titles(target: Target, chunk: Chunk) -> str:
    """What a target is found by: its name and, of a table row, the other words of the row, else the titles above."""
    titles = [title.removeprefix("〔拟题〕") for title in target.section[-2:]]
    beside = [cell.text.replace(" ", "") for cell in chunk.cells if not re.search(r"\d", cell.text)] or titles
    return f"{target.subject}{target.indicator} {' '.join(beside)}"
