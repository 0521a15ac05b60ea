"""What every test gets: the project's own styles only, whatever the person running the tests has trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.engine import Engine
from streamer.styles import StyleLibrary
from tests import tiny


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No STREAMER_* options from outside, and an empty library of one's own; returns its folder."""
    import os

    for name in [name for name in os.environ if name.startswith("STREAMER_") and name != "STREAMER_TEST_CLIPS"]:
        monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("library")
    monkeypatch.setenv("STREAMER_LIBRARY", str(folder))
    return folder


@pytest.fixture(scope="session")
def tiny_library(tmp_path_factory: pytest.TempPathFactory) -> StyleLibrary:
    """Random styles alpha, beta and gamma on a tiny random trunk, compiled."""
    return tiny.write_library(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_engine(tiny_library: StyleLibrary) -> Iterator[Engine]:
    """An engine on the CPU runtime over the tiny library."""
    with Engine(tiny_library) as engine:
        yield engine
