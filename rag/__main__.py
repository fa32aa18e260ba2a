"""Command line of the read side: python -m rag ask | batch | expand | doctor."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
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

    batch = commands.add_parser("batch", help="回答一个文件里的全部问题")
    batch.add_argument("source", type=Path, metavar="IN", help="jsonl 文件，每行一个带 question 的对象")
    batch.add_argument("--out", type=Path, required=True, metavar="OUT", help="写到哪个 jsonl 文件")
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
    return parser


def _ask(options: argparse.Namespace) -> int:
    from rag.batch import record
    from rag.config import Config
    from rag.pipeline import open_pipeline
    from rag.prompts import render

    pipeline = open_pipeline(Config(options.index, options.llm), _say)
    answer = pipeline.ask(options.question)
    if options.json:
        told = record("1", answer) | {"completed": answer.completed, "note": answer.note}
        print(json.dumps(told, ensure_ascii=False))
        return 0
    if answer.completed:
        print(render("completed", question=answer.completed))
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
    from rag.batch import run
    from rag.config import Config
    from rag.pipeline import open_pipeline

    pipeline = open_pipeline(Config(options.index, options.llm), _say)
    failed = run(pipeline, options.source, options.out, _counted if sys.stderr.isatty() else _silent)
    _say(f"已写入 {options.out}" + (f"，其中 {failed} 行未能回答，原因见各行的 error 字段。" if failed else "。"))
    return 1 if failed else 0


def _expand(options: argparse.Namespace) -> int:
    from rag.config import Config
    from rag.expand import expand
    from rag.generate.model import open_model
    from rag.pipeline import open_pipeline

    model = open_model(options.llm)
    pipeline = open_pipeline(Config(options.index), _say)
    kept = expand(pipeline, model, options.out, _counted if sys.stderr.isatty() else _silent)
    _say(f"已写入 {options.out}，这一次留下 {kept} 个问题。")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine

    failed = 0
    for finding in examine(options.index, options.llm):
        print(f"{'正常' if finding.ok else '有误'}  {finding.subject}：{finding.found}")
        if not finding.ok:
            failed += 1
            print(f"      办法：{finding.cure}")
    return 1 if failed else 0


def _counted(done: int, total: int) -> None:
    print(f"\r{done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _silent(done: int, total: int) -> None:
    """No counter where nobody watches: a log would fill with carriage returns."""


def _say(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
