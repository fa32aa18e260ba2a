"""A table of word vectors -> a model folder that sentence-transformers loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODULES = (
    ("", "sentence_transformers.sentence_transformer.modules.static_embedding.StaticEmbedding"),
    ("1_Normalize", "sentence_transformers.base.modules.normalize.Normalize"),
)


def write_model(folder: Path, tokenizer: Tokenizer, vectors: NDArray[np.float32]) -> None:
    """Write a StaticEmbedding model followed by Normalize, files readable by all; other files there stay.

    Written without sentence-transformers, so that the same vectors give the same bytes whatever its version.
    """
    from safetensors.numpy import save

    modules = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(MODULES)]
    settings = {
        "model_type": "SentenceTransformer",
        "prompts": {"query": "", "document": ""},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    files = {
        "modules.json": json.dumps(modules, indent=2).encode(),
        "config_sentence_transformers.json": json.dumps(settings, indent=2).encode(),
        "1_Normalize/config.json": b"{}",
        "tokenizer.json": tokenizer.to_str().encode("utf-8"),
        "model.safetensors": save({"embedding.weight": np.ascontiguousarray(vectors, dtype=np.float32)}),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)
