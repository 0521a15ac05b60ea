"""Uploads: a picture that is answered with the styled one, and a video that becomes a job."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from streamer.errors import StreamerError
from streamer.jobs import Job, JobStore
from streamer.server.looks import LookIn, checked, default_look, query_look
from streamer.server.replies import JSON, Refusal
from streamer.server.service import Service
from streamer.server.uploads import FORM, check_type, receive_any

PING = 10.0  # seconds of silence after which an event stream says that it is there
_GONE_EVERY = 0.5  # seconds between looks whether a client still waits
PictureForm = Annotated[
    Literal["jpeg", "png", "webp", "avif", "tiff"] | None, Query(alias="format", description="Default: the input's.")
]
VideoForm = Annotated[Literal["mp4", "webm", "mkv"], Query(alias="format")]
Said = Annotated[LookIn, Depends(query_look)]


def _file_body(kind: str) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"file": binary}, "required": ["file"]}
    return {"requestBody": {"required": True, "content": {kind: {"schema": binary}, FORM: {"schema": form}}}}


def router(service: Service) -> APIRouter:
    """The routes /api/images and /api/jobs."""
    routes = APIRouter(tags=["files"], default_response_class=JSON)
    _add_pictures(routes, service)
    _add_job_creation(routes, service)
    _add_jobs(routes, service)
    return routes


async def _accept(service: Service, request: Request, kind: str, said: LookIn, form: str | None) -> Job:
    """Find a place for an upload, then read it, then let it take its turn."""
    check_type(request, kind)
    library = service.parts.library
    look = checked(said.over(default_look(library)), library)
    job = await service.jobs.reserve(kind, look, form)
    try:
        await receive_any(request, job.upload)
    except BaseException:
        await service.jobs.forget(job)
        raise
    service.jobs.start(job)
    return job


def _add_pictures(routes: APIRouter, service: Service) -> None:
    @routes.post("/api/images", summary="Style a picture", openapi_extra=_file_body("image/*"), response_class=Response)
    async def picture(request: Request, said: Said, form: PictureForm = None) -> Response:
        job = await _accept(service, request, "image", said, form)
        try:
            result = await _result_while_wanted(request, service.jobs, job)
        except BaseException:
            await service.jobs.forget(job)
            raise
        return FileResponse(result, media_type=job.media_type, background=BackgroundTask(service.jobs.forget, job))


async def _result_while_wanted(request: Request, jobs: JobStore, job: Job) -> Any:
    """Wait for a job as long as the client does. Raises what the job failed of."""
    waiting = asyncio.create_task(jobs.finished(job))
    try:
        while not waiting.done():
            await asyncio.wait([waiting], timeout=_GONE_EVERY)
            if not waiting.done() and await request.is_disconnected():
                raise Refusal(499, "The client went away.")
    finally:
        waiting.cancel()
    if job.result is None:
        raise job.error or StreamerError("The picture was not styled.")
    return job.result


def _add_job_creation(routes: APIRouter, service: Service) -> None:
    @routes.post("/api/jobs", status_code=202, summary="Style a video", openapi_extra=_file_body("video/*"))
    async def create(request: Request, said: Said, form: VideoForm = "mp4") -> Response:
        job = await _accept(service, request, "video", said, form)
        url = f"/api/jobs/{job.id}"
        return JSON({"id": job.id, "url": url}, 202, {"Location": url})


def _add_jobs(routes: APIRouter, service: Service) -> None:
    def video(id: str) -> Job:
        job = service.jobs.get(id)
        if job.kind != "video":
            raise Refusal(404, "There is no such job.")
        return job

    @routes.get("/api/jobs/{id}", summary="How far it is")
    async def show(id: str) -> Any:
        return JSON(facts(video(id)))

    @routes.get("/api/jobs/{id}/events", summary="How far it is, as server-sent events", response_class=Response)
    async def events(id: str) -> Response:
        return StreamingResponse(event_stream(video(id)), media_type="text/event-stream")

    @routes.get("/api/jobs/{id}/result", summary="The styled video; ranges are served", response_class=Response)
    async def result(id: str) -> Response:
        job = video(id)
        if job.state == "failed":
            raise Refusal(409, f"The job failed: {job.error}")
        if job.result is None:
            raise Refusal(409, f"There is no result yet: the job is {job.state}.")
        return FileResponse(job.result, media_type=job.media_type, filename=f"styled{job.result.suffix}")

    @routes.delete("/api/jobs/{id}", summary="Cancel it, and delete all of it")
    async def cancel(id: str) -> Response:
        await service.jobs.forget(video(id))
        return Response(status_code=200)


def facts(job: Job) -> dict[str, Any]:
    """A job for a client."""
    return job.facts() | {"result": f"/api/jobs/{job.id}/result" if job.state == "done" else None}


async def event_stream(job: Job) -> AsyncIterator[bytes]:
    """A `progress` event for each change, and at last one named like the end: done, failed or cancelled."""
    while True:
        changed = job.changed
        name = job.state if job.is_over else "progress"
        yield f"event: {name}\ndata: {json.dumps(facts(job))}\n\n".encode()
        if job.is_over:
            return
        while not changed.is_set():
            try:
                async with asyncio.timeout(PING):
                    await changed.wait()
            except TimeoutError:
                yield b": still here\n\n"
