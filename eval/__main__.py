"""Command line of the evaluation: python -m eval check | run | compare | report | judge | ablate | reading | fit …"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from index.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 with one line on stderr for an error meant for the user."""
    parser = argparse.ArgumentParser(prog="python -m eval", description="评测与拟合")
    commands = parser.add_subparsers(required=True, metavar="命令")
    check = commands.add_parser("check", help="逐行核对题集：格式、依据行、要点、题族分组、与备用问题的近似重复")
    check.add_argument("sets", nargs="*", metavar="SET", help="题集文件，或 eval/sets 里的名称（缺省：dev test）")
    check.set_defaults(run=_check)
    asked = commands.add_parser("run", help="问完一个题集并评分；中断后再运行同一命令会接着做")
    asked.add_argument("--set", default="dev", metavar="SET", help="题集文件，或 eval/sets 里的名称（缺省：dev）")
    asked.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index）")
    asked.add_argument(
        "--llm", default="extractive", help="由谁回答：extractive（缺省）、transformers:模型、server:模型@地址"
    )
    asked.add_argument("--quantize", metavar="int8", help="本机的大模型权重按 8 位存放，省内存，写得慢；缺省不用")
    asked.add_argument("--seed", type=int, default=7, metavar="N", help="改写件的随机种子（缺省：7）")
    asked.add_argument("--jobs", type=int, default=1, metavar="N", help="同时回答的进程数（缺省：1）")
    asked.add_argument("--mutate", action="store_true", help="先把文件和题集改写成别的地名和数字，再问改写件")
    asked.add_argument("--fresh", action="store_true", help="不接着以前的做，从头再来")
    asked.add_argument("--out", type=Path, required=True, metavar="DIR", help="结果写入的文件夹")
    asked.set_defaults(run=_run)
    compare = commands.add_parser("compare", help="同一题集的两次评测相比：各项之差、区间、显著性，对错有变的题")
    compare.add_argument("a", type=Path, metavar="A", help="先一次评测的文件夹")
    compare.add_argument("b", type=Path, metavar="B", help="后一次评测的文件夹")
    compare.set_defaults(run=_compare)
    report = commands.add_parser("report", help="把一次评测写成一个网页：指标、图和逐题的答案、引用、对错")
    report.add_argument("folder", type=Path, metavar="DIR", help="评测所在的文件夹")
    report.add_argument("--out", type=Path, metavar="FILE", help="写入的文件（缺省：DIR/report.html）")
    report.set_defaults(run=_report)
    judge = commands.add_parser("judge", help="让语言模型把一次评测的回答逐题评对错，与评分并列；不计入指标")
    judge.add_argument("folder", type=Path, metavar="DIR", help="评测所在的文件夹")
    judge.add_argument("--llm", required=True, help="由谁评：transformers:模型、server:模型@地址")
    judge.set_defaults(run=_judge)
    ablate = commands.add_parser("ablate", help="去掉检索、词典、台账等部分各问一遍，并列结果；另画干扰段落的影响")
    ablate.add_argument("--set", default="dev", metavar="SET", help="题集文件，或 eval/sets 里的名称（缺省：dev）")
    ablate.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index）")
    ablate.add_argument("--out", type=Path, required=True, metavar="DIR", help="结果写入的文件夹")
    ablate.set_defaults(run=_ablate)
    for command in (asked, ablate):
        command.add_argument(
            "--reranker", metavar="MODEL", help="重排检索结果的模型：文件夹或名称，如 BAAI/bge-reranker-v2-m3；缺省不用"
        )
    summary = commands.add_parser("summary", help="把一个文件夹里的各次评测并列成表")
    summary.add_argument("folder", type=Path, metavar="DIR", help="各次评测所在的文件夹")
    summary.add_argument("--readme", type=Path, metavar="FILE", help="把 dev 和 test 的成绩写进 FILE 的两个标记之间")
    summary.set_defaults(run=_summary)
    reading = commands.add_parser("reading", help="在别的阅读理解题集上，本工具找段落与单用 BM25 相比")
    reading.add_argument("sets", type=Path, nargs="+", metavar="FILE", help='每行 {"text", "qas": [{"question"}]}')
    reading.add_argument("--most", type=int, default=0, metavar="N", help="每个题集最多问几个（缺省：全部）")
    reading.set_defaults(run=_reading)
    fit = commands.add_parser("fit", help="在开发集上拟合检索、选句和拒答的权重，写入 rag/weights.json")
    fit.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index）")
    fit.set_defaults(run=_fit)
    wordings = commands.add_parser("wordings", help="审定的答复用于另一种说法，相似度从多少起才不会用错")
    wordings.add_argument("sets", nargs="*", metavar="SET", help="题集，同 check（缺省：dev train）")
    wordings.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index）")
    wordings.set_defaults(run=_wordings)
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


def _set(name: str) -> Path:
    """A set by its name in eval/sets, or as a file."""
    from eval.dataset import SETS

    named = SETS / f"{name}.jsonl"
    return named if named.is_file() else Path(name)


def _wordings(options: argparse.Namespace) -> None:
    from eval.run import bar
    from eval.wordings import pairs, told
    from rag.config import Config
    from rag.pipeline import open_pipeline

    pipeline = open_pipeline(Config(options.index, approved=False))
    print(told(pairs([_set(name) for name in options.sets or ("dev", "train")], pipeline, bar)))


def _check(options: argparse.Namespace) -> None:
    from eval.check import check_sets

    told, near = check_sets([_set(name) for name in options.sets or ("dev", "test")])
    print("\n".join(told))
    print(f"与备用问题近似重复（不计数字和地名）：{len(near)} 对。")
    for pair in near:
        print(f"  {pair.likeness:.2f} {pair.first} ≈ {pair.second}")


def _run(options: argparse.Namespace) -> None:
    from eval.run import bar, run, told
    from rag.config import Config

    config = Config(options.index, options.llm, reranker=options.reranker, quantize=options.quantize)
    source = _set(options.set)
    done = run(source, options.out, config, options.seed, options.jobs, options.mutate, options.fresh, bar)
    print(told(done))


def _compare(options: argparse.Namespace) -> None:
    from eval.compare import compare, told

    print(told(compare(options.a, options.b)))


def _report(options: argparse.Namespace) -> None:
    from eval.report import report

    print(f"已写入 {report(options.folder, options.out)}")


def _judge(options: argparse.Namespace) -> None:
    from eval.judge import judge, told
    from eval.run import bar
    from rag.generate.model import open_model

    print(told(judge(options.folder, open_model(options.llm), bar)))


def _ablate(options: argparse.Namespace) -> None:
    from eval.ablation import ablate, told
    from eval.run import bar
    from rag.config import Config

    print(told(ablate(_set(options.set), options.out, Config(options.index, reranker=options.reranker), bar)))


def _summary(options: argparse.Namespace) -> None:
    from eval.readme import put_figures
    from eval.run import summary

    if options.readme:
        put_figures(options.readme, options.folder)
        print(f"已写入 {options.readme}")
    else:
        print(summary(options.folder))


def _reading(options: argparse.Namespace) -> None:
    from eval.reading import find, read_reading_set, told
    from eval.run import bar

    readings = [read_reading_set(path, options.most) for path in options.sets]
    print(told([(reading, find(reading, bar)) for reading in readings]))


def _fit(options: argparse.Namespace) -> None:
    import numpy as np

    from eval.dataset import SETS, read_set
    from eval.fit import FITTED, USUAL, fit
    from rag.config import Config
    from rag.pipeline import WEIGHTS, open_pipeline

    pipeline = open_pipeline(Config(options.index))
    of_sets = {name: read_set(SETS / f"{name}.jsonl") for name in FITTED}
    usual = np.array([name == USUAL for name, of_set in of_sets.items() for _ in of_set])
    weights = fit(pipeline, [question for of_set in of_sets.values() for question in of_set], usual)
    WEIGHTS.write_text(compact(weights) + "\n", encoding="utf-8")
    print(f"已写入 {WEIGHTS.name}")


def compact(weights: dict[str, Any]) -> str:
    """The weights as JSON, a tree to a line."""
    held: list[str] = []

    def set_aside(value: Any) -> Any:
        held.append(json.dumps(value, separators=(",", ":")))
        return f"HELD {len(held) - 1}"

    shown = {
        name: {**value, "trees": [set_aside(tree) for tree in value["trees"]]}
        if isinstance(value, dict) and "trees" in value
        else set_aside(value)
        if isinstance(value, list)
        else value
        for name, value in weights.items()
    }
    text = json.dumps(shown, ensure_ascii=False, indent=1)
    return re.sub(r'"HELD (\d+)"', lambda match: held[int(match[1])], text)


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
