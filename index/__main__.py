"""Command line of the write side: python -m index build | add | remove | show."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from index.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 2 with one line on stderr for an error meant for the user."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m index", description="建立和查看索引")
    commands = parser.add_subparsers(required=True, metavar="命令")

    build = commands.add_parser("build", help="用给出的文件建立索引（缺省：自带的规划纲要）")
    build.add_argument("sources", nargs="*", type=Path, metavar="SOURCE", help="文件或文件夹：txt md docx pdf html")
    build.add_argument("--embedder", metavar="MODEL", help="向量模型的名称或文件夹（缺省：自带模型）")
    build.set_defaults(run=_build)

    add = commands.add_parser("add", help="把文件加入已有的索引；同名的文件被替换")
    add.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    add.set_defaults(run=_add)

    remove = commands.add_parser("remove", help="从索引里去掉文档")
    remove.add_argument("documents", nargs="+", metavar="DOC", help="文档名（不带后缀的文件名）")
    remove.set_defaults(run=_remove)

    show = commands.add_parser("show", help="显示章节结构和行号")
    show.add_argument("--depth", type=int, default=9, help="只显示到第几层")
    show.set_defaults(run=_show)

    from index.build import DEFAULT_INDEX

    for command, flag in ((build, "--out"), (add, "--out"), (remove, "--out"), (show, "--index")):
        command.add_argument(
            flag, dest="index", type=Path, default=DEFAULT_INDEX, metavar="DIR", help="索引文件夹（缺省：var/index）"
        )
    return parser


def _build(options: argparse.Namespace) -> None:
    from index.build import SHIPPED_PLAN, build

    report = build(options.sources or (SHIPPED_PLAN,), options.index, options.embedder, _say)
    print(
        f"索引已建立：{options.index}，{report.documents} 个文档，{report.chunks} 个段落，"
        f"{report.keys} 个向量（新算 {report.embedded} 个）。"
    )


def _add(options: argparse.Namespace) -> None:
    from index.build import add

    report = add(options.sources, options.index, _say)
    print(f"索引已更新：共 {report.documents} 个文档，{report.chunks} 个段落（新算 {report.embedded} 个向量）。")


def _remove(options: argparse.Namespace) -> None:
    from index.build import remove

    report = remove(options.documents, options.index)
    print(f"索引已更新：共 {report.documents} 个文档，{report.chunks} 个段落。")


def _show(options: argparse.Namespace) -> None:
    from index.build import DEFAULT_INDEX, needs_build
    from index.store import load

    # Only there: a mistyped --index is an error, not a place for a new index.
    if options.index == DEFAULT_INDEX and needs_build(options.index):
        _build(argparse.Namespace(sources=[], index=options.index, embedder=None))
    index = load(options.index)
    for section in index.sections:
        if section.level > options.depth:
            continue
        if section.kind == "document":
            print(f"{section.doc_id}  第{section.first}–{section.last}行")
            continue
        title = section.path[-1] if section.path else section.title
        title = "（网页残留，不入索引）" if section.kind == "residue" else title
        lines = f"第{section.first}行" if section.first == section.last else f"第{section.first}–{section.last}行"
        print(f"{'  ' * len(section.path)}{title}  {lines}")


def _say(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
