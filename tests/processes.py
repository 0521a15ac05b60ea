"""`streamer` commands that serve until they are stopped, each as a process of its own, with the shipped network."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

START_SECONDS = 90.0
STOP_SECONDS = 30.0


class ServingProcess:
    """A command that says where it is. `library` is the folder of the user's own styles."""

    def __init__(self, command: str, library: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMER_", "GRADIO_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamer", command, *options],
            env=kept | {"STREAMER_LIBRARY": str(library), "PYTHONUNBUFFERED": "1"} | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = str(wait_for(self._url, START_SECONDS, "the process to say where it is", lambda: self.log))
        except BaseException:
            self.stop()
            raise

    @property
    def log(self) -> str:
        """All that it has said."""
        return "".join(self._said)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def get(self, path: str, **more: Any) -> httpx.Response:
        """What it answers."""
        return httpx.get(self.url + path.lstrip("/"), **{"timeout": 30} | more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """What it answers to what is sent."""
        return httpx.post(self.url + path.lstrip("/"), **{"timeout": 60} | more)

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """End it, wait for that, and return its exit code; once is enough."""
        if self._process.poll() is None:
            self._process.send_signal(kind)
        try:
            return self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(5)
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._said.append(line)

    def _url(self) -> str | None:
        if self._process.poll() is not None:
            pytest.fail(f"it ended at once:\n{self.log}")
        match = re.search(r"is at (https?://\S+)", self.log)
        return match[1] if match else None


class Service(ServingProcess):
    """`streamer serve`, ready to take sessions."""

    def __init__(self, library: Path, *options: str, port: int = 0) -> None:
        super().__init__("serve", library, "--port", str(port), *options)
        try:
            wait_for(self.is_ready, START_SECONDS, "the service to be ready", lambda: self.log)
        except BaseException:
            self.stop()
            raise

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rstrip("/").rpartition(":")[2])

    def is_ready(self) -> bool:
        """Whether it takes sessions."""
        try:
            return self.get("readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


class Demo(ServingProcess):
    """`streamer demo`, on a free port."""

    def __init__(self, library: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        super().__init__("demo", library, "--port", "0", *options, environment=environment)


def wait_for(look: Callable[[], Any], seconds: float, what: str, more: Callable[[], str] = str) -> Any:
    """Look until there is something to see, and return it; fail after so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if seen := look():
            return seen
        time.sleep(0.05)
    pytest.fail(f"waited {seconds:g} s for {what} in vain. {more()}")
