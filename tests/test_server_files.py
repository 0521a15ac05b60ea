"""Pictures and videos over HTTP: formats, limits, progress, cancelling, expiry. Each is styled in a real process."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from streamer.jobs import JobLimits
from streamer.media import VideoReader
from streamer.settings import ServeOptions
from streamer.styles import StyleLibrary
from tests import tiny
from tests.media_clips import Clip, Sound
from tests.serving import Running, serving, wait_for

LIMITS = JobLimits(queue=1, pixels=300_000, seconds=3.0, timeout=60.0, threads=1)


@pytest.fixture(scope="module")
def server(tiny_library: StyleLibrary) -> Iterator[Running]:
    with serving(tiny_library, limits=LIMITS) as running:
        running.client.timeout = httpx.Timeout(120)
        yield running


def encoded(height: int = 60, width: int = 80, form: str = "PNG") -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    Image.fromarray(tiny.picture(height, width)).save(file, form)
    return file.getvalue()


def send(server: Running, body: bytes, kind: str = "image/png", **query: str | float) -> httpx.Response:
    return server.client.post("/api/images", params=query, content=body, headers={"Content-Type": kind})


# Pictures


@pytest.mark.parametrize(
    ("form", "asked", "kind"),
    [
        ("PNG", None, "image/png"),
        ("JPEG", None, "image/jpeg"),
        ("PNG", "webp", "image/webp"),
        ("GIF", None, "image/png"),
    ],
)
def test_a_picture_comes_back_styled(server: Running, form: str, asked: str | None, kind: str) -> None:
    query = {"style": "alpha:0.5,beta:0.5"} | ({"format": asked} if asked else {})
    answer = send(server, encoded(form=form), f"image/{form.lower()}", **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == kind
    styled = Image.open(io.BytesIO(answer.content)).convert("RGB")
    assert styled.size == (80, 60)
    assert np.abs(np.asarray(styled, int) - tiny.picture(60, 80)).mean() > 2


def test_a_form_is_taken_too_and_strength_0_is_the_input(server: Running) -> None:
    files = {"file": ("mine.png", encoded(), "image/png")}
    answer = server.client.post("/api/images", params={"style": "alpha", "strength": 0}, files=files)
    assert answer.status_code == 200, answer.text
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), tiny.picture(60, 80))
    wait_for(lambda: not server.jobs.counts()["done"])  # answered, and forgotten


@pytest.mark.parametrize(
    ("body", "kind", "query", "status", "says"),
    [
        (b"hello", "image/png", {}, 422, "readable are JPEG"),
        (b"", "image/png", {}, 400, "empty"),
        (b"x", "text/html", {}, 415, "must be image/"),
        (b"x", "image/png", {"style": "nope"}, 422, "Known styles"),
        (b"x", "image/png", {"format": "exe"}, 422, "format"),
        (b"no form", "multipart/form-data; boundary=x", {}, 400, "multipart"),
        (b"no form", "multipart/form-data", {}, 400, "boundary"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "image/png", {}, 422, "readable are JPEG"),
    ],
)
def test_what_is_no_picture_is_refused(
    server: Running, body: bytes, kind: str, query: dict[str, str], status: int, says: str
) -> None:
    answer = send(server, body, kind, **query)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]
    assert "/tmp" not in answer.text
    assert sum(server.jobs.counts().values()) == 0


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(server: Running) -> None:
    answer = send(server, encoded(600, 600))
    assert answer.status_code == 422
    assert "300,000 pixels" in answer.json()["error"]


# Videos


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of video."""
    return Clip(sounds=[Sound()]).write(tmp_path_factory.mktemp("clip") / "clip.mp4").read_bytes()


def begin(server: Running, body: bytes, **query: str) -> str:
    answer = server.client.post("/api/jobs", params=query, content=body, headers={"Content-Type": "video/mp4"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["url"]
    url: str = answer.json()["url"]
    return url


def events(server: Running, url: str) -> list[tuple[str, dict[str, object]]]:
    """All events of a job."""
    found: list[tuple[str, dict[str, object]]] = []
    with server.client.stream("GET", f"{url}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
    return found


def test_a_video_becomes_a_job_with_progress_and_a_result(server: Running, clip: bytes, tmp_path: Path) -> None:
    url = begin(server, clip, style="beta")
    told = events(server, url)
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    name, last = told[-1]
    assert (name, last["state"], last["progress"]) == ("done", "done", 1.0)
    assert server.client.get(url).json() == last
    result = server.client.get(last["result"])
    assert result.headers["content-type"] == "video/mp4"
    (tmp_path / "styled.mp4").write_bytes(result.content)
    with VideoReader(str(tmp_path / "styled.mp4")) as reader:
        assert sum(1 for _ in reader) > 0
    part = server.client.get(last["result"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert server.client.delete(url).status_code == 200
    assert server.client.get(url).status_code == 404


def test_a_job_that_is_cancelled_leaves_nothing(server: Running, clip: bytes) -> None:
    url = begin(server, clip)
    folder = server.jobs.get(url.rpartition("/")[2]).folder
    assert server.client.get(f"{url}/result").status_code == 409
    assert server.client.delete(url).status_code == 200
    assert not folder.exists()
    assert server.client.get(url).status_code == 404


def test_a_video_that_cannot_be_read_is_a_failed_job(server: Running, clip: bytes) -> None:
    url = begin(server, clip[: len(clip) // 2])
    name, last = events(server, url)[-1]
    assert (name, last["state"], last["result"]) == ("failed", "failed", None)
    assert str(last["error"]).startswith("'upload' ") and "--" not in str(last["error"])
    answer = server.client.get(f"{url}/result")
    assert answer.status_code == 409 and "failed" in answer.json()["error"]
    server.client.delete(url)


def test_beyond_the_queue_it_says_when_to_come_back(server: Running, clip: bytes, tmp_path: Path) -> None:
    long = Clip(ticks=tuple(range(0, 800 * 512, 512))).write(tmp_path / "long.mp4").read_bytes()  # not done at once
    urls = [begin(server, long) for _ in range(2)]  # one at work, one that waits
    answer = server.client.post("/api/jobs", content=clip, headers={"Content-Type": "video/mp4"})
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    for url in urls:
        server.client.delete(url)


def test_results_expire(tiny_library: StyleLibrary) -> None:
    with serving(tiny_library, limits=JobLimits(keep=0.5)) as running:
        url = begin(running, b"not a video")
        job = running.jobs.get(url.rpartition("/")[2])
        wait_for(lambda: job.state == "failed", 60)
        wait_for(lambda: running.client.get(url).status_code == 404)
        assert not job.folder.exists()


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (JobLimits(timeout=0.05), "took longer than the 0.05 s"),
        (JobLimits(memory=100 << 20), "more than the 100 MiB of memory"),
        (JobLimits(seconds=0.5), "at most 0.5 s long"),
        (JobLimits(pixels=1000), "at most 1,000 pixels"),
    ],
)
def test_a_job_meets_its_bounds(tiny_library: StyleLibrary, clip: bytes, limits: JobLimits, says: str) -> None:
    with serving(tiny_library, limits=limits) as running:
        url = begin(running, clip)
        job = running.jobs.get(url.rpartition("/")[2])
        wait_for(lambda: job.is_over, 60)
        assert job.state == "failed"
        assert says in str(job.error)


def test_the_limits_are_those_of_the_options() -> None:
    limits = JobLimits.of(ServeOptions(max_megapixels=2, max_duration=30, job_memory=512, jobs=3, keep_results=60))
    assert (limits.pixels, limits.seconds, limits.memory) == (2_000_000, 30, 512 << 20)
    assert (limits.at_once, limits.keep) == (3, 60)
