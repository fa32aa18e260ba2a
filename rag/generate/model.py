"""What the tool asks of a language model, and how one is named: --llm transformers:MODEL or server:MODEL@URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from rag.errors import ConfigError, GenerationError

if TYPE_CHECKING:
    from rag.generate.number_lock import NumberLock

EXTRACTIVE = "extractive"
INT8 = "int8"
NAMED = re.compile(r"transformers:(?P<local>\S+)|server:(?P<model>\S+?)@(?P<url>https?://\S+)")
THINK, THOUGHT = "<think>", "</think>"


@dataclass(frozen=True)
class Message:
    """A turn of the conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Model(Protocol):
    """A chat model. The same messages give the same text. `at_once`: how many replies are worth asking for at the same
    time, from as many threads.

    `write` yields pieces of the reply, thinking left out; closing it stops the model. Under a `lock` no figure or mark
    from outside of it is written, where the model can be held to that. Raises PromptTooLong before the first piece,
    GenerationError and ModelMissing.
    """

    @property
    def name(self) -> str: ...
    @property
    def at_once(self) -> int: ...
    def write(
        self, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = ...
    ) -> Generator[str, None, None]: ...


def check_name(llm: str) -> None:
    """Raise ConfigError for a name that is none."""
    if llm == "builtin":
        raise ConfigError(
            "--llm builtin 没有可用的模型：本项目不附带语言模型（没有 GPU 可供训练）；"
            "请用 extractive、transformers:模型 或 server:模型@地址。"
        )
    if llm != EXTRACTIVE and NAMED.fullmatch(llm) is None:
        raise ConfigError(
            f"--llm 应为 extractive（摘录原文，不需要模型）、transformers:模型名或文件夹，或 server:模型@http://地址/v1，"
            f"收到“{llm}”：请改用其中一种。"
        )


def check_quantize(quantize: str | None, llm: str) -> None:
    """Raise ConfigError for a way to hold weights that is none, or with an answerer that has none here."""
    if quantize is None:
        return
    if quantize != INT8:
        raise ConfigError(
            f"--quantize 应为 {INT8}（权重按 8 位存放，省内存），收到“{quantize}”：请改正，或去掉这个设置。"
        )
    named = NAMED.fullmatch(llm)
    if named is None or not named["local"]:
        raise ConfigError(
            f"--quantize {INT8} 只用于本机的大模型（--llm transformers:模型），收到 --llm {llm}：请去掉这个设置"
            f"{'，由模型服务自己量化' if named else ''}。"
        )


def open_model(llm: str, progress: Callable[[str], None] = lambda message: None, quantize: str | None = None) -> Model:
    """The model of that name. One on the hub is fetched now; nothing is loaded or asked before it is used. What
    hinders is told to `progress` now and raised on use. `quantize` as in `Config`. Raises ConfigError."""
    check_name(llm)
    check_quantize(quantize, llm)
    named = NAMED.fullmatch(llm)
    if named is None:
        raise ConfigError(f"这里需要一个语言模型，收到“{llm}”：请给出 --llm transformers:模型 或 server:模型@地址。")
    if named["local"]:
        from rag.generate.local_llm import LocalModel

        model = LocalModel(named["local"], quantize=quantize)
        model.fetch(progress)
        return model
    from rag.generate.server_llm import ServerModel

    return ServerModel(named["model"], named["url"])


def written_by(model: Model, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = 400) -> str:
    """The whole reply."""
    with closing(model.write(messages, lock, longest)) as pieces:
        return "".join(pieces).strip()


def written_together(
    model: Model, prompts: Iterable[tuple[Sequence[Message], NumberLock | None]], longest: int
) -> Iterator[str]:
    """The whole replies to several prompts in their order, as many written at the same time as is worth while."""
    with ThreadPoolExecutor(model.at_once) as threads:
        yield from threads.map(lambda one: written_by(model, one[0], one[1], longest), prompts)


def without_thinking(pieces: Iterable[str], thinking: bool = False) -> Iterator[str]:
    """The pieces without what stands between <think> and </think>; `thinking`: the first tag was already written.

    Raises GenerationError for a reply that is all thinking.
    """
    held, told = "", False
    for piece in pieces:
        held += piece
        while True:
            tag = THOUGHT if thinking else THINK
            if tag in held:
                before, _, held = held.partition(tag)
                if not thinking and before:
                    told = told or bool(before.strip())
                    yield before
                thinking = not thinking
                continue
            # The end of what is held may be the beginning of the tag.
            kept = next((size for size in range(len(tag) - 1, 0, -1) if held.endswith(tag[:size])), 0)
            ready = held[: len(held) - kept]
            held = held[len(held) - kept :]
            if ready and not thinking:
                told = told or bool(ready.strip())
                yield ready
            break
    if held and not thinking:
        told = told or bool(held.strip())
        yield held
    if thinking and not told:
        raise GenerationError("模型只写了思考过程，没有写出答案：请关闭模型的思考模式，或换一个不思考的模型。")
