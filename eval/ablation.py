"""What each part of the tool is worth: the same questions with a part left out, side by side.

    python -m eval ablate --set dev --out DIR

Weights stay as fitted: a variant shows what the part does in the tool as it is, not how well the rest could do had it
been fitted without. The tool as it is has no reranker; where one is set, it is one variant more. Words met are left out
of the choice of evidence alone: the judge of refusals still sees them.

The noise curve gives the answerer the evidence, together with distractors: the best passages without evidence, so many
that their share of all passages given is 0, 0.4 or 0.8 (Chen et al., Benchmarking Large Language Models in
Retrieval-Augmented Generation, AAAI 2024, noise robustness). At 0 it shows how well the answerer does where retrieval
is perfect. Only questions with evidence are asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from eval.dataset import Question
from eval.fit import without_prepared
from eval.metrics import Ratio, Scored, completed_at, ratios, scores
from eval.run import Plan, answer, prepare, response_of, unaided
from eval.stats import Interval, difference_interval, ratio_interval
from rag.config import Config
from rag.pipeline import Pipeline, Reply, open_pipeline
from rag.retrieve import Retriever
from rag.select import Selector
from rag.types import Evidence, Passage, Query, Worked

KEYWORD = ("words", "bigrams", "characters", "lexicon")
DENSE = ("whole", "sentence")
NOISE = (0.0, 0.4, 0.8)
MEASURED = ("accuracy", "target_exact", "recall@5", "recall@10", "mrr@10", "refusal_f1", "evidence_recall")
MET = ("met", "met_around", "lacking", "lacking_share", "asked_met")  # features of rag.select made by rag.align
FULL = "完整"
RERANKED = "加重排模型"


@dataclass(frozen=True)
class WithoutLexicon(Pipeline):
    """The pipeline with no everyday words turned into official ones."""

    def reply(self, query: Query) -> Reply:
        return super().reply(replace(query, terms={}))


@dataclass(frozen=True)
class RetrieverWithoutLexicon(Retriever):
    """For the questions within a question, which look their words up anew."""

    def __call__(self, query: Query, k: int) -> tuple[Passage, ...]:
        return super().__call__(replace(query, terms={}), k)


@dataclass(frozen=True)
class SelectorWithoutLexicon(Selector):
    """As RetrieverWithoutLexicon."""

    def __call__(self, query: Query, passages: Sequence[Passage]) -> tuple[Evidence, ...]:
        return super().__call__(replace(query, terms={}), passages)


@dataclass(frozen=True)
class WithoutRegister(Pipeline):
    """The pipeline with no answers read off the register of targets."""

    def from_register(self, query: Query) -> Worked | None:
        return None


@dataclass(frozen=True)
class Diluted(Retriever):
    """Gives the passages of the evidence (lines of document `doc`) and the best of the others, these being `noise` of
    all given. `evidence` is that of the question about to be asked, put in before each: so one pipeline, whose register
    takes long to make, serves all questions."""

    doc: str = ""
    evidence: set[int] = field(default_factory=set)
    noise: float = 0.0

    def __call__(self, query: Query, k: int) -> tuple[Passage, ...]:
        found = super().__call__(query, len(self.index.chunks))
        right = [one for one in found if one.chunk.doc_id == self.doc and self.evidence & set(one.chunk.lines)][:k]
        held = {one.chunk.id for one in right}
        others = [one for one in found[: 2 * k] if one.chunk.id not in held]
        count = min(round(len(right) * self.noise / (1 - self.noise)), k - len(right))
        given = sorted([*right, *others[:count]], key=lambda one: one.rank)
        return tuple(replace(one, rank=rank) for rank, one in enumerate(given, 1))


def variants(pipeline: Pipeline) -> dict[str, Pipeline]:
    """The pipeline whole, with parts left out, and, where it has one, with its reranker, by name."""
    whole = replace(pipeline, reranker=None)
    parts = parts_of(whole)

    def only(scorers: Sequence[str]) -> Pipeline:
        weights = {n: w for n, w in whole.retrieve.weights.items() if n in scorers or n == "heading"}
        return replace(whole, retrieve=replace(whole.retrieve, weights=weights))

    lexiconless = {
        "retrieve": RetrieverWithoutLexicon(**parts_of(whole.retrieve)),
        "select": SelectorWithoutLexicon(**parts_of(whole.select)),
    }
    unmet = {name: weight for name, weight in whole.select.weights.items() if name not in MET}
    return {
        FULL: whole,
        "只用 BM25": only(KEYWORD),
        "只用向量": only(DENSE),
        "不用词典": WithoutLexicon(**(parts | lexiconless)),
        "不用备用问题": without_prepared(whole),
        "不用逐词比对": replace(whole, select=replace(whole.select, weights=unmet)),
        "不用台账": WithoutRegister(**parts),
        **({RERANKED: pipeline} if pipeline.reranker is not None else {}),
    }


def parts_of(whole: Pipeline | Retriever | Selector) -> dict[str, Any]:
    """What a part of the tool was made from, by the names of its fields."""
    return {one.name: getattr(whole, one.name) for one in fields(whole) if one.init}


def diluted(
    pipeline: Pipeline, questions: Iterable[Question], doc: str, noise: float
) -> Iterator[tuple[Question, Pipeline]]:
    """The questions one after the other, each with the pipeline given its evidence among distractors."""
    retriever = Diluted(**parts_of(pipeline.retrieve), doc=doc, noise=noise)
    given = replace(pipeline, retrieve=retriever)
    for question in questions:
        retriever.evidence.clear()
        retriever.evidence.update(question.evidence)
        yield question, given


def scored_by(plan: Plan, asked: Iterable[tuple[Question, Pipeline]]) -> list[Scored]:
    """Questions, each answered by its pipeline, scored. What a pipeline raises stops the ablation."""
    found = []
    for question, pipeline in asked:
        response = response_of(answer(pipeline, question), pipeline.index, plan.document.id)
        rank = completed_at(question, response.retrieved)
        found.append(Scored(question, response.refused, scores(question, response), rank))
    return found


def ablate(
    source: Path, out: Path, config: Config | None = None, progress: Callable[[int, int], None] = lambda d, t: None
) -> dict[str, Any]:
    """Answer a set with every variant and at every noise; write DIR/ablation.json and DIR/ablation.md and return the
    former: {"set", "variants": {name: {metric: figure}}, "noise": {share: {metric: figure}}}. A figure has "value",
    "n", the 95% interval "low", "high", and, for accuracy of a variant, "change" from the whole with "change_low",
    "change_high".

    Raises what eval.run.prepare raises.
    """
    out.mkdir(parents=True, exist_ok=True)
    plan = prepare(source, out, unaided(config))
    pipeline = open_pipeline(plan.config)
    tried = variants(pipeline)
    steps = len(tried) + len(NOISE)
    answerable = [question for question in plan.questions if question.answerable]
    result: dict[str, Any] = {"set": plan.name, "set_sha256": plan.set_sha256, "variants": {}, "noise": {}}
    whole: list[Scored] = []
    for done, (name, variant) in enumerate(tried.items(), 1):
        scored = scored_by(plan, ((question, variant) for question in plan.questions))
        whole = whole or scored
        result["variants"][name] = measured(scored)
        if name != FULL:
            result["variants"][name]["accuracy"] |= change(scored, whole)
        progress(done, steps)
    for done, noise in enumerate(NOISE, len(tried) + 1):
        scored = scored_by(plan, diluted(tried[FULL], answerable, plan.document.id, noise))
        result["noise"][f"{noise:g}"] = measured(scored, ("accuracy", "target_exact", "key_point_recall"))
        progress(done, steps)
    (out / "ablation.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "ablation.md").write_text(told(result) + "\n", encoding="utf-8")
    return result


def measured(scored: Sequence[Scored], names: Sequence[str] = MEASURED) -> dict[str, dict[str, float | None]]:
    """Figures of one variant by metric."""
    every = ratios(scored)
    return {name: _figure(every[name]) for name in names if every[name].n}


def _figure(ratio: Ratio) -> dict[str, float | None]:
    value = ratio.value
    interval = ratio_interval(ratio.numerators, ratio.denominators, ratio.families)
    return {"value": None if value is None else round(value, 6), "n": ratio.n, **_edges(interval, "")}


def change(scored: Sequence[Scored], whole: Sequence[Scored]) -> dict[str, float | None]:
    """How accuracy differs from that of the whole pipeline on the same questions, with the interval of the paired
    difference."""
    pairs = list(zip(scored, whole, strict=True))
    differences = [(one.scores["accuracy"] or 0.0) - (other.scores["accuracy"] or 0.0) for one, other in pairs]
    interval = difference_interval(differences, [one.question.family for one in scored])
    return {"change": round(sum(differences) / len(differences), 6), **_edges(interval, "change_")}


def _edges(interval: Interval | None, prefix: str) -> dict[str, float | None]:
    return {f"{prefix}low": round(interval.low, 6), f"{prefix}high": round(interval.high, 6)} if interval else {}


def told(result: dict[str, Any]) -> str:
    """The ablation as Markdown tables."""
    lines = [f"题集 {result['set']}，百分数，括号内为按题族自助抽样的 95% 区间。", ""]
    names = [name for name in MEASURED if any(name in figures for figures in result["variants"].values())]
    lines += [
        "| | " + " | ".join(names) + " | 正确率之差 |",
        "| --- |" + " ---: |" * (len(names) + 1),
    ]
    for variant, figures in result["variants"].items():
        accuracy = figures["accuracy"]
        differs = "—"
        if "change_low" in accuracy:
            low, high = 100 * accuracy["change_low"], 100 * accuracy["change_high"]
            differs = f"{100 * accuracy['change']:+.1f}（{low:+.1f}–{high:+.1f}）"
        lines.append(f"| {variant} | " + " | ".join(_cell(figures.get(name)) for name in names) + f" | {differs} |")
    lines += ["", "| 干扰段落占比 | 正确率 | 目标值全对 | 要点召回 |", "| ---: | ---: | ---: | ---: |"]
    for noise, figures in result["noise"].items():
        cells = [_cell(figures.get(name)) for name in ("accuracy", "target_exact", "key_point_recall")]
        lines.append(f"| {noise} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(figure: dict[str, float] | None) -> str:
    if figure is None:
        return "—"
    edges = f"（{100 * figure['low']:.1f}–{100 * figure['high']:.1f}）" if "low" in figure else ""
    return f"{100 * figure['value']:.1f}{edges}"
