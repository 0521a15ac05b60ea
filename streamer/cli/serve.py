"""`streamer serve`: the live service."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from streamer.cli.console import Console, speaks
from streamer.cli.logs import log_to_stderr
from streamer.cli.options import takes
from streamer.cli.signals import stop_on_signals
from streamer.service_settings import DemoOptions
from streamer.settings import EngineOptions, LiveOptions, ServeOptions

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from streamer.server import Parts

LAST_RESORT = 27.0  # seconds after a signal at which the process leaves, whatever still hangs


@click.command(short_help="Style live video, for browsers, OBS and scripts.")
@takes(options=ServeOptions, live_options=LiveOptions, engine_options=EngineOptions)
@speaks(as_json=False)
def serve(options: ServeOptions, live_options: LiveOptions, engine_options: EngineOptions, console: Console) -> int:
    """Serve the live page, WHIP and WHEP, and styled pictures and videos over HTTP, until Ctrl-C or SIGTERM.

    A second signal leaves at once. Logs go to stderr, a line for each event.
    """
    log_to_stderr(console)
    with stop_on_signals() as stop:
        from streamer.errors import MissingDependency

        try:
            from streamer.server.run import check_certificate, listen, run, url_of
        except ImportError as error:
            raise MissingDependency("`streamer serve` needs more packages: pip install 'streamer[serve]'.") from error
        check_certificate(options)
        threading.Thread(target=_leave_in_time, args=(stop,), name="last resort", daemon=True).start()
        with listen(options) as listener, contextlib.ExitStack() as guests:
            url = url_of(options, listener)
            parts = build(options, live_options, engine_options, console.detail)
            parts.demo = demo_page(parts, guests)
            try:
                run(parts, listener, stop, lambda: console.say(f"Streamer is at {url} (Ctrl-C stops it)."))
            finally:
                parts.live.close()
                parts.engine.close()
    return 0


def build(
    options: ServeOptions, live_options: LiveOptions, engine_options: EngineOptions, tell: Callable[[str], None]
) -> Parts:
    """Put the service together; `tell` hears what it runs on and why. Raises BadStyle or MissingDependency."""
    import importlib.resources
    from pathlib import Path

    from streamer.engine import Engine
    from streamer.jobs import JobLimits, JobStore
    from streamer.live import LiveEngine
    from streamer.metrics import Metrics

    # Before an engine on a GPU imports TensorFlow: libsrtp would be bound to that one's copy of OpenSSL, and crash.
    from streamer.rtc import PeerService, RtcOptions
    from streamer.server import Parts
    from streamer.shelf import KeptLibrary
    from streamer.styles import SHIPPED, user_folder

    library = KeptLibrary([SHIPPED, user_folder()], model=engine_options.model)
    metrics = Metrics()
    engine = Engine.for_streams(library, engine_options, tell)
    live = LiveEngine(engine, metrics=metrics, options=live_options)
    pages = Path(str(importlib.resources.files("web") / "live"))
    chosen = engine.choice.runtime if engine.choice else None
    return Parts(
        options=options,
        library=library,
        engine=engine,
        live=live,
        make_peers=lambda: PeerService(live, RtcOptions(ice_servers=tuple(options.ice_servers)), metrics),
        make_jobs=lambda: JobStore(library, JobLimits.of(options), runtime=engine_options.runtime, for_videos=chosen),
        metrics=metrics,
        pages=pages if pages.is_dir() else None,
    )


def demo_page(parts: Parts, guests: contextlib.ExitStack) -> ASGIApp:
    """The Gradio page on this service's engine, made when somebody asks for it; `guests` closes what it opens."""
    from web.demo.lazy import LazyPage

    def make() -> ASGIApp:
        from web.demo.limits import Limits
        from web.demo.parts import Parts as PageParts
        from web.demo.scratch import Scratch
        from web.demo.site import application, prepare

        options = demo_options(parts.options)
        limits = Limits.of(options)
        scratch = guests.enter_context(Scratch(limits.keep, limits.disk))
        prepare(scratch)
        page = PageParts(
            limits=limits,
            library=parts.library,
            scratch=scratch,
            open_engine=lambda: parts.engine,
            open_live=lambda _: parts.live,
            live_url="/",
            training=options.may_train,
            owns_engine=False,
        )
        guests.enter_context(page)  # what visitors have under way ends before the engine does
        return application(page, local_only=False, mounted_at="/demo")  # the service's own gate stands before it

    return LazyPage(make)


def demo_options(options: ServeOptions) -> DemoOptions:
    """The demo's options as the service's say them."""
    return DemoOptions(
        host=options.host,
        max_upload=options.max_upload,
        max_megapixels=options.max_megapixels,
        max_duration=options.max_duration,
        keep_results=max(options.keep_results, 60.0),
    )


def _leave_in_time(stop: threading.Event) -> None:
    """Whatever hangs on the way out must not keep the process."""
    stop.wait()
    threading.Event().wait(LAST_RESORT)
    logging.getLogger("streamer").error("left at last: something did not end")
    os._exit(1)
