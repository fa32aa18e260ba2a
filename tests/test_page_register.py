"""The register's drawing with hand-made targets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from index.conflicts import Conflict, Evidence
from index.targets import Fact, Register, Target
from index.types import Cell, Chunk
from page import register
from tests.markup import HOSTILE, WORDS, Reader, assert_only_own_markup

# A target read from a sentence, one read from a table row, and the figure that row gives for the year before.
SAID = "到2030年,播种面积达到65%,有效灌溉达到65%以上。"
PARAGRAPH = f"稳定生产。{SAID}其余从略。"
SOWN = Target(
    doc="plan", line=7, section=("第二篇 农业〔拟题〕", "第一节", "稳定生产"), subject="乙镇", indicator="有效灌溉",
    value="65", value_max=None, unit="%", comparator=">=", approx=False, year=2030, baseline_value=None,
    baseline_year=None, nature=None, basis="level", source="text", sentence=SAID, text_value="达到65%", chunk="text",
    start=5, end=5 + len(SAID),
)  # fmt: skip
TEXT = Chunk("text", "plan", "paragraph", (7,), 0, len(PARAGRAPH), PARAGRAPH, SOWN.section)
ROW = Chunk(
    "row", "plan", "row", (3, 5, 6), 0, 9, "产量 |\n80 |\n80", ("第一篇", "专栏1"), page=2,
    cells=(Cell("指标", "产量", 5, 0), Cell("2025年", "80", 6, 0), Cell("2030年", "80", 6, 5)),
)  # fmt: skip
GROWN = replace(
    SOWN, line=5, section=ROW.section, subject="", indicator="产量", value="80", unit="万吨", comparator="=",
    baseline_value="80", baseline_year=2025, nature="约束性", source="table", sentence=ROW.text, text_value="80",
    chunk="row", start=0, end=9,
)  # fmt: skip
ADDED = replace(GROWN, value="12", text_value="〔12〕", basis="cumulative")
REACHED = Fact(
    "plan", 5, ROW.section, "", "产量", "80", None, "万吨", "=", False, 2025, "level", "table", ROW.text, "80",
    "row", 0, 9,
)  # fmt: skip
TARGETS = (GROWN, ADDED, SOWN)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (SOWN, "≥65%"),
        (GROWN, "80万吨"),
        (replace(SOWN, comparator="~", approx=True), "65%左右"),
        (replace(SOWN, approx=True), "≥65%左右"),
        (replace(SOWN, comparator="<="), "≤65%"),
        (replace(SOWN, comparator="=", value_max="70"), "65–70%"),
        (replace(SOWN, value=None, unit="", text_value="控制在下达指标内"), "控制在下达指标内"),
    ],
)
def test_a_value_is_told_with_bound_range_and_unit(target: Target, shown: str) -> None:
    assert register.told_value(target) == shown


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        (SOWN, ""),
        (GROWN, "80万吨（2025年）"),
        # 12万吨 in five years are not to be set against a level of 80万吨.
        (ADDED, "80（2025年）"),
        (replace(GROWN, unit="%"), "80（2025年）"),
        (replace(SOWN, sentence="由６０％提高到65%。", baseline_value="60"), "60%"),
        (replace(SOWN, sentence="由1,500元提高到2000元。", baseline_value="1500", unit="元"), "1500元"),
        (replace(SOWN, sentence="由9500万元提高到1.2亿元。", baseline_value="9500", unit="亿元"), "9500"),
    ],
)
def test_a_baseline_has_a_unit_only_where_it_is_the_targets_own(target: Target, shown: str) -> None:
    assert register.told_baseline(target, (REACHED,)) == shown


def test_a_row_of_the_table_has_a_cell_for_each_heading() -> None:
    row = dict(zip(register.COLUMNS, register.target_row(SOWN, ()), strict=True))
    assert (row["指标"], row["主体"], row["目标值"], row["年份"]) == ("有效灌溉", "乙镇", "≥65%", "2030")
    assert (row["基期值"], row["属性"], row["口径"], row["行"]) == ("", "", "水平", 7)
    assert row["章节"] == "第二篇 农业〔拟题〕 › … › 稳定生产"
    assert dict(zip(register.COLUMNS, register.target_row(ADDED, ()), strict=True))["口径"] == "累计"


def test_two_titles_are_shown_whole_and_one_once() -> None:
    assert register.target_row(GROWN, ())[7] == "第一篇 › 专栏1"
    assert register.target_row(replace(GROWN, section=("第一篇",)), ())[7] == "第一篇"
    assert register.target_row(replace(GROWN, section=()), ())[7] == ""


@pytest.mark.parametrize(
    ("words", "chosen", "found"),
    [
        ("", ("全部", "全部", "全部", "全部"), TARGETS),
        ("灌溉", ("全部", "全部", "全部", "全部"), (SOWN,)),
        ("乙镇 ２０３０", ("全部", "全部", "全部", "全部"), (SOWN,)),
        ("产量 乙镇", ("全部", "全部", "全部", "全部"), ()),
        ("", ("第一篇", "全部", "全部", "全部"), (GROWN, ADDED)),
        ("", ("全部", "约束性", "2030年", "万吨"), (GROWN, ADDED)),
        ("", ("全部", "未注明", "全部", "全部"), (SOWN,)),
        ("", ("全部", "约束性", "全部", "%"), ()),
    ],
)
def test_targets_are_found_by_words_and_filters(words: str, chosen: tuple[str, ...], found: tuple[Target, ...]) -> None:
    assert register.matching(TARGETS, words, chosen) == found


def test_as_many_choices_as_filters() -> None:
    with pytest.raises(ValueError, match="zip"):
        register.matching(TARGETS, "", ("全部",))


def test_filters_offer_what_there_is_in_the_order_of_the_text_and_years_in_theirs() -> None:
    bare = replace(SOWN, section=(), unit="", year=None)
    offered = register.choices([*TARGETS, replace(SOWN, year=2027), bare])
    assert offered["章节"] == ["全部", "第一篇", "第二篇 农业〔拟题〕", "不在章节内"]
    assert offered["属性"] == ["全部", "约束性", "未注明"]
    assert offered["年份"] == ["全部", "2027年", "2030年", "未注明"]
    assert offered["单位"] == ["全部", "万吨", "%", "无单位"]


def test_the_words_of_a_target_are_those_after_its_name() -> None:
    first, second = register.spans_of(SAID, "有效灌溉", ["达到65%"])
    assert (SAID[slice(*first)], SAID[slice(*second)]) == ("有效灌溉", "达到65%")
    assert second[0] == SAID.rindex("达到65%")
    assert register.spans_of(SAID, "灌溉率", ["达到65%"]) == [(SAID.index("达到65%"), SAID.index("达到65%") + 5)]
    assert register.spans_of("超65%的是灌溉", "灌溉", ["超65%"]) == [(6, 8), (0, 4)]


def test_words_that_are_not_in_the_sentence_are_an_error() -> None:
    with pytest.raises(ValueError, match="substring"):
        register.spans_of(SAID, "有效灌溉", ["达到66%"])


def test_a_target_is_shown_in_its_paragraph_with_place_and_words() -> None:
    card = register.render_target(SOWN, TEXT, PARAGRAPH, "甲县规划")
    sentence = "到2030年,播种面积达到65%,<mark>有效灌溉</mark><mark>达到65%</mark>以上。"
    assert f'稳定生产。<span class="sentence">{sentence}</span>其余从略。' in card
    assert Reader(card).text.startswith("乙镇有效灌溉≥65%甲县规划第二篇 农业拟题 › 第一节 › 稳定生产第7行")


def test_of_a_box_only_the_item_is_shown() -> None:
    line = f"1.别的项目。2.{PARAGRAPH}3.又一项。"
    start = line.index(PARAGRAPH)
    item = replace(TEXT, kind="item", start=start, end=start + len(PARAGRAPH))
    target = replace(SOWN, start=line.index(SAID), end=line.index(SAID) + len(SAID))
    card = register.render_target(target, item, line, "甲县规划")
    assert '<span class="sentence">到2030年' in card
    assert "别的项目" not in card
    assert "又一项" not in card


def test_of_a_row_the_cell_of_the_targets_year_is_marked() -> None:
    card = register.render_target(GROWN, ROW, "", "甲县规划")
    assert "<th>2025年</th><td>80</td>" in card
    assert "<th>2030年</th><td><mark>80</mark></td>" in card
    assert "第3、5–6行（第2页）" in card


def test_what_differs_is_shown_with_both_sides_and_called_to_be_checked() -> None:
    other = Evidence("plan", 7, SOWN.section, SAID, "达到65%以上", "text", SOWN.start, SOWN.end)
    row = Evidence("plan", 5, ROW.section, ROW.text, "产量", "row", 0, 9)
    conflict = Conflict("表文不一致", "产量", "待核对：产量两处数值不同。", (other, row, replace(row, said="80")))
    page = register.render_conflicts([conflict], {"text": TEXT, "row": ROW})
    text = Reader(page).text
    assert "共 1 处待核对" in text
    assert "表文不一致" in text
    assert "待核对：产量两处数值不同。" in text
    assert "有效灌溉<mark>达到65%以上</mark>。" in page
    assert "稳定生产。" not in text
    # Two sides that stand in one row: the row once, both marked.
    assert page.count('<table class="row">') == 1
    assert "<td><mark>产量</mark></td>" in page
    assert page.count("<mark>80</mark>") == 2
    assert "第7行" in text
    assert "第3、5–6行" in text
    assert "错误" not in text


def test_nothing_to_check_is_said_so() -> None:
    assert "没有发现需要核对的地方" in register.render_conflicts([], {})


def test_only_single_numbers_of_one_measure_are_drawn_beside_their_baselines() -> None:
    found = Register(
        (
            GROWN,
            ADDED,
            SOWN,
            replace(GROWN, value=None),
            replace(GROWN, value="12:48:40"),
            replace(GROWN, baseline_value="—"),
        ),
        (REACHED, replace(REACHED, value="—")),
        (),
    )
    assert register.changes(found) == [GROWN]


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([16, 95.81], (0, 100)),
        ([101, 4], (0, 200)),
        ([0.714, 1.379], (0, 2)),
        ([3.37], (0, 5)),
        ([10], (0, 10)),
        ([0, 0], (0, 1)),
        ([-3, 12], (-5, 20)),
        ([-3, -1], (-5, 0)),
    ],
)
def test_scales_begin_at_zero_and_end_at_a_round_number(values: list[float], ends: tuple[float, float]) -> None:
    assert register.scale_of(values) == pytest.approx(ends)


def test_percentages_share_a_scale_and_other_units_have_their_own() -> None:
    half = replace(SOWN, indicator="甲率", value="50", baseline_value="25", baseline_year=2025)
    low = replace(SOWN, indicator="乙率", value="5", baseline_value="0")
    page = register.render_changes([half, low, GROWN])
    places = [float(value.removesuffix("%")) for value in Reader(page).values("cx")]
    # Baseline and target of each on 2..98: 25 and 50 of 50, 0 and 5 of 50, 80 and 80 of 100.
    assert places == pytest.approx([50, 98, 2, 11.6, 78.8, 78.8])
    text = Reader(page).text
    assert text.index("百分比（同一刻度）") < text.index("甲率") < text.index("其他单位") < text.index("产量")
    assert "共 3 项" in text
    assert "≥50%（2030年）" in text
    assert "25%（2025年）" in text
    assert "第5行，刻度 0–100万吨" in text
    assert "甲率：基期值25%（2025年），目标值≥50%（2030年）" in "".join(Reader(page).values("aria-label"))


def test_labels_at_the_ends_stay_within_the_drawing() -> None:
    page = register.render_change(replace(SOWN, value="100", baseline_value="0"), (0, 100))
    assert Reader(page).values("text-anchor") == ["end", "start"]


def test_nothing_to_draw_is_said_so() -> None:
    assert "没有同时写明基期值和目标值" in register.render_changes([])


@pytest.mark.parametrize(
    ("shown", "every", "words"),
    [(116, 116, "共 116 项"), (9, 116, "共 9 项（全部 116 项）"), (0, 116, "请放宽筛选")],
)
def test_the_targets_shown_are_counted(shown: int, every: int, words: str) -> None:
    assert words in Reader(register.render_count(shown, every)).text


# Escaping


def draw_everything(words: str) -> str:
    """All that is drawn from a register of which every part is `words`."""
    text = Chunk("0", "plan", "paragraph", (1,), 0, len(words), words, (words,))
    cells = Chunk("1", "plan", "row", (1,), 0, len(words), words, (words,), cells=(Cell(words, words, 1, 0),))
    target = replace(
        SOWN,
        section=(words,),
        subject=words,
        indicator=words,
        unit=words,
        sentence=words,
        text_value=words,
        start=0,
        end=len(words),
    )
    side = Evidence("plan", 1, (words,), words, words, "0", 0, len(words))
    conflict = Conflict("清单不一致", words, words, (side, replace(side, chunk="1")))
    return "".join(
        [
            register.render_target(target, text, words, words),
            register.render_target(target, cells, words, words),
            register.render_conflicts([conflict], {"0": text, "1": cells}),
            register.render_changes([replace(target, baseline_value="1")]),
            register.render_untargeted(words),
        ]
    )


@given(WORDS)
def test_no_word_of_documents_becomes_markup(words: str) -> None:
    assert_only_own_markup(draw_everything(words))


def test_hostile_words_are_shown_as_they_are() -> None:
    page = draw_everything(HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    # Section, name and sentence of two targets, of a conflict and of a change, and so on.
    assert Reader(page).text.count(HOSTILE) > 15
