"""What several test files ask about: the small documents and the shipped plan, each indexed once, and the answers to
all development questions; the page as it is served, and a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Semaphore
from typing import Any
from urllib.parse import urlsplit

import pytest

import eval.run
from eval.dataset import SETS, Question, read_set
from index.build import SHIPPED_PLAN, build
from page.bench import Bench
from rag.config import Config
from rag.pipeline import Pipeline, open_pipeline
from tests.fakes import LINGAN, QINGHE, SHUANGLIN, YUNZE, Asked

ROOT = Path(__file__).parents[1]
PATIENCE = 60  # seconds until something expected on a busy machine counts as missing


def opened(folder: Path) -> Pipeline:
    return open_pipeline(Config(index=folder))


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the small documents."""
    folder = tmp_path_factory.mktemp("documents")
    for name, text in (("yunze.txt", YUNZE), ("shuanglin.md", SHUANGLIN), ("qinghe.txt", QINGHE)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def yunze_folder(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of the small text plan, on disk."""
    folder = tmp_path_factory.mktemp("yunze") / "index"
    build([documents / "yunze.txt"], folder)
    return folder


@pytest.fixture(scope="session")
def yunze(yunze_folder: Path) -> Pipeline:
    return opened(yunze_folder)


@pytest.fixture(scope="session")
def shuanglin(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("shuanglin") / "index"
    build([documents / "shuanglin.md"], folder)
    return opened(folder)


@pytest.fixture(scope="session")
def qinghe(documents: Path, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("qinghe") / "index"
    build([documents / "qinghe.txt"], folder)
    return opened(folder)


@pytest.fixture(scope="session")
def lingan(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("lingan")
    (folder / "lingan.txt").write_text(LINGAN, encoding="utf-8")
    build([folder / "lingan.txt"], folder / "index")
    return opened(folder / "index")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The shipped plan."""
    folder = tmp_path_factory.mktemp("shipped") / "index"
    build([SHIPPED_PLAN], folder)
    return opened(folder)


@pytest.fixture(scope="session")
def dev() -> list[Question]:
    return read_set(SETS / "dev.jsonl")


@pytest.fixture(scope="session")
def answered(shipped: Pipeline, dev: list[Question]) -> list[Asked]:
    """Every development question asked of the shipped plan twice, once streamed. Times differ and are left out."""
    streams = [tuple(shipped.stream(q.question, q.history)) for q in dev]
    asked = [shipped.ask(q.question, q.history) for q in dev]
    return [
        Asked(question, tuple(replace(one, seconds=0.0) for one in stream), replace(answer, seconds=0.0))
        for question, stream, answer in zip(dev, streams, asked, strict=True)
    ]


@pytest.fixture
def bench(tmp_path: Path, yunze_folder: Path) -> Iterator[Bench]:
    """A bench whose only set is the small one."""
    from tests.test_run import ROWS, written

    sets = tmp_path / "sets"
    sets.mkdir()
    written(sets, ROWS)
    (document,) = json.loads((yunze_folder / "manifest.json").read_text(encoding="utf-8"))["documents"]
    named = {"small": {"document": document["id"], "document_sha256": document["sha256"]}}
    (sets / "sets.json").write_text(json.dumps(named), encoding="utf-8")
    made = Bench(Config(index=yunze_folder), tmp_path / "runs", tmp_path / "results", sets)
    yield made
    made.stop(wait=True)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Semaphore:
    """Lets one question through for every release."""
    passes, ask = Semaphore(0), eval.run.answer

    def gated(pipeline: Pipeline, question: Question) -> dict[str, Any]:
        assert passes.acquire(timeout=PATIENCE)
        return ask(pipeline, question)

    monkeypatch.setattr(eval.run, "answer", gated)
    return passes


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `python app.py` with the shipped plan."""
    from tests.browser import free_port

    port = free_port()
    log = tmp_path_factory.mktemp("served") / "stderr.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if f":{port}" in line:
                break
        else:
            pytest.fail(f"app.py ended before the page was open: {said}\n{log.read_text(encoding='utf-8')}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from tests.browser import CHROMIUM, SWITCHES, sync_api

    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[object]:
    """Opens an address in a window of a given size; afterwards no page may have asked another host for anything or
    have reported an error of its scripts."""
    from tests.browser import WIDE

    opened: list[Any] = []
    asked: list[str] = []
    faults: list[str] = []

    def open_page(url: str, size: dict[str, int] | None = None) -> Any:
        page = browser.new_page(viewport=size or WIDE)
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda websocket: asked.append(websocket.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        opened.append(page)
        page.goto(url)
        page.wait_for_selector("#question textarea")
        return page

    yield open_page
    for page in opened:
        page.close()
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
    assert faults == []
