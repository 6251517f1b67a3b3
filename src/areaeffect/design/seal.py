"""The seal: one hash over the rule, the code, the seed, the releases and every design."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from areaeffect.results import NeighbourhoodDesign, Release, Seal

_DIGITS = 12


def seal(
    study_text: str,
    version: str,
    seed: int,
    releases: Sequence[Release],
    designs: Sequence[NeighbourhoodDesign],
) -> Seal:
    """Hash a plan before any outcome after a start is read.

    Weights are hashed at 12 significant digits, so that the seal does not depend on the last
    bits of a platform's arithmetic. It proves that the estimates used this plan, not that
    nobody had looked at public data.
    """
    content = {
        "study": study_text,
        "version": version,
        "seed": seed,
        "releases": [r.sha256 for r in releases],
        "designs": [_plain(asdict(d)) for d in designs],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    covers = (
        "the study file as written",
        f"areaeffect {version}",
        f"the seed {seed}",
        *(f"{r.file}, sha256 {r.sha256}" for r in releases),
        f"the benchmark areas and weights of {len(designs)} designs",
    )
    return Seal(hashlib.sha256(text.encode()).hexdigest(), covers)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
