"""What the doctor says of the answerer that --llm names."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import Config
from rag.doctor import Finding, examine
from rag.errors import ConfigError
from rag.pipeline import open_pipeline
from tests.models import save_model


def finding(llm: str, index: Path) -> Finding:
    return next(one for one in examine(index, llm) if one.subject == "回答方式")


def test_the_quoting_answerer_needs_nothing(yunze_folder: Path) -> None:
    assert finding("extractive", yunze_folder) == Finding("回答方式", True, "摘录原文，不需要模型")


@pytest.mark.slow
def test_a_model_in_a_folder(yunze_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_model(tmp_path / "m")
    found = finding(f"transformers:{folder}", yunze_folder)
    assert found.ok
    assert "权重 0.0 GB" in found.found
    monkeypatch.setattr("rag.doctor._memory", lambda: 1000)
    assert "内存装不下" in finding(f"transformers:{folder}", yunze_folder).cure
    (folder / "model.safetensors").unlink()
    assert "重新下载" in finding(f"transformers:{folder}", yunze_folder).cure


def test_what_is_missing_is_named_with_the_command_that_gets_it(yunze_folder: Path) -> None:
    found = finding("transformers:nobody/nothing", yunze_folder)
    assert not found.ok
    assert "hf download nobody/nothing" in found.cure
    assert not finding("transformers:/no/such", yunze_folder).ok
    down = finding("server:qwen@http://127.0.0.1:9/v1", yunze_folder)
    assert "连不上" in down.found
    assert "vllm serve" in down.cure


@pytest.mark.parametrize(
    ("llm", "told"),
    [
        ("oracle", "收到“oracle”"),
        ("builtin", "不附带语言模型"),
        ("server:qwen", "server:模型@"),
        ("transformers:", "收到"),
    ],
)
def test_a_name_that_is_none(llm: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Config(llm=llm)


def test_a_model_that_cannot_be_loaded_leaves_the_quotation(yunze_folder: Path) -> None:
    pipeline = open_pipeline(Config(yunze_folder, "transformers:/no/such/folder"))
    answer = pipeline.ask("2030年全州高速公路通车里程要达到多少公里？")
    assert "418公里" in answer.text
    assert "应有模型文件夹 /no/such/folder" in answer.note
    assert (answer.backend, pipeline.backend) == ("原文摘录", "大模型 folder")
