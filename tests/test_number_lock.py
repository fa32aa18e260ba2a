"""The number lock: what may be written, character by character; and that no tokenizer gets round it."""

from __future__ import annotations

import os
import random
import re
from typing import Any

import pytest

from index.figures import figures, normalise
from rag.generate.number_lock import START, LockProcessor, NumberLock, Vocabulary
from tests.models import KINDS, TEXTS, network, tokenizer_of

SOURCE = (
    "到2030年，森林覆盖率达到27.5%，收入年均增长7%左右，粮食145万吨，规划期限为2021-2025年，装机4×66万千瓦，占三分之一，"
    "提高5个百分点，第三产业占比17.5:41.9，统筹三农工作，PM2.5下降，低至-5℃，每县1-2个，三个县，国道216，约十几万人"
)
LOCK = NumberLock([SOURCE], 3)
TOGETHER = 25
GENERATIONS = int(os.environ.get("LOCK_GENERATIONS", "400"))  # `make bench-lock` asks for 10,000


def trimmed(lock: NumberLock, text: str) -> str:
    """The longest beginning of a text that a lock admits: what was cut off in the middle of a figure loses its piece of
    a figure."""
    state, end = START, 0
    for position, character in enumerate(text, 1):
        state = lock.step(state, character)
        if not state.alternatives:
            break
        if lock.accepts(state):
            end = position
    return text[:end]


@pytest.mark.parametrize(
    "text",
    [
        "森林覆盖率达到27.5%[1]。", "粮食145万吨[2]，7%左右", "2021-2025年", "2021年至2025年", "2025年的",
        "三分之一", "第三产业", "统筹三农工作", "PM2.5", "低至-5℃", "1-2个", "三个县", "5个百分点", "4×66万千瓦",
        "进一步统一", "1. 好的[1]\n2. 再好[2]\n3、最好[3]", "AI技术", "[1][2]", "国道216", "约十几万人", "",
    ],
)  # fmt: skip
def test_what_stands_in_the_source_may_be_written(text: str) -> None:
    assert LOCK.admits(text)
    assert trimmed(LOCK, text) == text


@pytest.mark.parametrize(
    "text",
    [
        "27.5[1]", "27%", "2.5%", "7.5%", "145吨", "14万吨", "45万吨", "1.45亿吨", "14 5万吨", "145 万吨",
        "-145万吨", "145万亿", "2020年", "2030-2025年", "2021-2030年", "二〇三〇年", "２０３０年", "三分之二",
        "百分之五", "一倍", "一半", "一成", "一个百分点", "三个百分点", "8个百分点", "2个", "1个", "66万千瓦",
        "PM10", "2.5", "5A", "17.5", "41.9:17.5", "①", "½", "Ⅲ", "十万", "十五", "第一产业", "第五", "第27.5%",
        "专栏2030", "万里", "几十万", "十几亿", "[4]", "[0]", "[12]", "[1", "[", "[1,2]", "[一]", "【1】", "1.5",
        "1. 5", "2. 先二\n", "1. 好\n1. 好", "2\u200b025年", "21６", "216万", "2030.1", "3.5", "1/3", "三\u00b7五",
    ],
)  # fmt: skip
def test_what_does_not_may_not(text: str) -> None:
    assert not LOCK.admits(text)


def test_a_text_cut_off_within_a_figure_loses_the_piece() -> None:
    assert trimmed(LOCK, "达到27.5%，粮食14") == "达到27.5%，粮食"
    assert trimmed(LOCK, "达到27.5%[") == "达到27.5%"


def test_a_numeral_within_a_word_needs_the_word() -> None:
    lock = NumberLock(["关于制定第十五个五年规划的建议"], 1)
    assert lock.admits("第十五个五年规划")
    assert not lock.admits("第十五个五个县")
    assert not lock.admits("第十五个五年规模")  # 五年 would be read as five years
    assert not lock.admits("五年规划")


def test_figures_of_the_question_may_be_repeated() -> None:
    assert NumberLock(["无"], 1).admits("没有写明2040年的") is False
    assert NumberLock(["无", "2040年粮食产量是多少？"], 1).admits("没有写明2040年的")


def test_the_pattern_for_servers_admits_nothing_that_the_lock_forbids() -> None:
    pieces = ["2030", "20", "27.5%", "145万", "14", "吨", "年", "，", "[1]", "[4]"]
    pieces += ["三", "个", "\n", "1. ", "2. ", "-", "到", "一", "PM2.5"]
    rng = random.Random(5)
    held = 0
    for _ in range(5_000):
        text = "".join(rng.choices(pieces, k=rng.randint(1, 6)))
        if re.fullmatch(LOCK.pattern, text):
            held += 1
            assert outsiders(text, [SOURCE], 3) == [], text
    assert held > 100
    assert re.fullmatch(LOCK.pattern, "到2030年，粮食145万吨[2]。\n1. 森林覆盖率27.5%[1]。")


# --- the same through tokenizers

_MARK = re.compile(r"\[([^\[\]\n]*)\]?")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:[.,:]\d+)*[%‰]?[十百千万亿]*")
_WIDE = str.maketrans("．：％﹪～－〜∼∶", ".:%%~-~~:")
_NAME = re.compile(r"[A-Za-z]+-?\d+(?:\.\d+)?")
_ITEM = re.compile(r"^[ *]*(\d{1,2})[.、)）．](?![ *]*\d)", re.MULTILINE)


def outsiders(text: str, sources: list[str], marks: int) -> list[str]:
    """Figures and marks of a text that its sources do not have, found without the lock: by the reader of figures that
    the check uses, and by the digits themselves."""
    allowed = {str(n) for n in range(1, marks + 1)}
    bad = [f"[{mark}" for mark in _MARK.findall(text) if mark not in allowed]
    plain = _ITEM.sub("", _MARK.sub("；", text)).translate(_WIDE)
    told = {parts(figure.text) for source in sources for figure in figures(source)}
    told |= {(year,) for source in sources for year in re.findall(r"(?:19|20)\d\d", source)}
    names = {name for source in sources for name in _NAME.findall(source)}
    for figure in figures(plain):
        name = _NAME.match(plain, figure.start)  # PM2.5吨 is read as PM2
        # 2025年到2030年 is told by two figures that stand in the source.
        ends = re.split("(?<=[^0-9%])[至到~-]", figure.text)
        if any(parts(end) not in told for end in ends) and (name is None or name.group() not in names):
            bad.append(figure.text)
    whole = {number for source in sources for number in _NUMBER.findall(source)}
    whole |= {number for source in sources for number in re.findall(r"(?:19|20)\d\d", source)}
    return bad + [number for number in _NUMBER.findall(plain) if number not in whole]


def parts(figure: str) -> tuple[str, ...]:
    """The numerals of a figure, its unit left out: 145万吨 -> (145, 万)."""
    return tuple(re.findall(r"\d+(?:[.,]\d+)*|[〇零一二两三四五六七八九十百千万亿]+|[%‰倍成半]", normalise(figure)))


def test_the_judge_of_these_tests_finds_outsiders() -> None:
    assert outsiders("到2030年达到27.5%[1]", [SOURCE], 3) == []
    for text in ("27%", "[4]", "[", "三个百分点", "145吨", "2020年", "一倍"):
        assert outsiders(text, [SOURCE], 3), text


@pytest.fixture(scope="module", params=sorted(KINDS))
def tried(request: pytest.FixtureRequest) -> tuple[str, Any, Any, Vocabulary]:
    tokenizer = tokenizer_of(request.param)
    model = network(len(tokenizer), seed=3)
    return request.param, tokenizer, model, Vocabulary(tokenizer, model.config.vocab_size)


def generations(
    tried: tuple[str, Any, Any, Vocabulary], seed: int, count: int, length: int = 32
) -> list[tuple[str, list[str], int]]:
    """Texts that a random model writes under the lock when it is driven to write numerals, each with its sources and
    number of marks."""
    import torch

    _, tokenizer, model, vocabulary = tried
    rng = random.Random(seed)
    torch.manual_seed(seed)
    sources = rng.sample(TEXTS, k=rng.randint(1, 4)) + ([SOURCE] if rng.random() < 0.5 else [])
    lock = NumberLock(sources, marks := rng.randint(1, 12))
    prompt = tokenizer("云泽州", return_tensors="pt", return_token_type_ids=False)
    prompt = {name: rows.repeat(count, 1) for name, rows in prompt.items()}
    ends = [tokenizer.eos_token_id]
    processor = LockProcessor([lock] * count, vocabulary, ends, prompt["input_ids"].shape[1])
    driven = torch.zeros(vocabulary.size)
    driven[list(vocabulary.touchy)] = rng.choice([1.0, 3.0, 6.0])
    driven[list(vocabulary.beginning(b"["))] = 6.0
    driven[ends] = -1.0

    def drive(input_ids: Any, scores: Any) -> Any:
        """The best of these is a sample of the driven model (Gumbel-max)."""
        return scores / scores.std() * 2 + driven - torch.log(-torch.log(torch.rand_like(scores).clamp(1e-6, 1 - 1e-6)))

    with torch.inference_mode():
        made = model.generate(
            **prompt, do_sample=False, max_new_tokens=length, logits_processor=[drive, processor],
            eos_token_id=ends, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
    texts = tokenizer.batch_decode(
        made[:, prompt["input_ids"].shape[1] :], skip_special_tokens=True, clean_up_tokenization_spaces=False
    )
    return [(trimmed(lock, text), sources, marks) for text in texts]


@pytest.mark.slow
def test_no_tokenizer_gets_a_figure_past_the_lock(tried: tuple[str, Any, Any, Vocabulary]) -> None:
    with_figure = with_mark = 0
    for seed in range(GENERATIONS // len(KINDS) // TOGETHER):
        for text, sources, marks in generations(tried, seed, TOGETHER):
            assert outsiders(text, sources, marks) == [], (text, sources)
            with_figure += bool(figures(_MARK.sub("", text)))
            with_mark += "[" in text
    assert with_figure > 20
    assert with_mark > 20 or tried[0] == "word-piece"  # which puts blanks into [1]


@pytest.mark.slow
def test_the_best_token_that_may_come_stays_the_best(tried: tuple[str, Any, Any, Vocabulary]) -> None:
    import torch

    _, tokenizer, _, vocabulary = tried
    rng = random.Random(1)
    lock, end = NumberLock([SOURCE], 3), tokenizer.eos_token_id
    processor = LockProcessor([lock], vocabulary, [end], 0)
    tokens: list[int] = []
    torch.manual_seed(1)
    for _ in range(100):
        scores = torch.randn(1, vocabulary.size)
        scores[0, list(vocabulary.touchy)] += rng.choice([0.0, 2.0])
        ids = torch.tensor([tokens], dtype=torch.long)
        state = processor.state(0, tokens)
        ordered = scores[0].argsort(descending=True).tolist()
        best = next(token for token in ordered if processor.may(lock, state, token))
        assert int(processor(ids, scores.clone())[0].argmax()) == best
        tokens = [*tokens, best] if best != end else []


@pytest.mark.slow
def test_without_the_lock_the_same_models_invent(tried: tuple[str, Any, Any, Vocabulary]) -> None:
    """That the tests above can fail."""
    name, tokenizer, _, vocabulary = tried
    rng = random.Random(2)
    texts = [
        tokenizer.decode(rng.choices(vocabulary.touchy, k=8), clean_up_tokenization_spaces=False) for _ in range(20)
    ]
    assert any(outsiders(text, [SOURCE], 3) for text in texts), name
