"""What reviewers decide: with a name, never over a figure that does not stand, and told with the list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import load_workbook

from index.build import build
from rag.batch.journal import Journal, journal_of
from rag.batch.review import ReviewError, decide, is_current, recheck
from rag.batch.run import run
from rag.batch.writing import write_output
from rag.config import Config
from rag.errors import UnsoundAnswer
from rag.pipeline import Pipeline, open_pipeline
from tests.fakes import YUNZE

FOREST = "2030年森林覆盖率要达到多少？"
AT = "2027-03-05T10:20:00+08:00"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "yunze.txt").write_text(YUNZE, encoding="utf-8")
    build([tmp_path / "yunze.txt"], tmp_path / "index")
    return Config(index=tmp_path / "index")


@pytest.fixture
def pipeline(config: Config) -> Pipeline:
    return open_pipeline(config)


@pytest.fixture
def journal(pipeline: Pipeline, config: Config, tmp_path: Path) -> Iterator[Journal]:
    """Row 1 answers, row 2 holds two questions, row 3 is refused, row 4 cannot be asked."""
    lines = [FOREST, f"{FOREST}粮食综合生产能力呢？", "2035年森林覆盖率要达到多少？", "forest?"]
    (tmp_path / "in.txt").write_text("\n".join(lines), encoding="utf-8")
    run(pipeline, config, tmp_path / "in.txt", tmp_path / "out.xlsx")
    with closing(Journal.open(journal_of(tmp_path / "out.xlsx"))) as opened:
        yield opened


def test_an_accepted_answer_is_kept_and_served(pipeline: Pipeline, journal: Journal) -> None:
    row = journal.row(1)
    assert row.reply is not None
    decision = decide(pipeline, journal, row, "accepted", " 王敏 ", AT, row.reply["record"]["answer"])
    assert (decision.action, decision.by, decision.at) == ("accepted", "王敏", AT)
    assert journal.decisions() == {1: decision}
    assert is_current(decision, row)
    served = pipeline.ask(FOREST)
    assert served.approved is not None
    assert served.approved.by == "王敏"


def test_an_edited_answer_is_checked_at_once(pipeline: Pipeline, journal: Journal) -> None:
    row = journal.row(1)
    edited = "2030年，森林覆盖率要达到27.5%。[1]"
    assert [check.ok for check in recheck(pipeline, row, edited)] == [True, True]
    wrong = recheck(pipeline, row, edited.replace("27.5", "28"))
    assert [(check.figure, check.ok) for check in wrong] == [("2030年", True), ("28%", False)]
    with pytest.raises(UnsoundAnswer, match="28%"):
        decide(pipeline, journal, row, "accepted", "王敏", AT, edited.replace("27.5", "28"))
    assert journal.decisions() == {}
    assert decide(pipeline, journal, row, "accepted", "王敏", AT, edited).action == "edited"
    assert pipeline.ask(FOREST).text == edited


def test_an_answer_to_two_questions_is_checked_and_kept_with_the_list_alone(
    pipeline: Pipeline, journal: Journal
) -> None:
    row = journal.row(2)
    assert row.reply is not None
    answer = str(row.reply["record"]["answer"])
    with pytest.raises(ReviewError, match="数字核对"):
        decide(pipeline, journal, row, "accepted", "王敏", AT, answer.replace("27.5%", "28%"))
    assert decide(pipeline, journal, row, "accepted", "王敏", AT, answer).action == "accepted"
    assert pipeline.library is not None
    assert pipeline.library.entries() == ()


@pytest.mark.parametrize(
    ("action", "by", "text", "recipient", "said"),
    [
        ("accepted", "", "。", "", "审核人"),
        ("accepted", "王敏", "  ", "", "空的"),
        ("rejected", " ", "", "", "审核人"),
        ("reassigned", "王敏", "", "", "转给"),
    ],
)
def test_what_is_missing_is_named(
    pipeline: Pipeline, journal: Journal, action: str, by: str, text: str, recipient: str, said: str
) -> None:
    with pytest.raises(ReviewError, match=said):
        decide(pipeline, journal, journal.row(1), action, by, AT, text, recipient)
    assert journal.decisions() == {}


def test_the_reviewed_list_tells_who_decided_what(pipeline: Pipeline, journal: Journal, tmp_path: Path) -> None:
    edited = "2030年，森林覆盖率要达到27.5%。[1]"
    decide(pipeline, journal, journal.row(1), "accepted", "王敏", AT, edited)
    decide(pipeline, journal, journal.row(2), "rejected", "王敏", AT, "")
    decide(pipeline, journal, journal.row(3), "rejected", "王敏", AT, "")
    decide(pipeline, journal, journal.row(3), "reassigned", "李强", AT, "", "林草局")  # the last one counts
    source, out = tmp_path / "in.txt", tmp_path / "reviewed"
    write_output(journal, pipeline, source, out.with_suffix(".xlsx"), reviewed=True)
    page = load_workbook(out.with_suffix(".xlsx")).worksheets[0]
    heads = [cell.value for cell in page[1]]
    told = [dict(zip(heads, (cell.value for cell in page[row]), strict=True)) for row in (2, 3, 4, 5)]
    assert told[0]["答复"] == edited
    assert [row["审核"] for row in told] == ["改后采纳", "退回", "转办", "未审核"]
    assert [row["审核人"] for row in told] == ["王敏", "王敏", "李强", None]
    assert told[2]["转交"] == "林草局"
    assert told[0]["审核时间"] == "2027-03-05 10:20"
    write_output(journal, pipeline, source, out.with_suffix(".jsonl"), reviewed=True)
    first = json.loads(out.with_suffix(".jsonl").read_text("utf-8").splitlines()[0])
    assert first["answer"] == edited
    assert first["review"] == {"action": "edited", "by": "王敏", "at": AT, "to": "", "current": True}
    for ending in (".csv", ".docx"):
        write_output(journal, pipeline, source, out.with_suffix(ending), reviewed=True)
    assert "林草局" in out.with_suffix(".csv").read_text("utf-8-sig")


def test_a_decision_about_another_answer_asks_to_be_made_again(
    pipeline: Pipeline, config: Config, journal: Journal, tmp_path: Path
) -> None:
    decide(pipeline, journal, journal.row(1), "accepted", "王敏", AT, "2030年，森林覆盖率要达到27.5%。[1]")
    journal.close()
    (tmp_path / "yunze.txt").write_text(YUNZE.replace("27.5%", "28.1%"), encoding="utf-8")
    build([tmp_path / "yunze.txt"], tmp_path / "index")
    changed = open_pipeline(config)
    run(changed, config, tmp_path / "in.txt", tmp_path / "out.xlsx", overwrite=True)
    with closing(Journal.open(journal_of(tmp_path / "out.xlsx"))) as again:
        row, decision = again.row(1), again.decisions()[1]
        assert not is_current(decision, row)
        write_output(again, changed, tmp_path / "in.txt", tmp_path / "r.csv", reviewed=True)
    text = (tmp_path / "r.csv").read_text("utf-8-sig")
    assert "须重审" in text or "请重审" in text
    assert "28.1%" in text


def test_a_decision_stands_where_lines_only_moved_or_the_library_says_what_was_decided(
    pipeline: Pipeline, config: Config, journal: Journal, tmp_path: Path
) -> None:
    edited = "2030年，森林覆盖率要达到27.5%。[1]"
    assert decide(pipeline, journal, journal.row(1), "accepted", "王敏", AT, edited).action == "edited"
    decide(pipeline, journal, journal.row(2), "rejected", "王敏", AT, "")
    decide(pipeline, journal, journal.row(3), "rejected", "王敏", AT, "")
    journal.close()
    (tmp_path / "yunze.txt").write_text(YUNZE.replace("第一章 发展基础", "\n\n第一章 发展基础"), "utf-8")
    build([tmp_path / "yunze.txt"], tmp_path / "index")
    changed = run(open_pipeline(config), config, tmp_path / "in.txt", tmp_path / "out.xlsx", overwrite=True).changed
    assert changed is not None
    assert (changed.answers, changed.evidence) == (1, 0)  # row 2 asks what row 1 asks, and more
    with closing(Journal.open(journal_of(tmp_path / "out.xlsx"))) as again:
        rows = list(again.rows())
        assert rows[0].reply is not None
        assert rows[0].reply["record"]["answer"] == edited  # from the library
        assert [is_current(again.decisions()[row.position], row) for row in rows[:3]] == [True, False, True]


def test_rows_that_ask_the_same_are_decided_together(pipeline: Pipeline, config: Config, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(f"{FOREST}\n2035年呢？\n1、{FOREST}\n", encoding="utf-8")
    run(pipeline, config, tmp_path / "in.txt", tmp_path / "out.xlsx")
    edited = "2030年，森林覆盖率要达到27.5%。[1]"
    with closing(Journal.open(journal_of(tmp_path / "out.xlsx"))) as journal:
        decide(pipeline, journal, journal.row(3), "accepted", "王敏", AT, edited)
        assert {position: one.text for position, one in journal.decisions().items()} == {1: edited, 3: edited}
