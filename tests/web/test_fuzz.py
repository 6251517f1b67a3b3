"""Hostile requests, drawn from a seed: whatever is sent, the server never fails of itself."""

from __future__ import annotations

import os
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from urllib.parse import quote, quote_from_bytes

import pytest

from areaeffect.web import limits
from areaeffect.web.app import create_app
from areaeffect.web.limits import ServerSettings
from areaeffect.web.runs import runs_of
from tests.web.published import TOKEN, make_runs
from tests.web.sockets import asked, serving
from tests.web.test_hostile import WORDS, addresses, filled

#: Requests of each kind of server; `make soak` asks for many more.
REQUESTS = int(os.environ.get("AREAEFFECT_FUZZ_REQUESTS", "400"))
FIELDS = (
    "view", "add", "remove", "toggle", "clear", "codes", "near", "km", "shape", "areas", "set", "q",
    "base", "layer", "period", "sort", "page", "name", "start", "placebos", "nearest", "buffer",
    "file", "v",
)  # fmt: skip
VALUES = (
    *WORDS, "", "tiny", "T009", "T009,T010", "crime", "2013-01", "1", "-1", "0", "1e400", "nan",
    "inf", "9" * 4301, "1,5", "[[0,0],[1,1],[1,0]]", "[" * 5000, '{"a":' * 3000, "[[9e999,1]]",
    "[null]", "\ud7ff", "\U0010ffff", "a" * 3000, "[[1e308,1e308],[0,0],[1,1]]", "feed.atom",
    "county/index.html", "0" * 12, "0" * 20, "199", "30", "high", "base=tiny&areas=T009",
    "areas=" + "T," * 900,
)  # fmt: skip
FORMS = ("/find/upload", "/find/change", "/compare")
NAMES = ("a.csv", "a.zip", "a.geojson", "a.json", "a.txt", "A.ZIP", "", "..", "a", "\x00.csv", "ü.csv")


@pytest.fixture(scope="module", params=["for oneself", "published", "guarded"])
def site(
    request: pytest.FixtureRequest, tiny: ServerSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, list[str]]]:
    """The port of a server and the paths of its routes."""
    extra = {"published": {"read_only": True}, "guarded": {"token": TOKEN}}.get(request.param, {})
    runs = make_runs(tmp_path_factory.mktemp("fuzz") / "runs")
    settings = replace(tiny, runs=runs, **extra)
    paths = sorted({path for path, _ in addresses(list(create_app(settings).routes))})
    paths += ["/runs/county/", "/runs/feed.atom", "/areas/T009", "/areas/T009/crime.csv"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "BODY_SECONDS", 1.0)  # some requests never end
        patch.setattr(limits, "WRONG_TOKENS", 10**9)  # or nothing else would be tried
        with serving(settings) as port:
            yield port, paths
    runs_of(settings).close()


def content(draw: random.Random) -> bytes:
    """A file that may be uploaded: whole, damaged, or of bytes alone."""
    shape = '{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,0]]]}'
    bodies = (b"area_code\nT009\nT010\n", shape.encode(), draw.randbytes(200), b"", b"\n" * 1000)
    made = draw.choice(bodies)
    if draw.random() < 0.5:
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", draw.choice((0, 8, 12, 14))) as target:
            for number in range(draw.choice((1, 1, 1, 2, 0))):
                name = draw.choice(("a.csv", "a.geojson", "b/../a.txt"))
                target.writestr(name + str(number or ""), made)
        made = packed.getvalue()
    spoiled = bytearray(made)
    for _ in range(draw.choice((0, 0, 1, 8))):
        if spoiled:
            spoiled[draw.randrange(len(spoiled))] = draw.randrange(256)
    return bytes(spoiled[: draw.choice((None, None, len(spoiled) // 2))])


def form(draw: random.Random, text: str) -> tuple[str, bytes]:
    """A body and its type: fields, files, or bytes alone."""
    kind = draw.randrange(4)
    if kind == 0:
        many = draw.choice((1, 3, 30, 1_001))
        fields = (f"{draw.choice(FIELDS)}={quote(draw.choice(VALUES[:20]))}" for _ in range(many))
        return "application/x-www-form-urlencoded", "&".join(fields).encode()
    if kind == 1:
        part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n'
        view = b'--x\r\nContent-Disposition: form-data; name="view"\r\n\r\n%s\r\n--x--\r\n'
        name, told = draw.choice(NAMES).encode(), draw.choice(VALUES).encode()
        return "multipart/form-data; boundary=x", part % (name, content(draw)) + view % told
    types = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
             "multipart/form-data", "multipart/form-data; boundary=", "text/x", "")  # fmt: skip
    return draw.choice(types), draw.choice((text.encode(), draw.randbytes(300), content(draw)))


def request(draw: random.Random, paths: list[str]) -> bytes:
    """One request: an address, a query, headers and a body, each as wrong as it comes."""
    chosen = draw.choice((draw.choice(paths), draw.choice(FORMS)))
    path = filled(chosen, quote(draw.choice(VALUES)))
    if draw.random() < 0.1:
        path += quote_from_bytes(draw.randbytes(draw.randrange(1, 6)))
    pairs = [(draw.choice(FIELDS), draw.choice(VALUES)) for _ in range(draw.choice((0, 1, 1, 2, 5)))]
    text = "&".join(f"{n}={quote(v, safe='')}" for n, v in pairs)
    url = path + (f"?{text}" if draw.random() < 0.4 else "")
    usual = ("POST",) * 9 if chosen in FORMS else ("GET",) * 9
    method = draw.choice((*usual, "GET", "POST", "HEAD", "PUT", "OPTIONS"))
    headers = {
        "Host": draw.choice(("localhost",) * 40 + ("evil.example", "localhost:99999999", "[", "")),
        "Accept": draw.choice(("*/*", "text/html", "application/json", "\x7f")),
        "If-None-Match": draw.choice(("*", '"x"', "")),
        "Range": draw.choice(("", "bytes=0-10", "bytes=-1", "bytes=9-1", f"bytes={'9' * 400}-")),
        "Origin": draw.choice(("",) * 12 + ("null", "https://evil.example")),
        "Authorization": draw.choice((f"Bearer {TOKEN}",) * 20 + ("Basic \xff", "Basic")),
        "X-Forwarded-For": draw.choice(("", "203.0.113.9", "x" * 300)),
        "Cookie": draw.choice(("", "a=b", "\xff" * 50)),
        "Connection": "close",
    }
    body = b""
    if method == "POST":
        headers["Content-Type"], body = form(draw, text)
    headers["Content-Length"] = draw.choice((str(len(body)),) * 40 + ("9" * 30, "-1", "\xb2"))
    if draw.random() < 0.02:
        headers["Transfer-Encoding"] = draw.choice(("chunked", "gzip"))
    lines = [f"{method} {url} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items() if v)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def test_no_request_makes_the_server_fail(
    site: tuple[int, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    draw = random.Random(20)
    port, paths = site
    counted: Counter[int] = Counter()
    for number in range(REQUESTS):
        sent = request(draw, paths)
        told = asked(port, sent)
        head, _, body = told.partition(b"\r\n\r\n")
        status = int(head[9:12] or 0)
        counted[status] += 1
        where = (number, sent[:2000], told[:600])
        assert status < 500 or status == 503, where
        assert b"cache-control: public" not in head.lower(), where
        assert b"Traceback" not in body, where
    assert counted[503] <= REQUESTS // 20, counted
    assert counted[200] > REQUESTS // 50, counted
    assert not [r for r in caplog.records if r.levelname == "ERROR"]
