"""Sections: of the shipped plan with its outline file and without, of documents with headings of all kinds."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import OutlineError
from index.outline import lead_title, outline
from index.types import Document, Line, Section

PLAN = Path(__file__).parents[1] / "index" / "sources" / "changji-14fyp.txt"
OUTLINE = PLAN.with_suffix(".outline.tsv")


def document(text: str, headings: dict[int, int] | None = None) -> Document:
    lines = tuple(Line(n, line, heading=(headings or {}).get(n, 0)) for n, line in enumerate(text.split("\n"), 1))
    return Document("doc", "标题", "doc.txt", hashlib.sha256(text.encode()).hexdigest(), lines)


def plan() -> Document:
    return document(PLAN.read_text(encoding="utf-8"))


def deepest(sections: tuple[Section, ...], line: int) -> Section:
    return [section for section in sections if section.first <= line <= section.last][-1]


def shown(sections: tuple[Section, ...]) -> list[tuple[int, int, int, str, str]]:
    """(first, last, level, kind, title) of all sections but the root."""
    return [(s.first, s.last, s.level, s.kind, s.title) for s in sections[1:]]


def check_tree(whole: Document, sections: tuple[Section, ...]) -> None:
    """The root spans the document, a section lies within its parent, brothers do not overlap, the order is
    pre-order, a path is the parent's and one title."""
    root = sections[0]
    assert (root.kind, root.level, root.path, root.parent) == ("document", 0, (), None)
    assert (root.first, root.last) == (1, len(whole.lines))
    last_of: dict[int, int] = {}
    trail = [0]
    for position, section in enumerate(sections[1:], start=1):
        assert section.parent is not None
        parent = sections[section.parent]
        while trail[-1] != section.parent:
            trail.pop()
        trail.append(position)
        assert parent.first <= section.first <= section.last <= parent.last
        assert section.first > last_of.get(section.parent, 0)
        last_of[section.parent] = section.last
        assert section.level > parent.level
        assert section.path[:-1] == parent.path
        assert section.path[-1].removeprefix("〔拟题〕") == section.title


# --- the shipped plan


def test_plan_with_its_outline() -> None:
    whole = plan()
    sections = outline(whole, OUTLINE)
    check_tree(whole, sections)
    for lines, wrong in (
        (range(251, 274), "打造体系化融通创新的格局"),
        (range(318, 391), "推动主导产业强基增效和转型升级"),
        (range(589, 601), "第十二篇"),
    ):
        for line in lines:
            assert not any(wrong in entry for entry in deepest(sections, line).path), line
    assert deepest(sections, 601).kind == deepest(sections, 602).kind == "residue"
    standing = [section for section in sections if section.kind == "heading"]
    assert len(standing) == 18
    assert all(whole.lines[section.first - 1].text == section.title for section in standing)
    assert {entry for s in sections for entry in s.path if "特色现代绿色农业" in entry} == {
        "〔拟题〕发展特色现代绿色农业"
    }


def test_plan_without_its_outline_has_no_section_reaching_over_a_lost_heading() -> None:
    whole = plan()
    sections = outline(whole)
    check_tree(whole, sections)
    ends = {section.first: section.last for section in sections if section.kind == "heading"}
    assert len(ends) == 18
    # 第四章 ends before agriculture, 第二节 before tourism; 第六篇 is followed by 第七篇, and so whole.
    assert (ends[245], ends[295], ends[391]) == (250, 317, 413)
    # The counting breaks off behind 第七篇 (三 chapters of other parts follow) and the plan's end is as doubtful.
    assert (ends[414], ends[580]) == (419, 582)
    assert deepest(sections, 600).path == ()
    assert deepest(sections, 492).path == ("第二章 加快融入丝绸之路经济带核心区建设",)


def test_boxes_of_the_plan() -> None:
    sections = outline(plan(), OUTLINE)
    boxes = {section.first: section for section in sections if section.kind == "box"}
    assert [int(box.title.removeprefix("专栏").split()[0]) for box in boxes.values()] == list(range(1, 21))
    assert (boxes[63].last, boxes[63].title) == (229, "专栏1 “十四五”主要经济指标预期")
    assert all(box.last == first + 1 for first, box in boxes.items() if first != 63)
    assert boxes[281].path[-2:] == ("〔拟题〕煤炭绿色安全高效生产", "专栏3 煤炭开发重点项目")
    assert deepest(sections, 283).title == "建设风光水火储一体化基地"


def test_lead_titles_of_the_plan() -> None:
    sections = outline(plan(), OUTLINE)
    leads = {section.first: section for section in sections if section.kind == "lead"}
    assert all(section.last == first for first, section in leads.items())
    assert leads[256].path[-1] == "稳定粮食生产"
    assert leads[331].title == "“旅游+文化”"
    assert leads[47].title == "坚持党的全面领导"
    assert {251, 253, 318, 481, 570, 583, 591} & set(leads) == set()


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("稳定粮食生产。优化结构。", "稳定粮食生产"),
        ("——坚持系统观念。统筹全局。", "坚持系统观念"),
        ("（一）加强组织领导。各县要落实。", "（一）加强组织领导"),
        ("稳定粮食生产。", ""),
        ("稳定粮食,优化结构。到期末。", ""),
        ("建成3个基地。到期末。", ""),
        ("总则。到期末。", ""),
        ("一是加强领导。二是压实责任。", ""),
        ("第八条 国家实行节水制度。另有规定的除外。", ""),
        ("各单位应当节约用水。违者受罚。", ""),
        ("到本世纪中叶全面建成富强民主文明和谐美丽的现代化国家目标。再说。", ""),
    ],
)
def test_lead_title(text: str, title: str) -> None:
    assert lead_title(text) == title


# --- headings by their form


def test_headings_of_all_forms_get_levels_by_nesting() -> None:
    text = "\n".join(
        [
            "某某规划",
            "第一编 总论",
            "第一章 发展基础",
            "第一节 成就",
            "一、经济",
            "（一）农业",
            "1.种植业",
            "（1）小麦",
            "小麦面积稳定。",
            "（2）玉米",
            "玉米面积扩大。",
            "2、畜牧业",
            "存栏增加。",
            "（二）工业",
            "产值增长。",
            "第二节 不足",
            "短板仍在。",
            "第二章 目标",
            "目标如下。",
            "第二编 任务",
            "任务如下。",
        ]
    )
    sections = outline(document(text))
    check_tree(document(text), sections)
    assert shown(sections) == [
        (2, 19, 1, "heading", "第一编 总论"),
        (3, 17, 2, "heading", "第一章 发展基础"),
        (4, 15, 3, "heading", "第一节 成就"),
        (5, 15, 4, "heading", "一、经济"),
        (6, 13, 5, "heading", "（一）农业"),
        (7, 11, 6, "heading", "1.种植业"),
        (8, 9, 7, "heading", "（1）小麦"),
        (10, 11, 7, "heading", "（2）玉米"),
        (12, 13, 6, "heading", "2、畜牧业"),
        (14, 15, 5, "heading", "（二）工业"),
        (16, 17, 3, "heading", "第二节 不足"),
        (18, 19, 2, "heading", "第二章 目标"),
        (20, 21, 1, "heading", "第二编 任务"),
    ]


def test_lists_sentences_and_figures_are_no_headings() -> None:
    text = "\n".join(
        [
            "重点项目如下:",
            "1.供水项目;",
            "2.供电项目;",
            "3.供气项目。",
            "清单:",
            "1.甲站",
            "2.乙站",
            "3.丙站",
            "1.17亿吨煤炭产能",
            "2.0版本升级",
            "第二章所列项目由发改委牵头，各县落实，按季度调度，并于每年年底前报送全年进展情况和下一年的安排",
        ]
    )
    assert shown(outline(document(text))) == []


def test_declared_headings_stand_above_those_by_form() -> None:
    text = "总则\n一、范围\n适用于本州。\n二、原则\n公平。\n附则\n自发布之日起施行。"
    sections = outline(document(text, headings={1: 1, 6: 1}))
    assert shown(sections) == [
        (1, 5, 1, "heading", "总则"),
        (2, 3, 2, "heading", "一、范围"),
        (4, 5, 2, "heading", "二、原则"),
        (6, 7, 1, "heading", "附则"),
    ]


def test_a_form_declared_once_has_that_level_throughout() -> None:
    text = "第一章 总则\n正文。\n第二章 分则\n正文。"
    assert [s.level for s in outline(document(text, headings={1: 2}))] == [0, 2, 2]


def test_articles_of_a_law() -> None:
    law = ["第一章 总则", "第一条　为了节水，制定本法。", "本法适用于全国。", "第二条 国家节水。", "第三条道路很宽。"]
    more = ["第三条 下列工程，依法登记：", "（一）水库；", "（二）下列水渠：", "第四条 施行日期", "自公布之日起施行。"]
    sections = outline(document("\n".join([*law, *more, "附件", *law])))
    assert [(s.first, s.last, s.title) for s in sections if s.kind == "heading" and s.first <= len(law + more)] == [
        (1, 11, "第一章 总则"),
        (2, 3, "第一条"),
        (4, 5, "第二条"),
        (6, 8, "第三条"),
        (9, 11, "第四条 施行日期"),
    ]


@pytest.mark.parametrize(
    "contents",
    [
        ["目 录", "第一章 总则 …………… 1", "第二章 任务 …………… 12"],
        ["目录", "第一章 总则", "第二章 任务"],
        ["目录", "第一章 总则\t1", "第二章 任务的落实\t3"],
        ["目次", "第一章 总的原则", "第二章 主要任务"],
        ["第一章 总则", "第二章 任务", "第三章 保障"],
    ],
)
def test_a_table_of_contents_makes_no_sections(contents: list[str]) -> None:
    body = ["第一章 总则", "原则。", "第二章 任务", "任务。", "第三章 保障", "保障。"]
    before = len(contents) + 1
    sections = outline(document("\n".join(["某规划", *contents, *body])))
    assert [(s.first, s.title) for s in sections[1:]] == [
        (before + 1, "第一章 总则"),
        (before + 3, "第二章 任务"),
        (before + 5, "第三章 保障"),
    ]


def test_without_headings_only_the_root() -> None:
    whole = document("去年粮食增产，收入提高。\n\n今年继续努力，争取更好成绩。")
    assert outline(whole) == (Section("doc", "document", 0, "标题", 1, 3, (), None),)


def test_chapters_counted_on_through_the_parts_are_not_cut() -> None:
    first = "第一篇 甲\n第一章 子\n稳定粮食生产。要多种。\n另起一段，没有小标题。\n第二章 丑\n正文。\n"
    sections = outline(document(first + "第二篇 乙\n第三章 寅\n正文。"))
    assert [(s.first, s.last) for s in sections if s.kind == "heading"] == [(1, 6), (2, 4), (5, 6), (7, 9), (8, 9)]


def test_box_of_several_item_lines_ends_with_its_numbering() -> None:
    text = "专栏3 重点项目\n1.供水工程:甲水库。\n2.供电工程:乙电站。\n\n3.供气工程:丙管道。\n加强管理。\n4.另有项目。"
    assert shown(outline(document(text))) == [(1, 5, 1, "box", "专栏3 重点项目")]


def test_sentence_about_a_box_is_no_box() -> None:
    long = "专栏3 所列项目由各县（市）会同州直有关部门按照职责分工抓好落实并且定期报告进展情况"
    assert shown(outline(document(f"专栏3列出了重点项目。\n{long}"))) == []


def test_box_ends_before_a_heading() -> None:
    text = "第一章 甲\n专栏1 项目\n第二章 乙\n正文。"
    assert shown(outline(document(text))) == [
        (1, 2, 1, "heading", "第一章 甲"),
        (2, 2, 2, "box", "专栏1 项目"),
        (3, 4, 1, "heading", "第二章 乙"),
    ]


def test_flattened_table_box_ends_with_its_note() -> None:
    header = ["序号", "指标名称", "单位", "2025年", "2030年"]
    cells = [*header, "1", "森林面积", "万亩", "3", "5", "", "2", "草原面积", "万亩", "4", "6"]
    text = "\n".join(["专栏1 指标", *cells, "注：按年末数计算。", "坚持生态优先，绿色发展。"])
    sections = outline(document(text))
    assert shown(sections) == [(1, len(cells) + 2, 1, "box", "专栏1 指标")]


# --- outline files


def supplied(tmp_path: Path, whole: Document, *rows: str, header: str = "line\tlevel\torigin\ttitle") -> Path:
    path = tmp_path / "doc.outline.tsv"
    path.write_text("\n".join([f"# sha256\t{whole.sha256}", "# 说明", header, *rows]), encoding="utf-8")
    return path


def test_outline_file(tmp_path: Path) -> None:
    whole = document("前言部分，说明来由。\n第一章 甲\n稳定粮食生产。要多种。\n后面一段，另起话头。\n扫一扫")
    path = supplied(
        tmp_path, whole, "1\t1\t拟题\t前言", "2\t1\t原文\t第一章 甲", "4\t1\t拟题\t上", "4\t2\t拟题\t下", "5\t1\t残留\t"
    )
    sections = outline(whole, path)
    check_tree(whole, sections)
    assert shown(sections) == [
        (1, 1, 1, "editor", "前言"),
        (2, 3, 1, "heading", "第一章 甲"),
        (3, 3, 2, "lead", "稳定粮食生产"),
        (4, 4, 1, "editor", "上"),
        (4, 4, 2, "editor", "下"),
        (5, 5, 1, "residue", "残留"),
    ]
    assert deepest(sections, 4).path == ("〔拟题〕上", "〔拟题〕下")


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["2\t1\t原文\t第一章 乙"], "逐字相同"),
        (["2\t1\t原文"], "应有4列"),
        (["9\t1\t拟题\t乙"], "行号"),
        (["二\t1\t拟题\t乙"], "行号"),
        (["1\t0\t拟题\t乙"], "level"),
        (["1\t1\t编者\t乙"], "origin"),
        (["1\t1\t拟题\t"], "应有标题"),
        (["2\t1\t拟题\t乙", "1\t1\t拟题\t甲"], "正文顺序"),
        (["1\t2\t拟题\t乙", "1\t1\t拟题\t甲"], "正文顺序"),
    ],
)
def test_outline_file_that_does_not_fit(tmp_path: Path, rows: list[str], complaint: str) -> None:
    whole = document("前言，说明来由。\n第一章 甲\n正文，正文。")
    with pytest.raises(OutlineError, match=complaint):
        outline(whole, supplied(tmp_path, whole, *rows))


def test_outline_file_of_another_text(tmp_path: Path) -> None:
    path = supplied(tmp_path, document("甲"))
    with pytest.raises(OutlineError, match="sha256"):
        outline(document("乙"), path)


def test_outline_file_missing_or_without_header(tmp_path: Path) -> None:
    whole = document("甲")
    with pytest.raises(OutlineError, match="UTF-8"):
        outline(whole, tmp_path / "none.tsv")
    with pytest.raises(OutlineError, match="首行"):
        outline(whole, supplied(tmp_path, whole, header="line,level,origin,title"))


# --- any document

LINE = st.one_of(
    st.sampled_from(
        [
            *[
                "",
                " ",
                "|||",
                "目录",
                "第一篇 总论",
                "第二章 任务",
                "第一章 总则",
                "第三节 措施",
                "二、原则",
                "（一）范围",
            ],
            *["1.供水项目;", "2.供电", "第五条 国家节水。", "专栏2 项目 |", "1.甲项目。 2.乙项目。 |", "序号 |"],
            *["指标名称 |", "单位 |", "2030年 |", "属性 |", "1 |", "森林面积 |", "万亩 |", "5.5左右 |", "约束性 |"],
            *["注:1.年末数。", "稳定粮食生产。要多种。", "坚持节水优先，落实责任。", "——坚持系统观念。统筹全局。"],
        ]
    ),
    st.text(alphabet="一二第章节专栏1.、。,|（）注: a", max_size=30),
)


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=40), data=st.data())
def test_every_document_gets_a_tree(lines: list[str], data: st.DataObject) -> None:
    levels = data.draw(st.dictionaries(st.integers(1, len(lines)), st.integers(1, 6), max_size=4))
    whole = document("\n".join(lines), headings=levels)
    check_tree(whole, outline(whole))
