"""Weights held in 8 bits (--quantize int8), and models whose weights were quantised before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import app
from index.errors import ModelMissing
from rag.__main__ import main
from rag.config import Config
from rag.doctor import Finding, examine
from rag.errors import ConfigError, NotQuantizable
from rag.generate import local_llm
from rag.generate.local_llm import TORCHAO, LocalModel, memory_needed
from rag.generate.model import open_model, written_by, written_together
from rag.generate.number_lock import NumberLock
from rag.pipeline import open_pipeline
from tests.conftest import ROOT
from tests.models import save_model
from tests.test_local_llm import ASKED, OTHER
from tests.test_number_lock import SOURCE, outsiders, trimmed

SERVER = "server:qwen@http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    return LocalModel(str(folder), quantize="int8")


def quantised_before(folder: Path, to: Path, **how: Any) -> Path:
    """A copy of a model's folder whose config says that its weights are quantised."""
    shutil.copytree(folder, to)
    config = json.loads((to / "config.json").read_text(encoding="utf-8"))
    (to / "config.json").write_text(json.dumps(config | {"quantization_config": how}), encoding="utf-8")
    return to


def bytes_of(network: Any) -> int:
    """Bytes of what a network holds, by the storages themselves."""
    found: dict[int, int] = {}
    for weights in network.parameters():
        names = weights.__tensor_flatten__()[0] if hasattr(weights, "__tensor_flatten__") else []
        for part in [getattr(weights, name) for name in names] or [weights]:
            found[part.untyped_storage().data_ptr()] = part.untyped_storage().nbytes()
    return sum(found.values())


# --- what it does to a model


@pytest.mark.slow
def test_a_weight_is_off_by_half_a_step_of_its_row_at_most(folder: Path, model: LocalModel) -> None:
    """A row is told in steps of its greatest weight over 127.5."""
    whole, held = LocalModel(str(folder)).load().network, model.load().network
    for before, after in zip(whole.model.layers, held.model.layers, strict=True):
        for part in ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"):
            exact = before.get_submodule(part).weight
            rounded = after.get_submodule(part).weight.dequantize()
            step = exact.abs().amax(1, keepdim=True) / 127.5
            off = (rounded - exact).abs()
            assert (off <= 0.501 * step).all(), part
            assert off.max() > 0.4 * step.min(), part  # and it is rounded
    for part in ("model.embed_tokens", "lm_head"):
        assert (held.get_submodule(part).weight == whole.get_submodule(part).weight).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_what_it_reckons_stays_near(seed: int, tmp_path: Path) -> None:
    import torch

    folder = save_model(tmp_path / "m", seed=seed)
    words = torch.arange(10, 200)[None]
    with torch.inference_mode():
        whole, held = (LocalModel(str(folder), quantize=q).load().network(words).logits for q in (None, "int8"))
    assert 0.001 < (held - whole).norm() / whole.norm() < 0.05
    assert (held.argmax(-1) == whole.argmax(-1)).float().mean() > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("quantize", [None, "int8"])
def test_the_memory_it_takes_is_known_before(quantize: str | None, tied: bool, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m", tie_word_embeddings=tied)
    assert memory_needed(folder, quantize) == bytes_of(LocalModel(str(folder), quantize=quantize).load().network)


@pytest.mark.slow
def test_it_streams_and_says_the_same_whole(model: LocalModel) -> None:
    pieces = list(model.write(ASKED, None, 24))
    assert len(pieces) > 2
    assert "".join(pieces).strip() == written_by(model, ASKED, None, 24)
    assert written_by(model, OTHER, None, 24) != written_by(model, ASKED, None, 24)


@pytest.mark.slow
def test_closing_stops_it(model: LocalModel) -> None:
    whole = written_by(model, ASKED, None, 24)
    pieces = model.write(ASKED, None, 3000)
    assert next(pieces) is not None
    pieces.close()
    assert written_by(model, ASKED, None, 24) == whole


@pytest.mark.slow
def test_the_lock_holds(folder: Path) -> None:
    for look_up in (False, True):
        model = LocalModel(str(folder), look_up=look_up, quantize="int8")
        for asked in (ASKED, OTHER):
            lock = NumberLock([SOURCE], 2)
            assert outsiders(trimmed(lock, written_by(model, asked, lock, 60)), [SOURCE], 2) == []


@pytest.mark.slow
def test_what_makes_it_faster_changes_no_word(folder: Path) -> None:
    plain = LocalModel(str(folder), reuse=False, look_up=False, quantize="int8")
    fast = LocalModel(str(folder), look_up=True, quantize="int8")
    batched = LocalModel(str(folder), together=3, quantize="int8")
    lock = NumberLock([SOURCE], 2)
    alone = [written_by(plain, asked, lock, 20) for asked in (ASKED, OTHER, ASKED)]
    assert [written_by(fast, asked, lock, 20) for asked in (ASKED, OTHER, ASKED)] == alone
    assert list(written_together(batched, [(asked, lock) for asked in (ASKED, OTHER, ASKED)], 20)) == alone


@pytest.mark.slow
def test_the_answer_says_so(folder: Path, yunze_folder: Path) -> None:
    pipeline = open_pipeline(Config(yunze_folder, f"transformers:{folder}", quantize="int8"))
    assert pipeline.backend == "大模型 tiny（8 位）"
    assert open_model(f"transformers:{folder}").name == "大模型 tiny"
    # What a random model says is not borne out: the quotation speaks, as with a whole one.
    answer = pipeline.ask("2030年全州高速公路通车里程要达到多少公里？")
    assert "418公里" in answer.text


# --- where it does not apply


@pytest.mark.parametrize(
    ("llm", "quantize", "told"),
    [
        ("extractive", "int8", "只用于本机的大模型（--llm transformers:模型），收到 --llm extractive：请去掉"),
        (SERVER, "int8", f"收到 --llm {SERVER}：请去掉这个设置，由模型服务自己量化。"),
        ("transformers:a/b", "int4", "--quantize 应为 int8（权重按 8 位存放，省内存），收到“int4”"),
        ("transformers:a/b", "", "收到“”"),
    ],
)
def test_a_setting_that_does_not_apply(llm: str, quantize: str, told: str, yunze_folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(llm=llm, quantize=quantize)
    assert told in str(caught.value)
    with pytest.raises(ConfigError):
        open_model(llm, quantize=quantize)
    found = finding(llm, quantize, yunze_folder)
    assert (found.ok, found.found, found.cure) == (False, str(caught.value), "请改正 --quantize。")


def test_it_is_a_setting_of_page_and_commands(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert app.parse_arguments(["--quantize", "int8"]).quantize == "int8"
    assert app.parse_arguments([]).quantize is None
    listed = tmp_path / "list.txt"
    listed.write_text("有几个机场？", encoding="utf-8")
    for command in (["ask", "有几个机场？"], ["batch", str(listed), "--out", str(tmp_path / "out.csv")]):
        assert main([*command, "--quantize", "int8"]) == 2
        assert "只用于本机的大模型" in capsys.readouterr().err
    assert app.main(["--quantize", "int8"]) == 2
    assert "只用于本机的大模型" in capsys.readouterr().err


def no_package(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(local_llm, "find_spec", lambda name: None)


def on_apple(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(local_llm, "placed", lambda: ("mps", None))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hindered", "told"),
    [
        (no_package, f"要用软件包 {TORCHAO}，实际没有安装：请运行 pip install {TORCHAO}，"),
        (on_apple, "只用于处理器和 CUDA 显卡，本机用的是苹果的 MPS：请去掉这个设置"),
    ],
)
def test_a_machine_that_cannot(
    hindered: Callable[[pytest.MonkeyPatch], None],
    told: str,
    folder: Path,
    yunze_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hindered(monkeypatch)
    said: list[str] = []
    model = LocalModel(str(folder), quantize="int8")
    model.fetch(said.append)
    assert told in said[0]
    with pytest.raises(ModelMissing, match=r"^[^\n]+。$"):
        model.load()
    found = finding(f"transformers:{folder}", "int8", yunze_folder)
    assert told in found.found
    assert found.cure == "请改正，或去掉 --quantize。"


def test_the_package_named_is_the_one_tested() -> None:
    assert TORCHAO in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    for name in ("app.py", "rag/__main__.py", "README.md", "README.zh.md"):
        assert f"pip install {TORCHAO}" in (ROOT / name).read_text(encoding="utf-8"), name


# --- quantised before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"quant_method": "gptq", "bits": 4}, r"（gptq），这里读不出（.*pip install optimum.*）："),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, r"（awq），这里读不出（.*pip install gptqmodel.*）："),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, r"（bitsandbytes），这里读不出（.*pip install .*）："),
        ({"load_in_8bit": True}, r"（bitsandbytes），这里读不出（.*pip install .*）："),
        (
            {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {}},
            r"（compressed-tensors），这里读不出（.*pip install compressed-tensors.*）：请",
        ),
    ],
    ids=lambda value: value.get("quant_method", "old bitsandbytes") if isinstance(value, dict) else "",
)
def test_a_quantised_model_whose_package_is_missing(
    how: dict[str, Any], told: str, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelMissing, match=told) as caught:
        LocalModel(str(quantised_before(folder, tmp_path / "m", **how))).load()
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("或换用没有量化的版本。")


@pytest.mark.slow
def test_a_quantised_model_is_not_quantised_again(folder: Path, tmp_path: Path, yunze_folder: Path) -> None:
    before = quantised_before(folder, tmp_path / "m", quant_method="gptq", bits=4)
    with pytest.raises(NotQuantizable, match=r"已经量化（gptq），--quantize int8 只用于没有量化的：请去掉这个设置"):
        LocalModel(str(before), quantize="int8").load()
    found = finding(f"transformers:{before}", "int8", yunze_folder)
    assert "已经量化（gptq）" in found.found
    assert memory_needed(before) == (before / "model.safetensors").stat().st_size


# --- what the doctor reckons with


def finding(llm: str, quantize: str | None, index: Path) -> Finding:
    return next(one for one in examine(index, llm, quantize=quantize) if one.subject == "回答方式")


@pytest.mark.slow
def test_a_model_may_fit_in_eight_bits_alone(folder: Path, yunze_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, held = memory_needed(folder), memory_needed(folder, "int8")
    assert held < whole
    monkeypatch.setattr("rag.doctor._memory", lambda: (whole + held) // 2)
    assert "内存装不下" in finding(f"transformers:{folder}", None, yunze_folder).cure
    assert finding(f"transformers:{folder}", "int8", yunze_folder).ok


@pytest.mark.slow
def test_numbers_of_this_machine_are_reckoned_not_those_of_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    for dtype, width in ((torch.float32, 4), (torch.bfloat16, 2)):
        monkeypatch.setattr(local_llm, "placed", lambda dtype=dtype: ("cpu", dtype))
        weights = LocalModel(str(folder)).load().network.num_parameters()
        assert memory_needed(folder) == weights * width


@pytest.mark.slow
def test_the_doctor_says_what_is_not_installed(
    folder: Path, yunze_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(local_llm, "placed", missing)
    found = finding(f"transformers:{folder}", None, yunze_folder)
    assert (found.ok, found.found) == (False, "缺少软件包 torch")
