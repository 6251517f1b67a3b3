"""Pages from templates, errors as pages or as JSON, and the front end's files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from areaeffect.web import limits, selection
from areaeffect.web.limits import ServerSettings, short

if TYPE_CHECKING:
    from jinja2 import Environment
    from starlette.requests import Request

    from areaeffect.errors import Problem
    from areaeffect.web.limits import ServerSettings


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
    settings = settings_of(request)
    text = (
        environment()
        .get_template(template)
        .render(
            here=request.url.path,
            nav=request.app.state.menu(),
            read_only=settings.read_only,
            operator=settings.operator,
            contact=settings.contact,
            updated=day(request.app.state.updated()),
            is_site=False,
            **values,
        )
    )
    return HTMLResponse(text, status)


def wants_json(headers: Mapping[str, str], path: str) -> bool:
    """Whether an answer should be JSON: asked for by name, by address, or by `Accept`."""
    if path.endswith(".json"):
        return True
    accept = headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def error(headers: Mapping[str, str], path: str, status: int, problem: Problem) -> Response:
    """Return what happened and what to do, as a small page or as JSON.

    The body is never over `limits.ERROR_BYTES`.
    """
    what, fix, where = short(problem.what), short(problem.fix), problem.where[:60]
    if wants_json(headers, path):
        content = {"error": {"status": status, "what": what, "where": where, "fix": fix}}
        answer: Response = JSONResponse(content, status)
        if len(answer.body) > limits.ERROR_BYTES:  # signs that JSON writes as six letters each
            content["error"].update(what=what[:40], fix="", where="")
            answer = JSONResponse(content, status)
        return answer
    template = environment().get_template("error.html.j2")
    text = template.render(status=status, what=what, fix=fix)
    if len(text.encode()) > limits.ERROR_BYTES:
        text = template.render(status=status, what=what[:60], fix="")
    return HTMLResponse(text, status)


NO_MAP = (
    "This copy was installed without its map. Search and table do everything the map does. "
    "To get the map: 'make assets' in a checkout, or install a wheel that holds it."
)


def vendor_folder() -> Path:
    """Return where the files are, or would be."""
    return Path(str(files("areaeffect.web") / "vendor"))


@cache
def vendor_hashes() -> dict[str, str]:
    """Return the integrity hash of each file; nothing where they are not here."""
    path = vendor_folder() / "integrity.json"
    if not path.is_file():
        return {}
    listed: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["files"]
    return listed
