"""A measuring program in a process of its own, which is asked over a pipe whenever its turn has come.

The program answers every line that it reads with one line of numbers; until then it waits and costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Self


class Child:
    """Runs `main` of a module with arguments, and asks it for numbers. Close it, or use it as a context manager."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process; a pipe would fill up
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {module} import main; main()", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **(environment or {})},
            text=True,
            bufsize=1,
        )

    def ask(self) -> list[float]:
        """What it measures now. Raises OSError, with the last thing it said, when it has gone."""
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError(f"The process of {self._module} has no pipes.")
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"The process of {self._module} ended early: {self._last_words()}")
        return [float(number) for number in line.split()]

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()
        self._errors.close()
