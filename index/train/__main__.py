"""python -m index.train --laws PATH --out DIR: the embedding model from its named inputs, with its measures."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.embed import unit_rows
from index.train.contrast import Material, Settings, start, train
from index.train.corpus import Prepared, articles, read_lexicon, read_lines, read_passages, read_prepared
from index.train.folder import write_model
from index.train.measure import prepared_set, reading_set, recall_line
from index.train.vectors import cooccurrence, positive_pmi, sif_weights, singular_vectors
from index.train.vocabulary import choose_words, encode, general_frequencies, unigram_tokenizer, words_of

SOURCES = Path(__file__).parents[1] / "sources"
DIMENSION = 224
WINDOW = 5
LEAST = 4  # occurrences in the laws and the plan
COMMON = 6000  # words of general text that are in the vocabulary whether or not the laws use them
SIF = 1e-3


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    import torch

    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    plan = read_lines(options.plan)
    laws = read_lines(options.laws)
    lexicon = read_lexicon(options.lexicon)
    prepared = read_prepared(options.questions, options.plan)
    asked, taught = hold_out(prepared, options.hold_out, options.seed)
    made_up = read_passages(options.passages)
    material = Material(articles(laws), lexicon, [*taught, *made_up])
    told = sum(len(passage.questions) for passage in material.prepared)
    print(
        f"{len(material.articles)} articles, {len(lexicon)} lexicon entries, {told} questions to"
        f" {len(taught)} passages of the plan and {len(made_up)} made-up ones"
    )

    corpus = [line for line in (*laws, *plan) if line]
    own = [text for entry in lexicon for text in (entry.word, *entry.terms)]
    own += [question for passage in material.prepared for question in passage.questions]
    own += [sentence for passage in made_up for sentence in passage.sentences]
    general = general_frequencies()
    tokenizer = unigram_tokenizer(choose_words(general, corpus, own, LEAST, COMMON))
    words = words_of(tokenizer)
    size = len(words)
    rows = encode(tokenizer, corpus)
    counts = np.bincount(np.fromiter((token for row in rows for token in row), dtype=np.int64), minlength=size)
    usual = np.array([general.get(word, 0) for word in words])
    weights = sif_weights(np.maximum(counts / counts.sum(), usual / usual.sum()), SIF)
    vectors = singular_vectors(positive_pmi(cooccurrence(rows, size, WINDOW)), options.dimension)
    print(f"{size} words, {options.dimension} dimensions")

    sets = [reading_set(path) for path in options.measure]
    if asked:
        sets.append(prepared_set("held-out passages", prepared, asked))

    def report(stage: str, table: NDArray[np.float32]) -> None:
        for measured in sets:
            print(f"{stage}: {recall_line(measured, lambda texts: averaged(encode(tokenizer, texts), table))}")

    report("averaged word vectors", vectors)
    report("weighted (SIF)", (unit_rows(vectors) * weights[:, None]).astype(np.float32))
    settings = replace(Settings(), seed=options.seed, steps=options.steps)
    table = train(start(vectors, weights, words, options.seed), tokenizer, material, settings, print)
    report("trained", table)
    write_model(options.out, tokenizer, table)
    print(f"written: {options.out}")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m index.train", description=__doc__)
    parser.add_argument("--laws", type=Path, required=True, help="lines of laws, .txt or .txt.xz")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--plan", type=Path, default=SOURCES / "changji-14fyp.txt")
    parser.add_argument("--questions", type=Path, default=SOURCES / "changji-14fyp.questions.jsonl")
    parser.add_argument("--passages", type=Path, default=SOURCES / "passages.jsonl")
    parser.add_argument("--lexicon", type=Path, default=SOURCES / "lexicon.tsv")
    parser.add_argument("--measure", type=Path, nargs="*", default=[], help="reading sets, jsonl, only measured on")
    parser.add_argument(
        "--hold-out", type=float, default=0.0, help="share of passages to measure on, not to learn from"
    )
    parser.add_argument("--dimension", type=int, default=DIMENSION)
    parser.add_argument("--steps", type=int, default=Settings().steps)
    parser.add_argument("--seed", type=int, default=Settings().seed)
    parser.add_argument("--threads", type=int, default=2, help="part of the seed: sums differ with it in the last bit")
    return parser.parse_args(arguments)


def hold_out(prepared: Sequence[Prepared], share: float, seed: int) -> tuple[list[Prepared], list[Prepared]]:
    """Prepared passages -> those held out, those learnt from; drawn by passage, so that no question of a held-out
    passage is learnt from."""
    shuffled = random.Random(seed).sample(list(prepared), len(prepared))
    cut = round(share * len(prepared))
    return shuffled[:cut], shuffled[cut:]


def averaged(ids: Sequence[Sequence[int]], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Token ids of texts -> unit rows (texts, dimension); a text without tokens gives zeros."""
    rows = np.zeros((len(ids), table.shape[1]), dtype=np.float32)
    for position, tokens in enumerate(ids):
        if tokens:
            rows[position] = table[tokens].mean(axis=0)
    return unit_rows(rows)


if __name__ == "__main__":
    main()
