"""The page in a browser: against the shipped plan as `python app.py` serves it, and against a scripted pipeline for
what a quick answer does not show (stopping, leaving, hostile documents)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import app
from index.build import DEFAULT_INDEX
from index.conflicts import Conflict, Evidence, conflicts
from index.store import load
from index.targets import Register, Target, registers
from index.types import Chunk, Document, Line
from page.register import ALL, COLUMNS, FACETS, matching, told_value
from rag.pipeline import SourceLine
from rag.types import Answer, Citation, Passage, Turn
from tests.browser import HOSTILE, IN_BROWSER, NARROW, WIDE, ask, free_port, is_hit, overflows, sync_api
from tests.conftest import PATIENCE

pytestmark = IN_BROWSER

ROOT = Path(app.__file__).parent
PLAN = ROOT / "index" / "sources" / "changji-14fyp.txt"


@dataclass(frozen=True)
class Known:
    """A figure of the plan: `subject` stands in it once, on line `line`, and `figure` with `unit` follows it."""

    subject: str
    figure: str
    unit: str
    line: int


def known_figure() -> Known:
    """The first statement of the plan of the form "<subject>达<figure>公里" whose subject stands nowhere else."""
    plan = PLAN.read_text(encoding="utf-8")
    for number, line in enumerate(plan.splitlines(), start=1):
        for match in re.finditer(r"(?<=[,。])([一-龥]{5,12}?)达到?([0-9]+(?:\.[0-9]+)?)(公里)", line):
            if plan.count(match[1]) == 1:
                return Known(match[1], match[2], match[3], number)
    raise AssertionError(f"no such statement in {PLAN}")


def ask_known(page: sync_api.Page) -> Known:
    known = known_figure()
    ask(page, f"{known.subject}是多少{known.unit}？")
    page.wait_for_selector("#chat .reply.answered .tags")
    return known


@dataclass(frozen=True)
class Listed:
    """What the register of the shipped plan holds: all targets, one of each kind to look for, and what to check."""

    targets: tuple[Target, ...]
    binding: Target  # 约束性, of a table row
    said: Target  # of a sentence, the only target of its indicator
    conflicts: tuple[Conflict, ...]


@pytest.fixture(scope="module")
def listed(served) -> Listed:
    """Read from the index that the served page uses, so after the page is there."""
    index = load(DEFAULT_INDEX)
    (register,) = registers(index.documents, index.sections, index.chunks).values()
    names = [target.indicator for target in register.targets]
    alone = [t for t in register.targets if t.value is not None and sum(t.indicator in name for name in names) == 1]
    return Listed(
        register.targets,
        next(t for t in alone if t.source == "table" and t.nature == "约束性"),
        next(t for t in alone if t.source == "text" and t.indicator in t.sentence),
        conflicts(register, index.chunks),
    )


def open_register(page: sync_api.Page) -> None:
    page.get_by_role("tab", name="指标台账").click()
    page.wait_for_selector("#count >> text=/共 [0-9]+ 项/")


def wait_for_count(page: sync_api.Page, words: str) -> None:
    page.locator("#count .count").get_by_text(words, exact=True).wait_for()


def choose(page: sync_api.Page, name: str, choice: str) -> None:
    page.get_by_label(name, exact=True).click()
    page.get_by_role("option", name=choice, exact=True).click()


def search_for(page: sync_api.Page, words: str) -> None:
    page.fill("#search textarea", words)


def pick(page: sync_api.Page, words: str) -> None:
    """Click the first cell of the table that reads so."""
    page.locator("#targets [role=gridcell]").get_by_text(words, exact=True).first.click()
    page.wait_for_selector("#target .card")


# The shipped plan


def test_an_answer_comes_with_the_words_and_the_line_it_rests_on(served, visit) -> None:
    page = visit(served)
    known = ask_known(page)
    assert known.figure in page.inner_text("#chat .reply .text")
    assert "已核对" in page.inner_text("#chat .reply .tags")
    card = page.locator("#panel .card", has_text=f"第{known.line}行").first
    assert any(known.figure in marked for marked in card.locator("mark").all_inner_texts())
    assert known.subject in card.inner_text()
    assert page.input_value("#question textarea") == ""


def test_a_mark_leads_to_its_card(served, visit) -> None:
    page = visit(served)
    ask_known(page)
    mark = page.locator("#chat a.cite").first
    mark.click()
    target = page.locator("#panel .card:target")
    target.wait_for()
    assert target.locator(".number").inner_text() == mark.inner_text()


def test_an_example_question_is_asked_by_a_click(served, visit) -> None:
    page = visit(served)
    example = page.locator("#examples button").first
    words = example.inner_text().strip()
    example.click()
    page.wait_for_selector("#chat .reply .tags")
    assert page.inner_text("#chat .question") == words


def test_hostile_words_in_a_question_are_shown_as_text(served, visit) -> None:
    page = visit(served)
    ask(page, HOSTILE)
    page.wait_for_selector("#asking button.primary:enabled")
    page.wait_for_selector("#chat .reply")
    assert page.inner_text("#chat .question") == HOSTILE
    assert page.locator("#chat strong, #chat img, #chat script, #chat a[href^=http]").count() == 0
    assert not is_hit(page)


def test_an_empty_question_is_answered_with_what_to_do(served, visit) -> None:
    page = visit(served)
    ask(page, " ")
    page.wait_for_selector("#chat .reply.failure")
    assert "内部错误" not in page.inner_text("#chat .reply")


def test_a_phone_shows_one_column_without_sideways_scrolling(served, visit) -> None:
    page = visit(served, NARROW)
    assert not overflows(page)
    ask_known(page)
    assert not overflows(page)
    chat, panel = page.locator("#chat").bounding_box(), page.locator("#panel").bounding_box()
    assert panel["y"] >= chat["y"] + chat["height"]
    assert panel["width"] <= NARROW["width"]


def test_long_sources_scroll_within_their_panel(served, visit) -> None:
    page = visit(served)
    ask_known(page)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.click("#panel .others summary")
    page.locator("#panel .others p").last.scroll_into_view_if_needed()
    assert page.evaluate("document.querySelector('#panel').scrollTop") > 0
    assert page.evaluate("document.documentElement.scrollHeight") == height


def test_the_page_is_chinese_for_a_browser_of_another_language(served, browser) -> None:
    context = browser.new_context(locale="en-US", viewport=WIDE)
    page = context.new_page()
    page.goto(served)
    page.wait_for_selector("#question textarea")
    words = page.inner_text("body")
    open_register(page)
    controls = page.inner_text("#filters") + page.inner_text("#counting") + page.inner_text("#views [role=tablist]")
    context.close()
    assert "依据原文" in words
    assert "查找" in controls
    assert re.findall(r"[A-Za-z]{3,}", controls.replace("xlsx", "")) == []
    # Outside names of documents, which may hold any letters, the page has no word in Latin ones.
    assert re.findall(r"[A-Za-z]{3,}", words.replace(page_title(served), "")) == []


def page_title(address: str) -> str:
    from gradio_client import Client

    return str(Client(address, verbose=False).config["title"])


def test_the_endpoint_answers_with_marks_and_is_the_only_one(served) -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(served, verbose=False)
    known = known_figure()
    answer = client.predict(f"{known.subject}是多少{known.unit}？", api_name="/ask")
    assert known.figure in answer
    assert re.search(r"\[1\]", answer)
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/ask"]
    with pytest.raises(AppError, match=r"[一-龥]"):
        client.predict("", api_name="/ask")


# The register of the shipped plan


def test_a_target_is_found_filtered_and_shown_in_its_table_row(served, visit, listed) -> None:
    page = visit(served)
    open_register(page)
    every = len(listed.targets)
    wait_for_count(page, f"共 {every} 项")
    binding = sum(target.nature == "约束性" for target in listed.targets)
    choose(page, "属性", "约束性")
    wait_for_count(page, f"共 {binding} 项（全部 {every} 项）")
    target = listed.binding
    pick(page, target.indicator)
    card = page.locator("#target .card")
    assert target.indicator in card.locator(".about").inner_text()
    assert card.locator("mark").all_inner_texts() == [target.text_value]
    assert told_value(target) in card.locator(".value").inner_text()


def test_a_target_of_the_text_is_shown_in_its_paragraph(served, visit, listed) -> None:
    page = visit(served)
    open_register(page)
    target = listed.said
    search_for(page, target.indicator)
    found = matching(listed.targets, target.indicator, [ALL] * len(FACETS))
    wait_for_count(page, f"共 {len(found)} 项（全部 {len(listed.targets)} 项）")
    pick(page, target.indicator)
    card = page.locator("#target .card")
    assert card.locator(".sentence").inner_text() == target.sentence
    assert target.text_value in card.locator(".sentence mark").all_inner_texts()
    assert f"第{target.line}行" in card.locator(".lines").inner_text()
    for title in target.section:
        assert title.removeprefix("〔拟题〕") in card.locator(".path").inner_text()


def test_a_row_clicked_after_sorting_is_the_one_shown(served, visit, listed) -> None:
    page = visit(served)
    open_register(page)
    last = max(target.line for target in listed.targets)
    names = "|".join(re.escape(target.indicator) for target in listed.targets if target.line == last)
    by_line = page.locator("#targets [role=columnheader]").nth(list(COLUMNS).index("行"))
    by_line.hover()
    by_line.get_by_role("button").click()
    menu = page.get_by_role("menu")
    assert re.findall("[A-Za-z]+", menu.inner_text()) == []
    menu.get_by_text("降序").click()
    first = page.locator("#targets [role=gridcell]").first
    first.get_by_text(re.compile(f"^({names})$")).wait_for()
    first.click()
    page.wait_for_selector("#target .card")
    assert f"第{last}行" in page.inner_text("#target .lines")


def test_words_that_find_nothing_are_said_so_and_nothing_can_be_downloaded(served, visit) -> None:
    page = visit(served)
    open_register(page)
    search_for(page, "没有这样的指标")
    page.wait_for_selector("#count >> text=请放宽筛选")
    assert page.get_by_role("button", name="下载 xlsx").is_disabled()


def test_what_is_to_be_checked_is_shown_with_both_lines(served, visit, listed) -> None:
    page = visit(served)
    open_register(page)
    page.get_by_role("tab", name="待核对").click()
    cards = page.locator("#conflicts .card")
    cards.first.wait_for()
    assert cards.count() == len(listed.conflicts)
    for position, conflict in enumerate(listed.conflicts):
        shown = cards.nth(position).inner_text()
        assert conflict.note in shown
        assert conflict.kind in shown
        marked = cards.nth(position).locator("mark").all_inner_texts()
        assert {side.said for side in conflict.sides} <= set(marked)
    assert "错误" not in page.inner_text("#conflicts")


def test_baselines_and_targets_are_drawn(served, visit) -> None:
    page = visit(served)
    open_register(page)
    page.get_by_role("tab", name="基期与目标").click()
    page.wait_for_selector("#plot svg circle.goal")
    for label in page.locator("#plot svg text").all():
        box, drawing = label.bounding_box(), label.locator("xpath=..").bounding_box()
        assert drawing["x"] <= box["x"]
        assert box["x"] + box["width"] <= drawing["x"] + drawing["width"]


def test_what_is_listed_is_what_is_downloaded(served, visit, listed, tmp_path) -> None:
    from openpyxl import load_workbook

    page = visit(served)
    open_register(page)
    choose(page, "属性", "约束性")
    binding = [target for target in listed.targets if target.nature == "约束性"]
    wait_for_count(page, f"共 {len(binding)} 项（全部 {len(listed.targets)} 项）")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载 xlsx").click()
    assert download.value.suggested_filename.startswith("指标台账")
    download.value.save_as(tmp_path / "register.xlsx")
    headings, *rows = load_workbook(tmp_path / "register.xlsx").active.iter_rows(values_only=True)
    at, line = headings.index("指标"), headings.index("行号")
    assert [(row[at], row[line]) for row in rows] == [(target.indicator, target.line) for target in binding]


def test_both_tabs_keep_what_was_entered(served, visit, listed) -> None:
    page = visit(served)
    known = ask_known(page)
    open_register(page)
    search_for(page, listed.said.indicator)
    page.wait_for_selector("#count >> text=全部")
    count = page.inner_text("#count .count")
    page.get_by_role("tab", name="问答").click()
    assert known.figure in page.inner_text("#chat .reply .text")
    page.get_by_role("tab", name="指标台账").click()
    page.wait_for_selector("#count >> text=全部")
    assert page.input_value("#search textarea") == listed.said.indicator
    assert page.inner_text("#count .count") == count


def test_the_register_fits_a_phone(served, visit, listed) -> None:
    page = visit(served, NARROW)
    open_register(page)
    pick(page, listed.targets[0].indicator)
    assert not overflows(page)
    assert page.locator("#target .card").bounding_box()["width"] <= NARROW["width"]
    for view, part in (("待核对", "#conflicts .card"), ("基期与目标", "#plot svg")):
        page.get_by_role("tab", name=view).click()
        page.wait_for_selector(part)
        assert not overflows(page)
        assert page.locator(part).first.bounding_box()["width"] <= NARROW["width"]


# A scripted pipeline


@dataclass(frozen=True)
class Lines:
    """The lines of an index whose documents have one each."""

    documents: tuple[Document, ...]

    def line(self, doc_id: str, number: int) -> Line:
        (line,) = (document.lines[number - 1] for document in self.documents if document.id == doc_id)
        return line


@dataclass
class EndlessPipeline:
    """Goes on answering until its stream is closed or the test is over; every word it shows is hostile."""

    closed: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    backend: str = HOSTILE
    library: None = None
    documents: tuple[Document, ...] = (
        Document("d", HOSTILE, "d.txt", "0", (Line(1, HOSTILE),)),
        Document("e", "没有目标的文件", "e.txt", "0", (Line(1, "无"),)),
    )
    worked_out: threading.Event = field(default_factory=threading.Event)

    @property
    def index(self) -> Lines:
        return Lines(self.documents)

    @property
    def registers(self) -> dict[str, Register]:
        """One target in the first document, of which everything is hostile, and none in the second."""
        self.worked_out.set()
        target = Target(
            "d", 1, (HOSTILE, HOSTILE), HOSTILE, HOSTILE, "1", None, HOSTILE, "=", False, 2030, "1", 2025, "预期性",
            "level", "text", HOSTILE, HOSTILE, "c", 0, len(HOSTILE),
        )  # fmt: skip
        return {"d": Register((target,), (), ()), "e": Register((), (), ())}

    @property
    def conflicts(self) -> dict[str, tuple[Conflict, ...]]:
        side = Evidence("d", 1, (HOSTILE,), HOSTILE, HOSTILE, "c", 0, len(HOSTILE))
        return {"d": (Conflict("清单不一致", HOSTILE, HOSTILE, (side,)),), "e": ()}

    @property
    def chunk_of(self) -> dict[str, Chunk]:
        return {"c": Chunk("c", "d", "paragraph", (1,), 0, len(HOSTILE), HOSTILE, (HOSTILE,))}

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Answer]:
        chunk = Chunk("0" * 16, "d", "paragraph", (2,), 0, len(HOSTILE), HOSTILE, (HOSTILE,))
        citation = Citation(1, "d", (1,), (f"〔拟题〕{HOSTILE}",), HOSTILE, 0, len(HOSTILE))
        answer = Answer(question, f"{HOSTILE}[1]", "answered", (citation,), (Passage(chunk, 1.0, 1),), note=HOSTILE)
        try:
            while not self.over.wait(0.05):
                yield answer
        except GeneratorExit:
            self.closed.set()
            raise

    def source(self, citation: Citation) -> tuple[SourceLine, ...]:
        return (SourceLine(number=1, text=HOSTILE, marked=((0, len(HOSTILE)),), column=""),)

    def examples(self) -> list[str]:
        return [HOSTILE]


@dataclass(frozen=True)
class Endless:
    address: str
    pipeline: EndlessPipeline


@pytest.fixture
def endless() -> Iterator[Endless]:
    pipeline, port = EndlessPipeline(), free_port()
    page = app.build_page(pipeline)
    app.launch(page, "127.0.0.1", port)
    yield Endless(f"http://127.0.0.1:{port}", pipeline)
    pipeline.over.set()
    page.close()


def test_hostile_words_of_documents_are_shown_as_text(endless, visit) -> None:
    page = visit(endless.address)
    ask(page, "问")
    page.wait_for_selector("#panel .card")
    page.click("#panel .others summary")
    for place in ("#header h1", "#chat .text", "#chat .note", "#panel .card mark", "#panel .path", "#panel .others p"):
        assert HOSTILE in page.locator(place).first.inner_text()
    assert HOSTILE in page.inner_text("#examples")
    assert page.locator("img, strong, a[href^=http], #panel script, #chat script, #header script").count() == 0
    assert not is_hit(page)


def test_hostile_words_of_the_register_are_shown_as_text(endless, visit) -> None:
    page = visit(endless.address)
    open_register(page)
    pick(page, HOSTILE)
    for place in ("#target .about", "#target .value", "#target .path", "#target .document", "#target mark"):
        assert HOSTILE in page.locator(place).first.inner_text()
    assert HOSTILE in page.inner_text("#targets [data-testid=cell-0-1]")
    assert page.locator("#targets img, #targets strong, #target img, #target strong, a[href^=http]").count() == 0
    page.get_by_role("tab", name="待核对").click()
    for place in ("#conflicts .about", "#conflicts .note", "#conflicts .path", "#conflicts mark"):
        assert HOSTILE in page.locator(place).first.inner_text()
    page.get_by_role("tab", name="基期与目标").click()
    page.wait_for_selector("#plot")
    assert page.locator("#conflicts img, #plot img, #plot script, #conflicts script, a[href^=http]").count() == 0
    assert not is_hit(page)


def test_the_register_is_worked_out_when_its_tab_is_opened(endless, visit) -> None:
    page = visit(endless.address)
    page.wait_for_selector("#examples button")
    assert not endless.pipeline.worked_out.is_set()
    open_register(page)
    assert endless.pipeline.worked_out.is_set()


def test_another_document_is_chosen_and_one_without_targets_is_said_to_have_none(endless, visit) -> None:
    page = visit(endless.address)
    open_register(page)
    wait_for_count(page, "共 1 项")
    search_for(page, "没有这个词")
    page.wait_for_selector("#count >> text=请放宽筛选")
    choose(page, "文档", "没有目标的文件")
    page.wait_for_selector("#untargeted >> text=《没有目标的文件》里没有找到量化的目标")
    assert not page.locator("#listing").is_visible()
    page.get_by_role("tab", name="待核对").click()
    page.wait_for_selector("#conflicts >> text=没有发现需要核对的地方")
    choose(page, "文档", HOSTILE)
    page.wait_for_selector("#conflicts .card")
    page.get_by_role("tab", name="指标", exact=True).click()
    wait_for_count(page, "共 1 项")
    assert page.input_value("#search textarea") == ""


def test_stopping_closes_the_stream_and_says_that_the_answer_is_incomplete(endless, visit) -> None:
    page = visit(endless.address)
    ask(page, "问")
    page.wait_for_selector("#chat a.cite")
    page.get_by_role("button", name="停止").click()
    assert endless.pipeline.closed.wait(PATIENCE)
    page.wait_for_selector("#chat .note >> text=已停止")
    page.wait_for_selector("#asking button.primary:enabled")


def test_clearing_closes_the_stream_and_empties_the_page(endless, visit) -> None:
    page = visit(endless.address)
    ask(page, "问")
    page.wait_for_selector("#chat a.cite")
    page.get_by_role("button", name="清空").click()
    assert endless.pipeline.closed.wait(PATIENCE)
    page.wait_for_selector("#chat .reply", state="detached")
    assert page.locator("#panel .card").count() == 0


def test_leaving_closes_the_stream(endless, visit) -> None:
    page = visit(endless.address)
    ask(page, "问")
    page.wait_for_selector("#chat a.cite")
    page.goto("about:blank")
    assert endless.pipeline.closed.wait(PATIENCE)


def test_the_next_question_can_be_typed_but_not_asked_while_an_answer_grows(endless, visit) -> None:
    page = visit(endless.address)
    ask(page, "一问")
    page.wait_for_selector("#chat a.cite")
    ask(page, "二问")
    page.locator("#examples button").first.click()
    page.wait_for_function("document.querySelector('#question textarea').value !== '二问'")
    assert page.input_value("#question textarea") == HOSTILE
    assert page.locator("#chat .question").all_inner_texts() == ["一问"]
    page.get_by_role("button", name="停止").click()
    page.wait_for_selector("#chat .note >> text=已停止")
    assert page.locator("#chat .question").all_inner_texts() == ["一问"]
