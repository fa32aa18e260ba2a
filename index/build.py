"""Documents -> index: read, outline, chunk, embed, write.

`build` makes an index of exactly the given sources; `add` and `remove` change one that exists. All three go through
`assemble`, which keeps what did not change: a document whose bytes and outline are the same keeps its chunks, and a
text that was embedded before by the same model keeps its vector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.chunk import chunks as chunk_document
from index.chunk import label_of
from index.embed import DEFAULT_MODEL, Embedder, files_revision, load_embedder
from index.errors import DocumentError, IndexMismatch, IndexMissing
from index.groups import Group, nicknames_file, read_nicknames, stated_groups
from index.keyword import Postings, Segmenter, bigrams, characters, make_dictionary
from index.outline import outline
from index.period import period_of
from index.prepared import Prepared, of_chunks, passage_hash, questions_file, read_questions
from index.reader import SUFFIXES, read
from index.sentences import sentences
from index.store import FORMAT, Index, Keys, Question, file_hash, load, read_manifest, save, text_hash
from index.terms import own_terms, places, region
from index.types import Chunk, Document, Section

ROOT = Path(__file__).resolve().parent
SOURCES = ROOT / "sources"
SHIPPED_PLAN = SOURCES / "changji-14fyp.txt"
DEFAULT_INDEX = ROOT.parent / "var" / "index"


@dataclass(frozen=True)
class Report:
    """What a build did: counts, and `embedded`, the texts that needed a new vector."""

    documents: int
    chunks: int
    keys: int
    embedded: int


@dataclass(frozen=True)
class Source:
    """A document ready to be indexed, with its sections and chunks. `shipped`: it is the project's own plan, which a
    user's file of the same name is not. `questions`: the prepared questions by the hash of their passage. `nicknames`:
    the names for places that a file beside it lists."""

    document: Document
    shipped: bool
    outline_sha256: str
    sections: tuple[Section, ...]
    chunks: tuple[Chunk, ...]
    questions_sha256: str = ""
    questions: Mapping[str, Sequence[Prepared]] = field(default_factory=dict)
    nicknames_sha256: str = ""
    nicknames: tuple[Group, ...] = ()


def find_sources(paths: Sequence[Path]) -> list[Path]:
    """Files as given and the readable files inside folders, in name order, each once. What lies beside a document for
    the program (outline, example questions, a README) and what an office program leaves while it runs is no source.

    Raises DocumentError for a path that does not exist and for a folder without a readable file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and _is_source(p))
            if not inside:
                kinds = "、".join(sorted(s.lstrip(".") for s in SUFFIXES))
                raise DocumentError(
                    f"文件夹 {path} 里没有可读的文件：需要 {kinds} 之一，请换一个文件夹或直接给出文件。"
                )
            found.extend(inside)
        else:
            found.append(path)
    return list({path.resolve(): path for path in found}.values())


def _is_source(path: Path) -> bool:
    name = path.name.lower()
    beside = name.endswith(".examples.txt") or path.stem.lower() == "readme"
    return path.is_file() and not beside and not name.startswith((".", "~$"))


def build(
    paths: Sequence[Path] = (SHIPPED_PLAN,),
    out: Path = DEFAULT_INDEX,
    model: str | None = None,
    progress: Callable[[str], None] = lambda message: None,
) -> Report:
    """An index of exactly these sources at `out`, reusing what an index already there has in common.

    `model`: a sentence-transformers model by name or folder, None the shipped one. Raises DocumentError, OutlineError,
    ModelMissing or UserError; an index that stood at `out` is then untouched.
    """
    embedder = load_embedder(model)
    old = _existing(out)
    documents = _unique(read_source(path, progress) for path in find_sources(paths))
    return _save(assemble([_source(document, path, old) for document, path in documents], embedder, old), out)


def add(
    paths: Sequence[Path],
    out: Path = DEFAULT_INDEX,
    progress: Callable[[str], None] = lambda message: None,
) -> Report:
    """Add documents to the index at `out`, or replace those of the same name. Raises as `build`, and IndexMissing."""
    old = load(out)
    embedder = load_embedder(old.manifest["embedding"]["model"])
    fresh = _unique(read_source(path, progress) for path in find_sources(paths))
    replaced = {document.id for document, _ in fresh}
    kept = [_kept(old, document) for document in old.documents if document.id not in replaced]
    return _save(assemble(kept + [_source(d, p, old) for d, p in fresh], embedder, old), out)


def remove(doc_ids: Sequence[str], out: Path = DEFAULT_INDEX) -> Report:
    """Take documents out of the index at `out`. Raises DocumentError for a name it does not hold."""
    old = load(out)
    held = [document.id for document in old.documents]
    for doc_id in doc_ids:
        if doc_id not in held:
            raise DocumentError(f"索引里没有文档 {doc_id}：现有 {'、'.join(held)}，请核对名称。")
    left = [_kept(old, document) for document in old.documents if document.id not in doc_ids]
    if not left:
        raise DocumentError("索引里至少要留一个文档：请先用 python -m index add 加入别的文档。")
    embedder = load_embedder(old.manifest["embedding"]["model"])
    return _save(assemble(left, embedder, old), out)


def needs_build(out: Path = DEFAULT_INDEX) -> bool:
    """Whether the shipped plan should be indexed at `out` before use: there is no index, or one of the shipped plan
    alone with the shipped model that other code, another model or another text made. An index of other documents or
    with a model of the user's choice is the user's, and never replaced.

    Raises IndexMismatch for one that cannot be read: what it held is not known.
    """
    try:
        manifest = read_manifest(out)
    except IndexMissing:
        return True
    shipped = [document["shipped"] for document in manifest["documents"]] == [True]
    if not shipped or manifest["embedding"]["model"] != DEFAULT_MODEL.name:
        return False
    held = manifest["documents"][0]
    return bool(
        manifest["code"] != code_hash()
        or held["sha256"] != file_hash(SHIPPED_PLAN)
        or held["outline_sha256"] != _outline_hash(SHIPPED_PLAN)
        or held["questions_sha256"] != _questions_hash(SHIPPED_PLAN)
        or held["nicknames_sha256"] != _nicknames_hash(SHIPPED_PLAN)
        or manifest["embedding"]["revision"] != files_revision(DEFAULT_MODEL)
    )


def read_source(path: Path, progress: Callable[[str], None]) -> tuple[Document, Path]:
    """A document and the path it was read from."""
    progress(f"读取 {path.name}")
    return read(path), path


def _unique(documents: Iterable[tuple[Document, Path]]) -> list[tuple[Document, Path]]:
    by_id: dict[str, tuple[Document, Path]] = {}
    for document, path in documents:
        if document.id in by_id:
            other = by_id[document.id][1]
            raise DocumentError(f"{other} 与 {path} 的文件名相同，引用时无法区分：请把其中一个改名。")
        by_id[document.id] = (document, path)
    return list(by_id.values())


def _outline_file(path: Path) -> Path | None:
    beside = path.with_suffix(".outline.tsv")
    return beside if beside.is_file() else None


def _outline_hash(path: Path) -> str:
    supplied = _outline_file(path)
    return file_hash(supplied) if supplied else ""


def _questions_hash(path: Path) -> str:
    beside = questions_file(path)
    return file_hash(beside) if beside else ""


def _nicknames_hash(path: Path) -> str:
    beside = nicknames_file(path)
    return file_hash(beside) if beside else ""


def _source(document: Document, path: Path, old: Index | None) -> Source:
    questions, nicknames = questions_file(path), nicknames_file(path)
    return replace(
        _cut(document, path, old),
        questions_sha256=_questions_hash(path),
        questions=read_questions(questions) if questions else {},
        nicknames_sha256=_nicknames_hash(path),
        nicknames=read_nicknames(nicknames, document) if nicknames else (),
    )


def _cut(document: Document, path: Path, old: Index | None) -> Source:
    shipped, outline_sha256 = path.resolve() == SHIPPED_PLAN, _outline_hash(path)
    if old is not None and old.manifest["code"] == code_hash():
        for known in old.manifest["documents"]:
            same = (document.id, document.sha256, outline_sha256)
            if (known["id"], known["sha256"], known["outline_sha256"]) == same:
                return replace(_kept(old, document), shipped=shipped)
    sections = outline(document, _outline_file(path))
    return Source(document, shipped, outline_sha256, sections, chunk_document(document, sections))


def _kept(old: Index, document: Document) -> Source:
    known = next(entry for entry in old.manifest["documents"] if entry["id"] == document.id)
    questions: dict[str, list[Prepared]] = {}
    for one in old.questions:
        if (chunk := old.chunks[one.chunk]).doc_id == document.id:
            questions.setdefault(passage_hash(chunk), []).append(Prepared(one.text, one.start, one.end))
    return Source(
        document,
        known["shipped"],
        known["outline_sha256"],
        tuple(section for section in old.sections if section.doc_id == document.id),
        tuple(chunk for chunk in old.chunks if chunk.doc_id == document.id),
        known["questions_sha256"],
        questions,
        known.get("nicknames_sha256", ""),  # an index of earlier code knows of none
        tuple(group for group in groups_of(known) if not group.stated),
    )


def groups_of(entry: Mapping[str, Any]) -> tuple[Group, ...]:
    """The names for several places that the manifest holds of a document; an index of earlier code holds none."""
    return tuple(Group(one["name"], tuple(one["members"]), one["stated"]) for one in entry.get("groups", ()))


def _existing(out: Path) -> Index | None:
    """The index at `out` for reuse; one that is missing, damaged or of another format is built from nothing."""
    try:
        return load(out)
    except (IndexMissing, IndexMismatch):
        return None


def indexed_text(chunk: Chunk) -> str:
    """What a chunk is found by: the titles above it, then its words; a row with its column names."""
    titles = " ".join(title.removeprefix("〔拟题〕") for title in chunk.section[-2:])
    if chunk.cells:
        return titles + "\n" + " ".join(f"{cell.column} {cell.text}" for cell in chunk.cells)
    return titles + "\n" + chunk.text


def embedding_texts(chunk: Chunk) -> list[str]:
    """The texts whose vectors lead to a chunk: the whole with its titles, and each sentence of a longer one behind the
    label of the chunk, which says what the sentence is about."""
    whole = indexed_text(chunk)
    spans = sentences(chunk.text) if not chunk.cells else ()
    if len(spans) < 2:
        return [whole]
    label = label_of(chunk)
    return [whole, *(f"{label} {chunk.text[start:end]}" for start, end in spans)]


def assemble(sources: Sequence[Source], embedder: Embedder, old: Index | None) -> tuple[Index, int]:
    """An index in memory of these documents, and how many texts had to be embedded: vectors of `old` are reused where
    model and text are the same."""
    import faiss

    chunks = tuple(chunk for source in sources for chunk in source.chunks)
    texts = [indexed_text(chunk) for chunk in chunks]
    prepared = {h: held for source in sources for h, held in source.questions.items()}
    questions = tuple(
        Question(position, one.start, one.end, one.question) for position, one in of_chunks(chunks, prepared)
    )
    asked: list[list[str]] = [[] for _ in chunks]
    for question in questions:
        asked[question.chunk] += bigrams(question.text)
    segmenter = Segmenter(make_dictionary(texts, own_terms(chunks)))
    postings = {
        "words": Postings.of([segmenter.words(text) for text in texts]),
        "bigrams": Postings.of([bigrams(text) for text in texts]),
        "characters": Postings.of([characters(text) for text in texts]),
        "questions": Postings.of(asked),
    }
    key_texts: list[str] = []
    key_chunks: list[int] = []
    for position, chunk in enumerate(chunks):
        for text in embedding_texts(chunk):
            key_texts.append(text)
            key_chunks.append(position)
    known = _known_vectors(old, embedder)
    hashes = [text_hash(text) for text in key_texts]
    missing = {h: text for h, text in zip(hashes, key_texts, strict=True) if h not in known}
    if missing:
        fresh = embedder.embed_documents(list(missing.values()))
        known |= dict(zip(missing, fresh, strict=True))
    vectors = faiss.IndexFlatIP(embedder.dimension)
    if hashes:
        vectors.add(np.stack([known[h] for h in hashes]).astype(np.float32))
    question_vectors = faiss.IndexFlatIP(embedder.dimension)
    if questions:
        question_vectors.add(embedder.embed_questions([one.text for one in questions]))
    counts = {"documents": len(sources), "chunks": len(chunks), "keys": len(hashes), "questions": len(questions)}
    index = Index(
        _manifest(sources, embedder, segmenter, counts),
        tuple(source.document for source in sources),
        tuple(section for source in sources for section in source.sections),
        chunks,
        postings,
        segmenter,
        Keys(np.array(key_chunks, dtype=np.int32), np.array(hashes, dtype="S16")),
        vectors,
        questions,
        question_vectors,
    )
    return index, len(missing)


def unprepared(index: Index) -> Index:
    """The index as it would be without prepared questions."""
    import faiss

    postings = {**index.postings, "questions": Postings.of([[] for _ in index.chunks])}
    return replace(index, postings=postings, questions=(), question_vectors=faiss.IndexFlatIP(index.question_vectors.d))


def _known_vectors(old: Index | None, embedder: Embedder) -> dict[bytes, NDArray[np.float32]]:
    if old is None or old.manifest["embedding"]["revision"] != embedder.revision or not old.vectors.ntotal:
        return {}
    stored = old.vectors.reconstruct_n(0, old.vectors.ntotal)
    return {bytes(h): vector for h, vector in zip(old.keys.text_hash, stored, strict=True)}


def _manifest(
    sources: Sequence[Source], embedder: Embedder, segmenter: Segmenter, counts: Mapping[str, int]
) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "format": FORMAT,
        "code": code_hash(),
        "documents": [
            {
                "id": source.document.id,
                "title": source.document.title,
                "source": source.document.source,
                "sha256": source.document.sha256,
                "shipped": source.shipped,
                "outline_sha256": source.outline_sha256,
                "questions_sha256": source.questions_sha256,
                "lines": len(source.document.lines),
                "chunks": len(source.chunks),
                "period": _period(source.document),
                "region": region(source.document.title, source.chunks),
                "places": places(source.chunks),
                "nicknames_sha256": source.nicknames_sha256,
                "groups": [asdict(group) for group in _groups(source)],
            }
            for source in sources
        ],
        "embedding": {
            "model": embedder.name,
            "revision": embedder.revision,
            "dimension": embedder.dimension,
            "question_prefix": embedder.question_prefix,
            "document_prefix": embedder.document_prefix,
            "normalised": True,
        },
        "tokeniser": {
            "name": "jieba",
            "version": version("jieba"),
            "dictionary_sha256": hashlib.sha256(segmenter.dictionary.encode("utf-8")).hexdigest(),
        },
        "counts": dict(counts),
    }


def _groups(source: Source) -> tuple[Group, ...]:
    """The document's own definition of a name goes before that of the file beside it."""
    stated = stated_groups(source.chunks)
    names = {group.name for group in stated}
    return (*stated, *(group for group in source.nicknames if group.name not in names))


def _period(document: Document) -> dict[str, int | None] | None:
    period = period_of(document)
    return None if period is None else {"first": period.first, "last": period.last, "horizon": period.horizon}


@cache
def code_hash() -> str:
    """First 16 hex digits of the sha256 over the modules of the write side: an index made by other code is rebuilt."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _save(assembled: tuple[Index, int], out: Path) -> Report:
    index, embedded = assembled
    save(index, out)
    counts = index.manifest["counts"]
    return Report(counts["documents"], counts["chunks"], counts["keys"], embedded)
