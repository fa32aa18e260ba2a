"""Sums, differences and comparisons of things that a question names, from figures that are quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.build import build
from rag.config import Config
from rag.pipeline import Pipeline, open_pipeline

WORKED = "按上面的引文"


def conclusion(pipeline: Pipeline, question: str) -> str:
    """The last line of an answer that is worked out, "" where nothing is."""
    answer = pipeline.ask(question)
    assert all(check.ok for check in answer.checks), answer.checks
    assert answer.citations or answer.status == "refused"
    last = answer.text.split("\n")[-1]
    return last if WORKED in last else ""


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("粮食产量和油料产量加起来多少？", "合计108万吨（按上面的引文计算）。"),
        ("粮食、油料和肉类产量一共多少万吨？", "合计120万吨（按上面的引文计算）。"),
        ("溪岭市、云坪县和禾塘县新建高标准农田合计多少？", "合计26.5万亩（按上面的引文计算）。"),
        ("溪岭市与禾塘县新建高标准农田一共多少亩？", "合计18万亩（按上面的引文计算）。"),
        (
            "城镇居民收入比农村居民收入高多少？",
            "城镇居民人均可支配收入比农村居民人均可支配收入多17360元（按上面的引文计算）。",
        ),
        ("溪岭市和云坪县新建高标准农田相差多少？", "溪岭市比云坪县多3.5万亩（按上面的引文计算）。"),
        ("溪岭市和云坪县哪个新建高标准农田多？", "溪岭市更多（按上面的引文比较）。"),
        ("溪岭市和云坪县谁新建的高标准农田更少？", "云坪县更少（按上面的引文比较）。"),
        ("污水处理率和绿化覆盖率哪个高？", "污水处理率更高（按上面的引文比较）。"),
        ("油料和肉类产量哪个高？", "两者相同（按上面的引文比较）。"),
        ("哪个县新建高标准农田最多？", "原文写有数值的3个地方中，溪岭市最多（按上面的引文比较）。"),
        ("2030年森林覆盖率和污水处理率哪个低？", "森林覆盖率更低（按上面的引文比较）。"),
    ],
)
def test_what_is_asked_for_is_worked_out_from_quoted_figures(lingan: Pipeline, question: str, told: str) -> None:
    assert conclusion(lingan, question) == told


@pytest.mark.parametrize(
    "question",
    [
        "污水处理率和绿化覆盖率合计多少？",  # rates have no sum
        "城镇居民和农村居民人均可支配收入合计多少？",  # nor have means
        "粮食产量和森林覆盖率哪个高？",  # two units
        "粮食产量和新建高标准农田合计多少？",
        "粮食产量和水产产量合计多少？",  # one is not told
        "城镇和农村居民收入哪个增长快？",  # levels tell no growth
        "2025年粮食产量和油料产量合计多少？",  # another year
        "溪岭市和桐川县新建高标准农田合计多少？",
        "粮食产量是多少？",
        "城镇和农村居民收入的差距越来越小了吗？",  # a course, no figure
    ],
)
def test_what_does_not_go_together_is_not_worked_out(lingan: Pipeline, question: str) -> None:
    assert conclusion(lingan, question) == ""


PLAN = """\
桐山市国民经济和社会发展第十五个五年规划纲要
规划期限为2026-2030年。
第一章 目标
到2030年，茶叶产量达到12万吨以上，水果产量达到9万吨，蔬菜产量达到12万吨左右，菌菇产量达到12.2万吨。
到2030年，煤炭消费量控制在300万吨以内，钢材产量达到200万吨。
到2030年，饲草种植面积达到60万亩，其中青贮玉米45万亩、苜蓿15万亩。
"""


@pytest.fixture(scope="module")
def tongshan(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("tongshan")
    source = Path(folder / "tongshan.txt")
    source.write_text(PLAN, encoding="utf-8")
    build([source], folder / "index")
    return open_pipeline(Config(index=folder / "index"))


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("茶叶产量和水果产量哪个高？", "茶叶产量更高（按上面的引文比较）。"),  # 12 or more is above 9
        ("茶叶产量和菌菇产量哪个高？", ""),  # 12 or more may be above or below 12.2
        ("蔬菜产量和菌菇产量哪个高？", ""),  # about 12 may be, too
        ("蔬菜产量和水果产量哪个高？", "蔬菜产量更高（按上面的引文比较）。"),
        ("煤炭消费量和钢材产量哪个大？", ""),  # at most 300 may be less than 200
        ("茶叶产量和水果产量合计多少？", "合计至少21万吨（按上面的引文计算）。"),
        ("蔬菜产量和水果产量合计多少？", "合计约21万吨（按上面的引文计算）。"),
        ("茶叶产量和蔬菜产量合计多少？", "合计至少约24万吨（按上面的引文计算）。"),
        ("煤炭消费量和茶叶产量合计多少？", ""),  # bounds of two kinds
        ("茶叶产量和水果产量相差多少？", ""),  # from a bound nothing is taken away
        ("青贮玉米和苜蓿种植面积合计多少？", "合计60万亩（按上面的引文计算）。"),
        ("饲草种植面积和苜蓿种植面积合计多少？", ""),  # a whole and its part
    ],
)
def test_bounds_and_rounded_figures_conclude_what_is_certain(tongshan: Pipeline, question: str, told: str) -> None:
    assert conclusion(tongshan, question) == told
