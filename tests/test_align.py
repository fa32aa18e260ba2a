"""Late interaction: every word of a question against the word of a text most like it, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from index.train.vocabulary import unigram_tokenizer
from rag.align import Aligner, load_aligner
from rag.bags import Bags

# 甲 points east with weight 1, 乙 north with weight 3, 丙 halfway between; 丁 has no vector.
TOKENIZER = unigram_tokenizer({"甲": 4, "乙": 3, "丙": 2, "丁": 1})
VECTORS = np.array([[0, 0], [1, 0], [0, 3], [2, 2], [0, 0]], dtype=np.float32)
ALIGNER = Aligner(TOKENIZER, VECTORS)
HALF = 2**-0.5


def test_words_of_a_question_weigh_by_their_length() -> None:
    words = ALIGNER.question("甲乙")
    assert words.shares.tolist() == pytest.approx([0.25, 0.75])
    assert np.linalg.norm(words.directions, axis=1) == pytest.approx([1, 1])


def test_each_word_is_met_by_the_one_most_like_it() -> None:
    met = ALIGNER.met(ALIGNER.question("甲乙"), Bags.of(ALIGNER.ids(["甲", "丙", "乙丙", ""])))
    assert met == pytest.approx(np.array([[1, HALF, HALF, 0], [0, HALF, 1, 0]]), abs=1e-6)


def test_a_question_or_text_without_known_words_is_met_by_nothing() -> None:
    assert ALIGNER.met(ALIGNER.question("丁"), Bags.of(ALIGNER.ids(["甲"]))).shape == (0, 1)
    assert ALIGNER.met(ALIGNER.question("甲"), Bags.of(ALIGNER.ids(["丁"]))).tolist() == [[0.0]]
    assert ALIGNER.mean("").tolist() == [0.0, 0.0]
    assert ALIGNER.mean("甲乙") == pytest.approx(np.array([1, 3]) / 10**0.5)


def test_everyday_words_are_met_by_official_ones() -> None:
    aligner = load_aligner()
    words = aligner.question("看病报销")
    right, wrong = words.share(aligner.met(words, Bags.of(aligner.ids(["基本医疗保险待遇", "高速公路通车里程"]))))
    assert right > wrong + 0.1
