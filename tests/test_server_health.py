"""Whether a service notices that it is stuck, and who owns what it runs on."""

from __future__ import annotations

import threading

import pytest

from streamer.engine import Engine
from streamer.runtime import Batch, Styled
from streamer.server.health import Health
from streamer.styles import StyleLibrary
from tests.serving import offer, serving, wait_for


class Stuck:
    """A runtime whose device does not come back until it is let go."""

    name, batch_size = "stuck", 1

    def __init__(self) -> None:
        self.go = threading.Event()

    def run(self, batch: Batch) -> Styled:
        self.go.wait(30)
        return Styled(batch.frames, batch.given, batch.given)

    def close(self) -> None:
        self.go.set()


def test_a_stuck_device_is_not_healthy_and_never_ready(tiny_library: StyleLibrary) -> None:
    runtime = Stuck()
    with serving(tiny_library, runtime=runtime, health=Health(device_limit=0.2)) as running:
        assert "warming up" in running.client.get("/readyz").json()["error"]
        assert running.client.post("/api/sessions", json={"sdp": offer("sendrecv")}).status_code == 503
        wait_for(lambda: running.client.get("/healthz").status_code == 503)
        assert "stuck" in running.client.get("/healthz").json()["error"]
        runtime.go.set()
        wait_for(lambda: running.client.get("/healthz").status_code == 200)


def test_a_stuck_event_loop_is_noticed() -> None:
    now = [0.0]
    health = Health(loop_limit=5.0, clock=lambda: now[0])
    health.is_warm = True
    health.beat()
    now[0] = 4.0
    assert health.trouble() is None and health.unready() is None
    now[0] = 6.0
    assert health.trouble() == "The event loop was stuck for 6.0 s."
    health.beat()  # it came round again, late: the probe that waited meanwhile is told
    assert health.trouble() is not None
    now[0] = 6.5
    health.beat()
    assert health.trouble() is None
    health.is_draining = True
    assert health.unready() == "The service is shutting down."


def test_the_engine_of_a_service_is_the_callers(tiny_library: StyleLibrary, tiny_engine: Engine) -> None:
    with serving(tiny_library) as running:
        engine = running.parts.engine
    assert engine is not tiny_engine
    with pytest.raises(RuntimeError, match="shutdown"):
        engine.on_device(lambda _: None)
