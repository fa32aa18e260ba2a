"""Models named as on the hub: fetched when named and only then, found again without the network, and what is said where
they are not to be had. The hub is a small server of this machine; whatever would go elsewhere is sent to it as a proxy.
Each case runs in a process of its own, because the library reads its settings when it is imported."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from index.errors import ModelMissing
from index.hub import fetched
from rag.config import Config
from tests.browser import free_port
from tests.models import save_cross_encoder, save_model

ROOT = Path(__file__).parents[1]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FETCH = "from rag.generate.local_llm import LocalModel; LocalModel('tiny/qwen').fetch(print)"


@dataclass
class Hub:
    """A hub that holds the folders of `models`, by name. `asked`: paths asked for, and addresses elsewhere."""

    models: dict[str, Path]
    asked: list[str] = field(default_factory=list)
    address: str = ""
    portal: bool = False  # answers everything with a page to log in on, as a hotel's network does


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    held = Hub({"tiny/qwen": save_model(tmp_path / "qwen"), "tiny/ranker": save_cross_encoder(tmp_path / "ranker")})
    (held.models["tiny/qwen"] / "pytorch_model.bin").write_bytes(b"pickle")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            held.asked.append(self.path)
            self.send_error(403)

        def do_HEAD(self) -> None:
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        do_POST = do_GET

        def answer(self) -> None:
            held.asked.append(self.path)
            parts = unquote(urlsplit(self.path).path).strip("/").split("/")
            name = "/".join(parts[2:4] if parts[0] == "api" else parts[:2])
            folder = held.models.get(name)
            if held.portal:
                self.reply(b"<html>login</html>", {"Content-Type": "text/html"})
            elif folder is None:
                self.reply(b"{}", {"X-Error-Code": "RepoNotFound"}, 404)
            elif parts[0] == "api" and parts[4] == "revision":
                self.reply(json.dumps({"id": name, "sha": COMMIT, "siblings": []}).encode())
            elif parts[0] == "api" and parts[4] == "tree":
                files = [{"type": "file", "path": path.name, "size": path.stat().st_size, "oid": etag(path)}
                         for path in folder.iterdir()]  # fmt: skip
                self.reply(json.dumps(files).encode())
            else:
                path = folder / "/".join(parts[4:])
                self.reply(path.read_bytes(), {"X-Repo-Commit": COMMIT, "ETag": f'"{etag(path)}"'})

        def reply(self, body: bytes, headers: Mapping[str, str] = {}, status: int = 200) -> None:
            self.send_response(status)
            for key, value in ({"Content-Type": "application/json"} | dict(headers)).items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.address = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    yield held
    server.shutdown()
    server.server_close()


def etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


def surroundings(home: Path, hub: Hub | None, **more: str) -> dict[str, str]:
    """An environment without a cache, in which every address but this machine's is reached through the hub."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("HF_", "NO_PROXY"))}
    away = hub.address if hub is not None else "http://127.0.0.1:9"
    proxies = {"HTTP_PROXY": away, "HTTPS_PROXY": away, "http_proxy": away, "https_proxy": away}
    own = {"HF_HOME": str(home), "HF_ENDPOINT": away, "NO_PROXY": "127.0.0.1", "PYTHONIOENCODING": "utf-8"}
    return kept | proxies | own | more


def python(code: str, env: Mapping[str, str]) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_of(home: Path) -> set[str]:
    return {path.name for path in home.glob("hub/*/snapshots/*/*")}


@pytest.mark.slow
def test_a_model_is_fetched_once_and_then_found_without_the_network(hub: Hub, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert python(FETCH, surroundings(home, hub)) == "正在取得模型 tiny/qwen……\n"
    assert files_of(home) >= {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"}
    assert "pytorch_model.bin" not in files_of(home)
    asked = len(hub.asked)
    write = f"{FETCH}; from rag.generate.model import *; print(written_by(open_model('transformers:tiny/qwen'), "
    write += "[Message('user', '森林')], None, 5))"
    assert python(write, surroundings(home, hub)).strip()
    assert len(hub.asked) == asked
    assert python(write, surroundings(home, None, HF_HUB_OFFLINE="1")).strip()


@pytest.mark.slow
def test_a_fetch_that_was_broken_off_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    home = tmp_path / "home"
    weights = hub.models["tiny/qwen"] / "model.safetensors"
    python(FETCH, surroundings(home, hub))
    (held,) = home.glob("hub/*/snapshots/*/model.safetensors")
    held.unlink()
    assert "不许联网" in python(FETCH, surroundings(home, hub, HF_HUB_OFFLINE="1"))
    assert python(FETCH, surroundings(home, hub)) == "正在取得模型 tiny/qwen……\n"
    assert held.read_bytes() == weights.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hindrance", "told"),
    [
        ("away", "也未能从 http://127.0.0.1:9 取得（ConnectError）：请检查网络"),
        ("offline", "不许联网（HF_HUB_OFFLINE=1）：请去掉这个设置，或在能上网的机器上运行 hf download tiny/qwen"),
        ("unknown", "上也没有：请核对名称"),
        ("portal", "取得（JSONDecodeError）：请检查网络"),
    ],
)
def test_what_hinders_is_one_sentence(hindrance: str, told: str, hub: Hub, tmp_path: Path) -> None:
    hub.portal = hindrance == "portal"
    if hindrance == "unknown":
        del hub.models["tiny/qwen"]
    env = surroundings(tmp_path / "home", None if hindrance == "away" else hub)
    env |= {"HF_HUB_OFFLINE": "1"} if hindrance == "offline" else {}
    said = python(FETCH, env).splitlines()
    assert said[0] == "正在取得模型 tiny/qwen……"
    assert len(said) == 2
    assert said[1].startswith("应有模型 tiny/qwen（文件夹或模型网站上的名称），实际没有这个文件夹")
    assert told in said[1]


def test_a_full_disk_is_told_from_a_broken_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(model: str, local_files_only: bool = False, **given: object) -> str:
        raise LocalEntryNotFoundError("none") if local_files_only else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(ModelMissing, match="取来写不进磁盘（No space left on device）：请腾出空间"):
        fetched("tiny/qwen", "模型")


@pytest.mark.slow
def test_a_model_that_was_not_to_be_had_is_not_tried_again_at_once(hub: Hub, tmp_path: Path) -> None:
    del hub.models["tiny/qwen"]
    code = (
        "from index.errors import ModelMissing\nfrom rag.generate.model import Message, open_model\n"
        "model = open_model('transformers:tiny/qwen', print)\n"
        "for _ in range(3):\n    try:\n        next(model.write([Message('user', '好')]))\n"
        "    except ModelMissing as error:\n        print(error)"
    )
    said = python(code, surroundings(tmp_path / "home", hub)).splitlines()
    assert len(said) == 5
    assert len(set(said[1:])) == 1
    assert len([path for path in hub.asked if "tiny/qwen" in path]) == 1


# --- the page


def opened(arguments: list[str], env: Mapping[str, str]) -> str:
    """What `python app.py` says until the page is open."""
    command = [sys.executable, "app.py", "--port", str(free_port()), *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "页面已打开" in line:
                break
    finally:
        process.terminate()
        process.wait(60)
    assert "页面已打开" in said
    return said


@pytest.mark.slow
def test_the_page_fetches_the_models_that_are_named(hub: Hub, tmp_path: Path, yunze_folder: Path) -> None:
    index = ["--index", str(yunze_folder)]
    opened([*index, "--llm", "transformers:tiny/qwen", "--reranker", "tiny/ranker"], surroundings(tmp_path / "a", hub))
    assert {path.parent.name for path in (tmp_path / "a" / "hub").glob("models--*/refs")} == {
        "models--tiny--qwen", "models--tiny--ranker",
    }  # fmt: skip
    assert all("tiny" in path for path in hub.asked), hub.asked
    hub.asked.clear()
    said = opened([*index, "--llm", "transformers:tiny/qwen"], surroundings(tmp_path / "b", hub, HF_HUB_OFFLINE="1"))
    assert "不许联网（HF_HUB_OFFLINE=1）" in said
    assert hub.asked == []


@pytest.mark.slow
def test_the_page_without_a_model_asks_nobody_for_anything(hub: Hub, tmp_path: Path, yunze_folder: Path) -> None:
    opened(["--index", str(yunze_folder)], surroundings(tmp_path / "home", hub))
    opened(["--index", str(yunze_folder), "--llm", f"transformers:{hub.models['tiny/qwen']}"],
           surroundings(tmp_path / "home", hub))  # fmt: skip
    assert hub.asked == []
    assert not (tmp_path / "home" / "hub").exists()


def test_only_names_on_the_hub_may_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Config().to_fetch == ()
    assert Config(llm="transformers:Qwen/Qwen3-1.7B").to_fetch == ("Qwen/Qwen3-1.7B",)
    assert Config(llm="server:Qwen/Qwen3-8B@http://127.0.0.1:8000/v1", reranker="BAAI/x").to_fetch == ("BAAI/x",)
    assert Config(llm="transformers:/models/qwen", reranker=str(tmp_path)).to_fetch == ()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models" / "qwen").mkdir(parents=True)
    assert Config(llm="transformers:models/qwen").to_fetch == ()
