"""The set-up: what the code imports is pinned, `make` does each step once and recovers, a question starts light."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "requirements.txt"
DEV = ROOT / "requirements-dev.txt"
OURS = {"index", "rag", "eval", "page", "app", "tests", "fakes"}
# Asked for by one setting alone, which says how to install it; the tests need it.
ON_REQUEST = {"torchao"}
HEAVY = ("torch", "transformers", "sentence_transformers", "gradio", "pandas")


# --- requirements


def requirements(path: Path) -> list[Requirement]:
    lines = [line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


def pinned(paths: Iterable[Path], python: str) -> dict[str, str]:
    """Package -> version, as pip would read the files under a Python of that version."""
    found: dict[str, str] = {}
    for path in paths:
        for one in requirements(path):
            if one.marker is None or one.marker.evaluate({"python_version": python}):
                name = canonicalize_name(one.name)
                assert name not in found, f"{name} is pinned twice"
                found[name] = str(one.specifier).removeprefix("==")
    return found


def imported(sources: Iterable[Path]) -> dict[str, str]:
    """Distribution -> one of the files that import it, at the top or inside a function."""
    packages = packages_distributions()
    found: dict[str, str] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - OURS - sys.stdlib_module_names:
                assert top in packages, f"{source.name} imports {top}, which no installed package provides"
                found.setdefault(canonicalize_name(packages[top][0]), source.name)
    return found


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize(
    ("sources", "pins"),
    [
        ([*files("index", "rag", "page"), ROOT / "app.py"], [RUNTIME]),
        (files("eval", "tests"), [RUNTIME, DEV]),
    ],
    ids=["runtime", "dev"],
)
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.14"])
def test_everything_imported_is_pinned(sources: list[Path], pins: list[Path], python: str) -> None:
    known = {**pinned(pins, python), "packaging": "a dependency of pytest"}
    missing = {name: source for name, source in imported(sources).items() if name not in {*known, *ON_REQUEST}}
    assert missing == {}, f"add these to {pins[-1].name}"


def test_what_is_installed_on_request_is_pinned_for_the_tests() -> None:
    assert set(pinned([DEV], "3.11")) >= ON_REQUEST
    assert not set(pinned([RUNTIME], "3.11")) & ON_REQUEST


@pytest.mark.parametrize("path", [RUNTIME, DEV])
def test_every_pin_is_exact(path: Path) -> None:
    assert requirements(path)
    for one in requirements(path):
        operators = [specifier.operator for specifier in one.specifier]
        assert operators == ["=="], one
        assert "*" not in str(one.specifier), one


def test_pins_are_what_is_tested_here() -> None:
    python = ".".join(map(str, sys.version_info[:2]))
    for name, wanted in pinned([RUNTIME, DEV], python).items():
        assert version(name).split("+")[0] == wanted, name


def test_doctor_asks_for_the_same_versions() -> None:
    from rag.doctor import pinned as asked_for

    python = ".".join(map(str, sys.version_info[:2]))
    asked = [(canonicalize_name(name), wanted) for name, wanted in asked_for(RUNTIME.read_text(encoding="utf-8"))]
    assert sorted(asked) == sorted(pinned([RUNTIME], python).items())


def test_development_builds_on_the_runtime_pins() -> None:
    assert "-r requirements.txt" in DEV.read_text(encoding="utf-8").splitlines()


# --- make, with a stand-in for Python that writes down what it is asked to do

MAKE = shutil.which("make")
needs_make = pytest.mark.skipif(MAKE is None, reason="make is not installed")

# `python3 -m venv DIR` puts the stand-in into DIR; "fails" lists words of commands that fail, "calls" what was called.
STAND_IN = """#!/bin/sh
here={folder}
for word in $(cat "$here/fails" 2>/dev/null); do
  case "$*" in *"$word"*) echo "stand-in: $word fails" >&2; exit 1;; esac
done
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" "$3/lib" && cp "$0" "$3/bin/python";;
  *alive*) echo alive;;
  "-m pip "*|"-m ruff "*|"-m mypy"|"-m pytest"*|app.py*|"-m eval "*) ;;
esac
case "$*" in "-c "*) ;; *) echo "$*" >> "$here/calls";; esac
"""


class Project:
    """A copy of the Makefile in a folder of its own, set up with the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, folder / name)
        self.python = folder / "stand-in"
        self.python.write_text(STAND_IN.format(folder=folder))
        self.python.chmod(0o755)

    def make(self, *arguments: str, fails: str = "", python: str | None = None) -> tuple[int, str, list[str]]:
        """Exit code, what was said on stderr, and the commands that Python was asked for."""
        (self.folder / "fails").write_text(fails)
        (self.folder / "calls").write_text("")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(
            [MAKE or "make", *arguments, f"PYTHON={python or self.python}"],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stderr, (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def installs(calls: list[str]) -> list[str]:
    return [call.split()[-1] for call in calls if call.startswith("-m pip install")]


@needs_make
def test_what_is_done_is_not_done_again(project: Project) -> None:
    code, _, calls = project.make("setup")
    assert (code, installs(calls)) == (0, ["requirements.txt"])
    assert calls[0] == "-m venv .venv"
    assert project.make("setup")[2] == []
    assert project.make("chat", "ARGS=--port 8000")[2] == ["app.py --port 8000"]
    code, _, calls = project.make("test")
    assert (code, installs(calls)) == (0, ["requirements-dev.txt"])
    assert project.make()[2] == ["-m ruff check .", "-m mypy", "-m pytest"], "the bare command is make test"
    assert project.make("fit")[2] == ["-m eval fit"]


@needs_make
def test_chat_installs_nothing_for_development(project: Project) -> None:
    code, _, calls = project.make("chat")
    assert (code, installs(calls), calls[-1]) == (0, ["requirements.txt"], "app.py")


@needs_make
def test_changed_requirements_are_installed(project: Project) -> None:
    project.make("test")
    os.utime(project.folder / "requirements-dev.txt", (2**31, 2**31))
    assert installs(project.make("test")[2]) == ["requirements-dev.txt"]
    project = Project(project.folder)
    os.utime(project.folder / "requirements.txt", (2**31, 2**31))
    assert installs(project.make("setup")[2]) == ["requirements.txt"]


@needs_make
def test_interrupted_set_up_is_done_again(project: Project) -> None:
    code, said, _ = project.make("chat", fails="install")
    assert code != 0
    assert "install fails" in said
    assert "PIP_INDEX_URL" in said
    code, _, calls = project.make("chat")
    assert (code, installs(calls), calls[-1]) == (0, ["requirements.txt"], "app.py")
    code, _, _ = project.make("test", fails="install")
    assert code != 0
    code, _, calls = project.make("test")
    assert (code, installs(calls)) == (0, ["requirements-dev.txt"])


@needs_make
@pytest.mark.parametrize("damage", ["no python", "python gone", "a file"])
def test_broken_environment_is_made_anew(project: Project, damage: str) -> None:
    project.make("setup")
    venv = project.folder / ".venv"
    if damage == "a file":
        shutil.rmtree(venv)
        venv.write_text("")
    else:
        (venv / "bin" / "python").unlink()
        if damage == "python gone":
            (venv / "bin" / "python").symlink_to(project.folder / "uninstalled")
    code, _, calls = project.make("setup")
    assert (code, installs(calls)) == (0, ["requirements.txt"])
    assert project.make("setup")[2] == []


@needs_make
@pytest.mark.parametrize("failing", ["ruff", "mypy", "pytest"])
def test_one_failing_check_fails_the_whole_and_hides_no_other(project: Project, failing: str) -> None:
    project.make("test")
    code, _, calls = project.make("test", fails=failing)
    assert code != 0
    assert calls == [f"-m {name}" for name in ("ruff check .", "mypy", "pytest") if not name.startswith(failing)]


@needs_make
@pytest.mark.parametrize(
    ("fails", "python", "said"),
    [
        ("version_info", None, "需要 Python 3.10 或更新的版本"),
        ("ensurepip", None, "python3-venv"),
        ("", "/nowhere/python3", "没有找到 /nowhere/python3"),
    ],
)
def test_unfit_python_is_named_with_the_cure(project: Project, fails: str, python: str | None, said: str) -> None:
    code, words, calls = project.make("setup", fails=fails, python=python)
    assert code != 0
    assert said in words
    assert "make PYTHON=" in words
    assert installs(calls) == []
    assert not (project.folder / ".venv").exists()


def test_continuous_integration_calls_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    last = script.read_text(encoding="utf-8").rstrip().splitlines()[-1]
    assert last.startswith("make test </dev/null"), "no waiting for input, and nothing after the tests"


# --- a question starts light


def test_question_imports_nothing_heavy(tmp_path: Path) -> None:
    plan = tmp_path / "北川.txt"
    plan.write_text("北川市“十五五”规划\n到2030年,粮食产量达到50万吨以上。\n", encoding="utf-8")
    code = f"""
import sys
from index.__main__ import main as index
from rag.__main__ import main as rag
assert index(["build", {str(plan)!r}, "--out", {str(tmp_path / "index")!r}]) == 0
assert rag(["ask", "2030年粮食产量达到多少?", "--index", {str(tmp_path / "index")!r}]) == 0
print("heavy:", [name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stderr
    assert "50万吨" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"
