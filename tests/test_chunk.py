"""Chunks of the shipped plan and of any document: verbatim, complete, nothing twice."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunk import PARAGRAPH_LENGTH, chunks
from index.outline import outline
from index.sentences import clauses, sentences
from index.types import Chunk, Document, Line

PLAN = Path(__file__).parents[1] / "index" / "sources" / "changji-14fyp.txt"
OUTLINE = PLAN.with_suffix(".outline.tsv")


def document(text: str, tables: dict[int, tuple[str, ...]] | None = None) -> Document:
    lines = tuple(Line(n, line, cells=(tables or {}).get(n, ())) for n, line in enumerate(text.split("\n"), 1))
    return Document("doc", "标题", "doc.txt", hashlib.sha256(text.encode()).hexdigest(), lines)


def plan() -> tuple[Document, tuple[Chunk, ...]]:
    whole = document(PLAN.read_text(encoding="utf-8"))
    return whole, chunks(whole, outline(whole, OUTLINE))


def own_lines(chunk: Chunk) -> tuple[int, ...]:
    """The consecutive lines that `chunk.lines` end with: its text stands in these."""
    first = len(chunk.lines) - 1
    while first and chunk.lines[first - 1] + 1 == chunk.lines[first]:
        first -= 1
    return chunk.lines[first:]


def check_chunks(whole: Document, made: tuple[Chunk, ...], residue: frozenset[int] = frozenset()) -> None:
    """Texts and cells are verbatim, ids unique, and each character that is neither blank, layout nor residue is in one
    chunk's text, or in the merged cell that a row names."""
    text = {line.number: line.text for line in whole.lines}
    covered: set[tuple[int, int]] = set()
    for chunk in made:
        own = own_lines(chunk)
        joined = "\n".join(text[number] for number in own)
        assert joined[chunk.start : chunk.end] == chunk.text
        assert chunk.text == chunk.text.strip() != ""
        places = [(number, at) for number in own for at in range(len(text[number]) + 1)][chunk.start : chunk.end]
        assert not covered & set(places)
        covered.update(places)
        for cell in chunk.cells:
            assert text[cell.line][cell.start : cell.start + len(cell.text)] == cell.text
            assert cell.line in chunk.lines
        assert bool(chunk.cells) <= (chunk.kind == "row")
    for chunk in made:
        covered.update((cell.line, cell.start + at) for cell in chunk.cells for at in range(len(cell.text)))
    assert len({chunk.id for chunk in made}) == len(made)
    for line in whole.lines:
        for at, sign in enumerate(line.text):
            if line.number not in residue and not sign.isspace() and sign != "|":
                assert (line.number, at) in covered, (line.number, at, sign)


def test_plan_is_covered_and_verbatim() -> None:
    whole, made = plan()
    check_chunks(whole, made, residue=frozenset({601, 602}))
    assert not any({601, 602} & set(chunk.lines) for chunk in made)


def test_kinds_of_the_plan() -> None:
    _, made = plan()
    kinds = {kind: [chunk for chunk in made if chunk.kind == kind] for kind in ("heading", "item", "row", "note")}
    assert [chunk.lines[-1] for chunk in kinds["row"]] == [
        *[80, 87, 95, 104, 111, 119, 127, 133, 141, 148, 155, 163, 171, 179, 187, 195, 203, 211, 220, 227],
    ]
    assert [chunk.lines for chunk in kinds["note"]] == [tuple(range(65, 73)), (229,)]
    assert len(kinds["heading"]) == 18 + 20
    assert kinds["heading"][0].text == "专栏1 “十四五”主要经济指标预期"
    assert [len([c for c in kinds["item"] if c.lines == (line,)]) for line in (255, 282, 424, 476, 552)] == [
        *[12, 2, 7, 7, 1],
    ]


@pytest.mark.parametrize(
    ("last", "lines", "start"),
    [
        (87, (73, *range(81, 88)), "2 |\n全员劳动生产率增长"),
        (80, tuple(range(73, 81)), "1 |\n地区生产总值增长"),  # the merged cell stands just before
        (133, (121, 126, *range(129, 134)), "8 |\n单位地区生产总值二氧化碳排放降低"),
        (220, tuple(range(213, 221)), "19 |\n粮食综合生产能力 |\n万吨 |\n134.8 |\n145 |\n〔10.2〕"),
    ],
)
def test_rows_of_the_plan_name_the_lines_of_all_their_cells(last: int, lines: tuple[int, ...], start: str) -> None:
    row = next(chunk for chunk in plan()[1] if chunk.kind == "row" and chunk.lines[-1] == last)
    assert row.lines == lines
    assert row.text.startswith(start)
    assert row.section[-1] == "专栏1 “十四五”主要经济指标预期"
    assert {cell.line for cell in row.cells} <= set(lines)


def test_sections_of_paragraphs_and_items() -> None:
    _, made = plan()
    paths = {chunk.lines[0]: chunk.section for chunk in made if chunk.kind in ("paragraph", "item")}
    assert paths[256][-1] == "稳定粮食生产"
    assert paths[282][-1] == "专栏3 煤炭开发重点项目"
    assert "第四章 打造体系化融通创新的格局" not in paths[256]
    assert paths[249] == ("〔拟题〕实施创新驱动发展战略", "第四章 打造体系化融通创新的格局", "着力实现要素融通")


def test_ids_depend_on_place_and_text_only() -> None:
    whole = document("甲地粮食增产。\n乙地粮食增产。")
    made = chunks(whole, outline(whole))
    assert [len(chunk.id) for chunk in made] == [16, 16]
    longer = document("甲地粮食增产。\n乙地棉花增产。\n丙地")
    again = chunks(longer, outline(longer))
    assert (again[0].id, again[1].id == made[1].id) == (made[0].id, False)


def test_long_paragraphs_are_split_at_sentence_ends() -> None:
    sentence = "全面落实高标准农田建设任务，提高粮食综合生产能力，到期末达到145.5万吨以上。"
    text = sentence * 100
    whole = document(text)
    made = chunks(whole, outline(whole))
    assert "".join(chunk.text for chunk in made) == text
    assert len(made) > 1
    assert all(len(chunk.text) <= PARAGRAPH_LENGTH and chunk.text.endswith("以上。") for chunk in made)
    # no part is needlessly short: two neighbours would not fit into one
    assert all(len(a.text + b.text) > PARAGRAPH_LENGTH for a, b in pairwise(made))


def test_a_sentence_too_long_by_itself_is_split_at_its_clauses() -> None:
    whole = document("推进重点工程建设，" * 200)
    assert all(len(chunk.text) <= PARAGRAPH_LENGTH for chunk in chunks(whole, outline(whole)))


def test_real_table_of_a_file() -> None:
    grid = [("项目", "2030年"), ("森林覆盖率", "14.2%"), ("草原面积", "5万亩")]
    text = "\n".join(["指标如下。", *(" | ".join(row) for row in grid), "注意落实。"])
    whole = document(text, tables=dict(enumerate(grid, 2)))
    made = chunks(whole, outline(whole))
    check_chunks(whole, made)
    assert [(chunk.kind, chunk.lines) for chunk in made] == [
        *[("paragraph", (1,)), ("note", (2,)), ("row", (3,)), ("row", (4,)), ("paragraph", (5,))],
    ]
    assert [(cell.column, cell.text, cell.start) for cell in made[3].cells] == [
        *[("项目", "草原面积", 0), ("2030年", "5万亩", 7)],
    ]


def test_markdown_table_in_a_box() -> None:
    text = "## 专栏1 指标\n| 项目 | 2030年 |\n| --- | --- |\n| 森林 | 14% |\n\n下文继续，说明。"
    cells = {2: ("项目", "2030年"), 4: ("森林", "14%")}
    lines = tuple(Line(n, t, heading=2 * (n == 1), cells=cells.get(n, ())) for n, t in enumerate(text.split("\n"), 1))
    whole = Document("doc", "标题", "doc.md", "0" * 64, lines)
    sections = outline(whole)
    assert [(s.first, s.last, s.kind, s.title) for s in sections[1:]] == [(1, 4, "box", "专栏1 指标")]
    assert [(c.kind, c.lines, c.text) for c in chunks(whole, sections)] == [
        ("heading", (1,), "专栏1 指标"),
        ("note", (2,), "项目 | 2030年"),
        ("row", (4,), "森林 | 14%"),
        ("paragraph", (6,), "下文继续，说明。"),
    ]


def test_box_drawn_as_a_table_of_one_column() -> None:
    frame = {2: ("专栏2 重点项目",), 3: ("1.甲水库。 2.乙电站。",), 4: ("其他项目按年度安排。",)}
    whole = document(
        "上文说明，如下。\n专栏2 重点项目\n1.甲水库。 2.乙电站。\n其他项目按年度安排。\n下文继续，说明。", frame
    )
    sections = outline(whole)
    assert [(s.first, s.last, s.title) for s in sections[1:]] == [(2, 4, "专栏2 重点项目")]
    assert [(c.kind, c.text) for c in chunks(whole, sections)][1:5] == [
        ("heading", "专栏2 重点项目"),
        ("item", "1.甲水库。"),
        ("item", "2.乙电站。"),
        ("item", "其他项目按年度安排。"),
    ]


def test_table_that_cannot_be_read_is_kept_as_notes() -> None:
    cells = ["指标名称", "单位", "2025年", "森林面积", "万亩", "3", "草原面积", "万亩", "4"]
    whole = document("\n".join(["专栏1 指标", *cells]))
    made = chunks(whole, outline(whole))
    check_chunks(whole, made)
    assert [(chunk.kind, chunk.lines) for chunk in made] == [("heading", (1,)), ("note", tuple(range(2, 11)))]


LINE = st.one_of(
    st.sampled_from(
        [
            *["", " ", "|||", "第一篇 总论", "第二章 任务", "二、原则", "1.供水项目;", "第五条 国家节水。"],
            *["专栏2 项目 |", "专栏3 指标", "1.甲项目。 2.乙项目。 |", "甲县。建城。 乙县。建园。", "注:1.年末数。"],
            *["序号 |", "指标名称 |", "单位 |", "2030年 |", "属性 |", "序号", "指标名称", "单位", "2030年", "属性"],
            *["1 |", "2 |", "森林面积 |", "万亩 |", "5.5左右 |", "约束性 |", "1", "2", "森林面积", "万亩", "约束性"],
            *["稳定粮食生产。要多种。", "坚持节水优先，落实责任。", "推进工程，" * 300],
        ]
    ),
    st.text(alphabet="一二第章专栏1.、。,|（）注: a", max_size=30),
)
TABLE = ["序号", "指标名称", "单位", "2030年", "属性"]


@settings(max_examples=300, deadline=None)
@given(
    before=st.lists(LINE, min_size=1, max_size=25),
    table=st.lists(st.sampled_from(["1", "2", "3", "森林面积", "万亩", "5.5左右", "约束性", "生态", ""]), max_size=20),
    after=st.lists(LINE, max_size=10),
)
def test_any_document_is_covered_once(before: list[str], table: list[str], after: list[str]) -> None:
    whole = document("\n".join([*before, "专栏1 指标", *TABLE, *table, *after]))
    check_chunks(whole, chunks(whole, outline(whole)))


CELL = st.sampled_from(["", "1", "2", "森林 面积", "万亩", "5.5左右", "完成任务", "约束性", "注:年末数。", *TABLE])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.lists(CELL, min_size=1, max_size=6).map(tuple), LINE), min_size=1, max_size=15))
def test_any_document_with_real_tables_is_covered_once(blocks: list[tuple[str, ...] | str]) -> None:
    text = "\n".join(block if isinstance(block, str) else " | ".join(block) for block in blocks)
    tables = {number: block for number, block in enumerate(blocks, 1) if isinstance(block, tuple)}
    whole = document(text, tables)
    check_chunks(whole, chunks(whole, outline(whole)))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("产量达1.17亿吨。“稳增长。”见表3.", ["产量达1.17亿吨。", "“稳增长。”", "见表3."]),
        ("1.供水项目。 2.供电项目。", ["1.供水项目。", "2.供电项目。"]),
        ("真的吗？！是的!见http://a.cn/x?id=3&b=!5。", ["真的吗？！", "是的!", "见http://a.cn/x?id=3&b=!5。"]),
        ('他说"好。"然后走了', ['他说"好。"', "然后走了"]),
        ("（另有规定的除外。）继续执行…直到期末\n下一段", ["（另有规定的除外。）", "继续执行…直到期末", "下一段"]),
        ("末句。 |", ["末句。 |"]),
        ("  \n ", []),
    ],
)
def test_sentences(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("里程13,518公里,增长4.5%;提升（县，市）。", ["里程13,518公里,", "增长4.5%;", "提升（县，市）。"]),
        ("到2025,2030年，产值1,234,567元；", ["到2025,", "2030年，", "产值1,234,567元；"]),
        ("见(附件，甲。乙)，丙", ["见(附件，", "甲。", "乙)，", "丙"]),  # the bracket is not closed in its sentence
        ("称“稳，进。”后", ["称“稳，", "进。”", "后"]),
    ],
)
def test_clauses(text: str, pieces: list[str]) -> None:
    assert [text[start:end] for start, end in clauses(text)] == pieces


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="一二12。！?!；,，（）()“”\"' .|\n\r\u2028", max_size=60))
def test_spans_cover_every_sign_once_in_order(text: str) -> None:
    for spans in (sentences(text), clauses(text)):
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
        assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
        covered = {at for start, end in spans for at in range(start, end)}
        assert all(at in covered or sign.isspace() for at, sign in enumerate(text))
    ends = {end for _, end in sentences(text)}
    assert ends <= {end for _, end in clauses(text)}


def test_row_of_a_real_table_does_not_hold_the_row_whose_group_it_shares() -> None:
    grid = [("类别", "序号", "指标", "属性"), ("经济", "1", "产值", "预期性"), ("", "2", "税收", "预期性")]
    text = "\n".join(" | ".join(row) for row in grid)
    whole = document(text, dict(enumerate(grid, 1)))
    made = chunks(whole, outline(whole))
    check_chunks(whole, made)
    assert (made[2].lines, made[2].text) == ((2, 3), "2 | 税收 | 预期性")
    assert (made[2].cells[0].text, made[2].cells[0].line) == ("经济", 2)
