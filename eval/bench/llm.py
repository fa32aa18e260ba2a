"""How fast a language model answers on this machine: python -m eval.bench.llm, `make bench-llm`.

The networks have the shapes of Qwen2.5-0.5B and 1.5B and random weights: speed does not depend on them. What they
write does, and with it how much prompt lookup saves: so their logits are computed and then made to spell a given
answer, half of it quoted from the passages as answers here are, half in other words.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rag.generate.local_llm import Loaded, LocalModel, made_ready, placed
from rag.generate.model import Message
from rag.generate.number_lock import NumberLock
from rag.prompts import render

SHAPES = {
    "0.5B": {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14},
    "1.5B": {"hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12},
}
WORDS = 151_936  # tokens of Qwen2.5's vocabulary
PASSAGES = (
    "到2030年，甲县新建高标准农田12.6万亩，改造灌区3处，粮食综合生产能力稳定在96万吨以上，农作物耕种收综合机械化率达到90%。",
    "到2030年，森林覆盖率达到27.5%，城市空气质量优良天数比例保持在93%以上，地表水水质优良比例达到100%，重污染天气基本消除。",
)
QUESTIONS = ("甲县要新建多少高标准农田？", "森林覆盖率要达到多少？")
ANSWER = "按规划，这个县在期末会有新增的优质耕地：甲县新建高标准农田12.6万亩，改造灌区3处[1]。"
TEMPLATE = "{% for m in messages %}{{ m.role + '：' + m.content + '\\n' }}{% endfor %}assistant："


@dataclass(frozen=True)
class Timing:
    """Seconds to the first piece, and tokens a second after it."""

    first: float
    rate: float


def network_of(shape: str, dtype: str) -> tuple[Any, Any]:
    """A network of random weights and a tokenizer of single characters."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    sizes: dict[str, Any] = SHAPES[shape] | {"vocab_size": WORDS, "num_key_value_heads": 2}
    config = Qwen2Config(**sizes, tie_word_embeddings=True)
    place, best = placed()
    with torch.device("meta"):
        network: Any = Qwen2ForCausalLM(config)
    network = network.to(getattr(torch, dtype) if dtype else best).to_empty(device=place)
    for weights in network.parameters():
        torch.nn.init.uniform_(weights, -0.02, 0.02)
    network.model.rotary_emb = type(network.model.rotary_emb)(config).to(place)
    texts = (*PASSAGES, *QUESTIONS, ANSWER, prompt_text(), "system user assistant：\n[1][2]")
    letters = sorted({character for text in texts for character in text})
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(["<end>", "<unk>", *letters])}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, eos_token="<end>", unk_token="<unk>", chat_template=TEMPLATE
    )
    return network.eval(), tokenizer


def prompt_text() -> str:
    return render("llm_system", refusal=render("llm_refusal"))


def messages(question: str) -> list[Message]:
    listed = "\n".join(f"[{n}] {text}" for n, text in enumerate(PASSAGES, 1))
    return [Message("system", prompt_text()), Message("user", f"资料：\n{listed}\n\n问题：{question}")]


class Spelling:
    """Makes a network's logits, once computed, spell an answer behind a prompt."""

    def __init__(self, tokenizer: Any) -> None:
        self.answer = tokenizer(ANSWER, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        self.prompt = 0

    def __call__(self, network: Any, given: Any, named: dict[str, Any], made: Any) -> Any:
        reached = named["past_key_values"].get_seq_length()
        count = made.logits.shape[1]
        for place in range(count):
            following = reached - count + place + 1 - self.prompt
            if 0 <= following < len(self.answer):
                made.logits[:, place, self.answer[following]] = 1e4
        return made


def timed(model: LocalModel, spelling: Spelling, question: str, lock: NumberLock | None) -> Timing:
    loaded = model.load()
    _, tokens = model.prompt(loaded, messages(question), 100)
    spelling.prompt = len(tokens)
    started = time.perf_counter()
    first = 0.0
    for _ in model.write(messages(question), lock, 100):
        first = first or time.perf_counter() - started
    return Timing(first, (len(spelling.answer) - 1) / (time.perf_counter() - started - first))


def rows(loaded: Loaded, spelling: Spelling) -> Iterator[tuple[str, Timing]]:
    """Each feature off and on. The second question is the one timed: what is kept is kept from the first."""
    held = NumberLock([*PASSAGES, *QUESTIONS], len(PASSAGES))
    for name, reuse, look_up, lock in (
        ("什么都不用", False, False, None),
        ("数字锁", False, False, held),
        ("留用开头的缓存", True, False, None),
        ("从资料里猜词", False, True, None),
        ("三者都用（缺省）", True, True, held),
    ):
        model = LocalModel("bench", reuse, look_up, loaded)
        if reuse:
            timed(model, spelling, QUESTIONS[0], lock)
        yield name, timed(model, spelling, QUESTIONS[1], lock)


def together(loaded: Loaded, count: int, longest: int) -> tuple[float, float]:
    """Tokens a second for a list of prompts: one by one, and in batches."""
    prompts = [(messages(QUESTIONS[n % 2]), None) for n in range(count)]
    rates = []
    for many in ([[prompt] for prompt in prompts], [prompts]):
        model = LocalModel("bench", loaded=loaded)
        started = time.perf_counter()
        for part in many:
            list(model.write_many(part, longest))
        rates.append(count * longest / (time.perf_counter() - started))
    return rates[0], rates[1]


def lock_cost(loaded: Loaded, repeats: int = 200) -> float:
    """Milliseconds that the lock takes for a token, without the network."""
    import torch

    from rag.generate.number_lock import LockProcessor

    lock = NumberLock(PASSAGES, len(PASSAGES))
    processor = LockProcessor([lock], loaded.vocabulary, loaded.ends, 0)
    answer = loaded.tokenizer(ANSWER, add_special_tokens=False)["input_ids"]
    scores = torch.randn(1, WORDS)
    started = time.perf_counter()
    for turn in range(repeats):
        ids = torch.tensor([answer[: turn % len(answer)]], dtype=torch.long)
        given = scores.clone()
        given[0, answer[turn % len(answer)]] = 1e4
        processor(ids, given)
    return 1000 * (time.perf_counter() - started) / repeats


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.bench.llm", description="语言模型的速度，各项开与关")
    parser.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=sorted(SHAPES), help="模型的大小")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], help="数的格式（缺省：这台机器上快的一种）")
    parser.add_argument("--together", type=int, default=4, metavar="N", help="成批的题数，0 不测（缺省：4）")
    options = parser.parse_args(arguments)
    import torch

    for shape in options.shapes:
        network, tokenizer = network_of(shape, options.dtype or "")
        loaded = made_ready(network, tokenizer, (tokenizer.eos_token_id,), 32_768)
        spelling = Spelling(tokenizer)
        hook = network.register_forward_hook(spelling, with_kwargs=True)
        prompt = LocalModel("bench", loaded=loaded).prompt(loaded, messages(QUESTIONS[1]), 100)[1]
        place = f"{network.device}，{network.dtype}，{torch.get_num_threads()} 线程"
        print(f"{shape}，{place}，提示 {len(prompt)} 词元，答案 {len(spelling.answer)} 词元")
        for name, timing in rows(loaded, spelling):
            print(f"  {name}：首字 {timing.first:.2f} 秒，{timing.rate:.1f} 词元/秒", flush=True)
        print(f"  数字锁：每词元 {lock_cost(loaded):.2f} 毫秒")
        hook.remove()
        if options.together:
            alone, many = together(loaded, options.together, 16)
            print(f"  {options.together} 题：逐题 {alone:.1f} 词元/秒，成批 {many:.1f} 词元/秒", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
