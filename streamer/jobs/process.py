"""The parent's side of a job's process: start it, listen to it, end it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from streamer import errors
from streamer.errors import BadMedia, BadOption, BadStyle, StreamerError, TruncatedMedia, UnknownStyle
from streamer.jobs.task import MEDIA_TYPES, Task, Told

_LONGEST_LINE = 1 << 16  # bytes
_REMARKS = "remarks.txt"  # in the job's folder: what the process wrote to stderr
_SAID: dict[str, type[StreamerError]] = {
    error.__name__: error for error in (BadMedia, TruncatedMedia, BadOption, BadStyle, UnknownStyle)
}
_log = logging.getLogger(__name__)


class JobFailed(StreamerError):
    """A job ran against one of its bounds, or died."""


async def work(task: Task, folder: Path, heard: Callable[[Told], None]) -> Path:
    """Do a task in a process of its own; returns the file that it made, in `folder`.

    Raises what the process said went wrong (BadMedia, BadOption ...), or JobFailed. Cancel it to kill the process.
    """
    with (folder / _REMARKS).open("wb") as remarks:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "streamer.jobs.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=remarks,
            cwd=folder,
            env=_environment(folder),
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(task.timeout):
            last = await _listen(process, task, heard)
            await process.wait()
    except TimeoutError:
        raise JobFailed(f"It took longer than the {task.timeout:g} s that a job may take.") from None
    finally:
        await _end(process)
    return _result(last, process.returncode or 0, folder, task)


def _environment(folder: Path) -> dict[str, str]:
    """Ours without our options: the token is no business of a process that decodes what strangers send."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("STREAMER_")}
    package = str(Path(errors.__file__).parents[1])
    path = os.pathsep.join(filter(None, [package, ours.get("PYTHONPATH")]))
    return ours | {"TMPDIR": str(folder), "PYTHONPATH": path}


async def _listen(process: asyncio.subprocess.Process, task: Task, heard: Callable[[Told], None]) -> Told:
    """Tell the task and pass on what comes back; returns the last line."""
    if process.stdin is None or process.stdout is None:
        raise JobFailed("The job's process has no pipes.")
    last = Told()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it died at once: its exit code says of what
        process.stdin.write(task.to_line())
        await process.stdin.drain()
    with contextlib.suppress(ValueError, TypeError):  # it is no longer itself: likewise
        while line := await process.stdout.readline():
            last = Told.from_line(line)
            heard(last)
    return last


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of it."""
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _result(last: Told, code: int, folder: Path, task: Task) -> Path:
    """The file that was made. What the process says is not believed further than it can be checked: it may be taken."""
    if last.result is not None and code == 0:
        path = folder / Path(last.result).name
        if path.suffix in MEDIA_TYPES and path.is_file() and not path.is_symlink():
            return path
    if last.error is not None:
        if last.error == "Unexpected":
            _log.warning("a job met a surprise: %s", _last_remark(folder))
        raise _SAID.get(last.error, JobFailed)(last.sentence)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise JobFailed(f"It took more processor time than the {task.timeout:g} s that a job may take.")
    _log.warning("a job's process ended with %d: %s", code, _last_remark(folder))
    raise JobFailed(f"It needs more than the {task.memory >> 20} MiB of memory that a job may have, or is damaged.")


def _last_remark(folder: Path) -> str:
    remarks = (folder / _REMARKS).read_text(errors="replace").strip().splitlines()
    return remarks[-1][:300] if remarks else "no remarks"
