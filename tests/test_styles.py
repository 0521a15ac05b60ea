"""The style library: files, names, blends, strength, damage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.blends import parse_blend
from streamer.errors import BadOption, BadStyle, UnknownStyle
from streamer.styles import StyleLibrary, load_style, save_style
from streamer.trunk import TrunkConfig, load_trunk, save_trunk


def test_style_file_round_trip(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    style = replace(tiny_library.get("alpha"), scores={"content": 0.5}, metadata={"content": "photographs"})
    save_style(style, tmp_path / "alpha.safetensors")
    again = load_style(tmp_path / "alpha.safetensors")
    np.testing.assert_array_equal(again.modulation, style.modulation)
    assert (again.name, again.title, again.artist, again.licence, again.trunk) == (
        style.name,
        style.title,
        style.artist,
        style.licence,
        style.trunk,
    )
    assert again.scores == {"content": 0.5}
    assert again.metadata["content"] == "photographs"
    assert (tmp_path / "alpha.safetensors").stat().st_size < 16_384


def test_trunk_file_round_trip(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    trunk = tiny_library.trunk
    save_trunk(trunk, tmp_path / "t.safetensors")
    again = load_trunk(tmp_path / "t.safetensors")
    assert again.config == trunk.config
    assert again.checksum == trunk.checksum
    np.testing.assert_array_equal(again.identity, trunk.identity)


def test_config_round_trip() -> None:
    assert TrunkConfig.from_dict(TrunkConfig().to_dict()) == TrunkConfig()


@pytest.mark.parametrize("where", [-2, -900])
def test_a_flipped_byte_is_found(tmp_path: Path, tiny_library: StyleLibrary, where: int) -> None:
    path = tmp_path / "alpha.safetensors"
    save_style(tiny_library.get("alpha"), path)
    data = bytearray(path.read_bytes())
    data[where] ^= 0x41
    path.write_bytes(data)
    with pytest.raises(BadStyle, match=r"alpha\.safetensors"):
        load_style(path)


def test_a_damaged_identity_row_is_found(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    trunk = tiny_library.trunk
    path = tmp_path / "t.safetensors"
    save_trunk(trunk, path)
    data = path.read_bytes()
    at = data.index(trunk.identity.tobytes())
    path.write_bytes(data[: at + 5] + bytes([data[at + 5] ^ 1]) + data[at + 6 :])
    with pytest.raises(BadStyle, match="checksum"):
        load_trunk(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 100])
def test_what_is_no_safetensors_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadStyle, match="x.safetensors"):
        load_style(path)


def test_a_style_without_its_trunk_says_what_is_missing(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    save_style(replace(tiny_library.get("alpha"), trunk="0123456789abcdef" * 4), tmp_path / "alpha.safetensors")
    (tmp_path / "trunks").mkdir()
    (tmp_path / "trunks" / "other.safetensors").write_bytes(b"nonsense")
    with pytest.raises(BadStyle) as caught:
        StyleLibrary([tmp_path], tiny_library.trunk_path).get("alpha")
    assert str(caught.value) == (
        "Style alpha needs the trunk 0123456789ab, which is not here (other.safetensors cannot be read): "
        f"put its file into {tmp_path / 'trunks'}, or train the style anew."
    )


def test_unknown_name_lists_the_known_and_the_nearest(tiny_library: StyleLibrary) -> None:
    with pytest.raises(UnknownStyle) as caught:
        tiny_library.get("alpa")
    assert "Did you mean alpha?" in str(caught.value)
    assert "alpha, beta, gamma" in str(caught.value)


def test_name_is_looked_up_never_joined_to_a_path(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    (tmp_path / "inner").mkdir()
    save_style(tiny_library.get("alpha"), tmp_path / "outside.safetensors")
    with pytest.raises(UnknownStyle):
        StyleLibrary([tmp_path / "inner"], tiny_library.trunk_path).get("../outside")


def test_a_later_folder_hides_an_earlier_one(tmp_path: Path, tiny_library: StyleLibrary) -> None:
    save_style(replace(tiny_library.get("beta"), name="alpha"), tmp_path / "alpha.safetensors")
    both = StyleLibrary([tiny_library.trunk_path.parent.parent, tmp_path], tiny_library.trunk_path)
    np.testing.assert_array_equal(both.get("alpha").modulation, tiny_library.get("beta").modulation)


def test_blend_is_the_weighted_mean(tiny_library: StyleLibrary) -> None:
    alpha, beta = (tiny_library.get(name).modulation for name in ("alpha", "beta"))
    np.testing.assert_allclose(tiny_library.resolve("alpha:3,beta:1"), 0.75 * alpha + 0.25 * beta, atol=1e-6)
    np.testing.assert_allclose(tiny_library.resolve("alpha:0,beta"), beta, atol=1e-6)


def test_strength_runs_from_the_input_to_the_style(tiny_library: StyleLibrary) -> None:
    """Only gain, bias and gate fade: what is painted stays the same picture."""
    alpha = tiny_library.get("alpha").modulation
    np.testing.assert_array_equal(tiny_library.resolve("alpha"), alpha)
    np.testing.assert_array_equal(tiny_library.resolve("alpha", 0.0)[-9:], [0, 0, 0, 0, 0, 0, 1, 1, 1])
    quarter = tiny_library.resolve("alpha", 0.25)
    np.testing.assert_array_equal(quarter[:-9], alpha[:-9])
    np.testing.assert_allclose(quarter[-9:-3], 0.25 * alpha[-9:-3], rtol=1e-6)
    np.testing.assert_allclose(quarter[-3:], 0.75 + 0.25 * alpha[-3:], rtol=1e-6)


def test_strength_does_not_touch_what_the_library_remembers(tiny_library: StyleLibrary) -> None:
    before = tiny_library.get("alpha").modulation.copy()
    tiny_library.resolve("alpha", 0.5)
    np.testing.assert_array_equal(tiny_library.get("alpha").modulation, before)


@pytest.mark.parametrize("spec", ["a:nan", "a:inf", "a:-1", "a:x", "a:", ":1", "", "a,,b", "a:0"])
def test_bad_blends_are_refused(spec: str) -> None:
    with pytest.raises(BadOption):
        parse_blend(spec)


def test_names_repeat_and_spaces_do_not_matter() -> None:
    assert parse_blend("a:1, b:2,a:3") == {"a": 4.0, "b": 2.0}
