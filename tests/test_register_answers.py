"""Answers from the register of targets: complete lists, differences and sums, and what the plan says twice."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from eval.dataset import SETS
from index.build import build
from index.targets import Target
from index.types import Chunk
from rag.config import Config
from rag.disagree import at_odds, differing, retold, statements
from rag.phrase import row_words
from rag.pipeline import Pipeline, open_pipeline
from rag.prompts import render
from rag.reckon import worked_out
from rag.register import asks_for_list, bound_in, told
from rag.types import Answer, Evidence, Query
from rag.understand import understand
from tests.fakes import YUNZE, evidence, paragraph, row

COUNTED = re.compile(r"^共(\d+)项：$", re.MULTILINE)
WORKED = "（按上面的引文计算）"
NUMBER = re.compile(r"\d+(?:\.\d+)?")

# Two years told in the text and not in the table, something that falls, a bound, units that do not go together, and a
# list that stands twice with other members.
LANTING = """\
岚汀市国民经济和社会发展第十五个五年规划纲要
规划期限为2026-2030年。
第一章 现状
2025年，全市新能源装机规模达到218万千瓦。
2025年，全市旅游总收入达到95亿元。
2025年，全市公共充电桩达到1.6万个。
第二章 目标
到2030年，全市新能源装机规模达到365万千瓦。
到2030年，全市旅游总收入年均增长12%。
到2030年，全市公共充电桩达到4万个以上。
第三章 产业
重点打造装备制造、绿色食品、现代物流三大基地，推动产业集聚发展。
三大基地：装备制造基地：以岚东区为重点，发展整机。绿色食品基地：以岚西县为重点，发展精深加工。数字经济基地：以岚汀市为重点，发展算力。
专栏1 “十五五”时期主要指标 |
序号 |
指标名称 |
单位 |
2025年 |
2030年 |
指标属性 |
1 |
单位工业增加值用水量 |
立方米 |
28.4 |
23.9 |
约束性 |
2 |
公路密度 |
公里/百平方公里 |
61 |
70 |
预期性 |
"""


@pytest.fixture(scope="module")
def lanting(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return indexed(tmp_path_factory.mktemp("lanting"), {"lanting.txt": LANTING})


@pytest.fixture(scope="module")
def two_plans(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return indexed(tmp_path_factory.mktemp("two"), {"lanting.txt": LANTING, "yunze.txt": YUNZE})


def indexed(folder: Path, texts: dict[str, str]) -> Pipeline:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    build([folder / name for name in texts], folder / "index")
    return open_pipeline(Config(index=folder / "index"))


def listed(answer: Answer) -> list[str]:
    return [line for line in answer.text.split("\n") if line.startswith("· ")]


def names(answer: Answer) -> list[str]:
    """The names of a list's targets: the words before the colon of a row, before the space of a target in the text."""
    return [re.split("[： ]", line.removeprefix("· "))[0] for line in listed(answer)]


def asked(pipeline: Pipeline, question: str) -> Answer:
    """An answer whose figures are all verified and whose quotes stand where they are said to."""
    answer = pipeline.ask(question)
    assert answer.status == "answered", answer.text
    assert all(check.ok for check in answer.checks)
    for citation in answer.citations:
        line = pipeline.index.line(citation.doc, citation.lines[0]).text
        assert line[citation.start : citation.end] == citation.quote
    return answer


def targets_of(pipeline: Pipeline) -> list[Target]:
    return [target for register in pipeline.registers.values() for target in register.targets]


def places(targets: Sequence[Target]) -> set[tuple[str, ...]]:
    """What a list tells of these targets: each row of a table once, each target in the text for itself."""
    return {
        (t.chunk,) if t.source == "table" else (t.chunk, str(t.start), t.subject, t.indicator, t.text_value)
        for t in targets
    }


def query(text: str, *years: int, want: str = "figure") -> Query:
    assert want in ("figure", "text", "list")
    return Query(question=text, text=text, core=text, want=want, years=years)  # type: ignore[arg-type]


def whole(chunk: Chunk, *years: int, rank: int = 1, score: float = 1.0) -> Evidence:
    return evidence(chunk, rank, score, years, figure=1.0)


# --- which questions ask for a list


@pytest.mark.parametrize(
    "question",
    [
        "有哪些约束性指标？",
        "约束性指标有哪些？",
        "规划一共设了几项约束性指标？",
        "规划提出了多少项约束性指标？",
        "列出全部预期性指标",
        "预期性指标清单",
        "把约束性指标全部列出来",
        "哪些指标以亩为单位？",
        "教育方面有哪些具体目标？",
    ],
)
def test_a_list_is_asked_for(question: str) -> None:
    assert asks_for_list(query(question))


@pytest.mark.parametrize(
    "question",
    [
        "为了完成能耗指标采取哪些措施？",
        "采取哪些措施完成能耗指标？",
        "哪些县市的旅游指标最高？",
        "约束性指标是什么意思？",
        "建设哪些基地？",
        "森林覆盖率的目标值是多少？",
    ],
)
def test_no_list_of_targets_is_asked_for(question: str) -> None:
    assert not asks_for_list(query(question))


# --- lists


def test_all_binding_targets_of_a_plan(yunze: Pipeline) -> None:
    answer = asked(yunze, "有哪些约束性指标？")
    assert COUNTED.findall(answer.text) == ["2"]
    assert names(answer) == ["粮食综合生产能力", "劳动年龄人口平均受教育年限"]
    assert [citation.quote for citation in answer.citations] == ["96", "11.3"]


@pytest.mark.parametrize("question", ["把约束性指标全部列出来", "规划提出了多少项约束性指标？", "2030年约束性指标清单"])
def test_however_it_is_asked_the_list_is_the_same(yunze: Pipeline, question: str) -> None:
    assert asked(yunze, question).text == asked(yunze, "有哪些约束性指标？").text


def test_so_many_targets_are_listed_only_where_they_are_so_many(yunze: Pipeline) -> None:
    assert asked(yunze, "约束性指标是哪两项？").text == asked(yunze, "有哪些约束性指标？").text
    for question in ("约束性指标是哪五项？", "约束性指标有哪一项？", "哪一个指标是约束性的？"):
        assert not COUNTED.findall(asked(yunze, question).text)


@pytest.mark.parametrize("nature", ["约束性", "预期性"])
def test_the_count_of_the_shipped_plan_is_that_of_the_register_made_by_hand(shipped: Pipeline, nature: str) -> None:
    gold = [json.loads(line) for line in (SETS / "targets.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = {row["line"]: row["indicator"] for row in gold if row["nature"] == nature}
    found = places([target for target in targets_of(shipped) if target.nature == nature])
    answer = asked(shipped, f"列出全部{nature}指标")
    assert COUNTED.findall(answer.text) == [str(len(rows))]
    assert len(listed(answer)) == len(rows) == len(found) == len({citation.lines for citation in answer.citations})
    assert names(answer) == [rows[line] for line in sorted(rows)], "in the order of the text, none twice"


@pytest.mark.parametrize(
    ("question", "units"),
    [
        ("以万亩为单位的指标有哪些？", {"万亩"}),
        ("哪些指标以亩为单位？", {"亩", "万亩"}),
        ("有哪些百分比的指标？", {"%"}),
        ("有哪些百分比的约束性指标？", {"%"}),
    ],
)
def test_targets_in_a_unit(shipped: Pipeline, question: str, units: set[str]) -> None:
    wanted = [t for t in targets_of(shipped) if t.unit in units and ("约束性" not in question or t.nature == "约束性")]
    answer = asked(shipped, question)
    assert COUNTED.findall(answer.text) == [str(len(places(wanted)))]
    assert len(listed(answer)) == len(places(wanted)) >= 5


def test_targets_in_a_unit_of_a_small_plan(yunze: Pipeline) -> None:
    assert names(asked(yunze, "哪些指标以亩为单位？")) == ["石湾县新建高标准农田", "柳川县新建高标准农田"]


def test_targets_of_a_field_and_nothing_else(shipped: Pipeline) -> None:
    """By hand: three rates of enrolment in one sentence, and the years of schooling of the table."""
    assert set(names(asked(shipped, "教育方面有哪些量化目标？"))) == {
        "劳动年龄人口平均受教育年限",
        "学前教育毛入园率",
        "九年义务教育巩固率",
        "高中阶段教育毛入学率",
    }


def test_targets_of_a_field_and_a_nature(shipped: Pipeline) -> None:
    """The field is the category of the table, which stands in a merged cell and not in the names of its rows."""
    field = {chunk.id for chunk in shipped.index.chunks if "民生福祉" in {cell.text for cell in chunk.cells}}
    wanted = [t for t in targets_of(shipped) if t.nature == "预期性" and t.chunk in field]
    answer = asked(shipped, "民生方面有哪些预期性指标？")
    assert len(listed(answer)) == len(places(wanted)) == 6
    assert all(line.rsplit("[", 1)[0].endswith("预期性") for line in listed(answer))


def test_targets_of_another_year_are_not_listed(yunze: Pipeline, shipped: Pipeline) -> None:
    """Of 2035 the shipped plan has no target; its goals in words (控制在……以内) are those of 2025."""
    assert {target.year for target in targets_of(shipped)} == {2025}
    assert any(target.value is None for target in targets_of(shipped))
    assert not COUNTED.search(shipped.ask("2035年的量化目标有哪些？").text)
    assert names(asked(yunze, "2030年有哪些约束性指标？")) == names(asked(yunze, "有哪些约束性指标？"))
    assert not COUNTED.search(yunze.ask("2040年有哪些约束性指标？").text)


def test_what_the_register_has_nothing_of_is_answered_as_any_question(yunze: Pipeline) -> None:
    question = "航天发射方面有哪些约束性指标？"
    assert yunze.from_register(understand(question, (), yunze.frame)) is None
    assert not COUNTED.search(yunze.ask(question).text)


def test_a_document_without_targets_has_no_list(qinghe: Pipeline) -> None:
    assert qinghe.registers["qinghe"].targets == ()
    assert not COUNTED.search(qinghe.ask("有哪些约束性指标？").text)


def test_every_listed_target_is_cited_by_its_own_sentence(yunze: Pipeline) -> None:
    answer = asked(yunze, "有哪些百分比指标？")
    wanted = [t for t in targets_of(yunze) if t.unit == "%"]
    assert len(listed(answer)) == len(wanted) == 7
    marks = [[int(mark) for mark in re.findall(r"\[(\d+)\]", line)] for line in listed(answer)]
    assert marks == [[number] for number in range(1, 8)], "one mark each, in order"
    for target, line, citation in zip(wanted, listed(answer), answer.citations, strict=True):
        if target.source == "table":
            assert citation.quote == target.text_value
            assert set(citation.lines) == set(yunze.chunk_of[target.chunk].lines)
        else:
            assert (citation.lines, citation.start, citation.end) == ((target.line,), target.start, target.end)
            assert citation.quote == target.sentence
        assert target.value is not None
        assert target.value in line
    assert len(answer.checks) >= 7, "every figure of the list is verified"


def test_a_row_is_told_once_although_it_holds_several_targets(shipped: Pipeline) -> None:
    """The row of the grain harvest aims at a level and at an increase: two targets, one line."""
    several = [t for t in targets_of(shipped) if t.source == "table" and t.nature == "约束性"]
    assert len(several) > len(places(several))
    lines = listed(asked(shipped, "有哪些约束性指标？"))
    assert len(lines) == len(set(lines)) == len(places(several))


def test_words_that_end_the_name_and_begin_the_value_are_told_once(shipped: Pipeline) -> None:
    (one,) = [t for t in targets_of(shipped) if t.text_value.startswith(t.indicator) and "高速公路" in t.indicator]
    assert told(one, shipped.chunk_of[one.chunk]).count(one.indicator) == 1
    for target in targets_of(shipped):
        if target.source == "text" and target.value is not None:
            assert target.value in told(target, shipped.chunk_of[target.chunk]), "the value is never cut"


def test_a_row_is_told_as_a_row(yunze: Pipeline) -> None:
    (one,) = [t for t in targets_of(yunze) if t.indicator == "粮食综合生产能力"]
    chunk = yunze.chunk_of[one.chunk]
    assert told(one, chunk) == row_words(chunk) == "粮食综合生产能力：2025年91.5万吨，2030年96万吨，约束性"


# --- differences and sums


@pytest.mark.parametrize(
    ("question", "earlier", "later", "said"),
    [
        ("粮食综合生产能力2030年比2025年多多少？", "91.5", "96", "多4.5万吨"),
        ("人均预期寿命2030年比2025年提高多少？", "78.2", "79.6", "多1.4岁"),
        ("基本医疗保险参保率2030年比2025年提高多少？", "96.7", "98", "多1.3个百分点"),
    ],
)
def test_a_difference_is_worked_out_from_a_cited_row(
    yunze: Pipeline, question: str, earlier: str, later: str, said: str
) -> None:
    answer = asked(yunze, question)
    assert f"2030年比2025年{said}{WORKED}" in answer.text
    cited = next(row for row in yunze.index.chunks if row.cells and answer.citations[0].lines[0] in row.lines)
    assert {earlier, later} <= {cell.text for cell in cited.cells}
    assert [str(Decimal(later) - Decimal(earlier))] == NUMBER.findall(said)


def test_a_difference_is_worked_out_from_two_sentences(lanting: Pipeline) -> None:
    answer = asked(lanting, "新能源装机规模2030年比2025年增加多少？")
    assert f"2030年比2025年多147万千瓦{WORKED}" in answer.text
    assert {citation.lines for citation in answer.citations} == {(4,), (8,)}
    figures = {n for c in answer.citations for n in NUMBER.findall(c.quote)} - {"2025", "2030"}
    assert figures == {"218", "365"}
    assert Decimal(365) - Decimal(218) == 147


def test_what_falls_is_less(lanting: Pipeline) -> None:
    answer = asked(lanting, "单位工业增加值用水量2030年比2025年下降多少？")
    assert Decimal("28.4") - Decimal("23.9") == Decimal("4.5")
    assert f"2030年比2025年少4.5立方米{WORKED}" in answer.text


def test_a_difference_from_a_bound_is_a_bound(lanting: Pipeline) -> None:
    answer = asked(lanting, "公共充电桩2030年比2025年增加多少？")
    assert Decimal(4) - Decimal("1.6") == Decimal("2.4")
    assert f"2030年比2025年至少多2.4万个{WORKED}" in answer.text


@pytest.mark.parametrize(
    ("earlier", "later", "said"),
    [
        ("96.7", "98", "2030年比2025年多1.3个百分点"),
        ("96.7", "≥95", "2030年比2025年最多少1.7个百分点"),
        ("4.2", "≤5.5", "2030年比2025年最多多1.3个百分点"),
        ("5.5", "≤4.2", "2030年比2025年至少少1.3个百分点"),
        ("58", ">60", "2030年比2025年至少多2个百分点"),
        ("5", "5.5左右", "2030年比2025年约多0.5个百分点"),
    ],
)
def test_the_difference_of_a_row_by_the_sign_of_its_value(earlier: str, later: str, said: str) -> None:
    chunk = row([("指标名称", "参保率"), ("单位", "%"), ("2025年", earlier), ("2030年", later)])
    worked = worked_out(query("参保率2030年比2025年相差多少", 2025, 2030), [whole(chunk, 2025, 2030)])
    assert worked is not None
    text, own = worked
    assert text == f"{said}{WORKED}。"
    assert {n for figure in own for n in NUMBER.findall(figure)} == set(NUMBER.findall(text))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("2025年，旅游总收入达到95亿元。", "2030年，旅游总收入年均增长12%。"),
        ("2025年，旅游总收入达到95亿元。", "2030年，旅游总收入达到980000万元。"),
        ("2025年，旅游总收入达到95亿元以上。", "2030年，旅游总收入达到180亿元。"),
        ("2025年，旅游总收入达到95亿元。", "2030年，旅游总收入达到180-200亿元。"),
        ("2025年，外贸旅游公司投入达到95亿元。", "2030年，旅游总收入达到180亿元。"),
        ("2025年，旅游总收入达到95亿元。", "2035年，旅游总收入达到180亿元。"),
    ],
    ids=["a level and a rate", "written in two units", "from a bound", "to a range", "two things", "another year"],
)
def test_what_does_not_go_together_is_not_worked_out(earlier: str, later: str) -> None:
    years = [int(text[:4]) for text in (earlier, later)]
    parts = [whole(paragraph(text, line), years[line - 1], rank=line) for line, text in enumerate((earlier, later), 1)]
    assert worked_out(query("旅游总收入2030年比2025年增加多少", 2025, 2030), parts) is None


@pytest.mark.parametrize(("earlier", "later"), [("5", "6-7"), ("4-5", "7"), ("≥5", "7"), ("5", "持续提高")])
def test_nothing_is_worked_out_from_a_row_with_a_range_a_bound_or_words(earlier: str, later: str) -> None:
    chunk = row([("指标名称", "博物馆数量"), ("单位", "家"), ("2025年", earlier), ("2030年", later)])
    assert worked_out(query("博物馆数量2030年比2025年增加多少", 2025, 2030), [whole(chunk, 2025, 2030)]) is None


def test_figures_of_two_documents_are_not_taken_from_each_other() -> None:
    texts = ("2025年，森林覆盖率达到14%。", "到2030年，森林覆盖率达到27.5%。")
    asking = query("森林覆盖率2030年比2025年提高多少", 2025, 2030)
    apart = [
        whole(paragraph(texts[0], 4, doc="lanting"), 2025, rank=1),
        whole(paragraph(texts[1], 8, doc="yunze"), 2030, rank=2),
    ]
    assert worked_out(asking, apart) is None
    together = [
        whole(paragraph(text, i, doc="yunze"), year, rank=i)
        for i, (text, year) in enumerate(zip(texts, (2025, 2030), strict=True), 1)
    ]
    assert worked_out(asking, together) == (
        f"2030年比2025年多13.5个百分点{WORKED}。",
        ("13.5个百分点", "2030年", "2025年"),
    )


@pytest.mark.parametrize("question", ["旅游总收入2030年和2025年分别是多少？", "旅游总收入2030年是多少？"])
def test_nothing_is_worked_out_unasked(lanting: Pipeline, question: str) -> None:
    assert WORKED not in lanting.ask(question).text


def test_a_rate_is_not_taken_from_a_level(lanting: Pipeline) -> None:
    assert WORKED not in lanting.ask("旅游总收入2030年比2025年增加多少？").text


def test_no_difference_is_worked_out_where_one_year_is_not_told(yunze: Pipeline) -> None:
    assert WORKED not in yunze.ask("森林覆盖率2030年比2025年提高多少？").text


def test_a_sum_is_worked_out_from_what_is_cited(yunze: Pipeline) -> None:
    answer = asked(yunze, "石湾县和柳川县新建高标准农田合计多少万亩？")
    summands = [re.search(r"新建高标准农田([\d.]+)万亩", citation.quote) for citation in answer.citations]
    values = [Decimal(found.group(1)) for found in summands if found is not None]
    assert values == [Decimal("12.6"), Decimal("8.5")] or values == [Decimal("8.5"), Decimal("12.6")]
    assert answer.text.endswith(f"合计{sum(values)}万亩{WORKED}。")


@pytest.mark.parametrize(
    ("second", "total"),
    [
        ("柳川县新建高标准农田8.5万亩。", "合计21.1万亩"),
        ("柳川县新建高标准农田8.5万亩以上。", "合计至少21.1万亩"),
        ("柳川县新建高标准农田8500公顷。", None),
        ("柳川县新建高标准农田8-9万亩。", None),
        ("柳川县新建高标准农田不低于8.5万亩，改造灌区2处。", "合计至少21.1万亩"),
        ("柳川县森林覆盖率提高。", None),
    ],
)
def test_a_sum_takes_figures_of_one_unit(second: str, total: str | None) -> None:
    parts = [
        whole(paragraph("石湾县新建高标准农田12.6万亩。", 1), rank=1),
        whole(paragraph(second, 2), rank=2),
    ]
    worked = worked_out(query("石湾县和柳川县新建高标准农田合计多少"), parts)
    assert worked == (None if total is None else (f"{total}{WORKED}。", ("21.1万亩",)))


def test_bounds_of_two_kinds_have_no_sum() -> None:
    texts = ("石湾县用水总量控制在2.6亿立方米以内。", "柳川县用水总量达到3.5亿立方米以上。")
    parts = [whole(paragraph(text, line), rank=line) for line, text in enumerate(texts, 1)]
    assert worked_out(query("石湾县和柳川县用水总量合计多少"), parts) is None
    assert worked_out(query("石湾县和柳川县用水总量合计多少"), [parts[0], parts[0]]) is not None


@pytest.mark.parametrize(("second", "total"), [("3", "合计5家"), ("3-4", None)])
def test_a_range_is_not_summed(second: str, total: str | None) -> None:
    rows = [
        row([("指标名称", f"{name}博物馆数量"), ("单位", "家"), ("2030年", value)], line)
        for line, (name, value) in enumerate((("石湾县", "2"), ("柳川县", second)), 1)
    ]
    worked = worked_out(query("石湾县和柳川县博物馆数量合计多少"), [whole(one, 2030) for one in rows])
    assert (worked and worked[0]) == (total and f"{total}{WORKED}。")


@pytest.mark.parametrize(
    "question", ["粮食综合生产能力2030年比2025年多多少？", "石湾县和柳川县新建高标准农田合计多少万亩？"]
)
def test_the_worked_out_figure_is_the_only_one_that_no_source_holds(yunze: Pipeline, question: str) -> None:
    asking = understand(question, (), yunze.frame)
    worked = worked_out(asking, yunze.search(asking)[1].parts)
    assert worked is not None
    answer = asked(yunze, question)
    assert worked[0] in answer.text
    figure = worked[1][0]
    unfounded = {check.figure for check in yunze.checks(answer, asking) if not check.ok}
    assert figure in unfounded
    assert unfounded <= set(worked[1]), "without leave, nothing but what was worked out fails"
    assert all(check.ok for check in yunze.checks(answer, asking, worked[1]))


# --- comparisons of which one side is not told


def test_a_year_of_which_nothing_is_told_is_named(yunze: Pipeline) -> None:
    answer = asked(yunze, "森林覆盖率2030年和2040年分别是多少？")
    assert "27.5%" in answer.text
    assert answer.text.endswith(render("side_missing", asked="2040年"))


def test_both_sides_are_told_where_both_are_found(yunze: Pipeline) -> None:
    answer = asked(yunze, "石湾县和柳川县新建高标准农田各多少？")
    assert "12.6万亩" in answer.text
    assert "8.5万亩" in answer.text
    assert "没有找到" not in answer.text


# --- what stands twice


def test_a_list_that_stands_twice_with_other_members_is_shown_from_both_places(shipped: Pipeline) -> None:
    (conflict,) = [c for found in shipped.conflicts.values() for c in found if c.kind == "清单不一致"]
    answer = asked(shipped, f"{conflict.about}包括哪些？")
    assert answer.text.startswith(render("differing"))
    assert {side.line for side in conflict.sides} <= {line for c in answer.citations for line in c.lines}
    told = re.findall(r"第(\d+)行另有([^；。]+)", answer.text)
    assert len(told) == 2
    for line, members in told:
        cited = "".join(c.quote for c in answer.citations if int(line) in c.lines)
        assert [member for member in members.split("、") if member not in cited] == []


def test_each_place_of_a_list_is_cited_with_the_members_it_alone_has(lanting: Pipeline) -> None:
    answer = asked(lanting, "三大基地包括哪些？")
    assert "现代物流" in answer.text
    assert "数字经济" in answer.text
    first, second = (next(c for c in answer.citations[::-1] if c.lines == (line,)) for line in (12, 13))
    assert "现代物流" in first.quote
    assert "数字经济" not in first.quote
    assert "数字经济" in second.quote
    assert "现代物流" not in second.quote


def test_a_list_that_stands_twice_is_left_alone_where_something_else_is_asked(lanting: Pipeline) -> None:
    for question in ("三大基地2030年产值是多少？", "规划建设哪些公共充电桩？"):
        asking = understand(question, (), lanting.frame)
        assert lanting.from_register(asking) is None
    assert understand("规划建设哪些公共充电桩？", (), lanting.frame).want == "list"


def test_another_value_of_the_same_year_is_shown_beside(yunze: Pipeline) -> None:
    """96.7 in the table, 96.4 in the text."""
    answer = asked(yunze, "2025年基本医疗保险参保率是多少？")
    assert answer.text.startswith(render("differing"))
    assert "96.7%" in answer.text
    assert "96.4%" in answer.text
    assert {5, 33} & {line for citation in answer.citations for line in citation.lines} == {5, 33}


@pytest.mark.parametrize(
    ("other", "year", "odd"),
    [
        ("2025年末基本医疗保险参保率达到96.4%。", 2025, True),
        ("2025年末基本医疗保险参保率达到96.7%。", 2025, False),
        ("2030年基本医疗保险参保率达到96.4%。", 2030, False),
        ("2025年末基本医疗保险参保率达到60%。", 2025, False),
        ("2025年末基本医疗保险每人筹资达到96.4元。", 2025, False),
        ("2025年末高等教育毛入学率达到96.4%。", 2025, False),
    ],
    ids=["another value", "the same value", "another year", "far apart", "another unit", "another thing"],
)
def test_statements_are_at_odds_only_over_one_thing(other: str, year: int, odd: bool) -> None:
    mine = whole(paragraph("2025年基本医疗保险参保率达到96.7%。", 1), 2025, rank=1)
    theirs = whole(paragraph(other, 9), year, rank=2, score=0.5)
    assert any(at_odds(a, b) for a in statements(mine) for b in statements(theirs)) is odd
    found = differing(query("2025年基本医疗保险参保率是多少", 2025), mine, [mine, theirs])
    assert found == (theirs if odd else None)


def test_what_is_no_figure_is_told_once_more_where_it_stands_in_other_words() -> None:
    first = evidence(paragraph("规划建设岚东至岚西城际铁路，经云溪镇设站。", 3), 1, 4.0)
    again = evidence(paragraph("加快前期工作，规划建设岚东至岚西城际铁路，经北塘镇设站。", 9), 2, 3.0)
    apart = evidence(paragraph("实施老旧小区改造，完善配套设施。", 10), 3, 3.5)
    asking = query("岚东至岚西城际铁路经过哪里设站", want="text")
    assert retold(asking, first, [first, apart, again]) == again
    assert retold(asking, first, [first, apart]) is None
    assert retold(query("岚东至岚西城际铁路经过哪里设站"), first, [first, again]) is None, (
        "figures are compared as such"
    )


# --- two plans in one index


def test_the_list_of_two_plans_holds_the_targets_of_both(two_plans: Pipeline) -> None:
    answer = asked(two_plans, "有哪些约束性指标？")
    assert COUNTED.findall(answer.text) == ["3"]
    cited = dict(zip(names(answer), (citation.doc for citation in answer.citations), strict=True))
    assert cited == {
        "单位工业增加值用水量": "lanting",
        "粮食综合生产能力": "yunze",
        "劳动年龄人口平均受教育年限": "yunze",
    }


def test_a_difference_is_that_of_the_plan_that_tells_both_years(two_plans: Pipeline) -> None:
    answer = asked(two_plans, "人均预期寿命2030年比2025年提高多少？")
    assert f"2030年比2025年多1.4岁{WORKED}" in answer.text
    assert {citation.doc for citation in answer.citations} == {"yunze"}


def test_each_plan_disagrees_with_itself_alone(two_plans: Pipeline, lanting: Pipeline, yunze: Pipeline) -> None:
    alone = {**lanting.conflicts, **yunze.conflicts}
    assert set(two_plans.conflicts) == {"lanting", "yunze"}
    for doc, found in two_plans.conflicts.items():
        assert [(one.kind, one.about) for one in found] == [(one.kind, one.about) for one in alone[doc]]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("产值超过100亿元的有哪些？", ["竹木加工产业产值"]),
        ("产值超过60亿元的有哪些？", ["竹木加工产业产值", "茶叶产业产值"]),
        ("达到100%的指标有哪些？", ["生活垃圾无害化处理率", "农村自来水普及率"]),
        ("不低于98%的指标有哪些？", ["污水处理率", "生活垃圾无害化处理率", "农村自来水普及率"]),
        ("高于98%的指标有哪些？", ["生活垃圾无害化处理率", "农村自来水普及率"]),
        ("不超过10%的指标有哪些？", ["城镇调查失业率"]),
        ("低于70%的约束性指标", ["森林覆盖率", "单位地区生产总值能耗降低"]),
        ("有哪些指标超过50万吨？", ["粮食产量"]),
        ("超过500000吨的指标有哪些？", ["粮食产量"]),
        ("78岁以上的指标有哪些？", ["人均预期寿命"]),
    ],
)
def test_targets_beyond_a_bound_are_listed_and_counted(lingan: Pipeline, question: str, names: list[str]) -> None:
    answer = lingan.ask(question)
    head, *lines = answer.text.split("\n")
    assert head == f"共{len(names)}项："
    assert [line.removeprefix("· ").startswith(name) for line, name in zip(lines, names, strict=True)] == [True] * len(
        names
    )
    assert len(answer.citations) == len(names)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("超过1000万美元的指标有哪些？", "从原文读出的指标里没有以“美元”为单位的。"),
        ("超过200万吨的指标有哪些？", "从原文读出的指标里没有“超过200万吨”的。"),
        ("产值300亿元以上的有哪些？", "从原文读出的指标里没有“300亿元以上”的。"),
    ],
)
def test_a_bound_that_nothing_is_beyond_is_said_so(lingan: Pipeline, question: str, said: str) -> None:
    answer = lingan.ask(question)
    assert (answer.status, answer.text) == ("refused", said)


@pytest.mark.parametrize(
    "question",
    [
        "投资超过1亿元的项目有哪些？",  # no targets
        "森林覆盖率达到62.5%有哪些措施？",
        "哪些产品产量占全省比重达到30%以上？",
        "粮食产量比油料多50万吨有什么依据？",
        "产值超过50亿元、低于100亿元的有哪些？",  # two bounds
        "森林覆盖率超过60%了吗？",
    ],
)
def test_other_questions_with_a_bound_list_no_targets(question: str) -> None:
    assert bound_in(understand(question)) is None


def test_a_bound_is_met_only_by_what_meets_it_for_certain(lanting: Pipeline) -> None:
    # 4万个以上 is beyond 3万, may be below 5万 and may not be
    assert "公共充电桩" in lanting.ask("超过3万个的指标有哪些？").text
    assert "公共充电桩" not in lanting.ask("不超过5万个的指标有哪些？").text
