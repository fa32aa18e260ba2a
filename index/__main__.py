"""Command line of the write side: python -m index build | add | remove | show | targets."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from index.errors import IndexMismatch, IndexMissing, UserError


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

    targets = commands.add_parser("targets", help="列出规划里的量化目标、已达到的数值、专栏项目和需要核对之处")
    forms = ("table", "jsonl", "csv", "xlsx")
    targets.add_argument("--format", choices=forms, help="缺省：按 --out 的后缀，否则 table")
    targets.add_argument("--out", type=Path, metavar="FILE", help="写入文件（xlsx 必须给出）")
    which = targets.add_mutually_exclusive_group()
    which.add_argument("--conflicts", action="store_true", help="只列需要核对之处：同一指标不同数值、表文不一致等")
    which.add_argument("--facts", action="store_true", help="只列已达到的数值")
    which.add_argument("--projects", action="store_true", help="只列专栏里的项目")
    targets.set_defaults(run=_targets)

    from index.build import DEFAULT_INDEX

    for command, flag in ((build, "--out"), (add, "--out"), (remove, "--out"), (show, "--index"), (targets, "--index")):
        command.add_argument(
            flag, dest="index", type=Path, default=DEFAULT_INDEX, metavar="DIR", help="索引文件夹（缺省：var/index）"
        )
    return parser


def _build(options: argparse.Namespace) -> None:
    from index.build import SHIPPED_PLAN, build

    if not options.sources:
        _keep_own_documents(options.index)
    report = build(options.sources or (SHIPPED_PLAN,), options.index, options.embedder, _say)
    print(
        f"索引已建立：{options.index}，{report.documents} 个文档，{report.chunks} 个段落，"
        f"{report.keys} 个向量（新算 {report.embedded} 个）。"
    )


def _keep_own_documents(folder: Path) -> None:
    """Raise UserError where a build without sources would put the shipped plan in the place of the user's documents."""
    from index.build import SHIPPED_PLAN
    from index.store import read_manifest

    try:
        held = [document["id"] for document in read_manifest(folder)["documents"]]
    except (IndexMissing, IndexMismatch):
        return
    if held != [SHIPPED_PLAN.stem]:
        raise UserError(
            f"{folder} 里是 {'、'.join(held)} 的索引：没有给出文件时会换成自带的规划，所以没有执行；"
            "请给出要建立索引的文件，或用 --out 指定另一个文件夹。"
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


def _targets(options: argparse.Namespace) -> None:
    from index import export
    from index.chunk import table_problems
    from index.conflicts import conflicts
    from index.store import load
    from index.targets import registers

    by_ending = {f".{name}": name for name in export.FORMATS}
    form = options.format or by_ending.get(options.out.suffix if options.out else "", "table")
    index = load(options.index)
    found = registers(index.documents, index.sections, index.chunks)
    if options.conflicts:
        own = {doc: [chunk for chunk in index.chunks if chunk.doc_id == doc] for doc in found}
        sheet = export.conflict_sheet([c for doc, register in found.items() for c in conflicts(register, own[doc])])
    elif options.facts:
        sheet = export.fact_sheet([fact for register in found.values() for fact in register.facts])
    elif options.projects:
        sheet = export.project_sheet([project for register in found.values() for project in register.projects])
    else:
        sheet = export.target_sheet([target for register in found.values() for target in register.targets])
    print(export.write(sheet, form, options.out), end="")
    if not sheet.rows and (form != "table" or options.out is not None):
        _say(sheet.empty)
    if options.out is not None:
        _say(f"已写入 {options.out}，共 {len(sheet.rows)} 条。")
    for document in index.documents:
        for problem in table_problems(document, [s for s in index.sections if s.doc_id == document.id]):
            _say(f"{document.id} 的表格未能读全：{problem}。")


def _say(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
