"""Every format read from a file made here, and every way a file can be wrong."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.errors import DocumentError
from index.reader import MAX_BYTES, SUFFIXES, read
from index.types import Document

PLAN = Path(__file__).parent.parent / "index" / "sources" / "changji-14fyp.txt"
TEXT = "东山县发展规划\n第一章 总则\n到2025年粮食产能达到120万吨。\n"


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def texts(document: Document) -> list[str]:
    return [line.text for line in document.lines]


# --- plain text


def test_shipped_plan_keeps_its_lines() -> None:
    document = read(PLAN)
    assert (document.id, document.source) == ("changji-14fyp", "changji-14fyp.txt")
    assert len(document.lines) == 602
    assert [line.number for line in document.lines] == list(range(1, 603))
    assert document.sha256 == hashlib.sha256(PLAN.read_bytes()).hexdigest()
    assert document.title == "".join(line.text for line in document.lines[:3])
    assert "\n".join(texts(document)).encode() == PLAN.read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_text_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    document = read(write(tmp_path, "a.txt", TEXT.encode(encoding)))
    assert texts(document) == TEXT.splitlines()
    assert document.title == "东山县发展规划"


def test_big_endian_utf16(tmp_path: Path) -> None:
    assert texts(read(write(tmp_path, "a.txt", b"\xfe\xff" + TEXT.encode("utf-16-be")))) == TEXT.splitlines()


def test_lines_are_those_of_an_editor(tmp_path: Path) -> None:
    odd = "丁\u2028戊\f己\x0b庚\u0085辛\x1c壬" + "文" * 50
    assert texts(read(write(tmp_path, "a.txt", f"甲\r\n乙\r丙\n\n{odd}\n"))) == ["甲", "乙", "丙", "", odd]


def test_text_is_verbatim(tmp_path: Path) -> None:
    line = " \u3000２０２５年\t〔0.3〕，Ш类\u00a0"
    assert texts(read(write(tmp_path, "a.txt", line))) == [line]


def test_title_is_the_first_line_that_is_not_blank(tmp_path: Path) -> None:
    assert read(write(tmp_path, "a.txt", "\n \u3000\n  " + "题" * 80 + "\n文")).title == "题" * 60


def test_plain_english_is_text(tmp_path: Path) -> None:
    assert texts(read(write(tmp_path, "A.TXT", "GDP grew\n"))) == ["GDP grew"]


# --- Markdown


def test_markdown_headings_and_tables(tmp_path: Path) -> None:
    source = (
        "# 东山县规划\n\n##\t第一章\n#号不是标题\n"
        "| 指标 | 2025年 |\n|---|:--:|\n| 产值 \\| 增速 | 5% |\n\n"
        "a | b\n```\n# 代码\n| x | y |\n|--|--|\n```\n### 末节\n"
    )
    document = read(write(tmp_path, "a.md", source))
    assert texts(document) == source.splitlines()
    assert document.title == "东山县规划"
    headings = {line.text: line.heading for line in document.lines if line.heading}
    assert headings == {"# 东山县规划": 1, "##\t第一章": 2, "### 末节": 3}
    assert [line.cells for line in document.lines if line.cells] == [("指标", "2025年"), ("产值 \\| 增速", "5%")]


# --- Word


@pytest.fixture
def word_file(tmp_path: Path) -> Path:
    import docx

    document = docx.Document()
    document.core_properties.title = "东山县国民经济和社会发展规划"
    document.add_heading("东山县国民经济", 0)
    document.add_heading("和社会发展规划", 0)
    document.add_heading("第一章 总则", 1)
    document.add_paragraph("到2025年粮食产能达到120万吨。\n换行后的文字。")
    document.add_paragraph("  ")
    table = document.add_table(rows=4, cols=3)
    rows = [("类别", "指标", "2025年"), ("农业", "粮食", "120"), ("", "棉花", "8"), ("注", "", "")]
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    table.cell(1, 0).merge(table.cell(2, 0)).text = "农业"
    table.cell(3, 0).merge(table.cell(3, 2)).text = "注：单位为万吨"
    document.add_heading("第一节 农业", 2)
    frame = document.add_table(rows=1, cols=1).cell(0, 0)
    frame.text = "专栏1 重点工程"
    frame.add_paragraph("1.水库。")
    document.add_paragraph("末段。")
    path = tmp_path / "plan.docx"
    document.save(str(path))
    return path


def test_word_paragraphs_headings_and_tables_in_order(word_file: Path) -> None:
    document = read(word_file)
    assert [(line.text, line.heading, line.cells) for line in document.lines] == [
        ("东山县国民经济", 1, ()),
        ("和社会发展规划", 1, ()),
        ("第一章 总则", 1, ()),
        ("到2025年粮食产能达到120万吨。", 0, ()),
        ("换行后的文字。", 0, ()),
        ("类别 | 指标 | 2025年", 0, ("类别", "指标", "2025年")),
        ("农业 | 粮食 | 120", 0, ("农业", "粮食", "120")),
        (" | 棉花 | 8", 0, ("", "棉花", "8")),
        ("注：单位为万吨 |  | ", 0, ("注：单位为万吨", "", "")),
        ("第一节 农业", 2, ()),
        ("专栏1 重点工程", 0, ()),
        ("1.水库。", 0, ()),
        ("末段。", 0, ()),
    ]


def test_word_title_property_counts_where_the_text_confirms_it(word_file: Path) -> None:
    import docx

    assert read(word_file).title == "东山县国民经济和社会发展规划"
    document = docx.Document(str(word_file))
    document.core_properties.title = "Microsoft Word 文档模板"
    document.save(str(word_file))
    assert read(word_file).title == "东山县国民经济"


def test_word_outline_level_of_a_based_on_style_and_contents(tmp_path: Path) -> None:
    import docx
    from docx.enum.style import WD_STYLE_TYPE

    document = docx.Document()
    document.styles.add_style("标题 3", WD_STYLE_TYPE.PARAGRAPH)
    own = document.styles.add_style("章名", WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = document.styles["标题 3"]
    document.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
    document.add_paragraph("第一章\t3", style="toc 1")
    document.add_paragraph("第一章", style="章名")
    document.save(str(tmp_path / "a.docx"))
    assert [(line.text, line.heading) for line in read(tmp_path / "a.docx").lines] == [("第一章", 3)]


def with_body(folder: Path, body: str) -> Path:
    """A Word file whose body is the given WordprocessingML."""
    import docx

    plain, path = io.BytesIO(), folder / "a.docx"
    docx.Document().save(plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "word/document.xml":
                head, rest = data.decode().split("<w:body>")
                tail = rest.split("</w:body>")[1]
                data = f"{head}<w:body>{body}</w:body>{tail}".encode()
            target.writestr(name, data)
    return path


def test_word_changes_and_text_boxes(tmp_path: Path) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>专栏1</w:t></w:r></w:p></w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>新</w:t></w:r><w:ins><w:r><w:t>增</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>旧</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>移</w:t></w:r></w:moveFrom>"
        "<w:r><w:tab/><w:t>段</w:t></w:r>"
        '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice><w:drawing>{box}</w:drawing></mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>控件</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    assert texts(read(with_body(tmp_path, body))) == ["新增\t段", "专栏1", "控件"]


def test_word_file_without_a_body(tmp_path: Path) -> None:
    path = with_body(tmp_path, "")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"w:body", b"w:other")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(DocumentError, match=r"“a\.docx”不是完好的 docx"):
        read(path)


# --- PDF


def pdf(pages: list[list[str]], unicode_map: bool = True) -> bytes:
    """A PDF whose glyph numbers are code points; `unicode_map` adds the table that says so."""
    cmap = (
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange "
        b"2 beginbfrange <0020> <00FF> <0020> <3000> <9FFF> <3000> endbfrange endcmap end"
    )
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"",
        b"<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[4 0 R]"
        + (b"/ToUnicode 5 0 R>>" if unicode_map else b">>"),
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/A/DW 1000"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(cmap), cmap),
    ]
    kids = []
    for lines in pages:
        content = b"BT /F 12 Tf 50 800 Td " + b" ".join(
            b"<%s> Tj 0 -20 Td" % line.encode("utf-16-be").hex().encode() for line in lines
        ) + b" ET"  # fmt: skip
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
        kids.append(len(objects) + 1)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>"
            % len(objects)
        )
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    out, offsets = b"%PDF-1.5\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def encrypted(data: bytes, password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer, out = PdfWriter(), io.BytesIO()
    writer.append(PdfReader(io.BytesIO(data)))
    writer.encrypt(password, owner_password="主人", algorithm="RC4-128")
    writer.write(out)
    return out.getvalue()


def test_pdf_lines_with_pages(tmp_path: Path) -> None:
    document = read(write(tmp_path, "a.pdf", pdf([["东山县规划", "第一章 总则"], ["产能120万吨。"]])))
    assert [(line.number, line.text, line.page) for line in document.lines] == [
        (1, "东山县规划", 1),
        (2, "第一章 总则", 1),
        (3, "产能120万吨。", 2),
    ]
    assert document.title == "东山县规划"


def test_scanned_pdf_asks_for_ocr(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"“a\.pdf”共 2 页.*OCR"):
        read(write(tmp_path, "a.pdf", pdf([[], []])))


def test_pdf_of_garbled_text_asks_for_ocr(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"乱码.*OCR"):
        read(write(tmp_path, "a.pdf", pdf([["\ue001\ue002\ue003\ue004"]], unicode_map=False)))


def test_pdf_with_an_empty_password_is_read(tmp_path: Path) -> None:
    assert texts(read(write(tmp_path, "a.pdf", encrypted(pdf([["东山县规划"]]), "")))) == ["东山县规划"]


def test_pdf_with_a_password_asks_for_a_copy_without(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"“a\.pdf”设有密码.*取消密码"):
        read(write(tmp_path, "a.pdf", encrypted(pdf([["东山县规划"]]), "1234")))


# --- web pages

PAGE = """<!doctype html><html>
<head><title>东山县国民经济发展规划_某某人民政府</title><style>p{color:red}</style></head>
<body><nav>首页<p>导航</nav><script>var a = "<p>脚本</p>";</script><div role=navigation>菜单</div>
<table><tr><td>侧栏</td><td><h1>东山县国民经济发展规划</h1>
<p>第一段
的文字,<b>粗体</b>。<p>第二段<br>换行</p></div><p style="display: none">隐藏</p>
<h2>第一节&nbsp;农业</h2>
<table><tr><th rowspan=2>类别<th colspan=2>数值<th>单位<tr><td>1 <td>&gt;60<td>万<br>吨</table>
<pre>甲
  乙</pre></td></tr></table><footer>版权</footer></body></html>"""


def test_html_blocks_headings_and_tables(tmp_path: Path) -> None:
    document = read(write(tmp_path, "a.html", PAGE))
    assert [(line.text, line.heading, line.cells) for line in document.lines] == [
        ("侧栏", 0, ()),
        ("东山县国民经济发展规划", 1, ()),
        ("第一段的文字,粗体。", 0, ()),
        ("第二段", 0, ()),
        ("换行", 0, ()),
        ("第一节\u00a0农业", 2, ()),
        ("类别 | 数值 |  | 单位", 0, ("类别", "数值", "", "单位")),
        (" | 1 | >60 | 万 吨", 0, ("", "1", ">60", "万 吨")),
        ("甲", 0, ()),
        ("  乙", 0, ()),
    ]
    assert document.title == "东山县国民经济发展规划"


def test_html_left_open_keeps_all_text(tmp_path: Path) -> None:
    document = read(write(tmp_path, "a.htm", "<table><tr><td>甲<td>乙<tr><td>丙</div></span><td>丁"))
    assert [line.cells for line in document.lines] == [("甲", "乙"), ("丙", "丁")]


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("gb2312", "gb18030"), ("utf-8", "utf-8"), ("big5", "big5"), ("", "gb18030"), ("nonsense", "gb18030")],
)
def test_html_charset_from_its_declaration_or_by_trial(tmp_path: Path, charset: str, encoding: str) -> None:
    body = "<p>山水人口土地面</p>"
    meta = f"<meta http-equiv=Content-Type content='text/html; charset={charset}'>" if charset else ""
    assert texts(read(write(tmp_path, "a.html", (meta + body).encode(encoding)))) == ["山水人口土地面"]


# --- files that cannot be read


def test_suffixes() -> None:
    assert {".txt", ".md", ".docx", ".pdf", ".html", ".htm"} == SUFFIXES


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", r"“a\.txt”是空的"),
        ("a.txt", "\ufeff \n\u3000\r\n".encode(), r"“a\.txt”里只有空白"),
        ("a.html", b"<html><script>x</script></html>", r"“a\.html”里只有空白"),
        ("a.xlsx", b"PK", r"“a\.xlsx”的类型不能识别（后缀“\.xlsx”）.*\.docx、\.htm、\.html、\.md、\.pdf、\.txt"),
        ("plan", b"x", r"“plan”的类型不能识别（没有后缀）"),
        ("a.doc", b"x", r"“a\.doc”.*另存为 docx"),
        ("a.txt", b"PK\x03\x04\x00\x00", r"“a\.txt”的内容是二进制数据"),
        ("a.txt", b"\x01\x02\x03\x04text", r"“a\.txt”的内容是二进制数据"),
        ("a.txt", bytes(range(1, 256)) * 4, r"“a\.txt”的内容是二进制数据"),
        ("a.txt", "國民經濟發展規劃綱要與遠景目標".encode("big5"), r"“a\.txt”的编码不能识别.*另存为 UTF-8"),
        ("a.txt", "文字".encode("utf-32"), r"“a\.txt”的编码不能识别"),
        ("a.txt", b"\xff\xfea", r"“a\.txt”第 3 个字节处有不合 UTF-16"),
        ("a.md", "发展规划与远景目标纲要".encode() + b"\xff", r"“a\.md”第 34 个字节处有不合 UTF-8 编码.*损坏"),
        ("a.docx", b"not a zip", r"“a\.docx”不是完好的 docx"),
        ("a.docx", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600), r"“a\.docx”其实是旧版 Word.*另存为 docx"),
        (
            "a.docx",
            bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            r"“a\.docx”设有密码.*取消密码",
        ),
        ("a.pdf", b"%PDF-1.7 broken", r"“a\.pdf”不是完好的 PDF"),
    ],
)
def test_bad_content(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(DocumentError, match=message) as caught:
        read(write(tmp_path, name, data))
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"找不到文件“a\.txt”"):
        read(tmp_path / "a.txt")


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(DocumentError, match=r"“a\.txt”是文件夹"):
        read(tmp_path / "a.txt")


def test_too_large_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as sparse:
        sparse.truncate(MAX_BYTES + 512 * 1024)
    with pytest.raises(DocumentError, match=r"“a\.txt”过大：上限 100 MB，实际 100\.5 MB"):
        read(path)


def test_zip_bomb_is_refused_by_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/media/a", "w") as entry:
        for _ in range(501):
            entry.write(bytes(1024 * 1024))
    with pytest.raises(DocumentError, match=r"“a\.docx”解压后过大：上限 500 MB，实际 501 MB"):
        read(path)


def test_zip_that_is_no_word_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(DocumentError, match=r"“a\.docx”不是完好的 docx"):
        read(tmp_path / "a.docx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    with pytest.raises(DocumentError, match=r"“a\.txt”不是普通文件"):
        read(tmp_path / "a.txt")


@contextmanager
def ordinary_user() -> Iterator[None]:
    """The administrator may read everything: step down for the while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_no_permission(tmp_path: Path) -> None:
    path = write(tmp_path, "a.txt", TEXT)
    path.chmod(0)
    with ordinary_user(), pytest.raises(DocumentError, match=r"没有读取文件“a\.txt”的权限"):
        read(path)


def test_a_title_over_several_lines_is_put_together_and_no_further(tmp_path: Path) -> None:
    broken = write(tmp_path, "broken.txt", "云泽州国民经济和社会发展\n第十五个五年规划纲要\n总则\n".encode())
    assert read(broken).title == "云泽州国民经济和社会发展第十五个五年规划纲要"
    plain = write(tmp_path, "plain.txt", "会议记录\n到会五人。\n工作报告\n".encode())
    assert read(plain).title == "会议记录"
