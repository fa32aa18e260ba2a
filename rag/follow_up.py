"""A follow-up made whole by a language model, where there is one; the plain road (rag.understand) stands in.

The model only words the question: what it writes is taken where it is one short line, repeats no figure that was not
said before, and is made of the words of the conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.errors import ModelMissing
from index.keyword import bigrams
from rag.errors import GenerationError
from rag.generate.model import Message, Model, written_by
from rag.generate.number_lock import NumberLock
from rag.prompts import render
from rag.types import Turn

TURNS = 3  # of the conversation that the model reads
LONGEST = 80  # characters of a question
SAID = 0.7  # share of the bigrams that were said before
TOKENS = 100


def completed_by(model: Model, question: str, history: Sequence[Turn]) -> str | None:
    """The question complete in itself, None where the model fails or writes what was not said."""
    said = [text for turn in history[-TURNS:] for text in (turn.question, turn.answer[:200])]
    told = "\n".join(f"问：{turn.question}\n答：{turn.answer[:200]}" for turn in history[-TURNS:])
    lock = NumberLock([question, *said], 0)
    request = [Message("user", render("llm_follow_up", history=told, question=question))]
    try:
        written = written_by(model, request, lock, TOKENS)
    except (GenerationError, ModelMissing):
        return None
    words, known = bigrams(written), set(bigrams("\n".join([question, *said])))
    sound = (
        words
        and "\n" not in written
        and len(written) <= LONGEST
        and lock.admits(written)
        and sum(word in known for word in words) >= SAID * len(words)
    )
    return written if sound else None
