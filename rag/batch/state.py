"""What a row has come to, in the words of the sheets, and the counts of a list."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.batch.journal import Answered, Journal
from rag.batch.record import check_of, citation_of
from rag.types import Check, Citation

ANSWERED, REFUSED, REVIEW = "已答复", "未载明", "待人工"
# Of the answers said to be this sure, 95 in 100 are to be right (`python -m eval report`); the others want a look.
SURE = 0.9

Reply = Mapping[str, Any]


def state_of(row: Answered) -> str:
    """已答复, 未载明 or 待人工; "" for a row that asks nothing or has no reply yet."""
    if row.row.error:
        return REVIEW
    if row.reply is None:
        return ""
    statuses = set(row.reply["statuses"])
    if statuses == {"refused"} and not withdrawn(row.reply):
        return REFUSED
    sure = row.reply["record"]["confidence"] >= SURE and all(check.ok for part in parts_of(row.reply) for check in part)
    return ANSWERED if statuses == {"answered"} and sure else REVIEW


def parts_of(reply: Reply) -> list[list[Check]]:
    """The checks of each of a reply's answers."""
    return [[check_of(check) for check in part] for part in reply["checks"]]


def withdrawn(reply: Reply) -> bool:
    """Whether an answer was taken back because a figure of it did not stand in what it cites."""
    return any(not check.ok for part in parts_of(reply) for check in part)


def citations_of(reply: Reply) -> list[Citation]:
    return [citation_of(citation) for citation in reply["record"]["citations"]]


def lines_told(lines: Sequence[int], page: int | None = None) -> str:
    """第63、65–70行（第4页)"""
    runs: list[list[int]] = []
    for line in sorted(set(lines)):
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    told = "、".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"第{told}行" + (f"（第{page}页）" if page is not None else "")


def place_told(citation: Citation) -> str:
    """第三章 › 农业 第12行"""
    return f"{' › '.join(citation.section)} {lines_told(citation.lines, citation.page)}".strip()


def evidence_told(reply: Reply, titles: Mapping[str, str]) -> str:
    """One line for each citation: mark, document where there are several, section, lines, quotation."""
    return "\n".join(
        f"[{one.n}] {f'《{titles.get(one.doc, one.doc)}》' if len(titles) > 1 else ''}{place_told(one)}：“{one.quote}”"
        for one in citations_of(reply)
    )


def checks_told(reply: Reply) -> str:
    """One line for each figure of the answer: ✓ with the places it stands in, ✗ with the reason."""
    places = {one.n: lines_told(one.lines) for one in citations_of(reply)}
    told: list[str] = []
    before = 0
    for number, part in enumerate(parts_of(reply)):
        for check in part:
            at = "、".join(
                f"[{mark + before}] {places[mark + before]}" for mark in check.marks if mark + before in places
            )
            where = at or "（计数、计算所得，或出自问题）"
            told.append(f"{check.figure} ✓ {where}" if check.ok else f"{check.figure} ✗ {check.reason}")
        before += reply["marks"][number] if number < len(reply["marks"]) else 0
    return "\n".join(dict.fromkeys(told))


def remark(row: Answered) -> str:
    """What whoever reads the row should know besides."""
    if row.row.error:
        return row.row.error
    reply = row.reply
    if reply is None:
        return ""
    told = []
    if row.same_as is not None:
        told.append(f"与第{row.same_as}行的问题相同，答复一致")
    if len(row.parts) > 1:
        split = {"answered": "已答复", "refused": "未载明", "error": "未能答复"}
        states = "，".join(f"第{number}问{split[status]}" for number, status in enumerate(reply["statuses"], 1))
        told.append(f"一格含{len(row.parts)}问，已分别作答：{states}")
    told += [f"理解为：{completed}" for completed in reply["completed"]]
    told += [approval_told(approved) for approved in reply["approved"][:1]]
    if reply["record"]["status"] == "error":
        told.append(reply["record"]["error"])
    if withdrawn(reply):
        told.append("原拟答复有数字未能核对，已撤回")
    elif "answered" in reply["statuses"] and (confidence := reply["record"]["confidence"]) < SURE:
        told.append(f"置信度 {shown(confidence)}，低于 {SURE}，请对照依据核对")
    told += reply["notes"]
    return "；".join(told)


def shown(confidence: float) -> float:
    """A confidence to two places, never rounded up: 0.899 is below 0.9 and looks it."""
    return math.floor(confidence * 100) / 100


def approval_told(approved: Mapping[str, Any]) -> str:
    """已审定（2026-11-28，王敏；文件版本 7661e0df）"""
    return f"已审定（{approved['at'][:10]}，{approved['by']}；文件版本 {approved['version']}）"


@dataclass(frozen=True)
class Tally:
    """Counts of rows: `asked` those that ask something; `answered`, `refused`, `review` by state; `failed` those of
    status "error"; `unsure` those answered below SURE; `blank` rows; `repeated` questions; `several` questions in one
    cell; `approved` answers from the library."""

    asked: int = 0
    answered: int = 0
    refused: int = 0
    review: int = 0
    failed: int = 0
    unsure: int = 0
    blank: int = 0
    repeated: int = 0
    several: int = 0
    approved: int = 0


def tally(journal: Journal) -> Tally:
    counts = dict.fromkeys(Tally.__dataclass_fields__, 0)
    heading_row = journal.listing.heading_row
    for row in journal.rows():
        if not row.asks:
            counts["blank"] += row.row.number > heading_row
            continue
        state = state_of(row)
        reply = row.reply
        counts["asked"] += 1
        counts["answered"] += state == ANSWERED
        counts["refused"] += state == REFUSED
        counts["review"] += state == REVIEW
        counts["failed"] += bool(row.row.error) or (reply is not None and reply["record"]["status"] == "error")
        counts["repeated"] += row.same_as is not None
        counts["several"] += len(row.parts) > 1
        if reply is not None:
            counts["approved"] += bool(reply["approved"])
            counts["unsure"] += "answered" in reply["statuses"] and reply["record"]["confidence"] < SURE
    return Tally(**counts)
