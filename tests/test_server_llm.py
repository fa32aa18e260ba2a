"""A model behind an OpenAI-compatible server: a small one on this machine that answers as real ones do, and as broken
ones do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rag.errors import GenerationError, PromptTooLong
from rag.generate.extractive import NAME, Extractive
from rag.generate.model import Message, written_by
from rag.generate.number_lock import NumberLock
from rag.generate.server_llm import ServerModel
from rag.generate.written import Written
from rag.pipeline import Pipeline

ASKED = [Message("user", "好")]
ROADS = "2030年全州高速公路通车里程要达到多少公里？"
TRUE = "到2030年，全州高速公路通车里程达到418公里[1]。"


@dataclass
class Server:
    """What the server says and what it was asked. `behave` handles a chat request and may break off; None: it says
    `text`."""

    url: str = ""
    text: str = TRUE
    owner: str = "library"
    behave: Callable[[Any], None] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *given: Any) -> None:
            """Silent."""

        def do_GET(self) -> None:
            self.say(200, {"object": "list", "data": [
                {"id": "qwen", "object": "model", "created": 0, "owned_by": state.owner}
            ]})  # fmt: skip

        def do_POST(self) -> None:
            state.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.keys.append(self.headers.get("Authorization", ""))
            if state.behave is not None:
                state.behave(self)
            else:
                self.stream(state.text, "stop")

        def say(self, status: int, body: dict[str, Any] | str) -> None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def stream(self, text: str, finish: str | None) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for start in range(0, len(text), 4):
                self.event({"content": text[start : start + 4]}, None)
            if finish:
                self.event({}, finish)
                self.wfile.write(b"data: [DONE]\n\n")

        def event(self, delta: dict[str, str], finish: str | None) -> None:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            part = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "qwen", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(part)}\n\n".encode())
            self.wfile.flush()

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{made.server_address[1]}/v1"
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield state
    made.shutdown()
    made.server_close()


def model_of(server: Server, **given: Any) -> ServerModel:
    return ServerModel("qwen", server.url, **{"seconds": 5.0, "retries": 0} | given)


def answer_of(pipeline: Pipeline, model: ServerModel) -> Any:
    written = Written(model, pipeline.cited, pipeline.index.segmenter.cut, Extractive(pipeline.judge.aligner))
    return replace(pipeline, generate=written).ask(ROADS)


def test_an_answer_is_streamed_checked_and_shown(server: Server, yunze: Pipeline) -> None:
    pieces = list(model_of(server).write(ASKED))
    assert "".join(pieces) == TRUE
    assert len(pieces) > 3
    answer = answer_of(yunze, model_of(server))
    assert (answer.text, answer.backend, answer.note) == (TRUE, "大模型 qwen", "")
    request = server.asked[-1]
    assert (request["model"], request["temperature"], request["stream"]) == ("qwen", 0.0, True)
    assert [one["role"] for one in request["messages"]] == ["system", "user"]
    assert "structured_outputs" not in request


def test_the_key_comes_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    written_by(model_of(server), ASKED)
    assert server.keys == ["Bearer sk-test"]


def test_vllm_is_given_the_lock_as_a_regular_expression(server: Server) -> None:
    server.owner = "vllm"
    lock = NumberLock(["达到418公里"], 2)
    written_by(model_of(server), ASKED, lock)
    request = server.asked[-1]
    assert request["structured_outputs"] == {"regex": lock.pattern}
    assert request["guided_regex"] == lock.pattern
    assert request["chat_template_kwargs"] == {"enable_thinking": False}
    written_by(model_of(server), ASKED)
    assert "structured_outputs" not in server.asked[-1]


def test_thinking_is_left_out(server: Server) -> None:
    server.text = "<think>嗯……</think>好的。"
    assert written_by(model_of(server), ASKED) == "好的。"


# --- servers that fail: one clear sentence, and the quotation meanwhile


def status(code: int, message: str) -> Callable[[Any], None]:
    return lambda handler: handler.say(code, {"error": {"message": message, "type": "x"}})


def dies(handler: Any) -> None:
    handler.stream(TRUE[:20], None)


def no_json(handler: Any) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    handler.wfile.write(b"data: <html>half\n\n")


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (status(401, "bad key"), "不接受密钥：请在环境变量 OPENAI_API_KEY 里给出正确的密钥。"),
        (status(403, "no"), "不接受密钥"),
        (status(404, "no model"), "里没有模型 qwen"),
        (status(429, "slow down"), "（429）"),
        (status(500, "boom"), "返回错误 500"),
        (status(400, "unknown parameter"), "返回错误 400"),
        (status(400, "This model's maximum context length is 512 tokens"), "的上下文长度放不下一段资料"),
        (dies, "中途断开"),
        (no_json, "应为 JSON"),
    ],
)
def test_a_server_that_fails(behave: Callable[[Any], None], told: str, server: Server, yunze: Pipeline) -> None:
    server.behave = behave
    with pytest.raises(GenerationError) as caught:
        written_by(model_of(server), ASKED)
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert message.endswith("。")
    answer = answer_of(yunze, model_of(server))
    assert answer.text == yunze.ask(ROADS).text
    assert answer.backend == NAME
    assert told in answer.note


def test_a_server_that_is_down_or_has_another_model(server: Server, yunze: Pipeline) -> None:
    down = ServerModel("qwen", "http://127.0.0.1:9/v1", retries=0)
    with pytest.raises(GenerationError, match=r"连不上或中途断开：请确认服务已经启动、地址正确。"):
        written_by(down, ASKED)
    answer = answer_of(yunze, down)
    assert answer.text == yunze.ask(ROADS).text
    with pytest.raises(GenerationError, match="里没有模型 other，有的是 qwen"):
        written_by(ServerModel("other", server.url), ASKED)


def test_after_429_it_is_tried_again(server: Server) -> None:
    def busy_once(handler: Any) -> None:
        if len(server.asked) == 1:
            handler.say(429, {"error": {"message": "slow"}})
        else:
            handler.stream(TRUE, "stop")

    server.behave = busy_once
    assert written_by(model_of(server, retries=2), ASKED) == TRUE
    assert len(server.asked) == 2


def test_too_long_is_told_apart(server: Server) -> None:
    server.behave = status(400, "maximum context length exceeded")
    with pytest.raises(PromptTooLong):
        written_by(model_of(server), ASKED)
