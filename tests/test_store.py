"""The index on disk: what is read back is what was written, and whatever is not is refused by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import build
from index.errors import IndexMismatch, IndexMissing, UserError
from index.store import FIELDS, FILES, Index, Keys, load, read_manifest, save, text_hash

PLAN = """北川市国民经济和社会发展第十五个五年规划纲要
第一章 发展目标
到2030年,粮食产量达到50万吨以上。全市绿化率达到42.5%。
专栏1 北川市“十五五”主要指标
序号 |
指标名称 |
单位 |
2030年 |
1 |
粮食产量 |
万吨 |
50 |
2 |
绿化率 |
% |
42.5 |
"""
CURE = r"python -m index build"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a good index, not to be changed."""
    folder = tmp_path_factory.mktemp("good")
    (folder / "北川.txt").write_text(PLAN, encoding="utf-8")
    target = "到2030年,粮食产量达到50万吨以上。全市绿化率达到42.5%。"
    asked = {"passage": text_hash(target).decode(), "questions": [["一年打多少粮", 0, 20], ["绿地占几成", 20, 32]]}
    (folder / "北川.questions.jsonl").write_text(json.dumps(asked), encoding="utf-8")
    build([folder / "北川.txt"], folder / "index")
    return folder / "index"


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    """A copy of the good index, to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "index"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_equal(left: Index, right: Index) -> None:
    assert left.documents == right.documents
    assert left.sections == right.sections
    assert left.chunks == right.chunks
    assert left.segmenter.dictionary == right.segmenter.dictionary
    for name in FIELDS:
        one, other = left.postings[name], right.postings[name]
        assert one.terms == other.terms
        for part in ("starts", "chunks", "counts", "lengths"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part), strict=True)
    np.testing.assert_array_equal(left.keys.chunk, right.keys.chunk, strict=True)
    np.testing.assert_array_equal(left.keys.text_hash, right.keys.text_hash, strict=True)
    assert left.questions == right.questions
    np.testing.assert_array_equal(left.question_matrix, right.question_matrix, strict=True)
    count = left.vectors.ntotal
    assert count == right.vectors.ntotal > 0
    np.testing.assert_array_equal(left.vectors.reconstruct_n(0, count), right.vectors.reconstruct_n(0, count))


@contextmanager
def ordinary_user() -> Iterator[None]:
    """The administrator may write everywhere: step down for the while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


# --- what is written is read back


def test_round_trip(good: Path, tmp_path: Path) -> None:
    index = load(good)
    assert any(chunk.cells for chunk in index.chunks), "a table row should be among them"
    assert [one.text for one in index.questions] == ["一年打多少粮", "绿地占几成"]
    save(index, tmp_path / "deep" / "copy")
    check_equal(index, load(tmp_path / "deep" / "copy"))
    assert contents(tmp_path / "deep" / "copy") == contents(good)


def test_save_leaves_nothing_beside(good: Path, tmp_path: Path) -> None:
    for _ in range(2):
        save(load(good), tmp_path / "index")
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_nothing_is_pickled(good: Path, tmp_path: Path) -> None:
    index = load(good)
    objects = np.array([{"a": 1}] * len(index.keys.chunk), dtype=object)
    save(replace(index, keys=Keys(objects, index.keys.text_hash)), tmp_path / "index")
    with pytest.raises(IndexMismatch, match=CURE):
        load(tmp_path / "index")


# --- what is damaged is refused


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut_in_half, flip_a_bit, empty, Path.unlink])
@pytest.mark.parametrize("name", FILES)
def test_damaged_file(folder: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(folder / name)
    with pytest.raises(IndexMismatch, match=rf"{name}.*{CURE}"):
        load(folder)


@pytest.mark.parametrize("damage", [cut_in_half, empty])
def test_damaged_manifest(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder / "manifest.json")
    with pytest.raises(IndexMismatch, match=rf"manifest\.json.*{CURE}"):
        load(folder)


def test_no_bit_of_the_manifest_can_change_its_meaning(folder: Path) -> None:
    path = folder / "manifest.json"
    whole, meaning = path.read_bytes(), read_manifest(folder)
    refused = 0
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            assert read_manifest(folder) == meaning, f"byte {position}"
        except IndexMismatch:
            refused += 1
    assert refused > len(whole) * 0.7, "only layout between the values may change unnoticed"


@pytest.mark.parametrize("text", ["[]", "1", "null", '{"format": 2}', '{"format": 2, "files": []}'])
def test_manifest_of_something_else(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_text(text)
    with pytest.raises(IndexMismatch, match=CURE):
        load(folder)


def test_manifest_of_another_format(good: Path, tmp_path: Path) -> None:
    index = load(good)
    save(replace(index, manifest={**index.manifest, "format": 99}), tmp_path / "index")
    with pytest.raises(IndexMismatch, match=rf"应为 2.*是 99.*{CURE}"):
        load(tmp_path / "index")


@pytest.mark.parametrize("place", ["", "sub"])
def test_no_index(tmp_path: Path, place: str) -> None:
    with pytest.raises(IndexMissing, match=rf"manifest\.json.*{CURE}.*--index"):
        load(tmp_path / place)


def test_parts_that_do_not_fit_each_other(good: Path, tmp_path: Path) -> None:
    index = load(good)
    fewer = Keys(index.keys.chunk[:-1], index.keys.text_hash[:-1])
    save(replace(index, keys=fewer), tmp_path / "index")
    with pytest.raises(IndexMismatch, match=CURE):
        load(tmp_path / "index")
    save(replace(index, chunks=index.chunks[:-1]), tmp_path / "index")
    with pytest.raises(IndexMismatch, match=CURE):
        load(tmp_path / "index")


# --- a process that died half-way


def test_only_the_previous_index_is_left(folder: Path, good: Path) -> None:
    folder.rename(folder.with_name(".index.previous"))
    check_equal(load(folder), load(good))
    assert [path.name for path in folder.parent.iterdir()] == ["index"]


def test_previous_index_beside_the_new_one(folder: Path, good: Path) -> None:
    shutil.copytree(good, folder.with_name(".index.previous"))
    empty(folder.with_name(".index.previous") / "chunks.jsonl")
    check_equal(load(folder), load(good))
    save(load(good), folder)
    assert [path.name for path in folder.parent.iterdir()] == ["index"]


def test_swap_that_fails_puts_the_old_index_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, index, rename = contents(folder), load(folder), Path.rename

    def refuse_fresh(path: Path, target: Path) -> Path:
        if ".new-" in path.name:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse_fresh)
    with pytest.raises(UserError, match=r"写不进.*No space left"):
        save(replace(index, manifest={**index.manifest, "code": "other"}), folder)
    assert contents(folder.parent) == {f"index/{name}": data for name, data in before.items()}


# --- places where no index can or may be written


def test_file_in_place_of_a_folder(good: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for out in (tmp_path / "taken", tmp_path / "taken" / "index"):
        with pytest.raises(UserError, match=r"写不进.*--out"):
            save(load(good), out)
    assert contents(tmp_path) == {"taken": b"mine"}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_no_permission_to_write(good: Path, folder: Path) -> None:
    before = contents(folder.parent)
    index = load(good)
    folder.parent.chmod(0o555)
    try:
        with ordinary_user(), pytest.raises(UserError, match=r"写不进.*写权限"):
            save(index, folder)
    finally:
        folder.parent.chmod(0o755)
    assert contents(folder.parent) == before


@pytest.mark.parametrize("with_index", [True, False])
def test_folder_of_other_files_is_left_alone(folder: Path, good: Path, with_index: bool) -> None:
    if not with_index:
        shutil.rmtree(folder)
    folder.mkdir(exist_ok=True)
    (folder / "论文.docx").write_text("mine")
    before = contents(folder.parent)
    with pytest.raises(UserError, match=r"论文\.docx.*--out"):
        save(load(good), folder)
    assert contents(folder.parent) == before


def test_empty_folder_and_litter_are_no_obstacle(good: Path, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / ".DS_Store").write_bytes(b"\0")
    save(load(good), tmp_path / "index")
    check_equal(load(tmp_path / "index"), load(good))


def test_link_to_a_folder_stays_a_link(good: Path, folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(folder)
    index = load(good)
    for code in ("first", "second"):
        save(replace(index, manifest={**index.manifest, "code": code}), link)
        assert link.is_symlink()
        assert load(folder).manifest["code"] == code
