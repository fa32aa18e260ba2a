"""Checks of the installation: each names what it looked at, what it found and, where that is wrong, the cure."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from index.build import DEFAULT_INDEX, SHIPPED_PLAN, needs_build
from index.embed import load_embedder
from index.errors import UserError
from index.hub import cached, on_hub
from index.store import load
from rag.errors import NotQuantizable
from rag.generate.model import EXTRACTIVE, NAMED, check_name, check_quantize
from rag.rerank import KIND, check_reranker

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True)
class Finding:
    """The result of one check; `cure` is empty where `ok`."""

    subject: str
    ok: bool
    found: str
    cure: str = ""


def examine(
    index: Path | None = None, llm: str = EXTRACTIVE, reranker: str | None = None, quantize: str | None = None
) -> Iterator[Finding]:
    """Check Python, the pinned packages, the shipped plan, the embedding model, the index, the reranker and the
    answerer."""
    running = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "Python",
        sys.version_info >= OLDEST_PYTHON,
        running,
        "" if sys.version_info >= OLDEST_PYTHON else "请安装 Python 3.10 或更新的版本。",
    )
    for name, wanted in pinned(REQUIREMENTS.read_text(encoding="utf-8")):
        yield _package(name, wanted)
    yield Finding(
        "自带规划",
        SHIPPED_PLAN.is_file(),
        SHIPPED_PLAN.name if SHIPPED_PLAN.is_file() else "缺失",
        "" if SHIPPED_PLAN.is_file() else "请重新取得完整的项目文件。",
    )
    try:
        embedder = load_embedder()
        yield Finding("向量模型", True, f"{embedder.name}，{embedder.dimension} 维")
    except UserError as error:
        yield Finding("向量模型", False, str(error), "请重新取得 index/models 文件夹。")
    yield _index(index)
    yield _reranker(reranker)
    yield _answerer(llm, quantize)


def pinned(requirements: str) -> list[tuple[str, str]]:
    """(package, version) of the lines "package==version" of a requirements file that are meant for this Python."""
    found: list[tuple[str, str]] = []
    for line in requirements.splitlines():
        pin, _, marker = line.split("#")[0].partition(";")
        name, _, wanted = pin.partition("==")
        if wanted and _for_this_python(marker):
            found.append((name.strip(), wanted.strip()))
    return found


def _for_this_python(marker: str) -> bool:
    """Whether a marker `python_version >= "3.11"` or `python_version < "3.11"` holds; the only ones that are used.
    The library that reads all kinds may be just what is missing."""
    bound = re.fullmatch(r'\s*python_version\s*(>=|<)\s*"(\d+)\.(\d+)"\s*', marker)
    if bound is None:
        return True
    newer = sys.version_info[:2] >= (int(bound[2]), int(bound[3]))
    return newer if bound[1] == ">=" else not newer


def _package(name: str, wanted: str) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding(name, False, "没有安装", "请运行 make setup，或 pip install -r requirements.txt。")
    if found.split("+")[0] != wanted.split("+")[0]:
        cure = "请运行 pip install -r requirements.txt 装回测试过的版本。"
        return Finding(name, False, f"{found}，应为 {wanted}", cure)
    return Finding(name, True, found)


def _answerer(llm: str, quantize: str | None) -> Finding:
    """What --llm names: whether it is there, and for a model on this machine whether it fits into memory."""
    subject = "回答方式"
    try:
        check_name(llm)
    except UserError as error:
        return Finding(subject, False, str(error), "请改正 --llm。")
    try:
        check_quantize(quantize, llm)
    except UserError as error:
        return Finding(subject, False, str(error), "请改正 --quantize。")
    named = NAMED.fullmatch(llm)
    if named is None:
        return Finding(subject, True, "摘录原文，不需要模型")
    if named["local"]:
        from rag.generate.local_llm import check_quantizable, memory_needed

        def check(folder: Path) -> int:
            if quantize:
                check_quantizable(folder)
            return memory_needed(folder, quantize)

        first = "" if quantize else "加 --quantize int8，或"
        smaller = f"请{first}换小一些的模型，如 Qwen/Qwen3-0.6B，或用 server: 连到别的机器。"
        return _local(subject, named["local"], "--llm transformers: 后面", check, smaller)
    from rag.generate.server_llm import KEY, ServerModel

    server = ServerModel(named["model"], named["url"], seconds=10.0, retries=0)
    try:
        guided = server.guided
    except UserError as error:
        return Finding(subject, False, str(error), "启动服务，例如 vllm serve 模型 或 ollama serve，再运行一次。")
    key = "有密钥" if os.environ.get(KEY) else "没有密钥"
    lock = "服务端按数字锁解码" if guided else "服务端没有数字锁，逐句核对把关"
    return Finding(subject, True, f"{named['model']}，{named['url']}（{key}，{lock}）")


def _reranker(model: str | None) -> Finding:
    """What --reranker names: whether it is there, gives scores and fits into memory."""
    if model is None:
        return Finding(KIND, True, "没有设置，按检索的次序")
    return _local(KIND, model, "--reranker ", check_reranker, "请换小一些的模型，如 BAAI/bge-reranker-base。")


def _local(subject: str, model: str, option: str, check: Callable[[Path], int], smaller: str) -> Finding:
    """A model on this machine; nothing is fetched. `check` gives the size of its weights in memory or raises
    UserError."""
    folder = cached(model) if on_hub(model) else Path(model).expanduser()
    if folder is None:
        fetch = f"运行 hf download {model}（国内可先设 HF_ENDPOINT=镜像地址），或给出模型文件夹。"
        return Finding(subject, False, f"本机没有模型 {model}，用到时才会下载", fetch)
    if not folder.is_dir():
        return Finding(subject, False, f"没有文件夹 {model}", f"核对 {option}的路径。")
    try:
        size = check(folder)
    except ImportError as error:
        cure = "请运行 make setup，或 pip install -r requirements.txt。"
        return Finding(subject, False, f"缺少软件包 {error.name}", cure)
    except NotQuantizable as error:
        return Finding(subject, False, str(error), "请改正，或去掉 --quantize。")
    except UserError as error:
        return Finding(subject, False, str(error), f"运行 hf download {model} 重新下载，或换一个模型文件夹。")
    memory = _memory()
    found = f"{folder}，权重 {size / 2**30:.1f} GB，内存 {memory / 2**30:.1f} GB"
    if memory and size > memory:
        return Finding(subject, False, found, f"内存装不下：{smaller}")
    return Finding(subject, True, found)


def _memory() -> int:
    """The machine's memory in bytes, 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _index(folder: Path | None) -> Finding:
    place = folder or DEFAULT_INDEX
    try:
        if folder is None and needs_build(place):
            return Finding("索引", True, "尚未建立或已过期，第一次提问时自动建立")
        index = load(place)
    except UserError as error:
        return Finding("索引", False, str(error), "请运行 python -m index build。")
    names = "、".join(document.id for document in index.documents)
    return Finding("索引", True, f"{place}：{names}，{len(index.chunks)} 个段落")
