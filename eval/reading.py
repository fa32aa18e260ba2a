"""How well the tool finds paragraphs of other text than plans, beside plain BM25: `python -m eval reading FILE…`.

FILE holds a line of JSON for each paragraph with the questions that it answers, {"text", "qas": [{"question"}]}. Sets
for reading comprehension such as CMRC 2018 (Cui et al., A Span-Extraction Dataset for Chinese Machine Reading
Comprehension, EMNLP 2019) have this shape once each paragraph is on a line. What was learnt for plans must not hurt
other text. BM25 is over the words of jieba as it comes, with the parameters of this project's own keyword search.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.dataset import SetError
from index.build import build
from index.keyword import Postings
from rag.config import Config
from rag.errors import EmptyQuestion
from rag.pipeline import Pipeline, open_pipeline

KS = (1, 5, 10)


@dataclass(frozen=True)
class ReadingSet:
    """`gold[i]` is the number of the paragraph that answers `questions[i]`."""

    name: str
    paragraphs: tuple[str, ...]
    questions: tuple[str, ...]
    gold: tuple[int, ...]


@dataclass(frozen=True)
class Found:
    """The rank from 1 of each question's paragraph, 0 where it was not found, (n_questions,) each."""

    tool: NDArray[np.int64]
    keywords: NDArray[np.int64]


def read_reading_set(path: Path, most: int = 0) -> ReadingSet:
    """At most `most` questions (0: all) over all paragraphs of a file. Raises SetError."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        paragraphs = tuple(" ".join(row["text"].split()) for row in rows)
        asked = [(qa["question"], number) for number, row in enumerate(rows) for qa in row["qas"]]
    except OSError as error:
        raise SetError(f"应有题集 {path}，实际读不出来（{error.strerror}）：请核对路径。") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SetError(
            f'{path} 应每行是一个 JSON：{{"text": 段落, "qas": [{{"question": 问题}}]}}，'
            f"实际不是（{type(error).__name__}）：请改成这样再试。"
        ) from error
    asked = asked[:most] if most else asked
    if not asked:
        raise SetError(f"{path} 里应有问题，实际一个也没有：请核对文件。")
    return ReadingSet(path.stem, paragraphs, tuple(text for text, _ in asked), tuple(number for _, number in asked))


def find(reading: ReadingSet, bar: Callable[[int, int], None] = lambda done, total: None) -> Found:
    """Every question asked of an index that is made of the paragraphs, each a line of one document."""
    with tempfile.TemporaryDirectory(prefix="plan-qa-reading-") as place:
        source = Path(place) / f"{reading.name}.txt"
        source.write_text("\n".join(reading.paragraphs) + "\n", encoding="utf-8")
        build([source], Path(place) / "index")
        pipeline = open_pipeline(Config(Path(place) / "index"))
        ranks = []
        for number, (question, gold) in enumerate(zip(reading.questions, reading.gold, strict=True), 1):
            ranks.append(rank_of(pipeline, question, gold + 1))
            bar(number, len(reading.questions))
    return Found(np.array(ranks), keyword_ranks(reading))


def rank_of(pipeline: Pipeline, question: str, line: int) -> int:
    """The rank of the first passage of an answer or a refusal that holds a line; 0: none, or a question that the tool
    refuses to look up."""
    try:
        passages = pipeline.ask(question).passages
    except EmptyQuestion:
        return 0
    return next((rank for rank, passage in enumerate(passages, 1) if line in passage.chunk.lines), 0)


def keyword_ranks(reading: ReadingSet) -> NDArray[np.int64]:
    """Ranks (n_questions,) by BM25 over jieba's words; ties count against the paragraph."""
    import jieba

    postings = Postings.of([jieba.lcut(paragraph) for paragraph in reading.paragraphs])
    ranks = []
    for question, gold in zip(reading.questions, reading.gold, strict=True):
        scores = postings.scores(dict.fromkeys(jieba.lcut(question), 1.0))
        ranks.append(int((scores >= scores[gold]).sum()))
    return np.array(ranks)


def told(readings: Sequence[tuple[ReadingSet, Found]]) -> str:
    """A table: recall at 1, 5 and 10 and the mean reciprocal rank, of the tool and of BM25."""
    lines = [f"{'题集':<18}{'检索':<12}" + "".join(f"{f'recall@{k}':>11}" for k in KS) + f"{'MRR':>8}"]
    for reading, found in readings:
        for name, ranks in (("本工具", found.tool), ("BM25（jieba）", found.keywords)):
            shares = [float(((ranks > 0) & (ranks <= k)).mean()) for k in KS]
            reciprocal = float(np.divide(1.0, ranks, out=np.zeros(len(ranks)), where=ranks > 0).mean())
            lines.append(
                f"{reading.name:<18}{name:<12}" + "".join(f"{share:>11.3f}" for share in shares) + f"{reciprocal:>8.3f}"
            )
        lines.append(f"  {len(reading.questions):,} 个问题，{len(reading.paragraphs):,} 个段落")
    return "\n".join(lines)
