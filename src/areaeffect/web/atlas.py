"""Reading atlases: what `areaeffect tiles` made, held open while the server runs."""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from areaeffect.compare.preflight import OutcomeFigures, Preflight
from areaeffect.errors import did_you_mean
from areaeffect.periods import PeriodKind, Periods, parse_period
from areaeffect.records import Json
from areaeffect.results import Claim
from areaeffect.tables.parquet import read_parquet
from areaeffect.web.limits import Refusal, ServerSettings

FORMAT = 2
PER = 1_000
_LOG = logging.getLogger(__name__)


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
        """Return which period is meant; the latest where none is named.

        Raises
        ------
        Refusal
            400: the layer has no such period.
        """
        if not period:
            return len(self.periods) - 1
        if period not in self.periods:
            first, last = self.periods[0], self.periods[-1]
            fix = f"It has {first} to {last}." if first else "It has one date."
            raise Refusal(400, f"This layer has no period '{period}'.", fix, "period")
        return self.periods.index(period)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Series:
    """One outcome of some areas together over time, beside larger places."""

    #: key, title, unit, better: of the outcome; `unit` says per what.
    key: str
    title: str
    unit: str
    better: str
    counted: str  # what is counted; empty for a score.
    periods: tuple[str, ...]  # as written
    #: (n_periods), of the areas together: a count, a rate, or the mean of a score; NaN is missing, which it
    #: is where any of them has no figure.
    values: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]  # (n_periods), the events that `values` are of
    missing: npt.NDArray[np.int64]  # (n_periods), how many of the areas have no figure
    beside: tuple[tuple[str, npt.NDArray[np.float64]], ...]  # name of each larger place, and its averages


class Atlas:
    """One atlas, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Json = json.loads((folder / "atlas.json").read_text(encoding="utf-8"))
        self.key = folder.name
        self.title = str(self.manifest["title"])
        self.has_map = bool(self.manifest["tiles"])
        self.layers: dict[str, Layer] = {}
        for entry in self.manifest["layers"]:
            values: Json = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
            self.layers[entry["key"]] = Layer(**values)

    @cached_property
    def table(self) -> dict[str, npt.NDArray[Any]]:
        """Columns of `areas.parquet`, (n_areas,) each."""
        table = read_parquet(self.folder / "areas.parquet")
        numbers = {"x", "y", "lon", "lat", "complete"}
        return {
            name: column.to_numpy() if name in numbers else column.to_numpy(dtype=object)
            for name, column in ((str(n), c) for n, c in table.items())
        }

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Position of each area by its code."""
        return {str(code): i for i, code in enumerate(self.table["code"])}

    @cached_property
    def _postcodes(self) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int32]]:
        """Postcodes, ascending and without spaces, and the position of the area of each."""
        table = read_parquet(self.folder / "postcodes.parquet")
        return table["postcode"].to_numpy(dtype=np.str_), table["area"].to_numpy()

    @property
    def has_postcodes(self) -> bool:
        """Whether places can be found by postcode."""
        return bool(self.manifest["postcodes"])

    def of_postcode(self, text: str) -> int | None:
        """Return the position of the area that a postcode lies in; None where it is not here."""
        if not self.has_postcodes:
            return None
        (known, areas), wanted = self._postcodes, re.sub(r"\s+", "", text).upper()
        at = int(np.searchsorted(known, wanted))
        return int(areas[at]) if at < len(known) and known[at] == wanted else None

    @property
    def default_layer(self) -> Layer:
        """The layer shown where none is named."""
        return next(iter(self.layers.values()))

    def layer(self, key: str) -> Layer:
        """Return a layer by its name; the first where none is named.

        Raises
        ------
        Refusal
            400: there is no such layer.
        """
        if not key:
            return self.default_layer
        if key not in self.layers:
            fix = did_you_mean(key, self.layers) or "Choose one of the list on the Find page."
            raise Refusal(400, f"This atlas has no layer '{key}'.", fix, "layer")
        return self.layers[key]

    def version(self, file: str) -> str:
        """Return a short text that changes when a file of the atlas does."""
        return str(self.manifest["files"].get(file, ""))[:12]

    def values(self, layer: Layer, period: int) -> npt.NDArray[np.float64]:
        """Return a layer's values, (n_areas,); NaN is missing. Kept for the next request."""
        return _values(self.folder / "values" / f"{layer.key}.{period}.json.gz", self.version(""))

    def series(self, codes: Sequence[str]) -> tuple[Series, ...]:
        """Return the history of every outcome of some areas together."""
        areas = np.array([self.position[code] for code in codes])
        places = self.manifest["places"]
        own = {str(a) for a in self.table["authority"][areas]}
        letters = {code[:1] for code in codes}
        country = {"E": "England", "W": "Wales"}.get(min(letters), "") if len(letters) == 1 else ""
        countries = [j for j, p in enumerate(places) if p["kind"] == "country"]
        named = [j for j in countries if places[j]["name"] == country] or countries[-1:]
        councils = [j for j, p in enumerate(places) if p["kind"] == "authority" and p["name"] in own]
        named = (councils if len(councils) == 1 else []) + named
        found = []
        for entry in self.manifest["histories"]:
            measured = self.history(entry["key"], ".places")
            values, exposure = self.history(entry["key"])[areas], self.exposure(entry["key"])
            totals = values.sum(axis=0) if entry["counted"] else values.mean(axis=0)
            shown = totals
            if exposure is not None:
                people = np.where(exposure[areas] > 0, exposure[areas], np.nan).sum()
                shown = totals / people * PER if entry["counted"] else totals
            found.append(
                Series(
                    key=entry["key"],
                    title=entry["title"],
                    unit=entry["unit"],
                    better=entry["better"],
                    counted=entry["counted"],
                    periods=tuple(entry["periods"]),
                    values=np.asarray(shown),
                    totals=np.asarray(totals),
                    missing=np.isnan(values).sum(axis=0),
                    beside=tuple((places[j]["name"], np.array(measured[j])) for j in named),
                )
            )
        return tuple(found)

    def history(self, key: str, part: str = "") -> npt.NDArray[Any]:
        """Return an array of an outcome's history, read where it is looked at."""
        path = self.folder / "history" / f"{key}{part}.npy"
        held: npt.NDArray[Any] = np.load(path, mmap_mode="r")
        return held

    def exposure(self, key: str) -> npt.NDArray[np.float64] | None:
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
            first = parse_period(entry["periods"][0], own)
            outcomes.append(
                OutcomeFigures(
                    title=entry["title"],
                    claim=Claim(entry["claim"]),
                    is_count=bool(entry["counted"]),
                    periods=Periods(own, first or 0, len(entry["periods"])),
                    values=self.history(entry["key"]),
                    exposure=self.exposure(entry["key"]),
                    waves=self.history(entry["key"], ".waves"),
                )
            )
        pairs = zip(self.table["ward"], self.table["authority"], strict=True)
        has_map = "x" in self.table
        return Preflight(
            kind=kind,
            earliest=parse_period(self.manifest["earliest"], kind) or 0,
            outcomes=tuple(outcomes),
            complete=self.table["complete"],
            wards=np.array([", ".join(filter(None, pair)) if pair[0] else "" for pair in pairs]),
            middles=np.column_stack([self.table["x"], self.table["y"]]) if has_map else None,
            codes=self.table["code"],
        )

    def require(self, codes: Sequence[str]) -> None:
        """Refuse codes that are not of this atlas.

        Raises
        ------
        Refusal
            404, with the first of them.
        """
        unknown = [c for c in codes if c not in self.position]
        if unknown:
            raise Refusal(
                404,
                f"There is no area '{unknown[0]}' in '{self.title}'.",
                "Codes of another census name other areas: search by name instead.",
                "areas",
            )


@lru_cache(maxsize=64)
def _values(path: Path, _version: str) -> npt.NDArray[np.float64]:
    numbers = json.loads(gzip.decompress(path.read_bytes()))
    values = np.array([np.nan if v is None else v for v in numbers], dtype=np.float64)
    values.setflags(write=False)
    return values


@lru_cache(maxsize=32)
def _opened(folder: Path, _changed: int) -> Atlas:
    return Atlas(folder)


def atlases(settings: ServerSettings) -> dict[str, Atlas]:
    """Return the atlases that are here, by name; none on an empty store.

    Real places come before made-up ones, then the atlas with the most areas comes first.
    """
    if not settings.atlases.is_dir():
        return {}
    found = {}
    for path in sorted(settings.atlases.glob("[!.]*/atlas.json")):
        try:
            atlas = _opened(path.parent, path.stat().st_mtime_ns)
            whole = atlas.manifest.get("format") == FORMAT
        except Exception as error:  # a damaged atlas does not take the others with it
            _LOG.warning("%s is not shown (%s)", path.parent, type(error).__name__)
            continue
        if whole:
            found[atlas.key] = atlas
    first = sorted(found.values(), key=lambda a: (a.manifest["made_up"], -a.manifest["n_areas"]))
    return {atlas.key: atlas for atlas in first}


def others_of(settings: ServerSettings, atlas: Atlas, codes: Sequence[str]) -> list[Atlas]:
    """Return the other atlases that have all of some areas."""
    found = atlases(settings).values()
    return [a for a in found if a.key != atlas.key and all(code in a.position for code in codes)]


def find_atlas(settings: ServerSettings, key: str) -> Atlas:
    """Return an atlas by its name; the first where none is named.

    Raises
    ------
    Refusal
        404: there is none, or none of that name.
    """
    here = atlases(settings)
    if not here:
        raise Refusal(
            404,
            "There is no map and no list of areas yet.",
            "Make one: areaeffect tiles BASE.toml. To try the app: areaeffect serve --demo.",
        )
    if not key:
        return next(iter(here.values()))
    if key not in here:
        raise Refusal(404, f"There is no atlas '{key}'.", f"There are {', '.join(here)}.", "base")
    return here[key]
