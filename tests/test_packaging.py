"""What is installed: the locks name exact files and no place to get them from, and the wheel carries what is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ["requirements.lock", "requirements-serve.lock", "requirements-demo.lock", "requirements-dev.lock"]
ENTRY = re.compile(r"^([a-z0-9-]+)==([^ ]+)( ; [^\\]+)? \\$")


def entries(lock: str) -> dict[str, list[str]]:
    """Package names of a lock with the hashes of each."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in (ROOT / lock).read_text().splitlines():
        if match := ENTRY.match(line):
            name = match[1]
            found[name] = []
        elif hash_line := re.fullmatch(r"    --hash=(sha256:[0-9a-f]{64})( \\)?", line):
            found[name].append(hash_line[1])
        else:
            assert line.lstrip().startswith("#"), f"{lock}: {line!r}"
    return found


@pytest.mark.parametrize("lock", [*LOCKS, "requirements-web.lock"])
def test_a_lock_is_exact_files_and_nothing_else(lock: str) -> None:
    found = entries(lock)
    assert all(found.values())
    assert not re.search(r"://|--index|--extra|--find|file:", (ROOT / lock).read_text())


@pytest.mark.parametrize("lock", LOCKS)
def test_no_second_framework_gets_in(lock: str) -> None:
    others = ("torch", "nvidia") if "dev" in lock else ("torch", "nvidia", "jax")  # the tests compare with JAX
    assert not {name for name in entries(lock) if name.startswith(others)}


@pytest.mark.parametrize("lock", LOCKS[:3])
def test_restyling_needs_no_training_framework(lock: str) -> None:
    assert not {"tensorflow", "keras"} & entries(lock).keys()


def test_the_locks_agree_and_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    run_time, service, page, everything = map(entries, LOCKS)
    assert run_time.items() <= service.items() <= everything.items()
    assert run_time.items() <= page.items() <= everything.items()
    optional = project["optional-dependencies"]
    extras = [need for needs in optional.values() for need in needs]
    asked = ((run_time, project["dependencies"]), (service, optional["serve"]), (page, optional["demo"]))
    for lock, needs in (*asked, (everything, extras)):
        assert {re.split(r"[<>=~ ;\[]", need)[0] for need in needs} <= lock.keys()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The project as a wheel, built as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")  # a copy, because setuptools leaves its traces where it builds
    for name in ("streamer", "training", "web"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=folder, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_carries_all_packages_and_the_shipped_styles(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"streamer/cli/main.py", "training/__init__.py", "web/__init__.py"} <= names
    library = ROOT / "streamer" / "library"
    pages = [path for folder in ("live", "demo") for path in (ROOT / "web" / folder).rglob("*") if path.is_file()]
    assert {f"web/{path.relative_to(ROOT / 'web')}" for path in pages if path.suffix != ".pyc"} <= names
    shipped = {f"streamer/{path.relative_to(ROOT / 'streamer')}" for path in library.rglob("*") if path.is_file()}
    assert shipped <= names
    assert not {name for name in names if name.startswith(("tests/", "samples/"))}


def test_the_wheel_has_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    (scripts,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "streamer = streamer.cli:main" in wheel.read(scripts).decode()
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
