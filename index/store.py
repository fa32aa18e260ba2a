"""The index on disk: a folder that describes itself, is checked on load and replaced as a whole.

    manifest.json      format, documents with hashes, embedding model, tokeniser, counts, checksum of every file
    documents.jsonl    the lines of each document, verbatim
    sections.jsonl     the section tree
    chunks.jsonl       the chunks, in the order of the postings and vectors
    dictionary.txt     jieba's dictionary for this index
    postings.npz       four inverted lists (words, bigrams, characters; bigrams of the prepared questions)
    keys.npz           for each vector: its chunk, and the hash of the text it was made from
    vectors.faiss      FAISS IndexFlatIP over unit vectors
    questions.jsonl    the prepared questions (index/prepared.py), each with its chunk and the stretch that answers it
    questions.faiss    their vectors

No pickle anywhere. A new index is written beside its place and swapped in by rename; a reader that finds only the
set-aside previous folder (the process died between the two renames) puts it back. A folder that holds anything else is
never replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexMismatch, IndexMissing, UserError
from index.keyword import Postings, Segmenter
from index.types import Cell, Chunk, Document, Line, Section

if TYPE_CHECKING:
    import faiss

FORMAT = 2
FIELDS = ("words", "bigrams", "characters", "questions")
FILES = (
    "documents.jsonl",
    "sections.jsonl",
    "chunks.jsonl",
    "dictionary.txt",
    "postings.npz",
    "keys.npz",
    "vectors.faiss",
    "questions.jsonl",
    "questions.faiss",
)
# What file managers leave behind: no reason to refuse a folder.
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
REBUILD = "请运行 python -m index build 文件… --out 索引文件夹 重新建立索引（自带的规划只需 python -m index build）"


@dataclass(frozen=True)
class Keys:
    """What each vector stands for. `chunk` (n_keys,) int32: position of the chunk; `text_hash` (n_keys,) S16: first
    16 hex digits of the sha256 of the text that was embedded."""

    chunk: NDArray[np.int32]
    text_hash: NDArray[np.bytes_]


@dataclass(frozen=True)
class Question:
    """A prepared question: `text` is answered by the stretch [start, end) of the text of the chunk at `chunk`."""

    chunk: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Index:
    """An index in memory. `postings` maps each of FIELDS to its inverted lists; `question_vectors` holds a vector for
    each of `questions`, which stand in the order of their chunks."""

    manifest: Mapping[str, Any]
    documents: tuple[Document, ...]
    sections: tuple[Section, ...]
    chunks: tuple[Chunk, ...]
    postings: Mapping[str, Postings]
    segmenter: Segmenter
    keys: Keys
    vectors: faiss.Index
    questions: tuple[Question, ...]
    question_vectors: faiss.Index

    @cached_property
    def vector_matrix(self) -> NDArray[np.float32]:
        """The vectors (n_keys, dimension), not copied."""
        return _rows_of(self.vectors)

    @cached_property
    def question_matrix(self) -> NDArray[np.float32]:
        """The vectors of the questions (n_questions, dimension), not copied."""
        return _rows_of(self.question_vectors)

    @cached_property
    def question_chunks(self) -> NDArray[np.int32]:
        """(n_questions,): the chunk of each question, ascending."""
        return np.array([one.chunk for one in self.questions], dtype=np.int32)

    @cached_property
    def document_of(self) -> dict[str, Document]:
        return {document.id: document for document in self.documents}

    def line(self, doc_id: str, number: int) -> Line:
        """The line of a document by its number, from 1."""
        return self.document_of[doc_id].lines[number - 1]


def _rows_of(vectors: faiss.Index) -> NDArray[np.float32]:
    """The memory of a flat index as (n, dimension); it lives as long as the index."""
    import faiss

    if not vectors.ntotal:
        return np.zeros((0, vectors.d), dtype=np.float32)
    flat: Any = faiss.downcast_index(vectors)
    rows: NDArray[np.float32] = faiss.rev_swig_ptr(flat.get_xb(), vectors.ntotal * vectors.d)
    return rows.reshape(vectors.ntotal, vectors.d)


def text_hash(text: str) -> bytes:
    """First 16 hex digits of the sha256 of a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16].encode("ascii")


def file_hash(path: Path) -> str:
    """sha256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def save(index: Index, folder: Path) -> None:
    """Write `index` beside `folder` and swap it in; `manifest` gains the checksums of the files and its own.

    Raises UserError where the place cannot be written or holds other files; what stood there before is then untouched.
    """
    folder = folder.resolve()  # a link to a folder elsewhere stays a link
    fresh = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    try:
        _refuse_foreign(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        _write(index, fresh)
        _swap(fresh, folder)
    except OSError as error:
        raise UserError(
            f"索引写不进 {folder}（{error.strerror or error}）：请检查写权限和磁盘空间，"
            "或用 --out 指定另一个文件夹；原有索引未改动。"
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _previous(folder: Path) -> Path:
    folder = folder.resolve()
    return folder.with_name(f".{folder.name}.previous")


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    foreign = sorted({path.name for path in folder.iterdir()} - {*FILES, "manifest.json"} - LITTER)
    if foreign:
        raise UserError(
            f"{folder} 里有索引以外的文件（{foreign[0]}），不能用来放索引：请用 --out 指定一个空的或不存在的文件夹。"
        )


def _swap(fresh: Path, folder: Path) -> None:
    previous = _previous(folder)
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
    try:
        fresh.rename(folder)
    except OSError:
        if previous.exists():
            previous.rename(folder)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _write(index: Index, folder: Path) -> None:
    import faiss

    _write_jsonl(folder / "documents.jsonl", (asdict(document) for document in index.documents))
    _write_jsonl(folder / "sections.jsonl", (asdict(section) for section in index.sections))
    _write_jsonl(folder / "chunks.jsonl", (asdict(chunk) for chunk in index.chunks))
    (folder / "dictionary.txt").write_text(index.segmenter.dictionary, encoding="utf-8")
    arrays: dict[str, Any] = {}
    for name in FIELDS:
        postings = index.postings[name]
        arrays |= {f"{name}_{part}": getattr(postings, part) for part in ("starts", "chunks", "counts", "lengths")}
        arrays[f"{name}_terms"] = np.frombuffer("\n".join(postings.terms).encode("utf-8"), dtype=np.uint8)
    np.savez(folder / "postings.npz", **arrays)
    np.savez(folder / "keys.npz", chunk=index.keys.chunk, text_hash=index.keys.text_hash)
    faiss.write_index(index.vectors, str(folder / "vectors.faiss"))
    _write_jsonl(folder / "questions.jsonl", (asdict(question) for question in index.questions))
    faiss.write_index(index.question_vectors, str(folder / "questions.faiss"))
    manifest = {**index.manifest, "files": {name: file_hash(folder / name) for name in FILES}}
    manifest["seal"] = _seal(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _seal(manifest: Mapping[str, Any]) -> str:
    """First 16 hex digits of the sha256 of a manifest, its own seal left out."""
    rest = {name: value for name, value in manifest.items() if name != "seal"}
    return hashlib.sha256(json.dumps(rest, ensure_ascii=False, sort_keys=True).encode("utf-8")).hexdigest()[:16]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest alone. Raises IndexMissing where there is none, IndexMismatch where it is damaged or of another
    format."""
    if not folder.exists() and _previous(folder).exists():
        _previous(folder).rename(folder.resolve())
    path = folder / "manifest.json"
    if not path.is_file():
        raise IndexMissing(f"{folder} 里没有索引（缺 manifest.json）：{REBUILD}，或用 --index 指定已有索引的文件夹。")
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IndexMismatch(f"索引说明 {path} 读不出（{error}）：{REBUILD}。") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else "无法识别"
        raise IndexMismatch(f"索引格式应为 {FORMAT}，{folder} 里是 {found}：{REBUILD}。")
    if manifest.get("seal") != _seal(manifest):
        raise IndexMismatch(f"索引说明 {path} 与建立时不一致（可能损坏或被改动）：{REBUILD}。")
    return manifest


def load(folder: Path) -> Index:
    """Read an index back, every file checked against the manifest.

    Raises IndexMissing, or IndexMismatch for a file that is missing, damaged or does not fit the others.
    """
    manifest = read_manifest(folder)
    for name in FILES:
        path = folder / name
        if not path.is_file():
            raise IndexMismatch(f"索引不完整，{folder} 里缺 {name}：{REBUILD}。")
        if file_hash(path) != manifest["files"].get(name):
            raise IndexMismatch(f"索引文件 {path} 与建立时不一致（可能损坏或被改动）：{REBUILD}。")
    try:
        return _read(manifest, folder)
    except (KeyError, TypeError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        raise IndexMismatch(f"索引 {folder} 的内容与格式 {FORMAT} 不符（{error}）：{REBUILD}。") from error


def _read(manifest: dict[str, Any], folder: Path) -> Index:
    import faiss

    documents = tuple(
        Document(**{**row, "lines": tuple(_frozen(Line, line) for line in row["lines"])})
        for row in _read_jsonl(folder / "documents.jsonl")
    )
    sections = tuple(_frozen(Section, row) for row in _read_jsonl(folder / "sections.jsonl"))
    chunks = tuple(
        _frozen(Chunk, {**row, "cells": [_frozen(Cell, cell) for cell in row["cells"]]})
        for row in _read_jsonl(folder / "chunks.jsonl")
    )
    with np.load(folder / "postings.npz", allow_pickle=False) as arrays:
        postings = {
            name: Postings(
                tuple(arrays[f"{name}_terms"].tobytes().decode("utf-8").splitlines()),
                arrays[f"{name}_starts"],
                arrays[f"{name}_chunks"],
                arrays[f"{name}_counts"],
                arrays[f"{name}_lengths"],
            )
            for name in FIELDS
        }
    with np.load(folder / "keys.npz", allow_pickle=False) as arrays:
        keys = Keys(arrays["chunk"], arrays["text_hash"])
    vectors = faiss.read_index(str(folder / "vectors.faiss"))
    # By name, not checked field by field: there are tens of thousands, and each start waits for them.
    rows = _read_jsonl(folder / "questions.jsonl")
    questions = tuple(Question(row["chunk"], row["start"], row["end"], row["text"]) for row in rows)
    question_vectors = faiss.read_index(str(folder / "questions.faiss"))
    if (
        question_vectors.ntotal != len(questions)
        or vectors.ntotal != len(keys.chunk)
        or any(len(p.lengths) != len(chunks) for p in postings.values())
    ):
        raise ValueError("条数互不相符")
    segmenter = Segmenter((folder / "dictionary.txt").read_text(encoding="utf-8"))
    return Index(manifest, documents, sections, chunks, postings, segmenter, keys, vectors, questions, question_vectors)


def _read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _frozen(kind: type[Any], row: Mapping[str, Any]) -> Any:
    """A dataclass from its JSON form: lists become tuples, an unknown or missing field raises TypeError."""
    if row.keys() != {field.name for field in fields(kind)}:
        raise TypeError(f"{kind.__name__} 的字段不符")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in row.items()})
