"""The tab 批量答复: what it draws, and a list uploaded, reviewed and fetched in a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

import app
from index.build import build
from page.batch import (
    Chosen,
    Desk,
    brief,
    for_page,
    listed,
    render_changes,
    render_checks,
    render_library,
    render_progress,
    render_review,
)
from rag.batch.review import decide
from rag.config import Config
from rag.errors import BatchError
from rag.pipeline import Pipeline, open_pipeline
from rag.types import Check
from tests.browser import CHROMIUM, HOSTILE, SWITCHES, WIDE, free_port
from tests.fakes import YUNZE

FOREST = "2030年森林覆盖率要达到多少？"
UNKNOWN = "2035年森林覆盖率要达到多少？"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "yunze.txt").write_text(YUNZE, encoding="utf-8")
    build([tmp_path / "yunze.txt"], tmp_path / "index")
    return Config(index=tmp_path / "index")


@pytest.fixture
def desk(config: Config, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(open_pipeline(config), config, tmp_path / "batch")
    yield made
    for job in made.jobs.values():
        job.journal.close()


def questions(path: Path) -> Path:
    book = Workbook()
    for cells in (["问题"], [FOREST], [UNKNOWN], [None], ["forest?"], [f"{HOSTILE}森林覆盖率目标是多少？"]):
        book.active.append(cells)
    book.save(path)
    return path


def test_a_list_is_answered_once_whoever_brings_it(desk: Desk, tmp_path: Path) -> None:
    key = desk.take(questions(tmp_path / "清单.xlsx"), "", "")
    assert [done for done, _, _ in desk.answer(key)][-1] == 4
    shutil.copyfile(tmp_path / "清单.xlsx", tmp_path / "同一份.xlsx")
    assert desk.take(tmp_path / "同一份.xlsx", "", "") == key
    assert [done for done, _, _ in desk.answer(key)] == [4]
    with pytest.raises(BatchError, match="另存为 xlsx"):
        desk.take(tmp_path / "old.xls", "", "")


def test_the_table_holds_what_is_chosen(desk: Desk, tmp_path: Path) -> None:
    key = desk.take(questions(tmp_path / "清单.xlsx"), "", "")
    journal = desk.jobs[key].journal
    assert [row[3] for row in listed(journal, Chosen(state="未答"))[0]] == ["作答中…"] * 4
    list(desk.answer(key))
    rows, more = listed(journal, Chosen())
    assert [row[0] for row in rows] == [2, 3, 5, 6]
    assert not more
    assert {row[3] for row in listed(journal, Chosen(state="未载明"))[0]} == {"未载明"}
    refused = [row[0] for row in listed(journal, Chosen(state="未载明"))[0]]
    low, high = (
        [row[0] for row in listed(journal, Chosen(state="未载明", confidence=span))[0]]
        for span in ("0.7 以下", "0.9 以上")
    )
    assert 3 in refused
    assert not set(low) & set(high)
    assert {*low, *high} <= set(refused)
    assert 2 in [row[0] for row in listed(journal, Chosen(figures="全部核对"))[0]]
    assert listed(journal, Chosen(figures="有未核对"))[0] == []
    assert len(listed(journal, Chosen(review="未审核"))[0]) == 4


def test_what_people_wrote_is_escaped_and_sources_are_marked(desk: Desk, tmp_path: Path) -> None:
    key = desk.take(questions(tmp_path / "清单.xlsx"), "", "")
    list(desk.answer(key))
    drawn = render_review(desk.jobs[key].journal.row(6), None, desk.pipeline)
    assert "<script" not in drawn
    assert "<img" not in drawn
    drawn = render_review(desk.jobs[key].journal.row(2), None, desk.pipeline)
    assert "<mark>" in drawn
    assert "27.5%" in drawn
    assert "第8行" in drawn
    assert "没有引用原文" in render_review(desk.jobs[key].journal.row(5), None, desk.pipeline)


def test_progress_checks_and_library_are_told() -> None:
    assert "3/9 行 · 作答中，约剩 40 秒" in render_progress("清单.xlsx", 3, 9, True, 40)
    assert "约剩 3 分钟" in render_progress("清单.xlsx", 3, 9, True, 180)
    assert "点“继续”" in render_progress("清单.xlsx", 3, 9, False)
    assert "已全部答完" in render_progress("清单.xlsx", 9, 9, False)
    drawn = render_checks([Check("5%", (1,), True), Check("6%", (1,), False, "引文中没有这个数")])
    assert "5% ✓" in drawn
    assert "6% ✗ 引文中没有这个数" in drawn
    assert brief("长" * 200) == "长" * 90 + "…"


def test_a_list_answered_over_an_earlier_version_shows_what_changed(desk: Desk, config: Config, tmp_path: Path) -> None:
    """The forest's figure changes, and a line joins in front: of the others only the lines move."""
    source = tmp_path / "清单.txt"
    source.write_text(f"{FOREST}\n2030年新能源装机规模达到多少？\n", encoding="utf-8")
    key = desk.take(source, "", "")
    list(desk.answer(key))
    journal = desk.jobs[key].journal
    assert render_changes(journal, desk.pipeline) == ""
    for number in (1, 2):
        decide(desk.pipeline, journal, journal.row(number), "rejected", "王敏", "2027-03-05T10:20:00", "")
    journal.close()
    changed_plan = YUNZE.replace("27.5%", "28.1%").replace("第一章 发展基础", "\n第一章 发展基础")
    (tmp_path / "yunze.txt").write_text(changed_plan, encoding="utf-8")
    build([tmp_path / "yunze.txt"], tmp_path / "index")
    later = Desk(open_pipeline(config), config, tmp_path / "batch")
    ((name, listed_key),) = later.lists()
    assert (name.startswith("清单.txt"), listed_key) == (True, key)
    later.reopen(key)
    journal = later.jobs[key].journal
    before = listed(journal, Chosen(review="退回"))[0]
    assert [row[0] for row in before] == [1, 2]  # what was decided is not doubted before the answers are there
    list(later.answer(key))
    assert [row[0] for row in listed(journal, Chosen(change="答复有变"))[0]] == [1]
    assert [row[0] for row in listed(journal, Chosen(review="须重审"))[0]] == [1]
    assert [row[0] for row in listed(journal, Chosen(review="退回"))[0]] == [2]
    assert listed(journal, Chosen(change="有变动"))[0][0][3].endswith("（答复有变）")
    drawn = render_changes(journal, later.pipeline)
    assert "答复有变 1 行" in drawn
    assert drawn.index("27.5%") < drawn.index("28.1%")
    assert desk.pipeline.documents[0].sha256[:8] in drawn
    assert later.pipeline.documents[0].sha256[:8] in drawn
    row = journal.row(1)
    assert "27.5%" in render_review(row, journal.decision(row.position), later.pipeline)
    journal.close()


def test_what_a_list_lacks_is_told_in_the_words_of_the_page() -> None:
    assert for_page("要答它请指明工作表（--sheet）") == "要答它请指明工作表（填在“工作表”里）"


def test_the_library_shows_what_is_stale(desk: Desk, config: Config, tmp_path: Path) -> None:
    given = desk.pipeline.ask(FOREST)
    desk.pipeline.approve(FOREST, (), given.text, given.citations, given.status, "<b>王敏</b>", "2027-03-05T10:20:00")
    drawn = render_library(desk.pipeline)
    assert "有效" in drawn
    assert "<b>" not in drawn
    (tmp_path / "yunze.txt").write_text(YUNZE.replace("27.5%", "28.1%"), encoding="utf-8")
    build([tmp_path / "yunze.txt"], tmp_path / "index")
    changed: Pipeline = open_pipeline(config)
    assert "已失效" in render_library(changed)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium fonts-noto-cjk")
def test_a_list_is_uploaded_reviewed_and_fetched(config: Config, tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    pipeline = open_pipeline(config)
    page, port = app.build_page(pipeline, config), free_port()
    app.launch(page, "127.0.0.1", port)
    try:
        with sync_api.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
            view = browser.new_page(viewport=WIDE)
            view.set_default_timeout(60_000)
            view.goto(f"http://127.0.0.1:{port}")
            view.get_by_role("tab", name="批量答复").click()
            view.set_input_files("#list input[type=file]", str(questions(tmp_path / "清单.xlsx")))
            view.wait_for_selector("text=已全部答完")
            view.locator("#answers [role=gridcell]").get_by_text(FOREST, exact=True).first.click()
            view.wait_for_selector("#source mark")
            assert "27.5%" in view.inner_text("#source mark")
            view.locator("#answer-text textarea").fill("2030年，森林覆盖率要达到28%。[1]")
            view.wait_for_selector("#checks >> text=28% ✗ 引文中没有这个数")
            view.get_by_role("button", name="采纳").click()
            view.wait_for_selector("#verdict >> text=请先填“审核人”")
            view.locator("#reviewer input, #reviewer textarea").fill("王敏")
            view.get_by_role("button", name="采纳").click()
            view.wait_for_selector("#verdict >> text=没有通过数字核对")
            view.locator("#answer-text textarea").fill("2030年，森林覆盖率要达到27.5%。[1]")
            view.wait_for_selector("#checks >> text=27.5% ✓")
            view.get_by_role("button", name="采纳").click()
            view.wait_for_selector("#verdict >> text=第2行：改后采纳。下面是第3行。")
            view.get_by_role("button", name="一并通过").click()
            view.wait_for_selector("#verdict >> text=其余的须逐条审核")
            with view.expect_download() as fetched:
                view.get_by_role("button", name="导出审核结果").click()
            fetched.value.save_as(tmp_path / "fetched.xlsx")
            view.get_by_role("tab", name="问答").click()
            view.locator("#question textarea").fill(FOREST)
            view.get_by_role("button", name="提问").click()
            view.wait_for_selector("#chat .tag >> text=已审定")
            assert view.locator("script:text('window.hit')").count() == 0
            assert view.evaluate("window.hit") is None
            browser.close()
    finally:
        page.close()
    rows = list(load_workbook(tmp_path / "fetched.xlsx").worksheets[0].iter_rows(values_only=True))
    assert rows[1][1] == "2030年，森林覆盖率要达到27.5%。[1]"
    assert "改后采纳" in rows[1]
    assert "王敏" in rows[1]
