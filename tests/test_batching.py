"""The policy of batches, with a clock that the tests turn."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from streamer.batching import Batcher

SMALL, LARGE = (180, 320), (360, 640)


def joined(*keys: str, limit: int = 4, longest: float = 0.05) -> Batcher[str]:
    batcher: Batcher[str] = Batcher(limit, longest)
    for now, key in enumerate(keys):
        batcher.join(key, float(now))
    return batcher


def test_nothing_waits_at_first() -> None:
    batcher = joined("a", "b")
    assert batcher.waiting == 0
    assert batcher.take(10.0) == []


def test_a_session_has_one_place() -> None:
    batcher = joined("a")
    assert batcher.put("a", SMALL) is False
    assert batcher.put("a", SMALL) is True
    assert batcher.waiting == 1
    assert batcher.take(10.0) == ["a"]
    assert batcher.take(10.0) == []


def test_a_replaced_frame_may_have_another_size() -> None:
    batcher = joined("a", "b")
    batcher.put("a", SMALL)
    batcher.put("a", LARGE)
    batcher.put("b", LARGE)
    assert batcher.take(10.0) == ["a", "b"]


def test_sizes_do_not_mix_and_the_longest_unserved_leads() -> None:
    batcher = joined("a", "b", "c", "d")
    for key, size in zip("abcd", (LARGE, SMALL, LARGE, SMALL), strict=True):
        batcher.put(key, size)
    assert batcher.take(10.0) == ["a", "c"]
    assert batcher.take(11.0) == ["b", "d"]


def test_a_batch_is_no_larger_than_the_runtime_likes() -> None:
    batcher = joined(*"abcde", limit=2)
    for key in "edcba":
        batcher.put(key, SMALL)
    assert [batcher.take(10.0 + i) for i in range(4)] == [["a", "b"], ["c", "d"], ["e"], []]


def test_who_was_just_served_goes_behind_everybody_who_waits() -> None:
    batcher = joined("a", "b", "c", limit=1)
    served = []
    for now in range(10, 19):
        for key in "abc":  # everybody always has a frame
            batcher.put(key, SMALL)
        served += batcher.take(float(now))
    assert served == list("abcabcabc")


def test_a_newcomer_waits_its_turn_and_no_longer() -> None:
    batcher = joined("a", "b", limit=1)
    batcher.put("a", SMALL)
    batcher.put("b", SMALL)
    batcher.join("c", 5.0)
    batcher.put("c", SMALL)
    assert [batcher.take(10.0 + i) for i in range(3)] == [["a"], ["b"], ["c"]]


def test_a_batch_ends_by_its_deadline() -> None:
    batcher = joined(*"abcd", limit=4, longest=0.05)
    for key in "abcd":
        batcher.put(key, LARGE)
    assert len(batcher.take(10.0, lambda size: 0.02 if size == LARGE else 0.001)) == 2
    assert len(batcher.take(10.1, lambda size: 0.2)) == 1  # one frame goes however long it takes
    assert len(batcher.take(10.2, lambda size: 0.001)) == 1


def test_who_left_is_not_served() -> None:
    batcher = joined("a", "b")
    batcher.put("a", SMALL)
    assert batcher.leave("a") is True
    assert batcher.leave("b") is False
    assert batcher.leave("nobody") is False
    assert batcher.take(10.0) == []
    with pytest.raises(KeyError):
        batcher.put("a", SMALL)


@pytest.mark.parametrize("limit", [1, 3])
def test_nobody_starves(limit: int) -> None:
    """Whoever has a frame is served within as many batches as there are sessions, whatever sizes come and go."""
    rng = random.Random(limit)
    keys = "abcdefgh"
    batcher = joined(*keys, limit=limit)
    since: dict[str, int] = {}
    sizes = itertools.cycle([SMALL, LARGE, (90, 160)])
    served: Counter[str] = Counter()
    for turn in range(400):
        for key in keys:
            if rng.random() < (0.95 if key < "e" else 0.3):
                batcher.put(key, rng.choice([SMALL, LARGE, next(sizes)]))
                since.setdefault(key, turn)
        batch = batcher.take(100.0 + turn)
        served.update(batch)
        for key in batch:
            assert turn - since.pop(key) <= len(keys)
    assert set(served) == set(keys)
    greedy = [served[key] for key in "abcd"]
    assert max(greedy) - min(greedy) <= 0.2 * max(greedy)  # a batch's later places are luck
