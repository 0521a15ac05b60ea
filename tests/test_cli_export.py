"""`streamer export`, as a user meets it: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from streamer.cli.main import run
from streamer.errors import BadMedia, BadOption, OutputError
from streamer.export.frames import representative
from streamer.export.run import export
from streamer.export_settings import ExportOptions
from streamer.styles import StyleLibrary
from tests.test_cli import only_sentence, start

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def own(clean_environment: Path, tiny_library: StyleLibrary) -> Path:
    """The tiny styles as the user's own, and where to write to."""
    shutil.copytree(tiny_library.folders[0], clean_environment, dirs_exist_ok=True)
    return clean_environment / "exported"


def test_a_frozen_style_and_what_is_said_of_it(own: Path) -> None:
    arguments = ("export", "alpha", "alpha:3,beta:1", "--freeze", "--format", "onnx", "--strength", "0.5", "--out", own)
    answer = start(*arguments, "--json")
    assert answer.returncode == 0, answer.stderr
    assert not answer.stderr
    first, second = json.loads(answer.stdout)["written"]
    assert Path(first["path"]) == own / "alpha.onnx" and Path(second["path"]) == own / "alpha-3+beta-1.onnx"
    assert first["size"] == (own / "alpha.onnx").stat().st_size
    assert 0 <= first["off"]["mean"] < first["off"]["largest"] + 1 <= 2
    card = json.loads(Path(second["card"]).read_text())
    assert card["style"] == "alpha:3,beta:1" and card["strength"] == "0.5" and card["statistics"] == "own"
    assert [credit["title"] for credit in card["credits"]] == ["Alpha", "Beta"]
    assert sorted(path.name for path in own.iterdir()) == [
        "alpha-3+beta-1.onnx", "alpha-3+beta-1.onnx.json", "alpha.onnx", "alpha.onnx.json",
    ]  # fmt: skip


def test_several_styles_of_a_trunk_go_into_one_card(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["export", "beta", "gamma", "--out", str(own)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{own / 'live.onnx'}: ") and " kB, at most " in said and said.count("\n") == 1
    card = json.loads((own / "live.onnx.json").read_text())
    assert list(card["modulations"]) == ["beta", "gamma"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--format", "saved-model", "--quantize", "int8"], 2, "--format saved-model has no --quantize int8: "),
        (["mosaic", "--statistics", "frozen"], 2, "--statistics frozen needs --freeze"),
        (["mosaic", "--strength", "0.5"], 2, "--strength needs --freeze"),
        (["mosaic", "--content", "x.jpg"], 2, "--content needs --quantize int8 or --statistics frozen"),
        (["--freeze"], 2, "--freeze needs the name of a STYLE, or a blend; received none."),
        (["mosiac"], 2, "Did you mean mosaic?"),
        (["mosaic,alpha"], 1, "mosaic and alpha cannot be blended"),
        (["mosaic", "--freeze", "--statistics", "frozen", "--content", "none.jpg"], 1, "none.jpg"),
    ],
)
def test_what_cannot_be_had_is_refused(
    own: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, sentence: str
) -> None:
    assert run(["export", *arguments, "--out", str(own)]) == code
    assert sentence in only_sentence(capsys.readouterr().err)
    assert not own.exists() or not list(own.iterdir())


def test_nothing_is_replaced_or_half_written(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    (tmp_path / "alpha.onnx").write_bytes(b"before")
    (tmp_path / "alpha" / "1").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"alpha\.onnx' exists already; --overwrite replaces it"):
        list(export(tiny_library, ["alpha"], tmp_path, ExportOptions(format="onnx", freeze=True)))
    with pytest.raises(OutputError, match="alpha/1' exists already"):
        list(export(tiny_library, ["alpha"], tmp_path, ExportOptions(format="saved-model", freeze=True)))
    with pytest.raises(OutputError, match="Cannot make the folder"):
        list(export(tiny_library, [], tmp_path / "alpha.onnx" / "in", ExportOptions()))
    assert (tmp_path / "alpha.onnx").read_bytes() == b"before"
    options = ExportOptions(format="onnx", freeze=True, overwrite=True)
    (file,) = export(tiny_library, ["alpha"], tmp_path, options)
    assert file.path.stat().st_size == file.size > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alpha", "alpha.onnx", "alpha.onnx.json"]


def test_a_saved_model_replaces_the_one_before(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    version = tmp_path / "alpha" / "1"
    version.mkdir(parents=True)
    (version / "of-before").touch()
    options = ExportOptions(format="saved-model", freeze=True, overwrite=True)
    (file,) = export(tiny_library, ["alpha"], tmp_path, options)
    assert [path.name for path in version.parent.iterdir()] == ["1"]
    assert file.path == version and not (version / "of-before").exists()


def test_representative_frames() -> None:
    shipped = representative()
    assert shipped.shape == (16, 360, 640, 3)
    of_both = representative([SAMPLES / "portrait.jpg", SAMPLES / "sample.mp4"])
    assert of_both.shape == (9, 360, 640, 3)
    assert len(representative([SAMPLES])) > 9
    with pytest.raises(BadMedia, match="There is no picture or clip in"):
        representative([SAMPLES / "paint"])
    with pytest.raises(BadMedia):
        representative([SAMPLES / "draw.py"])


def test_the_options_are_checked_where_they_are_made() -> None:
    with pytest.raises(BadOption, match="--strength must be from 0 to 1; received 2"):
        ExportOptions(strength=2)
    assert ExportOptions(freeze=True, strength=0.5, quantize="int8", content=("x",)).needs_frames
