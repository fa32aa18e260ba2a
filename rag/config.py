"""Every setting of the read side, with its default in sight. Built once at the entry point; the parts receive values,
not the config."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from index.hub import on_hub
from rag.errors import ConfigError
from rag.generate.model import EXTRACTIVE, NAMED, check_name, check_quantize


@dataclass(frozen=True)
class Config:
    """Settings of a pipeline.

    `index`: folder of the index, None for the default place (built there when missing or out of date). `llm`: which
    answerer speaks: "extractive" quotes and needs no model, "transformers:…" and "server:…" name a language model (see
    rag/generate/model.py). `passages`: how many passages an answer comes with.
    `refuse_below`: answers whose confidence is lower are refused; None takes the value fitted on data
    (rag/weights.json). `approved`: whether answers that a person has approved are consulted first.
    `reranker`: folder or hub name of a cross-encoder that orders the passages found, None for the order of retrieval
    (see rag/rerank.py). `quantize`: "int8" to hold the weights of a model on this machine in 8 bits, None as they are.
    """

    index: Path | None = None
    llm: str = EXTRACTIVE
    passages: int = 10
    refuse_below: float | None = None
    approved: bool = True
    reranker: str | None = None
    quantize: str | None = None

    def __post_init__(self) -> None:
        check_name(self.llm)
        check_quantize(self.quantize, self.llm)
        if not 1 <= self.passages <= 100:
            raise ConfigError(f"passages 应在 1 到 100 之间，收到 {self.passages}。")
        if self.reranker is not None and not self.reranker.strip():
            raise ConfigError("--reranker 应为重排模型的文件夹或名称，收到的是空的：请写上，或去掉这个设置。")

    @property
    def to_fetch(self) -> tuple[str, ...]:
        """The models named as on the Hugging Face hub: these may be fetched."""
        named = NAMED.fullmatch(self.llm)
        models = (named["local"] if named is not None else None, self.reranker)
        return tuple(model for model in models if model and on_hub(model))


def config_from(settings: dict[str, Any]) -> Config:
    """A Config from named settings; an unknown name is an error (ConfigError)."""
    known = {field.name for field in fields(Config)}
    for name in settings:
        if name not in known:
            raise ConfigError(f"没有名为“{name}”的设置：可用的有 {'、'.join(sorted(known))}。")
    return Config(**settings)
