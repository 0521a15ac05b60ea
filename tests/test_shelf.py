"""The library of a service: new styles appear, damaged ones take nothing away."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from pathlib import Path

import pytest

from streamer.errors import UnknownStyle
from streamer.shelf import KeptLibrary, Watch
from streamer.styles import StyleLibrary, save_style
from tests import tiny
from tests.serving import serving, wait_for


@pytest.fixture
def library(tiny_library: StyleLibrary, tmp_path: Path) -> KeptLibrary:
    """A copy that may be spoiled."""
    shutil.copytree(tiny_library.folders[0], tmp_path / "library")
    return KeptLibrary([tmp_path / "library"], tmp_path / "library" / "trunks" / "live.safetensors")


def test_a_new_style_is_offered_and_a_deleted_one_forgotten(library: KeptLibrary) -> None:
    folder = library.folders[0]
    save_style(tiny.random_style(library.trunk, "delta", 9), folder / "delta.safetensors")
    (folder / "beta.safetensors").unlink()
    assert library.names() == ["alpha", "beta", "gamma"]
    library.refresh()
    assert library.names() == ["alpha", "delta", "gamma"]
    assert library.get("delta").title == "Delta"
    with pytest.raises(UnknownStyle, match="Known styles: alpha, delta, gamma"):
        library.get("beta")


def test_a_style_that_is_written_anew_is_taken_anew(library: KeptLibrary) -> None:
    before = library.get("alpha").checksum
    save_style(tiny.random_style(library.trunk, "alpha", 99), library.folders[0] / "alpha.safetensors")
    assert library.get("alpha").checksum == before
    library.refresh()
    assert library.get("alpha").checksum != before


def test_a_damaged_file_is_refused_with_a_line_and_the_old_style_serves_on(
    library: KeptLibrary, caplog: pytest.LogCaptureFixture
) -> None:
    before = library.get("alpha").checksum
    path = library.folders[0] / "alpha.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with caplog.at_level(logging.INFO, "streamer.shelf"):
        library.refresh()
        assert not caplog.messages  # it may still be on its way into the folder
        for _ in range(3):
            library.refresh()
    (line,) = caplog.messages
    assert line.startswith("style alpha is refused: ") and line.endswith("; the one before it goes on")
    assert library.get("alpha").checksum == before
    assert library.resolve("alpha").shape == (library.trunk.config.modulation_size,)


def test_a_damaged_file_of_a_new_name_is_not_offered(library: KeptLibrary, caplog: pytest.LogCaptureFixture) -> None:
    (library.folders[0] / "delta.safetensors").write_bytes(b"nothing")
    foreign = dataclasses.replace(tiny.random_style(library.trunk, "epsilon", 1), trunk="0" * 64)
    save_style(foreign, library.folders[0] / "epsilon.safetensors")
    with caplog.at_level(logging.INFO, "streamer.shelf"):
        library.refresh()
        library.refresh()
    assert library.names() == ["alpha", "beta", "gamma"]
    assert sorted(line.split()[1] for line in caplog.messages) == ["delta", "epsilon"]


def test_the_folders_may_go_away(library: KeptLibrary) -> None:
    shutil.rmtree(library.folders[0])
    library.refresh()
    assert library.names() == []


def test_the_watch_looks_by_itself(library: KeptLibrary) -> None:
    watch = Watch(library, every=0.01)
    try:
        save_style(tiny.random_style(library.trunk, "delta", 9), library.folders[0] / "delta.safetensors")
        wait_for(lambda: "delta" in library.names())
    finally:
        watch.close()


def test_a_running_service_offers_a_new_style(library: KeptLibrary) -> None:
    with serving(library) as running:
        style = tiny.random_style(library.trunk, "delta", 9)
        save_style(style, library.folders[0] / "delta.safetensors")
        wait_for(lambda: "delta" in [each["name"] for each in running.client.get("/api/styles").json()])
        assert running.client.get("/api/styles/delta/thumbnail.jpg").status_code == 200
