"""The container without Docker: its commands are run here, and what belongs together is held together."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.metrics import Metrics
from streamer.server.measures import Measures
from streamer.styles import StyleLibrary
from tests.serving import wait_for

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, continued lines joined."""
    lines = re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
    return [(line.split()[0], line.split(None, 1)[1]) for line in lines if line and not line.startswith("#")]


def argument(name: str) -> list[str]:
    """The last instruction of that name, as the words of its JSON form."""
    text = [rest for word, rest in instructions() if word == name][-1]
    words: list[str] = json.loads(text[text.index("[") :])
    return words


def environment() -> dict[str, str]:
    """What ENV sets."""
    found = [shlex.split(rest) for word, rest in instructions() if word == "ENV"]
    return dict(pair.split("=", 1) for words in found for pair in words)


def local(words: list[str]) -> list[str]:
    """The same command with the Python and the scripts of this environment."""
    return [sys.executable, *words[1:]] if words[0] == "python" else [sys.executable, "-m", *words]


def test_the_image_is_not_roots_and_has_a_health_check() -> None:
    names = [word for word, _ in instructions()]
    user = dict(instructions())["USER"]
    assert user not in ("root", "0", "0:0")
    assert names.index("USER") > max(number for number, name in enumerate(names) if name == "RUN")
    assert {"HEALTHCHECK", "ENTRYPOINT", "CMD", "EXPOSE"} <= set(names)
    assert "ADD" not in names
    froms = [rest for word, rest in instructions() if word == "FROM"]
    assert all(re.search(r":\d", each) for each in froms), "a base image has a version"


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {source for word, rest in instructions() if word == "COPY" for source in rest.split()[:-1]}
    assert copied == sent
    assert all((ROOT / source).exists() for source in copied)


@pytest.mark.timeout(240)
def test_the_command_and_the_health_check_work(tiny_library: StyleLibrary, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    place = {"HOME": str(tmp_path), "STREAMER_LIBRARY": str(tiny_library.folders[0]), "STREAMER_PORT": port}
    env = os.environ | environment() | place
    probe = local(argument("HEALTHCHECK"))
    assert subprocess.run(probe, env=env, capture_output=True, check=False).returncode == 1
    with (tmp_path / "log").open("w") as log:
        command = local([*argument("ENTRYPOINT"), *argument("CMD")])
        process = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=log, stderr=log)
    try:
        wait_for(lambda: subprocess.run(probe, env=env, capture_output=True, check=False).returncode == 0, 120)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def test_the_parts_of_the_composition_keep_to_themselves() -> None:
    service = COMPOSE[COMPOSE.index("  streamer:") : COMPOSE.index("  prometheus:")]
    for line in ("read_only: true", "cap_drop: [ALL]", 'security_opt: ["no-new-privileges:true"]'):
        assert line in service
    assert "STREAMER_TOKEN: ${STREAMER_TOKEN:?" in service
    assert COMPOSE.count("cap_drop: [ALL]") == COMPOSE.count("    image: ") + COMPOSE.count("    build:")
    assert "profiles: [turn]" in COMPOSE
    images = re.findall(r"image: (\S+)", COMPOSE)
    assert images and all(re.search(r":v?\d+\.\d+", image) for image in images)
    assert "\t" not in COMPOSE


def test_every_option_in_the_composition_is_one() -> None:
    import dataclasses

    from streamer.settings import ServeOptions

    known = {f"STREAMER_{field.name.upper()}" for field in dataclasses.fields(ServeOptions)}
    assert set(re.findall(r"^      (STREAMER_\w+):", COMPOSE, re.MULTILINE)) <= known


def test_every_figure_of_the_dashboard_is_measured() -> None:
    metrics = Metrics()
    measures = Measures(metrics)
    measures.count_request("GET", "/", 200)
    measures.look({"done": 1}, True)
    measured = set(re.findall(r"^(streamer_\w+?)(?:\{| )", metrics.render()[0].decode(), re.MULTILINE))
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = {name for expression in asked for name in re.findall(r"streamer_\w+", expression)}
    assert len(dashboard["panels"]) >= 8
    assert used <= measured
    sources = {panel["datasource"]["uid"] for panel in dashboard["panels"]}
    assert sources == {"prometheus"} and "uid: prometheus" in COMPOSE
