"""The set checker: is every row of a question set true of its document?

    python -m eval check [SET…]

Everything that can be checked without understanding is: shape, types, lines within the document, key points and slots
that stand where the evidence is said to be, families on one side of a split. A set says in the file sets.json beside it
which document it was written for, by hash.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

from eval.dataset import Question, SetError, numbered_lines, question_of, says
from index.build import SHIPPED_PLAN, SOURCES
from index.chunk import chunks
from index.figures import cell_figure, equal, figures
from index.keyword import bigrams
from index.outline import outline
from index.prepared import ENDING, read_questions
from index.reader import read
from index.terms import places, region
from index.types import Document

Row = dict[str, Any]

TYPES = ("target", "fact", "table", "list", "multi", "conflict", "paraphrase", "unanswerable")
WORDINGS = ("", "official", "everyday", "short", "typo")
COMPARATORS = ("=", ">=", "<=", ">", "<", "~")
BASES = ("level", "cumulative", "annual_average", "increase", "growth")
WORKED_OUT = ("multi", "conflict")  # types whose answers may state what no line does: a sum, a contradiction
NEAR = 0.6  # Jaccard of character bigrams from which two questions are near duplicates
SIDECAR = "sets.json"
SHOWN = 20  # problems that a refusal lists


@dataclass(frozen=True)
class Problem:
    """What is wrong with the row in line `row` of a set."""

    row: int
    id: str
    reason: str

    def __str__(self) -> str:
        return f"第 {self.row} 行（{self.id}）：{self.reason}"


# --- the document of a set


def document_of(source: Path, documents: Sequence[Document]) -> Document:
    """The document, of those given, that a set was written for. One that no sets.json beside it names belongs to the
    only document there is. Raises SetError where it is not among them."""
    entry = registered(source)
    if entry is None:
        if len(documents) == 1:
            return documents[0]
        raise SetError(
            f"题集 {source.name} 没有说明是为哪个文件编写的，索引里有 {len(documents)} 个："
            f"请在 {source.with_name(SIDECAR)} 里登记（格式见 eval/sets/README.md）。"
        )
    for document in documents:
        if document.sha256 == entry["document_sha256"]:
            return document
    held = "、".join(f"{one.id}（sha256 {one.sha256[:8]}…）" for one in documents)
    raise SetError(
        f"题集 {source.name} 是为 {entry['document']}（sha256 {entry['document_sha256'][:8]}…）编写的，"
        f"索引里只有 {held}：请用 --index 指定建有该文件的索引。"
    )


def registered(source: Path) -> dict[str, str] | None:
    """What sets.json beside a set says of it, None where it says nothing. Raises SetError for a sets.json that cannot
    be read."""
    sidecar = source.with_name(SIDECAR)
    if not sidecar.is_file():
        return None
    try:
        entry = json.loads(sidecar.read_text(encoding="utf-8")).get(source.stem)
        return None if entry is None else {name: str(entry[name]) for name in ("document", "document_sha256")}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetError(
            f"{sidecar} 应为每个题集写明 document 和 document_sha256，实际读不出（{error!r}）：请更正。"
        ) from error


def shipped_document(source: Path) -> Document:
    """The shipped plan, where the set was written for it; raises SetError where for another document."""
    return document_of(source, [read(SHIPPED_PLAN)])


# --- rows


def read_rows(path: Path) -> list[Row]:
    """The rows of a set as JSON objects. Raises SetError for a line that is none."""
    rows = []
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise SetError(f"{path.name} 第 {number} 行不能用（不是 JSON：{error}）：请更正。") from error
        if not isinstance(row, dict):
            raise SetError(f"{path.name} 第 {number} 行不能用（应为 JSON 对象）：请更正。")
        rows.append(row)
    return rows


def check_set(path: Path, document: Document) -> list[Problem]:
    """Everything wrong with a set. Raises SetError where it cannot be read at all."""
    problems: list[Problem] = []
    ids: Counter[str] = Counter()
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            problems.append(Problem(number, "?", f"不是 JSON（{error}）"))
            continue
        try:
            question = question_of(row)
        except KeyError as error:
            problems.append(Problem(number, _id_of(row), f"缺少 {error.args[0]}"))
            continue
        except (ValueError, TypeError, AttributeError) as error:
            problems.append(Problem(number, _id_of(row), f"不合格式（{error}）"))
            continue
        reasons = list(faults_of(question, document))
        ids[str(question.id)] += 1
        if ids[str(question.id)] == 2:
            reasons.append("id 与前面的重复")
        problems += [Problem(number, str(question.id), reason) for reason in reasons]
    return problems


def _id_of(row: Any) -> str:
    return str(row.get("id", "?")) if isinstance(row, dict) else "?"


def faults_of(question: Question, document: Document) -> Iterator[str]:
    """What is wrong with a question, one sentence each."""
    if wrong := list(_faults_of_shape(question)):
        yield from wrong
        return
    count = len(document.lines)
    groups = (*question.gold_lines, *question.alt_gold_lines)
    if outside := sorted(line for group in groups for line in group if not 1 <= line <= count):
        yield f"依据行 {outside[0]} 不在文件里（共 {count} 行）"
        return
    if not question.answerable:
        if question.gold_lines or question.must_include:
            yield "unanswerable 的 gold_lines 和 must_include 应为空"
        return
    if not question.gold_lines or not all(groups):
        yield "gold_lines 应至少有一组，每组至少一行"
        return
    if not question.must_include or not all(question.must_include):
        yield "must_include 应至少有一组，每组至少一种说法"
        return
    evidence = " ".join(document.lines[line - 1].text for line in sorted(question.evidence))
    for group in question.must_include:
        if not any(_stands(evidence, wording) for wording in group) and question.type not in WORKED_OUT:
            yield f"要点 {'/'.join(group)} 不在依据行里"
        if question.answer and not any(_stands(question.answer, wording) for wording in group):
            yield f"要点 {'/'.join(group)} 不在标准答案里"
    for wording in question.must_not_include:
        if says(question.answer, wording):
            yield f"标准答案里有 must_not_include 的“{wording}”"
    yield from _faults_of_slots(question, evidence)


def _faults_of_shape(question: Question) -> Iterator[str]:
    texts = {"id": question.id, "family": question.family, "question": question.question, "answer": question.answer}
    for name, value in texts.items():
        if not isinstance(value, str) or (name != "answer" and not value.strip()):
            yield f"{name} 应为文字，实际是 {value!r}"
    if question.type not in TYPES:
        yield f"没有“{question.type}”这一类型（应为 {'、'.join(TYPES)} 之一）"
    if question.wording not in WORDINGS:
        yield f"没有“{question.wording}”这种问法（应为 {'、'.join(WORDINGS[1:])} 之一）"
    lines = [line for group in (*question.gold_lines, *question.alt_gold_lines) for line in group]
    if not all(type(line) is int for line in lines):
        yield "gold_lines 里应为整数行号"
    wordings = [wording for group in question.must_include for wording in group] + list(question.must_not_include)
    if not all(isinstance(wording, str) and wording.strip() for wording in wordings):
        yield "must_include、must_not_include 里应为非空的文字"
    if not all(isinstance(said, str) for turn in question.history for said in (turn.question, turn.answer)):
        yield "history 里的 question、answer 应为文字"


def _faults_of_slots(question: Question, evidence: str) -> Iterator[str]:
    slots = question.slots
    if slots is None:
        return
    if slots.comparator not in COMPARATORS:
        yield f"slots 的 comparator “{slots.comparator}”应为 {' '.join(COMPARATORS)} 之一"
    if slots.basis not in BASES:
        yield f"slots 的 basis “{slots.basis}”应为 {'、'.join(BASES)} 之一"
    if not re.fullmatch(r"\d{4}(?:-\d{4})?", slots.year):
        yield f"slots 的 year “{slots.year}”应为 2025 或 2021-2025 的样子"
    for part in slots.parts:
        gold = cell_figure(part.value, part.unit)
        if gold is None:
            yield f"slots 的 value “{part.value}”与 unit “{part.unit}”读不成一个数"
        elif not any(equal(gold, figure) for figure in figures(evidence)) and not says(evidence, part.value):
            yield f"slots 的 value “{part.value}{part.unit}”不在依据行里"


def _stands(text: str, wording: str) -> bool:
    """Whether a wording stands in `text`, as marked or, for a figure, as the same value written otherwise (20家 for
    二十家)."""
    if says(text, wording):
        return True
    found = figures(wording)
    return bool(found) and all(_among(text, figure.value) for figure in found)


def _among(text: str, value: Decimal) -> bool:
    return any(value in (figure.value, figure.value_max) for figure in figures(text))


def refuse(path: Path, problems: Sequence[Problem]) -> None:
    """Raise SetError naming the problems of a set; nothing where there are none."""
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems[:SHOWN])
        more = f"\n  ……另有 {len(problems) - SHOWN} 处" if len(problems) > SHOWN else ""
        raise SetError(f"题集 {path.name} 有 {len(problems)} 处不能用，请按 eval/sets/README.md 更正：\n{shown}{more}")


# --- between sets


def check_sets(paths: Sequence[Path]) -> tuple[list[str], list[Near]]:
    """Check sets and what lies between them: their sizes in words, and their near duplicates among the questions that
    the tool holds ready for their document. Raises SetError for the first set with problems, and for families that
    stand in two sets."""
    told: list[str] = []
    near: list[Near] = []
    sets: dict[str, Sequence[Question]] = {}
    for path in paths:
        document = shipped_document(path)
        refuse(path, check_set(path, document))
        sets[path.name] = questions = [question_of(row) for row in read_rows(path)]
        families = len({question.family for question in questions})
        told.append(f"{path.name}：{len(questions)} 题，{families} 个题族，均与 {document.id} 相符。")
        asked = [question.question for question in questions]
        near += near_duplicates(asked, prepared_questions(document), place_names(document))
    if shared := shared_families(sets):
        raise SetError("题族应整个在一个题集里，" + "；".join(shared) + "：请移到同一个题集。")
    return told, near


def shared_families(sets: dict[str, Sequence[Question]]) -> list[str]:
    """Families that stand in two sets, in words: wordings of one fact on both sides of a split make the one tell what
    the other is to measure."""
    families = {name: {question.family for question in questions} for name, questions in sets.items()}
    return [
        f"{one} 与 {other} 都有的题族：{'、'.join(sorted(families[one] & families[other]))}"
        for one, other in combinations(families, 2)
        if families[one] & families[other]
    ]


@dataclass(frozen=True)
class Near:
    """Two questions that are all but the same. `likeness`: Jaccard of their character bigrams."""

    first: str
    second: str
    likeness: float


def near_duplicates(first: Sequence[str], second: Sequence[str], names: Sequence[str]) -> list[Near]:
    """Pairs of questions, one of each list, whose character bigrams have a Jaccard index (Jaccard, 1901) above NEAR,
    numbers and `names` aside: two questions about other figures or places may still be one question."""
    of_second = [(text, _bare(text, names)) for text in second]
    holders: dict[str, list[int]] = {}
    for position, (_, grams) in enumerate(of_second):
        for gram in grams:
            holders.setdefault(gram, []).append(position)
    found = []
    for text in first:
        grams = _bare(text, names)
        shared = Counter(position for gram in grams for position in holders.get(gram, ()))
        for position, common in sorted(shared.items()):
            other, held = of_second[position]
            likeness = common / (len(grams) + len(held) - common)
            if likeness > NEAR:
                found.append(Near(text, other, likeness))
    return found


def _bare(text: str, names: Sequence[str]) -> frozenset[str]:
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "")
    text = re.sub(r"[\d.,%％]+|[“”\"'?？。,，、《》!！\s]", "", text)
    return frozenset(bigrams(text))


def place_names(document: Document) -> list[str]:
    """Names of the region a document is about and of the places in it."""
    found = chunks(document, outline(document, None))
    return sorted({*region(document.title, found), *places(found)})


def prepared_questions(document: Document) -> list[str]:
    """The questions kept beside a shipped document for its search, [] for a document that has none."""
    path = SOURCES / f"{document.id}{ENDING}"
    if not path.is_file():
        return []
    return [one.question for questions in read_questions(path).values() for one in questions]
