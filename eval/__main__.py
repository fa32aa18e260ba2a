"""Command line of the evaluation: python -m eval fit."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 with one line on stderr for an error meant for the user."""
    parser = argparse.ArgumentParser(prog="python -m eval", description="评测与拟合")
    commands = parser.add_subparsers(required=True, metavar="命令")
    fit = commands.add_parser("fit", help="在开发集上拟合检索、选句和拒答的权重，写入 rag/weights.json")
    fit.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index）")
    fit.set_defaults(run=_fit)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _fit(options: argparse.Namespace) -> None:
    from eval.dataset import SETS, read_set
    from eval.fit import fit
    from rag.config import Config
    from rag.pipeline import WEIGHTS, open_pipeline

    pipeline = open_pipeline(Config(options.index))
    weights = fit(pipeline, read_set(SETS / "dev.jsonl"))
    WEIGHTS.write_text(compact(weights) + "\n", encoding="utf-8")
    print(f"已写入 {WEIGHTS.name}")


def compact(weights: dict[str, Any]) -> str:
    """The weights as JSON, a tree to a line."""
    text = json.dumps({**weights, "refusal": {**weights["refusal"], "trees": "TREES"}}, ensure_ascii=False, indent=1)
    trees = ",\n   ".join(json.dumps(tree, separators=(",", ":")) for tree in weights["refusal"]["trees"])
    return text.replace('"TREES"', f"[\n   {trees}\n  ]")


if __name__ == "__main__":
    sys.exit(main())
