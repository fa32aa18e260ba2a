"""The evaluation's drawing with hand-made jobs, runs and comparisons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from eval.compare import HEADINGS, Comparison, Delta, Flip, Record, compare
from eval.stats import Interval
from index.types import Document
from page import evaluation
from page.bench import Entry, Job
from tests.markup import HOSTILE, WORDS, Reader, assert_only_own_markup
from tests.test_compare import AFTER, BEFORE, recorded

JOB = Job(Path("sets/dev.jsonl"), Path("runs/dev-1"), done=30, total=120, first=0, since=100.0)
FIGURE = {"value": 0.8821, "n": 320, "low": 0.841, "high": 0.92}
MANIFEST = {"set": "dev", "questions": 320, "set_sha256": "5e7", "document_sha256": "d0c"}
ENTRY = Entry("dev-1", Path("runs/dev-1"), 0.0, MANIFEST, {"accuracy": FIGURE}, 320)


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (None, "选好题集"),
        (replace(JOB, total=0, done=0), "正在核对 dev 和索引"),
        (JOB, "已答 30 / 120 题，约还需不到 1 分钟"),
        (replace(JOB, first=30), "已答 30 / 120 题"),
        (replace(JOB, done=120), "正在评分"),
        (replace(JOB, state="stopping"), "正在停止"),
        (replace(JOB, state="stopped"), "答过的 30 题已存下"),
        (replace(JOB, state="done"), "报告见下"),
        (replace(JOB, state="failed", message="没有这个文件。"), "没有这个文件。"),
    ],
)
def test_a_run_is_told_as_it_stands(job: Job | None, words: str) -> None:
    page = Reader(evaluation.render_job(job, 103.0))
    assert words in page.text
    assert ("progress" in page.tags) == (job is not None and job.live)


def test_the_bar_shows_what_is_answered() -> None:
    page = Reader(evaluation.render_job(JOB, 103.0))
    assert (page.values("value"), page.values("max")) == (["30"], ["120"])
    assert Reader(evaluation.render_job(replace(JOB, total=0), 103.0)).values("value") == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "不到 1 分钟"), (59, "不到 1 分钟"), (61, "1 分钟"), (150, "2 分钟"), (7300, "2 小时")],
)
def test_spans_of_time(seconds: float, words: str) -> None:
    assert evaluation.told_span(seconds) == words


def test_a_fault_of_several_rows_lists_them() -> None:
    page = evaluation.render_fault("题集有 2 处不能用：\n  第 2 行：甲\n  第 7 行：乙")
    assert "<p>题集有 2 处不能用：</p><ul><li>第 2 行：甲</li><li>第 7 行：乙</li></ul>" in page
    assert "<ul>" not in evaluation.render_fault("一句话。")


def test_a_row_of_the_table_has_a_cell_for_each_heading() -> None:
    row = dict(zip(evaluation.RUNS, evaluation.run_row(ENTRY), strict=True))
    assert (row["名称"], row["题集"], row["题数"], row["状态"]) == ("dev-1", "dev", 320, "完成")
    assert (row["正确率（95% 区间）"], row["目标值全对（95% 区间）"]) == ("88.2%（84.1–92.0）", "—")
    unfinished = replace(ENTRY, figures=None, answered=12, manifest=MANIFEST | {"mutated": True})
    row = dict(zip(evaluation.RUNS, evaluation.run_row(unfinished), strict=True))
    assert (row["题集"], row["正确率（95% 区间）"], row["状态"]) == ("dev（改写件）", "—", "未完成，已答 12")


def test_the_two_latest_runs_that_can_be_compared_are_offered() -> None:
    other = replace(ENTRY, name="test-1", manifest=MANIFEST | {"set_sha256": "7e57"})
    mutated = replace(ENTRY, name="dev-m", manifest=MANIFEST | {"document_sha256": "0"})
    unfinished = replace(ENTRY, name="dev-0", figures=None)
    later = replace(ENTRY, name="dev-2")
    assert evaluation.pair([other, later, mutated, unfinished, ENTRY]) == ("dev-1", "dev-2")
    assert evaluation.pair([other, ENTRY, mutated, unfinished]) == (None, None)
    assert evaluation.pair([]) == (None, None)


def test_the_report_stands_in_a_frame_that_cannot_reach_the_page(tmp_path: Path) -> None:
    page = Reader(evaluation.render_report(recorded(tmp_path / "dev-1", BEFORE), "dev-1"))
    assert page.tags == {"iframe"}
    assert page.values("sandbox") == ["allow-scripts"]
    (document,) = page.values("srcdoc")
    assert document.startswith("<!DOCTYPE html>")
    assert BEFORE[0]["question"] in document


def test_a_comparison_shows_what_differs_every_figure_and_the_flips(tmp_path: Path) -> None:
    settings = {"llm": "local:model", "refuse_below": None}
    found = compare(recorded(tmp_path / "old", BEFORE), recorded(tmp_path / "new", AFTER, settings=settings))
    page = evaluation.render_comparison(found)
    text = Reader(page).text
    assert "A：old　B：new　题集 small，6 题，5 个题族。" in text
    assert "<td>settings.llm</td><td>extractive</td><td>local:model</td>" in page
    assert all(heading in text for heading in HEADINGS)
    assert text.index("B 新答对 3 题") < text.index("第1问？") < text.index("B 新答错 1 题") < text.index("第3问？")
    assert "原来：数字不对" in text
    assert "现在：数字不对" in text
    same = evaluation.render_comparison(compare(tmp_path / "old", tmp_path / "old"))
    assert "没有不同" in same
    assert "B 新答对：没有。" in same


def draw_everything(words: str) -> str:
    """All that is drawn where every word is `words`, but for the report, which is one attribute."""
    record = Record(words, (), {}, {"set": words}, {})
    delta = Delta(words, 2, 0.5, 1.0, 0.5, Interval(0.1, 0.9), 0.5, adjusted=0.5)
    flips = tuple(Flip(words, words, words, gained, words) for gained in (True, False))
    return "".join(
        [
            evaluation.render_fault(f"{words}\n{words}"),
            evaluation.render_about(words, 1, 1, Document("d", words, "x", "0", ())),
            *(evaluation.render_job(replace(JOB, source=Path(f"{words}.jsonl"), state=state), 1.0)
              for state in ("running", "stopping", "stopped", "done")),
            evaluation.render_job(replace(JOB, state="failed", message=words), 1.0),
            evaluation.render_comparison(Comparison(record, record, {words: (words, words)}, (delta,), flips, 1)),
        ]
    )  # fmt: skip


@given(WORDS)
def test_no_word_of_users_or_documents_becomes_markup(words: str) -> None:
    assert_only_own_markup(draw_everything(words))


def test_hostile_words_are_shown_as_they_are(tmp_path: Path) -> None:
    page = draw_everything(HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    assert Reader(page).text.count(HOSTILE) > 10
    hostile = [BEFORE[0] | {"question": HOSTILE, "answer": HOSTILE}]
    assert Reader(evaluation.render_report(recorded(tmp_path / "run", hostile), HOSTILE)).tags == {"iframe"}
