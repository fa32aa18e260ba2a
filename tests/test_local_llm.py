"""A model of transformers on this machine: loading, template, streaming, stopping, queue, lock, cache, bad folders. The
models are tiny and random: what they say is nonsense, how they are run is not."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from index.errors import ModelMissing
from rag.batch.run import run
from rag.config import Config
from rag.errors import GenerationError, PromptTooLong
from rag.generate.extractive import Extractive
from rag.generate.local_llm import Loaded, LocalModel, Row, check_folder
from rag.generate.model import THINK, THOUGHT, Message, without_thinking, written_by, written_together
from rag.generate.number_lock import NumberLock
from rag.generate.written import Written
from rag.pipeline import Pipeline
from tests.models import END, KINDS, START, STOP, TEMPLATE, TEXTS, network, save_model, tokenizer_of
from tests.test_number_lock import SOURCE, outsiders, trimmed

pytestmark = pytest.mark.slow

ASKED = [Message("system", "只根据资料回答。"), Message("user", "[1] 森林覆盖率达到27.5%。\n森林覆盖率是多少？")]
OTHER = [Message("system", "只根据资料回答。"), Message("user", "柳川县新建多少高标准农田？")]


ASKED_OF_YUNZE = [
    "2030年全州高速公路通车里程要达到多少公里？", "石湾县新建多少高标准农田？", "2025年基本医疗保险参保率是多少？",
    "柳川县新建多少高标准农田？", "森林覆盖率目标是多少？", "全州有几个机场？",
]  # fmt: skip


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
    fast = LocalModel(str(folder), look_up=True)
    lock = NumberLock([SOURCE], 2)
    for asked in (ASKED, OTHER, ASKED, [*ASKED, Message("assistant", "好。"), Message("user", "再说")]):
        for held in (None, lock):
            assert written_by(fast, asked, held, 20) == written_by(plain, asked, held, 20)
    fast._worker.submit(int).result()  # what is kept is kept behind the last word
    assert fast._kept is not None


def test_the_lock_holds_while_words_are_looked_up(folder: Path) -> None:
    model = LocalModel(str(folder), look_up=True)
    for place, asked in enumerate((ASKED, OTHER)):
        lock = NumberLock([SOURCE], 2)
        text = written_by(model, asked, lock, 60)
        assert outsiders(trimmed(lock, text), [SOURCE], 2) == [], place


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


def test_replies_written_together_are_those_written_one_by_one(folder: Path) -> None:
    """In 32 bits, each under its own lock and to its own length; what was kept for single replies stays right."""
    alone, batched = LocalModel(str(folder)), LocalModel(str(folder), together=4)
    batches: list[int] = []
    serve = batched._generate

    def counted(loaded: Loaded, rows: Sequence[Row]) -> None:
        batches.append(len(rows))
        serve(loaded, rows)

    batched._generate = counted  # type: ignore[method-assign]
    asked = [[ASKED[0], Message("user", f"[1] {text}\n\n问题：{text[:6]}？")] for text in TEXTS[:22] if len(text) > 6]
    prompts = [(said, NumberLock([said[1].content], 1) if n % 3 else None) for n, said in enumerate(asked)]
    assert list(written_together(batched, prompts, 24)) == list(written_together(alone, prompts, 24))
    assert max(batches) > 1
    assert sum(batches) == len(prompts)
    assert written_by(batched, ASKED, None, 20) == written_by(alone, ASKED, None, 20)


def test_each_of_several_is_streamed_stopped_and_ended_for_itself(folder: Path) -> None:
    whole = written_by(LocalModel(str(folder)), ASKED, None, 40)
    model = LocalModel(str(folder), together=3)
    hold = threading.Event()
    model._worker.submit(hold.wait)  # so that all three wait together
    got: dict[str, list[str]] = {}

    def read(name: str, longest: int, pieces: int) -> None:
        with closing(model.write(ASKED, None, longest)) as told:
            got[name] = list(islice(told, pieces))

    threads = [threading.Thread(target=read, args=given) for given in (("a", 40, 99), ("b", 3000, 2), ("c", 9, 99))]
    for thread in threads:
        thread.start()
    while len(model._waiting) < 3:
        time.sleep(0.01)
    hold.set()
    for thread in threads:
        thread.join(60)
    assert "".join(got["a"]).strip() == whole
    assert len(got["a"]) > 2
    assert whole.startswith("".join(got["b"]).strip())
    assert whole.startswith("".join(got["c"]).strip())
    assert len("".join(got["c"])) < len(whole)


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


# --- what real models bring


def changed(folder: Path, to: Path, name: str, **values: Any) -> Path:
    """A copy of a model's folder with values of one of its JSON files set."""
    shutil.copytree(folder, to)
    path = to / name
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")
    return to


def test_settings_of_sampling_that_come_with_a_model_are_left_alone(folder: Path, tmp_path: Path) -> None:
    spoilt = changed(
        folder, tmp_path / "m", "generation_config.json", do_sample=True, temperature=0.7, top_k=20, top_p=0.8,
        repetition_penalty=5.0, no_repeat_ngram_size=2, use_cache=False, stop_strings=["的"], min_new_tokens=30,
        bad_words_ids=[[40]], max_length=50,
    )  # fmt: skip
    lock = NumberLock([SOURCE], 2)
    for together in (1, 2):
        assert written_by(LocalModel(str(spoilt), together=together), ASKED, lock, 60) == written_by(
            LocalModel(str(folder), together=together), ASKED, lock, 60
        )


def test_every_end_that_is_named_ends_a_reply(folder: Path, tmp_path: Path) -> None:
    tokenizer = tokenizer_of("byte-level")
    stop, end = tokenizer.convert_tokens_to_ids([STOP, END])
    listed = changed(folder, tmp_path / "a", "generation_config.json", eos_token_id=[end])
    assert set(LocalModel(str(listed)).load().ends) == {stop, end}
    unnamed = changed(folder, tmp_path / "b", "generation_config.json", eos_token_id=None)
    config = changed(unnamed, tmp_path / "c", "tokenizer_config.json", eos_token=None)
    with pytest.raises(ModelMissing, match="没有写明答案在哪里结束"):
        LocalModel(str(config)).load()


def test_the_smaller_of_the_contexts_counts(folder: Path, tmp_path: Path) -> None:
    assert LocalModel(str(folder)).load().context == 4096
    short = changed(folder, tmp_path / "m", "tokenizer_config.json", model_max_length=100)
    assert LocalModel(str(short)).load().context == 100


def test_a_template_that_refuses_the_system_is_asked_without(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "m")
    strict = "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    (tmp_path / "m" / "chat_template.jinja").write_text(strict + TEMPLATE, encoding="utf-8")
    model = LocalModel(str(tmp_path / "m"))
    text, _ = model.prompt(model.load(), ASKED, 24)
    assert text.startswith(f"{START}user\n{ASKED[0].content}\n\n{ASKED[1].content}{STOP}")
    (tmp_path / "m" / "chat_template.jinja").write_text("{{ raise_exception('never') }}", encoding="utf-8")
    with pytest.raises(GenerationError, match=r"对话模板用不了（never）"):
        list(LocalModel(str(tmp_path / "m")).write(ASKED))


def test_weights_that_are_missing_are_not_made_up_and_tied_ones_are_not_missing(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    for tied in (True, False):
        whole = save_model(tmp_path / f"{tied}", tie_word_embeddings=tied)
        weights = load_file(whole / "model.safetensors")
        assert ("lm_head.weight" in weights) is not tied
        assert written_by(LocalModel(str(whole)), ASKED, None, 5)
    del weights["lm_head.weight"]
    save_file(weights, whole / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelMissing, match=r"缺 1 个（如 lm_head.weight）"):
        LocalModel(str(whole)).load()


def test_a_network_that_forgets_is_run_without_what_relies_on_memory(tmp_path: Path) -> None:
    """A window of 16 tokens slides over the prompt in half of the layers."""
    folder = save_model(
        tmp_path / "m", use_sliding_window=True, sliding_window=16, layer_types=["sliding_attention", "full_attention"]
    )
    plain, fast = LocalModel(str(folder), reuse=False, look_up=False), LocalModel(str(folder), look_up=True)
    assert not fast.load().croppable
    for asked in (ASKED, OTHER, ASKED):
        assert written_by(fast, asked, None, 30) == written_by(plain, asked, None, 30)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_characters_are_streamed_whole(kind: str, tmp_path: Path) -> None:
    """Tokens of a text one by one, as a model writes them: of what is not in the vocabulary, byte by byte."""
    text = "到2030年，森林覆盖率达到27.5%。\n1. 龘靐齉[1]，绿 色。"
    loaded = LocalModel(str(save_model(tmp_path / "m", kind))).load()
    tokenizer = loaded.tokenizer
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    row = Row([], None, 1000, loaded)
    for token in [*tokens, loaded.ends[0]]:
        row.take([token])
    pieces = list(row.pieces())
    assert len(pieces) > 5
    assert not any("\ufffd" in piece for piece in pieces)
    known = tokenizer.decode([t for t in tokens if t != tokenizer.unk_token_id], clean_up_tokenization_spaces=False)
    assert "".join(pieces) == known
    if kind in ("byte-level", "unigram"):
        assert known == text


def test_thinking_is_left_out_where_its_tags_are_special_tokens(folder: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": [START, THINK, THOUGHT]})
    network(len(tokenizer)).save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    loaded = LocalModel(str(tmp_path / "m")).load()
    row = Row([], None, 1000, loaded)
    row.take(tokenizer(f"{THINK}想27.5%{THOUGHT}答{START}案", add_special_tokens=False)["input_ids"])
    row.end()
    assert "".join(without_thinking(row.pieces())) == "答案"
    lock = NumberLock([SOURCE], 1)
    piece = loaded.vocabulary.pieces[tokenizer.convert_tokens_to_ids(THOUGHT)]
    assert lock.feed(lock.read(""), piece).alternatives


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


# --- lists


def test_a_list_is_answered_in_batches_as_row_by_row(folder: Path, yunze: Pipeline, tmp_path: Path) -> None:
    source = tmp_path / "list.txt"
    source.write_text("\n".join(ASKED_OF_YUNZE), encoding="utf-8")
    told: list[list[dict[str, Any]]] = []
    for together in (1, 4):
        model = LocalModel(str(folder), together=together)
        plain = Extractive(yunze.judge.aligner)
        pipeline = replace(yunze, generate=Written(model, yunze.cited, yunze.index.segmenter.cut, plain))
        out = tmp_path / f"{together}.jsonl"
        run(pipeline, Config(llm=f"transformers:{folder}"), source, out)
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        told.append([row | {"seconds": 0} for row in rows])
    assert told[0] == told[1]
    assert sum(row["status"] == "answered" for row in told[0]) > 3


def test_as_many_questions_are_asked_at_once_as_the_model_serves(yunze: Pipeline, tmp_path: Path) -> None:
    """A model that answers only when three are asking."""
    meeting = threading.Barrier(3, timeout=60)

    class Sociable:
        name = "大模型 合群"
        at_once = 3

        def write(
            self, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = 400
        ) -> Generator[str, None, None]:
            meeting.wait()
            yield "[1]"  # nothing: the quotation speaks

    source = tmp_path / "list.txt"
    source.write_text("\n".join(ASKED_OF_YUNZE[:3]), encoding="utf-8")
    plain = Extractive(yunze.judge.aligner)
    pipeline = replace(yunze, generate=Written(Sociable(), yunze.cited, yunze.index.segmenter.cut, plain))
    outcome = run(pipeline, Config(llm="server:some@http://127.0.0.1:9/v1"), source, tmp_path / "out.jsonl")
    assert (outcome.tally.asked, outcome.tally.failed) == (3, 0)
    assert not meeting.broken
