"""A model behind an OpenAI-compatible server: vLLM, Ollama, llama.cpp, LM Studio, DashScope, a cluster behind one
address.

vLLM decodes under a regular expression, so it is given the number lock as one; other servers write freely, and the
check of every sentence alone stands guard. The key comes from the environment (OPENAI_API_KEY) and from nowhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rag.errors import GenerationError, PromptTooLong
from rag.generate.model import Message, without_thinking
from rag.generate.number_lock import NumberLock

if TYPE_CHECKING:
    from openai import OpenAI

KEY = "OPENAI_API_KEY"
SECONDS = 120.0  # without a word from the server
CONNECT_SECONDS = 5.0
AT_ONCE = 4  # requests: what one graphics card serves side by side without making each wait long
RETRIES = 2  # after a refused connection, 429 or 5xx, with growing pauses


@dataclass(frozen=True)
class ServerModel:
    """A `rag.generate.model.Model`."""

    model: str
    url: str
    seconds: float = SECONDS
    retries: int = RETRIES
    at_once: int = AT_ONCE

    @property
    def name(self) -> str:
        return f"大模型 {self.model}"

    @cached_property
    def client(self) -> OpenAI:
        from openai import OpenAI, Timeout

        return OpenAI(
            base_url=self.url,
            api_key=os.environ.get(KEY) or "none",
            timeout=Timeout(self.seconds, connect=CONNECT_SECONDS),
            max_retries=self.retries,
        )

    @cached_property
    def guided(self) -> bool:
        """Whether the server says that it is vLLM. Raises GenerationError for a model that it does not list."""
        from openai import NotFoundError, OpenAIError

        try:
            listed = list(self.client.models.list())
        except NotFoundError:
            return False  # a server without that list
        except (OpenAIError, ValueError) as error:
            raise self.failure(error) from error
        names = [one.id for one in listed]
        if names and self.model not in names:
            raise GenerationError(
                f"模型服务 {self.url} 里没有模型 {self.model}，有的是 {'、'.join(names[:5])}：请改用其中一个。"
            )
        return any(one.owned_by == "vllm" for one in listed)

    def write(
        self, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = 400
    ) -> Generator[str, None, None]:
        yield from without_thinking(self._pieces(messages, lock, longest))

    def _pieces(self, messages: Sequence[Message], lock: NumberLock | None, longest: int) -> Iterator[str]:
        from openai import OpenAIError

        extra: dict[str, Any] = {}
        if self.guided:
            extra["chat_template_kwargs"] = {"enable_thinking": False}
            if lock is not None:
                # The first is the name since vLLM 0.11, the second the one before; each passes over the other.
                extra |= {"structured_outputs": {"regex": lock.pattern}, "guided_regex": lock.pattern}
        ended = False
        said: list[Any] = [{"role": one.role, "content": one.content} for one in messages]
        try:
            with self.client.chat.completions.create(
                model=self.model,
                messages=said,
                temperature=0.0,
                max_tokens=longest,
                stream=True,
                extra_body=extra or None,
            ) as stream:
                for part in stream:
                    for choice in part.choices or ():
                        if choice.delta.content:
                            yield choice.delta.content
                        ended = ended or choice.finish_reason is not None
        except (OpenAIError, ValueError) as error:
            raise self.failure(error) from error
        if not ended:
            raise GenerationError(f"模型服务 {self.url} 中途断开，答案没有写完：请检查服务的日志后重试。")

    def failure(self, error: Exception) -> GenerationError:
        """What the user is told of an error of the library."""
        import openai

        where = f"模型服务 {self.url}"
        if isinstance(error, openai.APITimeoutError):
            return GenerationError(f"{where} 过了 {self.seconds:.0f} 秒没有回应：请检查是否过载，或换小一些的模型。")
        if isinstance(error, openai.APIConnectionError):
            return GenerationError(f"{where} 连不上或中途断开：请确认服务已经启动、地址正确。")
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return GenerationError(f"{where} 不接受密钥：请在环境变量 {KEY} 里给出正确的密钥。")
        if isinstance(error, openai.NotFoundError):
            return GenerationError(f"{where} 里没有模型 {self.model}，或地址不对（通常以 /v1 结尾）：请核对 --llm。")
        if isinstance(error, openai.RateLimitError):
            return GenerationError(f"{where} 请求太多或额度用完（429），重试 {self.retries} 次仍未成功：请稍后再问。")
        if isinstance(error, openai.BadRequestError) and _too_long(str(error)):
            return PromptTooLong(f"{where} 的上下文长度放不下一段资料：请用更大的上下文启动服务。")
        if isinstance(error, openai.APIStatusError):
            return GenerationError(f"{where} 返回错误 {error.status_code}（{_line(error)}）：请查看服务的日志。")
        if isinstance(error, json.JSONDecodeError | openai.APIResponseValidationError):
            return GenerationError(f"{where} 的回答应为 JSON，实际不是：请确认地址是 OpenAI 兼容接口。")
        return GenerationError(f"{where} 出错（{_line(error)}）：请查看服务的日志。")


def _too_long(message: str) -> bool:
    return any(word in message.lower() for word in ("context", "maximum input", "too long", "max_model_len"))


def _line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:120]
