"""Figures: what is one, what is none, what it is worth."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.figures import Figure, cell_figure, equal, figures, normalise, unit_of

PLAN = Path(__file__).parent.parent / "index" / "sources" / "changji-14fyp.txt"

# text, verbatim figure, value, unit, comparator
QUANTITIES = [
    ("粮食产能达到145万吨以上", "145万吨", "1450000", "吨", ">="),
    ("达到65%以上", "65%", "65", "%", ">="),
    ("比重达30％。", "30％", "30", "%", "="),
    ("达到１４５万吨", "１４５万吨", "1450000", "吨", "="),
    ("总里程１３，５１８．８公里", "１３，５１８．８公里", "13518.8", "公里", "="),
    ("总里程13,518.8公里", "13,518.8公里", "13518.8", "公里", "="),
    ("百分之六十五以上", "百分之六十五", "65", "%", ">="),
    ("增长百分之五点五", "百分之五点五", "5.5", "%", "="),
    ("达到百分之百", "百分之百", "100", "%", "="),
    ("死亡率千分之三以下", "千分之三", "3", "‰", "<="),
    ("占八成以上", "八成", "80", "%", ">="),
    ("占八成五", "八成五", "85", "%", "="),
    ("共三千五百二十一人", "三千五百二十一人", "3521", "人", "="),
    ("引进两家企业", "两家", "2", "家", "="),
    ("新增十四万人", "十四万人", "140000", "人", "="),
    ("约十四万", "十四万", "140000", "", "~"),
    ("二十四个", "二十四个", "24", "个", "="),
    ("一百零五户", "一百零五户", "105", "户", "="),
    ("一亿二千万元", "一亿二千万元", "120000000", "元", "="),
    ("增长一倍", "一倍", "1", "倍", "="),
    ("提高一个百分点", "一个百分点", "1", "百分点", "="),
    ("提高了10个百分点", "10个百分点", "10", "百分点", "="),
    ("突破1.4亿人次", "1.4亿人次", "140000000", "人次", ">"),
    ("装机2095万千瓦", "2095万千瓦", "20950000", "千瓦", "="),
    ("装机20GW", "20GW", "20000000", "千瓦", "="),
    ("装机300MW。", "300MW", "300000", "千瓦", "="),
    ("±1100千伏特高压", "1100千伏", "1100", "千伏", "="),
    ("750kV变电站", "750kV", "750", "千伏", "="),
    ("产能1.17亿吨/年", "1.17亿吨/年", "117000000", "吨/年", "="),
    ("产能1.15亿吨标煤", "1.15亿吨标煤", "115000000", "吨标煤", "="),
    ("消费2亿吨标准煤以内", "2亿吨标准煤", "200000000", "吨标煤", "<="),
    ("控制在24.26亿立方米以内", "24.26亿立方米", "2426000000", "立方米", "<="),
    ("控制在5%左右", "5%", "5", "%", "~"),
    ("控制在3.5%。", "3.5%", "3.5", "%", "<="),
    ("面积2.15平方米/人", "2.15平方米/人", "2.15", "平方米/人", "="),
    ("绿地13㎡", "13㎡", "13", "平方米", "="),
    ("库容3亿m³", "3亿m³", "300000000", "立方米", "="),
    ("时速120公里/小时", "120公里/小时", "120", "公里/小时", "="),
    ("65蒸吨/小时及以上", "65蒸吨/小时", "65", "蒸吨/小时", ">="),
    ("出栏1096万头(只)、", "1096万头(只)", "10960000", "头", "="),
    ("1万(台)套/年设备", "1万(台)套/年", "10000", "套/年", "="),
    ("带宽达到100兆", "100兆", "100", "兆", "="),
    ("1亿2000万元", "1亿2000万元", "120000000", "元", "="),
    ("3万5千亩", "3万5千亩", "35000", "亩", "="),
    ("不低于665万亩", "665万亩", "6650000", "亩", ">="),
    ("不超过 3 个", "3 个", "3", "个", "<="),
    ("超过70%。", "70%", "70", "%", ">"),
    ("低于5%", "5%", "5", "%", "<"),
    ("接近100%", "100%", "100", "%", "~"),
    ("约5万吨", "5万吨", "50000", "吨", "~"),
    ("节约5万吨", "5万吨", "50000", "吨", "="),
    ("近三年来", "三年", "3", "年", "="),
    ("近3万人", "3万人", "30000", "人", "~"),
    ("10余万人", "10余万人", "100000", "人", ">"),
    ("2000多名", "2000多名", "2000", "名", ">"),
    (">60", "60", "60", "", ">"),
    ("≥1.15", "1.15", "1.15", "", ">="),
    ("〔0.3〕", "0.3", "0.3", "", "="),
    ("系数提高至0.67。", "0.67", "0.67", "", "="),
    ("延长30年的政策", "30年", "30", "年", "="),
    ("占5成以上", "5成", "50", "%", ">="),
    ("不低于（含）5%", "5%", "5", "%", ">="),
    ("浓度35μg/m³", "35μg/m³", "35", "微克/立方米", "="),
    ("用电3亿度电", "3亿度电", "300000000", "千瓦时", "="),
    ("投资八百五十点五亿元", "八百五十点五亿元", "85050000000", "元", "="),
    ("近50家", "50家", "50", "家", "~"),
    ("下降到-5%", "-5%", "-5", "%", "="),
]


@pytest.mark.parametrize(("text", "verbatim", "value", "unit", "comparator"), QUANTITIES)
def test_quantity(text: str, verbatim: str, value: str, unit: str, comparator: str) -> None:
    (figure,) = figures(text)
    assert (figure.text, figure.value, figure.unit) == (verbatim, Decimal(value), unit)
    assert (figure.kind, figure.comparator) == ("quantity", comparator)
    assert text[figure.start : figure.end] == verbatim


@pytest.mark.parametrize(
    ("text", "verbatim", "low", "high", "unit"),
    [
        ("形成1-2个", "1-2个", 1, 2, "个"),
        ("增长5%～8%", "5%～8%", 5, 8, "%"),
        ("用3至5年", "3至5年", 3, 5, "年"),
        ("用三到五年", "三到五年", 3, 5, "年"),
        ("10-15万吨", "10-15万吨", 100000, 150000, "吨"),
        ("10万—15万吨", "10万—15万吨", 100000, 150000, "吨"),
        ("百分之五至八", "百分之五至八", 5, 8, "%"),
        ("十五六个", "十五六个", 15, 16, "个"),
        ("三四十人", "三四十人", 30, 40, "人"),
        ("七八成", "七八成", 70, 80, "%"),
    ],
)
def test_range(text: str, verbatim: str, low: int, high: int, unit: str) -> None:
    (figure,) = figures(text)
    assert (figure.text, figure.value, figure.value_max, figure.unit) == (verbatim, Decimal(low), Decimal(high), unit)


@pytest.mark.parametrize(
    ("text", "verbatim", "low", "high"),
    [
        ("到2025年,", "2025年", 2025, None),
        ("(2016)", "2016", 2016, None),
        ("２０３５年", "２０３５年", 2035, None),
        ("二〇三五年远景", "二〇三五年", 2035, None),
        ("二○三五年", "二○三五年", 2035, None),
        ("2021-2025年", "2021-2025年", 2021, 2025),
        ("2021年至2025年", "2021年至2025年", 2021, 2025),
        ("2021—2025年", "2021—2025年", 2021, 2025),
    ],
)
def test_year(text: str, verbatim: str, low: int, high: int | None) -> None:
    (figure,) = figures(text)
    assert (figure.text, figure.kind, figure.unit) == (verbatim, "year", "年")
    assert (figure.value, figure.value_max) == (Decimal(low), None if high is None else Decimal(high))


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("“十四五”时期", "ordinal", ["十四五"]),
        ("十四五年均", "ordinal", ["十四五"]),
        ("第十四个五年规划", "ordinal", ["第十四个"]),
        ("党的十九大和十九届五中全会", "ordinal", ["十九大", "十九届"]),
        ("九届十一次全会", "ordinal", ["九届", "十一次"]),
        ("第二次、第三次座谈会", "ordinal", ["第二次", "第三次"]),
        ("专栏2 格局", "ordinal", ["专栏2"]),
        ("第十一篇", "ordinal", ["第十一篇"]),
        ("1.煤电项目 2.储能项目", "ordinal", ["1", "2"]),
        ("见3.2.1", "ordinal", ["3.2.1"]),
        ("G7、G30高速", "identifier", ["G7", "G30"]),
        ("5G、3S技术", "identifier", ["5G", "3S"]),
        ("国家5A级景区", "identifier", ["5A"]),
        ("PM2.5浓度", "identifier", ["PM2.5"]),
        ("国道216、312服务区", "identifier", ["216", "312"]),
        ("2号线", "identifier", ["2号"]),
        ("“1249”现代农牧业", "identifier", ["1249"]),
        ("“15+4”产业体系", "identifier", ["15+4"]),
        ("“三个离不开”", "identifier", ["三个"]),
        ("拨打12345热线", "identifier", ["12345"]),
        ("尼龙-6项目", "identifier", ["-6"]),
        ("世界500强", "identifier", ["500强"]),
        ("20世纪80年代", "identifier", ["20世纪", "80年代"]),
    ],
)
def test_names_and_ordinals(text: str, kind: str, expected: list[str]) -> None:
    found = figures(text)
    assert [figure.text for figure in found] == expected
    assert {figure.kind for figure in found} == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "一产、二产、三产", "农村一二三产业融合", "统一规划", "万众创新", "千方百计", "百姓", "一些", "一批", "一系列",
        "一带一路", "一体化", "一站式", "一项制度", "一次性", "二次利用", "进一步", "五位一体", "三次产业", "一级A标准",
        "五家渠", "五年规划", "九年义务教育", "三个代表", "千家万户", "每万人口", "百里丹霞", "三严三实", "翻一番",
        "十分重视", "数十万", "几十个", "二级医院", "零增长", "四方协议", "周五下午", "一成不变", "半小时", "",
    ],
)  # fmt: skip
def test_no_figure(text: str) -> None:
    assert figures(text) == ()


def test_ratios() -> None:
    ratio, third, half = figures("由17.5:41.9:40.6,占三分之一,超过一半")
    assert (ratio.text, ratio.kind, ratio.value) == ("17.5:41.9:40.6", "ratio", Decimal("17.5"))
    assert (third.kind, third.unit, third.value.quantize(Decimal("0.01"))) == ("ratio", "%", Decimal("33.33"))
    assert (half.kind, half.unit, half.value, half.comparator) == ("ratio", "%", Decimal(50), ">")


def test_product_is_two_figures() -> None:
    assert [(figure.text, figure.value, figure.unit) for figure in figures("4×66万千瓦")] == [
        ("4", Decimal(4), ""),
        ("66万千瓦", Decimal(660000), "千瓦"),
    ]


def test_change_is_no_range() -> None:
    found = figures("由5%到8%,从2015年的3到2020年的4")
    assert [figure.text for figure in found] == ["5%", "8%", "2015年", "3", "2020年", "4"]


def test_neighbours_keep_their_own_comparator() -> None:
    found = figures("分别达到100%、95%以上,不超过3个,5个")
    assert [(figure.text, figure.comparator) for figure in found] == [
        ("100%", "="), ("95%", ">="), ("3个", "<="), ("5个", "="),
    ]  # fmt: skip


EQUAL = [
    ("百分之六十五", "65%"), ("１４５万吨", "145万吨"), ("1450000吨", "145万吨"), ("0.67", "0.670"), ("八成", "80%"),
    ("一半", "50%"), ("十四万人", "14万人"), ("二〇三五年", "2035年"), ("2035", "2035年"), ("1/3", "三分之一"),
    ("13,518.8公里", "13518.8公里"), ("1公顷", "15亩"), ("5公里", "5000米"), ("30‰", "3%"), ("2吨标准煤", "2吨标煤"),
    ("1-2个", "一至两个"), ("2021-2025年", "2021年至2025年"), ("1吉瓦", "100万千瓦"),
    ("17.5：41.9：40.6", "17.5:41.9:40.6"),
    ("10个百分点", "10百分点"), ("1100千伏", "±1100千伏"), ("G30", "Ｇ30"),
]  # fmt: skip
DIFFERENT = [
    ("14万人", "14人"), ("70亿元", "170亿元"), ("5%", "5个百分点"), ("5元", "5人"), ("65", "65%"), ("65", "65人"),
    ("120万吨", "120万吨/年"), ("1.15亿吨", "1.15亿吨标煤"), ("1.17亿吨/年", "1.15亿吨标煤"), ("2025年", "2035年"),
    ("2025年", "2025个"), ("1-2个", "1-3个"), ("1-2个", "1个"), ("17.5:41.9:40.6", "17.5:41.9:40.7"), ("G30", "G7"),
    ("145万吨", "145万亩"), ("2,025年", "2025年"), ("0.67", "0.68"), ("17.5:41.9", "17.5"),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left: str, right: str) -> None:
    assert equal(figures(left)[0], figures(right)[0])
    assert equal(figures(right)[0], figures(left)[0])


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left: str, right: str) -> None:
    assert not equal(figures(left)[0], figures(right)[0])
    assert not equal(figures(right)[0], figures(left)[0])


@pytest.mark.parametrize(
    ("text", "unit", "value", "normal_unit", "comparator"),
    [
        ("≥1.15", "亿吨标煤", "115000000", "吨标煤", ">="),
        ("〔10.2〕 |", "万吨", "102000", "吨", "="),
        ("5.5左右 |", "%", "5.5", "%", "~"),
        (">60", "%", "60", "%", ">"),
        ("145", "万吨", "1450000", "吨", "="),
        ("2000", "万元", "20000000", "元", "="),
        ("95%以上", "人", "95", "%", ">="),
        ("0.67", "—", "0.67", "", "="),
        ("累计30", "万锭箱", "300000", "锭箱", "="),
        ("3.42", "人/千人", "3.42", "人/千人", "="),
        ("达到1,100", "亿元", "110000000000", "元", "="),
    ],
)
def test_cell(text: str, unit: str, value: str, normal_unit: str, comparator: str) -> None:
    figure = cell_figure(text, unit)
    assert figure is not None
    assert (figure.value, figure.unit, figure.comparator) == (Decimal(value), normal_unit, comparator)
    assert figure.kind == "quantity"


@pytest.mark.parametrize(
    "text", ["—", "", " |", "控制在自治区下达指标内", "高于GDP增长", "10(2019年)", "3岁以下婴幼儿托位数", "预期性"]
)
def test_cell_without_value(text: str) -> None:
    assert cell_figure(text, "%") is None


def test_cell_range() -> None:
    figure = cell_figure("5-8", "万人")
    assert figure is not None
    assert (figure.value, figure.value_max, figure.unit) == (Decimal(50000), Decimal(80000), "人")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("万吨", (10000, "吨")), ("亿吨标煤", (10**8, "吨标煤")), ("％", (1, "%")), ("—", (1, "")), ("", (1, "")),
        ("千瓦", (1, "千瓦")), ("万千瓦", (10000, "千瓦")), ("百分点", (1, "百分点")), ("平方米/人", (1, "平方米/人")),
        ("GW", (10**6, "千瓦")), ("指数", (1, "指数")),
    ],
)  # fmt: skip
def test_unit(text: str, expected: tuple[int, str]) -> None:
    assert unit_of(text) == (Decimal(expected[0]), expected[1])


def test_normalise() -> None:
    assert normalise("１４５％，≧3㎡—5∶3") == "145%,≥3m2-5:3"


def test_shipped_plan_is_read_whole() -> None:
    text = PLAN.read_text(encoding="utf-8")
    found = figures(text)
    assert all(text[figure.start : figure.end] == figure.text for figure in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    covered = {at for figure in found for at in range(figure.start, figure.end)}
    assert [text[at - 5 : at + 5] for at, c in enumerate(text) if c.isdigit() and at not in covered] == []


MULTIPLIERS = {"": 1, "百": 100, "千": 1000, "万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, "万亿": 10**12}
numbers = st.decimals(min_value=0, max_value=99999, places=2, allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(numbers, st.sampled_from(sorted(MULTIPLIERS)), st.sampled_from(["吨", "亩", "元", "人", "个", "公里"]))
def test_any_amount_is_read(number: Decimal, multiplier: str, unit: str) -> None:
    (figure,) = figures(f"产量达到{number}{multiplier}{unit}以上。")
    assert figure.value == number * MULTIPLIERS[multiplier]
    assert (figure.unit, figure.comparator) == (unit, ">=")


def chinese(number: int) -> str:
    """A numeral below 10^8 in words, written independently of the reader under test."""
    digits = "零一二三四五六七八九"
    if number >= 10**4:
        rest = number % 10**4
        gap = "零" if 0 < rest < 1000 else ""
        return chinese(number // 10**4) + "万" + gap + (chinese(rest) if rest else "")
    words, pending = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            words += ("零" if pending and words else "") + digits[digit] + name
            pending = False
        else:
            pending = True
    return words


@settings(deadline=None)
@given(st.integers(min_value=3, max_value=10**8 - 1))
def test_any_chinese_numeral_is_read(number: int) -> None:
    (figure,) = figures(f"新增{chinese(number)}吨,")
    assert (figure.value, figure.value_max, figure.unit) == (Decimal(number), None, "吨")


@settings(deadline=None)
@given(st.text("0123456789.,%％-~～:/一二三十百千万亿点分之成半年个吨人元“”()〔〕第至到多余G 、。\n", max_size=40))
def test_any_text_is_read_without_overlap(text: str) -> None:
    found: tuple[Figure, ...] = figures(text)
    assert all(text[figure.start : figure.end] == figure.text and figure.text for figure in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(equal(figure, figure) for figure in found)


@pytest.mark.parametrize("piece", ["一", "9", "a", "1,", "“三", "三分之", "1亿", "1-", "百分之一"])
def test_degenerate_text_is_read(piece: str) -> None:
    text = piece * 9000
    assert all(text[figure.start : figure.end] == figure.text for figure in figures(text))
