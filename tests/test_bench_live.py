"""The live bench in its short forms: real peers in processes of their own. `make soak` measures the full ones."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from click.testing import CliRunner

from streamer.bench.live import CASES, cases
from streamer.bench.live.numbers import COUNT, background, draw, read
from streamer.cli.main import cli
from streamer.settings import LIVE_CASES
from tests.rtc_service import slack


@pytest.mark.parametrize("size", [(96, 160), (144, 256), (361, 641)])
def test_pictures_carry_their_number(size: tuple[int, int]) -> None:
    ground = background(*size)
    for number in (0, 1, 2, 77, 4095, COUNT - 1, COUNT + 5):
        assert read(draw(number, ground)) == number % COUNT


def test_a_number_survives_paint_and_a_picture_without_one_has_none() -> None:
    rng = np.random.default_rng(0)
    painted = draw(1234, background(144, 256)).astype(np.float32) * 0.4 + rng.uniform(0, 120, (144, 256, 3))
    assert read(painted.astype(np.uint8)) == 1234
    assert read(background(144, 256)) is None
    assert read(np.zeros((144, 256, 3), np.uint8)) is None


def test_every_case_can_be_named() -> None:
    assert tuple(CASES) == LIVE_CASES


def test_small_sessions_return_their_frames_in_time() -> None:
    found = asyncio.run(cases.passthrough(4, sessions=2))
    assert found["returned"] >= 0.9 / slack() and found["glass_to_glass_ms"]["p95"] <= 800 * slack()


def test_the_shipped_network_gives_frames_back_that_can_be_read() -> None:
    found = asyncio.run(cases.shipped(4))
    assert found["fps_returned"] > 1 / slack() and found["unreadable"] <= 5
    assert found["stages_ms"]["style"] > 0 and found["beyond_style_ms"]["p50"] < 200 * slack()


def test_twice_too_many_frames_do_not_pile_up() -> None:
    found = asyncio.run(cases.overload(6))
    assert found["queue_depth"] <= 1 and found["returned"] < 0.7
    assert found["drift_ms"] < 250 * slack()


def test_a_stalled_viewer_costs_the_others_nothing() -> None:
    found = asyncio.run(cases.stalled_viewer(4, viewers=2))
    assert min(found["fps_before"]) > 5 / slack() and found["cost"] <= 0.25 * slack()


def test_killed_clients_leave_nothing_behind() -> None:
    found = asyncio.run(cases.kill_cycles(6, at_once=3))
    assert found["holds"], found


def test_a_killed_client_is_noticed_and_the_command_says_so_in_json() -> None:
    told = CliRunner().invoke(cli, ["bench", "--live", "--only", "client_killed", "--json"])
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)["client_killed"]
    assert found["holds"] and found["styling_stops_s"] <= 2 and 9 < found["slot_free_s"] <= 15


@pytest.mark.parametrize("flags", [["--soak"], ["--only", "overload"]])
def test_what_belongs_to_live_needs_it(flags: list[str]) -> None:
    told = CliRunner().invoke(cli, ["bench", *flags])
    assert told.exit_code == 2 and "needs --live" in told.stderr
