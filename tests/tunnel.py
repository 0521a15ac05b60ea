"""A stand-in for the program behind Gradio's share links, frpc, since no tests may depend on a server of others.

It takes the same arguments, says the same sentence, and stays a process of its own: what comes in at the public address
is asked anew of the page, as the real one does. `install` puts it where Gradio looks for the program.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

PUBLIC_NAME = "a1b2c3d4.gradio.live"  # the Host that a stranger's browser sends
OF_THE_HOP = ("host", "connection", "transfer-encoding", "content-length", "keep-alive")


def install(folder: Path) -> dict[str, str]:
    """Put it into a folder; returns the environment that makes Gradio take it. Its arguments are written beside it."""
    from gradio.tunneling import BINARY_FILENAME

    program = folder / "gradio" / "frpc" / BINARY_FILENAME
    program.parent.mkdir(parents=True)
    root = Path(__file__).parent.parent
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\n"
        f"from tests.tunnel import main\nmain({str(folder / 'arguments.json')!r})\n"
    )
    program.chmod(0o755)
    return {"HF_HOME": str(folder), "GRADIO_SHARE_SERVER_ADDRESS": "127.0.0.1:7000"}


def arguments(folder: Path) -> list[str]:
    """What it was called with."""
    called: list[str] = json.loads((folder / "arguments.json").read_text())
    return called


def main(note: str) -> None:
    """Serve on a free port, say where, and pass everything on."""
    Path(note).write_text(json.dumps(sys.argv[1:]))
    option = dict(zip(sys.argv, sys.argv[1:], strict=False))
    asyncio.run(_serve(f"http://{option['-i']}:{option['-l']}"))


async def _serve(origin: str) -> None:
    import httpx
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    async def forward(request: Request) -> StreamingResponse:
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in OF_THE_HOP]
        headers += [(b"host", PUBLIC_NAME.encode()), (b"x-forwarded-for", b"203.0.113.7")]
        headers += [(b"x-forwarded-host", request.headers["host"].encode()), (b"x-forwarded-proto", b"http")]
        target = origin + request.scope["raw_path"].decode() + (f"?{request.url.query}" if request.url.query else "")
        asked = client.build_request(request.method, target, headers=headers, content=await request.body())
        answer = await client.send(asked, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in OF_THE_HOP}
        return StreamingResponse(body(answer), answer.status_code, kept)

    async def body(answer: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for part in answer.aiter_raw():
                yield part
        finally:
            await answer.aclose()

    methods = ["GET", "POST", "HEAD", "OPTIONS", "DELETE"]
    async with httpx.AsyncClient(timeout=None) as client:
        app = Starlette(routes=[Route("/{path:path}", forward, methods=methods)])
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=0))
        asyncio.get_running_loop().create_task(_announce(server))
        await server.serve()


async def _announce(server: object) -> None:
    while not getattr(server, "started", False):
        await asyncio.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    print(f"[a1b2] start proxy success: http://127.0.0.1:{port}", flush=True)  # noqa: T201  what frpc says
