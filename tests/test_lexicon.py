"""Everyday words -> official words."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from eval.check import place_names
from index.build import SHIPPED_PLAN
from index.errors import DocumentError
from index.reader import read
from rag.lexicon import GAPPED_WEIGHT, Lexicon, load_lexicon
from rag.lexicon import LEXICON as LEXICON_FILE

LEXICON = Lexicon(
    {
        "活多大岁数": ("人均预期寿命",),
        "岁数": ("年龄",),
        "种地": ("耕地", "农业"),
        "娃": ("儿童",),
        "少": ("减少",),
    }
)


def expand(question: str) -> dict[str, float]:
    return LEXICON.expand(question, question)


def test_a_word_of_full_length_weighs_one() -> None:
    assert expand("能活多大岁数") == {"人均预期寿命": 1.0}


def test_a_word_with_others_between_weighs_less() -> None:
    assert expand("能活到多大的岁数") == {"人均预期寿命": GAPPED_WEIGHT}


def test_characters_too_far_apart_are_no_word() -> None:
    assert "人均预期寿命" not in expand("活动多得很，大家都来，岁末数一数")


def test_a_shorter_word_and_several_official_ones_weigh_less() -> None:
    # 2 of 4 characters, and 0.75 for a word that may stand for two things
    assert expand("还种地吗") == {"耕地": 0.5 * 0.75, "农业": 0.5 * 0.75}
    assert expand("娃上学") == {"儿童": 0.25}


def test_a_word_inside_a_longer_one_found_is_passed_over() -> None:
    assert "年龄" not in expand("活多大岁数")
    assert "年龄" in expand("多大岁数")


def test_short_words_are_looked_for_in_the_core_alone() -> None:
    assert LEXICON.expand("产量是多少", "产量") == {}
    assert LEXICON.expand("要少用水", "要少用水") == {"减少": 0.25}


def test_full_width_signs_and_case_do_not_matter() -> None:
    assert Lexicon({"wifi": ("无线网络",)}).expand("有ＷｉＦｉ吗", "有wifi") == {"无线网络": 1.0}


def test_the_shipped_lexicon_is_words_alone() -> None:
    entries = load_lexicon().entries
    assert len(entries) > 100
    assert all(official and all(official) for official in entries.values())


def test_a_file_is_read_with_its_comments_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text("# everyday\tofficial\tfield\n\n种地\t耕地|农业\t农业\n种地\t农业|农田\t农业\n", encoding="utf-8")
    assert load_lexicon(path).entries == {"种地": ("耕地", "农业", "农田")}


@pytest.mark.parametrize("line", ["种地 耕地 农业", "种地\t耕地", "\t耕地\t农业", "种地\t\t农业", "a\tb\tc\td"])
def test_a_line_without_three_columns_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "lexicon.tsv"
    path.write_text(f"# 注\n{line}\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"lexicon.tsv 第 2 行应有三列"):
        load_lexicon(path)


def test_the_shipped_lexicon_is_general_and_covers_every_field() -> None:
    lines = [line.split("\t") for line in LEXICON_FILE.read_text(encoding="utf-8").splitlines()]
    entries = [line for line in lines if len(line) == 3 and not line[0].startswith("#")]
    assert len(entries) >= 1500
    names = [name for name in place_names(read(SHIPPED_PLAN)) if re.search("..[县市州]$", name)]
    for word, official, _ in entries:
        # nothing of one document: no place of it, no year
        assert not any(name in f"{word}|{official}" for name in names), (word, official)
        assert not re.search(r"20\d\d", f"{word}|{official}"), (word, official)
        assert word not in official.split("|"), word
    fields = Counter(field for *_, field in entries)
    wanted = [
        "人口",
        "就业",
        "教育",
        "医疗",
        "住房",
        "农业",
        "工业",
        "能源",
        "交通",
        "水利",
        "生态",
        "旅游",
        "文化",
        "财政",
        "党建",
        "信息化",
        "社保",
    ]
    assert all(fields[field] >= 15 for field in wanted), fields
