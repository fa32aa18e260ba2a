"""Names for several places: as a document defines them, as a file beside it lists them, and in questions. The plans and
places are made up, but for the shipped plan at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.build import SHIPPED_PLAN, add, build, groups_of
from index.errors import DocumentError
from index.groups import Group, count_of, nicknames_file, read_nicknames, spoken, stated_groups
from index.reader import read
from index.store import file_hash, load
from index.terms import places
from index.types import Chunk
from rag.config import Config
from rag.pipeline import Pipeline, open_pipeline
from rag.types import Turn
from rag.understand import Frame, is_elliptic, sides_of, understand

NAMED = "东山县、西岭市、北川县、南坪县和河口县协同发展。推进东山县、西岭市、北川县、南坪县和河口县共建。"
EAST = ("东山县", "北川县", "南坪县")


def chunk(text: str) -> Chunk:
    return Chunk("0", "doc", "paragraph", (1,), 0, len(text), text, ())


def stated(text: str) -> dict[str, tuple[str, ...]]:
    return {group.name: group.members for group in stated_groups([chunk(NAMED), chunk(text)])}


# --- as a document defines them


@pytest.mark.parametrize(
    ("text", "name", "members"),
    [
        ("东三县（东山县、北川县、南坪县）重点发展茶叶。", "东三县", EAST),
        ("加快推进东三县(东山县、北川县和南坪县)建设。", "东三县", EAST),
        ("“东三县”（即东山、北川、南坪，下同）联动。", "东三县", EAST),
        ("西部三县(市)(西岭市、东山县、河口县)率先发展。", "西部三县(市)", ("西岭市", "东山县", "河口县")),
        ("支持东山县、北川县和南坪县（以下简称东三县）发展。", "东三县", EAST),
        ("东山县、北川县和南坪县等三县（以下简称“东三县”）联动。", "东三县", EAST),
        ("东部三县即东山县、北川县、南坪县。", "东部三县", EAST),
        ("东3县包括东山县、北川县、南坪县三个县，", "东3县", EAST),
        ("在东山县、北川县、南坪县等东部三县推广。", "东部三县", EAST),
        ("建设东山、北川、南坪东三县走廊。", "东三县", EAST),
        ("东部三县一市（东山县、北川县、南坪县和西岭市）", "东部三县一市", (*EAST, "西岭市")),
        ("山区两县（北川县、河口县）", "山区两县", ("北川县", "河口县")),
        ("东部片区（东山县、北川县）", "东部片区", ("东山县", "北川县")),
        ("州府西岭市进入全省十强。", "州府", ("西岭市",)),
        ("州府所在地为西岭市。", "州府", ("西岭市",)),
    ],
)
def test_a_group_that_a_document_defines(text: str, name: str, members: tuple[str, ...]) -> None:
    assert stated(text) == {name: members}


@pytest.mark.parametrize(
    "text",
    [
        "东三县（东山县、北川县）重点发展茶叶。",  # one is missing
        "东三县（东山县、北川县等）重点发展茶叶。",
        "东三县（东山县、北川县、南坪县、河口县）重点发展茶叶。",  # one too many
        "东三县（茶叶、中药材、水果）初具规模。",  # no places
        "东三县（东山县、青云县、南坪县）联动。",  # 青云县 stands nowhere else
        "东三县（东山县、东山县、南坪县）联动。",
        "东部三县即东山县、北川县、南坪县的12个乡镇。",
        "东山县、北川县等东部三县联动。",
        "东山县、北川县、南坪县，东部三县。",  # beside each other, none the other's
        "东山县、北川县、南坪县、东部三县联动。",
        "江西三县（东山县、北川县、南坪县）",  # of another province
        "苏北三县（东山县、北川县、南坪县）",
        "支持三县（东山县、北川县、南坪县）发展。",  # no name that would tell it apart
        "青云县、东山县、北川县（以下简称东部片区）",
        "东部（东山县、北川县）以农业为主。",
        "“百里画廊”（东山县、北川县）开园。",
        "服务首府、融入首府。",
    ],
)
def test_what_defines_no_group(text: str) -> None:
    assert stated(text) == {}


def test_a_member_must_be_named_elsewhere_but_not_in_an_enumeration() -> None:
    text = "东三县（东山县、青云县、南坪县）联动。"
    assert stated(text + "青云县粮食产量达到3万吨。") == {"东三县": ("东山县", "青云县", "南坪县")}


def test_a_name_defined_in_two_ways_is_left_out() -> None:
    once = "东三县（东山县、北川县、南坪县）联动。"
    assert stated(once + "东三县（南坪县、北川县、东山县）共建。") == {"东三县": EAST}
    assert stated(once + "东三县（东山县、北川县、河口县）共建。") == {}


def test_a_group_is_no_place() -> None:
    assert places([chunk("东山县、东三县和西岭市。东山县、东三县和西岭市。")]) == ["东山县", "西岭市"]


@pytest.mark.parametrize(
    ("name", "count"),
    [("东三县", 3), ("西部两市", 2), ("东3县", 3), ("东部三县一市", 4), ("东部片区", None), ("州府", None)],
)
def test_the_count_in_a_name(name: str, count: int | None) -> None:
    assert count_of(name) == count


# --- how people say them


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("东三县", "东边那三个县有啥", "东边那三个县"),
        ("东三县", "在东部三县推广", "东部三县"),
        ("东三县", "东3县有啥", "东3县"),
        ("西三县(市)", "西三县重点发展什么", "西三县"),
        ("西三县(市)", "西部三个县市", "西部三个县市"),
        ("东边几个县", "东部几县", "东部几县"),
        ("州府", "自治州首府所在地", "自治州首府所在地"),
        ("山区两县", "山区两县", "山区两县"),
    ],
)
def test_ways_of_saying_a_name(name: str, text: str, said: str) -> None:
    match = spoken(name).search(text)
    assert match is not None
    assert match.group() == said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("西三县(市)", "山西三县"),
        ("北三县", "苏北三县"),
        ("南三县", "东南三县"),
        ("东三县", "东四县"),
        ("东三县", "东三县一市"),
        ("东三县", "东三县级公路"),
        ("东边几个县", "东边哪几个县"),
        ("州府", "服务首府"),
        ("州府", "州政府工作报告"),
    ],
)
def test_what_is_another_name(name: str, text: str) -> None:
    assert spoken(name).search(text) is None


# --- the file beside a document

PLAN = f"""\
清源州国民经济和社会发展第十五个五年规划纲要
{NAMED}
到2030年，全州粮食产量达到96万吨，森林覆盖率达到35%。
到2030年，东山县粮食产量达到21万吨，北川县粮食产量达到13万吨，南坪县粮食产量达到8万吨，西岭市粮食产量达到27万吨。
东山县建设茶叶加工园。西岭市建设会展中心。
东四县（东山县、北川县、南坪县、河口县）重点发展茶叶和中药材。
"""


def written(folder: Path, nicknames: str | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    source = folder / "qingyuan.txt"
    source.write_text(PLAN, encoding="utf-8")
    if nicknames is not None:
        source.with_name("qingyuan.places.tsv").write_text(nicknames, encoding="utf-8")
    return source


def test_a_file_of_names_is_read(tmp_path: Path) -> None:
    source = written(tmp_path, "# 说法\n\n东三县\t东山县、北川县、南坪县\n老城\t西岭市\n")
    beside = nicknames_file(source)
    assert beside is not None
    assert read_nicknames(beside, read(source)) == (Group("东三县", EAST, False), Group("老城", ("西岭市",), False))
    assert nicknames_file(tmp_path / "other.txt") is None


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("东三县\t东山县、青云县、南坪县", "第 1 行的“青云县”不是文档里的地名"),
        ("东三县\t东山、北川县、南坪县", "第 1 行的“东山”不是文档里的地名"),
        ("东三县\t东山县、北川县", "第 1 行的“东三县”应有 3 个地方，列了 2 个"),
        ("东三县 东山县、北川县、南坪县", "第 1 行应为“俗称、制表符、用顿号隔开的地名”"),
        ("东三县\t", "第 1 行应为"),
        ("\t东山县", "第 1 行应为"),
        ("东三县\t东山县、北川县、南坪县\n东三县\t东山县、北川县、河口县", "第 2 行的“东三县”前面已经有了"),
    ],
)
def test_a_file_that_does_not_fit_stops_the_build(tmp_path: Path, line: str, told: str) -> None:
    source = written(tmp_path / "in", line + "\n")
    with pytest.raises(DocumentError, match=told) as raised:
        build([source], tmp_path / "index")
    assert str(raised.value).count("。") == 1
    assert not (tmp_path / "index").exists()


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    source = written(tmp_path / "in")
    source.with_name("qingyuan.places.tsv").write_bytes("东三县\t东山县".encode("gb18030"))
    with pytest.raises(DocumentError, match=r"qingyuan\.places\.tsv 应为 UTF-8"):
        build([source], tmp_path / "index")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_names_are_held_in_the_manifest(tmp_path: Path) -> None:
    source, out = written(tmp_path / "in", "东三县\t东山县、北川县、南坪县\n"), tmp_path / "index"
    build([source], out)
    first = contents(out)
    (entry,) = load(out).manifest["documents"]
    assert groups_of(entry) == (
        Group("东四县", (*EAST, "河口县"), True),
        Group("东三县", EAST, False),
    )
    assert entry["nicknames_sha256"] == file_hash(source.with_name("qingyuan.places.tsv"))
    build([source], out)
    assert contents(out) == first, "the same documents give the same bytes"
    written(tmp_path / "in", "东三县\t东山县、北川县、河口县\n")
    assert build([source], out).embedded == 0
    assert groups_of(load(out).manifest["documents"][0])[1].members == ("东山县", "北川县", "河口县")
    other = tmp_path / "other.txt"
    other.write_text("北林县、东湾县共建。北林县、东湾县协作。", encoding="utf-8")
    add([other], out)
    assert groups_of(load(out).manifest["documents"][0])[1].members == ("东山县", "北川县", "河口县")


def test_the_document_goes_before_the_file(tmp_path: Path) -> None:
    source = written(tmp_path / "in", "东四县\t东山县、北川县、南坪县、西岭市\n")
    build([source], tmp_path / "index")
    assert groups_of(load(tmp_path / "index").manifest["documents"][0]) == (Group("东四县", (*EAST, "河口县"), True),)


# --- in questions

FRAME = Frame(
    places={name: (name,) for name in (*EAST, "西岭市")},
    groups=(Group("东三县", EAST, True), Group("州府", ("西岭市",), False)),
)


def test_a_group_stands_for_its_members() -> None:
    query = understand("东边三个县粮食产量是多少？", frame=FRAME)
    assert query.text == "东三县粮食产量是多少?"
    assert query.completed
    assert query.places == EAST
    assert {*EAST, "东三县"} <= {*query.place_names}
    assert query.group is not None
    assert query.group.asked == "东边三个县"


def test_a_name_of_one_place_is_read_as_that_place() -> None:
    query = understand("州府有哪些项目？", frame=FRAME)
    assert (query.text, query.places, query.group) == ("西岭市有哪些项目?", ("西岭市",), None)
    assert [(one.asked, one.stated) for one in query.groups] == [("州府", False)]
    assert understand("州府西岭市有哪些项目？", frame=FRAME).groups == ()


def test_a_group_beside_a_place_is_a_side_of_its_own() -> None:
    sides = sides_of(understand("西岭市和东三县的粮食产量各是多少？", frame=FRAME), FRAME)
    assert [side.places for side in sides] == [("西岭市",), EAST]


def test_a_follow_up_may_put_a_group_for_a_place() -> None:
    asked = "那东三县呢？"
    assert is_elliptic(asked)
    query = understand(asked, [Turn("西岭市粮食产量是多少？", "")], FRAME)
    assert query.text == "东三县粮食产量是多少?"


@pytest.fixture(scope="module")
def qingyuan(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tmp_path_factory.mktemp("qingyuan")
    build([written(folder, "东三县\t东山县、北川县、南坪县\n老城\t西岭市\n")], folder / "index")
    return open_pipeline(Config(index=folder / "index"))


def test_the_sentence_that_names_the_group_wins(qingyuan: Pipeline) -> None:
    for question in ("东四县重点发展什么？", "东边四个县重点发展什么？"):
        answer = qingyuan.ask(question)
        assert answer.status == "answered"
        assert "重点发展茶叶和中药材" in answer.text
        assert answer.note == ""


def test_a_figure_is_told_of_each_member(qingyuan: Pipeline) -> None:
    answer = qingyuan.ask("2030年东三县粮食产量达到多少？")
    assert answer.status == "answered"
    assert all(figure in answer.text for figure in ("21万吨", "13万吨", "8万吨"))
    assert "96万吨" not in answer.text
    assert answer.note == "按通常说法，东三县指东山县、北川县、南坪县，规划没有写明。"
    assert all(check.ok for check in answer.checks)


def test_the_figure_of_the_region_is_none_of_its_places(qingyuan: Pipeline) -> None:
    answer = qingyuan.ask("2030年东三县森林覆盖率达到多少？")
    assert answer.status == "refused"
    assert answer.text.startswith("规划没有单独写明东山县、北川县、南坪县的情况")
    assert answer.note


def test_a_nickname_of_one_place(qingyuan: Pipeline) -> None:
    answer = qingyuan.ask("2030年老城粮食产量达到多少？")
    assert (answer.status, answer.completed) == ("answered", "2030年西岭市粮食产量达到多少?")
    assert "27万吨" in answer.text
    assert answer.note == "按通常说法，老城指西岭市，规划没有写明。"


def test_a_group_defined_in_the_text(lingan: Pipeline) -> None:
    answer = lingan.ask("到2030年东三县各新建多少高标准农田？")
    assert answer.status == "answered"
    assert "8.5万亩" in answer.text
    assert "6万亩" in answer.text
    assert answer.note == ""
    seat = lingan.ask("到2030年州府新建多少高标准农田？")
    assert "溪岭市新建高标准农田12万亩" in seat.text
    assert seat.note == ""


# --- the shipped plan


def test_the_shipped_names_fit_the_shipped_plan() -> None:
    beside = nicknames_file(SHIPPED_PLAN)
    assert beside is not None
    names = {group.name: group.members for group in read_nicknames(beside, read(SHIPPED_PLAN))}
    assert names["东三县"] == ("吉木萨尔县", "奇台县", "木垒县")
    assert "首府" not in names, "in the plan's own words that is another city"


@pytest.mark.parametrize(
    ("question", "held", "line"),
    [
        ("西三县重点发展什么？", "西三县(市)重点发展现代城郊农业", 255),
        ("西边几个县重点发展什么？", "西三县(市)重点发展现代城郊农业", 255),
        ("东四县(市)重点发展什么？", "东四县(市)重点发展生态高效农业和传统优势农业", 255),
        ("东边三个县城市道路机械化清扫率要达到多少？", "东三县的机械化清扫率达到70%以上", 447),
        ("东三县哪个县成功创建国家全域旅游示范区？", "木垒县、阜康市、吉木萨尔县成功创建国家全域旅游示范区", 320),
    ],
)
def test_groups_of_the_shipped_plan(shipped: Pipeline, question: str, held: str, line: int) -> None:
    answer = shipped.ask(question)
    assert answer.status == "answered"
    assert held in answer.text
    assert (line,) in [citation.lines for citation in answer.citations]
    assert answer.note.startswith("按通常说法，")
    assert answer.note.endswith("规划没有写明。")


def test_each_place_of_a_group_is_told(shipped: Pipeline) -> None:
    answer = shipped.ask("东三县的定位是什么？")
    assert answer.status == "answered"
    assert [line[:2] for line in answer.text.splitlines()] == ["吉木", "奇台", "木垒"]


def test_which_places_a_group_has_is_told_as_no_word_of_the_plan(shipped: Pipeline) -> None:
    answer = shipped.ask("东三县是哪三个县？")
    assert answer.status == "refused"
    assert answer.note == "按通常说法，东三县指吉木萨尔县、奇台县、木垒县，规划没有写明。"


def test_a_figure_of_the_whole_prefecture_is_none_of_its_places(shipped: Pipeline) -> None:
    assert "330万亩" in shipped.ask("高标准农田要建多少亩？").text
    assert shipped.ask("东三县的高标准农田要建多少亩？").status == "refused"


def test_the_seat_of_the_prefecture(shipped: Pipeline) -> None:
    answer = shipped.ask("州府的定位是什么？")
    assert answer.completed == "昌吉市的定位是什么?"
    assert answer.text.startswith("昌吉市：按照“服务首府、融入首府”定位")
    assert answer.note == "", "the plan writes 州府昌吉市 itself"
