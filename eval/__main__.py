"""Command line of the evaluation: python -m eval fit | register."""

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
    register = commands.add_parser("register", help="指标台账与手工台账相比的准确率、召回率和各字段的一致率")
    register.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index）")
    register.add_argument("--remarks", action="store_true", help="逐条列出不一致之处")
    register.set_defaults(run=_register)
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


def _register(options: argparse.Namespace) -> None:
    from eval.dataset import SETS
    from eval.register import agreement, read_gold, told
    from index.build import DEFAULT_INDEX, SHIPPED_PLAN
    from index.store import load
    from index.targets import registers

    index = load(options.index or DEFAULT_INDEX)
    doc = SHIPPED_PLAN.stem
    found = registers(index.documents, index.sections, index.chunks)
    if doc not in found:
        raise UserError(f"手工台账是 {doc} 的，索引里没有它：请用 python -m index add 加入，或用 --index 换一个。")
    for name, kind, entries in (("目标", "targets", found[doc].targets), ("已达到", "facts", found[doc].facts)):
        print(told(name, agreement(entries, read_gold(SETS / f"{kind}.jsonl")), options.remarks))


if __name__ == "__main__":
    sys.exit(main())
