"""Finding paragraphs of reading sets: ranks known beforehand, and files that are no reading sets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from eval.__main__ import main
from eval.dataset import SetError
from eval.reading import Found, ReadingSet, find, keyword_ranks, read_reading_set, told

PARAGRAPHS = (
    "金丝猴栖息在秦岭的高山密林中，以树叶、嫩枝和野果为食，是国家一级保护动物，数量稀少。",
    "赵州桥位于河北赵县的洨河之上，由隋代工匠李春主持建造，是一座单孔石拱桥，至今仍可通行。",
    "昆曲发源于江苏昆山一带，明代经魏良辅改良后唱腔细腻，被称为百戏之祖，影响了许多地方剧种。",
)
ASKED = ("赵州桥是由谁主持建造的？", "昆曲发源于什么地方？", "金丝猴吃什么？")


def a_set(path: Path) -> Path:
    of = {1: [ASKED[0]], 2: [ASKED[1]], 0: [ASKED[2]]}
    rows = [
        {"text": text, "qas": [{"question": asked} for asked in of[number]]} for number, text in enumerate(PARAGRAPHS)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_set_is_read_with_the_paragraph_of_each_question(tmp_path: Path) -> None:
    reading = read_reading_set(a_set(tmp_path / "heritage.jsonl"))
    assert reading == ReadingSet("heritage", PARAGRAPHS, (ASKED[2], ASKED[0], ASKED[1]), (0, 1, 2))
    assert read_reading_set(tmp_path / "heritage.jsonl", most=2).gold == (0, 1)


def test_each_paragraph_is_found_first_by_the_tool_and_by_keywords(tmp_path: Path) -> None:
    found = find(read_reading_set(a_set(tmp_path / "heritage.jsonl")))
    assert found.tool.tolist() == [1, 1, 1]
    assert found.keywords.tolist() == [1, 1, 1]


def test_what_cannot_be_looked_up_is_not_found() -> None:
    assert find(ReadingSet("latin", PARAGRAPHS, ("What is it?",), (1,))).tool.tolist() == [0]


def test_ties_count_against_the_paragraph() -> None:
    assert keyword_ranks(ReadingSet("none", PARAGRAPHS, ("水稻亩产",), (0,))).tolist() == [3]


def test_shares_and_mean_reciprocal_rank_are_told() -> None:
    # Ranks 1, 2, 0 (not found) and 10: recall@1 1/4, @5 2/4, @10 3/4, MRR (1 + 1/2 + 0 + 1/10) / 4 = 0.4.
    table = told([(ReadingSet("x", ("段",), ("问",) * 4, (0,) * 4), Found(np.array([1, 2, 0, 10]), np.array([1] * 4)))])
    tool, keywords = table.splitlines()[1:3]
    assert tool.split()[2:] == ["0.250", "0.500", "0.750", "0.400"]
    assert keywords.split()[2:] == ["1.000"] * 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "段落"}\n', "应每行是一个 JSON"),
        ("段落一\n", "应每行是一个 JSON"),
        ('{"text": "段落", "qas": []}\n', "实际一个也没有"),
        (None, "实际读不出来"),
    ],
)
def test_what_is_no_reading_set_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, said: str
) -> None:
    path = tmp_path / "bad.jsonl"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SetError, match=said):
        read_reading_set(path)
    assert main(["reading", str(path)]) == 2
    assert said in capsys.readouterr().err
