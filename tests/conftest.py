"""What every test gets: the project's own styles only, whatever the person running the tests has trained."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pylibsrtp  # noqa: F401  before TensorFlow, to whose copy of OpenSSL it would otherwise be bound, and crash
import pytest

from streamer.engine import Engine
from streamer.styles import StyleLibrary
from tests import tiny
from tests.browser_fixtures import camera, driver, library, program, service, visit

__all__ = [
    "camera",
    "driver",
    "library",
    "program",
    "service",
    "visit",
]  # fixtures, each there once


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the tests' own, empty at first; but what Matplotlib knows of fonts takes too long to find out anew."""
    with pytest.MonkeyPatch.context() as patch:
        usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        patch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR") or str(usual / "matplotlib"))
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No STREAMER_* options from outside, and an empty library of one's own; returns its folder."""
    for name in [name for name in os.environ if name.startswith("STREAMER_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("library")
    monkeypatch.setenv("STREAMER_LIBRARY", str(folder))
    return folder


@pytest.fixture(autouse=True, scope="module")
def quick_graphs(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests of training run a graph a few times: TensorFlow takes longer to optimise one than that would ever save."""
    if not request.path.name.startswith("test_training"):
        yield
        return
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file that takes longest comes first: at the end, one worker would do it while the other has nothing left."""
    items.sort(key=lambda item: item.path.name != "test_training_devices.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what could not be run here."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()) if report.longrepr]
    loud = [reason.removeprefix("Skipped: ") for reason in reasons if "NOT RUN" in reason]
    for reason in sorted(set(loud)):
        terminalreporter.write_line(f"{loud.count(reason)} tests {reason}", yellow=True, bold=True)


@pytest.fixture(scope="session")
def tiny_library(tmp_path_factory: pytest.TempPathFactory) -> StyleLibrary:
    """Random styles alpha, beta and gamma on a tiny random trunk, compiled."""
    return tiny.write_library(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def int8_library(tiny_library: StyleLibrary, tmp_path_factory: pytest.TempPathFactory) -> StyleLibrary:
    """The same, of a trunk that says it learnt with 8-bit arithmetic."""
    return tiny.copy_for_int8(tiny_library, tmp_path_factory.mktemp("int8"))


@pytest.fixture(scope="session")
def tiny_engine(tiny_library: StyleLibrary) -> Iterator[Engine]:
    """An engine on the CPU runtime over the tiny library."""
    with Engine(tiny_library) as engine:
        yield engine
