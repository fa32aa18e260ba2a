"""Query -> passages: every scorer on its scale, their weighted sum, one passage for each place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import embedding_texts
from index.store import Index, load, save
from rag.retrieve import SCORERS, Retriever, distinct
from rag.types import Query
from tests.fakes import KeywordEmbedder, index_of, paragraph, passage

WORDS = ("森林", "粮食", "养老", "高速公路", "博物馆")
EMBEDDER = KeywordEmbedder(WORDS)
EQUAL = dict.fromkeys(SCORERS, 1.0)


@pytest.fixture(scope="module")
def index(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Written and read back, so that what is searched is what stands on the disk."""
    folder = tmp_path_factory.mktemp("keywords") / "index"
    save(index_of(documents / "yunze.txt", EMBEDDER), folder)
    return load(folder)


def query(core: str, **terms: float) -> Query:
    return Query(core, core, core, terms=terms)


def test_every_scorer_scores_every_chunk_at_most_one(index: Index) -> None:
    scores = Retriever(index, EMBEDDER, EQUAL).scores(query("森林覆盖率", 绿化=0.5))
    assert set(scores) == set(SCORERS)
    for name, values in scores.items():
        assert values.shape == (len(index.chunks),), name
        assert values.min() >= 0, name
        assert values.max() <= 1, name
    assert scores["characters"].max() == 1


def test_the_fused_score_is_the_weighted_sum(index: Index) -> None:
    weights = {name: float(place) for place, name in enumerate(SCORERS, 1)}
    retriever = Retriever(index, EMBEDDER, weights)
    asked = query("森林覆盖率")
    scores = retriever.scores(asked)
    expected = np.sum([weights[name] * scores[name] for name in SCORERS], axis=0)
    np.testing.assert_allclose(retriever.fuse(scores), expected, rtol=1e-5)
    found = retriever(asked, len(index.chunks))
    np.testing.assert_allclose([p.score for p in found], sorted(expected, reverse=True), atol=1e-5)


def test_vectors_score_as_brute_force_does(index: Index) -> None:
    asked = query("森林和粮食")
    scores = Retriever(index, EMBEDDER, EQUAL).scores(asked)
    question = EMBEDDER.embed_questions([asked.core])[0]
    whole = np.array([float(EMBEDDER.embed_documents(embedding_texts(c))[0] @ question) for c in index.chunks])
    best = np.array([float((EMBEDDER.embed_documents(embedding_texts(c)) @ question).max()) for c in index.chunks])
    assert whole.max() > 0
    np.testing.assert_allclose(scores["whole"], whole / whole.max(), atol=1e-6)
    np.testing.assert_allclose(scores["sentence"], best / best.max(), atol=1e-6)


def test_the_passage_on_the_subject_comes_first(index: Index) -> None:
    retriever = Retriever(index, EMBEDDER, EQUAL)
    assert "森林覆盖率" in retriever(query("森林覆盖率"), 1)[0].chunk.text
    assert "博物馆新馆" in retriever(query("博物馆新馆"), 1)[0].chunk.text


def test_an_official_word_finds_what_the_question_does_not_say(index: Index) -> None:
    only = Retriever(index, EMBEDDER, {"lexicon": 1.0})
    found = only(query("老百姓能活多久", 人均预期寿命=1.0), 1)[0]
    assert "人均预期寿命" in found.chunk.text
    assert found.score == pytest.approx(1.0)


def test_passages_are_counted_from_one_best_first(index: Index) -> None:
    found = Retriever(index, EMBEDDER, EQUAL)(query("高速公路"), 5)
    assert [p.rank for p in found] == [1, 2, 3, 4, 5]
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)
    assert len({p.chunk.id for p in found}) == 5
    assert len(Retriever(index, EMBEDDER, EQUAL)(query("高速公路"), 10_000)) == len(index.chunks)


def test_a_question_of_unknown_characters_scores_nothing(index: Index) -> None:
    scores = Retriever(index, EMBEDDER, EQUAL).scores(query("龘靐"))
    assert all(not values.any() for name, values in scores.items() if name != "heading")


def test_headings_are_told_apart(index: Index) -> None:
    heading = Retriever(index, EMBEDDER, EQUAL).scores(query("主要目标"))["heading"]
    assert [bool(value) for value in heading] == [chunk.kind == "heading" for chunk in index.chunks]
    assert heading.any()


def test_distinct_keeps_the_best_of_each_place_and_counts_anew() -> None:
    item = paragraph("甲项目", line=7)
    other = replace(paragraph("乙项目", line=7, start=3), id="other")
    elsewhere = paragraph("丙", line=7, doc="report")
    below = paragraph("丁", line=8)
    scored = ((item, 0.9), (other, 0.8), (elsewhere, 0.7), (below, 0.6))
    found = distinct([passage(chunk, rank, score) for rank, (chunk, score) in enumerate(scored, 1)])
    assert [(p.chunk, p.rank, p.score) for p in found] == [(item, 1, 0.9), (elsewhere, 2, 0.7), (below, 3, 0.6)]
    assert distinct([]) == ()
