"""Slips of the pen in a question, mended against the documents' own words: 奶牛存兰 -> 奶牛存栏, 高素公路 -> 高速公路.

One character of a word is replaced where the word that results is the documents' own, sounds or looks like what was
typed, and explains the question better: what was typed is no known word there, or a longer run of the documents is
found only with the replacement (高校节水 -> 高效节水). A word typed in letters is read as pinyin (牛nai -> 牛奶).
Figures, years and names of places are never touched. Where two words would do, none is put.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from index.keyword import fold
from rag.lexicon import load_lexicon

LONGEST = 6  # characters of a word that is mended
RUN = 4  # characters of a run of the documents that outweighs known words
LIKELIER = 8.0  # natural logarithm: how much likelier than two single characters a word is that has no other support
OFTEN = 5  # times that such a word stands in the documents
TOTAL = 6e7  # the frequencies of jieba's dictionary together, about

_HAN = re.compile(r"[\u3400-\u9fff]+")
_LETTERS = re.compile(r"(?<![A-Za-z0-9])[a-z]{2,18}(?![A-Za-z0-9])|(?<=\d[a-z])[a-z]{2,18}(?![A-Za-z0-9])")
# Figures and measures stay as they are.
_FIGURES = frozenset("零〇一二三四五六七八九十百千万亿两几第年月日")
# What stands alone so often that it counts as a word of its own.
_PARTICLES = _FIGURES | frozenset(
    "的地得了着过和与及或在是有把被对从到要就都也还不吗呢吧啊给让向往为以又再去来用这那哪谁怎啥咋想搞凭个"
)
_ALIKE = (
    "人入八 土士 己已巳 未末 日曰 天夭 千干于 拆折析 治冶 栽裁载 侯候 淮准 戌戍 辨辩 燥躁 晴睛 免兔 大太犬 问间 买卖 "
    "村材 技枝 货贷 植值 侧测 且旦 今令 住往 徽微 拨拔 戴载 洒酒 孤弧 粟栗 赢羸 幕墓 崇祟 竞竟 徒徙 管菅 即既 曾增 环还"
)


@dataclass(frozen=True)
class Vocabulary:
    """What questions are mended by: `words` maps the documents' words to their frequency in general Chinese, `text` is
    the documents' text, folded, and `places` are names of places, which are left as they are."""

    words: Mapping[str, int]
    text: str
    places: frozenset[str] = frozenset()

    @staticmethod
    def of(dictionary: str, texts: Iterable[str], places: Iterable[str] = ()) -> Vocabulary:
        """From an index's dictionary (lines "word frequency") and the texts of its chunks."""
        rows = (line.rsplit(" ", 1) for line in dictionary.splitlines())
        words = {word: int(count) for word, count in rows if len(word) <= LONGEST and _HAN.fullmatch(word)}
        return Vocabulary(words, fold("\n".join(dict.fromkeys(texts))), frozenset(places))

    @cached_property
    def masked(self) -> Mapping[str, str]:
        """A word of two characters or more with one of them masked -> the characters that may stand there."""
        found: dict[str, str] = {}
        for word in self.words:
            for position in range(len(word)) if len(word) > 1 else ():
                mask = f"{word[:position]}\0{word[position + 1 :]}"
                found[mask] = found.get(mask, "") + word[position]
        return found

    @cached_property
    def pairs(self) -> Mapping[str, int]:
        """Two neighbouring characters of the text -> how often they stand there."""
        return Counter(map("".join, zip(self.text, self.text[1:], strict=False)))

    @cached_property
    def triples(self) -> Mapping[str, Sequence[int]]:
        """Three neighbouring characters of the text -> where they stand."""
        found: dict[str, list[int]] = {}
        for position, triple in enumerate(map("".join, zip(self.text, self.text[1:], self.text[2:], strict=False))):
            found.setdefault(triple, []).append(position)
        return found

    def longest(self, run: str, start: int, end: int) -> int:
        """Length of the longest stretch of `run` around [start:end] that stands in the text, 0 where none does. One
        character is taken to stand there."""
        best = end - start if end - start == 1 or run[start:end] in self.pairs else 0
        if end - start == 1 and (run[max(0, start - 1) : end] in self.pairs or run[start : end + 1] in self.pairs):
            best = 2
        for at in range(max(0, end - 3), start + 1) if end - start < 3 else (start,):
            for stands in self.triples.get(run[at : at + 3], ()):
                first, last = at, at + 3
                while first > 0 and stands > at - first and self.text[stands + first - at - 1] == run[first - 1]:
                    first -= 1
                while last < len(run) and self.text[stands + last - at : stands + last - at + 1] == run[last]:
                    last += 1
                if last >= end:
                    best = max(best, last - first)
        return best

    def likelihood(self, word: str) -> float:
        """Logarithm of the share of a word in general Chinese; one that is in no dictionary counts as seen once."""
        return math.log(max(1, self.words.get(word) or (_general(word) or (1, ""))[0]) / TOTAL)


class _Slip(NamedTuple):
    """`put` may stand at `position` of a run, in a word of its characters [start:end]; `held` is the length of the
    longest run of the documents that it makes."""

    held: int
    size: int
    start: int
    end: int
    position: int
    put: str


def mended(text: str, vocabulary: Vocabulary) -> str:
    """`text` with its slips mended; `text` itself where there are none."""
    text = _HAN.sub(lambda match: _mended_run(match.group(), vocabulary), text)
    return _LETTERS.sub(lambda match: _spelled(match, vocabulary), text)


def _mended_run(run: str, vocabulary: Vocabulary) -> str:
    slips = sorted(_slips(run, vocabulary), reverse=True)
    taken: list[_Slip] = []
    for slip in slips:
        rivals = [o for o in slips if o.position == slip.position and o[:2] == slip[:2] and o.put != slip.put]
        if not rivals and not any(other.start < slip.end and slip.start < other.end for other in taken):
            taken.append(slip)
    for slip in taken:
        run = _with(run, slip.position, slip.put)
    return run


def _with(run: str, position: int, put: str) -> str:
    return f"{run[:position]}{put}{run[position + 1 :]}"


def _slips(run: str, vocabulary: Vocabulary) -> Iterator[_Slip]:
    """Replacements that the run would bear. What is cheap is asked first: most runs end with the documents' words, and
    few reach jieba's dictionary, the documents' text or the sounds."""
    everyday = load_lexicon().entries
    known = [(i, i + 1) for i, character in enumerate(run) if character in _PARTICLES]
    known += [span for span in _spans(len(run)) if (word := run[slice(*span)]) in vocabulary.words or word in everyday]
    thought = list(_thinkable(run, _Borders.of(known, len(run)), vocabulary))
    if not thought:
        return
    near = [(i, j) for i, j in _spans(len(run)) if any(i < end and start < j for start, end, *_ in thought)]
    general = {span: entry for span in near if (entry := _general(run[slice(*span)])) is not None}
    names = [span for span, entry in general.items() if entry[1].startswith(("ns", "nr"))]
    names += [span for span in _spans(len(run)) if run[slice(*span)] in vocabulary.places]
    named = _Borders.of(names, len(run))
    borders = _Borders.of([*known, *general], len(run))
    for start, end, position, put in thought:
        if named.inside[position]:
            continue
        held = _supported(run, start, end, position, put, borders, vocabulary)
        exactly = held < RUN or borders.known(start, end)
        if held and _alike(run[position], put, exactly):
            yield _Slip(held, end - start, start, end, position, put)


@lru_cache(maxsize=512)
def _spans(length: int) -> tuple[tuple[int, int], ...]:
    """Where words of two to LONGEST characters may stand in a run of so many."""
    return tuple((i, j) for i in range(length) for j in range(i + 2, min(length, i + LONGEST) + 1))


class _Borders(NamedTuple):
    """Where known words stand in a run: `inside[i]`, that one holds the character i; `across[i]`, that one goes across
    the border before the character i."""

    inside: list[bool]
    across: list[bool]

    @staticmethod
    def of(words: Iterable[tuple[int, int]], length: int) -> _Borders:
        inside, across = [False] * length, [False] * (length + 1)
        for first, last in words:
            inside[first:last] = [True] * (last - first)
            across[first + 1 : last] = [True] * (last - first - 1)
        return _Borders(inside, across)

    def crossed(self, start: int, end: int) -> bool:
        return self.across[start] or self.across[end]

    def known(self, start: int, end: int) -> bool:
        """Whether a known word holds a character of [start:end] or goes across a border of it."""
        return any(self.inside[start:end]) or self.crossed(start, end)


def _thinkable(run: str, borders: _Borders, vocabulary: Vocabulary) -> Iterator[tuple[int, int, int, str]]:
    """(start, end, position, put): roughly and fast, what `_supported` may find supported."""
    masked, triples = vocabulary.masked, vocabulary.triples
    for start, end in _spans(len(run)):
        before, after = run[start - 1 : start] if start else "", run[end : end + 1]
        if end - start > 2 and run[start:end] in vocabulary.words:
            continue
        known = borders.known(start, end)
        for position in range(start, end):
            head, tail = run[start:position], run[position + 1 : end]
            options = masked.get(f"{head}\0{tail}")
            if options is None or run[position] in _FIGURES:
                continue
            for put in options:
                if put in _FIGURES or put == run[position]:
                    continue
                word = f"{head}{put}{tail}"
                wide = f"{before}{word[:2]}" in triples or f"{word[-2:]}{after}" in triples
                likely = len(word) >= RUN or (not known and len(word) > 2)
                if wide or likely or (not known and _likelier(run[start:end], word, vocabulary)):
                    yield start, end, position, put


def _likelier(typed: str, word: str, vocabulary: Vocabulary) -> bool:
    if vocabulary.pairs.get(word, 0) < OFTEN or not _PARTICLES.isdisjoint(typed):
        return False
    return vocabulary.likelihood(word) - sum(map(vocabulary.likelihood, typed)) >= LIKELIER


def _supported(
    run: str, start: int, end: int, position: int, put: str, borders: _Borders, vocabulary: Vocabulary
) -> int:
    """Length of the run of the documents that `put` at `position` makes; 0 where what stands there is as good.

    Where known words stand, the run must be longer by far than what the question has in common with the documents as
    it is; where none does, a word of three characters or one that is held by its neighbours will do, else one that is
    much likelier than the two characters alone.
    """
    tried = _with(run, position, put)
    known = borders.known(start, end)
    held = vocabulary.longest(tried, start, end)
    gained = held - vocabulary.longest(run, position, position + 1)
    if known:
        least = 5 if run[position] in _PARTICLES else 3 if borders.crossed(start, end) else 2
        return held if held >= RUN and gained >= least else 0
    if (held >= 3 and end - start > 2) or (held >= RUN and gained >= 2):
        return held
    return held if end - start == 2 and _likelier(run[start:end], tried[start:end], vocabulary) else 0


def _alike(typed: str, put: str, exactly: bool) -> bool:
    if any(typed in group and put in group for group in _ALIKE.split()):
        return True
    mine, its = _sound(typed), _sound(put)
    return mine == its or (not exactly and _kindred(mine) == _kindred(its))


@lru_cache(maxsize=8192)
def _sound(character: str) -> str:
    """The syllable of a character by its usual reading, without tone."""
    # Readings of phrases take half a second and 44 MB to load, and single characters need none.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    return str(pinyin(character, style=Style.NORMAL)[0][0])


def _kindred(syllable: str) -> str:
    """Syllables that many speakers do not tell apart, made equal: zh/z, ch/c, sh/s, ang/an, eng/en, ing/in."""
    return re.sub("ng$", "n", re.sub("^([zcs])h", r"\1", syllable))


def _spelled(match: re.Match[str], vocabulary: Vocabulary) -> str:
    """The characters for letters that spell the rest of exactly one word of the documents."""
    letters = match.group()
    before = _HAN.search(match.string[: match.start()][::-1])
    left = before.group()[::-1] if before and before.start() == 0 else ""
    after = _HAN.match(match.string, match.end())
    right = after.group() if after else ""
    found: set[tuple[int, str]] = set()
    for word in vocabulary.words if left or right else ():  # one of a single character keeps none
        for first in range(len(word)):
            for last in range(first + 1, len(word) + 1):
                kept = len(word) - (last - first)
                if last - first > kept or len(letters) > 6 * (last - first):
                    continue
                if left.endswith(word[:first]) and right.startswith(word[last:]) and _spells(letters, word[first:last]):
                    found.add((kept, word[first:last]))
    best = {middle for kept, middle in found if kept == max(found)[0]}
    return best.pop() if len(best) == 1 else letters


def _spells(letters: str, characters: str) -> bool:
    return "".join(map(_sound, characters)) == letters


def is_word(text: str) -> bool:
    """Whether a text is a word of general Chinese."""
    return _general(text) is not None


def _general(word: str) -> tuple[int, str] | None:
    """Frequency and part of speech of a word in jieba's own dictionary; None for one that is not there."""
    lines = _lines(word[0])
    at = lines.find(f"\n{word} ")
    if at < 0:
        return None
    _, count, kind = lines[at + 1 : lines.index("\n", at + 1)].split(" ")
    return int(count), kind


@lru_cache(maxsize=8192)
def _lines(character: str) -> str:
    """The lines of jieba's dictionary whose words begin with a character, between line breaks. They stand together, for
    the file is in the order of its bytes: to find them there takes no time, to load it longer than a question."""
    data, key = _dictionary(), character.encode("utf-8")
    low, high = data.find("\n一 ".encode()) + 1, len(data)  # before it stand words in letters, in no order
    while low < high:
        begin = data.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = data.find(b"\n", begin) + 1
        low, high = (end, high) if data[begin:end] < key else (low, begin)
    end = low
    while data.startswith(key, end):
        end = data.find(b"\n", end) + 1
    return "\n" + data[low:end].decode("utf-8")


@cache
def _dictionary() -> bytes:
    import jieba

    with jieba.Tokenizer().get_dict_file() as file:
        return bytes(file.read())
