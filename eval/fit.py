"""Fit the weights of the read side on the questions for fitting, dev and train: `python -m eval fit`.

Five small models, written to rag/weights.json:

fusion      which passage holds the evidence, from the scorers of rag.retrieve
evidence    which sentence, row or item answers, from the features of rag.select
intent      whether plans answer such a question, from its words alone
answerable  whether these documents answer it, from the features of rag.judge (gradient-boosted trees)
right       whether the best evidence is the right one, from the same features: the confidence of an answer, calibrated

The first two are linear and maximise the log of the probability (softmax over all candidates of a question) that falls
on right candidates, with an L2 penalty: listwise learning to rank after Cao et al., Learning to Rank: From Pairwise
Approach to Listwise Approach (2007), with one set of right candidates in place of a full ranking.

Everything is fitted on each question twice: over the plan with its prepared questions, and over the plan as any other
document would be, without.
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
from index.build import unprepared
from rag.judge import FEATURES as JUDGE_FEATURES
from rag.judge import Boosted, Split, features_of, ruled_out
from rag.phrase import said_by
from rag.pipeline import Pipeline
from rag.retrieve import SCORERS
from rag.search import CONSIDERED, EVIDENCE_FROM
from rag.select import FEATURES as EVIDENCE_FEATURES
from rag.types import Evidence, Query
from rag.understand import understand

FUSION_PENALTY = 1e-3
EVIDENCE_PENALTY = 3e-4
# Weights of evidence that are not fitted. Questions about one plan do not settle how much the words of a whole passage
# count: from 0 to 2 they are answered alike. On other text it is a name that tells one paragraph from the next (CMRC
# 2018 trial, 1,000 questions: recall@1 0.956 at 0, 0.962 at 2; DRCD test: 0.944, 0.952).
GIVEN = {"passage_bigrams": 2.0}
TREES, DEPTH, RATE, SEEDS = 150, 3, 0.06, 2
FEWEST = 8  # questions in a leaf
INTENT_PENALTY = 3.0  # inverse strength of the penalty, scikit-learn's C
FALSE_REFUSALS = 0.02  # share of the answerable questions given up for refusing the others
FOLDS = 10
FITTED = ("dev", "train")  # the sets in eval/sets that are fitted on
USUAL = "dev"  # the one whose questions are mixed as people ask


def fit_listwise(
    questions: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
    penalty: float,
    given: Mapping[int, float] | None = None,
) -> NDArray[np.float64]:
    """Weights (n_features,) from questions given as features (n_candidates, n_features) and which candidates are
    right (n_candidates,); questions without a right candidate are passed over. `given` are weights, by the number of
    the feature, that stay as they are."""
    from scipy.optimize import minimize  # type: ignore[import-untyped]

    usable = [(features, right) for features, right in questions if right.any()]
    # All candidates of all questions one after the other: summed by question with reduceat.
    stacked = np.concatenate([features for features, _ in usable])
    wanted = np.concatenate([right for _, right in usable])
    sizes = [len(right) for _, right in usable]
    starts = np.cumsum([0, *sizes[:-1]])
    every = np.zeros(stacked.shape[1])
    every[list(given or ())] = list((given or {}).values())
    known = stacked @ every
    fitted = np.array([number for number in range(stacked.shape[1]) if number not in (given or ())])
    stacked = stacked[:, fitted]

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = stacked @ weights + known
        share = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
        share /= np.repeat(np.add.reduceat(share, starts), sizes)
        on_right = np.where(wanted, share, 0.0)
        held = np.maximum(np.add.reduceat(on_right, starts), 1e-300)
        value = penalty * float(weights @ weights) - float(np.log(held).mean())
        gradient = stacked.T @ (share - on_right / np.repeat(held, sizes)) / len(usable)
        return value, 2 * penalty * weights + gradient

    every[fitted] = minimize(loss, np.zeros(len(fitted)), jac=True, method="L-BFGS-B").x
    return every


def fit_trees(features: NDArray[np.float64], outcome: NDArray[np.bool_]) -> Boosted:
    """Gradient-boosted trees (Friedman 2001) for the probability of an outcome, from features (n, n_features) in the
    order of rag.judge.FEATURES: the mean of SEEDS models, each on other random subsamples, since one alone depends on
    its draw. The same data give the same trees."""
    from sklearn.ensemble import GradientBoostingClassifier

    trees: list[tuple[Split, ...]] = []
    for seed in range(SEEDS):
        model = GradientBoostingClassifier(
            n_estimators=TREES,
            max_depth=DEPTH,
            learning_rate=RATE,
            subsample=0.6,
            max_features=0.4,
            min_samples_leaf=FEWEST,
            random_state=seed,
        ).fit(features, outcome)
        trees += [_splits(estimator.tree_, RATE / SEEDS) for (estimator,) in model.estimators_]
    share = float(outcome.mean())
    return Boosted(round(float(np.log(share / (1 - share))), 6), tuple(trees))


@dataclass(frozen=True)
class Calibration:
    """Log-odds stretched and shifted (Platt, Probabilistic Outputs for Support Vector Machines, 1999)."""

    slope: float
    shift: float

    @classmethod
    def fitted(cls, estimates: NDArray[np.float64], outcome: NDArray[np.bool_]) -> Calibration:
        """On what was estimated (n,) of questions not seen, and whether the outcome (n,) came true."""
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=np.inf).fit(_log_odds(estimates)[:, None], outcome)
        return cls(float(model.coef_[0, 0]), float(model.intercept_[0]))

    def of(self, estimates: NDArray[np.float64]) -> NDArray[np.float64]:
        """The estimates (n,) as they should have been."""
        return 1 / (1 + np.exp(-self.slope * _log_odds(estimates) - self.shift))

    def model(self, model: Boosted) -> Boosted:
        """The trees that estimate so from the start."""
        trees = [tuple(replace(n, value=round(self.slope * n.value, 6)) for n in tree) for tree in model.trees]
        return Boosted(round(self.slope * model.bias + self.shift, 6), tuple(trees))


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(probability / (1 - probability))


def fit_intent(vectors: NDArray[np.float32], answerable: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights (dimension,) of a question's mean vector (n, dimension): logistic regression without intercept."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=INTENT_PENALTY, fit_intercept=False, max_iter=2000).fit(vectors, answerable)
    weights: NDArray[np.float32] = model.coef_[0].astype(np.float32)
    return weights


def _splits(tree: Any, scale: float) -> tuple[Split, ...]:
    """A tree of scikit-learn as nodes, its leaves multiplied by `scale`."""
    return tuple(
        Split(
            JUDGE_FEATURES[tree.feature[node]] if tree.children_left[node] >= 0 else "",
            round(float(tree.threshold[node]), 5),
            int(tree.children_left[node]),
            int(tree.children_right[node]),
            round(scale * float(tree.value[node].item()), 6),
        )
        for node in range(tree.node_count)
    )


def fold_of(family: str, folds: int) -> int:
    """The fold of a family of questions: wordings of one fact never stand on both sides of a split."""
    return int(hashlib.sha256(f"fold {family}".encode()).hexdigest(), 16) % folds


@dataclass(frozen=True)
class Material:
    """What the models are fitted on, over one index: an entry for each question."""

    pipeline: Pipeline
    questions: list[Question]
    queries: list[Query]
    scorers: list[dict[str, NDArray[np.float32]]]


def prepare(pipeline: Pipeline, questions: list[Question]) -> Material:
    """Understand every question and run every scorer of the retriever."""
    queries = [understand(q.question, q.history, pipeline.frame) for q in questions]
    return Material(pipeline, questions, queries, [pipeline.retrieve.scores(query) for query in queries])


def without_prepared(pipeline: Pipeline) -> Pipeline:
    """The pipeline over the same index without prepared questions, as a document of a user's has none."""
    index = unprepared(pipeline.index)
    return replace(
        pipeline,
        index=index,
        retrieve=replace(pipeline.retrieve, index=index),
        select=replace(pipeline.select, index=index),
    )


def fusion_examples(data: Material) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Every chunk's scores, and which chunks hold the evidence."""
    chunks = data.pipeline.index.chunks
    examples = []
    for question, scores in zip(data.questions, data.scorers, strict=True):
        features = np.stack([scores[name] for name in SCORERS], axis=1).astype(np.float64)
        right = np.array([c.kind != "heading" and bool(question.evidence & set(c.lines)) for c in chunks])
        examples.append((features, right & question.answerable))
    return examples


def found_evidence(pipeline: Pipeline, data: Material) -> list[tuple[Evidence, ...]]:
    """Evidence of every question, as the pipeline selects it."""
    return [pipeline.select(query, pipeline.retrieve(query, CONSIDERED)[:EVIDENCE_FROM]) for query in data.queries]


def evidence_examples(
    questions: Sequence[Question], found: Sequence[Sequence[Evidence]]
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Features of every candidate, and which stand in the evidence and say most of what an answer must say."""
    examples = []
    for question, evidence in zip(questions, found, strict=True):
        features = np.array([[one.features[name] for name in EVIDENCE_FEATURES] for one in evidence])
        said = np.array([answers(one, question) for one in evidence])
        examples.append((features, (said > 0) & (said >= said.max(initial=0.0)) & question.answerable))
    return examples


def answers(evidence: Evidence, question: Question) -> float:
    """Share of the key points of a question that a piece of its evidence says."""
    chunk = evidence.passage.chunk
    if not question.evidence & set(chunk.lines):
        return 0.0
    return key_points(said_by(evidence), question)


def refusal_threshold(answerable: NDArray[np.float64], truly: NDArray[np.bool_]) -> float:
    """The probability below which FALSE_REFUSALS of the questions that are `truly` answerable fall, (n_questions,)."""
    return float(np.quantile(answerable[truly], FALSE_REFUSALS))


def reranked(evidence: Sequence[Evidence], weights: NDArray[np.float64]) -> tuple[Evidence, ...]:
    """Evidence as it stands under other weights."""
    scored = [
        replace(one, score=float(np.array([one.features[name] for name in EVIDENCE_FEATURES]) @ weights))
        for one in evidence
    ]
    return tuple(sorted(scored, key=lambda one: (-one.score, one.passage.rank, one.start)))


@dataclass(frozen=True)
class Judged:
    """What the two estimates are fitted on: features by rag.judge.FEATURES, the mean vector of the question, whether
    the best evidence answers it, and whether it is refused by a rule, whatever is estimated."""

    rows: list[dict[str, float]]
    vectors: NDArray[np.float32]
    right: NDArray[np.bool_]
    ruled: NDArray[np.bool_]


def judged_by(
    data: Material,
    found: Sequence[Sequence[Evidence]],
    weights: Sequence[NDArray[np.float64]],
    folds: NDArray[np.int64],
) -> Judged:
    """Every question judged on the ranking of the fold it is in: `weights` has one for each fold, fitted on the others
    (cross-fitting by family: a ranking looks surer of questions it was fitted on than it will be of others)."""
    aligner = data.pipeline.judge.aligner
    rows, right, ruled = [], [], []
    for question, query, evidence, fold in zip(data.questions, data.queries, found, folds, strict=True):
        ranked = reranked(evidence, weights[fold])
        rows.append(features_of(query, ranked, aligner))
        right.append(answers(ranked[0], question) > 0)
        ruled.append(ruled_out(query, ranked) is not None)
    vectors = np.stack([aligner.mean(query.text) for query in data.queries])
    return Judged(rows, vectors, np.array(right), np.array(ruled))


def fit(pipeline: Pipeline, questions: list[Question], usual: NDArray[np.bool_]) -> dict[str, Any]:
    """The weights of all five models, and the threshold, set on estimates cross-validated by family. `usual`
    (n_questions,): which of them are mixed as people ask; on these the estimates are calibrated, since the others hold
    far more near misses."""
    folds = np.array([fold_of(question.family, FOLDS) for question in questions])
    both = [prepare(one, questions) for one in (pipeline, without_prepared(pipeline))]
    fusion = fit_listwise([example for data in both for example in fusion_examples(data)], FUSION_PENALTY)
    found = [found_evidence(_with_fusion(data.pipeline, _named(SCORERS, fusion)), data) for data in both]
    examples = [evidence_examples(questions, evidence) for evidence in found]

    def evidence_weights(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        given = {EVIDENCE_FEATURES.index(name): weight for name, weight in GIVEN.items()}
        return fit_listwise([of[at] for of in examples for at in np.flatnonzero(chosen)], EVIDENCE_PENALTY, given)

    partial = [evidence_weights(folds != fold) for fold in range(FOLDS)]
    judged = [judged_by(data, evidence, partial, folds) for data, evidence in zip(both, found, strict=True)]
    truly = np.array([question.answerable for question in questions])
    vectors = judged[0].vectors
    intents = np.zeros(len(questions))
    for fold in range(FOLDS):
        intents[folds == fold] = vectors[folds == fold] @ fit_intent(vectors[folds != fold], truly[folds != fold])
    features = [_matrix(one.rows, intents) for one in judged]
    outcomes = {"answerable": [truly] * len(both), "right": [one.right & truly for one in judged]}
    estimates = {name: cross_validated(features, outcome, folds) for name, outcome in outcomes.items()}
    calibrations = {
        name: Calibration.fitted(
            np.concatenate([of[usual] for of in estimates[name]]), np.concatenate([of[usual] for of in outcome])
        )
        for name, outcome in outcomes.items()
    }
    estimates = {name: [calibrations[name].of(one) for one in of] for name, of in estimates.items()}
    for of, one in enumerate(judged):
        estimates["answerable"][of][one.ruled] = 0.0
    threshold = refusal_threshold(np.concatenate(estimates["answerable"]), np.concatenate(outcomes["answerable"]))
    for of, name in enumerate(("with prepared questions", "without")):
        refused = estimates["answerable"][of] < threshold
        sure = usual & ~refused & (estimates["right"][of] >= 0.9)
        print(
            f"cross-validated, {name}: best evidence right {judged[of].right[truly].mean():.3f}; threshold "
            f"{threshold:.2f}: refusal recall {refused[~truly].mean():.3f}, "
            f"false refusals {refused[truly].mean():.3f}; of the {sure.sum() / usual.sum():.0%} of dev answered with "
            f"confidence 0.9 or more, {outcomes['right'][of][sure].mean():.3f} right",
            file=sys.stderr,
        )
    models = {
        name: calibrations[name].model(fit_trees(np.concatenate(features), np.concatenate(of)))
        for name, of in outcomes.items()
    }
    return {
        "fusion": _named(SCORERS, fusion),
        "evidence": _named(EVIDENCE_FEATURES, evidence_weights(np.ones(len(questions), dtype=bool))),
        "threshold": round(threshold, 4),
        "intent": [round(float(value), 4) for value in fit_intent(vectors, truly)],
    } | {
        name: {"bias": model.bias, "trees": [[list(vars(node).values()) for node in tree] for tree in model.trees]}
        for name, model in models.items()
    }


def cross_validated(
    features: Sequence[NDArray[np.float64]], outcomes: Sequence[NDArray[np.bool_]], folds: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """The probability (n_questions,) of the outcome under each of several pipelines, each question estimated by trees
    that have not seen its fold. `features[i]` (n_questions, n_features), `outcomes[i]`: those under pipeline i."""
    estimates = [np.zeros(len(folds)) for _ in features]
    for fold in range(FOLDS):
        seen, held = folds != fold, np.flatnonzero(folds == fold)
        model = fit_trees(np.concatenate([of[seen] for of in features]), np.concatenate([of[seen] for of in outcomes]))
        for of, estimate in zip(features, estimates, strict=True):
            estimate[held] = [
                model.probability(dict(zip(JUDGE_FEATURES, of[position], strict=True))) for position in held
            ]
    return estimates


def _matrix(rows: Sequence[Mapping[str, float]], intents: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_questions, n_features) in the order of rag.judge.FEATURES."""
    return np.array(
        [
            [(row | {"intent": intent})[name] for name in JUDGE_FEATURES]
            for row, intent in zip(map(dict, rows), intents, strict=True)
        ]
    )


def _named(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in zip(names, values, strict=True)}


def _with_fusion(pipeline: Pipeline, weights: Mapping[str, float]) -> Pipeline:
    return replace(pipeline, retrieve=replace(pipeline.retrieve, weights=weights))
