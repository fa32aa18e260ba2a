"""Lists as people make them: every cell found that asks something, and one sentence for what is no list."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from rag.batch import reading
from rag.batch.reading import Row, delimiter_of, open_list, read_rows
from rag.batch.run import unit_of
from rag.batch.split import questions_in, unnumbered
from rag.errors import BatchError
from rag.library import same
from rag.types import Turn

GRAIN = "粮食产量目标是多少？"


def rows_of(path: Path, column: str = "", sheet: str = "") -> list[Row]:
    return list(read_rows(path, open_list(path, column, sheet)))


def asked(path: Path, column: str = "", sheet: str = "") -> list[tuple[int, str]]:
    return [(row.number, row.question) for row in rows_of(path, column, sheet) if row.question]


def book(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    made = Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        page = made.create_sheet(title)
        for cells in rows:
            page.append(list(cells))
    made.save(path)
    return path


# --- cells


@pytest.mark.parametrize(
    ("cell", "rest"),
    [
        ("1、粮食产量", "粮食产量"),
        ("1、2025年粮食产量", "2025年粮食产量"),
        ("12．粮食产量", "粮食产量"),
        ("（3）粮食产量", "粮食产量"),
        ("(一) 粮食产量", "粮食产量"),
        ("二、粮食产量", "粮食产量"),
        ("①粮食产量", "粮食产量"),
        ("Q1：粮食产量", "粮食产量"),
        ("问：1.粮食产量", "粮食产量"),
        ("- 粮食产量", "粮食产量"),
        ("2025年粮食产量", "2025年粮食产量"),
        ("1.5万亩地种什么", "1.5万亩地种什么"),
        ("12条措施是什么", "12条措施是什么"),
        ("十四五末的目标", "十四五末的目标"),
        ("  粮食产量 \n", "粮食产量"),
        ("1、", "1、"),
    ],
)
def test_numbering_is_taken_off_and_nothing_else(cell: str, rest: str) -> None:
    assert unnumbered(cell) == rest


@pytest.mark.parametrize(
    ("cell", "questions"),
    [
        ("", ()),
        (" \n", ()),
        (GRAIN, (GRAIN,)),
        ("粮食产量目标是多少？城镇化率呢？", ("粮食产量目标是多少？", "城镇化率呢？")),
        ("1.粮食产量是多少\n2.那2020年呢", ("粮食产量是多少", "那2020年呢")),
        ("（1）种什么？（2）养什么？", ("种什么？", "养什么？")),
        ("您好！请问粮食产量目标是多少？谢谢！", ("您好！请问粮食产量目标是多少？谢谢！",)),
        ("我家在石湾县。路什么时候修？会修到村里吗？", ("我家在石湾县。路什么时候修？", "会修到村里吗？")),
        ("粮食产量目标是多少？是吗？", ("粮食产量目标是多少？是吗？",)),
        ("粮食产量和城镇化率的目标分别是多少？", ("粮食产量和城镇化率的目标分别是多少？",)),
        ("粮食产量目标\n是多少？", ("粮食产量目标\n是多少？",)),
        ("一、农业类", ()),
        (" （二）交通和水利方面：", ()),
        ("二、人均寿命问题是什么", ("人均寿命问题是什么",)),
        ("三、粮食产量", ("粮食产量",)),
        ("农业类", ("农业类",)),
    ],
)
def test_questions_of_a_cell_are_told_apart(cell: str, questions: tuple[str, ...]) -> None:
    assert questions_in(cell) == questions


@given(st.text(alphabet="粮食多少？?。\n1、.（）是吗 ", max_size=60))
def test_no_word_of_a_cell_is_lost(cell: str) -> None:
    kept = "".join(questions_in(cell))
    assert [sign for sign in cell if sign in "粮食多少是吗"] == [sign for sign in kept if sign in "粮食多少是吗"]


def test_the_same_question_is_the_same_in_another_dress() -> None:
    assert same(" 粮食 产量是多少?") == same("粮食产量是多少？")
    assert same("增长5.5%吗") != same("增长55%吗")
    assert same("2025年产量") != same("2020年产量")
    assert same("？？") != ""


# --- tables


def test_the_column_is_found_below_a_title_whatever_its_name(tmp_path: Path) -> None:
    for heading in ("问题", "提 问", "Question", "FAQ", "群众提问（必填）", "咨询内容", "*问题描述"):
        path = book(
            tmp_path / "in.xlsx",
            {"清单": [["常见问题清单"], ["问题编号", "类", heading], ["a-1", 1, GRAIN], [], ["a-2", None, " 二？ "]]},
        )
        assert asked(path) == [(3, GRAIN), (5, "二？")]
        assert [row.id for row in rows_of(path)][2::2] == ["a-1", "a-2"]


def test_the_column_and_the_sheet_may_be_named(tmp_path: Path) -> None:
    path = book(
        tmp_path / "in.xlsx",
        {"说明": [["填表"], ["请如实"]], "一": [["问题", "要查的"], ["甲？", "乙？"]], "二": [["提问"], ["丙？"]]},
    )
    assert asked(path) == [(2, "甲？")]
    assert "二" in open_list(path).notices[0]
    assert asked(path, column="要查的") == [(2, "乙？")]
    assert asked(path, column="b") == [(2, "乙？")]
    assert asked(path, sheet="二") == [(2, "丙？")]
    hidden = tmp_path / "hidden.xlsx"
    made = Workbook()
    made.active.sheet_state = "hidden"
    for page, question in ((made.active, "隐？"), (made.create_sheet("正表"), "显？")):
        page.append(["问题"])
        page.append([question])
    made.save(hidden)
    assert asked(hidden) == [(2, "显？")]
    assert asked(hidden, sheet="Sheet") == [(2, "隐？")]
    for chosen, named in (({"column": "没有"}, "--column"), ({"sheet": "三"}, "--sheet")):
        with pytest.raises(BatchError, match=named):
            open_list(path, **chosen)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "；"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_any_encoding_with_any_delimiter(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "in.csv"
    question = f'"{GRAIN}{delimiter}对吗？"'
    lines = [["序号", "问题", "来源"], ["7", question, "信箱"], ["", "", ""], ["8", "种什么？", "电话"]]
    path.write_bytes("\r\n".join(delimiter.join(line) for line in lines).encode(encoding))
    assert asked(path) == [(2, f"{GRAIN}{delimiter}对吗？"), (4, "种什么？")]
    assert [row.id for row in rows_of(path)] == ["1", "7", "3", "8"]


def test_a_list_of_one_column_needs_no_heading(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("粮食,油料产量是多少？\n种什么？\n养什么？\n", encoding="utf-8")
    assert delimiter_of(path.read_text("utf-8")) == ","
    path.write_text("粮食产量是多少？\n种什么？\n", encoding="utf-8")
    assert asked(path) == [(1, "粮食产量是多少？"), (2, "种什么？")]


def test_a_row_cut_by_a_comma_of_its_own_is_an_error_of_that_row(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("序号,问题\n1,种什么？\n2,请问,种什么？\n", encoding="utf-8")
    errors = [row.error for row in rows_of(path)]
    assert errors[:2] == ["", ""]
    assert "引号" in errors[2]


def test_a_formula_is_read_as_what_it_gave_or_is_an_error_of_its_row(tmp_path: Path) -> None:
    path = book(tmp_path / "in.xlsx", {"清单": [["问题"], ['="粮食产量"&"是多少？"'], [GRAIN]]})
    unknown, plain = rows_of(path)[1:]
    assert "公式" in unknown.error
    assert (plain.question, plain.error) == (GRAIN, "")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    told = parts[name].decode().replace('<c r="A2">', '<c r="A2" t="str">')
    told, saved = re.subn(r"<v ?/>|<v></v>", "<v>粮食产量是多少？</v>", told)
    assert saved == 1
    with zipfile.ZipFile(path, "w") as archive:
        for part, content in (parts | {name: told.encode()}).items():
            archive.writestr(part, content)
    assert asked(path) == [(2, "粮食产量是多少？"), (3, GRAIN)]


# --- jsonl, txt, md


@pytest.mark.parametrize(
    "line",
    [
        '{"question": "甲"', "甲", '"甲"', "[1]", "5", "null", '{"id": 1}', '{"question": null}', '{"question": 5}',
        '{"question": ["甲"]}', '{"question": "甲", "history": "乙"}', '{"question": "甲", "history": 5}',
        '{"question": "甲", "history": [5]}', '{"question": "甲", "history": [{"question": "乙"}]}',
        '{"question": "甲", "history": [{"question": 5, "answer": "乙"}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_broken_line_is_an_error_of_its_row(tmp_path: Path, line: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(f'{{"question": "好"}}\n\n{line}\n', encoding="utf-8")
    first, broken = rows_of(path)
    assert (first.error, broken.number) == ("", 3)
    assert "第 3 行" in broken.error
    assert "\n" not in broken.error
    assert len(broken.error) < 200
    assert unit_of(broken, open_list(path)) is None


def test_rows_of_jsonl_keep_ids_and_history(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines: list[object] = [
        {"id": "b", "question": "甲"},
        {"id": 7, "question": " 乙 "},
        {"id": None, "question": "丙？丁？", "history": [{"question": "甲", "answer": "一"}]},
    ]
    path.write_text("\ufeff" + "\r\n\r\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    rows = rows_of(path)
    assert [(row.id, row.question) for row in rows] == [("b", "甲"), (7, " 乙 "), ("5", "丙？丁？")]
    unit = unit_of(rows[2], open_list(path))
    assert unit is not None
    assert (unit.parts, unit.history) == (("丙？丁？",), (Turn("甲", "一"),))


def test_the_items_of_a_markdown_list_are_its_questions(tmp_path: Path) -> None:
    path = tmp_path / "in.md"
    path.write_text(
        f"# 常见问题\n\n以下是问题。\n\n- {GRAIN}\n* **城镇化率**的目标\n  是多少？\n\n1. 种什么？\n"
        "- [ ] 养什么？\n```\n- 不是\n```\n",
        encoding="utf-8",
    )
    assert asked(path) == [(5, GRAIN), (6, "城镇化率的目标是多少？"), (9, "种什么？"), (10, "养什么？")]
    path.write_text(f"# 常见问题\n{GRAIN}\n\n种什么？\n", encoding="utf-8")
    assert asked(path) == [(2, GRAIN), (4, "种什么？")]
    path.write_text(f"# 常见问题？\n## {GRAIN}\n答：很多。\n## **种什么**？ ##\n答：粮。\n", encoding="utf-8")
    assert asked(path) == [(1, "常见问题？"), (2, GRAIN), (4, "种什么？")]
    text = tmp_path / "in.txt"
    text.write_bytes(f"1、{GRAIN}\r\n\r\n2、种什么？\r\n".encode("gb18030"))
    assert asked(text) == [(1, f"1、{GRAIN}"), (3, "2、种什么？")]


# --- what is no list


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as entry:
            for _ in range(reading.MAX_UNPACKED_BYTES // (1 << 20) + 1):
                entry.write(b"\0" * (1 << 20))


def macros(path: Path) -> None:
    book(path, {"清单": [["问题"], [GRAIN]]})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"macro")


def cut(path: Path) -> None:
    book(path, {"清单": [["问题"], [GRAIN]]})
    path.write_bytes(path.read_bytes()[:-200])


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.csv", None, "没有找到问题文件"),
        ("in.csv", b"", "是空的"),
        ("in.csv", b"\r\n , \r\n", "是空的"),
        ("in.csv", "姓名,电话\n张三,123\n".encode(), "没有找到问题列"),
        ("in.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "不是文本文件"),
        ("in.csv", b"\xff\x81 \xff question", "编码"),
        ("in.txt", b"\n \n", "里没有问题"),
        ("in.jsonl", b"\n \n", "里没有问题"),
        ("in.md", "| 问题 |\n|---|\n| 种什么？ |\n".encode(), "表格请另存为 csv"),
        ("in.jsonl", '{"question": "甲"}'.encode("gb18030"), "应为 UTF-8 编码"),
        ("in.jsonl", b"{broken\n[1]\n", "没有一行能作答"),
        ("in.xlsx", b"no zip", "不是完好的 xlsx"),
        ("in.xlsx", OLE, "旧版 Excel"),
        ("in.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "密码"),
        ("in.xlsm", b"PK", "宏"),
        ("in.xls", b"", "另存为 xlsx"),
        ("in.docx", b"", "不是问题清单"),
        ("in.exe", b"", "应为 csv、xlsx、jsonl、txt 或 md"),
        ("in.xlsx", bomb, "压缩炸弹"),
        ("in.xlsx", macros, "有宏"),
        ("in.xlsx", cut, "不是完好的 xlsx"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(tmp_path: Path, name: str, content: object, said: str) -> None:
    from rag.batch.run import _units

    path = tmp_path / name
    if callable(content):
        content(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(BatchError, match=said) as raised:
        list(_units(path, open_list(path)))
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("。")


def test_lists_beyond_the_limits_are_refused_with_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "in.txt"
    path.write_text("种什么？\n" * 4, encoding="utf-8")
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    with pytest.raises(BatchError, match="超过 3 行的上限"):
        rows_of(path)
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    with pytest.raises(BatchError, match="上限"):
        open_list(path)


def test_a_million_rows_are_refused_without_holding_them(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "in.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("问题\n")
        file.writelines(f"第{n}个问题是什么？\n" for n in range(1_000_000))
    listing = open_list(path)
    tracemalloc.start()
    with pytest.raises(BatchError, match="上限"):
        for _ in read_rows(path, listing):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
