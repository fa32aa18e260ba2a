"""The command line of the page."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import app

ROOT = Path(app.__file__).parent


def test_a_busy_port_is_named_before_the_index_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert app.main(["--port", str(port), "--index", str(tmp_path / "no-index")]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"端口 {port} 已被" in message
    assert "--port" in message


@pytest.mark.parametrize("port", ["0", "65536", "abc", "-1", "７８６０"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main([f"--port={port}"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"“{port}”" in message


def test_a_host_of_another_machine(capsys: pytest.CaptureFixture[str]) -> None:
    # 192.0.2.0/24 is set aside for documentation (RFC 5737): no machine has such an address.
    assert app.main(["--host", "192.0.2.1", "--port", "7861"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "“192.0.2.1”" in message


def test_an_unknown_answerer_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--llm", "no-such-answerer"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "no-such-answerer" in message


def test_help_needs_none_of_the_heavy_libraries() -> None:
    blocked = ["torch", "transformers", "sentence_transformers", "faiss", "gradio", "jieba", "pandas", "openpyxl"]
    script = (
        "import runpy, sys\n"
        f"sys.modules.update(dict.fromkeys({blocked!r}))\n"
        "sys.argv = ['app.py', '--help']\n"
        "runpy.run_path('app.py', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    for option in ("--host", "--port", "--index", "--llm"):
        assert option in done.stdout
