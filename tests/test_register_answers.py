"""Answers from the register of targets: complete lists, differences and sums, and what the plan says twice."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from eval.dataset import SETS
from rag.pipeline import Pipeline
from rag.prompts import render
from rag.types import Answer

COUNTED = re.compile(r"^共(\d+)项：$", re.MULTILINE)


def listed(answer: Answer) -> list[str]:
    return [line for line in answer.text.split("\n") if line.startswith("· ")]


def asked(pipeline: Pipeline, question: str) -> Answer:
    answer = pipeline.ask(question)
    assert answer.status == "answered", answer.text
    assert all(check.ok for check in answer.checks)
    for citation in answer.citations:
        line = pipeline.index.line(citation.doc, citation.lines[0]).text
        assert line[citation.start : citation.end] == citation.quote
    return answer


def test_all_binding_targets_of_a_plan(yunze: Pipeline) -> None:
    answer = asked(yunze, "有哪些约束性指标？")
    assert COUNTED.findall(answer.text) == ["2"]
    assert [line.split("：")[0] for line in listed(answer)] == ["· 粮食综合生产能力", "· 劳动年龄人口平均受教育年限"]
    assert [citation.quote for citation in answer.citations] == ["96", "11.3"]


def test_the_count_of_the_shipped_plan_is_that_of_the_register_made_by_hand(shipped: Pipeline) -> None:
    gold = [json.loads(line) for line in (SETS / "targets.jsonl").read_text(encoding="utf-8").splitlines()]
    for nature in ("约束性", "预期性"):
        rows = {row["line"] for row in gold if row["nature"] == nature and row["source"] == "table"}
        answer = asked(shipped, f"列出全部{nature}指标")
        assert COUNTED.findall(answer.text) == [str(len(rows))]
        assert len(listed(answer)) == len(rows) == len({citation.lines for citation in answer.citations})


@pytest.mark.parametrize(("question", "unit"), [("以万亩为单位的指标有哪些？", "万亩"), ("有哪些百分比的指标？", "%")])
def test_targets_in_a_unit(shipped: Pipeline, question: str, unit: str) -> None:
    targets = [t for register in shipped.registers.values() for t in register.targets if t.unit == unit]
    told = asked(shipped, question)
    wanted = {
        (t.chunk if t.source == "table" else (t.chunk, t.start, t.indicator, t.subject, t.text_value)) for t in targets
    }
    assert len(listed(told)) == len(wanted) > 5


def test_targets_of_a_field_and_nothing_else(shipped: Pipeline) -> None:
    told = listed(asked(shipped, "教育方面有哪些量化目标？"))
    assert any("九年义务教育巩固率" in line for line in told)
    assert not any("棉花" in line or "旅游" in line for line in told)


def test_what_the_register_has_nothing_of_is_answered_as_any_question(yunze: Pipeline) -> None:
    answer = yunze.ask("航天发射方面有哪些约束性指标？")
    assert not COUNTED.search(answer.text)


def test_a_document_without_targets_has_no_list(qinghe: Pipeline) -> None:
    assert qinghe.registers["qinghe"].targets == ()
    assert not COUNTED.search(qinghe.ask("有哪些约束性指标？").text)


@pytest.mark.parametrize(
    ("question", "worked"),
    [
        ("粮食综合生产能力2030年比2025年多多少？", "2030年比2025年多4.5万吨"),
        ("人均预期寿命2030年比2025年提高多少？", "2030年比2025年多1.4岁"),
        ("研发经费投入强度2030年比2025年提高多少？", "2030年比2025年多0.7个百分点"),
    ],
)
def test_a_difference_is_worked_out_from_what_is_cited(
    yunze: Pipeline, shuanglin: Pipeline, question: str, worked: str
) -> None:
    pipeline = shuanglin if "研发" in question else yunze
    answer = asked(pipeline, question)
    assert f"{worked}（按上面的引文计算）" in answer.text
    row = next(line for line in answer.text.split("\n") if "2025年" in line and "2030年" in line and "[" in line)
    earlier, later = (Decimal(re.search(rf"{year}年(\d+(?:\.\d+)?)", row).group(1)) for year in (2025, 2030))
    assert str(later - earlier) in worked


def test_no_difference_is_worked_out_where_one_year_is_not_told(yunze: Pipeline) -> None:
    answer = yunze.ask("森林覆盖率2030年比2025年提高多少？")
    assert "按上面的引文计算" not in answer.text


def test_a_list_that_stands_twice_with_other_members_is_shown_from_both_places(shipped: Pipeline) -> None:
    (conflict,) = [c for found in shipped.conflicts.values() for c in found if c.kind == "清单不一致"]
    answer = asked(shipped, f"{conflict.about}包括哪些？")
    assert answer.text.startswith(render("differing"))
    assert {side.line for side in conflict.sides} <= {line for c in answer.citations for line in c.lines}


def test_a_year_of_which_nothing_is_told_is_named(yunze: Pipeline) -> None:
    answer = asked(yunze, "森林覆盖率2030年和2040年分别是多少？")
    assert "27.5%" in answer.text
    assert answer.text.endswith(render("side_missing", asked="2040年"))
