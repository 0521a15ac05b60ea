"""File to file: what a transcode is asked, what it tells, and where its output appears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamer.errors import Interrupted
from streamer.media import (
    Limits,
    Notice,
    Selection,
    VideoReader,
    check_output,
    container_for,
    open_writer,
    plan_encoder,
    published,
    without_file_url,
)
from streamer.settings import TranscodeOptions
from streamer.transcode_job import Job, Progress, Stylize

__all__ = ["Progress", "Stylize", "TranscodeReport", "transcode"]

_USUAL_FPS = 25.0  # of a video that does not say its own
_TICK = 0.1  # seconds between looks at the stop event


@dataclass(frozen=True)
class TranscodeReport:
    """What a transcode did."""

    input: str
    output: str
    frames: int
    seconds: float  # of the media
    elapsed: float  # seconds
    fps: float
    speed: float  # seconds of the media per second
    width: int
    height: int
    codec: str
    notices: tuple[str, ...]
    partial: bool  # whether the input was truncated and what could be read was kept


def transcode(
    source: str,
    output: Path,
    stylize: Stylize,
    options: TranscodeOptions,
    *,
    progress: Callable[[Progress], None] | None = None,
    notice: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
    limits: Limits | None = None,
) -> TranscodeReport:
    """Style the video of `source` into `output`, which appears only when it is whole; `limits` if it is a stranger's.

    `progress` is called from this thread, about ten times a second; `notice` with sentences for the user.
    Raises BadOption, BadMedia, TruncatedMedia or OutputError, and Interrupted when `stop` is set; then, and on any
    other error, nothing is left behind.
    """
    began = time.monotonic()
    stop = stop or threading.Event()
    source = without_file_url(source)
    container_for(output)
    check_output(output, source, overwrite=options.overwrite)
    notices = _Notices(notice)
    selection = Selection(options.size, options.start, options.duration, options.keep_partial, limits)
    with _opened(source, selection, notices, stop) as reader:
        plan = plan_encoder(output, options, reader.width, reader.height)
        _prepare(stylize, reader, notices)
        with (
            published(output, overwrite=options.overwrite) as temporary,
            open_writer(temporary, plan, reader.form, notices, label=output) as writer,
        ):
            writer.copy_from(reader)
            writer.begin()
            job = Job(reader, writer, stylize, progress, stop, began)
            job.run()
        elapsed = max(time.monotonic() - began, 1e-9)
        return TranscodeReport(
            input=source,
            output=str(output),
            frames=job.frames,
            seconds=job.seconds,
            elapsed=elapsed,
            fps=job.frames / elapsed,
            speed=job.seconds / elapsed,
            width=reader.width,
            height=reader.height,
            codec=plan.codec,
            notices=tuple(notices.told),
            partial=reader.partial,
        )


def _prepare(stylize: Stylize, reader: VideoReader, tell: Callable[[Notice], None]) -> None:
    prepare, rate = getattr(stylize, "prepare", None), float(reader.form.fps or _USUAL_FPS)
    if prepare and (said := prepare((reader.height, reader.width), rate)):
        tell(Notice(said))


def _opened(source: str, selection: Selection, tell: Callable[[Notice], None], stop: threading.Event) -> VideoReader:
    """A reader at its first frame. It is opened in a thread of its own, so that `stop` is heard meanwhile.

    Raises Interrupted then, and leaves the thread behind: it ends at the next packet or time limit.
    """
    outcome: list[VideoReader | BaseException] = []

    def work() -> None:
        try:
            outcome.append(VideoReader(source, selection, tell, stop))
        except BaseException as error:  # noqa: BLE001  it is raised again in the caller's thread
            outcome.append(error)

    thread = threading.Thread(target=work, name="open", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_TICK)
        if stop.is_set():
            raise Interrupted
    (result,) = outcome
    if isinstance(result, BaseException):
        raise result
    return result


class _Notices:
    """Passes notices on and keeps them for the report."""

    def __init__(self, notice: Callable[[str], None] | None) -> None:
        self.told: list[Notice] = []
        self._notice = notice

    def __call__(self, notice: Notice) -> None:
        self.told.append(notice)
        if self._notice is not None:
            self._notice(notice)
