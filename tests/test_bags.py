"""Bags of numbers against what Python's own sets say."""

from __future__ import annotations

import numpy as np
import pytest

from rag.bags import Bags

HELD = [[3, 1], [], [7], [1, 2, 7], []]
BAGS = Bags.of([np.array(bag, dtype=np.int32) for bag in HELD])


def test_which_bag_holds_which_number() -> None:
    wanted = [9, 1, 5, 7]
    found = BAGS.holding(np.array(wanted, dtype=np.int32))
    assert found.tolist() == [[number in bag for bag in HELD] for number in wanted]
    assert BAGS.holding(np.zeros(0, dtype=np.int32)).shape == (0, 5)


def test_the_most_of_each_bag_is_0_at_least() -> None:
    scores = {1: -0.5, 2: 0.25, 3: -0.1, 7: 0.75}
    own = np.array([scores[number] for bag in HELD for number in bag], dtype=np.float32)
    expected = [max([0.0, *(scores[number] for number in bag)]) for bag in HELD]
    assert BAGS.most(own).tolist() == pytest.approx(expected)
    assert BAGS.most(np.stack([own, own + 1]))[1].tolist() == pytest.approx([0.9, 0, 1.75, 1.75, 0])


def test_no_bags_and_empty_bags_hold_nothing() -> None:
    none = Bags.of([])
    assert none.holding(np.array([1], dtype=np.int32)).shape == (1, 0)
    assert none.most(np.zeros((3, 0), dtype=np.float32)).shape == (3, 0)


def test_joined_bags_stand_in_order() -> None:
    joined = Bags.joined([BAGS, Bags.of([]), BAGS])
    assert joined.sizes.tolist() == [len(bag) for bag in HELD] * 2
    assert joined.values.tolist() == [number for bag in HELD for number in bag] * 2
