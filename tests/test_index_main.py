"""python -m index: what it prints, what it returns, and that a mistake ends in one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.__main__ import main
from index.store import load

ROOT = Path(__file__).parents[1]
NORTH = """北川市国民经济和社会发展第十五个五年规划纲要
第一章 发展目标
到2030年,粮食产量达到50万吨以上。
第二章 重大工程
新建水库3座。
"""


@pytest.fixture
def north(tmp_path: Path) -> Path:
    path = tmp_path / "北川.txt"
    path.write_text(NORTH, encoding="utf-8")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "index"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_build_add_show_remove(north: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    south = north.with_name("南湖.txt")
    south.write_text("南湖县水务规划\n改造渠道120公里。\n", encoding="utf-8")
    assert run("build", north, "--out", out) == 0
    printed = capsys.readouterr()
    chunks = len(load(out).chunks)
    assert f"1 个文档，{chunks} 个段落" in printed.out
    assert "读取 北川.txt" in printed.err
    assert run("add", south, "--out", out) == 0
    assert "共 2 个文档" in capsys.readouterr().out
    assert run("show", "--index", out) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "北川  第1–5行"
    assert "  第一章 发展目标  第2–3行" in lines
    assert "  第二章 重大工程  第4–5行" in lines
    assert "南湖  第1–2行" in lines
    assert run("show", "--depth", "0", "--index", out) == 0
    assert capsys.readouterr().out.splitlines() == ["北川  第1–5行", "南湖  第1–2行"]
    assert run("remove", "北川", "--out", out) == 0
    assert "共 1 个文档" in capsys.readouterr().out
    assert [document.id for document in load(out).documents] == ["南湖"]


def test_folder_is_built_whole(north: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("build", north.parent, "--out", out) == 0
    assert [document.id for document in load(out).documents] == ["北川"]
    assert capsys.readouterr().out.startswith("索引已建立")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "{missing}", "--out", "{out}"], "没有.txt"),
        (["build", "{north}", "--embedder", "{missing}", "--out", "{out}"], "没有.txt"),
        (["add", "{north}", "--out", "{out}"], "python -m index build"),
        (["remove", "北川", "--out", "{out}"], "python -m index build"),
        (["show", "--index", "{out}"], "python -m index build"),
    ],
)
def test_mistake_ends_in_one_line(
    north: Path, out: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    places = {"north": north, "out": out, "missing": north.with_name("没有.txt")}
    assert run(*(argument.format(**places) for argument in arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    errors = [line for line in printed.err.splitlines() if not line.startswith("读取 ")]
    assert len(errors) == 1
    assert said in errors[0]
    assert not out.exists(), "a mistyped place is no place for a new index"


def test_exit_code_of_the_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "index", "show", "--index", str(tmp_path / "无")],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "manifest.json" in done.stderr


def test_a_build_without_files_keeps_an_index_of_own_documents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "我的规划.txt"
    own.write_text("第一章 目标\n到2030年，森林覆盖率达到27.5%。\n", encoding="utf-8")
    assert main(["build", str(own), "--out", str(tmp_path / "index")]) == 0
    capsys.readouterr()
    assert main(["build", "--out", str(tmp_path / "index")]) == 2
    assert "我的规划" in capsys.readouterr().err
    assert main(["show", "--index", str(tmp_path / "index")]) == 0
    assert "我的规划" in capsys.readouterr().out
