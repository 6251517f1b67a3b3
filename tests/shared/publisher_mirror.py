"""A publishers' mirror on loopback: answers their addresses as they do, well and badly.

Every file lies under HOST/PATH, as the mirror setting of `areaeffect fetch` asks for it. Redirects
name the publishers' own hosts, as theirs do.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HUB = "open-geography-portalx-ons.hub.arcgis.com/api/download/v1/items"
SERVICES = "services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services"


@dataclass
class Service:
    """A FeatureServer: rows, and outlines as GeoJSON geometries where it has them."""

    rows: list[dict]
    shapes: list[dict] = field(default_factory=list)
    most: int = 2000
    says: int | None = None  # how many rows it says that it has


@dataclass
class Item:
    """An item of the hub: its file, and how often it is not ready yet."""

    content: bytes
    format: str = "csv"
    not_ready: int = 0


class Mirror(ThreadingHTTPServer):
    """Serves files by host and path; `faults` says, path by path and in turn, what goes wrong."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.items: dict[str, Item] = {}
        self.services: dict[str, Service] = {}
        self.nomis: dict[str, list[list]] = {}  # data set to header and rows
        self.faults: dict[str, list[tuple]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.at_once = self.most_at_once = 0
        self.agents: set[str] = set()
        self.etags = True
        self.lock = threading.Lock()

    def handle_error(self, request, client_address):
        """A client that hangs up is no fault of the mirror."""

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, address, content):
        """Put a file where its publisher has it."""
        self.files[address.removeprefix("https://")] = content

    def fail(self, address, *faults):
        """Let the next requests to an address fail, each in its own way."""
        self.faults.setdefault(address.removeprefix("https://"), []).extend(faults)

    def govuk(self, page, attachments):
        """Put a page of gov.uk with its attachments: title to address."""
        listed = [{"title": t, "url": a} for t, a in attachments.items()]
        content = {"details": {"attachments": listed}}
        self.put(f"www.gov.uk/api/content{page}", json.dumps(content).encode())

    def ons(self, dataset, edition, name, content):
        """Put a dataset of ons.gov.uk with one edition and its file."""
        data = {"datasets": [{"uri": f"{dataset}/{edition}"}, {"uri": f"{dataset}/old"}]}
        self.put(f"www.ons.gov.uk{dataset}/data", json.dumps(data).encode())
        files = {"downloads": [{"file": name}]}
        self.put(f"www.ons.gov.uk{dataset}/{edition}/data", json.dumps(files).encode())
        self.put(f"www.ons.gov.uk/file?uri={dataset}/{edition}/{name}", content)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        mirror = self.server
        with mirror.lock:
            mirror.at_once += 1
            mirror.most_at_once = max(mirror.most_at_once, mirror.at_once)
            mirror.asked.append((self.command, self.path[1:], self.headers.get("Range", "")))
            mirror.agents.add(self.headers["User-Agent"])
            path = self.path[1:]
            waiting = mirror.faults.get(path) or mirror.faults.get(path.partition("?")[0])
            fault = waiting.pop(0) if waiting else ()
        try:
            self._answer(fault)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with mirror.lock:
                mirror.at_once -= 1

    def _answer(self, fault):
        kind, *rest = fault or ("",)
        if kind == "status":
            return self._send(rest[0], b"", dict(rest[1]) if len(rest) > 1 else {})
        if kind == "answer":  # any body, with any status and headers
            return self._send(rest[0], rest[1], dict(rest[2]) if len(rest) > 2 else {})
        if kind == "redirect":
            return self._send(302, b"", {"Location": rest[0]})
        content, headers = self._content()
        if content is None:
            return self._send(*(headers or (404, b"", {})))
        return self._file(content, headers, kind, rest)

    def _content(self):
        mirror, path = self.server, self.path[1:]
        for name in (path, path.removesuffix("?sig=once")):
            if name in mirror.files:
                return mirror.files[name], {}
        address = urlsplit(f"https://{path}")
        asked = {k: v[0] for k, v in parse_qs(address.query).items()}
        if path.startswith(HUB):
            return self._hub(*path.removeprefix(f"{HUB}/").partition("?")[0].split("/"))
        if path.startswith(SERVICES):
            name = path.removeprefix(f"{SERVICES}/").split("/")[0]
            return self._service(mirror.services.get(name), address.path, asked)
        if path.startswith("www.nomisweb.co.uk/api/v01/dataset/"):
            dataset = address.path.rpartition("/")[2].partition(".")[0]
            return self._nomis(mirror.nomis.get(dataset), asked)
        return None, None

    def _hub(self, item, form):
        one = self.server.items.get(item)
        if one is None or one.format != form:
            return None, None
        if one.not_ready > 0:
            one.not_ready -= 1
            waits = json.dumps({"status": "Pending", "recordCount": 0}).encode()
            return None, (202, waits, {"Content-Type": "application/json"})
        stored = f"stg-arcgisazurecdataprod1.az.arcgis.com/exportfiles/{item}.{form}"
        self.server.files[stored] = one.content
        return None, (302, b"", {"Location": f"https://{stored}?sig=once"})

    def _service(self, service, path, asked):
        if service is None:
            return self._json({"error": {"code": 400, "message": "Invalid URL"}})
        if not path.endswith("/query"):
            return self._json({"objectIdField": "ObjectId", "maxRecordCount": service.most})
        if asked.get("returnCountOnly"):
            return self._json({"count": service.says or len(service.rows)})
        first, most = int(asked["resultOffset"]), int(asked["resultRecordCount"])
        last = min(first + min(most, service.most), len(service.rows))
        more = last < len(service.rows)
        if asked["f"] == "geojson":
            features = [
                {"type": "Feature", "properties": service.rows[i], "geometry": service.shapes[i]}
                for i in range(first, last)
            ]
            page = {"type": "FeatureCollection", "features": features}
            return self._json({**page, "properties": {"exceededTransferLimit": more}})
        features = [{"attributes": row} for row in service.rows[first:last]]
        return self._json({"features": features, "exceededTransferLimit": more})

    def _nomis(self, table, asked):
        if table is None:
            return None, None
        header, *rows = table
        first, most = int(asked.get("RecordOffset", 0)), int(asked.get("RecordLimit", 10**9))
        text = io.StringIO()
        out = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
        out.writerow([*header, "RECORD_COUNT"])
        out.writerows([*row, len(rows)] for row in rows[first : first + min(most, 25_000)])
        return text.getvalue().encode(), {"Content-Type": "text/csv"}

    def _json(self, content):
        return json.dumps(content).encode(), {"Content-Type": "application/json"}

    def _file(self, content, headers, kind, rest):
        headers = {"Content-Type": "application/octet-stream", **headers}
        etag = f'"{hashlib.sha256(content).hexdigest()[:12]}"'
        if self.server.etags:
            headers["ETag"] = etag
        asked = self.headers.get("Range")
        cut = rest[0] if kind == "cut" else None
        if kind == "header":
            headers |= dict([rest])
        if kind == "gzip":
            return self._send(200, gzip.compress(content), {**headers, "Content-Encoding": "gzip"})
        if kind == "slow":
            return self._send(200, content, headers, pause=rest[0])
        if asked and kind != "no ranges" and self.headers.get("If-Range", etag) == etag:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            first, last = int(first), int(last) if last else len(content) - 1
            if first >= len(content):
                return self._send(416, b"", {})
            shown = 7 if kind == "wrong part" else first
            headers.setdefault("Content-Range", f"bytes {shown}-{last}/{len(content)}")
            return self._send(206, content[first : last + 1], headers, cut)
        return self._send(200, content, headers, cut)

    def _send(self, status, body, headers, cut=None, pause=0):
        self.send_response(status)
        length = len(body)
        headers = {"Content-Length": str(length), **headers}
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        body = body if cut is None else body[:cut]
        while self.command != "HEAD" and body:
            self.wfile.write(body[: 1 << 16] if pause else body)
            body = body[1 << 16 :] if pause else b""
            time.sleep(pause)
        if cut is not None or headers["Content-Length"] != str(length):
            self.close_connection = True


@contextmanager
def running():
    """Run a mirror while a test lasts."""
    mirror = Mirror()
    thread = threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mirror
    finally:
        mirror.shutdown()
        mirror.server_close()
        thread.join()
