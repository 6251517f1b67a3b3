"""Words that are compared: repeated ones are found in one pass, absurd ones are not compared."""

from __future__ import annotations

import time

from areaeffect.errors import did_you_mean, repeated


def test_repeated_words_are_found_once_each_and_sorted() -> None:
    assert repeated(["b", "a", "b", "c", "a", "b"]) == ["a", "b"]
    assert repeated([]) == []


def test_many_words_take_little_time() -> None:
    words = [f"2023-01-force{i}-street.csv" for i in range(100_000)]
    began = time.process_time()

    assert repeated([*words, words[7]]) == [words[7]]
    assert did_you_mean("x" * 100_000, words) == ""
    assert time.process_time() - began < 2.0


def test_the_nearest_word_is_named() -> None:
    assert did_you_mean("crimes", ["crime", "homes"]) == "Did you mean 'crime'?"
    assert did_you_mean("zzz", ["crime"]) == ""
