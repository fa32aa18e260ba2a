"""The page of a run: what it says of runs made by hand, that it loads nothing and runs nothing it was told, and in a
browser that its filters work and it fits a telephone."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from eval.__main__ import main
from eval.compare import RecordError, read_run
from eval.report import ReportError, calibration, dots, failures, lines_of, page, report
from eval.run import run
from rag.config import Config
from tests.test_compare import FIGURES, asked, recorded
from tests.test_run import ROWS as SMALL
from tests.test_run import written

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = '</span><script>window.hit=1</script><img src=x onerror="window.hit=1">\' $title &lt;'
VOID = {"meta", "input", "br", "img", "link"}


class Read(HTMLParser):
    """The text, the elements and the ids of a page; fails where elements do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


ROWS = [
    asked(1, True, history=[{"question": "前一问？", "answer": "前一答。"}]),
    asked(2, False, slot_faults=["value", "year"]),
    asked(
        3,
        False,
        "everyday",
        type="unanswerable",
        status="refused",
        expected_status="answered",
        answer="规划没有提到。",
        citations=[],
        confidence=0.2,
        failure="over-refusal",
    ),
    asked(4, False, "", type="newtype", status="error", answer="", citations=[], failure="error", error="Timeout: 60"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return recorded(tmp_path / "first", ROWS)


@pytest.fixture
def read(folder: Path) -> Read:
    return Read(page(read_run(folder)))


def test_it_says_what_was_asked_answered_cited_and_right(read: Read) -> None:
    for words in (
        *("评测报告 · first", "题集 small，4 题，4 个题族；文件 plan；由 extractive 回答。"),
        *("第1问？", "q-1o · 现状 · 书面 · 作答 · 把握 0.90", "✓ 对", "问：前一问？", "答：前一答。"),
        *("145万吨。[1]", "甲章 › 乙节 · 第 2 行", "依据：第 2 行"),
        *("✗ 数字不对", "数值或单位、年份", "✗ 误拒", "✗ 出错", "Timeout: 60"),
        *("未注明", "newtype"),
        *("50.0%", "10.0–90.0%", "5.0 毫秒", "12.3 毫秒", "178 MB", "settings.llm"),
    ):
        assert words in read.text, words
    assert len(read.all("article")) == 4


def test_filters_offer_what_the_rows_have(read: Read) -> None:
    assert [one["value"] for one in read.all("option")] == [
        *("", "fact", "newtype", "unanswerable"),
        *("", "official", "everyday", "未注明"),
        *("", "right", "wrong"),
        *("", "error", "over-refusal", "wrong figure"),
    ]
    assert [
        tuple(one[f"data-{name}"] for name in ("type", "wording", "verdict", "failure")) for one in read.all("article")
    ] == [
        ("fact", "official", "right", ""),
        ("fact", "official", "wrong", "wrong figure"),
        ("unanswerable", "everyday", "wrong", "over-refusal"),
        ("newtype", "未注明", "wrong", "error"),
    ]


def test_a_mark_leads_to_its_citation_and_one_without_stays_text(tmp_path: Path) -> None:
    told = Read(page(read_run(recorded(tmp_path / "a", [asked(1, True, answer="甲[1]乙[2]"), asked(2, True)]))))
    ids = [one["id"] for one in told.all("li")]
    assert ids == ["c0-1", "c1-1"]
    assert [one["href"] for one in told.all("a")] == ["#c0-1", "#c1-1"]
    assert "甲[1]乙[2]" in told.text


def test_a_citation_of_a_row_of_a_table_of_another_document_with_pages(tmp_path: Path) -> None:
    cited = {
        "n": 1,
        "doc": "附件",
        "lines": [7, 3, 5, 6],
        "section": [],
        "quote": "145",
        "start": 0,
        "end": 3,
        "page": 9,
    }
    text = Read(page(read_run(recorded(tmp_path / "a", [asked(1, True, citations=[cited])])))).text
    assert "附件 · 第 7 行 · 第 9 页 · 同一表格行的其他格在第 3、5–6 行" in text


def test_passages_with_evidence_stand_out(tmp_path: Path) -> None:
    places = [("plan", [1]), ("other", [2]), ("plan", [2, 3])]
    retrieved = [{"doc": doc, "lines": lines, "score": 1, "chunk": "c"} for doc, lines in places]
    html = page(read_run(recorded(tmp_path / "a", [asked(1, True, retrieved=retrieved)])))
    assert '1；other 2；<span class="hit">2–3</span>' in html


def hostile_rows() -> list[dict[str, Any]]:
    cited = {"n": 1, "doc": HOSTILE, "lines": [2], "section": [HOSTILE], "quote": HOSTILE, "start": 0, "end": 5}
    words = dict.fromkeys(("id", "type", "wording", "question", "answer", "expected", "failure", "verdict"), HOSTILE)
    history = [{"question": HOSTILE, "answer": HOSTILE}]
    more = {"history": history, "citations": [cited], "slot_faults": [HOSTILE], "scores": {HOSTILE: 1.0}}
    return [asked(1, False, **words, **more), asked(2, False, id="e", status="error", error=HOSTILE)]


def test_markup_in_a_run_stays_text(tmp_path: Path, read: Read) -> None:
    overall = FIGURES["overall"]["accuracy"]
    figures = {name: {HOSTILE: {"accuracy": overall}} for name in ("by_type", "by_wording")} | {
        "overall": {HOSTILE: overall}
    }
    hostile = recorded(tmp_path / "a", hostile_rows(), figures, settings={"llm": HOSTILE}, document=HOSTILE)
    told = Read(page(read_run(hostile)))
    assert {tag for tag, _ in told.elements} <= {tag for tag, _ in read.elements}
    assert len(told.all("script")) == 1
    (article,) = [one for one in told.all("article") if one["data-failure"] == HOSTILE]
    assert set(article.values()) == {HOSTILE}
    assert HOSTILE in {one["value"] for one in told.all("option")}
    assert not [name for _, attributes in told.elements for name in attributes if name.startswith("on")]
    assert told.text.count(HOSTILE) >= 15


def test_it_loads_nothing_and_lets_only_its_own_script_run(folder: Path) -> None:
    html = page(read_run(folder))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", html)
    told = Read(html)
    assert {tag for tag, attributes in told.elements for name in attributes if name in ("src", "style")} == set()
    assert {(one["href"] or "")[0] for one in told.all("a")} == {"#"}
    (policy,) = [one["content"] or "" for one in told.all("meta") if "http-equiv" in one]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_types_are_dotted_in_a_known_order_with_their_intervals() -> None:
    figures = {of: {"accuracy": {"value": 0.25, "n": 8, "low": 0.1, "high": 0.5}} for of in ("新", "list", "fact")}
    figures["fact"] = {"accuracy": {"value": 1.0, "n": 1}}
    html = dots(figures, {"fact": "现状", "table": "表格", "list": "列举"})
    assert re.findall(r"<span>([^<]*)</span><svg", html)[:3] == ["现状", "列举", "新"]
    assert html.count('<line class="span" x1="10.0%" x2="50.0%"') == 2
    assert 'cx="100.0%"' in html
    assert "没有区间" in html


def test_failure_kinds_are_counted_most_frequent_first() -> None:
    kinds = ["partial", None, "wrong figure", "wrong figure", "odd"]
    html = failures([asked(number, kind is None, failure=kind) for number, kind in enumerate(kinds)])
    assert re.findall(r'data-show="([^"]+)">([^<]+)<.*?width="([0-9.]+%)" height="14" rx.*?<span>(\d) 题', html) == [
        ("wrong figure", "数字不对", "100.0%", "2"),
        ("odd", "odd", "50.0%", "1"),
        ("partial", "答不全", "50.0%", "1"),
    ]
    assert failures([asked(1, True)]) == "<p>没有答错的题。</p>"


def test_the_reliability_plot_by_hand() -> None:
    rows = [asked(number, True, confidence=confidence) for number, confidence in enumerate([0.95, 0.95, 0.15, 0.15])]
    html = calibration(rows, [True, False, False, False])
    # At 0.95 half came true, at 0.15 none: (2 * 0.45 + 2 * 0.15) / 4 = 0.3.
    assert "平均相差 30.0 个百分点" in html
    assert "把握 0.95，实际 50.0%，2 题，95% 区间 0.0–100.0%" in html
    # None of two families: up to 1 - 0.025^(1/2) = 0.842.
    assert "把握 0.15，实际 0.0%，2 题，95% 区间 0.0–84.2%" in html
    # 240 units a side from (44, 250): 44 + 0.95 * 240 = 272, 250 - 0.5 * 240 = 130.
    assert '<circle class="dot" cx="272.0" cy="130.0"' in html
    assert "把握达到 0.9 的 2 题，属实 50.0%（95% 区间 0.0–100.0%）" in html
    assert calibration([], []) == "<p>没有这样的题。</p>"


def test_confidence_of_errors_is_not_counted(read: Read) -> None:
    plots = [one["aria-label"] for one in read.all("svg") if one.get("class") == "square"]
    assert len(plots) == 2
    # Three rows tell a confidence. Two answered with 0.9, one of them right; one refused with 0.2, wrongly.
    assert plots == ["把握与实际比例，平均相差 40.0 个百分点", "把握与实际比例，平均相差 20.0 个百分点"]


@pytest.mark.parametrize(
    ("numbers", "told"), [([256], "256"), ([157, 183, 181, 182], "157、181–183"), ([2, 1, 1], "1–2"), ([], "")]
)
def test_line_numbers_in_few_characters(numbers: list[int], told: str) -> None:
    assert lines_of(numbers) == told


def test_a_run_becomes_the_same_page_twice(
    tmp_path: Path, yunze_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run(written(tmp_path, SMALL), out, Config(index=yunze_folder))
    assert main(["report", str(out)]) == 0
    assert capsys.readouterr().out == f"已写入 {out / 'report.html'}\n"
    assert main(["report", str(out), "--out", str(tmp_path / "二.html")]) == 0
    assert (out / "report.html").read_bytes() == (tmp_path / "二.html").read_bytes()
    told = Read((out / "report.html").read_text(encoding="utf-8"))
    assert len(told.all("article")) == len(SMALL)
    assert "27.5%" in told.text


def test_what_cannot_be_read_or_written_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="没有完整的评测结果"):
        report(tmp_path / "none")
    with pytest.raises(ReportError, match=r"写不了 .*none.*请用 --out 换一个文件名"):
        report(folder, tmp_path / "none" / "page.html")
    with pytest.raises(ReportError, match="写不了"):
        report(folder, folder)
    assert not list(tmp_path.rglob(".*part*"))


# --- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium fonts-noto-cjk")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.slow
def test_filters_in_a_browser(browser: Any, folder: Path) -> None:
    tab = browser.new_page()
    tab.goto(report(folder).as_uri())
    shown = tab.locator("article:visible")
    assert shown.count() == 4
    tab.select_option("select[name=verdict]", "wrong")
    assert shown.count() == 3
    tab.select_option("select[name=wording]", "official")
    assert shown.count() == 1
    assert tab.inner_text("#found") == "符合的 1 题，共 4 题。"
    tab.get_by_role("button", name="误拒").click()
    assert shown.count() == 1
    assert "第3问" in shown.inner_text()
    tab.select_option("select[name=failure]", "")
    tab.fill("input[name=text]", "timeout： 60")
    assert shown.count() == 1
    assert "第4问" in shown.inner_text()
    tab.fill("input[name=text]", "无此字样")
    assert tab.inner_text("#found") == "没有符合的题，请放宽条件。"
    tab.close()


@pytest.mark.slow
def test_it_fits_a_telephone_asks_nothing_of_the_network_and_runs_nothing_it_was_told(
    browser: Any, tmp_path: Path
) -> None:
    long = asked(7, True, question="长" * 400, answer="x" * 900 + "[1]")
    written_to = report(recorded(tmp_path / "a", [*hostile_rows(), *ROWS, long]))
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    asked_for: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: asked_for.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(written_to.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    assert tab.evaluate("window.hit") is None
    assert (asked_for, said) == ([written_to.as_uri()], [])
    # The policy holds even for markup that would get past the escaping.
    refused = tab.evaluate("""() => new Promise(resolve => {
        const seen = new Set();
        document.addEventListener("securitypolicyviolation", event => {
            seen.add(event.effectiveDirective);
            if (seen.size === 2) { resolve([...seen].sort()); }
        });
        document.body.insertAdjacentHTML("beforeend", '<img src="x" onerror="window.hit = 1">');
    })""")
    assert refused == ["img-src", "script-src-attr"]
    assert tab.evaluate("window.hit") is None
    tab.close()
