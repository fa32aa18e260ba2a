"""The README's figures, from runs whose figures are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.__main__ import main
from eval.readme import put_figures
from eval.run import RunError
from tests.test_compare import AFTER, BEFORE, recorded

README = "before\n\n<!-- figures -->\nold\n<!-- /figures -->\n\nafter\n"


def test_figures_stand_between_the_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    recorded(tmp_path / "dev", BEFORE)
    recorded(tmp_path / "test", AFTER)
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    assert main(["summary", str(tmp_path), "--readme", str(readme)]) == 0
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n\n<!-- figures -->\n\n|")
    assert text.endswith("\n<!-- /figures -->\n\nafter\n")
    assert "old" not in text
    assert "| right | 50.0 (10.0–90.0), 4 | 50.0 (10.0–90.0), 4 |" in text
    assert "| right: fact | 50.0 (10.0–90.0), 4 | 50.0 (10.0–90.0), 4 |" in text
    assert "Most frequent failures, dev: wrong figure 3." in text
    assert "Most frequent failures, test: wrong figure 1." in text
    put_figures(readme, tmp_path)
    assert readme.read_text(encoding="utf-8") == text


def test_missing_marks_and_missing_runs_are_said_so(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    with pytest.raises(RunError, match="没有评测结果"):
        put_figures(readme, tmp_path)
    readme.write_text("no marks", encoding="utf-8")
    with pytest.raises(RunError, match="两个标记"):
        put_figures(readme, tmp_path)
    assert readme.read_text(encoding="utf-8") == "no marks"
