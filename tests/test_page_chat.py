"""The chat's drawing with hand-made answers, and the conversation with a scripted pipeline."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import Chunk, Document, Line
from page import chat
from page.drawing import render_header
from rag.errors import EmptyQuestion
from rag.pipeline import SourceLine
from rag.types import Answer, Check, Citation, Passage, Turn
from tests.markup import HOSTILE, WORDS, Reader, assert_only_own_markup

TITLES = {"plan": "甲县规划", "report": "乙市报告"}
CITATION = Citation(1, "plan", (256,), ("第一篇 总则", "农业〔拟题〕"), "粮食产量145万吨", 4, 13, page=7)
SOURCE = (SourceLine(number=256, text="到五年末粮食产量145万吨，稳定增长。", marked=((4, 13),), column=""),)


def passage(lines: tuple[int, ...], text: str, rank: int = 1, doc: str = "plan") -> Passage:
    return Passage(Chunk(f"{rank:016x}", doc, "paragraph", lines, 0, len(text), text, ("第二篇 民生",)), 1.0, rank)


ANSWER = Answer(
    question="粮食产量是多少？",
    text="粮食产量145万吨[1]。",
    status="answered",
    citations=(CITATION,),
    passages=(passage((256,), SOURCE[0].text), passage((300, 301, 305), "养老机构二十家。", 2)),
    checks=(Check("145", (1,), True),),
    confidence=0.9,
)


@dataclass
class ScriptedPipeline:
    """Yields its script, raising what stands in it; records what it was asked and whether its stream was closed."""

    script: Sequence[Answer | Exception]
    documents: tuple[Document, ...] = (Document("plan", "甲县规划", "甲.txt", "0", (Line(256, SOURCE[0].text),)),)
    backend: str = "原文摘录"
    asked: list[tuple[str, tuple[Turn, ...]]] = field(default_factory=list)
    closed: int = 0

    def stream(self, question: str, history: Sequence[Turn] = ()) -> Iterator[Answer]:
        self.asked.append((question, tuple(history)))
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.closed += 1

    def source(self, citation: Citation) -> tuple[SourceLine, ...]:
        return SOURCE


# Drawing


def test_a_mark_leads_to_its_card_and_other_brackets_stay_text() -> None:
    answer = replace(ANSWER, text="粮食145万吨[1]，见[2]。")
    page = Reader(chat.render_answer(answer))
    assert page.values("href") == ["#" + Reader(chat.render_sources(answer, [SOURCE], TITLES)).values("id")[0]]
    assert "粮食145万吨[1]，见[2]。" in page.text


def test_cards_of_different_questions_have_different_anchors() -> None:
    other = replace(ANSWER, question="粮食呢？")
    assert chat.anchor(ANSWER, 1) != chat.anchor(other, 1)
    assert chat.anchor(ANSWER, 1) == chat.anchor(replace(ANSWER, text="粮食"), 1)
    assert chat.anchor(other, 1) != chat.anchor(replace(other, completed="乙县粮食产量是多少？"), 1)


def test_checked_figures_are_counted_and_confidence_is_a_word_with_its_number() -> None:
    page = chat.render_answer(ANSWER)
    assert "已核对 1 个数字" in page
    assert 'title="0.90（满分 1）">把握：高<' in page


def test_a_figure_that_failed_is_named_and_nothing_passes_for_checked() -> None:
    answer = replace(ANSWER, checks=(*ANSWER.checks, Check("9", (1,), False, "所引句中没有")))
    page = chat.render_answer(answer)
    assert "1 个数字未能核对" in page
    assert "9：所引句中没有" in page
    assert "已核对" not in page


@pytest.mark.parametrize(("confidence", "word"), [(0.0, "低"), (0.33, "低"), (0.34, "中"), (0.67, "高"), (1.0, "高")])
def test_confidence_in_words(confidence: float, word: str) -> None:
    assert f"把握：{word}<" in chat.render_answer(replace(ANSWER, confidence=confidence))


def test_a_growing_answer_carries_no_verdict() -> None:
    page = Reader(chat.render_answer(replace(ANSWER, confidence=0.0), final=False))
    assert page.text == ANSWER.text
    assert "正在查阅原文" in chat.render_answer(replace(ANSWER, text=""), final=False)


def test_what_a_follow_up_was_taken_for_stands_above_the_answer_and_the_note_below() -> None:
    page = Reader(chat.render_answer(replace(ANSWER, completed="甲县粮食产量是多少？", note="另有一处数字不同。"))).text
    assert page.startswith("理解为：甲县粮食产量是多少？")
    assert page.index(ANSWER.text) < page.index("另有一处数字不同。")


def test_a_refusal_is_tagged_and_says_no_more_than_its_text() -> None:
    refused = replace(ANSWER, text="原文没有写明。", status="refused", citations=(), checks=(), confidence=0.1)
    page = chat.render_answer(refused)
    assert ">未载明</span>" in page
    assert 'class="reply refused"' in page
    assert "把握：" not in Reader(page).text
    assert SOURCE[0].text not in page  # what was found and is not near is not called nearest
    assert "本次回答没有引用原文。" in chat.render_sources(refused, [], TITLES)


def test_a_refusal_that_cites_shows_its_citation_once() -> None:
    refused = replace(ANSWER, text="原文没有写明；最接近的是：粮食产量145万吨[1]。", status="refused")
    assert 'class="cite"' in chat.render_answer(refused)


def test_a_card_names_document_section_line_and_page_and_marks_the_quoted_words() -> None:
    page = chat.render_sources(ANSWER, [SOURCE], TITLES)
    text = Reader(page).text
    assert text.startswith("[1]甲县规划第一篇 总则 › 农业拟题第256行（第7页）")
    assert "〔拟题〕" not in page
    assert "到五年末<mark>粮食产量145万吨</mark>，稳定增长。" in page


def test_a_table_row_is_shown_as_column_and_cell() -> None:
    row = (SourceLine(70, "粮食产量", (), "指标"), SourceLine(71, "145", ((0, 3),), "2025年"))
    page = chat.render_sources(ANSWER, [row], TITLES)
    assert "<tr><th>指标</th><td>粮食产量</td></tr><tr><th>2025年</th><td><mark>145</mark></td></tr>" in page


def test_other_passages_are_folded_away_and_hold_nothing_cited() -> None:
    page = chat.render_sources(ANSWER, [SOURCE], TITLES)
    folded = page[page.index('<details class="others">') :]
    assert "其他检索结果（1）" in folded
    assert "养老机构二十家。" in folded
    assert "第300–301、305行" in folded
    assert "粮食" not in folded


def test_a_passage_of_another_document_on_the_same_line_is_not_taken_for_cited() -> None:
    answer = replace(ANSWER, passages=(passage((256,), "乙市的另一句。", doc="report"),))
    assert "乙市的另一句。" in chat.render_sources(answer, [SOURCE], TITLES)


def test_as_many_sources_as_citations() -> None:
    with pytest.raises(ValueError, match="zip"):
        chat.render_sources(ANSWER, [], TITLES)


# Escaping


def draw_everything(words: str) -> str:
    """All that is drawn from an answer of which every part is `words`."""
    citation = replace(CITATION, section=(words, f"{words}〔拟题〕"))
    other = passage((300,), words, 2)
    other = replace(other, chunk=replace(other.chunk, section=(words,)))
    answer = replace(
        ANSWER,
        question=words,
        text=words,
        citations=(citation,),
        passages=(other,),
        checks=(Check(words, (1,), False, words),),
        completed=words,
        note=words,
    )
    refused = replace(answer, status="refused", citations=())
    sources = [(SourceLine(1, words, ((0, len(words)),) if words else (), ""),)]
    row = [(SourceLine(1, words, (), words or "列"),)]
    exchange = chat.Exchange(words, chat.render_answer(answer), chat.render_sources(answer, sources, {"plan": words}))
    return "".join(
        [
            chat.render_panel((exchange,)),
            chat.render_answer(refused),
            chat.render_sources(answer, row, {"plan": words}),
            chat.render_failure(words),
            render_header([Document("plan", words, "x", "0", ())], words),
            *(message["content"] for message in chat.messages((exchange,))),
        ]
    )


@given(WORDS)
def test_no_word_of_users_or_documents_becomes_markup(words: str) -> None:
    assert_only_own_markup(draw_everything(words))


def test_hostile_words_are_shown_as_they_are() -> None:
    page = draw_everything(HOSTILE)
    assert "<script" not in page
    assert "<img" not in page
    # panel: question, section twice, paragraph, other section, other text; and so on through every part drawn.
    assert Reader(page).text.count(HOSTILE) > 15


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("\n\r\v\f\x1c\x85\u2028\u2029 *_#")))
def test_a_message_is_one_line_so_that_the_chat_reads_no_markdown_in_it(words: str) -> None:
    exchange = chat.Exchange(words, chat.render_answer(replace(ANSWER, text=words)))
    for message in chat.messages((exchange,)):
        assert len(message["content"].splitlines()) == 1
        assert message["content"].startswith("<div ")


# Conversation


def test_the_conversation_grows_and_ends_with_the_whole_answer() -> None:
    growing = [replace(ANSWER, text="", citations=(), checks=()), replace(ANSWER, text="粮食产量", checks=()), ANSWER]
    pipeline = ScriptedPipeline(growing)
    steps = list(chat.converse(pipeline, ANSWER.question, ()))
    assert [step[-1].running for step in steps] == [True, True, True, True, False]
    last = steps[-1][-1]
    assert last.reply == chat.render_answer(ANSWER)
    assert last.sources == chat.render_sources(ANSWER, [SOURCE], {"plan": "甲县规划"})
    assert last.turn == Turn(ANSWER.question, ANSWER.text)
    assert pipeline.closed == 1


def test_later_questions_come_with_the_turns_before_them_but_not_with_failures() -> None:
    pipeline = ScriptedPipeline([ANSWER])
    failed = chat.Exchange("？", chat.render_failure("没有问题。"))
    *_, first = chat.converse(pipeline, "粮食产量是多少？", (failed,))
    list(chat.converse(pipeline, "那明年呢？", first))
    assert pipeline.asked == [
        ("粮食产量是多少？", ()),
        ("那明年呢？", (Turn("粮食产量是多少？", ANSWER.text),)),
    ]


def test_an_error_meant_for_the_user_is_the_answer() -> None:
    message = "问题是空的：请输入要查的内容。"
    *_, last = chat.converse(ScriptedPipeline([EmptyQuestion(message)]), "", ())
    assert Reader(last[-1].reply).text == message
    assert last[-1].turn is None
    assert not last[-1].running
    assert Reader(chat.messages(last)[0]["content"]).text == "（没有输入问题）"


def test_a_defect_is_logged_with_its_traceback_and_said_so(caplog: pytest.LogCaptureFixture) -> None:
    growing = replace(ANSWER, text="粮食")
    with caplog.at_level(logging.ERROR):
        *_, last = chat.converse(ScriptedPipeline([growing, RuntimeError("broken wire")]), "粮食？", ())
    assert Reader(last[-1].reply).text.startswith("内部错误")
    assert "请查看终端日志" in last[-1].reply
    assert "RuntimeError: broken wire" in caplog.text
    assert last[-1].turn is None


def test_closing_the_conversation_closes_the_stream() -> None:
    pipeline = ScriptedPipeline([replace(ANSWER, text="粮食"), ANSWER])
    conversation = chat.converse(pipeline, "粮食？", ())
    next(conversation)
    next(conversation)
    assert pipeline.closed == 0
    conversation.close()
    assert pipeline.closed == 1


def test_stopping_marks_what_was_cut_short_and_leaves_whole_answers_alone() -> None:
    cut = (chat.Exchange("粮食？", chat.render_answer(ANSWER, final=False), running=True),)
    stopped = chat.stop(cut)
    assert "已停止" in stopped[-1].reply
    assert not stopped[-1].running
    assert chat.stop(stopped) == stopped
    assert chat.stop(()) == ()


def test_the_panel_holds_the_sources_of_every_answer_that_has_some() -> None:
    assert chat.EMPTY_PANEL in chat.render_panel((chat.Exchange("？", "没有问题。"),))
    two = tuple(chat.Exchange(words, "答", f"<p>{words}</p>") for words in ("一问", "二问"))
    assert chat.render_panel(two).count('<section class="turn">') == 2
    assert chat.EMPTY_PANEL not in chat.render_panel(two)
