"""The JSON API under `/api`: the same questions as the pages, described by OpenAPI.

A FastAPI application of its own, imported by `serve` alone, behind the same safety checks as every
page. Every error has one shape: `{"error": {"status", "what", "where", "fix"}}`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from areaeffect.compare.question import BUFFERS, LONGEST_NAME, NEAREST, PLACEBOS, Question
from areaeffect.compare.run_folder import (
    ANSWER,
    DESIGN,
    DESIGN_FILE,
    FINDINGS_FILE,
    POWER,
    POWER_FILE,
)
from areaeffect.errors import AreaEffectError, Problem
from areaeffect.web import limits, render
from areaeffect.web.atlas import atlases, find_atlas
from areaeffect.web.refusals import Refusal
from areaeffect.web.runs import base_of, runs_of
from areaeffect.web.safety import answer_to
from areaeffect.web.search import search
from areaeffect.web.view_state import CODE, KEY

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.settings import Settings

RUN_KEY = r"^[0-9a-f]{20}$"
MOST_FOUND = 100
Base = Annotated[str, Query(pattern=f"^({KEY})?$", description="name of a source; empty: first")]
Key = Annotated[str, Path(pattern=RUN_KEY, description="key of a run")]


class Fault(BaseModel):
    """What happened, where, and what to do."""

    status: int
    what: str
    where: str
    fix: str


class Refused(BaseModel):
    """The one shape of every error."""

    error: Fault


class Asked(BaseModel):
    """A question: one neighbourhood, since when, and a few options."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"areas": ["E01001844", "E01001845"], "start": "2013-04", "name": "Mine"}]
        },
    )

    base: str = Field(default="", pattern=f"^({KEY})?$", description="name of a source")
    areas: list[Annotated[str, Field(pattern=f"^{CODE}$")]] = Field(
        min_length=1, max_length=limits.SELECTED_AREAS, description="area codes"
    )
    start: str = Field(min_length=1, max_length=10, description="first period of work: '2013-04'")
    name: str = Field(default="My neighbourhood", min_length=1, max_length=LONGEST_NAME)
    placebos: int = Field(default=PLACEBOS[0], description=f"one of {sorted(PLACEBOS)}")
    nearest: int = Field(default=NEAREST[0], description=f"one of {sorted(NEAREST)}")
    buffer_km: float = Field(default=BUFFERS[0], description=f"one of {sorted(BUFFERS)}")

    def question(self) -> Question:
        """Return it as the pipeline takes it."""
        areas = tuple(sorted(set(self.areas)))
        return Question(areas, self.start, self.name, self.placebos, self.nearest, self.buffer_km)


def create_api(settings: Settings) -> FastAPI:
    """Return the API for one set of settings; a read-only server offers what it can."""
    api = FastAPI(
        title="areaeffect",
        version="1",
        description="Compare a neighbourhood with places like it. Benchmark areas and what could "
        "be detected come first; an answer is asked for by itself, and is exploratory: its "
        "outcomes were public before.",
        docs_url=None,
        redoc_url=None,
        responses={code: {"model": Refused} for code in (400, 404, 405, 413, 422, 503)},
    )
    api.include_router(_sources(settings))
    if not settings.read_only:
        api.include_router(_runs(settings))
    for kind in (AreaEffectError, HTTPException):
        api.add_exception_handler(kind, _answer)
    api.add_exception_handler(RequestValidationError, _invalid)
    return api


async def _answer(request: Request, fault: Exception) -> Response:
    return answer_to(fault, request.headers, "/api")


async def _invalid(request: Request, fault: Exception) -> Response:
    """Name the first field that is wrong; what was sent is not sent back."""
    first = fault.errors()[0] if isinstance(fault, RequestValidationError) else {}
    where = ".".join(str(part) for part in first.get("loc", ())[1:])
    problem = Problem(f"{first.get('msg', 'not valid')}.", where, "See /api/openapi.json.")
    return render.error(request.headers, "/api", 422, problem)


def _sources(settings: Settings) -> APIRouter:
    router = APIRouter(tags=["sources"])

    @router.get("/sources")
    def sources() -> list[dict[str, Any]]:
        """List what can be compared: base studies with their window, outcomes and releases."""
        return [_described(settings, key) for key in atlases(settings)]

    @router.get("/areas")
    def areas(
        q: Annotated[
            str, Query(max_length=limits.SEARCH_LETTERS, description="postcode, code or name")
        ] = "",
        base: Base = "",
        limit: Annotated[int, Query(ge=1, le=MOST_FOUND)] = 20,
    ) -> dict[str, Any]:
        """Find areas by postcode, code, name, ward or authority, as the Find page does."""
        atlas = find_atlas(settings, base)
        found = search(atlas, q)
        inside = [i for place in found.places for i in place.positions]
        positions = dict.fromkeys(inside if q.strip() else range(min(limit, len(atlas.position))))
        columns = [c for c in ("code", "name", "ward", "authority") if c in atlas.table]
        rows = [{c: str(atlas.table[c][i]) for c in columns} for i in list(positions)[:limit]]
        return {"base": atlas.key, "areas": rows, "hint": found.hint}

    return router


def _described(settings: Settings, key: str) -> dict[str, Any]:
    atlas = find_atlas(settings, key)
    study = base_of(atlas).study
    return {
        "base": key,
        "title": atlas.title,
        "areas": len(atlas.position),
        "window": {"start": study.study.window.start, "end": study.study.window.end},
        "outcomes": [
            {"name": o.name, "label": o.title, "family": o.family, "claim": o.claim}
            for o in study.outcome
        ],
        "releases": [
            {"file": r["file"], "sha256": r["sha256"]} for r in atlas.manifest["releases"]
        ],
    }


def _runs(settings: Settings) -> APIRouter:
    router, runs = APIRouter(prefix="/runs", tags=["runs"]), runs_of(settings)

    def part(key: str, name: str, file: str, why: str) -> dict[str, Any]:
        runs.standing(key)
        if not runs.has(key, name):
            raise Refusal(404, f"The {name} of this run is not there.", why)
        content: dict[str, Any] = json.loads(
            (runs.folder / key / name / file).read_text(encoding="utf-8")
        )
        return content

    @router.post("", status_code=202)
    def ask(asked: Asked, response: Response) -> dict[str, Any]:
        """Ask for benchmark areas and what could be detected; the same question is asked once."""
        key = runs.submit(find_atlas(settings, asked.base), asked.question())
        response.headers["location"] = f"/api/runs/{key}"
        return runs.standing(key).to_dict()

    @router.get("/{key}")
    def standing(key: Key) -> dict[str, Any]:
        """Say how a run stands: its parts that are finished, its step, or why it failed."""
        return runs.standing(key).to_dict()

    @router.delete("/{key}")
    def cancel(key: Key) -> dict[str, Any]:
        """Stop what is going on; what is finished stays."""
        runs.standing(key)
        runs.cancel(key)
        return runs.standing(key).to_dict()

    @router.get("/{key}/benchmark-areas")
    def benchmark_areas(key: Key) -> dict[str, Any]:
        """Return benchmark areas with weights, balance, and the seal of the design."""
        return part(key, DESIGN, DESIGN_FILE, "Ask how the run stands, and wait for it.")

    @router.get("/{key}/power")
    def power(key: Key) -> dict[str, Any]:
        """Return what this selection could detect."""
        return part(key, POWER, POWER_FILE, "Ask how the run stands, and wait for it.")

    @router.post("/{key}/answer", status_code=202, responses={409: {"model": Refused}})
    def answer(key: Key) -> dict[str, Any]:
        """Ask what happened; refused before it is known what could be detected."""
        runs.answer(key, find_atlas(settings, runs.standing(key).atlas))
        return runs.standing(key).to_dict()

    @router.get("/{key}/findings")
    def findings(key: Key) -> dict[str, Any]:
        """Return the findings, as `findings.json` has them, marked as exploratory."""
        found = part(key, ANSWER, FINDINGS_FILE, "Ask for the answer first.")
        looks = runs.standing(key).looks
        return {"exploratory": True, "earlier_answers_on_these_areas": looks} | found

    return router
