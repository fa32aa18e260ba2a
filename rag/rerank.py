"""Passages -> passages in the order a cross-encoder gives them: --reranker MODEL.

A cross-encoder reads the question and a passage together, which finds what matching words and vectors miss and takes
far longer; it is therefore asked only about what retrieval has found. Any sentence-transformers CrossEncoder that gives
one score will do, by hub name or folder. Loaded once, on first use. Weights are safetensors, code that comes with a
model is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from index.build import indexed_text
from index.embed import locate, read_json, refuse_pickle
from index.errors import ModelMissing
from rag.generate.local_llm import check_folder
from rag.types import Passage

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

KIND = "重排模型"
SCORING = ("ForSequenceClassification", "ForCausalLM")  # networks that a CrossEncoder can take a score from
BATCH = 16  # pairs of question and passage read at once
REMEMBERED = 256  # questions: the two sides of a comparison and the review of an answer search again
STEEPEST = 700.0  # log-odds beyond which a float has no probability between 0 and 1 left


class Reranker(Protocol):
    """How well each of several texts answers a question: log-odds (n_texts,), the higher the better. Raises
    ModelMissing."""

    def __call__(self, question: str, texts: Sequence[str]) -> NDArray[np.float64]: ...


def reranked(reranker: Reranker, question: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages best first by a reranker, ranks counted anew, scores its probabilities, in (0, 1]; those of equal
    score stay as they were."""
    odds = reranker(question, [indexed_text(passage.chunk) for passage in passages])
    scores = 1 / (1 + np.exp(-np.clip(odds, -STEEPEST, STEEPEST)))
    order = np.argsort(-odds, kind="stable")
    return tuple(Passage(passages[at].chunk, float(scores[at]), rank) for rank, at in enumerate(order, 1))


class CrossReranker:
    """A `Reranker` by the CrossEncoder in a folder, run by sentence-transformers on its default device. One question at
    a time: its tokenizer does not serve several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._model: CrossEncoder | None = None
        self._busy = threading.Lock()
        self._remembered = lru_cache(REMEMBERED)(self._odds)

    def __call__(self, question: str, texts: Sequence[str]) -> NDArray[np.float64]:
        return self._remembered(question, tuple(texts))

    def _odds(self, question: str, texts: tuple[str, ...]) -> NDArray[np.float64]:
        import torch

        with self._busy:
            if self._model is None:
                self._model = read_cross_encoder(self.folder)
            # Before any squashing of the model's own: what it has set differs from model to model.
            given = self._model.predict(
                [(question, text) for text in texts],
                batch_size=BATCH,
                activation_fn=torch.nn.Identity(),
                show_progress_bar=False,
            )
        odds = np.asarray(given, dtype=np.float64)
        if not np.isfinite(odds).all():
            raise ModelMissing(f"{KIND} {self.folder} 给出的分数应是有限的数，实际不是；请重新取得该模型，或换一个。")
        odds.setflags(write=False)
        return odds


def open_reranker(model: str) -> CrossReranker:
    """The reranker of that folder or hub name, fetched or from the cache; its files are looked at, its weights not yet
    read. Raises ModelMissing."""
    _, folder = locate(model, KIND)
    check_reranker(folder)
    return CrossReranker(folder)


def check_reranker(folder: Path) -> int:
    """The size of a reranker's weights in bytes. Raises ModelMissing for what is none: a network without scores (an
    embedding model) would be given random ones."""
    refuse_pickle(folder)
    size = check_folder(folder)
    networks = read_json(folder / "config.json").get("architectures") or ["未写明"]
    if not str(networks[0]).endswith(SCORING):
        raise ModelMissing(
            f"{KIND}应是给一问一文打分的模型（{SCORING[0]}），实际 {folder} 是 {networks[0]}；"
            "请换用重排模型，例如 BAAI/bge-reranker-v2-m3。"
        )
    return size


def read_cross_encoder(folder: Path) -> CrossEncoder:
    """The model of a folder, nothing fetched and no code of its own run. Raises ModelMissing."""
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder

    try:
        model: CrossEncoder = CrossEncoder(
            str(folder), trust_remote_code=False, local_files_only=True, model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelMissing(
            f"{folder} 应是能用 sentence-transformers 读取的{KIND}，实际无法读取（{type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}）；请重新取得该模型，或去掉该设置。"
        ) from error
    if model.num_labels != 1:
        raise ModelMissing(
            f"{KIND}应给出一个分数，实际 {folder} 给出 {model.num_labels} 个；"
            "请换用重排模型，例如 BAAI/bge-reranker-v2-m3。"
        )
    return model
