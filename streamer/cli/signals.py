"""Ctrl-C and SIGTERM: the first asks the work to stop, the second leaves at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator

HANDLED = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR = b"\x1b[?25h\n"  # a progress bar hides it


class StopFlag(threading.Event):
    """Set by a signal; remembers which."""

    signal_number: int = signal.SIGINT
    before_leaving: Callable[[], None] | None = None  # called in another thread when a second signal ends the process

    @property
    def exit_code(self) -> int:
        """What a shell reports of a program ended by that signal: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.signal_number


@contextlib.contextmanager
def stop_on_signals() -> Iterator[StopFlag]:
    """While inside, SIGINT and SIGTERM set the flag instead of interrupting whatever line happens to run.

    A thread of its own listens. Python runs signal handlers in the main thread, between two lines, which comes too
    late while that thread waits for a network, and would deadlock if it came inside a method of the flag.
    """
    stop = StopFlag()
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    listener = threading.Thread(target=_listen, args=(read_end, stop), name="signals", daemon=True)
    listener.start()
    wakeup_before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in HANDLED}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup_before)
        os.close(write_end)
        listener.join()
        os.close(read_end)


def _listen(read_end: int, stop: StopFlag) -> None:
    """Each signal arrives as one byte; the end of the pipe is the end of the listening."""
    while arrived := os.read(read_end, 1):
        number = arrived[0]
        if number not in HANDLED:
            continue
        if stop.is_set():
            _leave_now(number, stop.before_leaving)
        stop.signal_number = number
        stop.set()


def _leave_now(number: int, tidy: Callable[[], None] | None) -> None:
    if tidy is not None:
        tidy()
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(128 + number)
