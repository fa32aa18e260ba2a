"""A plan that no one has seen: a copy with other place names and other figures, its questions mapped along.

A model or a rule may answer questions about a known plan from memory or by luck of tuning. On the copy, every answer
must come from the text that is in front of it. Line structure, years, ordinals, codes (G30, 5A) and wording stay, so
gold lines stay valid; two figures that agree in the plan agree in the copy, two that disagree still disagree, and of
two figures the larger stays the larger.

    python -m eval.mutate PLAN QUESTIONS.jsonl... --out DIR [--seed 7]

writes DIR/<stem>-mutated.txt and a rewritten file of each name, and reports the rows that could not be kept.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from index.errors import UserError
from index.figures import figures
from index.reader import read

Row = dict[str, Any]


@dataclass(frozen=True)
class Numeral:
    """An Arabic numeral of the plan: text[start:end] of one line, what it became (`new`, itself where it stays), and
    a few characters on either side, by which the same numeral is recognised in a question."""

    start: int
    end: int
    old: str
    new: str
    before: str
    after: str


@dataclass(frozen=True)
class Mutation:
    """The copy beside its original, line by line. `places`: old name -> invented name."""

    original: tuple[str, ...]
    lines: tuple[str, ...]
    places: Mapping[str, str]
    numerals: tuple[tuple[Numeral, ...], ...]


def mutate(lines: Sequence[str], seed: int = 7) -> Mutation:
    """The copy of a plan, the same for the same seed."""
    rng = random.Random(seed)
    places = _invented(_place_stems("\n".join(lines)), "\n".join(lines), rng)
    numerals = _numerals(lines, rng)
    changed = (_replace_numerals(line, found) for line, found in zip(lines, numerals, strict=True))
    return Mutation(tuple(lines), tuple(_replace_places(line, places) for line in changed), places, numerals)


# --- places

# Kinds of places that Chinese names end in, the longer before the shorter.
_KIND = (
    r"(?:[\u4e00-\u9fff]{1,4}族)?自治[州县区旗]|(?:经济技术|高新技术产业|经济)?开发区|工业园区?|产业园区?|新区"
    r"|地区(?!生产)|省(?![份级会])|市(?![场民域政区容值])|县(?![域城级乡])|州(?!府)|区(?![域间位块划])|[旗盟]|镇(?!化)|乡(?!村)"
)
_BOUNDARY = r"(?:^|(?<=[\s、,，。;；:：()（）“”《》|/·—\-和与及以在把由从对向为至到将]))"
_PLACE = re.compile(rf"{_BOUNDARY}(?P<stem>[\u4e00-\u9fff]{{1,5}}?)(?P<kind>{_KIND})", re.MULTILINE)
# Characters of the words that stand before 市, 县, 区 where no name is meant: 各县, 城市, 园区, 示范区, 推进城乡.
_COMMON = re.compile(
    r"[各全本该我每此其两的级化业型类等个家省市县区州乡镇村城园社国农工商产科技示范试验治聚集功能重点建设发展推进加快"
    r"实施完善提高促进统筹一二三四五六七八九十与和及以在把由对向为将从景护假矿地辖片灌库街校援返上夜超股楼早综合经济单位]"
)
# A name of one character is one only before these (庭州, not 返乡 or 矿区).
_KINDS_AFTER_ONE = ("县", "市", "州")
_SYLLABLES = "澜岑棠沅珂茗霁筠砚榆漪桓沐禾翎芷汀珩瑾翊荻蔚澈峤柘栩洵渌湄澍濯玖琰璟疏竺笙缇芮苒茵荔莳菀蓁蕙薇"


def _place_stems(text: str) -> tuple[str, ...]:
    """What is proper in the names of places that occur at least twice with a boundary before them: "青石" of 青石县 and
    青石市. A stem of one character stands with its ending ("易县"). Longest first."""
    counts: Counter[tuple[str, str]] = Counter()
    for match in _PLACE.finditer(text):
        if not _COMMON.search(match["stem"]):
            counts[match["stem"], match["kind"]] += 1
    names = {
        stem + kind: stem if len(stem) > 1 else stem + kind
        for (stem, kind), count in counts.items()
        if count >= 2 and (len(stem) > 1 or kind in _KINDS_AFTER_ONE)
    }
    # 依托青石县 is 青石县 after a verb.
    whole = {names[name] for name in names if not any(name != other and name.endswith(other) for other in names)}
    return tuple(sorted(whole, key=lambda stem: (-len(stem), stem)))


def _invented(stems: Sequence[str], text: str, rng: random.Random) -> dict[str, str]:
    """stem -> a name of the same length that the text does not have, one for each."""
    names: dict[str, str] = {}
    syllables: list[str] = []
    for stem in stems:
        ending = stem[-1] if len(stem) == 2 and stem[-1] in _KINDS_AFTER_ONE else ""
        name = stem
        while name in text or name in names.values():
            if len(syllables) < len(stem):
                syllables = rng.sample(_SYLLABLES, len(_SYLLABLES))
            name = "".join(syllables.pop() for _ in range(len(stem) - len(ending))) + ending
        names[stem] = name
    return names


def _replace_places(text: str, places: Mapping[str, str]) -> str:
    if not places:
        return text
    return re.sub("|".join(map(re.escape, places)), lambda match: places[match.group()], text)


# --- figures

_NUMERAL = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?", re.ASCII)
_CONTEXT = 6
# Full coverage and none are the same in every plan.
_FIXED_VALUES = (Decimal(0), Decimal(100))
# Spans of time and anniversaries are not the plan's to choose.
_FIXED_UNITS = ("年", "周年", "小时", "天", "月", "个月", "日")


@dataclass(frozen=True)
class _Slot:
    """A numeral that is to change: value, unit as written after it ("" in a cell of its own), smallest step."""

    line: int
    start: int
    end: int
    value: Decimal
    unit: str
    step: Decimal

    @property
    def shared(self) -> bool:
        """Whether its new value holds whatever the unit. Whole numbers below ten are too few to change them all at
        once: they have a map for each unit, and stay where no unit is written."""
        return self.value >= 10 or self.step < 1


def _numerals(lines: Sequence[str], rng: random.Random) -> tuple[tuple[Numeral, ...], ...]:
    row_numbers = _row_numbers(lines)
    slots = [slot for number, line in enumerate(lines) for slot in _slots(line, number, row_numbers)]
    new = _new_values(slots, rng)
    by_place = {(slot.line, slot.start): new[slot] for slot in slots}
    return tuple(
        tuple(
            Numeral(
                match.start(),
                match.end(),
                match.group(),
                _written(by_place.get((number, match.start())), match.group()),
                _context(line[: match.start()])[-_CONTEXT:],
                _context(line[match.end() :])[:_CONTEXT],
            )
            for match in _NUMERAL.finditer(line)
        )
        for number, line in enumerate(lines)
    )


def _context(text: str) -> str:
    return re.sub(r"[\s|]", "", text)


def _row_numbers(lines: Sequence[str]) -> frozenset[tuple[int, int]]:
    """(line, offset) of the cells that number the rows of a table: 1, 2, 3 … each alone in its cell."""
    found: set[tuple[int, int]] = set()
    expected = {1}
    for number, line in enumerate(lines):
        for cell in re.finditer(r"[^|]+", line):
            bare = re.fullmatch(r"\s*(\d{1,3})\s*", cell.group(), re.ASCII)
            if bare and int(bare[1]) in expected:
                expected = (expected - {int(bare[1])}) | {1, int(bare[1]) + 1}
                found.add((number, cell.start() + bare.start(1)))
    return frozenset(found)


def _slots(line: str, number: int, row_numbers: frozenset[tuple[int, int]]) -> Iterator[_Slot]:
    for figure in figures(line):
        unit = re.sub(r"^.*[\d.,]", "", figure.text)
        if figure.kind not in ("quantity", "ratio") or unit.strip() in _FIXED_UNITS:
            continue
        for match in _NUMERAL.finditer(line, figure.start, figure.end):
            value = Decimal(match.group().replace(",", ""))
            if value in _FIXED_VALUES or (number, match.start()) in row_numbers or _counts_a_list(line, match):
                continue
            yield _Slot(number, match.start(), match.end(), value, unit, _step(match.group()))


def _counts_a_list(line: str, numeral: re.Match[str]) -> bool:
    """勘查、开采、储运、利用4个环节: the number of the things just named."""
    clause = re.split(r"[,，。;；:：]", line[: numeral.start()])[-1]
    return "、" in clause and numeral.group() == str(clause.count("、") + 1)


def _step(numeral: str) -> Decimal:
    """The last place of a numeral; a large round number stays round."""
    if "." in numeral:
        return Decimal(1).scaleb(-len(numeral.split(".")[1]))
    if len(numeral) >= 4 and numeral.endswith("00"):
        return Decimal(100)
    return Decimal(10 if len(numeral) >= 3 and numeral.endswith("0") else 1)


def _new_values(slots: Sequence[_Slot], rng: random.Random) -> dict[_Slot, Decimal]:
    """One map for all units, so that 145 in a cell and 145万吨 in a sentence stay the same figure."""
    shared: dict[Decimal, Decimal] = {}
    small: defaultdict[str, dict[Decimal, Decimal]] = defaultdict(dict)
    for slot in slots:
        if slot.shared:
            shared[slot.value] = min(slot.step, shared.get(slot.value, slot.step))
        elif slot.unit:
            small[slot.unit][slot.value] = slot.step
    blocks: defaultdict[int, dict[Decimal, Decimal]] = defaultdict(dict)
    for value, step in shared.items():
        blocks[value.adjusted() if value >= 1 else -1][value] = step
    mapped: dict[Decimal, Decimal] = {}
    for power in sorted(blocks):
        low = Decimal(10) ** power if power >= 0 else Decimal(0)
        # Shares above and below all of it stay so: nothing crosses or becomes 100.
        low = low + min(blocks[power].values()) if low in _FIXED_VALUES else low
        mapped |= monotone(blocks[power], low, Decimal(10) ** (power + 1 if power >= 0 else 0), rng)
    by_unit: dict[str, dict[Decimal, Decimal]] = {"": {}}
    for unit in sorted(small):
        settled = {slot.value: mapped[slot.value] for slot in slots if slot.unit == unit and slot.shared}
        by_unit[unit] = monotone(small[unit], Decimal(1), Decimal(10), rng, settled)
    return {
        slot: mapped[slot.value] if slot.shared else by_unit[slot.unit].get(slot.value, slot.value) for slot in slots
    }


def monotone(
    steps: Mapping[Decimal, Decimal],
    low: Decimal,
    high: Decimal,
    rng: random.Random,
    settled: Mapping[Decimal, Decimal] | None = None,
) -> dict[Decimal, Decimal]:
    """Strictly increasing new values in [low, high) for `steps` (value -> its smallest step), each a whole number of
    steps and other than the old one where there is room. They keep the order with the values already `settled`.

    Values follow low + (high - low) * t ** g, t the place of the old value in the range: the shape of the data stays.
    """
    values = sorted(steps)
    bend = rng.choice((rng.uniform(0.75, 0.88), rng.uniform(1.15, 1.35)))
    upper: list[Decimal] = []
    limit = high
    for value in reversed(values):
        above = [new for old, new in (settled or {}).items() if old > value]
        limit = _below(min([limit, *above]), steps[value])
        upper.append(limit)
    upper.reverse()
    result: dict[Decimal, Decimal] = {}
    for value, most in zip(values, upper, strict=True):
        step = steps[value]
        below = [new for old, new in {**(settled or {}), **result}.items() if old < value]
        least = max([_below(low, step) + step, *(_above(new, step) for new in below)])
        if least > most:
            # The settled values leave no room: the figure stays as it is.
            result[value] = value
            continue
        wish = low + (high - low) * Decimal(str(float((value - low) / (high - low)) ** bend))
        wish = (wish / step).to_integral_value(ROUND_HALF_EVEN) * step
        choices = [wish, value + step, value - step]
        free = [choice for choice in (min(max(choice, least), most) for choice in choices) if choice != value]
        result[value] = free[0] if free else value
    return result


def _below(limit: Decimal, step: Decimal) -> Decimal:
    """The largest whole number of steps below `limit`."""
    return ((limit / step).to_integral_value(ROUND_CEILING) - 1) * step


def _above(limit: Decimal, step: Decimal) -> Decimal:
    """The smallest whole number of steps above `limit`."""
    return ((limit / step).to_integral_value(ROUND_FLOOR) + 1) * step


def _written(value: Decimal | None, old: str) -> str:
    """The new value in the old one's form: decimals, and the thousands separated where they were."""
    if value is None:
        return old
    decimals = len(old.split(".")[1]) if "." in old else 0
    return f"{value:,.{decimals}f}" if "," in old else f"{value:.{decimals}f}"


def _replace_numerals(text: str, numerals: Sequence[Numeral]) -> str:
    pieces, position = [], 0
    for numeral in numerals:
        pieces += [text[position : numeral.start], numeral.new]
        position = numeral.end
    return "".join([*pieces, text[position:]])


# --- questions


@dataclass(frozen=True)
class Dropped:
    """A row that has no counterpart in the copy, and why."""

    id: str
    reason: str


def rewrite(row: Row, mutation: Mutation) -> Row | Dropped:
    """The row asked of the copy: its texts with the new names and figures, its gold lines unchanged.

    A figure is looked up in the gold lines first, then in the whole plan, by the numeral and the words around it. An
    option in Chinese numerals that the copy's gold lines do not have is left out where another option remains. Raises
    UserError where a gold line is not in the plan.
    """
    numbers = sorted({n for group in (*row["gold_lines"], *(row.get("alt_gold_lines") or ())) for n in group})
    if numbers and not 1 <= numbers[0] <= numbers[-1] <= len(mutation.lines):
        raise UserError(
            f"问题“{row['id']}”的依据行 {numbers[-1]} 不在规划里（共 {len(mutation.lines)} 行）；"
            "请给出与问题相配的规划。"
        )
    gold = [numeral for n in numbers for numeral in mutation.numerals[n - 1]]
    old_text, new_text = ("\n".join(lines[n - 1] for n in numbers) for lines in (mutation.original, mutation.lines))
    sources = (gold, [numeral for line in mutation.numerals for numeral in line])
    result = dict(row)
    for field in ("question", "answer", "history", "slots"):
        if field in row:
            result[field] = _rewrite_value(row[field], sources, mutation.places)
    result["must_not_include"] = [_rewrite_text(text, sources, mutation.places) for text in row["must_not_include"]]
    result["must_include"] = []
    for group in row["must_include"]:
        options = [option for option in group if not _unknown_numerals(option, sources)]
        pairs = [(option, _rewrite_text(option, sources, mutation.places)) for option in options]
        kept = [new for _, new in pairs if not _CHINESE_FIGURE.search(new) or has(new_text, new)]
        if not kept and any(has(old_text, option) for option in group):
            return Dropped(row["id"], f"要点 {group} 在改写后的依据行里没有对应")
        if not kept and not pairs:
            return Dropped(row["id"], f"要点 {group} 里的数字不在原文中，无法改写")
        kept = kept or [new for _, new in pairs]
        if any(has(old_text, option) for option in group) and not any(has(new_text, option) for option in kept):
            return Dropped(row["id"], f"要点 {group} 改写为 {kept} 后不在依据行里")
        if any(has(row["answer"], option) for option in group) and not any(has(result["answer"], o) for o in kept):
            return Dropped(row["id"], f"要点 {group} 改写为 {kept} 后不在标准答案里")
        result["must_include"].append(kept)
    return result


_CHINESE_FIGURE = re.compile(r"[一二两三四五六七八九十百]+(?:成|分之|[个家条项座种类处所])|百分之")


def has(text: str, option: str) -> bool:
    """The marking's rule: `option` occurs in `text`, spaces and commas aside, a number never within a longer one."""
    text, option = (re.sub(r"[\s,，]", "", part).replace("％", "%") for part in (text, option))
    left = r"(?<![\d.])" if option[:1].isdigit() else ""
    right = r"(?![\d]|\.\d)" if option[-1:].isdigit() else ""
    return re.search(left + re.escape(option) + right, text) is not None


def _rewrite_value(value: Any, sources: Sequence[Sequence[Numeral]], places: Mapping[str, str]) -> Any:
    """The texts in lists and objects; anything but text stays."""
    if isinstance(value, str):
        return _rewrite_text(value, sources, places)
    if isinstance(value, list):
        return [_rewrite_value(item, sources, places) for item in value]
    if isinstance(value, dict):
        return {key: _rewrite_value(item, sources, places) for key, item in value.items()}
    return value


def _rewrite_text(text: str, sources: Sequence[Sequence[Numeral]], places: Mapping[str, str]) -> str:
    changed = [
        Numeral(m.start(), m.end(), m.group(), found.new if found else m.group(), "", "")
        for m in _asked_numerals(text)
        for found in [_counterpart(text, m, sources)]
    ]
    return _replace_places(_replace_numerals(text, changed), places)


def _unknown_numerals(text: str, sources: Sequence[Sequence[Numeral]]) -> bool:
    return any(_counterpart(text, match, sources) is None for match in _asked_numerals(text))


def _asked_numerals(text: str) -> list[re.Match[str]]:
    """The numerals of a question that may be figures: not those in codes, ordinals, 2025年 or 25年. A bare 2000 may be
    a figure; the plan tells."""
    named = [
        range(figure.start, figure.end)
        for figure in figures(text)
        if figure.kind in ("ordinal", "identifier") or re.search(r"(?<![\d.])\d{2,4}\s*年$", figure.text)
    ]
    return [match for match in _NUMERAL.finditer(text) if not any(match.start() in span for span in named)]


def _counterpart(text: str, match: re.Match[str], sources: Sequence[Sequence[Numeral]]) -> Numeral | None:
    """The plan's numeral that is meant: the same number, in the first source that has it, with the most alike words
    around it."""
    value = Decimal(match.group().replace(",", ""))
    before, after = _context(text[: match.start()]), _context(text[match.end() :])
    for source in sources:
        same = [numeral for numeral in source if Decimal(numeral.old.replace(",", "")) == value]
        if same:
            return max(same, key=lambda n: _common(n.after, after) + _common(n.before[::-1], before[::-1]))
    return None


def _common(a: str, b: str) -> int:
    """Length of the common beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


# --- command


def _read_rows(path: Path) -> list[Row]:
    """Raises UserError where a line is no question with gold lines and key points."""
    try:
        texts = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError as error:
        raise UserError(f"找不到问题文件“{path}”；请检查路径。") from error
    rows = []
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(f"问题文件“{path.name}”第 {number} 行不是 JSON；每行应是一个 JSON 对象。") from error
        missing = {"id", "question", "answer", "gold_lines", "must_include", "must_not_include"} - set(row)
        if missing:
            raise UserError(f"问题文件“{path.name}”第 {number} 行缺少字段 {sorted(missing)}；请补全后重试。")
        rows.append(row)
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.mutate", description="改写规划里的地名和数字，问题随之改写。")
    parser.add_argument("plan", type=Path, help="规划文件")
    parser.add_argument("questions", type=Path, nargs="*", help="问题文件（jsonl）")
    parser.add_argument("--out", type=Path, required=True, help="写入的文件夹")
    parser.add_argument("--seed", type=int, default=7, help="随机种子（默认 7）")
    args = parser.parse_args(argv)
    try:
        report = _run(args.plan, args.questions, args.out, args.seed)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(report)
    return 0


def _run(plan: Path, questions: Sequence[Path], out: Path, seed: int) -> str:
    document = read(plan)
    mutation = mutate([line.text for line in document.lines], seed)
    rows = {path: _read_rows(path) for path in questions}
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{document.id}-mutated.txt").write_text("\n".join(mutation.lines), encoding="utf-8", newline="\n")
    changed = sum(numeral.new != numeral.old for line in mutation.numerals for numeral in line)
    report = [f"地名 {len(mutation.places)} 个：" + "、".join(f"{a}→{b}" for a, b in mutation.places.items())]
    report.append(f"改动数字 {changed} 处。")
    for path in questions:
        results = [rewrite(row, mutation) for row in rows[path]]
        kept = [row for row in results if not isinstance(row, Dropped)]
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
        (out / path.name).write_text("".join(lines), encoding="utf-8", newline="\n")
        report.append(f"{path.name}：保留 {len(kept)} / {len(results)} 行。")
        report += [f"  舍去 {row.id}：{row.reason}" for row in results if isinstance(row, Dropped)]
    return "\n".join(report)


if __name__ == "__main__":
    sys.exit(main())
