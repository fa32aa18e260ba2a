"""What people decide about answers: accepted, edited, rejected, handed on; and what becomes of an accepted one.

A decision is about the reply that was looked at. It stands as long as a re-run gives the same answer with the same
quotations, wherever these stand now; where it gives another, the decision is shown as outdated and asks to be made
again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from index.errors import UserError
from rag.batch.journal import Answered, Decision, Journal
from rag.batch.record import citation_of
from rag.pipeline import Pipeline
from rag.types import Check

DECIDED = {"accepted": "采纳", "edited": "改后采纳", "rejected": "退回", "reassigned": "转办"}


class ReviewError(UserError):
    """A decision cannot be made as asked."""


def reply_digest(reply: Mapping[str, Any]) -> str:
    """First 16 hex digits of the sha256 of what a reviewer looks at: the answer and what it quotes."""
    told = [reply["record"]["answer"], reply["record"]["status"], quoted(reply["record"])]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()[:16]


def quoted(record: Mapping[str, Any]) -> list[list[str]]:
    """What an answer quotes, document and words of each mark: what stays the same where lines only move."""
    return [[citation["doc"], citation["quote"]] for citation in record["citations"]]


def is_current(decision: Decision, row: Answered) -> bool:
    """Whether the reply that was decided on is still the row's, or has become what was decided: the answer in the
    reviewer's words, served from the library, which knows whether its sources stand."""
    if row.reply is None:
        return False
    served = bool(row.reply["approved"]) and row.reply["record"]["answer"] == decision.text
    return served or decision.reply == reply_digest(row.reply)


def decided_text(row: Answered, decision: Decision | None) -> str:
    """The answer of a row: as edited, where it was and still holds, else as it was given."""
    if decision is not None and decision.action == "edited" and is_current(decision, row):
        return decision.text
    return "" if row.reply is None else str(row.reply["record"]["answer"])


def recheck(pipeline: Pipeline, row: Answered, text: str) -> tuple[Check, ...]:
    """The figures of an answer as it is being edited, against what the row's answer cites. Raises ReviewError for a row
    without a reply."""
    if row.reply is None or row.unit is None:
        raise ReviewError(f"第{row.row.number}行还没有答复：请等它答完再审核。")
    record = row.reply["record"]
    if record["status"] == "error":
        return ()
    citations = [citation_of(citation) for citation in record["citations"]]
    return pipeline.recheck(row.parts, row.history, text, citations, record["status"])


def decide(
    pipeline: Pipeline, journal: Journal, row: Answered, action: str, by: str, at: str, text: str, recipient: str = ""
) -> Decision:
    """Keep what a reviewer decided: "accepted" (with `text`, which makes it "edited" where it is another than the
    answer), "rejected", or "reassigned" to `recipient`. An accepted answer to one question goes into the library.

    Raises ReviewError where name or recipient are missing, UnsoundAnswer where a figure does not stand in what is
    cited; nothing is then kept.
    """
    by, text, recipient = by.strip(), text.strip(), recipient.strip()
    if not by:
        raise ReviewError("审核要留名：请先填“审核人”。")
    if row.reply is None:
        raise ReviewError(f"第{row.row.number}行还没有答复：请等它答完再审核。")
    if action == "reassigned" and not recipient:
        raise ReviewError("转办要有去处：请填“转给”。")
    record = row.reply["record"]
    if action == "accepted":
        if not text:
            raise ReviewError("答复是空的，不能采纳：请写出答复，或退回、转办。")
        if record["status"] != "error":
            _keep(pipeline, row, record, by, at, text)
        action = "accepted" if text == record["answer"].strip() else "edited"
    decision = Decision(row.position, reply_digest(row.reply), action, by, at, text, recipient)
    journal.decide(decision)
    return decision


def _keep(pipeline: Pipeline, row: Answered, record: Mapping[str, Any], by: str, at: str, text: str) -> None:
    """Put an accepted answer into the library, or where it answers several questions, check it at least."""
    citations = [citation_of(citation) for citation in record["citations"]]
    if len(row.parts) == 1 and pipeline.library is not None:
        pipeline.approve(row.parts[0], row.history, text, citations, record["status"], by, at)
        return
    if failed := [check for check in recheck(pipeline, row, text) if not check.ok]:
        reasons = "；".join(f"{check.figure}：{check.reason}" for check in failed)
        raise ReviewError(f"答复没有通过数字核对，不能采纳（{reasons}）：请改成所引原文中的数字。")
