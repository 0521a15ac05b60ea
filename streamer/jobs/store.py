"""The jobs of a service: so many at once, a bounded queue, results for a while; all of it can be cancelled.

Used from one event loop. Each job has a folder of its own below one temporary folder, which goes when the store does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streamer.blends import parse_blend
from streamer.errors import Overloaded, StreamerError, UnknownStream
from streamer.jobs.process import work
from streamer.jobs.task import MEDIA_TYPES, STYLES, UPLOAD, Task, Told
from streamer.options import AUTO
from streamer.settings import KERAS, Look, ServeOptions, cores
from streamer.styles import Style, StyleLibrary, save_style

_KEPT = 64  # results at most; the oldest goes first
_SWEEP = 5.0  # seconds between looks for results that have expired
_RETRY_AFTER = 15.0  # seconds; most jobs take longer than a client's patience
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobLimits:
    """How many jobs, and what each may take."""

    at_once: int = 1  # of pictures, and as many of videos: a picture does not wait for a film
    queue: int = 8
    pixels: int = 50_000_000
    seconds: float = 600.0  # of a video
    timeout: float = 1800.0  # seconds
    memory: int = 3 << 30  # bytes
    keep: float = 3600.0  # seconds
    threads: int = field(default_factory=lambda: max(1, cores() // 2))

    @classmethod
    def of(cls, options: ServeOptions) -> JobLimits:
        """As the command line says."""
        return cls(
            options.jobs,
            options.job_queue,
            int(options.max_megapixels * 1e6),
            options.max_duration,
            options.job_timeout,
            options.job_memory << 20,
            options.keep_results,
        )


@dataclass
class Job:
    """One upload on its way to a result."""

    id: str
    kind: str  # "image" or "video"
    task: Task
    folder: Path
    state: str = "uploading"  # then queued, running, and one of done, failed, cancelled
    share: float | None = 0.0  # 0 to 1, None while the end is unknown
    frames: int = 0
    error: StreamerError | None = None
    result: Path | None = None
    ended: float | None = None  # by the store's clock
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # a new one after every change

    @property
    def upload(self) -> Path:
        """Where the upload is to be written."""
        return self.folder / UPLOAD

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def media_type(self) -> str:
        """Of the result."""
        return MEDIA_TYPES[self.result.suffix] if self.result else "application/octet-stream"

    def touch(self, **changes: object) -> None:
        """Change fields and wake whoever waits for that."""
        for name, value in changes.items():
            setattr(self, name, value)
        self.changed.set()
        self.changed = asyncio.Event()

    def facts(self) -> dict[str, object]:
        """For a client."""
        share = None if self.share is None else round(self.share, 4)
        sentence = str(self.error) if self.error else None
        return {"id": self.id, "state": self.state, "progress": share, "frames": self.frames, "error": sentence}


class JobStore:
    """All jobs of a service. Open it inside the event loop; close it there."""

    def __init__(
        self,
        library: StyleLibrary,
        limits: JobLimits | None = None,
        *,
        runtime: str = AUTO,
        for_videos: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """runtime: as --runtime has it; for_videos: what streams run on, which need not be found out again by each job.

        Jobs run on the CPU in any case, and not on Keras, which takes their memory.
        """
        self._library = library
        self._limits = limits or JobLimits()
        wanted = {"image": runtime, "video": for_videos or runtime}
        self._runtimes = {kind: AUTO if name == KERAS else name for kind, name in wanted.items()}
        self._clock = clock
        self._root = Path(tempfile.mkdtemp(prefix="streamer-jobs-"))
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lanes = {kind: asyncio.Semaphore(self._limits.at_once) for kind in ("image", "video")}
        self._sweeper: asyncio.Task[None] | None = None

    async def reserve(self, kind: str, look: Look, form: str | None = None) -> Job:
        """A place for an upload, before it is read; `start` it or `forget` it.

        Raises Overloaded when the queue is full, UnknownStyle, BadStyle or BadOption for its look.
        """
        waiting = sum(job.kind == kind and not job.is_over for job in self._jobs.values())
        if waiting >= self._limits.at_once + self._limits.queue:
            raise Overloaded(f"{waiting} uploads are being styled or wait for it; try again later.", _RETRY_AFTER)
        self._library.resolve(look.style, look.strength)
        styles = [self._library.get(style) for style in parse_blend(look.style)]
        name = secrets.token_urlsafe(16)
        job = self._jobs[name] = Job(name, kind, self._task(kind, look, form), self._root / name)
        try:
            await asyncio.to_thread(_prepare, job.folder, styles)
        except BaseException:
            await self.forget(job)
            raise
        return job

    def start(self, job: Job) -> None:
        """Let an uploaded job take its turn."""
        job.touch(state="queued")
        self._tasks[job.id] = asyncio.create_task(self._run(job), name=f"job {job.id[:6]}")
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep(), name="job sweeper")

    def get(self, name: str) -> Job:
        """The job of that id. Raises UnknownStream when there is none, or it has expired."""
        job = self._jobs.get(name)
        if job is None:
            raise UnknownStream("There is no such job, or its result has expired.")
        return job

    async def finished(self, job: Job) -> Job:
        """Wait for the end of a job."""
        while not job.is_over:
            await job.changed.wait()
        return job

    async def forget(self, job: Job) -> None:
        """Cancel a job if it is under way, and delete all that belongs to it."""
        self._jobs.pop(job.id, None)
        if not job.is_over:
            job.touch(state="cancelled")
        task = self._tasks.pop(job.id, None)
        if task is not None and not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(shutil.rmtree, job.folder, ignore_errors=True)

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state."""
        found = dict.fromkeys(("uploading", "queued", "running", "done", "failed"), 0)
        for job in self._jobs.values():
            found[job.state] = found.get(job.state, 0) + 1
        return found

    async def close(self) -> None:
        """Cancel everything and delete everything."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await asyncio.gather(*(self.forget(job) for job in list(self._jobs.values())))
        await asyncio.to_thread(shutil.rmtree, self._root, ignore_errors=True)

    def _task(self, kind: str, look: Look, form: str | None) -> Task:
        limits = self._limits
        shown = look.style, look.strength, look.preserve_color
        return Task(
            kind,
            *shown,
            trunk=str(self._library.trunk_path.absolute()),
            form=form,
            pixels=limits.pixels,
            seconds=limits.seconds,
            timeout=limits.timeout,
            memory=limits.memory,
            threads=limits.threads,
            runtime=self._runtimes[kind],
        )

    async def _run(self, job: Job) -> None:
        began = self._clock()
        try:
            async with self._lanes[job.kind]:
                job.touch(state="running")
                began = self._clock()
                result = await work(job.task, job.folder, lambda told: self._heard(job, told))
        except StreamerError as error:
            job.touch(state="failed", error=error, ended=self._clock())
        except Exception:  # noqa: BLE001  one upload's surprise is told to its sender, and to the log
            _log.exception("job failed kind=%s", job.kind)
            job.touch(state="failed", error=StreamerError("It could not be styled."), ended=self._clock())
        else:
            job.touch(state="done", share=1.0, result=result, ended=self._clock())
        took = self._clock() - began
        _log.info("job %s kind=%s seconds=%.1f frames=%d", job.state, job.kind, took, job.frames)
        await asyncio.to_thread(job.upload.unlink, missing_ok=True)

    def _heard(self, job: Job, told: Told) -> None:
        if told.error is None and told.result is None:
            job.touch(share=told.share, frames=told.frames)

    async def _sweep(self) -> None:
        """Delete results that are old, or too many."""
        while True:
            await asyncio.sleep(min(_SWEEP, self._limits.keep / 2))
            over = sorted((job for job in self._jobs.values() if job.ended is not None), key=lambda job: job.ended or 0)
            extra = len(over) - _KEPT
            for number, job in enumerate(over):
                if number < extra or self._clock() - (job.ended or 0) > self._limits.keep:
                    await self.forget(job)


def _prepare(folder: Path, styles: Sequence[Style]) -> None:
    """A job's folder, with its styles as they are now."""
    (folder / STYLES).mkdir(parents=True)
    for style in styles:
        save_style(style, folder / STYLES / f"{style.name}.safetensors")
