"""What the tests of the page in a browser share; the fixtures are in conftest.py."""

from __future__ import annotations

import shutil
import socket

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
IN_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: apt-get install chromium fonts-noto-cjk"),
]

HOSTILE = (
    '<script>window.hit = 1</script><img src=x onerror="window.hit = 1"> **粗** [链接](http://example.com) ${1+1} $x$'
)
SWITCHES = "--no-sandbox --disable-background-networking --disable-component-update --disable-sync --no-first-run"
WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 390, "height": 844}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def ask(page: sync_api.Page, question: str) -> None:
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")


def is_hit(page: sync_api.Page) -> bool:
    return bool(page.evaluate("window.hit !== undefined"))


def overflows(page: sync_api.Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))
