"""Prepared questions: found by the hash of their passage, indexed beside it, never for words that have changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.check import near_duplicates, place_names
from eval.dataset import SETS, read_set
from index.build import SHIPPED_PLAN, add, build, unprepared
from index.chunk import chunks
from index.errors import DocumentError
from index.outline import outline
from index.prepared import Prepared, of_chunks, passage_hash, questions_file, read_questions
from index.reader import read
from index.store import load
from rag.config import Config
from rag.pipeline import open_pipeline
from tests.fakes import paragraph

PLAN = "某州规划纲要\n森林覆盖率达到27.5%。建设州博物馆新馆。\n举办山歌节。\n"
PASSAGE = "森林覆盖率达到27.5%。建设州博物馆新馆。"


def write(folder: Path, questions: list[list[object]], text: str = PLAN) -> Path:
    source = folder / "plan.txt"
    source.write_text(text, encoding="utf-8")
    row = {"passage": passage_hash(paragraph(PASSAGE)), "line": 2, "questions": questions}
    (folder / "plan.questions.jsonl").write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    return source


def test_questions_are_indexed_with_the_stretch_that_answers(tmp_path: Path) -> None:
    source = write(tmp_path, [["林子有多少", 0, 13], ["看文物去哪", 13, 22]])
    build([source], tmp_path / "index")
    index = load(tmp_path / "index")
    assert [(index.chunks[one.chunk].text[one.start : one.end], one.text) for one in index.questions] == [
        ("森林覆盖率达到27.5%。", "林子有多少"),
        ("建设州博物馆新馆。", "看文物去哪"),
    ]
    assert index.question_matrix.shape == (2, index.manifest["embedding"]["dimension"])
    assert index.question_matrix[0] == pytest.approx(index.question_vectors.reconstruct(0))
    assert index.manifest["counts"]["questions"] == 2
    assert unprepared(index).questions == ()


def test_a_passage_whose_words_have_changed_loses_its_questions(tmp_path: Path) -> None:
    source = write(tmp_path, [["林子有多少", 0, 13]], PLAN.replace("27.5", "28"))
    build([source], tmp_path / "index")
    assert load(tmp_path / "index").questions == ()


def test_questions_are_kept_when_another_document_is_added(tmp_path: Path) -> None:
    source = write(tmp_path, [["林子有多少", 0, 13]])
    other = tmp_path / "other.txt"
    other.write_text("某县办法\n养护公路。\n", encoding="utf-8")
    build([source], tmp_path / "index")
    before = load(tmp_path / "index")
    add([other], tmp_path / "index")
    after = load(tmp_path / "index")
    assert [one.text for one in after.questions] == [one.text for one in before.questions] == ["林子有多少"]
    assert after.chunks[after.questions[0].chunk].text == PASSAGE


def test_a_question_finds_a_passage_whose_words_it_does_not_share(tmp_path: Path) -> None:
    source = write(tmp_path, [["老物件搁哪儿看", 13, 22]])
    build([source], tmp_path / "index")
    pipeline = open_pipeline(Config(index=tmp_path / "index"))
    answer = pipeline.ask("老物件搁哪儿能看")
    assert answer.passages[0].chunk.text == PASSAGE
    assert not any("老物件" in citation.quote for citation in answer.citations)


def test_stretches_outside_the_passage_are_passed_over() -> None:
    chunk = paragraph(PASSAGE)
    asked = {passage_hash(chunk): [Prepared("甲", 0, 5), Prepared("乙", 5, 500), Prepared("丙", 7, 7)]}
    assert [one.question for _, one in of_chunks([chunk], asked)] == ["甲"]


def test_a_line_of_another_shape_is_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.questions.jsonl"
    path.write_text('{"passage": "00", "questions": [["问", 0, 1]]}\n{"questions": []}\n', encoding="utf-8")
    with pytest.raises(DocumentError, match="第 2 行"):
        read_questions(path)


def test_the_shipped_questions_fit_the_shipped_plan() -> None:
    beside = questions_file(SHIPPED_PLAN)
    assert beside is not None
    questions = read_questions(beside)
    document = read(SHIPPED_PLAN)
    made = chunks(document, outline(document, SHIPPED_PLAN.with_suffix(".outline.tsv")))
    held = of_chunks(made, questions)
    assert questions.keys() <= {passage_hash(chunk) for chunk in made}
    assert len({one for _, one in held}) == len({one for of in questions.values() for one in of})
    asked = {position for position, _ in held}
    content = [position for position, chunk in enumerate(made) if chunk.kind in ("paragraph", "item", "row")]
    assert len(asked.intersection(content)) >= 0.97 * len(content)


def test_prepared_questions_are_not_the_questions_of_the_sets() -> None:
    document = read(SHIPPED_PLAN)
    beside = questions_file(SHIPPED_PLAN)
    assert beside is not None
    prepared = [one.question for of in read_questions(beside).values() for one in of]
    sets = {name: [one.question for one in read_set(SETS / f"{name}.jsonl")] for name in ("dev", "test", "train")}
    names = place_names(document)
    for asked in sets.values():
        assert near_duplicates(asked, prepared, names) == []
    for asked in (sets["dev"], sets["test"]):
        assert near_duplicates(sets["train"], asked, names) == []
