"""Inputs that come over a network, from a server in the test's own process."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.errors import Interrupted, TruncatedMedia
from streamer.settings import TranscodeOptions
from streamer.transcode import transcode
from tests import media_probe as probe
from tests.media_clips import Clip, Identity, Sound
from tests.media_run import left_in, refused, restyle


class Careless(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; `/half/` sends half of what it announced, `/stuck/` then keeps the line open, as `/mute/` does
    without having sent anything.
    """

    hang_up = threading.Event()

    def do_GET(self) -> None:
        path, _, _ = self.path.partition("?")
        if path.startswith("/mute/"):
            self.hang_up.wait(30)
            return
        data = (Path(self.directory) / Path(path).name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if path.startswith(("/half/", "/stuck/")) else data)
        if path.startswith("/stuck/"):
            self.wfile.flush()
            self.hang_up.wait(30)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    def handler(*args):
        return Careless(*args, directory=str(tmp_path))

    Careless.hang_up.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        Careless.hang_up.set()
        server.shutdown()
        thread.join()
        server.server_close()


class TestUrls:
    @pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
    def test_are_read(self, tmp_path: Path, address: str, ending: str) -> None:
        options = {"movflags": "faststart"} if ending == "mp4" else {}
        source = Clip(sounds=[Sound()], container_options=options).write(tmp_path / f"in.{ending}")
        report = restyle(f"{address}/in.{ending}?token=a/b.gif", tmp_path / "out.mkv")
        assert report.frames == len(probe.times(source)) == 30

    def test_a_broken_connection_is_a_truncated_input(self, tmp_path: Path, address: str) -> None:
        options = {"movflags": "faststart"}
        Clip(ticks=range(0, 15360 * 4, 512), container_options=options).write(tmp_path / "in.mp4")
        sentence = refused(TruncatedMedia, f"{address}/half/in.mp4", tmp_path / "out.mp4")
        assert "breaks off" in sentence
        report = restyle(f"{address}/half/in.mp4", tmp_path / "out.mp4", keep_partial=True)
        assert report.partial

    @pytest.mark.parametrize("way", ["mute", "stuck"])
    def test_a_silent_server_does_not_keep_one_from_leaving(self, tmp_path: Path, address: str, way: str) -> None:
        options = {"movflags": "faststart"}
        Clip(ticks=range(0, 15360 * 4, 512), container_options=options).write(tmp_path / "in.mp4")
        stop = threading.Event()
        asked: list[float] = []

        def ask() -> None:
            asked.append(time.monotonic())
            stop.set()

        timer = threading.Timer(1.0, ask)
        timer.start()
        with pytest.raises(Interrupted):
            transcode(f"{address}/{way}/in.mp4", tmp_path / "out.mp4", Identity(), TranscodeOptions(), stop=stop)
        assert time.monotonic() - asked[0] < 3
        assert left_in(tmp_path) == {"in.mp4"}
        Careless.hang_up.set()
        for thread in threading.enumerate():
            if thread.name in ("open", "decode"):
                thread.join(20)  # what was left behind ends by itself
                assert not thread.is_alive()
