"""A model of transformers on this machine: loading, template, streaming, stopping, queue, lock, cache, bad folders. The
models are tiny and random: what they say is nonsense, how they are run is not."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.errors import ModelMissing
from rag.errors import GenerationError, PromptTooLong
from rag.generate.local_llm import LocalModel, check_folder
from rag.generate.model import Message, written_by
from rag.generate.number_lock import NumberLock
from tests.models import STOP, save_model
from tests.test_number_lock import SOURCE, outsiders

pytestmark = pytest.mark.slow

ASKED = [Message("system", "只根据资料回答。"), Message("user", "[1] 森林覆盖率达到27.5%。\n森林覆盖率是多少？")]
OTHER = [Message("system", "只根据资料回答。"), Message("user", "柳川县新建多少高标准农田？")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    return LocalModel(str(folder))


def test_the_same_question_gets_the_same_answer_streamed_or_whole(model: LocalModel) -> None:
    pieces = list(model.write(ASKED, None, 24))
    assert len(pieces) > 2
    assert "".join(pieces).strip() == written_by(model, ASKED, None, 24)
    assert written_by(model, OTHER, None, 24) != written_by(model, ASKED, None, 24)


def test_what_is_kept_and_looked_up_changes_no_word(folder: Path) -> None:
    plain = LocalModel(str(folder), reuse=False, look_up=False)
    fast = LocalModel(str(folder))
    lock = NumberLock([SOURCE], 2)
    for asked in (ASKED, OTHER, ASKED, [*ASKED, Message("assistant", "好。"), Message("user", "再说")]):
        for held in (None, lock):
            assert written_by(fast, asked, held, 20) == written_by(plain, asked, held, 20)
    assert fast._kept is not None


def test_the_lock_holds_while_words_are_looked_up(model: LocalModel) -> None:
    for place, asked in enumerate((ASKED, OTHER)):
        lock = NumberLock([SOURCE], 2)
        text = written_by(model, asked, lock, 60)
        assert outsiders(lock.trimmed(text), [SOURCE], 2) == [], place


def test_closing_stops_the_model_and_the_next_question_is_answered(model: LocalModel) -> None:
    whole = written_by(model, ASKED, None, 24)
    pieces = model.write(ASKED, None, 3000)
    assert next(pieces) is not None
    pieces.close()
    assert written_by(model, ASKED, None, 24) == whole


def test_two_users_at_once_get_what_each_would_get_alone(model: LocalModel) -> None:
    alone = {name: written_by(model, asked, None, 24) for name, asked in (("a", ASKED), ("b", OTHER))}
    got: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda n=name, q=asked: got.update({n: written_by(model, q, None, 24)}))
        for name, asked in (("a", ASKED), ("b", OTHER))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == alone


def test_a_list_is_written_as_one_by_one(model: LocalModel) -> None:
    prompts = [(ASKED, None), (OTHER, NumberLock([SOURCE], 1)), ([Message("user", "好")], None)]
    many = dict(model.write_many(prompts, 16))
    assert sorted(many) == [0, 1, 2]
    # Padding moves sums of floats by their last digit: random networks, whose best words lie close, may differ there.
    assert many[2][:2] == written_by(model, prompts[2][0], None, 16)[:2]


def test_an_error_of_the_models_thread_is_raised_in_the_caller(folder: Path) -> None:
    broken = LocalModel(str(folder))
    loaded = broken.load()

    def fail(*given: Any, **named: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: not enough memory")

    loaded.network.generate = fail
    with pytest.raises(GenerationError, match="内存不够"):
        list(broken.write(ASKED))


def test_a_prompt_that_does_not_fit_is_said_before_the_first_word(tmp_path: Path) -> None:
    small = LocalModel(str(save_model(tmp_path / "small", context=64)))
    with pytest.raises(PromptTooLong, match="64 个词元"):
        next(small.write(ASKED, None, 24))


def test_thinking_is_switched_off_in_the_template(model: LocalModel) -> None:
    text, _ = model.prompt(model.load(), ASKED, 24)
    assert text.endswith("<think>\n\n</think>\n\n")
    assert f"森林覆盖率是多少？{STOP}" in text


# --- folders that are no good


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def cut_in_half(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def a_shard_missing(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def own_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "neverheard", "auto_map": {"AutoModelForCausalLM": "modeling.Model"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{half", encoding="utf-8")


def no_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (without("config.json"), "没有 config.json"),
        (without("model.safetensors"), "没有下载完"),
        (cut_in_half, "没有下载完或已损坏"),
        (a_shard_missing, "缺 1 个文件（如 model-00002-of-00002.safetensors）"),
        (pickled, "pickle"),
        (own_code, "要运行随模型下载的代码"),
        (no_json, "不是 JSON"),
        (no_template, "没有对话模板"),
        (without("tokenizer.json"), "应是 transformers 能读取的对话模型"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_folder_that_is_no_good(spoil: Callable[[Path], None], told: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "m")
    spoil(tmp_path / "m")
    with pytest.raises(ModelMissing) as caught:
        list(LocalModel(str(tmp_path / "m")).write(ASKED))
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert message.endswith("。")


def test_an_unknown_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelMissing, match="应有模型文件夹 /no/such/folder，实际不存在"):
        LocalModel("/no/such/folder").load()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelMissing, match="应有模型 nobody/nothing"):
        LocalModel("nobody/nothing").load()


def test_a_whole_folder_says_its_size(folder: Path) -> None:
    assert check_folder(folder) == (folder / "model.safetensors").stat().st_size
