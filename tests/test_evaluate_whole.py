"""The score card as a whole: our own styles and outputs in files, what they are measured on, and the report."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from streamer.engine import Engine
from streamer.errors import BadMedia, BadOption, OutputError, UnknownStyle
from tests import tiny
from tests.evaluated import read, save, save_clip, silent, tiny_painter
from training.card import ScoreCard
from training.evaluate import LAYERS
from training.gather import Material, gather
from training.material import StylePictures, read_clip
from training.measure import Report, measure
from training.painter import Painter
from training.report import check_folder, write_report
from training.stylised import Outputs, common_size, find_outputs
from training.tables import tables
from training.vgg import Features, random_weights

FRAMES = 12


@pytest.fixture(scope="module")
def features() -> Features:
    return Features(random_weights(), LAYERS)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """Photographs of odd sizes, a clip and a style picture."""
    folder = tmp_path_factory.mktemp("material")
    for i in range(3):
        save(folder / f"photo{i}.png", tiny.picture(171, 203, seed=i))
    save(folder / "pd_alpha.png", tiny.picture(90, 80, seed=50))
    scene = tiny.picture(120, 240, seed=9)
    save_clip(folder / "clip.mkv", [scene[:, 3 * i : 3 * i + 160] for i in range(FRAMES)])
    photographs = {f"photo{i}": folder / f"photo{i}.png" for i in range(3)}
    return Material(photographs, {"alpha": folder / "pd_alpha.png"}, {"clip": folder / "clip.mkv"}, FRAMES)


@pytest.fixture
def painter(tiny_engine: Engine) -> Painter:
    return tiny_painter(tiny_engine)


def test_outputs_in_files_are_measured_as_our_own(
    painter: Painter, material: Material, features: Features, tmp_path: Path
) -> None:
    for name, path in material.photographs.items():
        save(tmp_path / "files" / "alpha" / "photos" / f"{name}.png", painter.still(read(path)))
    clip = read_clip(material.clips["clip"], FRAMES, material.width)
    save_clip(tmp_path / "files" / "alpha" / "clips" / "clip.mkv", painter.clip(clip.frames, clip.times))
    told: list[tuple[int, int]] = []
    report: Report = lambda done, total, what: told.append((done, total))  # noqa: E731
    (ours, theirs), sheets = measure([painter, *find_outputs(tmp_path / "files")], material, features, report)
    assert (ours.label, theirs.label) == ("ours alpha", "files alpha")
    assert set(ours.scores) >= {"content", "style", "style_relu5_1"}
    assert ours.scores == theirs.scores and ours.photographs == theirs.photographs and ours.clips == theirs.clips
    assert set(ours.photographs) == set(material.photographs) and set(ours.clips["clip"].e_warp) == {1, 10}
    assert ours.artefacts and ours.moved and ours.still and not (theirs.artefacts or theirs.moved or theirs.still)
    assert told == sorted(told) and told[-1] == (told[-1][1] - 1, 9)
    assert list(sheets.photographs["photo0"]) == ["input", "files alpha", "ours alpha"]
    assert list(sheets.clips["clip"]) == ["input", "files alpha", "ours alpha"]


def test_outputs_cropped_to_a_stride_are_compared_with_that_part(material: Material, features: Features) -> None:
    folder = material.clips["clip"].parent / "cropped"
    for name, path in material.photographs.items():
        save(folder / "alpha" / "photos" / f"{name}.png", read(path)[:168, :200])
    outputs = find_outputs(folder)
    ((card,), sheets) = measure(outputs, Material(material.photographs, material.pictures), features, silent)
    assert card.scores["content"] == 0
    assert sheets.photographs["photo0"]["input"].shape == (168, 200, 3)
    assert common_size("x", (171, 203), [(Path("a"), (168, 204)), (Path("b"), (172, 200))]) == (168, 200)


def test_a_style_without_its_picture_has_content_alone(
    painter: Painter, material: Material, features: Features
) -> None:
    one = dict(list(material.photographs.items())[:1])
    ((card,), _) = measure([painter], Material(one), features, silent)
    assert set(card.scores) == {"content"}
    table = tables(ScoreCard((card,), {}))[0]
    assert table.rows[0][3:9] == ("-",) * 6


def test_a_report_has_all_that_was_measured(
    painter: Painter, material: Material, features: Features, tmp_path: Path
) -> None:
    cards, sheets = measure([painter], material, features, silent)
    card = ScoreCard(tuple(cards), {"photographs": list(material.photographs)})
    check_folder(tmp_path / "made" / "report")
    written = write_report(card, sheets, tmp_path / "made" / "report")
    text = next(path for path in written if path.name == "report.md").read_text()
    for heading in ("Photographs", "Clips", "Exact motions", "Still scenes", "Artefacts"):
        assert f"## {heading}" in text
    assert f"{cards[0].scores['content']:.3f}" in text and "photo0, photo1, photo2" in text
    for path in written:
        if path.suffix in (".png", ".jpg"):
            assert f"({path.name})" in text
            assert cv2.imread(str(path)).std() > 5
    values = json.loads((tmp_path / "made" / "report" / "scores.json").read_text())
    (style,) = values["styles"]
    assert style["clips"]["clip"]["added"]["1"] == pytest.approx(
        style["clips"]["clip"]["e_warp"]["1"] - style["clips"]["clip"]["own"]["1"]
    )
    assert style["artefacts"]["border_ratio"] > 0 and style["still"]["noise, photo0"]["ratio"] > 0
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="The report cannot be written to"):
        check_folder(tmp_path / "file" / "report")


# What is measured on


def test_pictures_are_found_by_name(tmp_path: Path) -> None:
    for name in (
        "mosaic",
        "nonpd_mosaic",
        "pd_great_wave",
        "pd_shipwreck_minotaur",
        "pd_vangogh_one",
        "pd_vangogh_two",
    ):
        save(tmp_path / f"{name}.png", tiny.picture(8, 8))
    pictures = StylePictures([str(tmp_path), f"named={tmp_path / 'pd_great_wave.png'}"])
    names = {style: pictures.of(style) for style in ("mosaic", "great_wave", "shipwreck", "named", "wav", "absent")}
    assert {style: path and path.stem for style, path in names.items()} == {
        "mosaic": "mosaic",
        "great_wave": "pd_great_wave",
        "shipwreck": "pd_shipwreck_minotaur",
        "named": "pd_great_wave",
        "wav": None,
        "absent": None,
    }
    with pytest.raises(
        BadOption, match=r"Which picture is vangogh's\? pd_vangogh_one.png, pd_vangogh_two.png could be"
    ):
        pictures.of("vangogh")
    with pytest.raises(BadOption, match="--pictures takes a folder, or NAME=FILE"):
        StylePictures(["nowhere"])


def test_means_are_over_photographs_that_every_folder_shows(tmp_path: Path) -> None:
    for name in ("val_a", "val_b", "train_c", "d"):
        save(tmp_path / "content" / f"{name}.png", tiny.picture(8, 8))
    here = [tmp_path / "content"]

    def chosen(*shown: set[str], limit: int = 20) -> list[str]:
        entries = [Outputs("p", f"s{i}", dict.fromkeys(names, Path("x")), {}) for i, names in enumerate(shown)]
        return list(gather(entries, here, None, [], limit=limit, frames=2, width=64).photographs)

    assert chosen() == ["val_a", "val_b"]  # those held out from training
    assert chosen(limit=1) == ["val_a"]
    assert chosen({"d", "val_a"}, {"d", "elsewhere"}) == ["d"]
    with pytest.raises(BadMedia, match="has none of the photographs that all outputs show, such as e"):
        chosen({"e"})
    with pytest.raises(BadMedia, match="none of the photographs that all outputs show."):
        chosen({"d"}, {"val_a"})
    same = [Outputs("p", "s", {}, {})] * 2
    with pytest.raises(BadOption, match="Two folders of outputs are called p"):
        gather(same, here, None, [], limit=1, frames=2, width=64)


def test_what_cannot_be_measured_is_said(tmp_path: Path, material: Material) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadMedia, match="There are no photographs in .*empty"):
        gather([], [tmp_path / "empty"], None, [], limit=1, frames=2, width=64)
    with pytest.raises(BadMedia, match="There are no clips in .*empty"):
        gather([], [], tmp_path / "empty", [], limit=1, frames=2, width=64)
    with pytest.raises(BadMedia, match="There is no folder .*nowhere"):
        find_outputs(tmp_path / "nowhere")
    with pytest.raises(BadMedia, match="empty holds no outputs; they are looked for as STYLE/photos/NAME.png"):
        find_outputs(tmp_path / "empty")
    save(tmp_path / "program" / "alpha" / "photos" / "photo0.png", tiny.picture(100, 203))
    with pytest.raises(UnknownStyle, match="no outputs of beta; it has alpha"):
        find_outputs(tmp_path / "program", ["beta"])
    with pytest.raises(BadMedia, match=r"photo0.png has 203x100 pixels, but photo0 has 203x171; .*less than 16 pixels"):
        measure(find_outputs(tmp_path / "program"), material, Features(random_weights(), LAYERS), silent)
    save_clip(tmp_path / "short.mkv", [tiny.picture(32, 32)])
    with pytest.raises(BadMedia, match="short.mkv is not a clip to measure motion in: it has a single frame"):
        read_clip(tmp_path / "short.mkv", FRAMES)


def test_wide_clips_are_scaled_down(material: Material) -> None:
    clip = read_clip(material.clips["clip"], 5, width=80)
    assert [frame.shape for frame in clip.frames] == [(60, 80, 3)] * 5
    assert clip.times == pytest.approx([i / 24 for i in range(5)], abs=1e-3)
