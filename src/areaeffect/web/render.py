"""Pages from templates, errors as pages or as JSON, and the front end's files."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from areaeffect.errors import AreaEffectError, Problem
from areaeffect.web import limits, selection
from areaeffect.web.limits import Refusal, ServerSettings

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

NO_MAP = (
    "This copy was installed without its map. Search and table do everything the map does. "
    "To get the map: 'make assets' in a checkout, or install a wheel that holds it."
)
TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
}
#: What a status of the framework means, in plain words.
_PLAIN = {
    404: Problem("There is no page at this address.", fix="Check it, or go on from the start page."),
    405: Problem("This address cannot be used in that way.", fix="Use the page's own form."),
}
_FAILED = Problem(
    "The program failed.", fix="Nothing was lost. Try again; the server's log holds what a developer needs."
)


@cache
def environment() -> Environment:
    """Return the template environment: everything that is printed is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("areaeffect.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["drawing"] = Markup  # a chart of `report`: its drawing escapes every text it is given
    made.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    made.globals["query"] = selection.query
    return made


def day(when: datetime | None) -> str:
    """Write a day as '3 November 2026'; '' where there is none."""
    return f"{when.day} {when:%B %Y}" if when else ""


def settings_of(request: Request) -> ServerSettings:
    """Return what the server was started with."""
    settings: ServerSettings = request.app.state.settings
    return settings


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page; `title` must be among the values."""
    settings, state = settings_of(request), request.app.state
    shared = {"nav": state.menu(), "here": request.url.path, "updated": day(state.updated())}
    shared |= {"operator": settings.operator, "contact": settings.contact, "read_only": settings.read_only}
    return HTMLResponse(
        environment().get_template(template).render(is_site=False, **shared, **values), status
    )


def answer_to(fault: Exception, path: str) -> Response:
    """Return the page, or at an address of JSON the JSON, that says what happened and what to do."""
    extra: Mapping[str, str] = {}
    if isinstance(fault, Refusal):
        status, problem, extra = fault.status, fault.problems[0], fault.headers
    elif isinstance(fault, AreaEffectError):
        status, problem = 422, fault.problems[0]
    elif isinstance(fault, HTTPException):
        status, extra = fault.status_code, fault.headers or {}
        problem = _PLAIN.get(status, Problem(str(fault.detail)))
    else:
        logging.getLogger("areaeffect.web").exception("failed: %s", path, exc_info=fault)
        status, problem = 500, _FAILED
    for most in (280, 40):  # the second where signs of many bytes go over the limit
        what, where, fix = (
            text if len(text) <= most else f"{text[: most - 1]}…"
            for text in (
                re.sub(r"[\x00-\x1f\x7f]", "�", t) for t in (problem.what, problem.where[:60], problem.fix)
            )
        )
        answer: Response
        if path.endswith(".json"):
            said = {"status": status, "what": what, "where": where, "fix": fix}
            answer = JSONResponse({"error": said}, status)
        else:
            template = environment().get_template("error.html.j2")
            answer = HTMLResponse(template.render(status=status, what=what, fix=fix), status)
        if len(answer.body) <= limits.ERROR_BYTES:
            break
    answer.headers.update(extra)
    return answer


def vendor_folder() -> Path:
    """Return where the map's files are, or would be."""
    return Path(str(files("areaeffect.web") / "vendor"))


@cache
def vendor_hashes() -> dict[str, str]:
    """Return the integrity hash of each of the map's files; nothing where they are not here."""
    path = vendor_folder() / "integrity.json"
    if not path.is_file():
        return {}
    listed: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["files"]
    return listed
