"""What several test files ask about: the small documents and the shipped plan, each indexed once, and the answers to
all development questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eval.dataset import SETS, Question, read_set
from index.build import SHIPPED_PLAN, build
from rag.config import Config
from rag.pipeline import Pipeline, open_pipeline
from tests.fakes import QINGHE, SHUANGLIN, YUNZE, Asked


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
