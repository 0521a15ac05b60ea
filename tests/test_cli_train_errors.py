"""What `streamer train` refuses, and how: one sentence, before anything is computed."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from streamer.cli.main import run
from streamer.cli.sources import Sources, name_of
from tests import tiny
from training.plan import best_precision
from training.vgg import random_weights


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "photographs").mkdir()
    for i in range(10):
        cv2.imwrite(str(tmp_path / "photographs" / f"{i}.png"), tiny.picture(70, 90, seed=i))
    (tmp_path / "empty").mkdir()
    cv2.imwrite(str(tmp_path / "a.png"), tiny.picture(80, 80))
    cv2.imwrite(str(tmp_path / "b.png"), tiny.picture(80, 80, seed=1))
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((80, 80, 3), 128, np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    np.savez(tmp_path / "vgg.npz", **random_weights())
    monkeypatch.setenv("STREAMER_LIBRARY", str(tmp_path / "styles"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--name", "a"], 2, "Missing argument 'PICTURE...'"),
        (["a.png", "b.png", "--name", "a"], 2, "--name is needed once for each picture: 2, not 1."),
        (["a.png", "--style-weight", "1", "--style-weight", "2"], 2, "--style-weight is needed once for each picture"),
        (
            ["a.png", "--name", "No Name"],
            2,
            "--name takes small letters, digits, '-' and '_', at most 64; received 'No",
        ),
        (["a.png", "b.png", "--name", "c", "--name", "c"], 2, "Every picture needs a --name of its own"),
        (["a.png", "--style-size", "large"], 2, "--style-size takes pixels such as 256,384; received 'large'."),
        (["a.png", "--style-size", "16"], 2, "--style-size must be from 32 to 4096 pixels; received 16 for a."),
        (["a.png", "--style-weight", "-1"], 2, "--style-weight must be from 0 to 1e+06; received -1 for a."),
        (["a.png", "--steadiness", "-1"], 2, "--steadiness must be from 0 to 1e+06; received -1 for a."),
        (["a.png", "--style-weight", "nan"], 2, "--style-weight must be from 0 to 1e+06; received nan for a."),
        (["a.png", "--minutes", "5", "--steps", "5"], 2, "--minutes and --steps exclude each other"),
        (["a.png", "--minutes", "0"], 2, "--minutes must be from 0.05 to 100000; received 0"),
        (["a.png", "--crop", "100"], 2, "--crop must be a multiple of 8; received 100."),
        (["a.png", "--accumulate", "0"], 2, "--accumulate must be from 1 to 1024; received 0."),
        (["a.png", "--precision", "int8"], 2, "'int8'"),
        (["a.png", "--model", "huge"], 2, "'huge'"),
        (["a.png", "--prune", "0.5"], 2, "--prune needs --scope trunk: what is left of a network must learn anew."),
        (["a.png", "--scope", "trunk", "--prune", "1"], 2, "--prune must be from 0 to 0.9; received 1.0."),
        (["a.png", "--scope", "trunk", "--prune", "0.05"], 2, "--prune 0.05 removes nothing: channels are left in mul"),
        (["a.png", "--scope", "trunk", "--prune-where", "everywhere"], 2, "--prune-where everywhere needs --prune."),
        (["a.png", "--teacher-weight", "3"], 2, "--teacher-weight needs --teacher."),
        (["a.png", "--teacher", "empty", "--teacher-weight", "-1"], 2, "--teacher-weight must be from 0 to 1e+06"),
        (["a.png", "--teacher", "nowhere"], 1, "nowhere of styles to learn from; a model is one of live, quality."),
        (["a.png", "--teacher", "empty"], 1, "empty does not know a; it knows no style."),
        (["a.png", "--teacher", "live"], 2, "There is no style 'a'."),
        (["a.png", "--teacher", "quality"], 2, "There is no style 'a'."),
        (
            ["a.png", "--content-weight", "0", "--style-weight", "0"],
            2,
            "there is nothing to learn from but a --teacher",
        ),
        (["c.png"], 1, "There is no picture c.png."),
        (["text.png"], 1, "text.png is not a picture that can be read."),
        (["grey.png"], 1, "grey.png is of one colour"),
        (["a.png", "--content", "nowhere"], 1, "nowhere of photographs."),
        (["a.png", "--content", "empty"], 1, "Training needs at least"),
        (["a.png", "--vgg-weights", "none.npz"], 1, "none.npz"),
        (["a.png", "--vgg-weights", "text.png"], 1, "text.png"),
        (["a.png", "--name", "a", "--out", "b.safetensors"], 2, "--out b.safetensors is for one style, named b"),
        (["a.png", "b.png", "--out", "c.safetensors"], 2, "--out c.safetensors is for one style"),
        (["a.png", "--out", "text.png"], 1, "--out text.png cannot be written: File exists."),
        (["a.png", "--out", "/proc"], 1, "--out /proc cannot be written"),  # not even by root
        (["a.png", "--start-from", "live"], 2, "--start-from is for --scope trunk: --scope style leaves the network"),
        (
            ["a.png", "--scope", "trunk", "--start-from", "qualty"],
            1,
            "no folder qualty of styles to begin with; a",
        ),
        (["a.png", "--scope", "trunk", "--start-from", "quality"], 1, "of the quality model: give --model quality."),
        (["--resume", "--run-dir", "x", "--start-from", "live"], 2, "as it was begun: it goes without --start-from."),
        (["--resume"], 2, "--resume needs the --run-dir, the --name or the PICTURE"),
        (["--resume", "--run-dir", "nowhere"], 1, "There is no run to resume in nowhere"),
        (["a.png", "--sweep", "style_weight"], 2, "--sweep takes NAME=VALUE,VALUE with a name out of style_weight, "),
        (["a.png", "--sweep", "steps=1,2"], 2, "--sweep takes NAME=VALUE,VALUE"),
        (["a.png", "--sweep", "style_weight=1,x"], 2, "--sweep takes numbers such as style_weight=1,3,10"),
        (["a.png", "--sweep", "style_weight=1,1"], 2, "--sweep names a value twice"),
        (["a.png", "--sweep", "style_weight=1", "style_weight=2"], 2, "--sweep was given style_weight twice."),
        (["a.png", "--sweep", "content_weight=1,-2"], 2, "--content-weight must be from 0 to 1e+06; received -2.0."),
        (["a.png", "--sweep", "teacher_weight=1,2"], 2, "--teacher-weight needs --teacher."),
        (["a.png", "--sweep", "style_size=8,64"], 2, "--style-size must be from 32"),
        (["a.png", "b.png", "--sweep", "style_weight=1,2"], 2, "--sweep is for one picture; received 2."),
        (["a.png", "--sweep", "style_weight=1,2", "--out", "x"], 2, "--sweep makes trials and installs no style"),
        (["a.png", "--sweep", f"style_weight={','.join(map(str, range(65)))}"], 2, "at most 64 trials"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(
    arguments: list[str], code: int, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [] if "--content" in arguments else ["--content", "photographs"]
    weights = [] if "--vgg-weights" in arguments else ["--vgg-weights", "vgg.npz"]
    assert run(["train", *arguments, *given, *weights]) == code
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert said in line
    assert not out
    assert not (place / "runs").exists()


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("mine.jpg", "mine"),
        ("My Cat (2).JPG", "my_cat_2"),
        ("Zażółć gęślą.png", "zazoc_gesla"),
        ("-_x_-.png", "x"),
        ("a" * 80 + ".png", "a" * 64),
        ("great-wave.v2.png", "great-wave_v2"),
    ],
)
def test_a_style_is_named_after_its_file(file: str, name: str) -> None:
    assert name_of(Path("folder") / file) == name


def test_a_file_whose_name_makes_no_style_needs_one() -> None:
    with pytest.raises(click.UsageError, match="No name for a style can be made of '日本.png'; give one with --name"):
        name_of(Path("日本.png"))


def test_what_follows_sweep_is_no_picture() -> None:
    said = dict.fromkeys(Sources.__dataclass_fields__, ())
    sources = Sources(**said | {"pictures": (Path("a.png"), Path("content_weight=1,2")), "sweep": ("style_weight=1",)})
    complete = sources.complete()
    assert complete.pictures == (Path("a.png"),) and complete.name == ("a",)
    assert complete.sweep == ("style_weight=1", "content_weight=1,2")


@pytest.mark.parametrize(
    ("facts", "chosen"),
    [("flags : fpu avx2 avx512_bf16 sse", "bfloat16"), ("flags : amx_bf16", "bfloat16"), ("flags : avx2", "float32")],
)
def test_automatic_precision_asks_the_processor(facts: str, chosen: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(facts)
    assert best_precision(tmp_path / "cpuinfo") == chosen


def test_automatic_precision_where_the_processor_says_nothing(tmp_path: Path) -> None:
    assert best_precision(tmp_path / "missing") == "float32"
