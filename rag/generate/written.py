"""An answer in a model's words, of which nothing is shown that the sources do not bear out.

    evidence -> prompt -> the model, under the number lock -> sentences, each checked as soon as it is whole
      passes        shown
      fails         written once more with the reason, else left out
      too little is left, or the model fails: the quoting answerer speaks instead, and a note says so

A sentence passes when it ends in a mark and all of it rests on the passage of that mark: its figures with unit and year
(rag/verify.py), its ordinals and names with digits, its words by a share, and its negations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from index.errors import ModelMissing
from index.figures import amounts, figures, normalise
from index.keyword import fold
from rag.cite import MARK, cite
from rag.disagree import differing
from rag.errors import GenerationError, PromptTooLong
from rag.generate.extractive import Extractive
from rag.generate.model import Message, Model, written_by
from rag.generate.number_lock import NumberLock
from rag.phrase import row_words
from rag.prompts import lines, render
from rag.types import Aside, Citation, Evidence, Passage, Query, Selection
from rag.verify import NO_FIGURE, NO_MARK, Cited, verify

SHOWN = 6  # passages that the model reads
REWRITTEN = 3  # sentences that are written once more, at most
SUPPORTED = 0.6  # share of a sentence's words that must stand in the passage it cites
NO_WORDS = "所引的段落里没有这些内容"
OTHER_SENSE = "所引的段落里没有“{word}”的意思"
LONGEST = 400  # tokens of an answer
LONGEST_SENTENCE = 120  # tokens

_SENTENCE = re.compile(r"[^\n]*?[。！？!?][”」』）)]*(?:\s?\[\d+\])*(?=[^\s\[”」』）)])|[^\n]*\n+")
_ITEM = re.compile(r"^[\s*]*(?:\d{1,2}[.、)）．]|[-*•])\s*")
_SIGNS = re.compile(r"[\W_]+")
_EDITOR = "〔拟题〕"
_BOUND = re.compile(r"不(?:低于|少于|小于|超过|高于|大于|足|断|同)")
# Words that turn the sense: a sentence may have them where its passage does.
TURNING = (
    "不", "没有", "未", "无", "取消", "停", "禁止", "减少", "下降", "降低", "推迟", "暂缓", "撤销",
    "增加", "提高", "增长",
)  # fmt: skip
# Words that say nothing of the matter.
COMMON = frozenset(lines("llm_common"))


@dataclass(frozen=True)
class Written:
    """Callable: (query, selection) -> pieces of the answer and asides.

    `cited` gives the words a citation rests on, `cut` cuts a text into words, `plain` quotes where the model fails.
    """

    model: Model
    cited: Callable[[Citation], Cited]
    cut: Callable[[str], Sequence[str]]
    plain: Extractive

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def at_once(self) -> int:
        return self.model.at_once

    def __call__(self, query: Query, selection: Selection) -> Generator[str | Aside, None, None]:
        try:
            yield from self._answer(query, selection)
        except (GenerationError, ModelMissing) as error:
            yield from self._quoted(query, selection, render("stand_in", reason=str(error)))

    def _quoted(self, query: Query, selection: Selection, note: str) -> Iterator[str | Aside]:
        yield Aside(note, afresh=True, backend=self.plain.name)
        yield from self.plain(query, selection)

    def _answer(self, query: Query, selection: Selection) -> Generator[str | Aside, None, None]:
        every = passages_of(selection)[:SHOWN]
        shown, messages, lock, pieces = self._begin(query, every)
        notes = [] if len(shown) == len(every) else [render("fewer_passages", count=str(len(shown)))]
        told: list[str] = []
        waiting: list[tuple[str, str]] = []  # sentences since the first that failed, and why they did
        with closing(pieces):
            for sentence in sentences_of(pieces):
                if not _SIGNS.sub("", MARK.sub("", _ITEM.sub("", sentence))):
                    continue
                reason = self.fault(sentence, query, shown)
                if waiting or reason:
                    if not told and not waiting and declines(sentence):
                        yield Aside(render("model_refused"), afresh=True, refused=True)
                        return
                    waiting.append((sentence, reason))
                else:
                    told.append(sentence)
                    yield ranked(sentence, shown)
        dropped = 0
        for place, (sentence, reason) in enumerate(waiting):
            mended = sentence
            if reason:
                again = dropped < REWRITTEN and not declines(sentence)
                mended = self._again(messages, lock, query, shown, sentence, reason) if again else ""
                dropped += not mended
            if mended:
                last = place == len(waiting) - 1
                mended = mended if mended.endswith("\n") or last else mended + sentence[len(sentence.rstrip("\n")) :]
                told.append(mended)
                yield ranked(mended, shown)
        if dropped and not self._enough("".join(told), query, selection, shown):
            yield from self._quoted(query, selection, render("unsupported"))
            return
        if not told:
            raise GenerationError("模型没有写出答案")
        if dropped:
            notes.append(render("dropped", count=str(dropped)))
        yield from self._besides(ranked("".join(told), shown), query, selection)
        if notes:
            yield Aside("".join(notes))

    def _begin(
        self, query: Query, every: Sequence[Passage]
    ) -> tuple[Sequence[Passage], list[Message], NumberLock, Generator[str, None, None]]:
        """The model set to write, with as many whole passages, from the best down, as it can read."""
        for count in range(len(every), 0, -1):
            shown = every[:count]
            texts = [words_of(passage) for passage in shown]
            lock = NumberLock([*texts, query.text], count)
            messages = prompt(query, texts)
            pieces = self.model.write(messages, lock, LONGEST)
            try:
                first = next(pieces, "")
            except PromptTooLong as error:
                if count == 1:
                    raise GenerationError(f"{error}") from error
                continue
            return shown, messages, lock, _resumed(first, pieces)
        raise GenerationError("没有可供模型阅读的段落")

    def _again(
        self,
        messages: Sequence[Message],
        lock: NumberLock,
        query: Query,
        shown: Sequence[Passage],
        failed: str,
        why: str,
    ) -> str:
        """A sentence written once more, "" where that fails, too."""
        wanted = render("llm_rewrite", sentence=failed.strip(), reason=why, refusal=render("llm_refusal"))
        said = [*messages, Message("assistant", failed.strip()), Message("user", wanted)]
        try:
            written = written_by(self.model, said, lock, LONGEST_SENTENCE)
        except PromptTooLong:
            return ""  # what was written before it stands
        first = next(iter(sentences_of([written])), "")
        return first if first.strip() and not self.fault(first, query, shown) else ""

    def fault(self, sentence: str, query: Query, shown: Sequence[Passage]) -> str:
        """Why a sentence may not be shown, "" where it may. Marks number the passages shown from 1."""
        body = _ITEM.sub("", MARK.sub("", sentence)).strip()
        marked, citations = cite(ranked(sentence, shown), shown)
        if not citations:
            told = all(check.ok for check in verify(body, {}, (query.text,)))  # 四大基地 as the question has it
            headed = body.endswith(("：", ":")) and told
            sources = [*(words_of(passage) for passage in shown), query.text]
            return self._wording_fault(body, "".join(sources)) if headed else NO_MARK
        last = max((match.start() for match in MARK.finditer(marked)), default=-1)
        if _SIGNS.sub("", MARK.sub("", marked[last:])):
            return NO_MARK  # of what stands behind the last mark
        evidence = {citation.n: self.cited(citation) for citation in citations}
        for check in verify(marked, evidence):
            if not check.ok:
                return f"{check.figure.text}：{check.reason}"
        numbers = {int(number) for number in MARK.findall(sentence)}
        support = "\n".join(words_of(passage) for n, passage in enumerate(shown, 1) if n in numbers)
        for figure in figures(body):
            if figure.kind in ("ordinal", "identifier") and normalise(figure.text) not in normalise(support):
                return f"{figure.text}：{NO_FIGURE}"
        return self._wording_fault(body, support)

    def _wording_fault(self, body: str, support: str) -> str:
        """Whether the words of a sentence, other than its figures, are those of what it cites."""
        known = fold(support)
        plain = _BOUND.sub("", body)
        for word in TURNING:
            if word in plain and word not in known:
                return OTHER_SENSE.format(word=word)
        words = {fold(word) for word in self.cut(body) if re.fullmatch("[\u3400-\u9fffA-Za-z]{2,}", word)} - COMMON
        if words and sum(word in known for word in words) < SUPPORTED * len(words):
            return NO_WORDS
        return ""

    def _enough(self, told: str, query: Query, selection: Selection, shown: Sequence[Passage]) -> bool:
        """Whether what is left of an answer still answers: every part of the question, a figure where one is asked."""
        ranks = {passage.rank for n, passage in enumerate(shown, 1) if f"[{n}]" in told}
        if not ranks or (len(selection.parts) > 1 and not {one.passage.rank for one in selection.parts} <= ranks):
            return False
        quantities = amounts(MARK.sub("", told))
        return query.want != "figure" or bool(quantities)

    def _besides(self, told: str, query: Query, selection: Selection) -> Iterator[str]:
        """What must be said whoever speaks: the other side where the documents disagree, and what was not found."""
        if len(selection.parts) == 1 and (other := differing(query, selection.parts[0], selection.evidence)):
            for one in (selection.parts[0], other):
                if f"[{one.passage.rank}]" not in told:
                    yield f"\n{render('differing_too')}{self.plain.quote(query, one)}"
        for asked in selection.unanswered:
            yield "\n" + render("side_missing", asked=asked)


def prompt(query: Query, texts: Sequence[str]) -> list[Message]:
    """The conversation that asks for an answer. What is the same for all questions comes first, so that a model may
    keep what it made of it."""
    listed = "\n".join(f"[{n}] {text}" for n, text in enumerate(texts, 1))
    return [
        Message("system", render("llm_system", refusal=render("llm_refusal"))),
        Message("user", render("llm_question", passages=listed, question=query.text)),
    ]


def passages_of(selection: Selection) -> list[Passage]:
    """The passages of the evidence, each once: those of the parts of the question, then by their best evidence."""
    chosen: dict[int, Evidence] = {}
    for one in (*selection.parts, *selection.evidence):
        chosen.setdefault(one.passage.rank, one)
    return [one.passage for one in chosen.values()]


def words_of(passage: Passage) -> str:
    """A passage as the model reads it: its titles, an editor's left out, and its words; a table row in words. Its own
    footnote signs are no marks."""
    chunk = passage.chunk
    titles = " › ".join(title for title in chunk.section if not title.startswith(_EDITOR))
    words = row_words(chunk) if chunk.cells else chunk.text
    text = " ".join(words.split())
    return MARK.sub(r"［\1］", f"（{titles}）{text}" if titles else text)


def sentences_of(pieces: Iterable[str]) -> Iterator[str]:
    """Whole sentences with the marks behind them, as soon as each is known to have ended; line breaks kept."""
    held = ""
    for piece in pieces:
        held += piece
        while sentence := _SENTENCE.match(held):
            yield sentence.group()
            held = held[sentence.end() :]
    if held.strip():
        yield held


def ranked(text: str, shown: Sequence[Passage]) -> str:
    """Marks that number the passages shown -> marks of their ranks; others are taken out."""
    ranks = {str(n): f"[{passage.rank}]" for n, passage in enumerate(shown, 1)}
    return MARK.sub(lambda mark: ranks.get(mark.group(1), ""), text)


def declines(sentence: str) -> bool:
    """Whether a sentence is the refusal that the prompt asks for."""
    return _SIGNS.sub("", render("llm_refusal")) in _SIGNS.sub("", sentence)


def _resumed(first: str, pieces: Generator[str, None, None]) -> Generator[str, None, None]:
    with closing(pieces):
        yield first
        yield from pieces
