"""The command line as a user meets it: exit codes, what goes to which stream, and how quickly it answers."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import streamer
from streamer.cli import options, progress
from streamer.cli.console import Console, sentence_of
from streamer.cli.main import cli, run
from streamer.cli.restyle import worst
from streamer.errors import BadMedia
from streamer.options import option
from streamer.settings import EngineOptions, ImageOptions, Look, TranscodeOptions
from streamer.training_settings import TrainOptions
from streamer.trunk import save_trunk
from tests import tiny

HELP_SECONDS = 0.5
STREAMER = [sys.executable, "-m", "streamer"]
COMMANDS = ("transcode", "image", "styles", "train", "evaluate", "compile", "bench", "serve")
HEAVY = ("tensorflow", "keras", "ai_edge_litert", "av", "cv2", "numpy", "rich", "fastapi", "uvicorn", "aiortc")


def start(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `streamer` as a process of its own."""
    command = [*STREAMER, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ | more, check=False)


def invoke(*arguments: str) -> Result:
    """Run `streamer` inside this process, without its handling of errors."""
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def only_sentence(stderr: str) -> str:
    """The one line that stderr must be."""
    (line,) = stderr.splitlines()
    assert line.startswith("streamer: ")
    assert line.endswith((".", ")", "?"))
    return line.removeprefix("streamer: ")


# How it answers


def test_help_answers_at_once() -> None:
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        assert start("--help").returncode == 0
        times.append(time.perf_counter() - begun)
    assert min(times) < HELP_SECONDS


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, streamer.cli; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_restyling_on_a_cpu_imports_no_training_framework() -> None:
    code = """
import sys
import streamer.engine, streamer.image, streamer.transcode, streamer.styles
print([name for name in ("tensorflow", "keras", "jax", "torch") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert command in invoke("--help").output
    assert "--help" in invoke(command, "--help").output


def test_the_help_names_the_environment() -> None:
    assert "STREAMER_LIBRARY names the folder of your own styles" in " ".join(invoke("--help").output.split())


def test_version_is_that_of_the_package() -> None:
    assert start("--version").stdout == f"streamer {streamer.__version__}\n"


def test_no_command_shows_the_help_as_a_misuse() -> None:
    answer = start()
    assert answer.returncode == 2
    assert "transcode" in answer.stderr
    assert not answer.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["transcode"], "Missing argument"),
        (["sculpt", "in.mp4"], "No such command"),
        (["transcode", "in.mp4", "--strenght", "1"], "--strength"),
        (["transcode", "in.mp4", "--strength", "much"], "'much'"),
        (["transcode", "in.mp4", "--strength", "1.5"], "from 0 to 1; received 1.5"),
        (["transcode", "in.mp4", "--strength", "nan"], "received nan"),
        (["transcode", "in.mp4", "--start", "inf"], "--start must be from 0 to 1e+07; received inf"),
        (["transcode", "in.mp4", "--start", "1e300"], "--start must be from 0 to 1e+07; received 1e+300"),
        (["transcode", "in.mp4", "--start", "-1"], "received -1"),
        (["transcode", "in.mp4", "--duration", "inf"], "--duration must be from 0 to 1e+07; received inf"),
        (["transcode", "in.mp4", "--duration", "nan"], "received nan"),
        (["transcode", "in.mp4", "--duration", "1e300"], "received 1e+300"),
        (["transcode", "in.mp4", "--crf", "9" * 400], "from 0 to 63; received 999"),
        (["transcode", "in.mp4", "--size", "big"], "--size must be a height (720p), a size (640x360) or"),
        (["transcode", "in.mp4", "--work-size", "0x", "--strength", "0"], "--work-size must be a height (720p)"),
        (["transcode", "in.mp4", "--work-size", "640x360p"], "received '640x360p'"),
        (["image", "in.jpg", "--size", "0p"], "--size must be a height"),
        (["image", "in.jpg", "--work-size", "1x0"], "--work-size must be a height"),
        (["transcode", "in.mp4", "--codec", "mpeg2"], "'mpeg2'"),
        (["transcode", "in.mp4", "--crf", "99"], "from 0 to 63; received 99"),
        (["transcode", "a.mp4", "b.mp4", "-o", "c.mp4"], "--out-dir"),
        (["image", "a.jpg", "-o", "b.jpg", "--out-dir", "c"], "exclude each other"),
        (["train", "a.jpg", "--name", "a", "--name", "b"], "--name is needed once for each picture"),
        (["train", "--name", "a"], "PICTURE"),
        (["evaluate", "mosaic"], "--content DIR, a folder of photographs, or --clips DIR is needed"),
        (["evaluate", "--content", "a", "--limit", "0"], "--limit must be from 1 to 100000; received 0"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert said in only_sentence(err)
    assert not out


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m streamer styles --json | true"
    answer = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert not answer.stderr


def test_a_trunk_is_compiled_beside_itself(tmp_path: Path) -> None:
    save_trunk(tiny.random_trunk(), tmp_path / "mine.safetensors")
    answer = invoke("compile", str(tmp_path / "mine.safetensors"), "--json")
    compiled = Path(json.loads(answer.stdout)["compiled"])
    assert compiled.parent == tmp_path
    assert compiled.stat().st_size > 10_000


def test_a_trunk_that_is_none_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.safetensors").write_text("not a trunk")
    assert run(["compile", str(tmp_path / "mine.safetensors")]) == 1
    assert "mine.safetensors" in only_sentence(capsys.readouterr().err)


# Flags and the option classes they come from


@pytest.mark.parametrize("group", [Look, EngineOptions, TranscodeOptions, ImageOptions, TrainOptions])
def test_flags_give_back_the_defaults(group: type) -> None:
    assert parsed(group, []) == group()


def parsed(group: type, arguments: list[str], **environment: str) -> object:
    """The dataclass that the flags of `group` build."""
    found: list[object] = []

    @click.command()
    @options.takes(group=group)
    def command(group: object) -> int:
        found.append(group)
        return 0

    CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    return found[0] if found else None


def test_flags_have_the_types_of_the_fields() -> None:
    arguments = ["--size", "720p", "--start", "1.5", "--codec", "av1", "--crf", "30", "--overwrite"]
    assert parsed(TranscodeOptions, arguments) == TranscodeOptions("720p", 1.5, codec="av1", crf=30, overwrite=True)


def test_options_come_from_the_environment_unless_a_flag_is_given() -> None:
    environment = {"STREAMER_STYLE": "great_wave", "STREAMER_PRESERVE_COLOR": "1", "STREAMER_STRENGTH": "0.5"}
    expected = Look("great_wave", 0.25, preserve_color=True)
    assert parsed(Look, ["--strength", "0.25"], **environment) == expected


def test_a_new_option_needs_no_code_in_the_command_line() -> None:
    @dataclasses.dataclass(frozen=True)
    class Tea:
        sugar_lumps: int = option(2, "Sweetness.", low=0, high=5)
        kind: str | None = option(None, "Which.", choices=("black", "green"))
        with_milk: bool = option(False, "White.")

    Tea.__annotations__ = {"sugar_lumps": int, "kind": str | None, "with_milk": bool}
    assert parsed(Tea, ["--sugar-lumps", "3", "--kind", "green", "--with-milk"]) == Tea(3, "green", True)


# What is said


def test_json_holds_only_what_json_knows(capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    Console(as_json=True).result({"path": Path("a"), "fps": float("inf"), "n": np.float32(0.5), "l": (1, None, True)})
    assert json.loads(capsys.readouterr().out) == {"path": "a", "fps": None, "n": 0.5, "l": [1, None, True]}


def test_quiet_and_json_leave_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for console in (Console(quiet=True), Console(as_json=True)):
        console.say("done")
        console.notice("something")
    out, err = capsys.readouterr()
    assert not out
    assert err == "streamer: something\n"


def test_a_detail_is_said_only_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    from streamer.media.notices import Notice

    Console().notice(Notice("Ten bits become eight.", "detail"))
    assert not capsys.readouterr().err
    Console(verbose=True).notice(Notice("Ten bits become eight.", "detail"))
    assert capsys.readouterr().err == "streamer: Ten bits become eight.\n"


def test_a_surprise_is_one_sentence_and_shows_where_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        raise ZeroDivisionError("division\nby zero")
    assert Console().fail(caught.value) == 1
    assert "Unexpected ZeroDivisionError: division by zero" in only_sentence(capsys.readouterr().err)
    assert Console(verbose=True).fail(caught.value) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_ours_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert Console(verbose=True).fail(BadMedia("It is empty.")) == 1
    assert only_sentence(capsys.readouterr().err) == "It is empty."
    assert sentence_of(BadMedia("Two\nlines.")) == "Two lines."


@pytest.mark.parametrize(("codes", "code"), [([], 0), ([2], 2), ([2, 2], 2), ([1], 1), ([2, 1], 1)])
def test_several_failures_are_misuse_only_when_all_are(codes: list[int], code: int) -> None:
    assert worst(codes) == code


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (5.4, "0:05"), (65, "1:05"), (7207, "2:00:07")])
def test_clock(seconds: float, text: str) -> None:
    assert progress.clock(seconds) == text


def test_time_left_follows_from_the_rate_so_far() -> None:
    assert progress.time_left(0.25, 10.0) == "0:30 left"
    assert progress.time_left(0.0, 10.0) == progress.time_left(None, 10.0) == ""
    assert progress.share_done(5, 4) == 1.0  # an announced total is often a little wrong
    assert progress.share_done(5, None) is None


def test_without_a_terminal_progress_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    lines = progress.Lines(Console(), "a.mp4")
    for second in range(25):
        lines.update(second / 100, f"{second} frames", float(second))
    assert capsys.readouterr().err == "streamer: a.mp4:  10%, 10 frames\nstreamer: a.mp4:  20%, 20 frames\n"
