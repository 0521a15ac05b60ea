"""`streamer local`: a folder with all that the page needs, whole or not there; and what the service gives browsers."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.cli.main import run
from streamer.errors import OutputError
from streamer.on_device import described, usable
from streamer.styles import SHIPPED, StyleLibrary
from streamer.thumbnails import Stylize
from tests import tiny
from tests.local_pages import need_runtime, write_shipped_site
from tests.serving import serving
from web.local import write_site

ROOT = Path(__file__).parents[1]
VENDOR = ROOT / "web" / "vendor"


def test_the_command_writes_a_whole_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_runtime()
    assert run(["local", str(tmp_path / "page"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    sizes = {str(path.relative_to(tmp_path / "page")): path.stat().st_size for path in files(tmp_path / "page")}
    assert told["files"] == sizes and told["bytes"] == sum(sizes.values()) < 12e6
    assert told["styles"] == len(StyleLibrary([SHIPPED]).names())
    assert {"index.html", "_headers", "local/graph.tflite", "static/runtime/LICENSE"} <= sizes.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["page"]  # no draft is left


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_everything_that_it_loads_is_there_and_nothing_else_is_loaded(tmp_path: Path) -> None:
    need_runtime()
    folder = write_shipped_site(tmp_path / "page").folder
    page = (folder / "index.html").read_text()
    for path in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert path == "./" or (folder / path).is_file(), path
    for script in (folder / "static").rglob("*.js"):
        if script.parent.name == "runtime":
            continue
        text = script.read_text()
        assert not re.search(r"https?://(?!localhost)", text.replace("http://www.w3.org", "")), script
        for name in re.findall(r'^import .* from "(.+)";$', text, re.MULTILINE):
            assert (script.parent / name).is_file(), (script.name, name)
    used = {
        name for script in files(folder / "static") if script.suffix in (".js", ".html") for name in mentioned(script)
    }
    used |= set(re.findall(r'"static/([^"]+)"', page))
    for path in files(folder / "static"):
        if path.parent.name != "runtime":
            assert path.name in used, f"{path.name} is carried for nothing"


def mentioned(script: Path) -> list[str]:
    """Names of files that a script speaks of."""
    return re.findall(r"[\w-]+\.(?:js|css|svg|jpg)", script.read_text())


def test_a_folder_is_replaced_only_when_asked_and_only_if_it_is_ours(tmp_path: Path) -> None:
    need_runtime()
    write_shipped_site(tmp_path / "page")
    with pytest.raises(OutputError, match="exists already; --overwrite replaces it"):
        write_shipped_site(tmp_path / "page")
    (tmp_path / "page" / "old.txt").touch()
    assert run(["local", str(tmp_path / "page"), "--overwrite", "--quiet"]) == 0
    assert not (tmp_path / "page" / "old.txt").exists()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    assert run(["local", str(tmp_path / "photos"), "--overwrite"]) == 1
    assert (tmp_path / "photos" / "cat.jpg").exists()
    assert run(["local", str(tmp_path / "nowhere" / "page")]) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page", "photos"]


def test_nothing_is_left_of_a_folder_that_fails(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    need_runtime()

    def broken() -> Stylize:
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="Cannot write .*page.*No space left on device"):
        write_site(tmp_path / "page", tiny_library, broken, overwrite=False)  # the tiny styles have no thumbnails
    assert list(tmp_path.iterdir()) == []


def test_without_the_runtime_the_command_says_how_to_get_it(tmp_path: Path) -> None:
    """As from a checkout in which `make web` never ran."""
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=shutil.ignore_patterns("runtime", "node_modules"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "streamer", "local", str(tmp_path / "page")]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    assert ended.stderr == "streamer: What paints in a browser is not here; `make web` fetches it, once.\n"
    assert not (tmp_path / "page").exists()


def test_styles_travel_to_the_bit_and_damaged_ones_stay(tmp_path: Path) -> None:
    library = tiny.write_library(tmp_path)
    (tmp_path / "beta.safetensors").write_bytes(b"damaged")
    facts = described(library, lambda name: f"pictures/{name}.jpg")
    assert [style["name"] for style in facts["styles"]] == ["alpha", "gamma"] == [each.name for each in usable(library)]
    for style in facts["styles"]:
        row = np.frombuffer(base64.b64decode(style["modulation"]), "<f4")
        np.testing.assert_array_equal(row, library.get(style["name"]).modulation)
        assert style["thumbnail"] == f"pictures/{style['name']}.jpg" and style["licence"]
    assert facts["statistics"] == library.trunk.config.statistics_size


def test_the_service_gives_what_the_page_asks_for(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library, pages=ROOT / "web" / "live") as running:
        facts = running.client.get("/local/styles.json").json()
        assert facts["server"] and [style["name"] for style in facts["styles"]] == list(tiny.STYLES)
        graph = running.client.get(f"/{facts['graph']}")
        assert graph.status_code == 200 and graph.content[4:8] == b"TFL3"
        assert running.client.get(facts["styles"][0]["thumbnail"]).status_code == 200


def policy(answer: Any) -> str:
    return str(answer.headers["content-security-policy"])


def test_only_the_worker_may_compile_and_only_these_pages_are_isolated(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library, pages=ROOT / "web" / "live") as running:
        for path in ("/", "/local"):
            page = running.client.get(path)
            assert page.status_code == 200 and "wasm" not in policy(page) and "wasm" not in page.text
            assert page.headers["cross-origin-opener-policy"] == "same-origin"
            assert page.headers["cross-origin-embedder-policy"] == "require-corp"
        worker = running.client.get("/static/device/worker.js")
        assert "script-src 'self' 'wasm-unsafe-eval'" in policy(worker)
        assert worker.headers["cross-origin-embedder-policy"] == "require-corp"
        assert "default-src 'none'; frame-ancestors" in policy(running.client.get("/static/feed.js"))
        for path in ("/docs", "/watch/somebody"):
            assert "cross-origin-embedder-policy" not in running.client.get(path).headers


def test_npm_is_told_exact_versions_and_no_place(tmp_path: Path) -> None:
    wanted = json.loads((VENDOR / "package.json").read_text())["dependencies"]
    lock = json.loads((VENDOR / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages.values())
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version
