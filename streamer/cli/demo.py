"""`streamer demo`: the Gradio page."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streamer.cli.console import Console, speaks
from streamer.cli.logs import log_to_stderr
from streamer.cli.options import takes
from streamer.cli.signals import stop_on_signals
from streamer.service_settings import DemoOptions
from streamer.settings import EngineOptions

if TYPE_CHECKING:
    from web.demo.limits import Limits
    from web.demo.parts import Parts
    from web.demo.scratch import Scratch


@click.command(short_help="Show photos, webcam and clips in a page that can be shared.")
@takes(options=DemoOptions, engine_options=EngineOptions)
@speaks(as_json=False)
def demo(options: DemoOptions, engine_options: EngineOptions, console: Console) -> int:
    """Serve the Gradio page until Ctrl-C or SIGTERM: photos, webcam, clips and styles, for people and for scripts.

    With --share strangers can use it for a week at most: what they bring may be less large, they train nothing, and all
    of it is deleted.
    """
    log_to_stderr(console)
    with stop_on_signals() as stop:
        check_installed()
        from streamer.listening import listen, url_of
        from streamer.serving import run
        from web.demo.limits import Limits
        from web.demo.scratch import Scratch
        from web.demo.site import application, prepare

        limits = Limits.of(options)
        with listen(options.host, options.port) as listener, Scratch(limits.keep, limits.disk) as scratch:
            prepare(scratch)
            from web.demo.tunnel import share, unshare

            with build(options, engine_options, limits, scratch, console.detail) as parts:
                app = application(parts, local_only=not options.is_shared, mcp=options.mcp)
                url = url_of(options.host, listener)

                def announce() -> None:
                    console.say(f"Streamer's demo is at {url} (Ctrl-C stops it).")
                    if options.share:
                        share(listener, scratch.own("certificate.pem"), console.note)

                try:
                    run(app, listener, stop, announce)
                finally:
                    unshare()
    return 0


def check_installed() -> None:
    """Raise MissingDependency without Gradio; its import itself takes seconds."""
    from streamer.errors import MissingDependency

    if importlib.util.find_spec("gradio") is None:
        raise MissingDependency("`streamer demo` needs more packages: pip install 'streamer[demo]'.")


def build(
    options: DemoOptions,
    engine_options: EngineOptions,
    limits: Limits,
    scratch: Scratch,
    tell: Callable[[str], None] = lambda _: None,
) -> Parts:
    """The parts of a page of its own; the engine is opened when somebody needs it, and `tell` hears what it runs on."""
    from streamer.engine import Engine
    from streamer.live import LiveEngine
    from streamer.shelf import KeptLibrary
    from streamer.styles import SHIPPED, user_folder
    from web.demo.parts import Parts

    library = KeptLibrary([SHIPPED, user_folder()], model=engine_options.model)
    return Parts(
        limits=limits,
        library=library,
        scratch=scratch,
        open_engine=lambda: Engine.for_streams(library, engine_options, tell),
        open_live=LiveEngine,
        live_url=options.live_address,
        training=options.may_train,
        vgg_weights=options.vgg_weights,
        content=tuple(map(Path, options.content)),
    )
