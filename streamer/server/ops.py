"""For those who run it: is it alive, is it ready, what are its figures."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from streamer.server.replies import JSON, problem, retry_header
from streamer.server.service import Service

_STUCK = 60.0  # seconds for one batch


def router(service: Service) -> APIRouter:
    """/healthz, /readyz and /metrics."""
    routes = APIRouter(tags=["operation"])
    health, live = service.health, service.parts.live

    @routes.get("/healthz", summary="503: start it anew")
    async def healthz() -> Response:
        trouble = health.trouble()
        if trouble is None and live.busy_seconds > _STUCK:
            trouble = f"A batch has been on the device for {live.busy_seconds:.0f} s."
        return problem(503, trouble) if trouble else JSON({"status": "ok"})

    @routes.get("/readyz", summary="503: send nobody here now")
    async def readyz() -> Response:
        reason = health.unready()
        return problem(503, reason, retry_header(2)) if reason else JSON({"status": "ready"})

    @routes.get("/metrics", summary="Figures for Prometheus")
    async def metrics() -> Response:
        service.measures.look(service.jobs.counts(), health.unready() is None)
        text, kind = service.parts.metrics.render()
        return Response(text, media_type=kind)

    return routes
