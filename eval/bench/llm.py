"""How fast a language model answers on this machine: python -m eval.bench.llm, `make bench-llm`.

The networks have the shapes of Qwen2.5-0.5B and 1.5B and random weights: speed does not depend on them. What they
write does, and with it how much prompt lookup saves: so their logits are computed and then made to spell a given
answer, half of it quoted from the passages as answers here are, half in other words.

Each feature is measured off and on alternately, in pairs, and told with the ratio of the two. On a processor that
others use meanwhile not even the ratio of times holds: --busy counts the processor time of one thread instead.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from typing import Any

from rag.generate.local_llm import Loaded, LocalModel, in_eight_bits, made_ready, placed
from rag.generate.model import Message
from rag.generate.number_lock import LockProcessor, NumberLock
from rag.prompts import render

SHAPES = {
    "0.5B": {"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14},
    "1.5B": {"hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12},
}
WORDS = 151_936  # tokens of Qwen2.5's vocabulary
CONTEXT = 32_768
LONGEST = 100
STEPS = 8  # tokens after the first by which networks alone are timed
PASSAGES = (
    "到2030年，甲县新建高标准农田12.6万亩，改造灌区3处，粮食综合生产能力稳定在96万吨以上，农作物耕种收综合机械化率达到90%。",
    "到2030年，森林覆盖率达到27.5%，城市空气质量优良天数比例保持在93%以上，地表水水质优良比例达到100%，重污染天气基本消除。",
    "到2030年，全州高速公路通车里程达到418公里，实现县县通高速，农村公路优良中等路率保持在85%以上，村村通客车。",
)
QUESTIONS = ("甲县要新建多少高标准农田？", "森林覆盖率要达到多少？")
ANSWER = "按规划，期末会有新增耕地：甲县新建高标准农田12.6万亩[1]。"
TEMPLATE = "{% for m in messages %}{{ m.role + '：' + m.content + '\\n' }}{% endfor %}assistant："


@dataclass(frozen=True)
class Timing:
    """Seconds to the first piece, and tokens a second after it; of several rows together, 0 and tokens a second from
    the beginning."""

    first: float
    rate: float


@dataclass(frozen=True)
class Feature:
    """Two ways to do one thing: `off` and `on` measure once each. `warm`: what is on needs a first time that does not
    count, for something to be kept or compiled."""

    name: str
    off: Callable[[], Timing]
    on: Callable[[], Timing]
    warm: bool = False


# --- networks


def network_of(shape: str, dtype: str) -> Any:
    """A network of random weights. `dtype` "": what the tool takes on this machine."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    sizes: dict[str, Any] = SHAPES[shape] | {"vocab_size": WORDS, "num_key_value_heads": 2}
    config = Qwen2Config(**sizes, max_position_embeddings=CONTEXT, tie_word_embeddings=True)
    place, best = placed()
    with torch.device("meta"):
        network: Any = Qwen2ForCausalLM(config)
    network = network.to(getattr(torch, dtype) if dtype else best).to_empty(device=place)
    network.tie_weights()
    for weights in network.parameters():
        torch.nn.init.uniform_(weights, -0.02, 0.02)
    network.model.rotary_emb = type(network.model.rotary_emb)(config).to(place)
    return network.eval()


def tokenizer_of() -> Any:
    """A tokenizer of single characters."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    texts = (*PASSAGES, *QUESTIONS, ANSWER, prompt_text(), "system user assistant：\n[1][2]")
    letters = sorted({character for text in texts for character in text})
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate(["<end>", "<unk>", *letters])}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, eos_token="<end>", unk_token="<unk>", chat_template=TEMPLATE
    )


def quantised(network: Any) -> Any:
    """The network with weights of 8 bits, as `--quantize int8` loads one."""
    import torch

    how = in_eight_bits().get_apply_tensor_subclass()
    from torchao.quantization import quantize_

    head = network.get_output_embeddings()
    quantize_(network, how, filter_fn=lambda module, name: isinstance(module, torch.nn.Linear) and module is not head)
    return network


def weights_of(network: Any) -> int:
    """Bytes of a network's weights, those used twice counted once."""
    sizes: dict[int, int] = {}
    for weights in network.parameters():
        # Of a tensor made of others, those are counted.
        parts = [weights]
        if hasattr(weights, "__tensor_flatten__"):
            parts = [getattr(weights, name) for name in weights.__tensor_flatten__()[0]]
        sizes.update((part.data_ptr(), part.nbytes) for part in parts)
    return sum(sizes.values())


def prompt_text() -> str:
    return render("llm_system", refusal=render("llm_refusal"))


def messages(question: str, turn: int) -> list[Message]:
    """What asks a question. As in use, no two conversations have the same passages: only the system's words are
    shared."""
    listed = "\n".join(f"[{n}] {text}" for n, text in enumerate((*PASSAGES[turn % 3 :], *PASSAGES[: turn % 3]), 1))
    return [Message("system", prompt_text()), Message("user", f"资料：\n{listed}\n\n问题：{question}")]


class Spelling:
    """Makes a network's logits, once computed, spell an answer behind a prompt."""

    def __init__(self, tokenizer: Any) -> None:
        self.answer = tokenizer(ANSWER, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        self.prompt = 0

    def __call__(self, network: Any, given: Any, named: dict[str, Any], made: Any) -> Any:
        reached = named["past_key_values"].get_seq_length()
        steps = made.logits.shape[1]
        for place in range(steps):
            following = reached - steps + place + 1 - self.prompt
            if 0 <= following < len(self.answer):
                made.logits[:, place, self.answer[following]] = 1e4
        return made


# --- what is measured


@dataclass
class Bench:
    """Measurements of one network."""

    loaded: Loaded
    spelling: Spelling

    def __post_init__(self) -> None:
        self._turns = count()
        self.loaded.network.register_forward_hook(self.spelling, with_kwargs=True)

    def answer(self, model: LocalModel, lock: NumberLock | None = None) -> Timing:
        """One answer, as a user waits for it. The passages are others each time."""
        asked = messages(QUESTIONS[0], next(self._turns))
        self.spelling.prompt = len(model.prompt(self.loaded, asked, LONGEST)[1])
        started, first = Clock.now(), 0.0
        for _ in model.write(asked, lock, LONGEST):
            first = first or Clock.now() - started
        return Timing(first, (len(self.spelling.answer) - 1) / (Clock.now() - started - first))

    def list_of(self, rows: int, together: int) -> Timing:
        """A list of questions in batches of so many."""
        model = LocalModel("bench", together=together, loaded=self.loaded)
        asked = [messages(QUESTIONS[0], n) for n in range(rows)]
        self.spelling.prompt = len(model.prompt(self.loaded, asked[0], LONGEST)[1])
        started = Clock.now()
        with ThreadPoolExecutor(together) as threads:
            # The first would begin alone while the others are still on their way into the queue.
            model._worker.submit(time.sleep, 0.2)
            list(threads.map(lambda said: list(model.write(said, None, LONGEST)), asked))
        return Timing(0.0, rows * len(self.spelling.answer) / (Clock.now() - started))

    def features(self) -> list[Feature]:
        held = NumberLock([*PASSAGES, *QUESTIONS], len(PASSAGES))
        plain, kept, looking, usual = (
            LocalModel("bench", reuse, look_up, loaded=self.loaded)
            for reuse, look_up in ((False, False), (True, False), (False, True), (True, None))
        )
        return [
            Feature("lock", lambda: self.answer(plain), lambda: self.answer(plain, held)),
            Feature("prefix", lambda: self.answer(plain), lambda: self.answer(kept), warm=True),
            Feature("lookup", lambda: self.answer(plain), lambda: self.answer(looking)),
            Feature("default", lambda: self.answer(plain), lambda: self.answer(usual, held), warm=True),
            Feature("batch4", lambda: self.list_of(4, 1), lambda: self.list_of(4, 4)),
            Feature("batch8", lambda: self.list_of(8, 1), lambda: self.list_of(8, 8)),
        ]


def raw(network: Any, prompt: list[int], **how: Any) -> Timing:
    """A network alone, by `generate`: what a way to run it is worth."""
    import torch
    from transformers import GenerationConfig

    ids = torch.tensor([prompt], device=next(network.parameters()).device)
    clock = Clock()
    settings = GenerationConfig(do_sample=False, max_new_tokens=STEPS, min_new_tokens=STEPS, pad_token_id=0, **how)  # type: ignore[no-untyped-call]
    started = Clock.now()
    with torch.inference_mode():
        network.generate(ids, attention_mask=torch.ones_like(ids), generation_config=settings, streamer=clock)
    return Timing(clock.times[1] - started, (STEPS - 1) / (clock.times[-1] - clock.times[1]))


class Clock:
    """A streamer that notes when each token came, the prompt being the first. `now`: the clock of all measurements."""

    now: Callable[[], float] = staticmethod(time.perf_counter)

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, value: Any) -> None:
        self.times.append(Clock.now())

    def end(self) -> None:
        pass


def ways(network: Any, shape: str, prompt: list[int]) -> list[Feature]:
    """Other ways to run the network: 8-bit weights by --quantize int8, bf16 where hardware computes in it."""
    import torch
    from transformers import CompileConfig

    def other(make: Callable[[], Any]) -> Callable[[], Timing]:
        made: list[Any] = []

        def measured() -> Timing:
            if not made:
                made.append(make())
                print(f"    权重 {weights_of(network) / 2**30:.2f} → {weights_of(made[0]) / 2**30:.2f} GB", flush=True)
            return raw(made[0], prompt)

        return measured

    def compiled() -> Timing:
        settings: Any = CompileConfig()
        settings._compile_all_devices = True  # not on graphics cards alone
        return raw(network, prompt, cache_implementation="static", compile_config=settings)

    def here() -> Timing:
        return raw(network, prompt)

    found = [Feature("static+compile", here, compiled, warm=True)]
    if network.dtype != torch.bfloat16:
        found.append(Feature("bf16", here, other(lambda: network_of(shape, "bfloat16")), warm=True))
    if find_spec("torchao") is not None:
        kind = str(network.dtype).removeprefix("torch.")
        found.append(Feature("int8", here, other(lambda: quantised(network_of(shape, kind))), warm=True))
    return found


def lock_cost(loaded: Loaded, repeats: int = 200) -> float:
    """Milliseconds that the lock takes for a token, without the network."""
    import torch

    lock = NumberLock(PASSAGES, len(PASSAGES))
    processor = LockProcessor([lock], loaded.vocabulary, loaded.ends, 0)
    answer = loaded.tokenizer(ANSWER, add_special_tokens=False)["input_ids"]
    scores = torch.randn(1, WORDS)
    started = Clock.now()
    for turn in range(repeats):
        ids = torch.tensor([answer[: turn % len(answer)]], dtype=torch.long)
        given = scores.clone()
        given[0, answer[turn % len(answer)]] = 1e4
        processor(ids, given)
    return 1000 * (Clock.now() - started) / repeats


NAMES = {
    "lock": "数字锁", "prefix": "留用开头的缓存", "lookup": "从资料里猜词", "default": "缺省的用法",
    "batch4": "4 题成批", "batch8": "8 题成批", "static+compile": "静态缓存加 torch.compile", "bf16": "bf16",
    "int8": "8 位权重（--quantize int8）",
}  # fmt: skip


def measure(feature: Feature, pairs: int) -> None:
    """Off and on alternately; each pair is told as it comes, then the medians with their ratios."""
    told: list[tuple[Timing, Timing]] = []
    if feature.warm:
        feature.on()
    for _ in range(pairs):
        told.append((feature.off(), feature.on()))
        print(f"    {line(*told[-1])}", flush=True)
    off, on = (
        Timing(*(statistics.median(getattr(pair[n], part) for pair in told) for part in ("first", "rate")))
        for n in (0, 1)
    )
    print(f"  {NAMES[feature.name]}：{line(off, on)}", flush=True)


def line(off: Timing, on: Timing) -> str:
    first = f"首字 {off.first:.2f} → {on.first:.2f} 秒（{on.first / off.first:.2f} 倍），" if off.first else ""
    return f"{first}{off.rate:.2f} → {on.rate:.2f} 词元/秒（{on.rate / off.rate:.2f} 倍）"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m eval.bench.llm", description="语言模型的速度，各项关与开")
    parser.add_argument("--shapes", nargs="+", choices=sorted(SHAPES), default=sorted(SHAPES), help="模型的大小")
    parser.add_argument("--only", nargs="+", choices=list(NAMES), default=list(NAMES), help="只测这几项")
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], help="数的格式（缺省：这台机器上快的一种）")
    parser.add_argument("--pairs", type=int, default=2, metavar="N", help="每项关、开各测几次（缺省：2）")
    parser.add_argument("--busy", action="store_true", help="处理器另有他用：只用一个线程，按占用处理器的时间计")
    options = parser.parse_args(arguments)
    import torch

    if options.busy:
        torch.set_num_threads(1)
        Clock.now = time.process_time
    tokenizer = tokenizer_of()
    for shape in options.shapes:
        network = network_of(shape, options.dtype or "")
        loaded = made_ready(network, tokenizer, (tokenizer.eos_token_id,), CONTEXT)
        prompt = LocalModel("bench", loaded=loaded).prompt(loaded, messages(QUESTIONS[0], 0), LONGEST)[1]
        place = f"{network.device}，{network.dtype}，{torch.get_num_threads()} 线程"
        print(f"{shape}，{place}，提示 {len(prompt)} 词元，答案 {len(ANSWER)} 词元", flush=True)
        for feature in ways(network, shape, prompt):
            if feature.name in options.only:
                measure(feature, options.pairs)
        # Last: what makes the network spell an answer cannot be compiled.
        for feature in Bench(loaded, Spelling(tokenizer)).features():
            if feature.name in options.only:
                measure(feature, options.pairs)
        if "lock" in options.only:
            print(f"  数字锁：每词元 {lock_cost(loaded):.2f} 毫秒", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
