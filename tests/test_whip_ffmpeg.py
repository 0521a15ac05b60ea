"""A publisher that is not aiortc: FFmpeg's WHIP muxer, in a process of its own, over HTTP to a real server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np

from streamer.bench.live.client import Far
from streamer.runtime import PassthroughRuntime
from streamer.styles import StyleLibrary
from tests.rtc_service import eventually
from tests.serving import Running, serving, wait_for

ROOT = Path(__file__).parent.parent


def publisher(server: Running, seconds: float, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.whip_publisher", f"{server.url}/whip/studio?style=mosaic", str(seconds), folder],
        cwd=ROOT,
        env=os.environ,
        stderr=subprocess.PIPE,
    )


async def watch(server: Running, wanted: int) -> tuple[list[int], list[int]]:
    """Numbers of the pictures that come, and loudness of the sound."""
    loud: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        far = Far(pool, "watch", 0, 0, 0)
        far.connection.addTransceiver("audio", "recvonly")
        far.on_sound = lambda frame: loud.append(int(np.abs(frame.to_ndarray()).max()))
        async with httpx.AsyncClient(base_url=server.url) as client:
            met = await client.post(
                "/whep/studio", content=await far.offer(), headers={"Content-Type": "application/sdp"}
            )
            assert met.status_code == 201, met.text
            await far.connect(met.text)
            await eventually(lambda: len(far.received) >= wanted and len(loud) >= wanted)
            assert (await client.delete(met.headers["Location"])).status_code == 200
        await far.close()
    return [number for number, _ in far.received], loud


def test_ffmpeg_publishes_and_is_watched_with_its_sound(tmp_path: Path) -> None:
    with serving(StyleLibrary.default(), runtime=PassthroughRuntime()) as server:
        server.until_ready()
        process = publisher(server, 25, tmp_path)
        try:
            wait_for(lambda: process.poll() is not None or server.client.get("/api/streams").json(), 60)
            numbers, loud = asyncio.run(watch(server, 30))
            assert numbers == sorted(numbers) and len(set(numbers)) > 8
            assert 4000 < sorted(loud)[len(loud) // 2] < 12_000
            (stream,) = server.client.get("/api/streams").json()
            assert stream["name"] == "studio" and stream["frame"] == [320, 180] and stream["style"] == "mosaic"
        finally:
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors.decode()[-2000:]
        wait_for(lambda: server.client.get("/api/streams").json() == [])  # it says goodbye with DELETE


def test_ffmpeg_killed_leaves_a_free_name(tmp_path: Path) -> None:
    with serving(StyleLibrary.default(), runtime=PassthroughRuntime()) as server:
        server.until_ready()
        process = publisher(server, 60, tmp_path)
        wait_for(lambda: process.poll() is not None or server.client.get("/api/streams").json(), 60)
        process.kill()
        process.communicate(timeout=60)
        wait_for(lambda: server.client.get("/api/streams").json() == [], 15)
        assert server.parts.live.sessions == 0
