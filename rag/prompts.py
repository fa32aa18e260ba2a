"""The fixed wordings and prompts of the tool: text files in prompts/, filled in by one strict renderer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Formatter

PROMPTS = Path(__file__).resolve().parent.parent / "prompts"


def render(name: str, **values: str) -> str:
    """The text of prompts/<name>.txt with every {variable} filled in; its last line break is not part of it.

    Raises KeyError naming the variables that are missing, or given and not used.
    """
    text = _read(name)
    wanted = {field for _, field, _, _ in Formatter().parse(text) if field}
    if wanted != values.keys():
        raise KeyError(f"prompts/{name}.txt wants {sorted(wanted)}, got {sorted(values)}")
    return text.format(**values)


def lines(name: str) -> list[str]:
    """The non-blank lines of prompts/<name>.txt that are no comments (#)."""
    return [line.strip() for line in _read(name).splitlines() if line.strip() and not line.startswith("#")]


@cache
def _read(name: str) -> str:
    return (PROMPTS / f"{name}.txt").read_text(encoding="utf-8").removesuffix("\n")
