"""Text -> vectors, with any sentence-transformers model that is on disk or may be fetched by name.

The shipped model is a static one: an average of word vectors. It is evaluated with numpy and `tokenizers` alone, so
that a question costs neither the import of torch nor its memory; every other kind goes through sentence-transformers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelMissing
from index.hub import HUB_NAME, fetched

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

SHIPPED_MODELS = Path(__file__).parent / "models"
DEFAULT_MODEL = SHIPPED_MODELS / "plan-zh-static"

# Name of the model, lower case -> what its authors put before a question and before a document, where the model's own
# folder does not say it (https://huggingface.co/BAAI/bge-large-zh-v1.5, https://huggingface.co/intfloat/e5-large-v2).
KNOWN_PREFIXES = (
    (re.compile(r"bge-(?:small|base|large)-zh"), "为这个句子生成表示以用于检索相关文章：", ""),
    (re.compile(r"bge-(?:small|base|large)-en"), "Represent this sentence for searching relevant passages: ", ""),
    (re.compile(r"(?:^|[-/\\])e5-(?:small|base|large)(?!.*instruct)"), "query: ", "passage: "),
)

MODEL_FILES = ("*.json", "*.safetensors", "*.txt", "*.model")  # hashed into a model's revision
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


class Embedder(Protocol):
    """What the index and the retriever need of a model.

    `name`: what `load_embedder` loads it by again. `revision`: first 16 hex digits of the sha256 over the model's
    files, so that an index knows which vectors it holds. The prefixes are put before every text. Both methods return
    (n, dimension) float32 with unit rows; an empty text gives a row of zeros.
    """

    @property
    def name(self) -> str: ...
    @property
    def revision(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def question_prefix(self) -> str: ...
    @property
    def document_prefix(self) -> str: ...
    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]: ...
    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, eq=False)
class StaticEmbedder:
    """A StaticEmbedding model: the mean of the vectors of a text's tokens, scaled to length 1."""

    name: str
    revision: str
    question_prefix: str
    document_prefix: str
    tokenizer: Tokenizer = field(repr=False)
    vectors: NDArray[np.float32] = field(repr=False)

    @property
    def dimension(self) -> int:
        return int(self.vectors.shape[1])

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, self.document_prefix)

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, self.question_prefix)

    def _embed(self, texts: Sequence[str], prefix: str) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        filled = [position for position, text in enumerate(texts) if text.strip()]
        encodings = self.tokenizer.encode_batch([prefix + texts[i] for i in filled], add_special_tokens=False)
        for position, encoding in zip(filled, encodings, strict=True):
            if encoding.ids:
                rows[position] = self.vectors[encoding.ids].mean(axis=0)
        return unit_rows(rows)


@dataclass(frozen=True, eq=False)
class TransformerEmbedder:
    """Any other sentence-transformers model, run by that library on its default device."""

    name: str
    revision: str
    question_prefix: str
    document_prefix: str
    model: SentenceTransformer = field(repr=False)
    batch_size: int = 32

    @property
    def dimension(self) -> int:
        return int(cast(int, self.model.get_embedding_dimension()))

    def embed_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, self.document_prefix)

    def embed_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts, self.question_prefix)

    def _embed(self, texts: Sequence[str], prefix: str) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        filled = [position for position, text in enumerate(texts) if text.strip()]
        if filled:
            rows[filled] = self.model.encode(
                [texts[i] for i in filled], prompt=prefix, batch_size=self.batch_size, show_progress_bar=False
            )
        return unit_rows(rows)


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to Euclidean length 1; rows of zeros stay."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = rows / np.maximum(norms, np.float32(1e-12))
    return scaled


def load_embedder(model: str | Path | None = None, question_prefix: str | None = None) -> Embedder:
    """A model by folder, by the name of a shipped one, or by name on the Hugging Face hub; None: the shipped one.

    With HF_HUB_OFFLINE=1 a hub name is looked for in the cache alone. What is put before a question is, in this
    order: `question_prefix`, what the model's folder says ("prompts"), what is known of models of this name, nothing.
    Raises ModelMissing.
    """
    name, folder = locate(DEFAULT_MODEL if model is None else model)
    layers = read_layers(folder)
    refuse_pickle(folder)
    known_question, known_document = known_prefixes(name)
    own_question, own_document = own_prefixes(folder)
    question = own_question or known_question if question_prefix is None else question_prefix
    document = own_document or known_document
    revision = files_revision(folder)
    kinds = [kind for kind, _ in layers]
    if kinds[0] == "StaticEmbedding" and set(kinds[1:]) <= {"Normalize"}:
        tokenizer, vectors = read_static(folder / layers[0][1])
        return StaticEmbedder(name, revision, question, document, tokenizer, vectors)
    return TransformerEmbedder(name, revision, question, document, read_transformer(folder))


def locate(model: str | Path, kind: str = "向量模型") -> tuple[str, Path]:
    """A model's name, by which it can be loaded again, and its folder, fetched or cached; `kind` is what an error calls
    it. Raises ModelMissing."""
    folder = Path(model)
    if folder.name and folder.parent in (SHIPPED_MODELS, Path()) and (SHIPPED_MODELS / folder.name).is_dir():
        return folder.name, SHIPPED_MODELS / folder.name
    if folder.is_dir():
        return str(folder.resolve()), folder
    if isinstance(model, Path) or not HUB_NAME.fullmatch(model):
        raise ModelMissing(f"应有{kind}文件夹 {model}，实际不存在；请检查路径，或去掉该设置。")
    return model, fetched(model, kind)


def known_prefixes(name: str) -> tuple[str, str]:
    """What the authors of a model of this name or folder put before a question and before a document; nothing if
    unknown."""
    for pattern, question, document in KNOWN_PREFIXES:
        if pattern.search(name.lower()):
            return question, document
    return "", ""


def own_prefixes(folder: Path) -> tuple[str, str]:
    """What a model's folder says is put before a question and before a document. Raises ModelMissing."""
    path = folder / "config_sentence_transformers.json"
    if not path.is_file():
        return "", ""
    try:
        prompts = read_json(path).get("prompts") or {}
        return prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or ""
    except AttributeError as error:
        raise damaged(path, error) from error


def read_layers(folder: Path) -> list[tuple[str, str]]:
    """The modules of a sentence-transformers model in order: class name and sub-folder. Raises ModelMissing."""
    path = folder / "modules.json"
    if not path.is_file():
        raise ModelMissing(
            f"{folder} 应是 sentence-transformers 模型文件夹，实际没有 modules.json；请给出完整的模型文件夹。"
        )
    try:
        layers = [(str(layer["type"]).rsplit(".", 1)[-1], str(layer["path"])) for layer in read_json(path)]
    except (TypeError, KeyError) as error:
        raise damaged(path, error) from error
    if not layers:
        raise damaged(path, "empty")
    return layers


def refuse_pickle(folder: Path) -> None:
    """Raise ModelMissing where weights lie as pickle only: reading a pickle runs the code in it."""
    pickles = {path.parent for kind in PICKLES for path in folder.rglob(kind)}
    for place in sorted(pickles):
        if not any(place.glob("*.safetensors")):
            raise ModelMissing(
                f"模型权重应为 safetensors 格式，实际 {place} 里只有 pickle 格式，出于安全不予读取；"
                "请换用带 model.safetensors 的版本。"
            )


def read_json(path: Path) -> Any:
    """The value of a JSON file of a model. Raises ModelMissing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def damaged(path: Path, cause: object) -> ModelMissing:
    """The error for a file of a model that is missing or cannot be read."""
    reason = type(cause).__name__ if isinstance(cause, Exception) else cause
    return ModelMissing(f"模型文件 {path} 应完整可读，实际缺失或已损坏（{reason}）；请重新取得该模型，或使用自带模型。")


def files_revision(folder: Path) -> str:
    """First 16 hex digits of the sha256 over names and contents of the files a model consists of."""
    digest = hashlib.sha256()
    paths = {path for pattern in MODEL_FILES for path in folder.rglob(pattern) if path.is_file()}
    for path in sorted(paths):
        with path.open("rb") as file:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    return digest.hexdigest()[:16]


def read_static(folder: Path) -> tuple[Tokenizer, NDArray[np.float32]]:
    """The tokenizer and the vectors (tokens, dimension) of a StaticEmbedding module. Raises ModelMissing.

    model2vec stores "embeddings" and, where its vocabulary is quantised, a row number and a weight for each token.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights_path, tokenizer_path = folder / "model.safetensors", folder / "tokenizer.json"
    try:
        weights = load_file(weights_path)
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise damaged(weights_path, error) from error
    vectors = weights.get("embedding.weight", weights.get("embeddings"))
    if vectors is None or vectors.ndim != 2 or not np.isfinite(vectors).all():
        raise damaged(weights_path, "no finite matrix of vectors")
    if "mapping" in weights:
        vectors = vectors[weights["mapping"]]
    vectors = vectors.astype(np.float32, copy=False)
    if "weights" in weights:
        vectors = vectors * weights["weights"].astype(np.float32)[:, None]
    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_path))
    except Exception as error:  # the Rust side of tokenizers raises nothing more specific
        raise damaged(tokenizer_path, error) from error
    if tokenizer.get_vocab_size() > len(vectors):
        raise damaged(weights_path, f"{tokenizer.get_vocab_size()} tokens, {len(vectors)} vectors")
    tokenizer.no_padding()
    return tokenizer, vectors


def read_transformer(folder: Path) -> SentenceTransformer:
    """A model run by sentence-transformers, code that comes with a model refused. Raises ModelMissing."""
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(
            str(folder), trust_remote_code=False, local_files_only=True, model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError, SafetensorError) as error:
        raise ModelMissing(
            f"{folder} 应是能用 sentence-transformers 读取的模型，实际无法读取（{type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else ''}）；请重新取得该模型，或使用自带模型。"
        ) from error
