"""Fit the weights of the read side on the development questions: `python -m eval fit`.

Three small models, written to rag/weights.json:

fusion     which passage holds the evidence, from the scorers of rag.retrieve
evidence   which sentence, row or item answers, from the features of rag.select
refusal    whether the documents answer at all, from the features of rag.judge (gradient-boosted trees)

The first two are linear and maximise the log of the probability (softmax over all candidates of a question) that falls
on right candidates, with an L2 penalty: listwise learning to rank after Cao et al., Learning to Rank: From Pairwise
Approach to Listwise Approach (2007), with one set of right candidates in place of a full ranking.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.dataset import Question, key_points
from rag.judge import FEATURES as REFUSAL_FEATURES
from rag.judge import Boosted, Split, features_of
from rag.phrase import row_words
from rag.pipeline import CONSIDERED, EVIDENCE_FROM, Pipeline
from rag.retrieve import SCORERS
from rag.select import FEATURES as EVIDENCE_FEATURES
from rag.types import Evidence, Query
from rag.understand import understand

FUSION_PENALTY = 1e-3
EVIDENCE_PENALTY = 3e-4
TREES, DEPTH, RATE, SEEDS = 100, 2, 0.08, 4
FALSE_REFUSALS = 0.02  # share of the answerable questions given up for refusing the others
FOLDS = 10


def fit_listwise(
    questions: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], penalty: float
) -> NDArray[np.float64]:
    """Weights (n_features,) from questions given as features (n_candidates, n_features) and which candidates are
    right (n_candidates,); questions without a right candidate are passed over."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    usable = [(features, right) for features, right in questions if right.any()]
    size = usable[0][0].shape[1]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value = penalty * float(weights @ weights)
        gradient = 2 * penalty * weights
        for features, right in usable:
            scores = features @ weights
            share = np.exp(scores - scores.max())
            share /= share.sum()
            held = float(share[right].sum())
            value -= np.log(max(held, 1e-300)) / len(usable)
            wanted = np.where(right, share, 0.0) / max(held, 1e-300)
            gradient += features.T @ (share - wanted) / len(usable)
        return value, gradient

    return np.asarray(minimize(loss, np.zeros(size), jac=True, method="L-BFGS-B").x)


def fit_refusal(features: NDArray[np.float64], answerable: NDArray[np.bool_]) -> Boosted:
    """Gradient-boosted trees for the probability that a question is answerable, from features (n, n_features) in the
    order of rag.judge.FEATURES: the mean of SEEDS models, each on other random subsamples, since one alone depends on
    its draw. The same data give the same trees."""
    from sklearn.ensemble import GradientBoostingClassifier

    trees: list[tuple[Split, ...]] = []
    for seed in range(SEEDS):
        model = GradientBoostingClassifier(
            n_estimators=TREES, max_depth=DEPTH, learning_rate=RATE, subsample=0.7, random_state=seed
        ).fit(features, answerable)
        trees += [_splits(estimator.tree_, RATE / SEEDS) for (estimator,) in model.estimators_]
    share = float(answerable.mean())
    return Boosted(round(float(np.log(share / (1 - share))), 6), tuple(trees))


def _splits(tree: Any, scale: float) -> tuple[Split, ...]:
    """A tree of scikit-learn as nodes, its leaves multiplied by `scale`."""
    return tuple(
        Split(
            REFUSAL_FEATURES[tree.feature[node]] if tree.children_left[node] >= 0 else "",
            round(float(tree.threshold[node]), 5),
            int(tree.children_left[node]),
            int(tree.children_right[node]),
            round(scale * float(tree.value[node].item()), 6),
        )
        for node in range(tree.node_count)
    )


def confidences(model: Boosted, rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """The model's probability (n,) for each row of features."""
    return np.array([1 / (1 + np.exp(-model.log_odds(row))) for row in rows])


def fold_of(family: str, folds: int) -> int:
    """The fold of a family of questions: wordings of one fact never stand on both sides of a split."""
    return int(hashlib.sha256(f"fold {family}".encode()).hexdigest(), 16) % folds


@dataclass(frozen=True)
class Prepared:
    """What the models are fitted on, one entry for each question."""

    questions: list[Question]
    queries: list[Query]
    scorers: list[dict[str, NDArray[np.float32]]]


def prepare(pipeline: Pipeline, questions: list[Question]) -> Prepared:
    """Understand every question and run every scorer of the retriever."""
    queries = [understand(q.question, q.history, pipeline.frame) for q in questions]
    return Prepared(questions, queries, [pipeline.retrieve.scores(query) for query in queries])


def fusion_examples(pipeline: Pipeline, data: Prepared) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Every chunk's scores, and which chunks hold the evidence."""
    chunks = pipeline.index.chunks
    examples = []
    for question, scores in zip(data.questions, data.scorers, strict=True):
        features = np.stack([scores[name] for name in SCORERS], axis=1).astype(np.float64)
        right = np.array([c.kind != "heading" and bool(question.evidence & set(c.lines)) for c in chunks])
        examples.append((features, right & question.answerable))
    return examples


def found_evidence(pipeline: Pipeline, data: Prepared) -> list[tuple[Evidence, ...]]:
    """Evidence of every question, as the pipeline selects it."""
    return [pipeline.select(query, pipeline.retrieve(query, CONSIDERED)[:EVIDENCE_FROM]) for query in data.queries]


def evidence_examples(
    data: Prepared, found: list[tuple[Evidence, ...]]
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Features of every candidate, and which stand in the evidence and say most of what an answer must say."""
    examples = []
    for question, evidence in zip(data.questions, found, strict=True):
        features = np.array([[one.features[name] for name in EVIDENCE_FEATURES] for one in evidence])
        said = np.array([answers(one, question) for one in evidence])
        examples.append((features, (said > 0) & (said >= said.max(initial=0.0)) & question.answerable))
    return examples


def answers(evidence: Evidence, question: Question) -> float:
    """Share of the key points of a question that a piece of its evidence says."""
    chunk = evidence.passage.chunk
    if not question.evidence & set(chunk.lines):
        return 0.0
    return key_points(row_words(chunk) if chunk.cells else evidence.text, question)


def refusal_threshold(confidence: NDArray[np.float64], answerable: NDArray[np.bool_]) -> float:
    """The confidence below which FALSE_REFUSALS of the answerable questions fall; both arguments (n_questions,)."""
    return float(np.quantile(confidence[answerable], FALSE_REFUSALS))


def fit_ranking(pipeline: Pipeline, data: Prepared) -> Pipeline:
    """The pipeline with fusion and evidence weights fitted on these questions."""
    fusion = fit_listwise(fusion_examples(pipeline, data), FUSION_PENALTY)
    pipeline = _with(pipeline, _named(SCORERS, fusion), {})
    evidence = fit_listwise(evidence_examples(data, found_evidence(pipeline, data)), EVIDENCE_PENALTY)
    return _with(pipeline, pipeline.retrieve.weights, _named(EVIDENCE_FEATURES, evidence))


def fit(pipeline: Pipeline, questions: list[Question]) -> dict[str, Any]:
    """The weights of all three models. What the refusal is fitted on comes from rankings that did not see the question
    (cross-fitting by family): a ranking looks surer of questions it was fitted on than it will be of others. The
    threshold is set on confidences cross-validated in the same way."""
    data = prepare(pipeline, questions)
    folds = np.array([fold_of(question.family, FOLDS) for question in questions])
    rows: list[dict[str, float]] = [{} for _ in questions]
    right = np.zeros(len(questions), dtype=bool)
    for number in range(FOLDS):
        partial = fit_ranking(pipeline, _part(data, folds != number))
        held = _part(data, folds == number)
        for position, query, question, found in zip(
            np.flatnonzero(folds == number), held.queries, held.questions, found_evidence(partial, held), strict=True
        ):
            rows[position] = features_of(query, found)
            right[position] = answers(found[0], question) > 0
    features = np.array([[row[name] for name in REFUSAL_FEATURES] for row in rows])
    answerable = np.array([question.answerable for question in questions])
    confidence = np.zeros(len(questions))
    for number in range(FOLDS):
        held_out = folds == number
        model = fit_refusal(features[~held_out], answerable[~held_out])
        confidence[held_out] = confidences(model, [rows[position] for position in np.flatnonzero(held_out)])
    threshold = refusal_threshold(confidence, answerable)
    refused = confidence < threshold
    print(
        f"cross-validated: best evidence right {right[answerable].mean():.3f}; threshold {threshold:.2f}: "
        f"refusal recall {refused[~answerable].mean():.3f}, false refusals {refused[answerable].mean():.3f}",
        file=sys.stderr,
    )
    fitted = fit_ranking(pipeline, data)
    model = fit_refusal(features, answerable)
    return {
        "fusion": fitted.retrieve.weights,
        "evidence": fitted.select.weights,
        "refusal": {
            "threshold": round(threshold, 4),
            "bias": model.bias,
            "trees": [[list(vars(node).values()) for node in tree] for tree in model.trees],
        },
    }


def _part(data: Prepared, chosen: NDArray[np.bool_]) -> Prepared:
    positions = np.flatnonzero(chosen)
    return Prepared(*([values[position] for position in positions] for values in vars(data).values()))


def _named(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def _with(pipeline: Pipeline, fusion: Mapping[str, float], evidence: Mapping[str, float]) -> Pipeline:
    return replace(
        pipeline,
        retrieve=replace(pipeline.retrieve, weights=fusion),
        select=replace(pipeline.select, weights=evidence),
    )
