"""The whole road: small documents with known answers, liars, and every development question on the shipped plan."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from eval.dataset import SETS, Question, covered, key_points, read_set, says
from eval.fit import fold_of
from eval.mutate import main as mutate
from index.build import SHIPPED_PLAN, build
from index.errors import IndexMismatch, IndexMissing
from index.figures import figures
from rag.config import Config, config_from
from rag.errors import ConfigError, EmptyQuestion, QuestionTooLong
from rag.generate.extractive import NAME
from rag.judge import CERTAIN
from rag.pipeline import Pipeline, open_pipeline
from rag.prompts import lines, render
from rag.types import Answer, Citation, Turn
from rag.understand import same_things, understand
from rag.verify import Cited, verify
from tests.fakes import Asked, ScriptedGenerator

ROOT = Path(__file__).parents[1]
GRAIN = "2030年粮食综合生产能力要达到多少？"


def ask(pipeline: Pipeline, question: str, *earlier: str) -> Answer:
    """The answer to a question asked after others, each of which was asked in its turn."""
    history: list[Turn] = []
    for one in earlier:
        history.append(Turn(one, pipeline.ask(one, history).text))
    return pipeline.ask(question, history)


def stands(pipeline: Pipeline, citation: Citation) -> bool:
    """Whether the quote is what the source holds at the place named."""
    line = pipeline.index.line(citation.doc, citation.lines[0]).text
    return line[citation.start : citation.end] == citation.quote != ""


def refused(pipeline: Pipeline, question: str, *earlier: str) -> Answer:
    """A refusal with what every refusal must have: it names the nearest, cited, and says nothing twice."""
    answer = ask(pipeline, question, *earlier)
    assert answer.status == "refused"
    assert "最接近的内容是：" in answer.text
    assert len(answer.citations) == 1
    assert stands(pipeline, answer.citations[0])
    return answer


# --- answers


def test_a_figure_is_answered_with_one_cited_sentence(yunze: Pipeline) -> None:
    answer = ask(yunze, "2030年全州高速公路通车里程要达到多少公里？")
    assert answer.status == "answered"
    assert answer.text == "建成云泽至柳川高速公路，到2030年全州高速公路通车里程达到418公里，实现县县通高速。[1]"
    (citation,) = answer.citations
    assert (citation.n, citation.doc, citation.lines) == (1, "yunze", (47,))
    assert citation.quote == answer.text.removesuffix("[1]")
    assert citation.section == ("第四章 交通与能源",)
    assert answer.backend == NAME
    assert answer.completed is None
    assert 0.5 < answer.confidence <= 1
    assert answer.checks
    assert answer.passages[0].chunk.lines == (47,)


def test_a_table_row_is_told_in_words_and_quoted_in_its_cell(yunze: Pipeline) -> None:
    answer = ask(yunze, GRAIN)
    assert answer.status == "answered"
    assert answer.text == "粮食综合生产能力：2030年96万吨，约束性[1]"
    (citation,) = answer.citations
    assert citation.quote == "96"
    assert citation.lines[0] == 21
    assert sorted(citation.lines) == [17, 18, 19, 20, 21, 22]
    assert stands(yunze, citation)
    shown = {line.number: (line.column, line.text, bool(line.marked)) for line in yunze.source(citation)}
    assert shown[21] == ("2030年", "96", True)
    assert shown[18] == ("指标名称", "粮食综合生产能力", False)


def test_a_row_of_a_real_table_is_quoted_within_its_line(shuanglin: Pipeline) -> None:
    answer = ask(shuanglin, "2030年研发经费投入强度的目标是多少？")
    assert answer.text == "研发经费投入强度：2030年2.6%，预期性[1]"
    assert [c.quote for c in answer.citations] == ["2.6"]
    assert all(stands(shuanglin, citation) for citation in answer.citations)


def test_a_unit_in_the_header_and_an_office_in_the_row(shuanglin: Pipeline) -> None:
    answer = ask(shuanglin, "风电母港一期工程2030年投资多少亿元？")
    assert answer.status == "answered"
    assert "18.6亿元" in answer.text
    assert "能源局" in ask(shuanglin, "风电母港一期工程由哪个单位负责？").text


def test_a_list_is_answered_with_all_its_items(yunze: Pipeline) -> None:
    answer = ask(yunze, "要建设哪四大基地？")
    assert answer.status == "answered"
    for item in ("优质水稻基地", "高山茶叶基地", "生态水产基地", "道地药材基地"):
        assert item in answer.text


def test_two_years_are_both_answered(yunze: Pipeline) -> None:
    answer = ask(yunze, "粮食综合生产能力2025年和2030年分别是多少？")
    assert answer.status == "answered"
    assert "2025年91.5万吨" in answer.text
    assert "2030年96万吨" in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "石湾县和柳川县分别新建多少高标准农田？",
        "石湾县和柳川县新建高标准农田多少万亩？",
        "石湾县新建多少万亩高标准农田，柳川县新建多少万亩高标准农田？",
    ],
)
def test_two_places_are_both_answered_in_the_order_asked(yunze: Pipeline, question: str) -> None:
    answer = ask(yunze, question)
    assert answer.status == "answered"
    assert 0 <= answer.text.find("12.6万亩") < answer.text.find("8.5万亩")
    assert [c.lines for c in answer.citations] == [(44,), (45,)]


def test_two_things_are_both_answered(yunze: Pipeline) -> None:
    answer = ask(yunze, "2030年森林覆盖率达到多少，常住人口城镇化率达到多少？")
    assert answer.status == "answered"
    assert {c.lines for c in answer.citations} == {(8,), (9,)}
    assert "27.5%" in answer.text
    assert "58%" in answer.text


def test_values_that_disagree_are_both_shown(yunze: Pipeline) -> None:
    answer = ask(yunze, "2025年基本医疗保险参保率是多少？")
    assert answer.status == "answered"
    assert answer.text.startswith(render("differing"))
    assert "96.4%" in answer.text
    assert "96.7%" in answer.text
    assert {c.lines[0] for c in answer.citations} == {5, 32}


def test_traditional_characters_are_answered_like_simplified_ones(yunze: Pipeline) -> None:
    traditional, simplified = ask(yunze, "2030年森林覆蓋率要達到多少？"), ask(yunze, "2030年森林覆盖率要达到多少？")
    assert simplified.status == "answered"
    assert (traditional.text, traditional.citations) == (simplified.text, simplified.citations)


@pytest.mark.parametrize(
    "question",
    [
        "2030年森\u200b林覆盖\u2060率要达到多少？",
        "\ufeff2030年森林覆盖率要达到多少？",
        "<p>2030年森林覆盖率要达到多少？</p>",
        "２０３０年森林覆盖率要达到多少？",
        "2030年森林覆盖率要达到多少？\x00\x1b",
    ],
)
def test_what_comes_along_with_copied_text_changes_nothing(yunze: Pipeline, question: str) -> None:
    answer = ask(yunze, question)
    assert answer.text == ask(yunze, "2030年森林覆盖率要达到多少？").text
    assert answer.question == question


def test_a_document_that_is_no_plan_is_called_a_document(qinghe: Pipeline) -> None:
    answer = ask(qinghe, "乡道养护资金每公里多少钱？")
    assert answer.status == "answered"
    assert "0.6万元" in answer.text
    missing = refused(qinghe, "公路养护单位的电话是多少？")
    assert missing.text.startswith(render("refusal_detail", document="文件", asked="电话或联系方式"))


# --- refusals


@pytest.mark.parametrize("year", [2017, 2035])
def test_another_year_is_refused_with_the_nearest(yunze: Pipeline, year: int) -> None:
    answer = refused(yunze, f"{year}年粮食综合生产能力是多少？")
    assert answer.text.startswith(render("refusal_year", document="规划", asked=f"{year}年"))
    assert "96万吨" in answer.text


@pytest.mark.parametrize(
    ("place", "question"),
    [("金浦开发区", "金浦开发区新建多少高标准农田？"), ("石湾县", "石湾县的粮食综合生产能力是多少？")],
)
def test_another_place_is_refused_with_the_nearest(yunze: Pipeline, place: str, question: str) -> None:
    answer = refused(yunze, question)
    assert answer.text.startswith(render("refusal_place", document="规划", asked=place))


@pytest.mark.parametrize(
    ("kind", "question", "line"),
    [
        ("money", "推进抽水蓄能电站建设总投资多少亿元？", 48),
        ("phone", "云泽市综合养老服务中心的电话是多少？", 51),
        ("address", "州博物馆新馆的地址在哪条街？", 52),
        ("date", "云泽山歌节几月几号举办？", 52),
    ],
)
def test_a_detail_that_is_not_given_is_refused_by_name(yunze: Pipeline, kind: str, question: str, line: int) -> None:
    answer = refused(yunze, question)
    names = dict(entry.split("=", 1) for entry in lines("detail_names"))
    assert answer.text.startswith(render("refusal_detail", document="规划", asked=names[kind]))
    assert answer.citations[0].lines == (line,)


@pytest.mark.parametrize(
    ("figure", "question"),
    [
        ("80万吨", "粮食综合生产能力从80万吨提高到96万吨是怎么做到的？"),
        ("35%", "2030年森林覆盖率为什么要达到35%？"),
    ],
)
def test_a_figure_that_the_question_only_supposes_is_refused(yunze: Pipeline, figure: str, question: str) -> None:
    answer = refused(yunze, question)
    assert answer.text.startswith(render("refusal_premise", document="规划", asked=figure))


@pytest.mark.parametrize("question", ["红烧肉怎么做？", "美国总统是谁？", "火星移民有多少人？"])
def test_what_is_off_the_subject_is_refused(yunze: Pipeline, question: str) -> None:
    answer = ask(yunze, question)
    assert answer.status == "refused"
    assert "规划" in answer.text.split("。")[0]
    assert all(stands(yunze, citation) for citation in answer.citations)


def test_where_nothing_at_all_is_found_nothing_is_named(yunze: Pipeline) -> None:
    answer = ask(yunze, "龘靐齉")
    assert (answer.status, answer.text, answer.citations) == ("refused", "规划里没有找到与这个问题有关的内容。", ())
    assert answer.confidence == CERTAIN


def test_a_stricter_setting_refuses_what_the_fitted_one_answers(yunze_folder: Path) -> None:
    strict = open_pipeline(Config(index=yunze_folder, refuse_below=1.01))
    answer = refused(strict, GRAIN)
    assert answer.text.startswith(render("refusal_plain", document="规划"))
    lenient = open_pipeline(Config(index=yunze_folder, refuse_below=0.0, passages=3))
    assert lenient.ask("2035年粮食综合生产能力是多少？").status == "answered"
    assert len(lenient.ask(GRAIN).passages) == 3


def test_the_header_of_a_table_is_never_quoted(yunze: Pipeline) -> None:
    for question in ("2030年的目标", "2025年", "指标名称和单位"):
        quotes = [citation.quote for citation in ask(yunze, question).citations]
        assert not [quote for quote in quotes if quote.strip(" |") in ("2030年", "2025年", "指标名称", "单位")]


# --- follow-ups


@pytest.mark.parametrize(
    ("earlier", "question", "completed", "said"),
    [
        ([GRAIN], "那2025年呢？", ("2025年", "粮食综合生产能力"), "91.5万吨"),
        (["到2030年石湾县新建多少高标准农田？"], "柳川县呢？", ("柳川县", "高标准农田"), "8.5万亩"),
        (["2030年城镇养老机构护理型床位占比达到多少？"], "农村的呢？", ("农村养老机构护理型床位",), "48%"),
        ([GRAIN], "那人均预期寿命呢？", ("2030年", "人均预期寿命"), "79.6岁"),
        (["2035年粮食综合生产能力要达到多少？"], "那2030年呢？", ("2030年", "粮食综合生产能力"), "96万吨"),
        ([GRAIN, "那人均预期寿命呢？"], "那2025年呢？", ("2025年", "人均预期寿命"), "78.2岁"),
    ],
    ids=["year", "place", "contrast", "counterpart", "after a refusal", "two in a row"],
)
def test_a_follow_up_is_completed_and_answered(
    yunze: Pipeline, earlier: list[str], question: str, completed: tuple[str, ...], said: str
) -> None:
    answer = ask(yunze, question, *earlier)
    assert answer.question == question
    assert answer.completed is not None
    assert all(words in answer.completed for words in completed)
    assert answer.status == "answered"
    assert said in answer.text


def test_a_follow_up_into_a_year_that_is_not_given_is_refused(yunze: Pipeline) -> None:
    answer = refused(yunze, "那2035年呢？", GRAIN)
    assert answer.completed is not None
    assert answer.text.startswith(render("refusal_year", document="规划", asked="2035年"))


def test_a_question_that_stands_alone_forgets_the_one_before(yunze: Pipeline) -> None:
    answer = ask(yunze, "2030年森林覆盖率要达到多少？", GRAIN)
    assert answer.completed is None
    assert answer.text == ask(yunze, "2030年森林覆盖率要达到多少？").text


# --- answerers that lie


def with_script(pipeline: Pipeline, *pieces: str) -> tuple[Pipeline, ScriptedGenerator]:
    script = ScriptedGenerator([pieces])
    return replace(pipeline, generate=script), script


def rank_of(pipeline: Pipeline, question: str, line: int) -> int:
    """The number by which an answerer cites the passage of a line."""
    script = ScriptedGenerator([()])
    replace(pipeline, generate=script).ask(question)
    _, selection = script.calls[0]
    return next(one.passage.rank for one in selection.evidence if line in one.passage.chunk.lines)


FOREST = "2030年森林覆盖率要达到多少？"


def test_an_answerer_that_tells_the_truth_in_its_own_words_is_believed(yunze: Pipeline) -> None:
    rank = rank_of(yunze, FOREST, 8)
    pipeline, script = with_script(yunze, "目标是27.5%，", f"时间是2030年[{rank}]。")
    answer = pipeline.ask(FOREST)
    assert answer.status == "answered"
    assert answer.text == "目标是27.5%，时间是2030年[1]。"
    assert answer.citations[0].quote == "到2030年，森林覆盖率达到27.5%，城市空气质量优良天数比例保持在93%以上。"
    assert answer.backend == script.name
    assert script.calls[0][0].question == FOREST


@pytest.mark.parametrize(
    ("lie", "figure"),
    [
        ("森林覆盖率要达到33.8%[R]。", "33.8"),  # invented
        ("2034年森林覆盖率达到27.5%[R]。", "2034"),  # another year
        ("森林覆盖率达到27.5万亩[R]。", "27.5万亩"),  # another unit
        ("森林覆盖率达到27.6%[99]。", "27.6"),  # a mark that does not exist
        ("森林覆盖率达到27.6%。", "27.6"),  # no mark
        ("森林覆盖率达到27.5%[R]，比上期高4.9个百分点。", "4.9"),  # a true figure and one made up
        ("森林覆盖率达到百分之三十三[R]。", "百分之三十三"),
        ("森林覆盖率不超过27.5%[R]，优良天数比例在93%以下[R]。", "93%以下"),  # turned round
    ],
)
def test_a_figure_that_the_source_does_not_hold_is_never_shown(yunze: Pipeline, lie: str, figure: str) -> None:
    rank = rank_of(yunze, FOREST, 8)
    pipeline, _ = with_script(yunze, lie.replace("[R]", f"[{rank}]"))
    answer = pipeline.ask(FOREST)
    assert answer.status == "refused"
    assert answer.text.startswith(render("withdrawn"))
    assert figure not in answer.text
    assert any(not check.ok and check.reason for check in answer.checks)
    assert "27.5%" in answer.text  # the nearest, in its own words
    assert all(stands(yunze, citation) for citation in answer.citations)


def test_a_true_figure_beside_a_mark_of_another_passage_is_withdrawn(yunze: Pipeline) -> None:
    rank = rank_of(yunze, FOREST, 9)
    pipeline, _ = with_script(yunze, f"森林覆盖率达到27.5%[{rank}]。")
    assert pipeline.ask(FOREST).status == "refused"


# --- the stream


def test_the_stream_begins_with_what_was_found_and_grows(yunze: Pipeline) -> None:
    rank = rank_of(yunze, FOREST, 8)
    pipeline, _ = with_script(yunze, "森林覆盖率", "达到27.5%", f"[{rank}]。")
    first, *growing, last = pipeline.stream(FOREST)
    assert (first.text, first.citations) == ("", ())
    assert first.passages == last.passages != ()
    texts = [one.text for one in growing]
    assert texts == ["森林覆盖率", "森林覆盖率达到27.5%", "森林覆盖率达到27.5%[1]。"]
    assert last.text == texts[-1]
    assert last.checks


def test_the_stream_asks_for_no_piece_before_it_is_read(yunze: Pipeline) -> None:
    pipeline, script = with_script(yunze, "甲", "乙", "丙")
    stream = pipeline.stream(FOREST)
    assert not script.calls
    next(stream)
    assert script.started == 0
    next(stream)
    assert script.started == 1


def test_closing_the_stream_stops_the_answerer(yunze: Pipeline) -> None:
    pipeline, script = with_script(yunze, "甲", "乙", "丙")
    stream = pipeline.stream(FOREST)
    next(stream), next(stream)
    assert script.closed == 0
    stream.close()
    assert (script.started, script.closed) == (1, 1)


def test_a_refusal_asks_the_answerer_nothing(yunze: Pipeline) -> None:
    pipeline, script = with_script(yunze, "不该说的话")
    assert refused(pipeline, "2035年粮食综合生产能力是多少？")
    assert not script.calls


# --- opening


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"--llm 应为 .*，收到“oracle”"):
        Config(llm="oracle")
    with pytest.raises(ConfigError, match="passages 应在 1 到 100 之间，收到 0"):
        Config(passages=0)
    with pytest.raises(ConfigError, match="没有名为“colour”的设置"):
        config_from({"colour": "red"})
    assert config_from({"passages": 12}) == Config(passages=12)


def test_a_missing_and_a_damaged_index_are_named(yunze_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="python -m index build"):
        open_pipeline(Config(index=tmp_path / "none"))
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in yunze_folder.iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    chunks = damaged / "chunks.jsonl"
    chunks.write_text(chunks.read_text(encoding="utf-8").replace("418公里", "999公里"), encoding="utf-8")
    with pytest.raises(IndexMismatch, match=r"chunks\.jsonl.*python -m index build"):
        open_pipeline(Config(index=damaged))


@pytest.mark.parametrize("question", ["", " \n", "😀", "only English", "<br>"])
def test_what_cannot_be_looked_up_is_raised_before_anything_is_searched(yunze: Pipeline, question: str) -> None:
    with pytest.raises(EmptyQuestion):
        yunze.ask(question)


def test_too_long_a_question_is_raised(yunze: Pipeline) -> None:
    with pytest.raises(QuestionTooLong):
        yunze.ask("粮" * 10_000)


def test_examples_of_a_plan_of_ones_own_are_general(yunze: Pipeline, shipped: Pipeline) -> None:
    assert yunze.examples() == lines("examples")
    assert shipped.examples() != lines("examples")
    assert all(yunze.ask(question).text for question in yunze.examples())


# --- every development question on the shipped plan


def test_the_end_of_the_stream_is_what_ask_says(answered: list[Asked]) -> None:
    """Asked twice, each question is answered twice the same."""
    assert [one.question.id for one in answered if one.streamed[-1] != one.asked] == []


def test_status_completion_and_confidence_fit_each_other(shipped: Pipeline, answered: list[Asked]) -> None:
    for one in answered:
        answer = one.asked
        assert answer.status in ("answered", "refused"), one.question.id
        assert answer.text, one.question.id
        assert 0 <= answer.confidence <= 1, one.question.id
        slip = one.question.wording == "typo"
        renamed = any(other in one.question.question for other, _ in same_things())
        grouped = bool(shipped.understood(one.question.question, ()).groups)
        assert one.question.history or slip or renamed or grouped or answer.completed is None, one.question.id


def test_every_quote_stands_in_its_source_line(shipped: Pipeline, answered: list[Asked]) -> None:
    wrong = [(one.question.id, c) for one in answered for c in one.asked.citations if not stands(shipped, c)]
    assert wrong == []


def test_every_answer_cites_and_its_marks_are_the_citations(answered: list[Asked]) -> None:
    for one in answered:
        answer = one.asked
        marks = list(dict.fromkeys(int(n) for n in re.findall(r"\[(\d+)\]", answer.text)))
        assert marks == [c.n for c in answer.citations] == list(range(1, len(marks) + 1)), one.question.id
        assert answer.citations or answer.status == "refused", one.question.id


def test_every_figure_of_an_answer_stands_in_the_cited_words(shipped: Pipeline, answered: list[Asked]) -> None:
    rows = {(c.doc_id, tuple(sorted(c.lines))): c for c in shipped.index.chunks if c.cells}
    checked = 0
    for one in answered:
        answer = one.asked
        if answer.status == "refused":
            continue
        cited = {}
        for c in answer.citations:
            row = rows.get((c.doc, tuple(sorted(c.lines))))
            context = row.text if row else shipped.index.line(c.doc, c.lines[0]).text
            cited[c.n] = Cited(c.quote, context, c.section, row.cells if row else ())
        query = understand(one.question.question, one.question.history, shipped.frame)
        checks = verify(answer.text, cited, shipped.reply(query).own)
        assert [check for check in checks if not check.ok] == [], one.question.id
        assert len(checks) == len(answer.checks), one.question.id
        checked += len(checks)
    assert checked > 300


def test_passages_are_distinct_and_at_least_ten(answered: list[Asked]) -> None:
    for one in answered:
        passages = one.asked.passages
        places = [(p.chunk.doc_id, p.chunk.lines) for p in passages]
        assert len(places) == len(set(places)) >= 10, one.question.id
        assert [p.rank for p in passages] == list(range(1, len(passages) + 1)), one.question.id


def test_refusals_hold_no_figure_of_their_own(answered: list[Asked]) -> None:
    """What a refusal says before the nearest passage are the words of the question and fixed wordings."""
    for one in answered:
        answer = one.asked
        if answer.status == "refused":
            reason = answer.text.split("最接近的内容是：")[0]
            asked = answer.completed or answer.question
            years = re.findall(r"\d+", asked + "".join(f"{y}" for y in range(2000, 2041)))
            numbers = [n for f in figures(reason) for n in re.findall(r"\d+", f.text)]
            assert all(any(n in held for held in years) for n in numbers), one.question.id


# --- quality

# About 4 points below what was measured when they were set (0.90, 0.91, 0.99), a little more on the copy.
ACCURACY_FLOOR, ANSWER_ACCURACY_FLOOR, RECALL_FLOOR = 0.86, 0.87, 0.94
MUTATED_ACCURACY_FLOOR, MUTATED_ANSWER_ACCURACY_FLOOR, MUTATED_RECALL_FLOOR = 0.80, 0.84, 0.93


def quality(answers: Sequence[Answer], questions: Sequence[Question]) -> tuple[float, float, float]:
    """Accuracy over all questions (a question that cannot be answered is right when refused), accuracy over those that
    can be answered, and the share of these whose evidence is among the first five passages."""
    right, right_answers, found = 0, 0, 0
    for answer, question in zip(answers, questions, strict=True):
        if not question.answerable:
            right += answer.status == "refused"
            continue
        good = (
            answer.status == "answered"
            and key_points(answer.text, question) == 1
            and not any(says(answer.text, words) for words in question.must_not_include)
        )
        right, right_answers = right + good, right_answers + good
        found += covered(question, [passage.chunk.lines for passage in answer.passages[:5]])
    answerable = sum(question.answerable for question in questions)
    return right / len(questions), right_answers / answerable, found / answerable


def test_quality_on_the_shipped_plan(answered: list[Asked]) -> None:
    """The weights were fitted on these questions: a floor against a drop, not a measure of what users will meet."""
    accuracy, answer_accuracy, recall = quality([a.asked for a in answered], [a.question for a in answered])
    assert accuracy >= ACCURACY_FLOOR
    assert answer_accuracy >= ANSWER_ACCURACY_FLOOR
    assert recall >= RECALL_FLOOR


@pytest.fixture(scope="session")
def mutated(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Answer], list[Question]]:
    """Half of the development questions, asked of a copy of the plan with other names and figures."""
    folder = tmp_path_factory.mktemp("mutated")
    assert mutate([str(SHIPPED_PLAN), str(SETS / "dev.jsonl"), "--out", str(folder)]) == 0
    build([folder / f"{SHIPPED_PLAN.stem}-mutated.txt"], folder / "index")
    pipeline = open_pipeline(Config(index=folder / "index"))
    questions = [q for q in read_set(folder / "dev.jsonl") if fold_of(q.family, 2) == 0]
    return [pipeline.ask(q.question, q.history) for q in questions], questions


def test_quality_on_a_plan_that_no_one_has_seen(mutated: tuple[list[Answer], list[Question]]) -> None:
    accuracy, answer_accuracy, recall = quality(*mutated)
    assert len(mutated[1]) > 100
    assert accuracy >= MUTATED_ACCURACY_FLOOR
    assert answer_accuracy >= MUTATED_ANSWER_ACCURACY_FLOOR
    assert recall >= MUTATED_RECALL_FLOOR


def test_the_copy_shares_no_place_with_the_original(tmp_path: Path) -> None:
    """The floor on the copy means something only where the copy differs."""
    assert mutate([str(SHIPPED_PLAN), str(SETS / "dev.jsonl"), "--out", str(tmp_path)]) == 0
    original = SHIPPED_PLAN.read_text(encoding="utf-8")
    copy = (tmp_path / f"{SHIPPED_PLAN.stem}-mutated.txt").read_text(encoding="utf-8")
    assert copy.count("\n") == pytest.approx(original.count("\n"), abs=1)
    changed = sum(a != b for a, b in zip(original.splitlines(), copy.splitlines(), strict=False))
    assert changed > 200
    assert json.loads((tmp_path / "dev.jsonl").read_text(encoding="utf-8").splitlines()[0])["question"]


def test_linear_algebra_takes_one_thread_and_torch_keeps_its_own(yunze_folder: Path) -> None:
    script = (
        "import torch\nfrom pathlib import Path\nfrom threadpoolctl import threadpool_info\n"
        "from rag.config import Config\nfrom rag.pipeline import open_pipeline\n"
        "torch.set_num_threads(3)\n"
        f"open_pipeline(Config(Path({str(yunze_folder)!r})))\n"
        "found = [one for one in threadpool_info() if one['internal_api'] == 'openblas']\n"
        "assert all(one['num_threads'] == 1 for one in found), found\n"
        "assert torch.get_num_threads() == 3\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, env=environment)
