"""The copy of a plan: what changes, what stays, and that questions follow."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.mutate import Dropped, Mutation, has, main, monotone, mutate, rewrite
from index.errors import UserError
from index.figures import figures

PLAN = [
    "青石县发展规划",  # 1
    "支持青石县、白塔市和青石县开发区联动,推进城市更新,各县市统筹,青石特色突出,白塔市新城建成。",
    "2020年粮食产能134.8万吨,到2025年达到145万吨,参保率95.98%,覆盖率100%。",
    "1 |",
    "粮食产能 |",
    "145 |",  # 6
    "2 |",
    "参保率 |",
    "95.81 |",
    "建成2家景区、3条线路,G30高速、5G网络、国家5A级景区,培育六大产业、三个园区。",
    "旅游人次突破1.4亿人次,力争到2025年接待1亿人次。",  # 11
    "强化勘查、开采、储运、利用4个环节,建设园区4个、6个。",
    "“十四五”时期专栏2第三章,1.水库。2.渠道。土地承包30年不变,24小时服务。",
    "产值1,200亿元,结构为21.2:40.7:38.1,参与率0.67。",
]


@pytest.fixture(scope="module")
def copy() -> Mutation:
    return mutate(PLAN)


def row(**fields: Any) -> dict[str, Any]:
    blank = {"id": "q", "question": "", "answer": "", "gold_lines": [], "must_include": [], "must_not_include": []}
    return blank | fields


def values(line: str) -> list[Decimal]:
    return [figure.value for figure in figures(line) if figure.kind in ("quantity", "ratio")]


def new(copy: Mutation, line: int, old: str) -> str:
    return next(numeral.new for numeral in copy.numerals[line - 1] if numeral.old == old)


def test_same_seed_same_copy() -> None:
    assert mutate(PLAN, 3) == mutate(PLAN, 3)
    assert mutate(PLAN, 3).lines != mutate(PLAN, 4).lines


def test_places_change_everywhere_and_common_words_stay(copy: Mutation) -> None:
    assert set(copy.places) == {"青石", "白塔"}
    stone, tower = copy.places["青石"], copy.places["白塔"]
    assert len({stone, tower, "青石", "白塔"}) == 4
    assert {len(stone), len(tower)} == {2}
    assert copy.lines[0] == f"{stone}县发展规划"
    assert copy.lines[1] == (
        f"支持{stone}县、{tower}市和{stone}县开发区联动,推进城市更新,各县市统筹,{stone}特色突出,{tower}市新城建成。"
    )


def test_a_name_after_a_verb_is_no_longer_name() -> None:
    text = ["依托青石县、依托青石县、青石县、青石县。保留夜市、夜市,合理区间、合理区间,要素市场、要素市场。"]
    assert set(mutate(text).places) == {"青石"}


def test_quantities_change_and_keep_their_form(copy: Mutation) -> None:
    for line, old in ((3, "134.8"), (3, "145"), (3, "95.98"), (10, "2"), (11, "1.4"), (14, "21.2"), (14, "0.67")):
        changed = new(copy, line, old)
        assert changed != old
        assert [len(part) for part in changed.split(".")] == [len(part) for part in old.split(".")]
    thousands = new(copy, 14, "1,200")
    assert thousands != "1,200"
    assert thousands[1] == ","


def test_what_is_no_quantity_stays(copy: Mutation) -> None:
    assert copy.lines[12] == PLAN[12]
    assert copy.lines[9].endswith("条线路,G30高速、5G网络、国家5A级景区,培育六大产业、三个园区。")
    assert "2020年" in copy.lines[2]
    assert "到2025年" in copy.lines[2]
    assert copy.lines[2].endswith("覆盖率100%。")
    assert (copy.lines[3], copy.lines[6]) == ("1 |", "2 |")


def test_agreement_disagreement_and_order_are_kept(copy: Mutation) -> None:
    assert new(copy, 3, "145") == new(copy, 6, "145")
    assert Decimal(new(copy, 9, "95.81")) < Decimal(new(copy, 3, "95.98")) < 100
    assert Decimal(new(copy, 3, "134.8")) < Decimal(new(copy, 3, "145"))
    past, goal = values(copy.lines[10])
    assert goal < past


def test_the_number_of_things_just_named_stays(copy: Mutation) -> None:
    assert copy.lines[11].startswith("强化勘查、开采、储运、利用4个环节,")
    assert new(copy, 12, "6") != "6"


@given(
    st.lists(st.integers(1001, 9999), min_size=1, max_size=60, unique=True),
    st.integers(0, 2),
    st.integers(),
)
def test_monotone_keeps_order_range_and_step(numbers: list[int], decimals: int, seed: int) -> None:
    step = Decimal(1).scaleb(-decimals)
    low, high = 1000 * step, 10000 * step
    result = monotone({number * step: step for number in numbers}, low, high, random.Random(seed))
    assert list(result) == sorted(number * step for number in numbers)
    assert all(a < b for a, b in zip(list(result.values()), list(result.values())[1:], strict=False))
    assert all(low <= value < high and value % step == 0 for value in result.values())


def test_monotone_leaves_a_value_that_has_no_room() -> None:
    settled = {Decimal("1.4"): Decimal("1.6")}
    assert monotone({Decimal(1): Decimal(1)}, Decimal(1), Decimal(10), random.Random(1), settled) == {1: 1}


# --- questions


def test_a_question_follows_the_copy(copy: Mutation) -> None:
    stone, goal = copy.places["青石"], new(copy, 3, "145")
    asked = row(
        question="青石2025年粮食产能?",
        answer="到2025年达到145万吨。",
        gold_lines=[[3]],
        alt_gold_lines=[[6]],
        must_include=[["145万吨", "145"], ["2025"]],
        must_not_include=["134.8"],
        history=[{"question": "青石县?", "answer": "2020年134.8万吨"}],
        slots={"value": "145", "unit": "万吨", "year": "2025", "known": True},
    )
    assert rewrite(asked, copy) == asked | {
        "question": f"{stone}2025年粮食产能?",
        "answer": f"到2025年达到{goal}万吨。",
        "must_include": [[f"{goal}万吨", goal], ["2025"]],
        "must_not_include": [new(copy, 3, "134.8")],
        "history": [{"question": f"{stone}县?", "answer": f"2020年{new(copy, 3, '134.8')}万吨"}],
        "slots": {"value": goal, "unit": "万吨", "year": "2025", "known": True},
    }


def test_an_option_in_words_is_left_out_and_its_neighbours_follow_the_gold_line(copy: Mutation) -> None:
    shops = new(copy, 10, "2")
    asked = row(answer="2家", gold_lines=[[10]], must_include=[["2家", "2个", "两家", "两个"], ["六大"]])
    result = rewrite(asked, copy)
    assert isinstance(result, dict)
    assert result["must_include"] == [[f"{shops}家", f"{shops}个"], ["六大"]]


def test_a_row_whose_evidence_is_gone_is_dropped_with_a_reason(copy: Mutation) -> None:
    computed = rewrite(row(id="q7", answer="增加77.77万吨", gold_lines=[[3]], must_include=[["77.77"]]), copy)
    assert computed == Dropped("q7", "要点 ['77.77'] 里的数字不在原文中，无法改写")
    answer = rewrite(row(id="q8", answer="二者差0.5", gold_lines=[[3]], must_include=[["145", "二者差0.5"]]), copy)
    assert isinstance(answer, Dropped)
    assert "标准答案" in answer.reason


def test_questions_without_evidence_follow_the_whole_plan(copy: Mutation) -> None:
    result = rewrite(row(question="2030年粮食产能会超过145万吨吗?", must_not_include=["1.4亿"]), copy)
    assert isinstance(result, dict)
    assert result["question"] == f"2030年粮食产能会超过{new(copy, 3, '145')}万吨吗?"
    assert result["must_not_include"] == [f"{new(copy, 11, '1.4')}亿"]


def test_questions_of_another_plan_are_refused(copy: Mutation) -> None:
    with pytest.raises(UserError, match=r"“q”的依据行 99 不在规划里（共 14 行）"):
        rewrite(row(gold_lines=[[3, 99]]), copy)


@pytest.mark.parametrize(
    ("text", "option", "expected"),
    [
        ("170亿元", "70亿", False),
        ("70亿元", "70亿", True),
        ("达到1.15", "1.1", False),
        ("10 |", "10|", True),
        ("1,200亿", "1200亿", True),
    ],
)
def test_options_match_as_in_the_marking(text: str, option: str, expected: bool) -> None:
    assert has(text, option) is expected


# --- command


def test_command_writes_plan_and_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, questions, out = tmp_path / "plan.txt", tmp_path / "q.jsonl", tmp_path / "out"
    plan.write_text("\n".join(PLAN), encoding="utf-8")
    kept = row(id="a", answer="145万吨", gold_lines=[[3]], must_include=[["145"]])
    lost = row(id="b", answer="77.77", gold_lines=[[3]], must_include=[["77.77"]])
    questions.write_text("\n".join(json.dumps(item) for item in (kept, lost)), encoding="utf-8")
    assert main([str(plan), str(questions), "--out", str(out), "--seed", "7"]) == 0
    assert (out / "plan-mutated.txt").read_text(encoding="utf-8").split("\n") == list(mutate(PLAN, 7).lines)
    assert [json.loads(line)["id"] for line in (out / "q.jsonl").read_text(encoding="utf-8").splitlines()] == ["a"]
    assert "q.jsonl：保留 1 / 2 行。" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "找不到问题文件"), ("{", "第 1 行不是 JSON"), ('\n{"id": "a"}', "第 2 行缺少字段")],
)
def test_command_names_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    plan, questions = tmp_path / "plan.txt", tmp_path / "q.jsonl"
    plan.write_text("\n".join(PLAN), encoding="utf-8")
    if content is not None:
        questions.write_text(content, encoding="utf-8")
    assert main([str(plan), str(questions), "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_shipped_plan_reads_on_line_by_line() -> None:
    lines = (Path(__file__).parent.parent / "index/sources/changji-14fyp.txt").read_text(encoding="utf-8").split("\n")
    copy = mutate(lines)
    assert len(copy.lines) == len(lines)
    kinds = [[figure.kind for figure in figures(line)] for line in lines]
    assert [[figure.kind for figure in figures(line)] for line in copy.lines] == kinds
    found = [numeral for line in copy.numerals for numeral in line if not numeral.after.startswith("年")]
    assert sum(numeral.new != numeral.old for numeral in found) > 200
    assert not any(old in line for line in copy.lines for old in copy.places)
