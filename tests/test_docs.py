"""What the READMEs and `make help` name exists, what exists is named, and help needs none of the heavy libraries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH = ROOT / "README.md"
PAGES = [ENGLISH, ROOT / "README.zh.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("*/**/README.md"))]
PAGES = [page for page in PAGES if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)]
BLOCKED = ("torch", "transformers", "sentence_transformers", "faiss", "gradio", "pandas")
BARE = """
import runpy, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
sys.argv = {argv!r}
if sys.argv[0].endswith(".py"):
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
OUTSIDE = {"pip", "venv", "compileall"}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"},
    )


@cache
def help_of(*command: str) -> str:
    """What `<command> --help` prints where none of the heavy libraries can be imported."""
    done = python(BARE.format(blocked=BLOCKED, argv=[*command, "--help"]))
    assert done.returncode == 0, f"{' '.join(command)} --help: {done.stderr}"
    return done.stdout


def subcommands(module: str) -> list[str]:
    """The commands that a module's help lists."""
    return re.findall(r"^    ([a-z]+)  ", help_of(module), re.MULTILINE)


@cache
def targets() -> dict[str, str]:
    """Target -> prerequisites and recipe, as they stand in the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z-]+):(.*(?:\n\t.*)*)", text, re.MULTILINE))


def commands(page: Path) -> list[str]:
    """The commands of a page: lines of its sh and bat blocks, and code in its text that begins like one."""
    text = page.read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```(?:sh|bat)\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    lines += re.findall(r"`((?:make|python)[ ][^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = [re.sub(r"\s+#.*", "", line).replace(".venv\\Scripts\\python", "python") for line in lines]
    return [re.sub(r"^(?:[A-Z_]+=\S+ )+", "", line) for line in found if line.strip()]


def all_commands() -> list[tuple[str, str]]:
    return [(page.relative_to(ROOT).as_posix(), command) for page in PAGES for command in commands(page)]


# --- what is named exists


@pytest.mark.parametrize(("page", "command"), all_commands())
def test_command_exists(page: str, command: str) -> None:
    words = command.replace("[", " ").replace("]", " ").split()
    if words[0] == "make":
        named = [word for word in re.sub(r'ARGS="[^"]*"', "", command).split()[1:] if "=" not in word]
        assert set(named) <= set(targets())
        return
    if words[0] != "python":
        assert words[0] in {"echo"}, f"{page}: add a check for {words[0]}"
        return
    if words[1] == "-m":
        module, rest = words[2], words[3:]
        if module in OUTSIDE:
            return
        known = subcommands(module)
        called = [module, *(rest[:1] if known else [])]
        assert not known or rest[0] in {*known, "--help"}, f"{page}: {module} has no {rest[0]}"
        shown = help_of(*called) if rest[:1] != ["--help"] else help_of(module)
    else:
        assert words[1] == "app.py"
        shown, rest = help_of("app.py"), words[2:]
    for flag in (word for word in rest if word.startswith("--")):
        assert re.search(rf"{flag}\b", shown), f"{page}: {command}: no {flag}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_sections_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not link.startswith("http")]
    for link in links:
        file, _, section = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), f"{page.name}: {link}"
        if section:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert section in [heading.lower().replace(" ", "-") for heading in headings], f"{page.name}: {link}"
    top = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"var"}
    for name in re.findall(r"`([\w./-]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        inside = name.split("/")[0] in top and "/" in name
        if inside or re.fullmatch(r"[\w-]+\.(?:py|md|toml)", name):
            assert (ROOT / name).exists() or (page.parent / name).exists(), f"{page.name}: {name}"


def test_targets_of_make_help_exist() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    listed = set(re.findall(r"^make ([a-z-]+)  ", shown, re.MULTILINE))
    assert listed == set(targets()), "help lists every target and no other"
    for recipe in targets().values():
        for module, command in re.findall(r"\$\(PY\) -m (rag|index|eval) ([a-z]+)", recipe):
            assert command in subcommands(module)


# --- what exists is named


@pytest.mark.parametrize("module", ["index", "rag", "eval"])
def test_every_command_and_option_is_in_the_readme(module: str) -> None:
    text = ENGLISH.read_text(encoding="utf-8")
    assert subcommands(module)
    for command in subcommands(module):
        rows = re.findall(rf"`(python -m {module} {command}\b[^`]*)`", text)
        assert rows, f"README.md does not name python -m {module} {command}"
        for flag in set(re.findall(r"(?<=\s|\[)--[a-z-]+", help_of(module, command))) - {"--help", "--llm"}:
            assert any(flag in row for row in rows), f"README.md: python -m {module} {command} has {flag}"


def test_every_target_is_in_the_readme() -> None:
    text = ENGLISH.read_text(encoding="utf-8")
    assert [name for name in targets() if f"make {name}" not in text] == []


# --- help is light, examples run


@pytest.mark.parametrize(
    "command",
    [("app.py",), ("eval.mutate",), ("index.train",), ("eval.bench.llm",)]
    + [(module,) for module in ("index", "rag", "eval")]
    + [("index", name) for name in ("build", "add", "remove", "show", "targets")]
    + [("rag", name) for name in ("ask", "batch", "expand", "doctor")]
    + [("eval", name) for name in ("fit", "register")],
    ids=" ".join,
)
def test_help_needs_no_heavy_library(command: tuple[str, ...]) -> None:
    assert "--help" in help_of(*command)


def test_python_example_of_the_readme_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", ENGLISH.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    done = python(blocks[0])
    assert done.returncode == 0, done.stderr
    status, citation = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert status.startswith("answered ")
    assert re.match(r"\d+ \S+ \(\d+", citation)


def test_question_sets_are_as_described() -> None:
    text = (ROOT / "eval" / "sets" / "README.md").read_text(encoding="utf-8")
    families = {}
    for name in ("dev", "test"):
        rows = (ROOT / "eval" / "sets" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        families[name] = set(re.findall(r'"family": "([^"]+)"', "\n".join(rows)))
        assert f"`{name}.jsonl` | {len(rows)} questions, {len(families[name])} families" in text
    assert families["dev"] & families["test"] == set()
    for name, word in (("targets", "targets"), ("facts", "facts")):
        rows = (ROOT / "eval" / "sets" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        assert f"`{name}.jsonl` | {len(rows)} {word}" in text
