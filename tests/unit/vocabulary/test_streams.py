from __future__ import annotations

import ast
import itertools
from pathlib import Path

import numpy as np

import areaeffect
from areaeffect.streams import Use, generator, seed_for

SOURCE = Path(areaeffect.__file__).parent
KEYS = [(), (0,), (1,), (2,), (3,), (3, 0), (0, 3), (3, 0, 0), (30,), (2**32,), (2**32, 0)]


def first_word(rng: np.random.Generator) -> int:
    return int(rng.bit_generator.random_raw())


def test_no_two_uses_begin_with_the_same_word() -> None:
    words = [first_word(generator(use, seed)) for use in Use for seed in (0, 1, 20231219)]
    assert len(set(words)) == 3 * len(Use)


def test_keys_of_different_lengths_and_padded_with_zeros_do_not_collide() -> None:
    seeds = (0, 1, 3, 2**32, 2**40)
    words = {
        first_word(generator(use, seed, *numbers))
        for use, seed, numbers in itertools.product(Use, seeds, KEYS)
    }
    assert len(words) == len(Use) * len(seeds) * len(KEYS)


def test_the_same_key_gives_the_same_numbers() -> None:
    one, other = (generator(Use.PLACEBO, 7, 12).random(5) for _ in range(2))
    assert one.tolist() == other.tolist()
    assert seed_for(Use.CROSS_CHECK, 7) == seed_for(Use.CROSS_CHECK, 7)
    assert 0 <= seed_for(Use.CROSS_CHECK, 7) < 2**31


def test_every_use_is_used() -> None:
    text = "\n".join(p.read_text() for p in SOURCE.rglob("*.py") if p.name != "streams.py")
    assert [use.name for use in Use if f"Use.{use.name}" not in text] == []


def test_no_other_module_makes_random_numbers() -> None:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        if path == SOURCE / "streams.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if _makes_numbers(node):
                found.append(f"{path.relative_to(SOURCE)}:{node.lineno}")  # type: ignore[attr-defined]
    assert found == []


def _makes_numbers(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):  # np.random.X; the type Generator makes nothing
        of = node.value
        random = isinstance(of, ast.Attribute) and of.attr == "random"
        is_numpy = random and isinstance(of.value, ast.Name) and of.value.id in {"np", "numpy"}
        return is_numpy and node.attr != "Generator"
    if isinstance(node, ast.Call):
        called = node.func
        return isinstance(called, ast.Attribute) and called.attr == "Generator"
    if isinstance(node, ast.ImportFrom):
        return node.module in {"random", "numpy.random"}
    if isinstance(node, ast.Import):
        return any(a.name in {"random", "numpy.random"} for a in node.names)
    return False
