"""The keyword side: how text is cut, and BM25 against a value worked out by hand and the formula written out."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.keyword import K1, B, Postings, Segmenter, bigrams, characters, fold, make_dictionary

TEXTS = [
    "到2030年,粮食产量达到50万吨以上。",
    "支持东山县和北川开发区建设清洁能源基地。",
    "推进5G网络、4×66万千瓦机组和Ⅲ类水质达标。",
]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(make_dictionary(TEXTS, ["北川开发区", "清洁能源基地"]))


# --- cutting


@pytest.mark.parametrize(
    ("text", "folded"),
    [("１２．５％", "12.5%"), ("ＡＢｃ", "abc"), ("Ⅲ类", "iii类"), ("Ш类", "iii类"), ("（一）", "(一)"), ("㎡", "m2")],
)
def test_variants_of_one_sign_are_equal(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text)
    assert fold(once.lower()) == fold(once)


def test_characters_keep_figures_and_latin_words_whole() -> None:
    assert characters("建5G网,达12.5%") == ["建", "5g", "网", "达", "12.5"]


def test_bigrams_stay_within_a_run() -> None:
    assert bigrams("粮食产量,达50万吨") == ["粮食", "食产", "产量", "50", "万吨"]
    assert bigrams("县") == []


# --- words


def test_own_terms_are_not_cut_apart(segmenter: Segmenter) -> None:
    words = segmenter.words("北川开发区的清洁能源基地")
    assert {"北川开发区", "清洁能源基地"} <= set(words)
    assert {"开发区", "能源"} <= set(words), "the shorter words inside are found too"
    without = Segmenter(make_dictionary(TEXTS, []))
    assert "北川开发区" not in without.words("北川开发区的清洁能源基地")


def test_words_of_one_sign_and_punctuation_are_left_out(segmenter: Segmenter) -> None:
    assert all(len(word) > 1 for text in TEXTS for word in segmenter.words(text))
    assert segmenter.words("，。、 \n") == []


def test_reloaded_dictionary_cuts_alike(segmenter: Segmenter) -> None:
    again = Segmenter(segmenter.dictionary)
    for text in [*TEXTS, "粮食和能源都要抓", "东山县开发5G"]:
        assert again.words(text) == segmenter.words(text)


def test_dictionary_is_the_same_for_any_order_and_holds_no_word_unseen() -> None:
    dictionary = make_dictionary(TEXTS, ["北川开发区", "清洁能源基地"])
    assert dictionary == make_dictionary(TEXTS[::-1], ["清洁能源基地", "北川开发区"])
    words = [line.split(" ")[0] for line in dictionary.splitlines()]
    assert words == sorted(set(words))
    assert all(any(word in fold(text) for text in TEXTS) for word in words)


def test_terms_with_blanks_do_not_break_the_dictionary() -> None:
    dictionary = make_dictionary(TEXTS, ["飞地\n经济", "飞地 经济", "飞地\u3000经济", "飞地\u2028经济", "", "县"])
    assert "飞地" not in dictionary
    assert Segmenter(dictionary).words("粮食产量") == Segmenter(make_dictionary(TEXTS, [])).words("粮食产量")


def test_cache_file_of_jieba_is_neither_read_nor_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = make_dictionary(TEXTS, [])
    (tmp_path / "jieba.cache").write_bytes(b"not a cache")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert Segmenter(make_dictionary(TEXTS, [])).dictionary == expected
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"jieba.cache": b"not a cache"}


def test_empty_documents() -> None:
    assert Segmenter(make_dictionary([], [])).words("粮食产量") == []


# --- BM25


def test_score_worked_out_by_hand() -> None:
    # Three chunks of 2, 3 and 1 terms, mean length 2; k1 = 1.2, b = 0.6.
    # 粮食 stands in one chunk of three: idf = ln(1 + (3 - 1 + 0.5) / (1 + 0.5)) = ln(8/3) = 0.980829
    # It stands there twice, the chunk has 3 terms: tf part = 2 * 2.2 / (2 + 1.2 * (0.4 + 0.6 * 3/2))
    #   = 4.4 / (2 + 1.56) = 1.235955;  score = 0.980829 * 1.235955 = 1.212261
    postings = Postings.of([["能源", "基地"], ["粮食", "粮食", "产量"], ["能源"]])
    assert (K1, B) == (1.2, 0.6)
    np.testing.assert_allclose(postings.scores({"粮食": 1.0}), [0, 1.212261, 0], atol=1e-6)
    # 能源 stands in two of three: idf = ln(1 + 1.5 / 2.5) = 0.470004. Once each, in chunks of 2 and 1 terms:
    #   2.2 / (1 + 1.2 * (0.4 + 0.6)) = 1, and 2.2 / (1 + 1.2 * (0.4 + 0.3)) = 1.195652;  half of it by weight 0.5.
    np.testing.assert_allclose(postings.scores({"能源": 0.5}), [0.235002, 0, 0.280980], atol=1e-6)


TERM = st.sampled_from("甲乙丙丁戊")


@given(
    st.lists(st.lists(TERM, max_size=8), min_size=1, max_size=8),
    st.dictionaries(st.sampled_from("甲乙丙丁戊己"), st.floats(0.1, 2), max_size=4),
)
def test_scores_equal_the_formula(chunks: list[list[str]], weights: dict[str, float]) -> None:
    mean = sum(map(len, chunks)) / len(chunks)
    expected = []
    for terms in chunks:
        score = 0.0
        for term, weight in weights.items():
            held = sum(term in other for other in chunks)
            idf = math.log(1 + (len(chunks) - held + 0.5) / (held + 0.5))
            tf = terms.count(term)
            if tf:
                score += weight * idf * tf * (1.2 + 1) / (tf + 1.2 * (1 - 0.6 + 0.6 * len(terms) / mean))
        expected.append(score)
    np.testing.assert_allclose(Postings.of(chunks).scores(weights), expected, rtol=1e-4, atol=1e-6)


def test_rarer_terms_weigh_more_and_unknown_ones_most() -> None:
    postings = Postings.of([["甲", "乙"], ["甲"], ["甲"]])
    assert postings.idf("甲") < postings.idf("乙") < postings.idf("丙")


def test_postings_are_sorted_and_complete() -> None:
    postings = Postings.of([["乙", "甲", "乙"], [], ["甲"]])
    assert postings.terms == ("乙", "甲")
    assert postings.starts.tolist() == [0, 1, 3]
    assert postings.chunks.tolist() == [0, 0, 2]
    assert postings.counts.tolist() == [2, 1, 1]
    assert postings.lengths.tolist() == [3, 0, 1]


@pytest.mark.parametrize("chunks", [[], [[], []]])
def test_nothing_to_find(chunks: list[list[str]]) -> None:
    assert Postings.of(chunks).scores({"甲": 1.0}).tolist() == [0.0] * len(chunks)
