"""Reading atlases: what `areaeffect tiles` made, held open while the server runs."""

from __future__ import annotations

import gzip
import json
import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from areaeffect.compare.question import OutcomeFigures, Preflight
from areaeffect.errors import did_you_mean
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.records import Json
from areaeffect.results import Claim, Floats
from areaeffect.tables.parquet import read_parquet
from areaeffect.web.limits import Refusal, ServerSettings

FORMAT = 2
FIFTHS = ("lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth")


def printed(value: float) -> str:
    """Write a value of a layer; a missing one says so."""
    if math.isnan(value):
        return "missing"
    size = abs(value)
    places = 0 if size >= 100 or float(value).is_integer() else 1 if size >= 10 else 2  # noqa: PLR2004
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text.replace("-", "−")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One thing the map can be shaded by; its keys are those that `atlas.layers` writes."""

    #: key, group, title, unit, note, better: as there
    key: str
    group: str
    title: str
    unit: str
    note: str
    better: str
    periods: tuple[str, ...]  # as written; one empty text where there is one date.
    breaks: tuple[float, ...]  # values between the classes, ascending
    missing: tuple[int, ...]  # areas without a value, by period

    def position(self, period: str) -> int:
        """Return which period is meant, the latest where none is named; refused where it has none such."""
        if not period:
            return len(self.periods) - 1
        if period not in self.periods:
            first, last = self.periods[0], self.periods[-1]
            fix = f"It has {first} to {last}." if first else "It has one date."
            raise Refusal(400, f"This layer has no period '{period}'.", fix, "period")
        return self.periods.index(period)

    def fifth(self, value: float) -> int | None:
        """Return the class of a value; None where it is missing."""
        return None if np.isnan(value) else int(np.searchsorted(self.breaks, value, side="right"))


class Atlas:
    """One atlas, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Json = json.loads((folder / "atlas.json").read_text(encoding="utf-8"))
        self.key = folder.name
        self.title = str(self.manifest["title"])
        self.has_map = bool(self.manifest["tiles"])
        self.has_postcodes = bool(self.manifest["postcodes"])
        self.layers: dict[str, Layer] = {}
        for entry in self.manifest["layers"]:
            values: Json = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
            self.layers[entry["key"]] = Layer(**values)

    @cached_property
    def table(self) -> dict[str, np.typing.NDArray[Any]]:
        """Columns of `areas.parquet`, (n_areas,) each."""
        table = read_parquet(self.folder / "areas.parquet")
        numbers = {"x", "y", "lon", "lat", "complete"}
        return {
            str(name): column.to_numpy() if name in numbers else column.to_numpy(dtype=object)
            for name, column in table.items()
        }

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Position of each area by its code."""
        return {str(code): i for i, code in enumerate(self.table["code"])}

    @cached_property
    def _postcodes(self) -> tuple[np.typing.NDArray[np.str_], np.typing.NDArray[np.int32]]:
        """Postcodes, ascending and without spaces, and the position of the area of each."""
        table = read_parquet(self.folder / "postcodes.parquet")
        return table["postcode"].to_numpy(dtype=np.str_), table["area"].to_numpy()

    def of_postcode(self, text: str) -> int | None:
        """Return the position of the area that a postcode lies in; None where it is not here."""
        if not self.has_postcodes:
            return None
        (known, areas), wanted = self._postcodes, re.sub(r"\s+", "", text).upper()
        at = int(np.searchsorted(known, wanted))
        return int(areas[at]) if at < len(known) and known[at] == wanted else None

    def layer(self, key: str) -> Layer:
        """Return a layer by its name, the first where none is named; refused where there is none such."""
        if not key:
            return next(iter(self.layers.values()))
        if key not in self.layers:
            fix = did_you_mean(key, self.layers) or "Choose one of the list on the Find page."
            raise Refusal(400, f"This atlas has no layer '{key}'.", fix, "layer")
        return self.layers[key]

    def version(self, file: str) -> str:
        """Return a short text that changes when a file of the atlas does."""
        return str(self.manifest["files"].get(file, ""))[:12]

    def values(self, layer: Layer, period: int) -> Floats:
        """Return a layer's values, (n_areas,); NaN is missing. Kept for the next request."""
        file = f"values/{layer.key}.{period}.json.gz"
        return _values(self.folder / file, self.version(file))

    def history(self, key: str, part: str = "") -> np.typing.NDArray[Any]:
        """Return an array of an outcome's history, read where it is looked at."""
        held: np.typing.NDArray[Any] = np.load(self.folder / "history" / f"{key}{part}.npy", mmap_mode="r")
        return held

    def exposure(self, key: str) -> Floats | None:
        """Return the residents or dwellings that an outcome is a rate of; None without."""
        path = self.folder / "history" / f"{key}.exposure.npy"
        return np.load(path) if path.is_file() else None

    @cached_property
    def preflight(self) -> Preflight:
        """What can be asked of which areas."""
        kind = PeriodKind(self.manifest["window"])
        outcomes = []
        for entry in self.manifest["histories"]:
            own = PeriodKind(entry["kind"])
            first = parse_period(entry["periods"][0], own) or 0
            outcomes.append(
                OutcomeFigures(
                    title=entry["title"],
                    claim=Claim(entry["claim"]),
                    is_count=bool(entry["counted"]),
                    periods=Periods(own, first, len(entry["periods"])),
                    values=self.history(entry["key"]),
                    exposure=self.exposure(entry["key"]),
                    waves=self.history(entry["key"], ".waves"),
                )
            )
        table = self.table
        pairs = zip(table["ward"], table["authority"], strict=True)
        return Preflight(
            kind=kind,
            earliest=parse_period(self.manifest["earliest"], kind) or 0,
            outcomes=tuple(outcomes),
            complete=table["complete"],
            wards=np.array([", ".join(filter(None, pair)) if pair[0] else "" for pair in pairs]),
            middles=np.column_stack([table["x"], table["y"]]) if "x" in table else None,
            codes=table["code"],
        )

    def require(self, codes: Sequence[str]) -> None:
        """Refuse codes that are not of this atlas, with the first of them."""
        if unknown := [c for c in codes if c not in self.position]:
            what = f"There is no area '{unknown[0]}' in '{self.title}'."
            fix = "Codes of another census name other areas: search by name instead."
            raise Refusal(404, what, fix, "areas")


@lru_cache(maxsize=64)
def _values(path: Path, _version: str) -> Floats:
    numbers = json.loads(gzip.decompress(path.read_bytes()))
    values = np.array([np.nan if v is None else v for v in numbers], dtype=np.float64)
    values.setflags(write=False)
    return values


@lru_cache(maxsize=32)
def _opened(folder: Path, _changed: int) -> Atlas:
    return Atlas(folder)


def atlases(settings: ServerSettings) -> dict[str, Atlas]:
    """Return the atlases that are here, by name.

    Real places come before made-up ones, then the atlas with the most areas comes first.
    """
    found = []
    for path in sorted(settings.atlases.glob("[!.]*/atlas.json")):
        try:
            atlas = _opened(path.parent, path.stat().st_mtime_ns)
            found += [atlas] if atlas.manifest.get("format") == FORMAT else []
        except Exception as error:  # a damaged atlas does not take the others with it
            log = logging.getLogger(__name__)
            log.warning("%s is not shown (%s)", path.parent, type(error).__name__)
    found.sort(key=lambda a: (a.manifest["made_up"], -a.manifest["n_areas"]))
    return {atlas.key: atlas for atlas in found}


def others_of(settings: ServerSettings, atlas: Atlas, codes: Sequence[str]) -> list[Atlas]:
    """Return the other atlases that have all of some areas."""
    found = atlases(settings).values()
    return [a for a in found if a.key != atlas.key and all(code in a.position for code in codes)]


def find_atlas(settings: ServerSettings, key: str) -> Atlas:
    """Return an atlas by its name, the first where none is named; refused where there is none such."""
    here = atlases(settings)
    if not here:
        fix = "Make one: areaeffect tiles BASE.toml. To try the app: areaeffect serve --demo."
        raise Refusal(404, "There is no map and no list of areas yet.", fix)
    if key and key not in here:
        raise Refusal(404, f"There is no atlas '{key}'.", f"There are {', '.join(here)}.", "base")
    return here[key] if key else next(iter(here.values()))
