"""Approved answers: served for the same question, and never over words that have changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eval.wordings import pairs, told
from index.build import build
from rag.config import Config
from rag.errors import LibraryError, UnsoundAnswer
from rag.library import Library, found_again, library_of, same, sources_of
from rag.pipeline import APPROVED, Pipeline, open_pipeline
from rag.types import Answer, Approval, Citation, Turn
from tests.fakes import YUNZE

FOREST = "2030年森林覆盖率要达到多少？"
AT = "2027-03-05T10:20:00"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    plan = tmp_path / "yunze.txt"
    plan.write_text(YUNZE, encoding="utf-8")
    build([plan], tmp_path / "index")
    return tmp_path


def reopened(place: Path, text: str | None = None) -> Pipeline:
    """The pipeline over the plan, first changed to `text`."""
    if text is not None:
        (place / "yunze.txt").write_text(text, encoding="utf-8")
        build([place / "yunze.txt"], place / "index")
    return open_pipeline(Config(index=place / "index"))


def approve(pipeline: Pipeline, question: str, text: str = "", history: Sequence[Turn] = ()) -> Answer:
    given = pipeline.ask(question, history)
    pipeline.approve(question, history, text or given.text, given.citations, given.status, "王敏", AT)
    return given


def test_an_approved_answer_is_served_with_who_when_and_over_which_version(place: Path) -> None:
    pipeline = reopened(place)
    given = approve(pipeline, FOREST, "到2030年，森林覆盖率要达到27.5%。[1]")
    for question in (FOREST, " 2030 年森林覆盖率要达到多少?"):
        *_, first, last = [*pipeline.stream(question)]
        assert (first.text, first.status) == ("", "answered")
        assert last.text == "到2030年，森林覆盖率要达到27.5%。[1]"
        assert last.backend == APPROVED
        assert last.approved == Approval("王敏", AT, pipeline.documents[0].sha256[:8])
        assert last.citations == given.citations
        assert len(last.passages) >= 10
        assert [check.ok for check in last.checks] == [True, True]
    assert pipeline.ask("那2030年的目标呢？", [Turn("森林覆盖率是多少？", "27.5%")]).completed is not None
    assert reopened(place).ask(FOREST).approved is not None  # another process


def test_a_clear_paraphrase_is_the_same_question_and_a_neighbour_is_not(place: Path) -> None:
    pipeline = reopened(place)
    approve(pipeline, "2030年全州森林覆盖率要达到多少？")
    assert pipeline.ask("到2030年，全州森林覆盖率达到多少？").approved is not None
    for other in (
        "2025年全州森林覆盖率要达到多少？",
        "2030年全州城镇化率要达到多少？",
        "2030年柳川县森林覆盖率要达到多少？",
        "2030年全州空气质量优良天数比例要达到多少？",
        "2030年全州森林面积要达到多少亩？",
    ):
        assert pipeline.ask(other).approved is None, other


def test_neighbours_in_one_sentence_are_told_apart(place: Path) -> None:
    pipeline = reopened(place)
    approve(pipeline, "2030年城镇养老机构护理型床位占比达到多少？")
    for other in ("2030年农村养老机构护理型床位占比达到多少？", "2030年养老机构护理型床位占比达到多少？"):
        assert pipeline.ask(other).approved is None, other
    assert pipeline.ask("到2030年，城镇养老机构护理型床位占比要达到多少？").approved is not None


def test_an_answer_over_words_that_changed_is_stale(place: Path) -> None:
    approve(reopened(place), FOREST)
    moved = YUNZE.replace("第一章 发展基础", "第一章 发展基础\n新增的一段话，说明编制过程。")
    pipeline = reopened(place, moved)
    answer = pipeline.ask(FOREST)
    assert answer.approved is not None
    assert answer.citations[0].lines == (9,)  # it stood in line 8
    assert pipeline.source(answer.citations[0])[0].text == YUNZE.splitlines()[7]
    changed = reopened(place, moved.replace("27.5%", "28.1%")).ask(FOREST)
    assert changed.approved is None
    assert "28.1%" in changed.text
    assert reopened(place, moved).ask(FOREST).approved is not None  # the words are back


def test_that_something_is_not_stated_holds_for_this_version_alone(place: Path) -> None:
    pipeline = reopened(place)
    unknown = "2035年森林覆盖率要达到多少？"
    assert approve(pipeline, unknown).status == "refused"
    assert pipeline.ask(unknown).approved is not None
    assert reopened(place, YUNZE + "新增一段。\n").ask(unknown).approved is None


def test_an_answer_with_a_figure_of_its_own_is_not_approved(place: Path) -> None:
    pipeline = reopened(place)
    with pytest.raises(UnsoundAnswer, match="28%"):
        approve(pipeline, FOREST, "到2030年，森林覆盖率要达到28%。[1]")
    with pytest.raises(UnsoundAnswer, match="没有引用标记"):
        approve(pipeline, FOREST, "到2030年，森林覆盖率要达到27.5%。")
    assert pipeline.ask(FOREST).approved is None
    assert not library_of(place / "index").exists()


def test_counts_and_sums_of_the_tool_may_be_approved(place: Path) -> None:
    pipeline = reopened(place)
    listed = approve(pipeline, "有哪些约束性指标？")
    assert "共2项" in listed.text
    served = pipeline.ask("有哪些约束性指标？")
    assert served.approved is not None
    assert served.text == listed.text


def test_the_library_may_be_left_out(place: Path) -> None:
    approve(reopened(place), FOREST)
    silent = open_pipeline(Config(index=place / "index", approved=False))
    assert silent.ask(FOREST).approved is None
    with pytest.raises(LibraryError):
        silent.approve(FOREST, (), "。", (), "refused", "王敏", AT)


def test_a_later_approval_takes_the_place_of_an_earlier_one(place: Path) -> None:
    pipeline = reopened(place)
    approve(pipeline, FOREST, "27.5%，到2030年。[1]")
    assert pipeline.ask(FOREST).text.startswith("27.5%")
    approve(pipeline, FOREST, "到2030年为27.5%。[1]")
    assert pipeline.ask(FOREST).text.startswith("到2030年为")
    assert pipeline.library is not None
    assert len(pipeline.library.entries()) == 1


def test_a_damaged_library_is_one_sentence(place: Path) -> None:
    library_of(place / "index").write_bytes(b"no database" * 100)
    with pytest.raises(LibraryError, match="读不懂") as raised:
        reopened(place).ask(FOREST)
    assert "\n" not in str(raised.value)
    assert Library(place / "none.sqlite").entries() == ()


def test_rows_of_tables_are_found_again_as_a_whole(place: Path) -> None:
    pipeline = reopened(place)
    citation = pipeline.ask("2030年粮食综合生产能力要达到多少？").citations[0]
    document = pipeline.documents[0]
    (source,) = sources_of([citation], pipeline.index.document_of)
    assert found_again(source, document) == citation
    lines = document.lines
    shifted = replace(document, lines=(lines[0], *(replace(line, number=line.number + 1) for line in lines)))
    found = found_again(source, shifted)
    assert isinstance(found, Citation)
    assert found.lines == tuple(line + 1 for line in citation.lines)
    gone = replace(document, lines=lines[: max(citation.lines) - 1])
    assert found_again(source, gone) is None


def test_sameness_keeps_what_tells_figures_apart() -> None:
    assert same("增长5.5%吗") != same("增长55%吗")
    assert same("A、B？") == same("ab")


def test_what_wordings_are_alike_is_told_with_what_they_ask(tmp_path: Path, place: Path) -> None:
    """Two wordings of one family, another family that wants the same from the same line, and one that wants more."""
    rows = [
        ("a1", "a", "2030年全州森林覆盖率要达到多少？", [["27.5%"]]),
        ("a2", "a", "到2030年，全州森林覆盖率达到多少？", [["27.5%"]]),
        ("b1", "b", "2030年全州的森林覆盖率要达到多少？", [["27.5%", "27.5"]]),
        ("c1", "c", "2030年全州森林覆盖率应达到多少？", [["27.5%"], ["26%"]]),
    ]
    path = tmp_path / "set.jsonl"
    path.write_text(
        "".join(
            json.dumps(
                {"id": row, "family": family, "wording": "official", "question": question, "type": "target",
                 "gold_lines": [[8]], "answer": "", "must_include": wanted, "must_not_include": []},
                ensure_ascii=False,
            ) + "\n"
            for row, family, question, wanted in rows
        ),
        encoding="utf-8",
    )  # fmt: skip
    found = pairs([path], reopened(place))
    asked = {row: question for row, _, question, _ in rows}
    kinds = {frozenset((pair.asked, pair.approved)): pair.kind for pair in found}
    assert kinds[frozenset((asked["a1"], asked["a2"]))] == "family"
    assert kinds[frozenset((asked["a1"], asked["b1"]))] == "alike"
    assert kinds[frozenset((asked["a1"], asked["c1"]))] == "other"
    assert "不同问题：" in told(found)
