"""A chat model of transformers on this machine: --llm transformers:MODEL, a name on the Hugging Face hub or a folder.

Loaded once, on first use. Weights are safetensors, code that comes with a model is refused. One generation runs at a
time, in the order asked: the model, its cache and its lock are nobody else's meanwhile. Decoding is greedy, so that the
same question gets the same answer.

Two things make it faster and change no word (`make bench-llm` measures both): what the model made of the beginning of
the last conversation is kept and used again as far as the next one begins alike, and, on a graphics card, runs of words
are guessed from the passages and checked in one step (prompt lookup: Saxena 2023,
https://github.com/apoorvumang/prompt-lookup-decoding).
"""

from __future__ import annotations

import json
import logging
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.embed import PICKLES
from index.errors import ModelMissing
from index.hub import cached, fetched, on_hub
from rag.errors import GenerationError, NotQuantizable, PromptTooLong
from rag.generate.model import THINK, Message, without_thinking
from rag.generate.number_lock import LockProcessor, NumberLock, Vocabulary

if TYPE_CHECKING:
    import torch

LOOKED_UP = 10  # tokens guessed at once from the prompt
PATIENCE = 60.0  # seconds until a model that was not to be had is tried again
TOGETHER = 8  # replies of a list in one batch
TORCHAO = "torchao==0.18.0"  # what holds weights in 8 bits; not needed otherwise, and then left out of the installation


@dataclass(frozen=True)
class Loaded:
    """A model ready to write."""

    network: Any
    tokenizer: Any
    vocabulary: Vocabulary
    ends: tuple[int, ...]
    context: int
    croppable: bool  # whether the end of what the network remembers can be cut off


class LocalModel:
    """A `rag.generate.model.Model`. `reuse` and `look_up` are the two ways to be faster for one reply, `together` how
    many may be written in one batch, None for what suits the machine; `loaded` is a model that is loaded already.
    `quantize`: "int8" for weights held in 8 bits.

    A processor takes several times as long to check eleven tokens as to write one, so that words looked up cost more
    than they save, and rows of a batch hardly less than one by one; a graphics card reads its memory once for all."""

    def __init__(
        self,
        model: str,
        reuse: bool = True,
        look_up: bool | None = None,
        together: int | None = None,
        loaded: Loaded | None = None,
        quantize: str | None = None,
    ) -> None:
        self.model = model
        self.quantize = quantize
        self.name = f"大模型 {Path(model).name}{'（8 位）' if quantize else ''}"
        self.reuse = reuse
        self.look_up = look_up
        self.together = together
        self._loaded = loaded
        self._loading = threading.Lock()
        self._missing: tuple[float, str] | None = None  # when the model was not to be had, and why
        self._queue = threading.Lock()
        self._waiting: list[Row] = []
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llm")
        self._kept: tuple[list[int], Any] | None = None  # tokens and the cache of what the network made of them

    def fetch(self, progress: Callable[[str], None]) -> None:
        """Fetch the model now where it is named as on the hub and missing. What hinders is told to `progress`, and to
        whoever uses the model."""
        try:
            with self._loading, self._patience():
                if on_hub(self.model) and cached(self.model) is None:
                    progress(f"正在取得模型 {self.model}……")
                check_folder(folder := locate(self.model))
                if self.quantize:
                    check_quantizable(folder)
        except ModelMissing as error:
            progress(str(error))

    def load(self) -> Loaded:
        """The model, loaded on the first call. Raises ModelMissing."""
        with self._loading:
            if self._loaded is None:
                with self._patience():
                    self._loaded = read_model(locate(self.model), self.quantize)
            return self._loaded

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """A model that was not to be had is not tried again for a while: each question would wait for the network."""
        if self._missing is not None and time.monotonic() - self._missing[0] < PATIENCE:
            raise ModelMissing(self._missing[1])
        try:
            yield
        except ModelMissing as error:
            self._missing = time.monotonic(), str(error)
            raise

    @property
    def at_once(self) -> int:
        """How many replies are worth asking for at the same time."""
        return self.together or (TOGETHER if placed()[0] == "cuda" else 1)

    def write(
        self, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = 400
    ) -> Generator[str, None, None]:
        loaded = self.load()
        text, tokens = self.prompt(loaded, messages, longest)
        row = Row(tokens, lock, longest, loaded)
        with self._queue:
            self._waiting.append(row)
        self._worker.submit(self._serve, loaded)
        try:
            yield from without_thinking(row.pieces(), text.rstrip().endswith(THINK))
        finally:
            # The user has stopped, left, or has all: the row ends at its next word, and the next in line may begin.
            row.stop.set()
            with self._queue:
                if row in self._waiting:
                    self._waiting.remove(row)

    def prompt(self, loaded: Loaded, messages: Sequence[Message], longest: int) -> tuple[str, list[int]]:
        """The conversation in the model's own form, as text and as tokens. Raises PromptTooLong."""
        text = self._templated(loaded, messages)
        with self._queue:  # a tokenizer does not serve several threads
            tokens = loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(tokens) + longest > loaded.context:
            raise PromptTooLong(
                f"模型 {self.model} 一次只能读 {loaded.context} 个词元，放不下一段资料和答案"
                f"（{len(tokens)} + {longest}）：请换用上下文更长的模型。"
            )
        return text, tokens

    def _templated(self, loaded: Loaded, messages: Sequence[Message]) -> str:
        from jinja2 import TemplateError

        for said in (messages, _without_system(messages)):
            try:
                text: str = loaded.tokenizer.apply_chat_template(
                    [{"role": one.role, "content": one.content} for one in said],
                    tokenize=False, add_generation_prompt=True, enable_thinking=False,
                )  # fmt: skip
            except TemplateError as error:  # many templates refuse a system message
                failed = error
            else:
                return text
        raise GenerationError(
            f"模型 {self.model} 的对话模板用不了（{_first_line(failed)}）：请换用别的模型。"
        ) from failed

    def _serve(self, loaded: Loaded) -> None:
        """Write what has waited longest and, where that is worth while, together with it those waiting whose prompts
        are nearest to it in length."""
        with self._queue:
            if not self._waiting:
                return
            first, *others = self._waiting
            others.sort(key=lambda row: abs(len(row.tokens) - len(first.tokens)))
            rows = [first, *others[: self.at_once - 1]] if others else [first]
            for row in rows:
                self._waiting.remove(row)
        try:
            self._generate(loaded, rows)
        except BaseException as error:  # noqa: BLE001 - raised again where the reply is read
            for row in rows:
                row.end(error)
        else:
            for row in rows:
                row.end()

    def _generate(self, loaded: Loaded, rows: Sequence[Row]) -> None:
        """The replies to several prompts, padded on the left to one length; of one alone with what makes it faster."""
        import torch

        length = max(len(row.tokens) for row in rows)
        ids = [[loaded.ends[0]] * (length - len(row.tokens)) + row.tokens for row in rows]
        mask = [[0] * (length - len(row.tokens)) + [1] * len(row.tokens) for row in rows]
        cache = self._cache_for(loaded, rows[0].tokens) if len(rows) == 1 and loaded.croppable else None
        place = loaded.network.device

        def ended(input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.tensor([row.ended for row in rows], device=place)

        with torch.inference_mode(), _failing(self.model):
            made = loaded.network.generate(
                torch.tensor(ids, device=place),
                attention_mask=torch.tensor(mask, device=place),
                generation_config=self._settings(loaded, rows),
                logits_processor=_held([row.lock for row in rows], loaded, length),
                stopping_criteria=[ended],
                streamer=Streams(rows),
                past_key_values=cache,
            )
        if cache is not None:
            self._kept = made[0].tolist()[: cache.get_seq_length()], cache

    def _settings(self, loaded: Loaded, rows: Sequence[Row]) -> Any:
        from transformers import GenerationConfig

        wanted = self.look_up if self.look_up is not None else loaded.network.device.type != "cpu"
        look_up = wanted and len(rows) == 1 and loaded.croppable
        return GenerationConfig(  # type: ignore[no-untyped-call]
            do_sample=False,
            num_beams=1,
            max_new_tokens=max(row.longest for row in rows),
            use_cache=True,
            eos_token_id=list(loaded.ends),
            pad_token_id=loaded.ends[0],
            prompt_lookup_num_tokens=LOOKED_UP if look_up else None,
        )

    def _cache_for(self, loaded: Loaded, tokens: list[int]) -> Any:
        """A cache that holds what the network made of the longest beginning that this prompt shares with the last."""
        from transformers import DynamicCache

        kept, self._kept = self._kept, None  # one that is interrupted in the middle is not used again
        if not self.reuse:
            return None
        if kept is None:
            return DynamicCache(config=loaded.network.config)
        known, cache = kept
        same = 0
        while same < min(len(known), len(tokens) - 1) and known[same] == tokens[same]:
            same += 1
        if excess := cache.get_seq_length() - same:
            cache.crop(-excess)
        return cache


class Row:
    """One reply as it is written, read by another thread. `stop`: nobody wants more of it; `done`: it has ended, with
    an error or without."""

    def __init__(self, tokens: list[int], lock: NumberLock | None, longest: int, loaded: Loaded) -> None:
        from transformers import TextIteratorStreamer

        self.tokens = tokens
        self.lock = lock
        self.longest = longest
        self.stop = threading.Event()
        self.done: Future[None] = Future()
        self._ends = frozenset(loaded.ends)
        self._unspoken = loaded.vocabulary.special
        self._written = 0
        self._streamer = TextIteratorStreamer(loaded.tokenizer, clean_up_tokenization_spaces=False)

    @property
    def ended(self) -> bool:
        return self.stop.is_set() or self.done.done()

    def take(self, tokens: list[int]) -> None:
        """More tokens; what comes behind the end is padding."""
        import torch

        for token in tokens:
            if self.done.done():
                return
            self._written += 1
            if token not in self._ends and token not in self._unspoken:
                self._streamer.put(torch.tensor([token]))  # type: ignore[no-untyped-call]
            if self.stop.is_set() or token in self._ends or self._written >= self.longest:
                self.end()

    def end(self, error: BaseException | None = None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
            self._streamer.end()  # type: ignore[no-untyped-call]
        else:
            self.done.set_exception(error)
            self._streamer.on_finalized_text("", stream_end=True)

    def pieces(self) -> Iterator[str]:
        """The text in pieces; an error of the model's thread is raised here, as soon as it has ended the stream."""
        for piece in self._streamer:
            if piece:
                yield piece
        self.done.result()


class Streams:
    """What `generate` tells a streamer, passed on to its rows: first the prompts, then token after token of each. The
    streamers of transformers serve one row."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._prompted = False

    def put(self, value: torch.Tensor) -> None:
        if not self._prompted:
            self._prompted = True
        elif len(self.rows) == 1:
            self.rows[0].take(value.flatten().tolist())  # several where words were looked up
        else:
            for row, token in zip(self.rows, value.tolist(), strict=True):
                row.take([token])

    def end(self) -> None:
        """The rows end themselves, each at its own end."""


def _held(locks: Sequence[NumberLock | None], loaded: Loaded, prompt: int) -> list[Any]:
    if all(lock is None for lock in locks):
        return []
    return [LockProcessor(locks, loaded.vocabulary, loaded.ends, prompt)]


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """The conversation with what the system says put before what the user says first."""
    first, *others = messages
    if first.role != "system" or not others:
        return list(messages)
    return [Message(others[0].role, f"{first.content}\n\n{others[0].content}"), *others[1:]]


@contextmanager
def _failing(model: str) -> Iterator[None]:
    """What torch and the model's code in transformers raise while it writes, as an error for the user."""
    try:
        yield
    # torch.OutOfMemoryError is a RuntimeError; the others are how networks say what they do not take.
    except (MemoryError, RuntimeError, ValueError, TypeError, AttributeError, LookupError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error):
            raise GenerationError(f"内存不够模型 {model} 写答案：请关闭其他程序，或换用小一些的模型。") from error
        raise GenerationError(f"模型 {model} 运行出错（{_first_line(error)}）：请换用别的模型。") from error


def locate(model: str) -> Path:
    """The folder of a model, fetched or from the cache where it is named as on the hub. Raises ModelMissing."""
    if on_hub(model):
        return fetched(model, "模型")
    folder = Path(model).expanduser()
    if not folder.is_dir():
        raise ModelMissing(f"应有模型文件夹 {model}，实际不存在：请核对 --llm transformers: 后面的路径。")
    return folder


def check_folder(folder: Path) -> int:
    """The size of a model's weights in bytes. Raises ModelMissing for a folder that is no model, is not whole, or whose
    weights or code would have to be run to be read. Reads no weights and needs no torch."""
    config = _json(folder / "config.json", folder)
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and not (folder / "model.safetensors.index.json").is_file():
        if any(path for kind in PICKLES for path in folder.glob(kind)):
            raise ModelMissing(
                f"模型权重应为 safetensors 格式，实际 {folder} 里只有 pickle 格式，出于安全不予读取："
                "请换用带 model.safetensors 的版本。"
            )
        raise ModelMissing(f"{folder} 里没有权重文件 model.safetensors，可能没有下载完：请重新下载。")
    if (index := folder / "model.safetensors.index.json").is_file():
        named = {str(name) for name in _json(index, folder).get("weight_map", {}).values()}
        if missing := sorted(named - {path.name for path in weights}):
            raise ModelMissing(f"模型 {folder} 没有下载完，缺 {len(missing)} 个文件（如 {missing[0]}）：请重新下载。")
    for path in weights:
        if (size := path.stat().st_size) != (wanted := _stated_size(path)):
            raise ModelMissing(f"{path} 应有 {wanted} 字节，实际 {size}，没有下载完或已损坏：请重新下载。")
    if config.get("auto_map"):
        from transformers import CONFIG_MAPPING

        if config.get("model_type") not in CONFIG_MAPPING:
            raise ModelMissing(
                f"模型 {folder} 要运行随模型下载的代码，出于安全不予运行：请换用 transformers 自带的一种。"
            )
    return sum(path.stat().st_size for path in weights)


def _json(path: Path, folder: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelMissing(f"{folder} 应是完整的模型文件夹，实际没有 {path.name}：请重新下载或核对路径。") from error
    except (OSError, ValueError) as error:
        raise ModelMissing(f"模型文件 {path} 读不出或不是 JSON，没有下载完或已损坏：请重新下载。") from error
    if not isinstance(value, dict):
        raise ModelMissing(f"模型文件 {path} 应是一个 JSON 对象，实际不是：请重新下载。")
    return value


@dataclass(frozen=True)
class Stored:
    """A tensor in a safetensors file; `end` in bytes from where the tensors begin."""

    name: str
    shape: tuple[int, ...]
    end: int


def _stored(path: Path) -> tuple[int, list[Stored]]:
    """Where the tensors of a safetensors file begin, and what it lists of them: 8 bytes, a header of the length they
    give, and the tensors (https://huggingface.co/docs/safetensors). -1 where it has no such header."""
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) < 8 or (length := struct.unpack("<Q", start)[0]) > 100_000_000:
            return -1, []
        try:
            header = json.loads(file.read(length))
            listed = [
                Stored(name, tuple(tensor["shape"]), tensor["data_offsets"][1])
                for name, tensor in header.items()
                if name != "__metadata__"
            ]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError):
            return -1, []
    return 8 + int(length), listed


def _stated_size(path: Path) -> int:
    """How long a safetensors file says it is, -1 where it does not."""
    begin, listed = _stored(path)
    return begin + max((tensor.end for tensor in listed), default=0)


def memory_needed(folder: Path, quantize: str | None = None) -> int:
    """Bytes that a model's weights take on this machine: in the numbers it computes in here, and, of weights held in 8
    bits, a byte each in linear layers. Raises ModelMissing."""
    size = check_folder(folder)
    config = _json(folder / "config.json", folder)
    if _quantized(config):
        return size
    words = config.get("vocab_size") or (config.get("text_config") or {}).get("vocab_size")
    width = placed()[1].itemsize

    def needed(tensor: Stored) -> int:
        # What reads and writes words stays as it is, and so do the experts of a mixture, which are no linear layers.
        linear = len(tensor.shape) == 2 and tensor.shape[0] != words and ".experts." not in tensor.name
        # Beside a row of bytes stand its scale in 32 bits and its zero in 8.
        return prod(tensor.shape) + 5 * tensor.shape[0] if quantize and linear else prod(tensor.shape) * width

    return sum(needed(tensor) for path in folder.glob("*.safetensors") for tensor in _stored(path)[1])


def _quantized(config: Mapping[str, Any]) -> str:
    """How the weights of a model are quantised already, by its config; "" where they are not."""
    told = config.get("quantization_config")
    if not told:
        return ""
    return str(told.get("quant_method") or "bitsandbytes") if isinstance(told, dict) else "?"


def check_quantizable(folder: Path) -> None:
    """Raise NotQuantizable where the weights of a folder cannot be held in 8 bits on this machine."""
    if method := _quantized(_json(folder / "config.json", folder)):
        raise NotQuantizable(
            f"模型 {folder} 的权重已经量化（{method}），--quantize int8 只用于没有量化的："
            "请去掉这个设置，或换用没有量化的版本。"
        )
    if find_spec("torchao") is None:
        raise NotQuantizable(
            f"--quantize int8 要用软件包 {TORCHAO}，实际没有安装：请运行 pip install {TORCHAO}，或去掉这个设置。"
        )
    if (device := placed()[0]) == "mps":
        raise NotQuantizable(
            f"--quantize int8 只用于处理器和 CUDA 显卡，本机用的是苹果的 {device.upper()}："
            "请去掉这个设置，或换用小一些的模型。"
        )


def in_eight_bits() -> Any:
    """What tells transformers to hold the weights of linear layers in 8 bits, a scale for each row (torchao). The
    computing stays as it is: on processors without instructions for 8 bits torchao takes 25 times as long for it."""
    # Parts of torchao are for graphics cards that are not here, and torch has its own opinion on how it is written.
    for talkative in ("torchao", "torch.utils._pytree"):
        logging.getLogger(talkative).setLevel(logging.ERROR)
    from torchao.quantization import Int8WeightOnlyConfig
    from transformers import TorchAoConfig

    return TorchAoConfig(Int8WeightOnlyConfig())


def placed() -> tuple[str, torch.dtype]:
    """Where a model runs and in which numbers: CUDA, Apple's MPS, else the processor; 16 bits where the hardware
    computes in them, which many processors do not: there they are slower than 32."""
    import torch

    if torch.cuda.is_available():
        return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if torch.backends.mps.is_available():
        # Not float16: what Qwen reckons with in between does not fit into it.
        return "mps", torch.bfloat16 if torch.backends.mps.is_macos_or_newer(14, 0) else torch.float32
    return "cpu", torch.bfloat16 if torch.ops.mkldnn._is_mkldnn_bf16_supported() else torch.float32


def read_model(folder: Path, quantize: str | None = None) -> Loaded:
    """A model of a folder, ready to write; with `quantize` its weights are held in 8 bits. Raises ModelMissing."""
    check_folder(folder)
    if quantize:
        check_quantizable(folder)
    made = {"quantization_config": in_eight_bits()} if quantize else {}
    method = _quantized(_json(folder / "config.json", folder))
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device, dtype = placed()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        read: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True,
            output_loading_info=True, **made,
        )  # fmt: skip
        network, told = read
        network = network.to(device).eval()
    except (
        MemoryError, RuntimeError, OSError, ValueError, KeyError, TypeError, AttributeError, ImportError,
        SafetensorError,
    ) as error:  # fmt: skip
        raise ModelMissing(_unread(folder, method, error)) from error
    if not tokenizer.chat_template:
        raise ModelMissing(f"模型 {folder} 没有对话模板，不是对话模型：请换用名称带 Instruct 或 Chat 的版本。")
    if missing := sorted(told["missing_keys"]):  # they would be random numbers
        raise ModelMissing(
            f"{folder} 应有对话模型的全部权重，实际缺 {len(missing)} 个（如 {missing[0]}）：请换用名称带 Instruct 或 "
            "Chat 的版本，或重新下载。"
        )
    ends = ends_of(network, tokenizer)
    if not ends:
        raise ModelMissing(f"模型 {folder} 没有写明答案在哪里结束（eos_token）：请重新下载，或换用 Qwen3 等常见模型。")
    context = getattr(network.config.get_text_config(), "max_position_embeddings", None) or 4096
    return made_ready(network, tokenizer, ends, int(min(context, tokenizer.model_max_length)))


def _unread(folder: Path, method: str, error: Exception) -> str:
    """Why a model could not be read, and what to do; `method` is how its weights are quantised."""
    reason = _first_line(error)
    if isinstance(error, MemoryError | RuntimeError) and (not method or "memory" in reason):
        return f"装不下模型 {folder}（{reason}）：请关闭其他程序，或换用小一些的模型。"
    if method:
        return (
            f"模型 {folder} 的权重已经量化（{method}），这里读不出（{_first_line(error, 200)}）："
            "请按括号里所说的补上（软件包或显卡），或换用没有量化的版本。"
        )
    return (
        f"{folder} 应是 transformers 能读取的对话模型，实际读不出（{type(error).__name__}: {reason}）："
        "请重新下载，或换用 Qwen3 等常见模型。"
    )


def ends_of(network: Any, tokenizer: Any) -> tuple[int, ...]:
    """The tokens that end a reply: all that the model's files name. The list of one is often that of the model before
    it learnt to converse, and then lacks the end of a turn."""
    named: list[int] = []
    for told in (network.generation_config.eos_token_id, tokenizer.eos_token_id):
        named += told if isinstance(told, list) else [told]
    return tuple(dict.fromkeys(token for token in named if token is not None))


def made_ready(network: Any, tokenizer: Any, ends: tuple[int, ...], context: int) -> Loaded:
    """A network and its tokenizer, with what the lock and the kept beginnings need. How the network was to be sampled
    is forgotten: a penalty on repeating, say, would have figures written otherwise than they stand."""
    from transformers import GenerationConfig

    network.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    network.prepare_inputs_for_generation = _behind_cache(network.prepare_inputs_for_generation)
    vocabulary = Vocabulary(tokenizer, network.get_output_embeddings().weight.shape[0])
    return Loaded(network, tokenizer, vocabulary, ends, context, _croppable(network))


def _croppable(network: Any) -> bool:
    """Whether the network remembers every token for itself: of a sliding window or a running state no end can be cut
    off without loss."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    layers = DynamicCache(config=network.config).layers
    return not getattr(network, "_is_stateful", False) and all(type(layer) is DynamicLayer for layer in layers)


def _behind_cache(prepare: Callable[..., Any]) -> Callable[..., Any]:
    """`prepare_inputs_for_generation` that feeds only what the cache does not hold yet. Prompt lookup in transformers
    5.23 feeds the whole prompt again in its first step, which puts the kept beginning into the cache twice."""

    @wraps(prepare)
    def prepared(input_ids: Any, next_sequence_length: int | None = None, **given: Any) -> Any:
        cache = given.get("past_key_values")
        if next_sequence_length is None and given.get("is_first_iteration") and cache is not None:
            next_sequence_length = input_ids.shape[1] - cache.get_seq_length()
        return prepare(input_ids, next_sequence_length=next_sequence_length, **given)

    return prepared


def _first_line(error: BaseException, longest: int = 120) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:longest]
