"""Where the outputs of the command line go, and which are refused."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from streamer.cli.places import Places
from streamer.errors import OutputError


def beside(source: str) -> Path:
    return Path(source).with_suffix(".out")


def test_outputs_lie_beside_their_inputs_or_in_a_folder() -> None:
    assert Places(("x/a.mp4", "b.mp4")).pairs(beside) == [("x/a.mp4", Path("x/a.out")), ("b.mp4", Path("b.out"))]
    assert Places(("x/a.mp4",), out_dir=Path("y")).pairs(beside) == [("x/a.mp4", Path("y/a.out"))]
    assert Places(("x/a.mp4",), output=Path("z")).pairs(beside) == [("x/a.mp4", Path("z"))]


def test_two_inputs_never_become_one_output() -> None:
    places = Places(("x/a.mp4", "y/a.mp4"), out_dir=Path("z"))
    with pytest.raises(click.UsageError, match=r"x/a.mp4 and y/a.mp4 would both become z/a.out"):
        places.pairs(beside)


def test_a_file_url_is_the_path_that_it_means() -> None:
    places = Places(("file:///x/a%20b.mp4", "FILE://localhost/y/c.mp4", "file:/z#1.mp4", "file:d.mp4"))
    sources = ["/x/a b.mp4", "/y/c.mp4", "/z#1.mp4", "file:d.mp4"]
    assert places.pairs(beside) == [(source, beside(source)) for source in sources]
    assert Places(("file:///x/a.mp4",), output=Path("b")).pairs(beside) == [("/x/a.mp4", Path("b"))]


@pytest.mark.parametrize("order", [("a.mp4", "a.out"), ("a.out", "a.mp4")])
def test_an_output_is_never_another_input(tmp_path: Path, order: tuple[str, str]) -> None:
    """Which --overwrite would replace before its turn."""
    for name in order:
        (tmp_path / name).touch()
    places = Places(tuple(str(tmp_path / name) for name in order))
    with pytest.raises(click.UsageError, match=r"a.out is an input, but .*a.mp4 would become it"):
        places.pairs(lambda source: Path(source).with_suffix(".out" if source.endswith("mp4") else ".new"))


def test_an_output_folder_is_made_and_taken_away_when_nothing_came(tmp_path: Path) -> None:
    places = Places(("a.mp4",), out_dir=tmp_path / "new")
    with places.folder():
        assert (tmp_path / "new").is_dir()
    assert not (tmp_path / "new").exists()
    with places.folder():
        (tmp_path / "new" / "a.out").touch()
    assert (tmp_path / "new" / "a.out").exists()


def test_an_output_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    places = Places(("a.mp4",), out_dir=tmp_path / "file" / "new")
    with pytest.raises(OutputError, match="cannot be made"), places.folder():
        pass
