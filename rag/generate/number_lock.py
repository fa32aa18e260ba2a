"""The number lock: while a model writes, only figures and marks that it was shown can come out.

A figure of the answer must stand in the passages or in the question, whole: 145万 may be written where 145万 stands,
but neither 14 nor 145 nor 1.45亿; a range only as a range. A mark must be one of the passages' [1]…[n]. Lists may be
numbered 1. 2. 3. at the beginning of their lines. What unit a figure has and what it is said of is not the lock's
business but that of the check (rag/verify.py).

`NumberLock` is an automaton over characters, made for one question in about a millisecond; it knows no tokenizer.
`Vocabulary` says which bytes each token of a tokenizer stands for, made once for a model. `LockProcessor` puts the two
together for `transformers`. For servers with guided decoding `NumberLock.pattern` says the same as a regular
expression.

How a numeral is read. A chain is a run of numerals, with Latin letters that touch it (PM2.5, 5A), the signs behind it
(%, 倍) and what joins it to a further numeral (3.5, 1-2, 三分之一, 5个百分点). Chains of the sources are the words of
the lock's language. Chinese numerals are also parts of words (三农, 统一): a chain that is no figure may come again
only between the same characters. A lone 一 is no figure (see index/figures.py) and free, but for 一倍, 一半, 一成.
"""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from index.figures import figures
from rag.generate.model import THINK, THOUGHT

if TYPE_CHECKING:
    import torch

CHINESE = frozenset("〇零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟萬億兩廿卅")
SUFFIXES = frozenset("%‰‱倍半成")
JOINS_ANY = frozenset(".,:/~-–—−‐‑×*+^·_'点分之至到")  # what makes one figure of the numerals around it
JOINS_CHINESE = frozenset("个多余来几")  # only where a Chinese numeral follows: 5个百分点, 十几万, but 3个2级泵站
PARTING = frozenset("至到-–—~")  # in a range of years each year stands for itself
SIGNS = frozenset("-−")
SIGN_AFTER = frozenset("为是达至到长降约在")
LIST_END = frozenset(".、)）．")
LONE = "一"
ORDINAL = ("第", "专栏", "附表", "附件", "附图", "附录")  # what makes another figure of the number behind it
LONGEST_LIST = 30
AFTER = 2  # characters that must follow a numeral that is no figure, as they do in the source

_FOLD = str.maketrans("％﹪～〜∼：／＋－．　\u00a0\t", "%%~~~:/+-.   ")
_FOLD_SOURCE = {0xFF10 + i: 0x30 + i for i in range(10)} | {0xFF21 + i: 0x41 + i for i in range(26)}
_FOLD_SOURCE |= {0xFF41 + i: 0x61 + i for i in range(26)}
# 千 and 百 at the end of a chain may begin a unit, without which they would count as thousand and hundred.
_UNIT_BEHIND = re.compile(r"千[瓦伏克米卡帕赫]|百分点|百帕|.", re.DOTALL)
_YEAR = re.compile(r"(?:19|20)\d\d")


def is_numeral(character: str) -> bool:
    """Digits of every script, Chinese numerals, ①, ², ½, Ⅲ."""
    return character in CHINESE or unicodedata.category(character) in ("Nd", "Nl", "No")


def is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def joins(character: str) -> str:
    """How a character behind a numeral joins it to the next: "any" numeral, a "chinese" one, or "" not at all."""
    if character in JOINS_ANY or (character != "\n" and unicodedata.category(character) in ("Zs", "Cf", "Cc")):
        return "any"
    return "chinese" if character in JOINS_CHINESE else ""


class Alternative(NamedTuple):
    """One way to read what was written so far.

    kind: "free" outside a figure; "figure" at `node` of the trie; "gap" behind a figure and something that would join
    it to another (`tail` says what it joins to); "word" in Latin letters; "one" behind a lone 一; "mark" inside [n]
    and "list" in the number of a list item, `tail` being its digits; "listed" behind that number.
    `tail`, where free: the end of the text that a figure's left context may begin with. `sign`: a minus was written.
    `start`: at the start of a line.
    """

    kind: str
    node: int = 0
    tail: str = ""
    sign: bool = False
    start: bool = False


class State(NamedTuple):
    """All readings of what was written; none: it was not allowed. `numbered`: list items so far. `rest`: the bytes of
    a character that is not whole yet."""

    alternatives: frozenset[Alternative]
    numbered: int = 0
    rest: bytes = b""


START = State(frozenset({Alternative("free", start=True)}))
_OPEN = frozenset({"free", "gap", "word", "one", "listed"})


class NumberLock:
    """The figures of `sources` and the marks [1]…[marks], as an automaton over characters."""

    def __init__(self, sources: Iterable[str], marks: int) -> None:
        self.marks = frozenset(str(n) for n in range(1, marks + 1))
        self._children: list[dict[str, int]] = []
        self._final: set[int] = set()
        self._roots: dict[str, int] = {}
        self._steps: dict[tuple[Alternative, str, int], tuple[Alternative, ...]] = {}
        self.entries = sorted({entry for source in sources for entry in entries(source)})
        for left, words in self.entries:
            self._add(left, words)
        lefts = {*self._roots, *ORDINAL, *(f"{word} " for word in ORDINAL)}
        self._prefixes = frozenset(left[:end] for left in lefts for end in range(1, len(left) + 1))
        self._longest = max(map(len, lefts))

    def _add(self, left: str, words: str) -> None:
        node = self._roots.setdefault(left, self._node())
        for character in words:
            following = self._children[node]
            if character not in following:
                following[character] = self._node()
            node = following[character]
        self._final.add(node)

    def _node(self) -> int:
        self._children.append({})
        return len(self._children) - 1

    # --- reading

    def read(self, text: str, state: State = START) -> State:
        """The state after more text."""
        for character in text:
            state = self.step(state, character)
            if not state.alternatives:
                break
        return state

    def admits(self, text: str) -> bool:
        """Whether a whole text has no figure and no mark from outside."""
        return self.accepts(self.read(text))

    def accepts(self, state: State) -> bool:
        """Whether the text may end here."""
        return not state.rest and any(self._ends(alternative) for alternative in state.alternatives)

    def _ends(self, alternative: Alternative) -> bool:
        return alternative.kind in _OPEN or (alternative.kind == "figure" and alternative.node in self._final)

    def step(self, state: State, character: str) -> State:
        """The state after one more character."""
        character = character.translate(_FOLD)
        found: set[Alternative] = set()
        for alternative in state.alternatives:
            key = (alternative, character, state.numbered if alternative.start or alternative.kind == "list" else 0)
            if key not in self._steps:
                self._steps[key] = tuple(self._step(alternative, character, state.numbered))
            found.update(self._steps[key])
        listed = any(one.kind == "listed" and one.start for one in found)
        if listed:
            found = {one._replace(start=False) if one.kind == "listed" else one for one in found}
        return State(frozenset(found), state.numbered + listed)

    def _step(self, at: Alternative, character: str, numbered: int) -> Iterator[Alternative]:
        kind = at.kind
        if kind == "mark":
            if character == "]" and at.tail in self.marks:
                yield Alternative("free")
            elif character.isdigit() and any(mark.startswith(at.tail + character) for mark in self.marks):
                yield at._replace(tail=at.tail + character)
            return
        if kind == "list":
            wanted = str(numbered + 1)
            if at.tail == wanted and character in LIST_END:
                yield Alternative("listed", start=True)
            elif wanted.startswith(at.tail + character):
                yield at._replace(tail=at.tail + character)
            return
        if kind == "figure":
            child = self._children[at.node].get(character)
            if child is not None:
                yield Alternative("figure", child)
            if at.node not in self._final or is_letter(character) or character in SUFFIXES:
                return
        if character == "[":
            yield Alternative("mark")
        elif is_numeral(character):
            # Behind "1." a digit would make 1.5 of a list number.
            if kind == "free" or (kind == "gap" and at.tail == "chinese" and character not in CHINESE):
                yield from self._begin(at, character, numbered)
        elif is_letter(character):
            if kind == "one":
                return
            if kind in ("free", "listed", "gap"):
                yield from self._begin(at, character, numbered)
            yield Alternative("word")
        elif kind in ("figure", "one", "gap"):
            yield from self._behind(at, character)
        elif kind == "word" and character in SIGNS:
            yield Alternative("gap", tail="any")  # PM-10
        elif kind == "listed" and character in " *":
            yield at
        else:
            yield self._free(at, character)

    def _begin(self, at: Alternative, character: str, numbered: int) -> Iterator[Alternative]:
        """A numeral or letter with which a chain may begin."""
        ordinal = at.tail.rstrip().endswith(ORDINAL)
        for left, root in self._roots.items():
            fits = left == "-" if at.sign else (at.tail.endswith(left) and left != "-")
            fits = fits and (not ordinal or left.rstrip().endswith(ORDINAL))
            child = self._children[root].get(character) if fits else None
            if child is not None:
                yield Alternative("figure", child)
        if character == LONE and not at.sign and not ordinal:
            yield Alternative("one")
        if at.start and numbered < LONGEST_LIST and str(numbered + 1).startswith(character):
            yield Alternative("list", tail=character)

    def _behind(self, at: Alternative, character: str) -> Iterator[Alternative]:
        """A character behind a figure, a lone 一, or what joins."""
        how = joins(character)
        if at.kind == "one" and character in SUFFIXES:
            return
        if at.kind == "gap" and (character in "%‰‱半" or (character == "倍" and at.tail == "any")):
            return
        if how:
            yield Alternative("gap", tail="any" if "any" in (how, at.tail) else how)
        else:
            yield self._free(Alternative("free"), character)

    def _free(self, at: Alternative, character: str) -> Alternative:
        if character == "\n":
            return Alternative("free", start=True)
        if at.start and character in " *":
            return at
        tail = (at.tail + character)[-self._longest :]
        while tail and tail not in self._prefixes:
            tail = tail[1:]
        sign = character in SIGNS and (at.node == 0 or at.start)
        # `node` of a free reading: 1 where a minus sign behind it would be a dash (-5, but 2020年-2025年).
        dash = (character.isalnum() and character not in SIGN_AFTER) or character in ")%〕]"
        return Alternative("free", int(dash), tail, sign)

    # --- what a token may be, for the processor

    def is_open(self, state: State) -> bool:
        """Whether most characters may come next; elsewhere only those of `expected`."""
        return any(self._ends(alternative) for alternative in state.alternatives)

    def expected(self, state: State) -> frozenset[str]:
        """The characters with which an unfinished figure, mark or list number goes on."""
        found: set[str] = set()
        for at in state.alternatives:
            if at.kind == "figure":
                found |= self._children[at.node].keys()
            elif at.kind == "mark":
                found |= {*"0123456789", "]"}
            elif at.kind == "list":
                found |= {*"0123456789", *LIST_END}
        # Folded signs are written by every sign that folds to them.
        return frozenset(found | {chr(sign) for sign, folded in _FOLD.items() if chr(folded) in found})

    def feed(self, state: State, piece: bytes) -> State:
        """The state after the bytes of one more token; a character that is not whole yet is kept for the next."""
        if not state.rest and piece.isascii():
            return self.read(piece.decode("ascii"), state)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(state.rest + piece)
        after = self.read(text, state._replace(rest=b""))
        rest = decoder.getstate()[0]
        if rest and after.alternatives and not self.is_open(after):
            expected = any(character.encode().startswith(rest) for character in self.expected(after))
            after = after if expected else after._replace(alternatives=frozenset())
        return after._replace(rest=rest)

    # --- for servers

    @cached_property
    def pattern(self) -> str:
        """A regular expression for whole answers, without look-around, for guided decoding: text without numerals and
        square brackets, with marks, and with figures of the sources set off by other characters. Narrower than the
        automaton: figures that it admits only behind certain characters need those written along."""
        numerals = "0-9０-９Ⅰ-ⅿ①-⓿²³¹⁰-₉" + "".join(sorted(CHINESE))
        joiners = re.escape("".join(sorted(JOINS_ANY | JOINS_CHINESE))) + r" \t"
        plain = rf"[^{numerals}\[\]\n]"
        apart = rf"[^{numerals}{joiners}{''.join(sorted(SUFFIXES))}A-Za-z\[\]\n]"
        number = rf"(?:[1-9]|[12][0-9]|{LONGEST_LIST})[.、)] ?{apart}"
        mark = rf"\[(?:{'|'.join(sorted(self.marks, key=int))})\]" if self.marks else r"\[\]"
        line = rf"\n(?:{number})?"
        words = sorted({left + words for left, words in self.entries if left != "-"}, key=lambda w: (-len(w), w))
        if not words:
            return rf"(?:{number})?(?:{plain}|{mark}|{line})*"
        figure = f"(?:{'|'.join(map(re.escape, words))})"
        piece = rf"{plain}|{mark}|{line}|{figure}[{joiners}]*(?:{apart}|{mark}|{line})"
        return rf"(?:{number})?(?:{piece})*(?:{figure}[{joiners}]*)?"


def entries(source: str) -> Iterator[tuple[str, str]]:
    """(left context, words) of the chains of a text: the words may be written where the context stands before them."""
    text = source.translate(_FOLD | _FOLD_SOURCE)
    found = figures(text)
    for start, end in chains(text):
        words = text[start:end]
        if not any(map(is_numeral, words)):
            continue
        first = next((one for one in found if one.start <= start < one.end), None)
        last = next((one for one in found if one.start < end <= one.end), None)
        if first is None:
            left = text[max(0, start - 1) : start]
        elif start > 0 and text[start - 1] in SIGNS and first.start < start:
            left = "-"
        else:
            left = text[first.start : start]
        # Numerals that are part of a word (三农, 第十五个五年规划) need what stands around them.
        unit = _UNIT_BEHIND.match(text, end - 1)
        behind = _word_behind(text, end) if last is None or unit is None else unit.group()[1:]
        yield left, words + behind
        for year in _YEAR.findall(words):
            parts = re.split(f"[{re.escape(''.join(PARTING))}]", words)
            if year in parts[:1] + parts[-1:] and len(parts) > 1:
                yield "", year


def _word_behind(text: str, end: int) -> str:
    """The characters that make a word of a numeral: so many that no figure is read from it without the rest. 五年规
    alone would be read as five years, 五年规划 is none."""
    after = end + AFTER
    while after < len(text) and any(one.start < end <= one.end for one in figures(text[:after])):
        after += 1
    return text[end:after]


def chains(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the chains of a text; see the module's docstring. A run of Latin letters alone is one, too."""
    at = 0
    while at < len(text):
        if not (is_numeral(text[at]) or is_letter(text[at])):
            at += 1
            continue
        start, end = at, _run(text, at)
        while (further := _joined(text, end)) is not None:
            end = further
        yield start, end
        at = end


def _run(text: str, at: int) -> int:
    """The end of a run of numerals and letters, with the signs behind a numeral."""
    while at < len(text):
        character = text[at]
        suffix = character in SUFFIXES and is_numeral(text[at - 1])
        if not (is_numeral(character) or is_letter(character) or suffix):
            break
        at += 1
    return at


def _joined(text: str, end: int) -> int | None:
    """The end of a chain that goes on behind `end` over what joins, None where it does not."""
    if not (is_numeral(text[end - 1]) or text[end - 1] in SUFFIXES or is_letter(text[end - 1])):
        return None
    at, spaced, how = end, True, ""
    while at < len(text) and (joint := joins(text[at])):
        spaced = spaced and text[at].isspace()
        how = "any" if "any" in (joint, how) else joint
        at += 1
    if at == end or at == len(text):
        return None
    letters = is_letter(text[end - 1])
    if letters and text[end:at] not in SIGNS and not _has_numeral_before(text, end):
        return None
    if spaced and (text[at] in "%‰‱倍"):
        return at + 1
    if not is_numeral(text[at]):
        return None
    # Numbers side by side in a line of a table are figures each for itself.
    if (spaced or how == "chinese") and text[at] not in CHINESE:
        return None
    return _run(text, at)


def _has_numeral_before(text: str, end: int) -> bool:
    """Whether the run that ends here has a numeral in it."""
    while end and (is_letter(text[end - 1]) or is_numeral(text[end - 1])):
        end -= 1
        if is_numeral(text[end]):
            return True
    return False


class Vocabulary:
    """Which bytes each token of a tokenizer stands for in a text, and which tokens the lock must look at.

    Knows byte-level BPE, Unigram and BPE with ▁ and byte tokens, WordPiece, and whole characters; every other decoder
    is asked for each token behind another one.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.size = size
        # The tags of thinking are text here, whatever a tokenizer calls them: what they enclose is left out by them.
        added = tokenizer.get_added_vocab()
        self.special = frozenset(tokenizer.all_special_ids) - {added.get(THINK), added.get(THOUGHT)}
        self.pieces = _pieces(tokenizer, size, self.special)
        self._by_first: dict[int, list[int]] = {}
        plain: list[int] = []
        worded: list[int] = []
        touchy: list[int] = []
        for token, piece in enumerate(self.pieces):
            if not piece:
                continue
            self._by_first.setdefault(piece[0], []).append(token)
            if _is_touchy(piece):
                touchy.append(token)
            elif is_letter(chr(piece[0])):
                worded.append(token)
            else:
                plain.append(token)
        self.plain, self.worded, self.touchy = tuple(plain), tuple(worded), tuple(touchy)

    def beginning(self, first: Iterable[int]) -> Iterator[int]:
        """Tokens whose first byte is one of these."""
        for byte in set(first):
            yield from self._by_first.get(byte, ())


def _is_touchy(piece: bytes) -> bool:
    """Whether a token must be read character by character: it holds a numeral, a sign behind one, a bracket, or a part
    of a character. All others can do no harm where text is free."""
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return True
    return any(c == "[" or is_numeral(c) or c.translate(_FOLD) in SUFFIXES for c in text)


def _pieces(tokenizer: Any, size: int, special: frozenset[int]) -> list[bytes]:
    """Token -> its bytes in a text, b"" for special tokens and ids that no token has."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    decoder = json.dumps(json.loads(backend.to_str())["decoder"]) if backend is not None else ""
    words = tokenizer.convert_ids_to_tokens(list(range(min(size, len(tokenizer)))))
    pieces = [b""] * size
    if "ByteLevel" in decoder:
        to_byte = {character: byte for byte, character in _byte_characters().items()}
        for token, word in enumerate(words):
            if word is not None and token not in special:
                known = all(character in to_byte for character in word)
                pieces[token] = bytes(to_byte[c] for c in word) if known else word.encode()
        return pieces
    anchor, before = _anchor(tokenizer, words, special)
    for token, word in enumerate(words):
        if word is None or token in special:
            continue
        byte = re.fullmatch(r"<0x([0-9A-Fa-f]{2})>", word)
        if byte and "ByteFallback" in decoder:
            pieces[token] = bytes([int(byte[1], 16)])
        else:
            decoded = tokenizer.decode([anchor, token], skip_special_tokens=True, clean_up_tokenization_spaces=False)
            pieces[token] = decoded[len(before) :].encode() if decoded.startswith(before) else word.encode()
    return pieces


def _anchor(tokenizer: Any, words: Sequence[str | None], special: frozenset[int]) -> tuple[int, str]:
    """A token behind which others are decoded as they are within a text, and its own text: a Han character."""
    for token, word in enumerate(words):
        if word and token not in special and re.fullmatch("[\u4e00-\u9fff]", word):
            return token, tokenizer.decode([token], clean_up_tokenization_spaces=False)
    return 0, tokenizer.decode([0], clean_up_tokenization_spaces=False)


def _byte_characters() -> dict[int, str]:
    """The character by which byte-level BPE writes each byte (GPT-2, Radford et al. 2019): printable ones stand for
    themselves, the others are moved up by 256."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(moved)}


class LockProcessor:
    """A LogitsProcessor for `generate`: row i of the batch is held by locks[i], None leaving it free.

    Reads what follows the first `prompt` tokens. Keeps no state of its own between calls but a memory of texts it has
    read, so that it may be asked about any continuation, as prompt-lookup decoding does.

    For greedy decoding: the best token that may come is left the best, tried from the best down; the whole vocabulary
    is masked only where few tokens fit, in the middle of a figure.
    """

    TRIED = 64

    def __init__(
        self, locks: Sequence[NumberLock | None], vocabulary: Vocabulary, ends: Iterable[int], prompt: int
    ) -> None:
        self.locks = list(locks)
        self.vocabulary = vocabulary
        self.ends = frozenset(ends)
        self.prompt = prompt
        self._read: list[list[tuple[int, State]]] = [[] for _ in self.locks]
        self._masks: dict[tuple[NumberLock, State], torch.Tensor] = {}
        self._ways: dict[tuple[NumberLock, State], bool] = {}

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for row, lock in enumerate(self.locks):
            if lock is not None:
                self._hold(row, lock, input_ids[row, self.prompt :].tolist(), scores[row])
        return scores

    def state(self, row: int, tokens: Sequence[int]) -> State:
        """The state after these tokens, reading on from the longest beginning that was read before."""
        lock = self.locks[row]
        assert lock is not None
        read = self._read[row]
        known = 0
        while known < min(len(read), len(tokens)) and read[known][0] == tokens[known]:
            known += 1
        del read[known:]
        state = read[-1][1] if read else START
        for token in tokens[known:]:
            state = lock.feed(state, self.vocabulary.pieces[token])
            read.append((token, state))
        return state

    def _hold(self, row: int, lock: NumberLock, tokens: list[int], scores: torch.Tensor) -> None:
        if self.ends.intersection(tokens):
            return  # this row has ended; what follows is padding
        state = self.state(row, tokens)
        best = int(scores.argmax())
        if self.may(lock, state, best):
            return
        if not state.rest and lock.is_open(state):
            tried = scores.topk(min(self.TRIED, len(scores))).indices.tolist()
            for place, token in enumerate(tried):
                if self.may(lock, state, token):
                    scores[tried[:place]] = -float("inf")
                    return
        if (lock, state) not in self._masks:
            self._masks[lock, state] = self._mask(lock, state).to(scores.device)
        scores.masked_fill_(self._masks[lock, state], -float("inf"))

    def may(self, lock: NumberLock, state: State, token: int) -> bool:
        """Whether a token may come next, and whether the text can then be brought to an end."""
        if token in self.ends:
            return lock.accepts(state)
        piece = self.vocabulary.pieces[token] if token < self.vocabulary.size else b""
        if not piece or (state.rest and not 0x80 <= piece[0] < 0xC0):
            return False
        after = lock.feed(state, piece)
        return bool(after.alternatives) and self._leads_out(lock, after)

    def _leads_out(self, lock: NumberLock, state: State) -> bool:
        """Whether some tokens lead from here to a place where the text may end: a tokenizer that lacks a piece of a
        figure must not be led into it."""
        if lock.accepts(state):
            return True
        key = lock, state
        if key not in self._ways:
            self._ways[key] = False  # a way that comes back here is none
            self._ways[key] = any(self.may(lock, state, token) for token in self._candidates(lock, state))
        return self._ways[key]

    def _candidates(self, lock: NumberLock, state: State) -> Iterable[int]:
        """The tokens that may go on an unfinished figure, mark or character."""
        if state.rest:
            return self.vocabulary.beginning(range(0x80, 0xC0))
        return self.vocabulary.beginning(character.encode()[0] for character in lock.expected(state))

    def _mask(self, lock: NumberLock, state: State) -> torch.Tensor:
        """(vocabulary,) bool, True where a token is forbidden."""
        import torch

        allowed: list[int] = []
        asked: set[int] = set(self._candidates(lock, state))
        if not state.rest and lock.is_open(state):
            allowed += self.vocabulary.plain
            asked |= set(self.vocabulary.touchy)
            if lock.step(state, "a").alternatives:
                allowed += self.vocabulary.worded
        allowed += [token for token in asked if self.may(lock, state, token)]
        if lock.accepts(state):
            allowed += self.ends
        mask = torch.ones(self.vocabulary.size, dtype=torch.bool)
        mask[allowed] = False
        return mask
