"""`python -m streamer.jobs.child`: does one task, told on stdin, in the current folder, and tells of it on stdout.

Whatever an upload does to a decoder happens here: in a process that may have so much memory, processor time and disk
and no more, and that ends when its parent closes the pipe or is gone.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from streamer.jobs.task import PICTURES, STYLES, UPLOAD, VIDEOS, Task, Told

NICENESS = 10  # live sessions go first
LARGEST_RESULT = 4 << 30  # bytes
OPEN_FILES = 64
TELL_EVERY = 0.2  # seconds

Tell = Callable[[Told], None]


def main() -> None:
    """Read the task, do it, tell how it went."""
    tell = _private_stdout()
    task = Task.from_line(sys.stdin.buffer.readline())
    bind(task)
    threading.Thread(target=_follow_parent, name="parent", daemon=True).start()
    tell(_outcome(task, tell))
    # Not by way of the interpreter's end: decoders' threads may be waiting for something that will not come.
    os._exit(0)


def bind(task: Task) -> None:
    """Take away from this process, for good, what the task does not need."""
    seconds = int(task.timeout * task.threads) + 1
    bounds = {
        resource.RLIMIT_DATA: task.memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: LARGEST_RESULT,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
    }
    for name, bound in bounds.items():
        _, hard = resource.getrlimit(name)
        most = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(name, (most, most))
    os.nice(NICENESS)


def _private_stdout() -> Tell:
    """Lines go to what was stdout; what a library prints goes to stderr."""
    ours = os.dup(1)
    os.dup2(2, 1)
    pipe = os.fdopen(ours, "wb", buffering=0)

    def tell(told: Told) -> None:
        pipe.write(told.to_line())

    return tell


def _follow_parent() -> None:
    """End when stdin does: the parent has closed it, or has been killed."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _outcome(task: Task, tell: Tell) -> Told:
    from streamer.errors import StreamerError

    try:
        result = (_picture if task.kind == "image" else _video)(task, tell)
    except StreamerError as error:
        return Told(error=type(error).__name__, sentence=_without_flags(str(error)))
    except MemoryError:
        most = task.memory >> 20
        return Told(error="MemoryError", sentence=f"It needs more memory than the {most} MiB that a job may have.")
    except Exception as error:  # noqa: BLE001  the parent is told of every surprise, whatever it is
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return Told(error="Unexpected", sentence=f"It could not be styled ({type(error).__name__}).")
    return Told(share=1.0, result=result)


def _without_flags(sentence: str) -> str:
    """Advice on command line flags behind a semicolon is none to somebody who uploads a file."""
    head, semicolon, rest = sentence.partition(";")
    return f"{head}." if semicolon and "--" in rest else sentence


def _picture(task: Task, tell: Tell) -> str:
    from streamer.image import stylize_image
    from streamer.settings import ImageOptions

    source = Path(UPLOAD)
    output = Path("result" + _picture_suffix(source, task))
    options = ImageOptions(memory=max(64, min(1024, (task.memory >> 20) // 3)))
    throttled = _Throttle(tell)
    with _engine(task) as engine:
        look = _look(task)
        stylize_image(source, output, engine, look, options, progress=lambda now: throttled(Told(share=now.share)))
    return output.name


def _picture_suffix(source: Path, task: Task) -> str:
    """The suffix of what is asked for, else of what came in; from the header, which is held against the limit first."""
    from PIL import Image

    from streamer.errors import BadMedia
    from streamer.media.pictures import READABLE

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, and says so in a sentence
    try:
        with Image.open(source, formats=READABLE) as image:
            (width, height), form = image.size, image.format or ""
    except Exception as error:
        raise BadMedia(f"The upload is not a picture that can be read; readable are {', '.join(READABLE)}.") from error
    if width * height > task.pixels:
        raise BadMedia(f"A picture may have at most {task.pixels:,} pixels; this one has {width}x{height}.")
    return PICTURES.get(task.form or {"mpo": "jpeg"}.get(form.lower(), form.lower()), ".png")


def _video(task: Task, tell: Tell) -> str:
    from streamer.media import Limits
    from streamer.settings import TranscodeOptions
    from streamer.transcode import Progress, transcode

    output = Path("result" + VIDEOS[task.form or "mp4"])
    throttled = _Throttle(tell)

    def progress(now: Progress) -> None:
        done, total = (now.frames, now.total) if now.total else (now.seconds, now.total_seconds)
        throttled(Told(min(done / total, 1.0) if total else None, now.frames))

    limits = Limits(task.pixels, task.seconds)
    with _engine(task) as engine:
        stylize = engine.stream(_look(task))
        transcode(UPLOAD, output, stylize, TranscodeOptions(), progress=progress, limits=limits)
    return output.name


def _engine(task: Task):  # type: ignore[no-untyped-def]  # noqa: ANN202  its type would import NumPy before the bounds
    from streamer.engine import Engine
    from streamer.settings import EngineOptions
    from streamer.styles import StyleLibrary

    library = StyleLibrary([Path(STYLES)], Path(task.trunk))
    options = EngineOptions(device="cpu", threads=task.threads, runtime=task.runtime)
    return Engine(library, options) if task.kind == "image" else Engine.for_streams(library, options)


def _look(task: Task):  # type: ignore[no-untyped-def]  # noqa: ANN202  likewise
    from streamer.settings import Look

    return Look(task.style, task.strength, task.preserve_color)


class _Throttle:
    """Passes a line on when the last one is some time ago."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._last = tell, -TELL_EVERY

    def __call__(self, told: Told) -> None:
        now = time.monotonic()
        if now - self._last >= TELL_EVERY:
            self._last = now
            self._tell(told)


if __name__ == "__main__":
    main()
