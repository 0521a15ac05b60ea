"""The options of pages besides the live one: the demo, and the page that needs no service."""

from __future__ import annotations

from dataclasses import dataclass

from streamer.addresses import is_loopback
from streamer.errors import BadOption
from streamer.options import Checked, option
from streamer.training_settings import VGG_HELP, VGG_WEIGHTS

LIVE_PAGE = "http://localhost:8000/"  # where `streamer serve` is when nobody says
_LONGEST = 1e7  # seconds


@dataclass(frozen=True)
class DemoOptions(Checked):
    """The Gradio page. What is None depends on whether strangers can reach it: they may ask for less."""

    host: str = option("127.0.0.1", "Address to listen on; any but loopback is held to the limits of a shared page.")
    port: int = option(7860, "Port to listen on; 0 takes a free one.", low=0, high=65535)
    share: bool = option(False, "Also give the page a public address for a week, through Gradio's tunnel.")
    mcp: bool = option(False, "Also offer the endpoints as tools to language models (MCP), at /gradio_api/mcp/.")
    live_url: str | None = option(
        None,
        "Address of a live page (`streamer serve`) that the Webcam tab points at if it can be reached; default: "
        f"{LIVE_PAGE} where the demo is not shared.",
        metavar="URL",
    )
    training: bool | None = option(None, "Whether visitors may train styles; default: only where strangers cannot.")
    vgg_weights: str = option(VGG_WEIGHTS, VGG_HELP, metavar="FILE")
    content: tuple[str, ...] = option(
        (),
        "A folder of photographs to learn new styles on; repeatable. Default: BSDS500, downloaded once (71 MB).",
        metavar="DIR",
    )
    max_upload: int | None = option(
        None, "Largest upload in MiB; default: 512, shared 64.", low=1, high=1 << 16, metavar="MIB"
    )
    max_megapixels: float | None = option(
        None, "Largest picture or video frame, in millions of pixels; default: 50, shared 25.", low=0.01, high=1000
    )
    max_duration: float | None = option(
        None, "Longest clip in seconds; default: 600, shared 60.", low=1, high=_LONGEST, metavar="SECONDS"
    )
    keep_results: float = option(
        3600.0, "Seconds after which uploads and results are deleted.", low=60, high=_LONGEST, metavar="SECONDS"
    )

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, or for an address that is none."""
        super().__post_init__()
        if self.live_url is not None and not self.live_url.startswith(("http://", "https://", "/")):
            raise BadOption(
                f"--live-url must be an address such as http://localhost:8000/; received {self.live_url!r}."
            )

    @property
    def is_shared(self) -> bool:
        """Whether strangers can reach the page."""
        return self.share or not is_loopback(self.host)

    @property
    def live_address(self) -> str | None:
        """Where a live page may be."""
        return self.live_url or (None if self.is_shared else LIVE_PAGE)

    @property
    def may_train(self) -> bool:
        """Whether visitors may train styles."""
        return not self.is_shared if self.training is None else self.training


@dataclass(frozen=True)
class LocalOptions(Checked):
    """The page that paints on its visitors' devices."""

    overwrite: bool = option(False, "Replace the folder, if it is such a page.")
