"""Several trunks and models side by side: styles find theirs by checksum, and folders may change at any time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.compiled import compile_trunk
from streamer.engine import Engine
from streamer.errors import BadStyle, UnknownStyle
from streamer.settings import EngineOptions, Look
from streamer.styles import SHIPPED, StyleLibrary, load_style, save_style
from streamer.trunk import MODELS, Trunk, TrunkConfig, save_trunk
from tests import tiny

WIDER = TrunkConfig(width=16, blocks=1, deep_width=8, deep_dilations=(1,), head_width=8)


@pytest.fixture(scope="module")
def other_trunk() -> Trunk:
    return tiny.random_trunk(WIDER, seed=1)


@pytest.fixture
def own(tmp_path: Path, other_trunk: Trunk) -> Path:
    """A user's folder with a style `delta` on a trunk of another architecture, whose file has any name."""
    (tmp_path / "trunks").mkdir()
    save_trunk(other_trunk, tmp_path / "trunks" / "of-my-own.safetensors")
    save_style(tiny.random_style(other_trunk, "delta", seed=9), tmp_path / "delta.safetensors")
    return tmp_path


@pytest.fixture
def library(tiny_library: StyleLibrary, own: Path) -> StyleLibrary:
    return StyleLibrary([*tiny_library.folders, own])


def test_styles_of_all_trunks_are_listed_and_found(library: StyleLibrary, other_trunk: Trunk) -> None:
    assert library.names() == ["alpha", "beta", "delta", "gamma"]
    assert library.get("delta").trunk == other_trunk.checksum
    assert library.get("alpha").trunk != other_trunk.checksum


def test_selecting_binds_to_the_trunk_of_the_style(
    library: StyleLibrary, tiny_library: StyleLibrary, own: Path, other_trunk: Trunk
) -> None:
    bound = library.select("delta")
    assert bound.trunk.checksum == other_trunk.checksum
    assert bound.trunk_path == own / "trunks" / "of-my-own.safetensors"
    assert bound.names() == library.names()
    assert bound.resolve("delta").shape == (WIDER.modulation_size,)
    assert bound.select("alpha:2,beta").trunk_path == tiny_library.trunk_path


def test_a_blend_across_trunks_is_refused(library: StyleLibrary) -> None:
    with pytest.raises(BadStyle, match=r"alpha and delta cannot be blended: they belong to different trunks"):
        library.select("alpha:0.5,delta:0.5")


def test_a_style_of_a_trunk_that_does_not_run_is_refused(library: StyleLibrary, other_trunk: Trunk) -> None:
    with pytest.raises(BadStyle, match=rf"Style alpha was made for another trunk \(.*here {other_trunk.checksum[:12]}"):
        library.select("delta").resolve("alpha")


def test_each_trunk_runs_its_own_styles(library: StyleLibrary, own: Path, other_trunk: Trunk) -> None:
    frame = tiny.picture(40, 48)
    with pytest.raises(BadStyle, match=r"of-my-own.*`streamer compile .*of-my-own\.safetensors` builds it"):
        Engine(library.select("delta"), EngineOptions(device="cpu"))
    compile_trunk(other_trunk, own / "trunks")
    looks = {}
    for name in ("alpha", "delta"):
        with Engine(library.select(name), EngineOptions(device="cpu")) as engine:
            (looks[name],) = engine.stream(Look(name))([frame], [0.0])
    assert np.abs(looks["alpha"].astype(int) - looks["delta"]).mean() > 3


def test_the_default_trunk_is_the_first_folders(library: StyleLibrary, tiny_library: StyleLibrary, own: Path) -> None:
    assert library.trunk_path == tiny_library.trunk_path
    with pytest.raises(BadStyle, match="no trunk for the live model"):
        _ = StyleLibrary([own]).trunk_path


def test_a_users_folder_does_not_hide_the_shipped_styles(clean_environment: Path, tiny_library: StyleLibrary) -> None:
    shutil.copytree(tiny_library.folders[0], clean_environment, dirs_exist_ok=True)
    default = StyleLibrary.default()
    assert {"alpha", "mosaic"} <= set(default.names())
    assert default.trunk_path == SHIPPED / "trunks" / "live.safetensors"
    assert default.select("alpha").trunk.checksum == tiny_library.trunk.checksum


def write_delta(library: StyleLibrary, folder: Path, name: str, title: str = "Copied") -> None:
    """The style `delta` under another name."""
    folder.mkdir(exist_ok=True)
    save_style(replace(library.get("delta"), name=name, title=title), folder / f"{name}.safetensors")


def test_files_appear_and_change_while_a_library_is_in_use(library: StyleLibrary, own: Path) -> None:
    with pytest.raises(UnknownStyle):
        library.get("epsilon")
    write_delta(library, own, "epsilon", "First")
    assert library.get("epsilon").title == "First"
    write_delta(library, own, "epsilon", "Second")
    assert library.get("epsilon").title == "Second"
    (own / "epsilon.safetensors").unlink()
    assert "epsilon" not in library.names()


@pytest.mark.parametrize("damage", [lambda data: b"nonsense", lambda data: data[:-4] + b"\0\1\2\3"])
def test_a_damaged_trunk_refuses_its_styles_and_no_others(
    library: StyleLibrary, own: Path, damage: Callable[[bytes], bytes]
) -> None:
    assert library.get("delta").name == "delta"
    path = own / "trunks" / "of-my-own.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadStyle, match="of-my-own.safetensors"):
        library.get("delta")
    assert library.get("alpha").name == "alpha"


def test_a_bound_library_outlives_its_trunks_file(library: StyleLibrary, own: Path) -> None:
    """An engine goes on with the trunk that it has loaded, and so must the looks that it is asked for."""
    bound = library.select("delta")
    before = bound.resolve("delta")
    save_trunk(tiny.random_trunk(WIDER, seed=2), own / "trunks" / "of-my-own.safetensors")
    np.testing.assert_array_equal(bound.resolve("delta"), before)
    with pytest.raises(BadStyle, match="needs the trunk"):
        library.select("delta")


# Models


def test_the_models_are_those_of_the_option() -> None:
    for model in MODELS:
        assert EngineOptions(model=model).model == model
    (field,) = (field for field in EngineOptions.__dataclass_fields__.values() if field.name == "model")
    assert set(field.metadata["choices"]) == set(MODELS)


def test_the_quality_model_has_styles_of_its_own(library: StyleLibrary, own: Path, other_trunk: Trunk) -> None:
    write_delta(library, own / "quality", "alpha")
    quality = library.for_model("quality")
    assert quality.names() == ["alpha"]
    assert quality.select("alpha").trunk.checksum == other_trunk.checksum
    assert library.get("alpha").trunk != other_trunk.checksum
    assert library.models_of("alpha") == ["live", "quality"]
    assert library.models_of("beta") == ["live"]
    with pytest.raises(UnknownStyle, match="no style 'beta' for the quality model, only for live"):
        quality.get("beta")


def test_without_quality_styles_it_says_what_there_is(library: StyleLibrary) -> None:
    with pytest.raises(UnknownStyle) as caught:
        library.for_model("quality").select("alpha")
    assert str(caught.value) == (
        "There are no styles for the quality model; there are for live: alpha, beta, delta, gamma."
    )


# Thumbnails


def test_a_thumbnail_lies_beside_its_style(library: StyleLibrary, own: Path) -> None:
    assert library.thumbnail("delta") is None
    (own / "thumbnails").mkdir()
    (own / "thumbnails" / "delta.jpg").write_bytes(b"a picture")
    (own / "thumbnails" / "alpha.jpg").write_bytes(b"of another folder's style")
    assert library.thumbnail("delta") == b"a picture"
    assert library.thumbnail("alpha") is None
    with pytest.raises(UnknownStyle):
        library.thumbnail("../delta")


def test_a_thumbnail_is_the_sample_in_the_style(tiny_engine: Engine) -> None:
    import cv2

    from streamer.thumbnails import LARGEST, encoded, sample, thumbnail

    pictures = {}
    for name in ("alpha", "beta"):
        data = thumbnail(tiny_engine.library, name, tiny_engine.stylize)
        assert len(data) <= LARGEST
        pictures[name] = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
        styled = tiny_engine.stylize(sample(), tiny_engine.library.resolve(name))
        expected = cv2.resize(styled, (256, 192), interpolation=cv2.INTER_AREA)
        assert np.abs(pictures[name] - expected).mean() < 12
    assert np.abs(pictures["alpha"] - pictures["beta"]).mean() > 12
    noise = np.random.default_rng(0).integers(0, 256, (288, 384, 3), np.uint8)
    assert len(encoded(noise)) <= LARGEST, "even of what cannot be compressed"


def test_a_style_file_is_read_once(library: StyleLibrary, own: Path) -> None:
    assert library.get("delta") is library.get("delta")
    assert library.get("delta") is not load_style(own / "delta.safetensors")
