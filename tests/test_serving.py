"""The server that `streamer serve` and `streamer demo` share: how it ends what is open, and what it lets finish."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from streamer.listening import listen
from streamer.serving import run

PATIENCE = 20.0  # seconds
AT_ONCE = 2.0  # seconds: less than what requests under way are given


@dataclass
class Server:
    """One that answers, and what it did."""

    url: str = ""
    did: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    answers: threading.Event = field(default_factory=threading.Event)
    is_busy: threading.Event = field(default_factory=threading.Event)

    async def endless(self, request: Request) -> Response:
        """As Gradio's heartbeat: a word at long intervals, for as long as there is a reader."""

        async def words() -> AsyncIterator[str]:
            try:
                yield "data: ALIVE\n\n"
                await asyncio.sleep(600)
            finally:
                self.did.append("the reader has gone")

        return StreamingResponse(words(), media_type="text/event-stream")

    async def slow(self, request: Request) -> Response:
        self.is_busy.set()
        await asyncio.sleep(0.7)
        return PlainTextResponse("done all the same")

    async def count(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def before_exit(self) -> None:
        self.did.append("closed")


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    routes = [Route("/endless", served.endless), Route("/slow", served.slow)]
    app = Starlette(routes=[*routes, Route("/count", served.count, methods=["POST"])])
    with listen("127.0.0.1", 0) as listener:
        served.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(
            target=run,
            args=(app, listener, served.stop, served.answers.set),
            kwargs={"before_exit": served.before_exit},
        )
        thread.start()
        assert served.answers.wait(PATIENCE)
        yield served
        served.stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_page_that_is_open_does_not_keep_it(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with httpx.stream("GET", f"{server.url}/endless", timeout=PATIENCE) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "data: ALIVE"
        began = time.monotonic()
        server.stop.set()
        assert "".join(lines) == ""  # the stream ends in good order: httpx raises where it breaks off
        assert time.monotonic() - began < AT_ONCE
    assert server.did == ["closed", "the reader has gone"]  # what is ours first
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_request_under_way_is_answered(server: Server) -> None:
    answers: list[str] = []
    asker = threading.Thread(target=lambda: answers.append(httpx.get(f"{server.url}/slow", timeout=PATIENCE).text))
    asker.start()
    assert server.is_busy.wait(PATIENCE)
    server.stop.set()
    asker.join(PATIENCE)
    assert answers == ["done all the same"]


def test_a_long_body_arrives_whole(server: Server) -> None:
    assert httpx.post(f"{server.url}/count", content=bytes(3_000_001), timeout=PATIENCE).text == "3000001"


def test_a_reader_who_leaves_ends_the_stream(server: Server) -> None:
    with httpx.stream("GET", f"{server.url}/endless", timeout=PATIENCE) as stream:
        assert next(stream.iter_lines()) == "data: ALIVE"
    until = time.monotonic() + PATIENCE
    while not server.did and time.monotonic() < until:
        time.sleep(0.02)
    assert server.did == ["the reader has gone"]
