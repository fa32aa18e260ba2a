"""Words -> a `tokenizers` Unigram model: pure JSON, no jieba when the model is used."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNKNOWN = "<unk>"


def general_frequencies() -> dict[str, int]:
    """The words of jieba's dictionary and how often they occur in the general Chinese text it was made from."""
    import jieba

    with jieba.get_dict_file() as file:
        rows = (line.decode("utf-8").split() for line in file)
        return {row[0].lower(): int(row[1]) for row in rows}


def choose_words(
    general: Mapping[str, int], corpus: Sequence[str], own: Sequence[str], least: int, common: int
) -> Counter[str]:
    """The vocabulary with its counts: dictionary words that occur `least` times in `corpus` or once in `own` (the
    texts people wrote), the `common` most frequent words of general text, and every letter and digit seen."""
    dictionary = {**dict.fromkeys(characters([*corpus, *own]), 1), **general}
    tokenizer = unigram_tokenizer(dictionary)
    in_corpus, in_own = count_words(tokenizer, corpus), count_words(tokenizer, own)
    frequent = sorted((word for word in general if len(word) > 1), key=lambda word: (-general[word], word))[:common]
    chosen = {word for word, count in in_corpus.items() if count >= least}
    chosen.update(in_own, frequent, characters([*corpus, *own]))
    return Counter({word: max(1, in_corpus[word] + in_own[word]) for word in chosen - {UNKNOWN}})


def unigram_tokenizer(counts: Mapping[str, int]) -> Tokenizer:
    """A tokenizer that finds the most probable sequence of the words of `counts`, as jieba.cut(HMM=False) does.

    Width, case and figures are levelled first: every number becomes "0", because a figure does not say what a passage
    is about and is the keyword search's business. Punctuation is dropped.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    total = math.log(sum(counts.values()))
    words = sorted(counts, key=lambda word: (-counts[word], word))
    scores = [(UNKNOWN, -2 * total), *((word, math.log(counts[word]) - total) for word in words)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=False))
    figure = normalizers.Replace(Regex(r"\d+(?:[.,]\d+)*"), "0")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), figure])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("removed")]
    )
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], batch: int = 20000) -> list[list[int]]:
    """Texts -> token ids, one list a text."""
    ids: list[list[int]] = []
    for start in range(0, len(texts), batch):
        encodings = tokenizer.encode_batch(list(texts[start : start + batch]), add_special_tokens=False)
        ids.extend(encoding.ids for encoding in encodings)
    return ids


def count_words(tokenizer: Tokenizer, texts: Sequence[str]) -> Counter[str]:
    """How often each word of the tokenizer occurs in the texts."""
    counts = Counter(token for row in encode(tokenizer, texts) for token in row)
    words = words_of(tokenizer)
    return Counter({words[token]: count for token, count in counts.items()})


def words_of(tokenizer: Tokenizer) -> list[str]:
    """The words of the tokenizer in the order of their ids."""
    ids = tokenizer.get_vocab()
    return sorted(ids, key=ids.__getitem__)


def characters(texts: Iterable[str]) -> set[str]:
    """The letters and digits that occur, lower case."""
    return {character for text in texts for character in set(text.lower()) if character.isalnum()}


def contained_words(words: Sequence[str]) -> list[list[int]]:
    """For each word the positions in `words` of the shorter words and characters inside it.

    >>> contained_words(["养", "养老", "养老金"])
    [[], [0], [0, 1]]
    """
    position = {word: i for i, word in enumerate(words)}
    inside: list[list[int]] = []
    for word in words:
        spans = ((i, i + n) for n in range(1, len(word)) for i in range(len(word) - n + 1))
        parts = (word[a:b] for a, b in spans) if word != UNKNOWN else ()
        inside.append([position[part] for part in parts if part in position])
    return inside
