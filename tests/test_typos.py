"""Slips of the pen mended against the words of the made-up plans."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jieba
import pytest

from rag.pipeline import Pipeline
from rag.types import Turn
from rag.typos import Vocabulary, _general, mended
from rag.understand import understand

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def vocabulary(yunze: Pipeline) -> Vocabulary:
    assert yunze.frame.vocabulary is not None
    return yunze.frame.vocabulary


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("森林负盖率是多少", "森林覆盖率是多少"),  # sounds the same
        ("2030年森林覆该率", "2030年森林覆盖率"),  # gai for gài
        ("新建高标淮农田多少亩", "新建高标准农田多少亩"),  # looks alike
        ("农村居民可支配收人", "农村居民可支配收入"),
        ("高素公路通车里程", "高速公路通车里程"),  # 公路 is a word, and the run with 高速 is the plan's
        ("劳动年龄人口平均受叫育年限", "劳动年龄人口平均受教育年限"),
        ("城正累计新增就业", "城镇累计新增就业"),  # zheng, zhen: not told apart by many
        ("liang食综合生产能力", "粮食综合生产能力"),  # pinyin in front of a word, and within one
        ("城市空qi质量", "城市空气质量"),
    ],
)
def test_a_slip_is_mended(vocabulary: Vocabulary, typed: str, meant: str) -> None:
    assert mended(typed, vocabulary) == meant


@pytest.mark.parametrize(
    "question",
    [
        "森林覆盖率是多少？",
        "老百姓平均能活到多大岁数呀",
        "高校毕业生有多少",  # 高速 and 高效 are other words
        "柳州的森林覆盖率",  # no slip for 柳川: a place that exists
        "2030年新建了几公里？",
        "使用5G的人占多少",
        "PM2.5和GDP、km",
        "yyds覆盖率",
        "",
    ],
)
def test_what_is_no_slip_stays(vocabulary: Vocabulary, question: str) -> None:
    assert mended(question, vocabulary) == question


def test_a_known_word_gives_way_only_to_a_longer_run_of_the_documents() -> None:
    vocabulary = Vocabulary({"高效": 900, "节水": 300, "高校": 3800, "灌溉": 400}, "推广高效节水灌溉。\n高校共建。")
    assert mended("高校节水灌溉", vocabulary) == "高效节水灌溉"
    assert mended("高校节约用水", vocabulary) == "高校节约用水"
    assert mended("高校共建灌溉", vocabulary) == "高校共建灌溉"


def test_of_two_words_that_would_do_none_is_put() -> None:
    text = "建设棉织厂房。建设棉纸厂房。"
    both = Vocabulary({"棉织厂": 3, "棉纸厂": 3}, text)
    assert mended("棉芷厂在哪", both) == "棉芷厂在哪"
    assert mended("棉芷厂在哪", replace(both, words={"棉纸厂": 3})) == "棉纸厂在哪"


def test_letters_that_spell_two_words_stay() -> None:
    vocabulary = Vocabulary({"公里": 3, "公立": 3, "牛奶": 3}, "")
    assert mended("公li", vocabulary) == "公li"
    assert mended("牛nai", vocabulary) == "牛奶"


def test_figures_and_places_are_never_touched() -> None:
    vocabulary = Vocabulary({"五湖县": 3, "石湾县": 3}, "五湖县和石湾县。", frozenset({"石弯"}))
    assert mended("武湖县", vocabulary) == "武湖县"  # would put a figure
    assert mended("石弯县", vocabulary) == "石弯县"
    assert mended("石弯县", replace(vocabulary, places=frozenset())) == "石湾县"


def test_the_query_holds_what_was_meant_and_what_was_asked(yunze: Pipeline) -> None:
    query = understand("森林负盖率是多少？", (), yunze.frame)
    assert (query.question, query.text, query.completed) == ("森林负盖率是多少？", "森林覆盖率是多少?", True)
    assert "覆盖" in query.core


def test_the_answer_says_how_the_question_was_read(yunze: Pipeline) -> None:
    answer = yunze.ask("2030年森林负盖率是多少？")
    assert answer.question == "2030年森林负盖率是多少？"
    assert answer.completed == "2030年森林覆盖率是多少?"
    assert "27.5%" in answer.text
    assert yunze.ask("2030年森林覆盖率是多少？").completed is None


def test_an_earlier_question_is_mended_too(yunze: Pipeline) -> None:
    query = understand("那2030年呢？", [Turn("2025年粮食综核生产能力是多少？", "91.5万吨")], yunze.frame)
    assert query.text == "2030年粮食综合生产能力是多少?"


def test_no_model_words_a_question_that_was_only_mended(yunze: Pipeline) -> None:
    def never(question: str, history: object) -> str:
        raise AssertionError(question)

    turns = [Turn("石湾县新建多少高标准农田？", "12.6万亩")]
    assert replace(yunze, complete=never).understood("2030年森林负盖率要达到多少？", turns).completed


def test_every_word_of_jieba_is_found_where_it_lies() -> None:
    with jieba.Tokenizer().get_dict_file() as file:
        rows = [line.decode("utf-8").split() for line in file.readlines()]
    han = [row for row in rows if all("\u3400" <= character <= "\u9fff" for character in row[0])]
    assert len(han) > 300_000
    missed = [word for word, count, kind in han[::37] if _general(word) != (int(count), kind)]
    assert missed == []
    assert _general("森林覆该") is None


def test_a_question_without_slips_does_not_load_the_sounds(yunze_folder: Path) -> None:
    code = f"""
import sys
from rag.__main__ import main
assert main(["ask", "2030年森林覆盖率是多少？", "--index", {str(yunze_folder)!r}]) == 0
assert "pypinyin" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
