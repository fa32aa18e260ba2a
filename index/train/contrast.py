"""Contrastive training of the word vectors: a question should be nearest to its own passage of all in the batch
(van den Oord, Li and Vinyals 2018, https://arxiv.org/abs/1807.03748; MultipleNegativesRankingLoss).

A word's vector is the sum of its own and the mean of those of the shorter words inside it (as fastText composes
n-grams, https://aclanthology.org/Q17-1010), times a weight: what is learnt of 养老 reaches 养老保险. The sum is worked
out once at the end, so the model itself is a plain table.

The table is used in two ways, and trained for both: as the mean of a text's words (index.embed), and word by word
(late interaction, rag.align), which finds the one sentence of a paragraph that answers.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.embed import unit_rows
from index.train.corpus import Entry, Prepared
from index.train.lessons import Ids, Pair, cloze, drop, occurrences, reworded
from index.train.vocabulary import contained_words, encode

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor


T = TypeVar("T")

OWN_DIRECTION = 0.7  # length of a word's random direction beside its vector of length 1


@dataclass(frozen=True)
class Settings:
    """`scale` multiplies the cosine (the inverse of a temperature); the rates are Adam's, falling to 0 over `steps`;
    the dropped shares are of the tokens of prepared questions and of their passages. Of late interaction: questions a
    step, sentences drawn beside those that answer and their neighbours, words of a sentence at most, and what is taken
    off for the logarithm of their number, since a long sentence has some word for everything."""

    steps: int = 400
    batch: int = 512
    rate: float = 0.0015
    weight_rate: float = 0.01
    warmup: int = 20
    scale: float = 14.0
    dropped_of_question: float = 0.4
    dropped_of_passage: float = 0.3
    reworded_share: float = 0.5
    lexicon_share: float = 0.5
    late_batch: int = 96
    late_others: int = 220
    late_words: int = 56
    late_dropped_of_question: float = 0.25
    late_dropped_of_passage: float = 0.2
    length_penalty: float = 0.55
    seed: int = 1


@dataclass(frozen=True)
class Material:
    """Everything that is learnt from. `articles`: sentences of each article."""

    articles: Sequence[Sequence[str]]
    lexicon: Sequence[Entry]
    prepared: Sequence[Prepared]


@dataclass(frozen=True)
class Words:
    """The parameters: `own` and `shared` (words, dimension), `log_weight` (words,); `inside[bounds[i]:bounds[i + 1]]`
    are the words inside word i."""

    own: Tensor
    shared: Tensor
    log_weight: Tensor
    inside: Tensor
    bounds: Tensor


def start(vectors: NDArray[np.float32], weights: NDArray[np.float64], words: Sequence[str], seed: int) -> Words:
    """Parameters from word vectors (words, dimension) and weights (words,).

    Each word also gets a random direction of its own: words of like company must stay apart where the very word is
    asked for.
    """
    import torch

    rng = np.random.default_rng(seed)
    random_rows = unit_rows(rng.standard_normal(vectors.shape, dtype=np.float32))
    inside = contained_words(words)
    return Words(
        torch.tensor(unit_rows(unit_rows(vectors) + OWN_DIRECTION * random_rows)).requires_grad_(),
        torch.tensor(random_rows).requires_grad_(),
        torch.tensor(np.log(weights), dtype=torch.float32).requires_grad_(),
        torch.tensor(list(chain.from_iterable(inside)), dtype=torch.int64),
        torch.tensor([0, *accumulate(map(len, inside))], dtype=torch.int64),
    )


def word_vectors(words: Words, which: Tensor) -> Tensor:
    """The vectors (n, dimension) of the words `which` (n,)."""
    import torch
    from torch.nn.functional import embedding_bag

    lengths = words.bounds[which + 1] - words.bounds[which]
    offsets = lengths.cumsum(0) - lengths
    within = torch.arange(int(lengths.sum())) - offsets.repeat_interleave(lengths)
    parts = words.inside[words.bounds[which].repeat_interleave(lengths) + within]
    vectors = words.own[which] + embedding_bag(parts, words.shared, offsets, mode="mean")
    return vectors * words.log_weight[which].exp()[:, None]


def embed(words: Words, texts: Sequence[Ids]) -> Tensor:
    """Texts as token ids -> unit rows (n, dimension)."""
    import torch
    from torch.nn.functional import embedding_bag, normalize

    tokens = torch.tensor(list(chain.from_iterable(texts)), dtype=torch.int64)
    offsets = torch.tensor([0, *accumulate(map(len, texts[:-1]))], dtype=torch.int64)
    distinct, position = torch.unique(tokens, return_inverse=True)
    return normalize(embedding_bag(position, word_vectors(words, distinct), offsets, mode="mean"), dim=1)


def pair_loss(words: Words, pairs: Sequence[Pair], tokenizer: Tokenizer, scale: float) -> Tensor:
    """Cross-entropy of finding each question's passage among all passages of the batch; the same passage under another
    question is no wrong answer."""
    import torch
    from torch.nn.functional import cross_entropy

    texts = iter(encode(tokenizer, [pair.question for pair in pairs if isinstance(pair.question, str)]))
    questions = [next(texts) if isinstance(pair.question, str) else pair.question for pair in pairs]
    usable = [(question, pair.passage) for question, pair in zip(questions, pairs, strict=True) if question]
    rows = embed(words, [*(question for question, _ in usable), *(passage for _, passage in usable)])
    scores = rows[: len(usable)] @ rows[len(usable) :].T * scale
    numbers: dict[tuple[int, ...], int] = {}
    same = torch.tensor([numbers.setdefault(tuple(passage), len(numbers)) for _, passage in usable])
    duplicate = (same[:, None] == same[None, :]) & ~torch.eye(len(usable), dtype=torch.bool)
    return cross_entropy(scores.masked_fill(duplicate, -torch.inf), torch.arange(len(usable)))


@dataclass(frozen=True)
class Reading:
    """Prepared questions as token ids. For each row of them `questions[row]`; `wholes` and `sentences` of all rows one
    after the other, and for each question the positions among these of those that answer it."""

    questions: Sequence[Sequence[Ids]]
    wholes: Sequence[Ids]
    sentences: Sequence[Ids]
    gold_wholes: Sequence[Sequence[Sequence[int]]]
    gold_sentences: Sequence[Sequence[Sequence[int]]]


def reading(prepared: Sequence[Prepared], tokenizer: Tokenizer) -> Reading:
    """Prepared questions, encoded; one without a known word is left out."""
    questions, gold_wholes, gold_sentences = [], [], []
    first_whole = first_sentence = 0
    for row in prepared:
        encoded = encode(tokenizer, row.questions)
        kept = [number for number, ids in enumerate(encoded) if ids]
        questions.append([encoded[number] for number in kept])
        gold_wholes.append([[first_whole + at for at in row.gold_wholes[number]] for number in kept])
        gold_sentences.append([[first_sentence + at for at in row.gold_sentences[number]] for number in kept])
        first_whole += len(row.wholes)
        first_sentence += len(row.sentences)
    return Reading(
        questions,
        encode(tokenizer, [text for row in prepared for text in row.wholes]),
        encode(tokenizer, [text for row in prepared for text in row.sentences]),
        gold_wholes,
        gold_sentences,
    )


def reading_loss(words: Words, lesson: Reading, settings: Settings, rng: random.Random) -> Tensor:
    """How far the answers of one question of each row are from being found among all: once by the chunks as wholes,
    once by their sentences, for an index holds both. -log of the share of the softmax that falls on right ones."""
    chosen = [rng.randrange(len(questions)) for questions in lesson.questions]
    asked = [
        drop(questions[number], settings.dropped_of_question, rng)
        for number, questions in zip(chosen, lesson.questions, strict=True)
    ]
    keys = [drop(ids, settings.dropped_of_passage, rng) for ids in chain(lesson.wholes, lesson.sentences)]
    rows = embed(words, [*asked, *keys])
    count, wholes = len(asked), len(lesson.wholes)
    scores = rows[:count] @ rows[count:].T * settings.scale
    gold_wholes = [golds[number] for number, golds in zip(chosen, lesson.gold_wholes, strict=True)]
    gold_sentences = [golds[number] for number, golds in zip(chosen, lesson.gold_sentences, strict=True)]
    return (missed(scores[:, :wholes], gold_wholes) + missed(scores[:, wholes:], gold_sentences)) / 2


def late_loss(words: Words, lesson: Reading, settings: Settings, rng: random.Random) -> Tensor:
    """How far the sentences that answer are from being found word by word, among their neighbours and others drawn at
    random. Every row of the lesson has the same chance, however many questions it has."""
    import torch

    rows = rng.choices(range(len(lesson.questions)), k=settings.late_batch)
    chosen = [(row, rng.randrange(len(lesson.questions[row]))) for row in rows]
    golds = [lesson.gold_sentences[row][number] for row, number in chosen]
    right = {position for gold in golds for position in gold}
    near = {position + step for position in right for step in (-1, 1)} & set(range(len(lesson.sentences)))
    drawn = rng.sample(range(len(lesson.sentences)), min(settings.late_others, len(lesson.sentences)))
    candidates = sorted(right | near | set(drawn))
    place = {position: number for number, position in enumerate(candidates)}
    questions = [drop(lesson.questions[row][number], settings.late_dropped_of_question, rng) for row, number in chosen]
    sentences = [_distinct(lesson.sentences[position], settings, rng) for position in candidates]
    lengths = torch.tensor([math.log(max(1, len(set(lesson.sentences[position])))) for position in candidates])
    scores = late(words, questions, sentences) * settings.scale - settings.length_penalty * lengths
    return missed(scores, [[place[position] for position in gold] for gold in golds])


def _distinct(ids: Ids, settings: Settings, rng: random.Random) -> Ids:
    kept = list(dict.fromkeys(drop(ids, settings.late_dropped_of_passage, rng))) or [0]
    return kept if len(kept) <= settings.late_words else rng.sample(kept, settings.late_words)


def late(words: Words, questions: Sequence[Ids], texts: Sequence[Ids]) -> Tensor:
    """(n_questions, n_texts): the mean, by their weights, over the words of a question of the cosine with the word of a
    text most like it."""
    import torch
    from torch.nn.functional import normalize

    asked, asked_at = torch.unique(torch.tensor(list(chain.from_iterable(questions))), return_inverse=True)
    held, held_at = torch.unique(torch.tensor(list(chain.from_iterable(texts))), return_inverse=True)
    of_asked, of_held = word_vectors(words, asked), word_vectors(words, held)
    cosines = normalize(of_asked, dim=1) @ normalize(of_held, dim=1).T
    in_texts, filled = _padded(held_at, [len(text) for text in texts])
    each = cosines.index_select(1, in_texts.reshape(-1)).reshape(len(asked), *in_texts.shape)
    best = each.masked_fill(~filled, -1.0).amax(2)  # (n_asked, n_texts)
    in_questions, present = _padded(asked_at, [len(question) for question in questions])
    weights = of_asked.norm(dim=1)[in_questions] * present
    weights = weights / weights.sum(1, keepdim=True)
    return torch.einsum("qw,qwt->qt", weights, best[in_questions])


def _padded(flat: Tensor, lengths: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Runs of `flat` as rows (n, longest), padded with 0, and which places are filled."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    filled = torch.arange(max(lengths))[None, :] < torch.tensor(lengths)[:, None]
    return pad_sequence(list(torch.split(flat, list(lengths))), batch_first=True), filled


def missed(scores: Tensor, gold: Sequence[Sequence[int]]) -> Tensor:
    """Mean over the rows of `scores` (n, candidates) of -log of the softmax's share on the right candidates."""
    import torch

    right = torch.zeros_like(scores, dtype=torch.bool)
    for row, positions in enumerate(gold):
        right[row, list(positions)] = True
    return (scores.logsumexp(1) - scores.masked_fill(~right, -torch.inf).logsumexp(1)).mean()


def train(
    words: Words,
    tokenizer: Tokenizer,
    material: Material,
    settings: Settings,
    progress: Callable[[str], None] = lambda message: None,
) -> NDArray[np.float32]:
    """Train in place; return the table of vectors (words, dimension), the unknown word's row zero.

    Every step learns from one question to each prepared passage, from a batch of questions word by word, and from a
    batch each of cloze pairs, reworded stretches and lexicon entries; the laws keep general language from being
    forgotten.
    """
    import torch

    rng = random.Random(settings.seed)
    draws = pair_lessons(material, tokenizer, settings, rng)
    lesson = reading(material.prepared, tokenizer)
    optimizer = torch.optim.Adam(
        [
            {"params": [words.own, words.shared], "lr": settings.rate},
            {"params": [words.log_weight], "lr": settings.weight_rate},
        ]
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / settings.warmup) * (1 - step / settings.steps)
    )
    for step in range(1, settings.steps + 1):
        losses = [share * pair_loss(words, draw(), tokenizer, settings.scale) for share, draw in draws]
        read = (reading_loss(words, lesson, settings, rng), late_loss(words, lesson, settings, rng))
        loss = torch.stack([*losses, *read]).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == settings.steps:
            progress(f"step {step} of {settings.steps}: loss {loss.item():.3f}")
    with torch.no_grad():
        table: NDArray[np.float32] = word_vectors(words, torch.arange(len(words.own))).numpy()
    table[0] = 0
    return table


def pair_lessons(
    material: Material, tokenizer: Tokenizer, settings: Settings, rng: random.Random
) -> tuple[tuple[float, Callable[[], list[Pair]]], ...]:
    """The three lessons made of pairs: the share of each in the loss, and what draws a batch of it."""
    encoded = iter(encode(tokenizer, list(chain.from_iterable(material.articles))))
    ids = [[next(encoded) for _ in article] for article in material.articles]
    filled = [article for article in ids if any(article)]
    places = [at for at in occurrences(material.articles, material.lexicon) if ids[at.article][at.sentence]]
    entries = [
        (entry.word, terms)
        for entry in material.lexicon
        if (terms := list(filter(None, encode(tokenizer, entry.terms))))
    ]

    def some(items: Sequence[T]) -> list[T]:
        return rng.sample(items, min(settings.batch, len(items)))

    return (
        (1.0, lambda: [cloze(article, rng) for article in some(filled)]),
        (settings.reworded_share, lambda: [reworded(at, material.articles, ids, rng) for at in some(places)]),
        (settings.lexicon_share, lambda: [Pair(word, rng.choice(terms)) for word, terms in some(entries)]),
    )
