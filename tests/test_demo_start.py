"""`streamer demo` as a command: how soon it answers, what it loads, and what it says where something is missing."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.processes import Demo, wait_for


def test_the_page_answers_soon_after_gradio_is_there_and_needs_no_framework(tmp_path: Path) -> None:
    alone, ours = [], []
    for _ in range(3):  # side by side, and the best of each: the machine has other things to do
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import gradio"], check=True, timeout=90, capture_output=True)
        alone.append(time.perf_counter() - began)
        began = time.perf_counter()
        demo = Demo(tmp_path)
        try:
            assert demo.get("/").status_code == 200
            ours.append(time.perf_counter() - began)
            loaded = Path(f"/proc/{demo.pid}/maps").read_text()
            assert "gradio" in demo.get("/config").text
            assert "numpy" in loaded and "tensorflow" not in loaded
        finally:
            assert demo.stop() == 0
    assert min(ours) <= 1.5 * min(alone), (ours, alone)


def test_where_no_tunnel_can_be_had_it_says_so_and_serves_on(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"  # as a proxy: nothing can be reached
    demo = Demo(
        tmp_path,
        "--share",
        environment={"HTTPS_PROXY": nowhere, "HTTP_PROXY": nowhere, "ALL_PROXY": nowhere, "HF_HOME": str(tmp_path)},
    )
    try:
        wait_for(lambda: "No public address could be had" in demo.log, 60, "the sentence", lambda: demo.log)
        assert "the page is served on this machine alone" in demo.log
        assert demo.get("/").status_code == 200
        components = demo.get("/config").json()["components"]
        buttons = [each["props"].get("value") for each in components if each["type"] == "button"]
        assert "Paint the clip" in buttons and "Learn this style" not in buttons
    finally:
        assert demo.stop() == 0
    assert "Traceback" not in demo.log


def test_without_gradio_it_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'gradio' else find(name, *rest)\n"
        "from streamer.cli import main; main(['demo', '--port', '0'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "pip install 'streamer[demo]'" in done.stderr


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "streamer", "demo", "--port", str(port)], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 2 and "something else listens there already" in done.stderr
