"""Answers in a model's words: what passes, what is mended, left out, taken back; and liars over every development
question. The models are scripted: they say what they are told to."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import pytest

from eval.dataset import Question
from index.figures import figures, normalise
from rag.errors import GenerationError, PromptTooLong
from rag.generate.extractive import NAME, Extractive
from rag.generate.model import Message, without_thinking
from rag.generate.number_lock import NumberLock
from rag.generate.written import Written, prompt, sentences_of
from rag.pipeline import Pipeline
from rag.prompts import render
from rag.types import Answer, Query

Script = Callable[[Sequence[Message], int], str]
ROADS = "2030年全州高速公路通车里程要达到多少公里？"
TRUE = "到2030年，全州高速公路通车里程达到418公里[1]。"


@dataclass
class Scripted:
    """A model that says script(messages, call) in pieces of a few characters. `closed` counts replies that have ended
    or were stopped."""

    script: Script
    name: str = "大模型 照本"
    asked: list[list[Message]] = field(default_factory=list)
    closed: int = 0
    at_once: int = 1

    def write(
        self, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = 400
    ) -> Generator[str, None, None]:
        self.asked.append(list(messages))
        said = self.script(messages, len(self.asked))
        try:
            for start in range(0, len(said), 3):
                yield said[start : start + 3]
        finally:
            self.closed += 1


def says(*replies: str) -> Script:
    """One reply after another, the last one again and again."""
    return lambda messages, call: replies[min(call, len(replies)) - 1]


def spoken(pipeline: Pipeline, script: Script) -> tuple[Pipeline, Scripted]:
    model = Scripted(script)
    plain = Extractive(pipeline.judge.aligner)
    return replace(pipeline, generate=Written(model, pipeline.cited, pipeline.index.segmenter.cut, plain)), model


def quoted(pipeline: Pipeline, question: str) -> str:
    return pipeline.ask(question).text


# --- what passes and what does not


def test_a_true_sentence_is_shown_with_its_citation(yunze: Pipeline) -> None:
    pipeline, model = spoken(yunze, says(TRUE))
    answer = pipeline.ask(ROADS)
    assert (answer.status, answer.text, answer.note) == ("answered", TRUE, "")
    assert answer.backend == "大模型 照本"
    assert answer.citations[0].lines == (47,)
    assert answer.checks
    assert all(check.ok for check in answer.checks)
    assert len(model.asked) == 1
    assert "[1] （第四章 交通与能源）建成云泽至柳川高速公路" in model.asked[0][1].content
    assert model.asked[0][1].content.endswith(ROADS.rstrip("？") + "?")


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (TRUE.replace("418", "481"), "481公里：引文中没有这个数"),
        (TRUE.replace("418公里", "418万公里"), "单位不符"),
        (TRUE.replace("公里", "海里"), "单位不符"),
        (TRUE.replace("2030", "2025"), "年份不符"),
        (TRUE.replace("[1]", ""), "没有引用标记"),
        (TRUE.replace("[1]", "[9]"), "没有引用标记"),
        (TRUE.replace("[1]", "[3]"), ""),
        ("全州第3大机场年旅客吞吐量达到418公里[1]。", ""),
        ("根据资料[1]，到2030年高速公路达到418公里。", "没有引用标记"),
        ("云南普洱茶叶出口贸易总额位居前列[1]。", "所引的段落里没有这些内容"),
        (TRUE.replace("达到418公里", "没有达到418公里"), "没有“没有”的意思"),
    ],
)
def test_a_false_sentence_is_written_again_with_the_reason(yunze: Pipeline, lie: str, why: str) -> None:
    pipeline, model = spoken(yunze, says(lie, TRUE))
    seen = list(pipeline.stream(ROADS))
    assert seen[-1].text == TRUE
    assert all("481" not in one.text and "海里" not in one.text for one in seen)
    request = model.asked[1][-1].content
    assert lie.strip() in request
    assert why in request
    assert model.asked[1][:2] == model.asked[0]


def test_what_fails_twice_is_left_out_and_said(yunze: Pipeline) -> None:
    second = "到2030年，建成999座机场[1]。"
    pipeline, _ = spoken(yunze, says(TRUE + second, second))
    answer = pipeline.ask(ROADS)
    assert answer.text == TRUE
    assert answer.note == render("dropped", count="1")
    assert answer.backend == "大模型 照本"


def test_where_nothing_is_left_the_quotation_speaks(yunze: Pipeline) -> None:
    pipeline, _ = spoken(yunze, says("全州高速公路达到999公里[1]。"))
    answer = pipeline.ask(ROADS)
    assert answer.text == quoted(yunze, ROADS)
    assert answer.note == render("unsupported")
    assert answer.backend == NAME


def test_a_figure_is_asked_and_only_words_are_left(yunze: Pipeline) -> None:
    pipeline, _ = spoken(yunze, says("建成云泽至柳川高速公路[1]。全长999公里[1]。", "全长999公里[1]。"))
    answer = pipeline.ask(ROADS)
    assert answer.text == quoted(yunze, ROADS)
    assert answer.backend == NAME


def test_a_part_of_a_question_that_is_lost_is_not_passed_over(yunze: Pipeline) -> None:
    question = "石湾县和柳川县分别新建多少高标准农田？"
    pipeline, _ = spoken(yunze, says("石湾县新建高标准农田12.6万亩[1]。柳川县新建高标准农田9.9万亩[2]。", "九万亩。"))
    answer = pipeline.ask(question)
    assert answer.text == quoted(yunze, question)
    assert answer.note == render("unsupported")


def test_a_list_with_a_heading_and_numbers(yunze: Pipeline) -> None:
    text = "建设四大基地：\n1. 优质水稻基地[1]\n2. 高山茶叶基地[1]\n3. 生态水产基地[1]\n4. 道地药材基地[1]"
    pipeline, _ = spoken(yunze, says(text))
    answer = pipeline.ask("要建设哪四大基地？")
    assert answer.text == text
    assert answer.backend == "大模型 照本"


def test_values_that_disagree_are_both_shown_whoever_speaks(yunze: Pipeline) -> None:
    question = "2025年基本医疗保险参保率是多少？"
    assert {"96.4%", "96.7%"} <= set(re.findall(r"\d+\.\d%", quoted(yunze, question)))
    one, other = "2025年基本医疗保险参保率为96.7%[1]。", "2025年末基本医疗保险参保率达到96.4%[1]。"
    pipeline, _ = spoken(yunze, says(one, other))
    answer = pipeline.ask(question)
    assert {"96.4%", "96.7%"} <= set(re.findall(r"\d+\.\d%", answer.text))


# --- refusing


def test_the_model_may_refuse_in_addition(yunze: Pipeline) -> None:
    pipeline, _ = spoken(yunze, says(render("llm_refusal")))
    answer = pipeline.ask(ROADS)
    assert answer.status == "refused"
    assert answer.note == render("model_refused")
    assert "最接近的内容是：" in answer.text
    assert len(answer.citations) == 1


def test_the_model_is_not_asked_where_the_documents_do_not_answer(yunze: Pipeline) -> None:
    pipeline, model = spoken(yunze, says(TRUE))
    answer = pipeline.ask("2030年全州有多少个机场？")
    assert answer.status == "refused"
    assert answer.text == yunze.ask("2030年全州有多少个机场？").text
    assert answer.backend == NAME
    assert model.asked == []


# --- failing


@dataclass
class Dying:
    """A model that breaks down after some words."""

    words: str
    error: Exception
    name: str = "大模型 垂死"
    at_once: int = 1

    def write(
        self, messages: Sequence[Message], lock: NumberLock | None = None, longest: int = 400
    ) -> Generator[str, None, None]:
        yield from self.words
        raise self.error


@pytest.mark.parametrize("words", ["", "到2030年", TRUE, TRUE + "另外"])
def test_a_model_that_fails_in_the_middle_gives_way(yunze: Pipeline, words: str) -> None:
    plain = Extractive(yunze.judge.aligner)
    written = Written(Dying(words, GenerationError("服务断了。")), yunze.cited, yunze.index.segmenter.cut, plain)
    answer = replace(yunze, generate=written).ask(ROADS)
    assert answer.text == quoted(yunze, ROADS)
    assert answer.backend == NAME
    assert answer.note == render("stand_in", reason="服务断了。")


def test_a_model_that_says_nothing_gives_way(yunze: Pipeline) -> None:
    for nothing in ("", "   \n", "。。。！[1]"):
        answer = spoken(yunze, says(nothing))[0].ask(ROADS)
        assert answer.text == quoted(yunze, ROADS)
        assert "没有写出答案" in answer.note


def test_passages_that_do_not_fit_are_dropped_whole_from_the_end(yunze: Pipeline) -> None:
    def room_for_two(messages: Sequence[Message], call: int) -> str:
        if "[3] " in messages[-1].content:
            raise PromptTooLong("太长")
        return TRUE

    pipeline, model = spoken(yunze, room_for_two)
    answer = pipeline.ask(ROADS)
    assert answer.text == TRUE
    assert answer.note == render("fewer_passages", count="2")
    whole = model.asked[0][1].content.split("\n\n问题")[0].splitlines()
    assert model.asked[-1][1].content.split("\n\n问题")[0].splitlines() == whole[:3]


def test_room_for_no_passage_is_said(yunze: Pipeline) -> None:
    def no_room(messages: Sequence[Message], call: int) -> str:
        raise PromptTooLong("放不下一段资料。")

    answer = spoken(yunze, no_room)[0].ask(ROADS)
    assert answer.text == quoted(yunze, ROADS)
    assert "放不下一段资料。" in answer.note


def test_stopping_the_answer_stops_the_model(yunze: Pipeline) -> None:
    pipeline, model = spoken(yunze, says(TRUE * 50))
    answers = pipeline.stream(ROADS)
    next(answers)
    next(answers)
    answers.close()
    assert model.closed == 1


# --- the parts


def test_sentences_come_with_the_marks_behind_them() -> None:
    text = "甲达到5%[1]。乙达到6%。[2]丙：\n1. 丁[1]\n2. 戊[2]\n己！”庚"
    whole = ["甲达到5%[1]。", "乙达到6%。[2]", "丙：\n", "1. 丁[1]\n", "2. 戊[2]\n", "己！”", "庚"]
    for size in (1, 2, 5, 100):
        assert list(sentences_of(text[i : i + size] for i in range(0, len(text), size))) == whole


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_thinking_is_left_out(size: int) -> None:
    text = "<think>想27.5%</think>答<b>案<think>再想</think>完"
    assert "".join(without_thinking(text[i : i + size] for i in range(0, len(text), size))) == "答<b>案完"
    assert "".join(without_thinking(["想</th", "ink>答"], thinking=True)) == "答"
    with pytest.raises(GenerationError, match="只写了思考过程"):
        list(without_thinking(["<think>一直想"]))


def test_what_all_prompts_share_comes_first(yunze: Pipeline) -> None:
    query = next(iter(spoken(yunze, says(TRUE))[1].asked), None)
    assert query is None
    from rag.understand import understand

    first, second = (prompt(understand(q), ["甲", "乙"]) for q in (ROADS, "粮食产量是多少？"))
    assert first[0] == second[0]
    assert first[0].content.endswith(render("llm_refusal"))


# --- liars, over every development question


def lied(figure: str, way: int, rng: random.Random) -> str:
    """A figure made false in one of ten ways."""
    digits = re.search(r"\d+(?:\.\d+)?", figure)
    if digits is None:
        return f"{rng.randint(11, 99)}{rng.randint(1, 9)}个"
    number = digits.group()
    changed = {
        0: str(Decimal(number) + rng.randint(3, 40)),  # another number
        1: number + str(rng.randint(1, 9)),  # a digit more
        2: number + "." + str(rng.randint(1, 9)) if "." not in number else number.replace(".", ""),  # the point moved
        3: str(Decimal(number) * 1000),  # another magnitude
        4: f"{number}-{Decimal(number) + 7}",  # a range
        5: f"{rng.randint(13, 97)}万{number}",  # glued to another
        6: "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in str(Decimal(number) + 17)),  # full-width
    }.get(way)
    if changed is not None:
        return figure.replace(number, changed, 1)
    if way == 7:
        return "百分之" + rng.choice(["三十七", "六十一", "八十九"])  # in Chinese numerals
    if way == 8:
        return number + rng.choice(["万亿美元", "海里", "标箱", "分贝"])  # another unit
    return f"{number}的{rng.randint(3, 9)}倍"  # reckoned


def liar(way: int, invented: list[tuple[str, str]]) -> Script:
    """Says the best passage with each of its figures made false. `invented` collects the sentence and the figure."""
    rng = random.Random(way)

    def script(messages: Sequence[Message], call: int) -> str:
        passage = next(line for line in messages[1].content.splitlines() if line.startswith("[1] "))
        text = re.sub(r"^\[1\] (?:（[^）]*）)?", "", passage)[:160]
        told = [figure for figure in figures(text) if figure.kind in ("quantity", "ratio", "year")]
        if told:
            one = rng.choice(told)
            false = lied(one.text, way, rng)
            text = text[: one.start] + false + text[one.end :]
        else:
            false = f"{rng.randint(311, 997)}.{rng.randint(1, 9)}亿元"
            text = f"{text[:20]}共{false}"
        invented.append((normalise(false), normalise("".join(m.content for m in messages[:2]))))
        return re.sub(r"[。！？\n]", "，", text) + "[1]。"

    return script


@dataclass(frozen=True)
class Remembering(Pipeline):
    """A pipeline that searches once for each question, whoever answers."""

    found: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def search(self) -> Any:
        search = super().search

        def remembered(query: Query) -> Any:
            if query.text not in self.found:
                self.found[query.text] = search(query)
            return self.found[query.text]

        return remembered


@pytest.fixture(scope="module")
def remembering(shipped: Pipeline) -> Pipeline:
    return Remembering(**{one.name: getattr(shipped, one.name) for one in fields(shipped)})


@pytest.mark.parametrize("way", range(10))
def test_no_lie_is_shown(way: int, remembering: Pipeline, dev: list[Question]) -> None:
    """Every development question, asked of a model that makes each figure false: nothing of it is ever on the page."""
    invented: list[tuple[str, str]] = []
    pipeline, model = spoken(remembering, liar(way, invented))
    asked = shown = 0
    for question in dev:
        invented.clear()
        calls = len(model.asked)
        for answer in pipeline.stream(question.question, question.history):
            text = normalise(answer.text)
            for false, read in invented:
                if false not in read:  # a false figure that happens to stand in another passage is told by the check
                    shown += false in text
        asked += len(model.asked) > calls
        assert sound(pipeline, answer), (question.question, answer.text)
    assert shown == 0
    assert asked > 200


def sound(pipeline: Pipeline, answer: Answer) -> bool:
    """Whether every figure shown is borne out by what it cites, and every quote stands where it says."""
    return all(check.ok for check in answer.checks) and all(map(pipeline.stands, answer.citations))


def test_stream_and_ask_say_the_same(shipped: Pipeline, dev: list[Question]) -> None:
    """An honest model: it copies the first sentence of the best passage."""

    def honest(messages: Sequence[Message], call: int) -> str:
        passage = next(line for line in messages[1].content.splitlines() if line.startswith("[1] "))
        return re.split(r"[。；]", re.sub(r"^\[1\] (?:（[^）]*）)?", "", passage))[0] + "[1]。"

    pipeline, _ = spoken(shipped, honest)
    own = 0
    for question in dev[:80]:
        *_, last = pipeline.stream(question.question, question.history)
        asked = pipeline.ask(question.question, question.history)
        assert replace(last, seconds=0.0) == replace(asked, seconds=0.0)
        own += last.backend == "大模型 照本"
    assert own > 20
