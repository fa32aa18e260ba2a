"""Command line of the read side: python -m rag ask | batch | expand | doctor."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from index.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 where rows or checks failed, 2 with one line on stderr for an
    error meant for the user."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rag", description="向规划提问，回答逐字引自原文")
    commands = parser.add_subparsers(required=True, metavar="命令")

    ask = commands.add_parser("ask", help="回答一个问题")
    ask.add_argument("question", metavar="QUESTION", help="问题，用中文")
    ask.add_argument("--json", action="store_true", help="输出 JSON：答案、引文、检索结果")
    ask.set_defaults(run=_ask)

    batch = commands.add_parser("batch", help="回答一个文件里的全部问题；中断后用同一命令续答")
    batch.add_argument(
        "source",
        type=Path,
        metavar="IN",
        help="问题清单：csv、xlsx（有“问题”列）、jsonl（每行一个带 question 的对象）、txt、md",
    )
    batch.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="写到哪个文件：以 .xlsx、.csv、.jsonl 或 .docx 结尾"
    )
    batch.add_argument("--column", default="", metavar="NAME", help="问题在哪一列：列名或列号（如 C），缺省按列名找")
    batch.add_argument("--sheet", default="", metavar="NAME", help="xlsx 的哪个工作表，缺省为第一个有问题列的")
    batch.add_argument(
        "--jobs",
        type=int,
        default=0,
        metavar="N",
        help="用几个进程作答，缺省按问题数和处理器数定；用大模型时是同时问几题",
    )
    batch.add_argument(
        "--overwrite", action="store_true",
        help="覆盖已有的输出；规划或索引变了，同时写出变动对照（OUT 旁的“-变动.xlsx”）",
    )  # fmt: skip
    batch.set_defaults(run=_batch)

    expand = commands.add_parser("expand", help="让语言模型给每段出几个问题，供试用和训练")
    expand.add_argument("--out", type=Path, required=True, metavar="OUT", help="写到哪个 jsonl 文件")
    expand.set_defaults(run=_expand)

    doctor = commands.add_parser("doctor", help="检查安装，说出原因和办法")
    doctor.set_defaults(run=_doctor)

    for command in (ask, batch, expand, doctor):
        command.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹（缺省：var/index，没有就先建立）")
        command.add_argument(
            "--llm",
            default="extractive",
            help="由谁回答：extractive（缺省）、transformers:模型、server:模型@网址",
        )
        command.add_argument(
            "--quantize", metavar="int8",
            help="本机的大模型权重按 8 位存放，省一半多内存，写得慢；缺省不用，须先 pip install torchao==0.18.0",
        )  # fmt: skip
    for command in (ask, batch, doctor):
        command.add_argument(
            "--reranker", metavar="MODEL", help="重排检索结果的模型：文件夹或名称，如 BAAI/bge-reranker-v2-m3；缺省不用"
        )
    return parser


def _ask(options: argparse.Namespace) -> int:
    from rag.batch.record import record
    from rag.batch.state import approval_told
    from rag.config import Config
    from rag.pipeline import open_pipeline
    from rag.prompts import render

    config = Config(options.index, options.llm, reranker=options.reranker, quantize=options.quantize)
    pipeline = open_pipeline(config, _say)
    answer = pipeline.ask(options.question)
    if options.json:
        told = record("1", answer) | {"completed": answer.completed, "note": answer.note}
        print(json.dumps(told, ensure_ascii=False))
        return 0
    if answer.completed:
        print(render("completed", question=answer.completed))
    if answer.approved is not None:
        print(approval_told(asdict(answer.approved)))
    print(answer.text)
    if answer.note:
        print(f"（{answer.note}）")
    for citation in answer.citations:
        place = " › ".join(citation.section)
        page = f"第{citation.page}页" if citation.page is not None else ""
        first, last = min(citation.lines), max(citation.lines)
        lines = f"第{first}行" if first == last else f"第{first}–{last}行"
        print(f"  [{citation.n}] {citation.doc} {page}{lines}  {place}")
    return 0


def _batch(options: argparse.Namespace) -> int:
    from rag.batch.journal import journal_of
    from rag.batch.run import run
    from rag.batch.writing import check_output
    from rag.config import Config
    from rag.pipeline import open_pipeline

    check_output(options.source, options.out)
    config = Config(options.index, options.llm, reranker=options.reranker, quantize=options.quantize)
    pipeline = open_pipeline(config, _say)
    try:
        with _counted() as progress:
            outcome = run(
                pipeline, config, options.source, options.out, column=options.column, sheet=options.sheet,
                jobs=options.jobs, overwrite=options.overwrite, progress=progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        _say(f"\n已停下，已答的都记在 {journal_of(options.out)} 里：用同一命令续答，不会重做。")
        return 130
    counts = outcome.tally
    for notice in outcome.notices:
        _say(f"{notice}。")
    _say(
        f"{'早已写好' if outcome.already else '已写入'} {options.out}：{counts.asked} 问，已答复 {counts.answered}，"
        f"未载明 {counts.refused}，待人工 {counts.review}"
        + (f"；其中 {counts.failed} 行未能回答，原因见各行的 {_reason(options.out)}。" if counts.failed else "。")
    )
    if outcome.changed is not None:
        changed = outcome.changed
        _say(
            f"与上一次相比：答复有变 {changed.answers} 行，只有依据有变 {changed.evidence} 行，"
            f"新问题 {changed.new} 行，只移了行号 {changed.moved} 行，未变 {changed.unchanged} 行，"
            f"新旧对照见 {outcome.report}。"
        )
    return 1 if counts.failed else 0


def _reason(out: Path) -> str:
    return "error 字段" if out.suffix.lower() == ".jsonl" else "备注"


@contextmanager
def _counted(what: str = "答复") -> Iterator[Callable[[int, int], None]]:
    """What is done and the time that is left, where somebody watches; a log would fill with carriage returns."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("剩余"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _expand(options: argparse.Namespace) -> int:
    from rag.config import Config
    from rag.expand import expand
    from rag.generate.model import open_model
    from rag.pipeline import open_pipeline

    model = open_model(options.llm, _say, options.quantize)
    pipeline = open_pipeline(Config(options.index), _say)
    with _counted("段落") as progress:
        kept = expand(pipeline, model, options.out, progress)
    _say(f"已写入 {options.out}，这一次留下 {kept} 个问题。")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine

    failed = 0
    for finding in examine(options.index, options.llm, options.reranker, options.quantize):
        print(f"{'正常' if finding.ok else '有误'}  {finding.subject}：{finding.found}")
        if not finding.ok:
            failed += 1
            print(f"      办法：{finding.cure}")
    return 1 if failed else 0


def _say(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
