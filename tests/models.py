"""Tiny models made in seconds, with random weights: language models with four kinds of tokenizer and a Qwen3-shaped
network, and a cross-encoder. What is measured on them is the tool, not what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes import QINGHE, SHUANGLIN, YUNZE

TEXTS = [line for text in (YUNZE, SHUANGLIN, QINGHE) for line in text.splitlines() if line]
TEXTS += ["[1][2][3][4] 1. 2. 3、 （1）", "一二三四五六七八九十百千万亿两〇 0123456789 % ％ ‰"]
TEXTS += ["PM2.5 5A G30 4×66 1-2 17.5:41.9"]
END, PAD, UNKNOWN, START, STOP = "<|endoftext|>", "<|pad|>", "<|unk|>", "<|im_start|>", "<|im_end|>"
SPECIAL = [END, PAD, UNKNOWN, START, STOP]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}"
    "{% endif %}{% endif %}"
)


def byte_level() -> Any:
    """BPE over bytes: its tokens split characters and glue digits (2025, 万吨)."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        TEXTS * 2,
        trainers.BpeTrainer(
            vocab_size=900,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return made


def unigram() -> Any:
    """Unigram with ▁ for blanks and a token for every byte, as sentencepiece writes it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pieces = {piece for text in TEXTS for size in (1, 2, 3) for piece in (text[i : i + size] for i in range(len(text)))}
    scored = [(piece.replace(" ", "▁"), -2.0 / len(piece)) for piece in sorted(pieces)][:2500]
    scored += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    vocabulary = [(word, 0.0) for word in SPECIAL] + list(dict(scored).items())
    made = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    made.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="never", split=False), decoders.Fuse()]
    )
    return made


def word_piece() -> Any:
    """WordPiece: continued words begin with ##, words are told apart by blanks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.WordPiece(unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece(cleanup=False)
    made.train_from_iterator(
        TEXTS * 2, trainers.WordPieceTrainer(vocab_size=1500, special_tokens=SPECIAL, show_progress=False)
    )
    return made


def single_characters() -> Any:
    """A token for every character."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    characters = sorted({c for text in TEXTS for c in text} | set("0123456789\n"))
    made = Tokenizer(models.WordLevel({w: i for i, w in enumerate([*SPECIAL, *characters])}, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return made


KINDS: dict[str, Callable[[], Any]] = {
    "byte-level": byte_level, "unigram": unigram, "word-piece": word_piece, "characters": single_characters,
}  # fmt: skip


def tokenizer_of(kind: str) -> Any:
    """A tokenizer of one of `KINDS` as transformers sees it, with a chat template."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=KINDS[kind](),
        eos_token=STOP,
        pad_token=PAD,
        unk_token=UNKNOWN,
        additional_special_tokens=[START, END],
        chat_template=TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def network(vocabulary: int, context: int = 4096, seed: int = 0, **shape: Any) -> Any:
    """A Qwen3-shaped network with random weights."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(seed)
    torch.set_num_threads(1)  # for networks as small as these more threads only wait for one another
    sizes = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 16, "initializer_range": 0.4, "tie_word_embeddings": False,
    } | shape  # fmt: skip
    config = Qwen3Config(vocab_size=vocabulary, max_position_embeddings=context, **sizes)
    return Qwen3ForCausalLM(config).eval()


def save_model(folder: Path, kind: str = "byte-level", context: int = 4096, seed: int = 0, **shape: Any) -> Path:
    """A whole model folder: config, safetensors, tokenizer, template."""
    tokenizer = tokenizer_of(kind)
    made = network(len(tokenizer), context, seed, **shape)
    made.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(STOP)
    made.generation_config.pad_token_id = tokenizer.convert_tokens_to_ids(PAD)
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_cross_encoder(folder: Path, labels: int = 1, seed: int = 0) -> Path:
    """A folder as a CrossEncoder is published: a BERT network that gives a pair of texts so many scores."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    folder.mkdir(parents=True)
    characters = sorted({character for text in TEXTS for character in text if not character.isspace()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, initializer_range=0.4, num_labels=labels,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder
