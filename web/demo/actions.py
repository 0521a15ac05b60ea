"""What is below a stage: a line that says what goes on, and the buttons, as they are before, during and after work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from streamer.errors import Interrupted
from web.demo.parts import AT_ONCE, OF_PAGE, ON_DEVICE, Parts
from web.demo.problems import warn
from web.demo.status import line, trouble

STOPPED = "Stopped."


@dataclass(frozen=True)
class Actions:
    """The components, and what each of them becomes; `outputs` gives the order of all that is returned here."""

    status: gr.HTML
    stop: gr.Button
    go: Any  # a button, None where work begins by itself
    download: gr.DownloadButton | None  # none where there is nothing to be fetched
    keeps_last: bool  # whether the stage shows the last result until there is another one

    @property
    def outputs(self) -> list[Any]:
        """For `gr.on(..., outputs=)`."""
        return [each for each in (self.status, self.stop, self.go, self.download) if each is not None]

    def event(self, handler: Any, inputs: list[Any], stage: Any) -> dict[str, Any]:
        """For `gr.on` and its like. The handler yields what the stage shows, and then what the methods below return."""
        shown = {"outputs": [stage, *self.outputs], "show_progress": "minimal", "show_progress_on": self.status}
        return {"fn": handler, "inputs": inputs, **shown, **ON_DEVICE, **OF_PAGE}

    def under_way(self, said: str) -> tuple[Any, ...]:
        """While work goes on; said: HTML."""
        return self._as(said, True, gr.skip() if self.keeps_last else gr.DownloadButton(interactive=False))

    def done(self, said: str, result: Path | None = None) -> tuple[Any, ...]:
        """After work, with a result to be fetched, if it is a file."""
        if result is None:
            return self._as(said, False, gr.skip())
        fetch = gr.DownloadButton(f"Download {result.name}", value=str(result), interactive=True)
        return self._as(said, False, fetch)

    def on_stop(self, parts: Parts, what: str) -> None:
        """Have the Stop button end a visitor's work of that kind."""

        def cease(request: gr.Request) -> None:
            parts.stops.stop(request.session_hash, what)

        self.stop.click(cease, **AT_ONCE)

    def _as(self, said: str, is_busy: bool, fetch: Any) -> tuple[Any, ...]:
        go = () if self.go is None else (gr.Button(interactive=not is_busy),)
        download = () if self.download is None else (fetch,)
        return said, gr.Button(interactive=is_busy), *go, *download


def build(
    said: str, go: str | None = None, *, stop: str = "Stop", fetches: bool = True, keeps_last: bool = False
) -> Actions:
    """The line and the buttons, in the Blocks context that is open; go, stop: what the buttons are called."""
    status = gr.HTML(line(said), elem_classes="status")
    with gr.Row(elem_classes="actions"):
        begin = gr.Button(go, variant="primary") if go else None
        fetch = gr.DownloadButton("Download", variant="primary", interactive=False) if fetches and not go else None
        end = gr.Button(stop, interactive=False, elem_classes="quiet")
        if fetches and go:
            fetch = gr.DownloadButton("Download", interactive=False, elem_classes="third")
    return Actions(status, end, begin, fetch, keeps_last)


def worked(
    parts: Parts,
    request: gr.Request,
    what: str,
    actions: Actions,
    work: Callable[[threading.Event], Iterator[tuple[Any, ...]]],
    stopped: str | None = None,
) -> Iterator[tuple[Any, ...]]:
    """What `work` yields for the stage and for `actions.outputs`, and how it ended if it failed or was stopped.

    work: is given the event that asks it to stop; stopped: what is then said, if not what it says itself. Close it
    when the visitor leaves.
    """
    event = parts.stops.begin(request.session_hash, what)
    try:
        yield from work(event)
    except Interrupted as error:
        yield gr.skip(), *actions.done(line(stopped or str(error)))
    except Exception as error:  # noqa: BLE001  the visitor is told, whatever it is
        yield gr.skip(), *actions.done(trouble(warn(error)))
    finally:
        parts.stops.end(request.session_hash, what, event)
