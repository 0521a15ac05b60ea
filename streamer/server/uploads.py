"""Uploads on their way to the disk: raw bodies and forms, a part at a time, nothing of them looked into."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from fastapi import Request
from starlette.datastructures import UploadFile

from streamer.server.replies import Refusal
from streamer.server.wire import content_type

FORM = "multipart/form-data"
_PART = 1 << 20  # bytes that are written at once
_LONGEST_FIELD = 4096  # bytes
_NO_BODY = "The body is empty; a file is needed."


def check_type(request: Request, kind: str) -> None:
    """Raise Refusal unless the body is a form, of the kind ("image", "video"), or says nothing of itself."""
    given = content_type(request)
    if given not in ("", FORM, "application/octet-stream") and not given.startswith(f"{kind}/"):
        raise Refusal(415, f"The body must be {kind}/..., application/octet-stream or {FORM}; received {given[:80]}.")


async def receive(request: Request, target: Path) -> None:
    """Write a raw body to a file. Raises Refusal when it is empty or too large."""
    size = 0
    with target.open("wb") as file:
        parts = bytearray()
        async for part in request.stream():
            parts += part
            size += len(part)
            if len(parts) >= _PART:
                await asyncio.to_thread(file.write, bytes(parts))
                parts.clear()
        await asyncio.to_thread(file.write, bytes(parts))
    if size == 0:
        raise Refusal(400, _NO_BODY)


async def receive_form(request: Request, target: Path) -> None:
    """Write a form's one file to a file. Raises Refusal. Other fields belong into the query: it is read first."""
    async with request.form(max_files=1, max_fields=8, max_part_size=_LONGEST_FIELD) as form:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if not files or files[0].size == 0:
            raise Refusal(400, _NO_BODY)
        with target.open("wb") as file:
            await asyncio.to_thread(shutil.copyfileobj, files[0].file, file, _PART)


async def receive_any(request: Request, target: Path) -> None:
    """Either of them."""
    await (receive_form if content_type(request) == FORM else receive)(request, target)
