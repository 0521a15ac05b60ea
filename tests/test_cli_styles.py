"""`streamer styles`, and `--style` and `--model` where a library has several trunks, as processes of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from PIL import Image

from streamer.styles import SHIPPED, StyleLibrary
from tests.test_cli import only_sentence, start


def test_the_list_tells_what_is_needed_to_choose() -> None:
    result = json.loads(start("styles", "--json").stdout)
    styles = {style["name"]: style for style in result["styles"]}
    assert {"mosaic", "great_wave"} <= styles.keys()
    for style in styles.values():
        assert style.keys() == {"name", "title", "artist", "licence", "scores", "models"}
        assert style["models"][0] == "live"
        assert style["title"]
        assert style["licence"]


def test_the_list_for_people_has_a_line_for_each_style() -> None:
    heading, *lines = start("styles").stdout.splitlines()
    assert heading.split() == ["NAME", "TITLE", "ARTIST", "LICENCE", "SCORES", "MODELS"]
    assert [line.split()[0] for line in lines] == sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def test_one_style_tells_all_of_itself() -> None:
    told = json.loads(start("styles", "show", "mosaic", "--json").stdout)
    assert told["name"] == "mosaic"
    live = told["of_model"]["live"]
    assert len(live["trunk"]) == len(live["checksum"]) == 64
    assert live["scores"] == told["scores"]
    assert live["scored_on"] and live["content"]
    lines = start("styles", "show", "mosaic").stdout.splitlines()
    assert lines[0].split() == ["name", "mosaic"]
    assert any(line.split() == ["model", "live"] for line in lines)
    answer = start("styles", "show", "mosiac")
    assert answer.returncode == 2
    assert "Did you mean mosaic?" in only_sentence(answer.stderr)


def test_a_style_of_a_trunk_of_ones_own_is_styled_with_it(clean_environment: Path, tiny_library: StyleLibrary) -> None:
    shutil.copytree(tiny_library.folders[0], clean_environment, dirs_exist_ok=True)
    Image.new("RGB", (64, 48), (200, 80, 40)).save(clean_environment / "in.png")
    for style in ("alpha:2,beta", "mosaic"):
        answer = start("image", clean_environment / "in.png", "--style", style, "-o", clean_environment / "out.png")
        assert answer.returncode == 0, answer.stderr
        (clean_environment / "out.png").unlink()
    answer = start("image", clean_environment / "in.png", "--style", "alpha,mosaic")
    assert answer.returncode == 1
    assert "alpha and mosaic cannot be blended" in only_sentence(answer.stderr)


def test_a_model_without_a_style_says_what_there_is(clean_environment: Path, tiny_library: StyleLibrary) -> None:
    shutil.copytree(tiny_library.folders[0], clean_environment, dirs_exist_ok=True)
    Image.new("RGB", (64, 48), (200, 80, 40)).save(clean_environment / "in.png")
    answer = start("image", clean_environment / "in.png", "--style", "alpha", "--model", "quality")
    assert answer.returncode == 2
    assert "for the quality model" in only_sentence(answer.stderr)
    assert "alpha" in answer.stderr and "live" in answer.stderr


def test_a_damaged_style_hides_no_other(clean_environment: Path) -> None:
    (clean_environment / "broken.safetensors").write_bytes(b"nonsense")
    answer = start("styles", "--json")
    assert answer.returncode == 1
    assert "broken" in only_sentence(answer.stderr)
    assert "mosaic" in [style["name"] for style in json.loads(answer.stdout)["styles"]]


def test_a_style_in_two_models_is_listed_once(clean_environment: Path, tiny_library: StyleLibrary) -> None:
    shutil.copytree(tiny_library.folders[0], clean_environment, dirs_exist_ok=True)
    (clean_environment / "quality").mkdir()
    shutil.copy(clean_environment / "alpha.safetensors", clean_environment / "quality")
    (clean_environment / "quality" / "beta.safetensors").write_bytes(b"nonsense")
    answer = start("styles", "--json")
    assert answer.returncode == 1
    assert "beta.safetensors" in only_sentence(answer.stderr)
    models = {style["name"]: style["models"] for style in json.loads(answer.stdout)["styles"]}
    assert models["alpha"] == ["live", "quality"]
    assert models["beta"] == models["gamma"] == ["live"]
    answer = start("styles", "show", "beta")
    assert answer.returncode == 1
    assert "Beta" in answer.stdout
    shutil.rmtree(clean_environment / "trunks")
    answer = start("styles", "show", "alpha")
    assert answer.returncode == 1
    assert "needs the trunk" in answer.stderr and not answer.stdout
