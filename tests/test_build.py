"""Documents into an index, out of it and replaced in it: only what changed is made again, and a failure changes
nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import SHIPPED_PLAN, add, build, embedding_texts, find_sources, indexed_text, needs_build, remove
from index.embed import DEFAULT_MODEL, load_embedder
from index.errors import DocumentError, IndexMismatch, IndexMissing, ModelMissing, OutlineError, UserError
from index.store import Index, load, save
from index.types import Cell, Chunk

ROOT = Path(__file__).parents[1]
NORTH = """北川市国民经济和社会发展第十五个五年规划纲要
到2030年,粮食产量达到50万吨以上。全市绿化率达到42.5%。
支持西山县、东山县和北川开发区建设。引导西山县、东山县和北川开发区协作。西山县粮食增产。
"""
SOUTH = """南湖县水务发展规划(2026-2030年)
新建水库3座。改造渠道120公里。
"""


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def north(tmp_path: Path) -> Path:
    return write(tmp_path / "in", "北川.txt", NORTH)


@pytest.fixture
def south(tmp_path: Path) -> Path:
    return write(tmp_path / "in", "南湖.txt", SOUTH)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the shipped plan alone, not to be changed."""
    folder = tmp_path_factory.mktemp("shipped") / "index"
    build(out=folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def ids(index: Index, doc_id: str) -> list[str]:
    return [chunk.id for chunk in index.chunks if chunk.doc_id == doc_id]


def texts(index: Index) -> set[str]:
    return {text for chunk in index.chunks for text in embedding_texts(chunk)}


# --- what is built


def test_counts_and_what_is_known_of_the_document(north: Path, out: Path) -> None:
    report = build([north], out)
    index = load(out)
    assert (report.documents, report.chunks, report.keys) == (1, len(index.chunks), index.vectors.ntotal)
    assert report.embedded == len(texts(index))
    entry = index.manifest["documents"][0]
    assert (entry["id"], entry["title"]) == ("北川", NORTH.split("\n")[0])
    assert entry["period"] == {"first": 2026, "last": 2030, "horizon": None}
    assert (entry["region"], entry["places"]) == (["北川市"], ["东山县", "北川开发区", "西山县"])
    assert not entry["shipped"]
    assert index.line("北川", 2).text == NORTH.split("\n")[1]


def test_each_sentence_of_a_paragraph_has_a_vector_of_its_own() -> None:
    chunk = Chunk("0", "甲", "paragraph", (1,), 0, 10, "第一句话。第二句话。", ("第一章 总则", "〔拟题〕目标"))
    whole, *rest = embedding_texts(chunk)
    assert whole == indexed_text(chunk) == "第一章 总则 目标\n第一句话。第二句话。"
    assert [text.removeprefix("目标 ") for text in rest] == ["第一句话。", "第二句话。"]
    alone = replace(chunk, text="第一句话。")
    assert embedding_texts(alone) == ["第一章 总则 目标\n第一句话。"]


def test_row_is_found_by_its_columns() -> None:
    cells = (Cell("指标名称", "绿化率", 3, 0), Cell("2030年", "42.5", 4, 0))
    row = Chunk("0", "甲", "row", (3, 4), 0, 8, "绿化率\n42.5", ("专栏1",), None, cells)
    assert indexed_text(row) == "专栏1\n指标名称 绿化率 2030年 42.5"


def test_search_by_vector_equals_brute_force(north: Path, south: Path, out: Path) -> None:
    build([north, south], out)
    index, embedder = load(out), load_embedder()
    stored = index.vectors.reconstruct_n(0, index.vectors.ntotal)
    embedded = embedder.embed_documents([text for chunk in index.chunks for text in embedding_texts(chunk)])
    np.testing.assert_allclose(stored, embedded, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(stored, axis=1), 1, atol=1e-5)
    questions = embedder.embed_questions(["粮食产量目标是多少", "要修几座水库", "绿化率"])
    scores, found = index.vectors.search(questions, index.vectors.ntotal)
    for row, question in enumerate(questions):
        brute = stored @ question
        np.testing.assert_allclose(scores[row], np.sort(brute)[::-1], atol=1e-6)
        np.testing.assert_allclose(brute[found[row]], scores[row], atol=1e-6)
    best = index.chunks[index.keys.chunk[found[1][0]]]
    assert "水库3座" in best.text


@pytest.mark.parametrize("names", [["北川.txt"], ["北川.txt", "南湖.txt"]])
def test_same_documents_give_the_same_bytes(tmp_path: Path, north: Path, south: Path, names: list[str]) -> None:
    sources = [north.parent / name for name in names]
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "index", "build", *sources, "--out", tmp_path / seed],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        )
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_building_again_embeds_nothing_and_gives_the_same_bytes(north: Path, out: Path) -> None:
    first = build([north], out)
    before = contents(out)
    again = build([north], out)
    assert (again.embedded, again.chunks, again.keys) == (0, first.chunks, first.keys)
    assert contents(out) == before


def test_changed_paragraph_is_all_that_is_embedded(north: Path, out: Path) -> None:
    build([north], out)
    before = load(out)
    north.write_text(NORTH.replace("42.5%", "43%"), encoding="utf-8")
    report = build([north], out)
    new = texts(load(out)) - texts(before)
    assert report.embedded == len(new) == 2, "the paragraph and its changed sentence"
    assert set(ids(load(out), "北川")) - set(ids(before, "北川")) == {load(out).chunks[1].id}


def test_changed_outline_is_seen(north: Path, out: Path) -> None:
    build([north], out)
    table = "line\tlevel\torigin\ttitle\n2\t1\t拟题\t发展目标\n3\t1\t拟题\t区域布局\n"
    write(north.parent, "北川.outline.tsv", f"# sha256\t{load(out).documents[0].sha256}\n{table}")
    build([north], out)
    index = load(out)
    assert [chunk.section[0] for chunk in index.chunks[1:]] == ["〔拟题〕发展目标", "〔拟题〕区域布局"]


def test_another_model_embeds_everything_anew(north: Path, out: Path, tmp_path: Path) -> None:
    first = build([north], out)
    other = Path(shutil.copytree(DEFAULT_MODEL, tmp_path / "model"))
    config = other / "config_sentence_transformers.json"
    config.write_text(json.dumps({**json.loads(config.read_text(encoding="utf-8")), "note": "another revision"}))
    second = build([north], out, str(other))
    assert second.embedded == first.embedded > 0
    assert load(out).manifest["embedding"]["model"] == str(other)
    assert add([north], out).embedded == 0, "add goes on with the index's own model"


# --- what is added, replaced and taken out


def test_add_touches_nothing_else(north: Path, south: Path, out: Path) -> None:
    build([north], out)
    before = load(out)
    report = add([south], out)
    index = load(out)
    assert [document.id for document in index.documents] == ["北川", "南湖"]
    assert ids(index, "北川") == ids(before, "北川")
    assert index.sections[: len(before.sections)] == before.sections
    assert report.embedded == len(texts(index) - texts(before)) > 0
    old = before.vectors.reconstruct_n(0, before.vectors.ntotal)
    np.testing.assert_array_equal(index.vectors.reconstruct_n(0, before.vectors.ntotal), old)


def test_add_is_the_same_as_building_together(north: Path, south: Path, out: Path, tmp_path: Path) -> None:
    build([north], out)
    add([south], out)
    build([north, south], tmp_path / "together")
    assert contents(out) == contents(tmp_path / "together")


def test_add_replaces_the_document_of_that_name(north: Path, south: Path, out: Path) -> None:
    build([north, south], out)
    before = load(out)
    report = add([write(south.parent, south.name, SOUTH.replace("3座", "4座"))], out)
    index = load(out)
    assert report.documents == 2
    assert ids(index, "北川") == ids(before, "北川")
    assert report.embedded == 2, "the paragraph and its changed sentence"
    assert "水库4座" in index.line("南湖", 2).text
    assert not any("3座" in chunk.text for chunk in index.chunks)


def test_remove_takes_out_one_document_whole(north: Path, south: Path, out: Path, tmp_path: Path) -> None:
    build([north, south], out)
    report = remove(["北川"], out)
    build([south], tmp_path / "south")
    assert (report.documents, report.embedded) == (1, 0)
    assert contents(out) == contents(tmp_path / "south")


def test_remove_refuses_what_it_cannot_do(north: Path, south: Path, out: Path) -> None:
    build([north, south], out)
    before = contents(out)
    with pytest.raises(DocumentError, match="没有文档 东湖：现有 北川、南湖"):
        remove(["东湖"], out)
    with pytest.raises(DocumentError, match="至少要留一个文档"):
        remove(["北川", "南湖"], out)
    assert contents(out) == before


def test_add_and_remove_need_an_index(north: Path, out: Path) -> None:
    with pytest.raises(IndexMissing, match="python -m index build"):
        add([north], out)
    with pytest.raises(IndexMissing, match="python -m index build"):
        remove(["北川"], out)
    assert not out.exists()


# --- which files are sources


def test_files_of_a_folder_in_name_order(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "sub/c.TXT"):
        write((tmp_path / name).parent, Path(name).name, "文")
    for name in (".hidden.txt", "~$open.docx", "README.md", "a.outline.tsv", "a.examples.txt", "photo.jpg"):
        write(tmp_path, name, "别的")
    (tmp_path / "folder.txt").mkdir()
    found = find_sources([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.txt", "b.md", "sub/c.TXT"]


def test_file_given_twice_is_read_once(north: Path) -> None:
    assert find_sources([north, north.parent, north.parent / ".." / "in" / "北川.txt"]) == [
        north.parent / ".." / "in" / "北川.txt"
    ]


def test_folder_without_a_readable_file(tmp_path: Path) -> None:
    write(tmp_path, "photo.jpg", "x")
    with pytest.raises(DocumentError, match=r"没有可读的文件：需要 .*docx.*pdf.*txt"):
        find_sources([tmp_path])


@pytest.mark.parametrize("second", ["a.txt", "a.md"])
def test_documents_of_one_name_are_refused(tmp_path: Path, out: Path, second: str) -> None:
    paths = [write(tmp_path / "一", "a.txt", NORTH), write(tmp_path / "二", second, SOUTH)]
    with pytest.raises(DocumentError, match=r"文件名相同.*改名"):
        build(paths, out)
    assert not out.exists()


# --- a build that fails leaves the index as it was


@pytest.mark.parametrize("cause", ["missing", "empty", "outline", "model", "name", "foreign"])
def test_failing_build_leaves_the_last_good_index(north: Path, south: Path, out: Path, cause: str) -> None:
    build([north], out)
    expected: type[UserError] = DocumentError
    sources, model = [north, south], None
    if cause == "missing":
        south.unlink()
    elif cause == "empty":
        south.write_text("")
    elif cause == "outline":
        write(south.parent, "南湖.outline.tsv", "# sha256\tof another text\n")
        expected = OutlineError
    elif cause == "model":
        model, expected = str(north.parent), ModelMissing
    elif cause == "name":
        sources.append(write(south.parent / "别处", south.name, SOUTH))
    else:
        (out / "笔记.txt").write_text("mine")
        expected = UserError
    before = contents(out)
    with pytest.raises(expected):
        build(sources, out, model)
    assert contents(out) == before
    assert [path.name for path in out.parent.iterdir() if path.name.startswith(".")] == []
    if cause != "foreign":
        assert load(out).documents[0].id == "北川"


def test_damaged_index_is_built_anew_when_asked(north: Path, out: Path) -> None:
    build([north], out)
    good = contents(out)
    (out / "chunks.jsonl").write_bytes(good["chunks.jsonl"][:100])
    report = build([north], out)
    assert report.embedded > 0, "nothing of a damaged index is trusted"
    assert contents(out) == good


# --- when the shipped plan is indexed without being asked


def test_index_of_the_shipped_plan_is_up_to_date(shipped: Path, tmp_path: Path) -> None:
    assert needs_build(tmp_path / "nowhere")
    assert not needs_build(shipped)
    assert load(shipped).documents[0].sha256 == load(shipped).manifest["documents"][0]["sha256"]


@pytest.mark.parametrize("stale", ["code", "sha256", "outline_sha256", "nicknames_sha256", "revision"])
def test_stale_index_of_the_shipped_plan_is_built_again(shipped: Path, out: Path, stale: str) -> None:
    index = load(shipped)
    entry, embedding = index.manifest["documents"][0], index.manifest["embedding"]
    changed: dict[str, dict[str, object]] = {
        "code": {"code": "0" * 16},
        "sha256": {"documents": [{**entry, "sha256": "0" * 64}]},
        "outline_sha256": {"documents": [{**entry, "outline_sha256": "0" * 64}]},
        "nicknames_sha256": {"documents": [{**entry, "nicknames_sha256": "0" * 64}]},
        "revision": {"embedding": {**embedding, "revision": "0" * 16}},
    }
    save(replace(index, manifest={**index.manifest, **changed[stale]}), out)
    assert needs_build(out)


def test_index_of_user_documents_is_never_replaced(north: Path, shipped: Path, out: Path) -> None:
    build([north], out)
    assert not needs_build(out)
    of_other_code = load(out)
    save(replace(of_other_code, manifest={**of_other_code.manifest, "code": "0" * 16}), out)
    assert not needs_build(out)
    both = Path(shutil.copytree(shipped, out.with_name("both")))
    add([north], both)
    assert not needs_build(both)


def test_index_with_a_model_of_choice_is_never_replaced(shipped: Path, out: Path) -> None:
    index = load(shipped)
    embedding = {**index.manifest["embedding"], "model": "someone/some-model"}
    save(replace(index, manifest={**index.manifest, "code": "0" * 16, "embedding": embedding}), out)
    assert not needs_build(out)


def test_own_version_of_the_shipped_plan_is_a_user_document(out: Path, tmp_path: Path) -> None:
    build([write(tmp_path / "in", SHIPPED_PLAN.name, NORTH)], out)
    assert load(out).documents[0].id == SHIPPED_PLAN.stem
    assert not needs_build(out)


def test_index_that_cannot_be_read_is_not_replaced_unasked(north: Path, out: Path) -> None:
    build([north], out)
    (out / "manifest.json").write_text("{")
    with pytest.raises(IndexMismatch, match="python -m index build"):
        needs_build(out)
