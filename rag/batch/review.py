"""What people decide about answers: accepted, edited, rejected, handed on; and what becomes of an accepted one.

A decision is about the reply that was looked at. Where a re-run gave another reply, the decision is shown as outdated
and asks to be made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from rag.batch.journal import Answered, Decision

DECIDED = {"accepted": "采纳", "edited": "改后采纳", "rejected": "退回", "reassigned": "转办"}


def reply_digest(reply: Mapping[str, Any]) -> str:
    """First 16 hex digits of the sha256 of what a reviewer looks at: the answer and what it cites."""
    told = [reply["record"]["answer"], reply["record"]["status"], reply["record"]["citations"]]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("ascii")).hexdigest()[:16]


def is_current(decision: Decision, row: Answered) -> bool:
    """Whether the reply that was decided on is still the row's."""
    return row.reply is not None and decision.reply == reply_digest(row.reply)


def decided_text(row: Answered, decision: Decision | None) -> str:
    """The answer of a row: as edited, where it was and still holds, else as it was given."""
    if decision is not None and decision.action == "edited" and is_current(decision, row):
        return decision.text
    return "" if row.reply is None else str(row.reply["record"]["answer"])
