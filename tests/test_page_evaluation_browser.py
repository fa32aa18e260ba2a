"""The tab 评测 in a browser, over a small plan and a set of four questions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore

import pytest

import app
from eval.run import run
from page.bench import Bench
from rag.pipeline import Pipeline
from tests.browser import IN_BROWSER, NARROW, WIDE, ask, free_port, overflows
from tests.test_run import ROWS, written

pytestmark = IN_BROWSER

START, STOP = "#running button.primary", "#halt"


@dataclass(frozen=True)
class Served:
    address: str
    bench: Bench


def serve(pipeline: Pipeline, bench: Bench) -> Iterator[Served]:
    port = free_port()
    page = app.build_page(pipeline, bench=bench)
    app.launch(page, "127.0.0.1", port)
    yield Served(f"http://127.0.0.1:{port}", bench)
    bench.stop()
    page.close()


@pytest.fixture
def small(yunze: Pipeline, bench: Bench) -> Iterator[Served]:
    yield from serve(yunze, bench)


@pytest.fixture
def elsewhere(qinghe: Pipeline, bench: Bench) -> Iterator[Served]:
    """A page whose index does not hold the document of the set."""
    yield from serve(qinghe, bench)


def opened(visit, served: Served, size: dict[str, int] = WIDE):
    page = visit(served.address, size)
    page.get_by_role("tab", name="评测").click()
    page.wait_for_selector("#about :is(.count, .fault)")
    return page


def begin(page) -> None:
    page.wait_for_selector(f"{START}:enabled")
    page.click(START)
    page.wait_for_selector("#progress progress")


def upload(page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="上传题集").click()
    chooser.value.set_files(str(path))


def test_a_set_is_run_while_the_chat_answers_and_its_report_is_shown(small, visit, gate: Semaphore) -> None:
    page = opened(visit, small)
    assert "4 题，3 个题族" in page.inner_text("#about")
    page.wait_for_selector("#none >> text=还没有做过评测")
    begin(page)
    gate.release()
    page.wait_for_selector("#progress >> text=已答 1 / 4 题")
    assert page.locator(START).is_disabled()
    page.get_by_role("tab", name="问答").click()
    ask(page, "到2030年森林覆盖率达到多少？")
    page.wait_for_selector("#chat .reply.answered .tags")
    assert "27.5" in page.inner_text("#chat .reply .text")
    page.get_by_role("tab", name="评测").click()
    page.wait_for_selector("#progress >> text=已答 1 / 4 题")
    gate.release(3)
    page.wait_for_selector("#progress >> text=small 已评测完")
    report = page.frame_locator("#report iframe")
    report.locator("#list article").nth(3).wait_for()
    assert report.locator(".cards b").first.inner_text().endswith("%")
    # The report's script acts within its frame.
    report.locator("input[name=text]").fill("没有这样的题")
    report.locator("#found >> text=没有符合的题").wait_for()
    (entry,) = small.bench.entries()
    assert page.locator("#runs [role=gridcell]").first.inner_text().strip() == entry.name
    with page.expect_download() as download:
        page.get_by_role("button", name="下载报告").click()
    assert download.value.suggested_filename.startswith("评测报告-small")
    assert "<!DOCTYPE html>" in Path(download.value.path()).read_text(encoding="utf-8")


def test_a_stopped_run_is_gone_on_with_and_another_visitor_sees_it(small, visit, gate: Semaphore) -> None:
    page = opened(visit, small)
    begin(page)
    gate.release()
    page.wait_for_selector("#progress >> text=已答 1 / 4 题")
    other = opened(visit, small)
    other.wait_for_selector("#progress >> text=已答 1 / 4 题")
    assert other.locator(START).is_disabled()
    other.click(STOP)
    other.wait_for_selector("#progress >> text=正在停止")
    gate.release()
    for watching in (other, page):
        watching.wait_for_selector("#progress >> text=答过的 2 题已存下")
        watching.locator("#runs [role=gridcell]").get_by_text("未完成，已答 2").first.wait_for()
    page.locator("#runs [role=gridcell]").first.click()
    page.wait_for_selector("#report >> text=没有做完")
    begin(page)
    gate.release(2)
    page.wait_for_selector("#report iframe")
    (entry,) = small.bench.entries()
    assert entry.answered == 4


def test_broken_rows_of_an_upload_are_told_and_a_good_set_is_taken(small, visit, tmp_path: Path) -> None:
    page = opened(visit, small)
    upload(page, written(tmp_path, [ROWS[0], ROWS[1] | {"type": "riddle"}]))
    page.wait_for_selector("#about .fault >> text=第 2 行（q-1a）：没有“riddle”")
    page.wait_for_selector(f"{START}:enabled")
    upload(page, written(tmp_path, ROWS[:3]))
    page.wait_for_selector("#about >> text=3 题，2 个题族")
    begin(page)
    page.wait_for_selector("#report iframe")
    assert {entry.manifest["questions"] for entry in small.bench.entries()} == {3}


def test_a_set_of_another_document_is_said_so_and_cannot_be_run(elsewhere, visit) -> None:
    page = opened(visit, elsewhere)
    told = page.inner_text("#about .fault")
    assert "small.jsonl 是为 yunze" in told
    assert told.count("。") == 1
    assert page.locator(START).is_disabled()
    ask_page = page.get_by_role("tab", name="问答")
    ask_page.click()
    ask(page, "县道养护由谁负责？")
    page.wait_for_selector("#chat .reply.answered .tags")


def test_two_runs_are_compared_and_two_that_cannot_be_are_said_so(small, visit, tmp_path: Path) -> None:
    bench = small.bench
    first = run(bench.source("small"), bench.runs / "old", bench.config).rows
    run(bench.source("small"), bench.runs / "new", bench.config)
    rows = [dict(row) for row in first]
    assert rows[0]["verdict"] == "right"
    rows[0] |= {"verdict": "wrong", "failure": "wrong figure", "scores": rows[0]["scores"] | {"accuracy": 0.0}}
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (bench.runs / "old" / "rows.jsonl").write_text(lines, encoding="utf-8")
    run(written(tmp_path, ROWS[:3]), bench.runs / "three", bench.config)
    page = opened(visit, small)
    page.get_by_role("tab", name="比较").click()
    page.get_by_role("button", name="比较", exact=True).click()
    page.wait_for_selector("#comparison .flips.gained >> text=B 新答对 1 题")
    assert page.inner_text("#comparison .flips .asked") == rows[0]["question"]
    assert "看不出差别" in page.inner_text("#comparison .judged")
    page.get_by_label("先（A）").click()
    page.get_by_role("option", name="three", exact=True).click()
    page.get_by_role("button", name="比较", exact=True).click()
    page.wait_for_selector("#comparison .fault >> text=两次评测的题集不同")


def test_the_tab_fits_a_phone_and_has_no_foreign_word(small, visit) -> None:
    bench = small.bench
    for name in ("first", "second"):
        run(bench.source("small"), bench.runs / name, bench.config)
    page = opened(visit, small, NARROW)
    words = page.inner_text("#running") + page.inner_text("#progress") + page.inner_text("#results")
    assert re.findall(r"[A-Za-z]{2,}", re.sub("first|second|small", "", words)) == []
    page.locator("#runs [role=gridcell]").first.click()
    page.frame_locator("#report iframe").locator("#list article").first.wait_for()
    assert not overflows(page)
    assert page.locator("#report iframe").bounding_box()["width"] <= NARROW["width"]
    page.get_by_role("tab", name="比较").click()
    page.get_by_role("button", name="比较", exact=True).click()
    page.wait_for_selector("#comparison table")
    assert not overflows(page)
