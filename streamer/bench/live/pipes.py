"""Programs in processes of their own, spoken to in lines of JSON: one line asked, one line answered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

_LONGEST_LINE = 64 * 2**20  # bytes
_PATIENCE = 120.0  # seconds
Answers = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Program:
    """A module run by this Python; end it, or use it as a context manager."""

    def __init__(self, process: asyncio.subprocess.Process, module: str, errors: Any) -> None:
        self.process = process
        self._module = module
        self._errors = errors
        self._lock = asyncio.Lock()

    @classmethod
    async def start(cls, module: str, *arguments: str) -> Self:
        """Start it. It must answer each line of JSON with one."""
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process; a pipe would fill up
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=_LONGEST_LINE,
        )
        return cls(process, module, errors)

    async def ask(self, **question: Any) -> dict[str, Any]:
        """Its answer. Raises OSError when it refuses, or has gone, with the last thing it said."""
        stdin, stdout = self.process.stdin, self.process.stdout
        if stdin is None or stdout is None:
            raise OSError(f"The process of {self._module} has no pipes.")
        async with self._lock:
            with contextlib.suppress(ConnectionError):
                stdin.write(json.dumps(question).encode() + b"\n")
                await stdin.drain()
            line = await asyncio.wait_for(stdout.readline(), _PATIENCE)
        if not line:
            raise OSError(f"The process of {self._module} ended early: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise OSError(f"{self._module}: {answer['error']}")
        return answer

    async def kill(self) -> None:
        """End it as the system would: at once, without a goodbye."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            await asyncio.wait_for(self.process.wait(), 15)
        except TimeoutError:
            await self.kill()
        self._errors.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


async def answer_lines(answer: Answers) -> None:
    """The other end: answer every line of stdin on stdout, until stdin ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            said = await answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - whatever it is, the one who asked is told
            said = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
