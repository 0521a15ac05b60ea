"""Every option exists once, here or in a file beside it: its default, its bounds and what it means.

Building one of these classes checks its values, so code below never sees one out of bounds.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from streamer.addresses import ICE_FORM, IceServer, check_origin, is_loopback
from streamer.errors import BadOption
from streamer.options import AUTO, Checked, option

_LONGEST = 1e7  # seconds, four months: of a time in a video; in finer ticks it still fits 64 bits


def cores() -> int:
    """How many processor cores this process may use: containers and batch systems give it fewer than there are."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Look(Checked):
    """How a frame should look: which style, how much of it, at which working size."""

    style: str = option("mosaic", "A style's name, or a blend such as mosaic:0.7,great_wave:0.3.", metavar="STYLE")
    strength: float = option(1.0, "0 is the input, 1 is the style.", low=0, high=1)
    preserve_color: bool = option(False, "Luminance of the style, colours of the input.")
    work_size: str | None = option(
        None,
        "Style at this smaller size (720p, 640x360, 0.5x), scale back up and give back fine luminance detail; "
        "auto: the largest size that keeps pace with the video, or, for a picture, that fits the memory.",
        metavar="SIZE",
        is_size=True,
        may_be_auto=True,
    )


LITERT, LITERT_INT8, ONNX, KERAS = RUNTIMES = ("litert", "litert-int8", "onnx", "keras")


@dataclass(frozen=True)
class EngineOptions(Checked):
    """Which network, and where and how it runs."""

    model: str = option("live", "Which network: live, or quality for GPUs and files.", choices=("live", "quality"))
    device: str = option("auto", "Where the network runs.", choices=("auto", "cpu", "gpu"))
    runtime: str = option(
        AUTO,
        "What runs the network; auto: Keras on a GPU, else LiteRT, and for streams in 8 bits where the network learnt "
        "for it and float32 does not keep pace here.",
        choices=(AUTO, *RUNTIMES),
    )
    threads: int | None = option(None, "Threads of the CPU runtime; default: all cores.", low=1, high=256)

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, or for a runtime that a GPU does not have."""
        super().__post_init__()
        if self.device == "gpu" and self.runtime not in (AUTO, KERAS):
            raise BadOption(f"--device gpu needs --runtime {KERAS} or {AUTO}; received --runtime {self.runtime}.")


@dataclass(frozen=True)
class TranscodeOptions(Checked):
    """File to file: what part of the input, and how the output is encoded."""

    size: str | None = option(
        None, "Output size: 720p, 640x360 or 0.5x; default: the input's.", metavar="SIZE", is_size=True
    )
    start: float | None = option(None, "Begin at this second of the input.", low=0, high=_LONGEST, metavar="SECONDS")
    duration: float | None = option(None, "Stop after this many seconds.", low=0, high=_LONGEST, metavar="SECONDS")
    codec: str | None = option(
        None, "Video codec; default: what the container's players expect.", choices=("h264", "hevc", "av1", "vp9")
    )
    crf: int | None = option(None, "Constant quality, lower is better; default: the codec's.", low=0, high=63)
    preset: str | None = option(None, "Encoder preset, from ultrafast to veryslow (SVT-AV1: 0 to 13).")
    overwrite: bool = option(False, "Replace an existing output.")
    keep_partial: bool = option(False, "Of a truncated input, keep what could be read.")


@dataclass(frozen=True)
class ImageOptions(Checked):
    """Still pictures."""

    size: str | None = option(
        None, "Output size: 720p, 640x360 or 0.5x; default: the input's.", metavar="SIZE", is_size=True
    )
    overwrite: bool = option(False, "Replace an existing output.")
    memory: int = option(
        1024, "Memory budget of the network in MiB; beyond it a picture is styled in tiles.", low=64, high=1048576
    )


# Defaults that depend on what is trained: scales and shifts alone learn faster, and are done sooner, than a network.
LIVE_CASES = ("passthrough", "shipped", "overload", "stalled_viewer", "kill_cycles", "client_killed")


@dataclass(frozen=True)
class BenchOptions(Checked):
    """Measuring this machine."""

    rounds: int = option(5, "How often every stage takes its turn.", low=1, high=1000)
    frames: int = option(960, "Frames of the clip that is transcoded whole, decoded and encoded.", low=2, high=2400)
    compare: bool = option(False, "Measure instead the network alone, in every runtime and precision installed.")
    live: bool = option(False, "Measure the live service instead, with real peers over the network stack.")
    soak: bool = option(False, "With --live: for as long as its limits are stated for, some eight minutes.")

    only: str | None = option(None, "With --live: this case alone.", choices=LIVE_CASES)

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, or for one that means nothing without another."""
        super().__post_init__()
        if (self.soak or self.only) and not self.live:
            raise BadOption(f"{'--soak' if self.soak else '--only'} needs --live.")
        if self.compare and self.live:
            raise BadOption("--compare and --live exclude each other: one measures the network, the other the service.")


@dataclass(frozen=True)
class LiveOptions(Checked):
    """How many people a live service takes on, and how far it may go to keep pace."""

    max_sessions: int | None = option(
        None, "Sessions at once; default: what this machine was measured to keep up with.", low=1, high=10_000
    )
    session_fps: float = option(24.0, "Frames a second that a session is reckoned with.", low=1, high=240)
    lowest_scale: float = option(
        1 / 3, "Under load a style runs at a smaller size, down to this share of a frame's sides.", low=0.1, high=1
    )


_SHORTEST_TOKEN = 12  # characters; shorter ones can be guessed


@dataclass(frozen=True)
class ServeOptions(Checked):
    """The live service: where it listens, who may use it, and how much of it strangers can take."""

    host: str = option("127.0.0.1", "Address to listen on; any but loopback needs --token or --insecure.")
    port: int = option(8000, "Port to listen on; 0 takes a free one.", low=0, high=65535)
    token: str | None = option(
        None, "Every request must bear this token; better given as STREAMER_TOKEN, which `ps` does not show."
    )
    insecure: bool = option(False, "Listen beyond loopback without a token.")
    ssl_certfile: str | None = option(
        None, "Certificate chain (PEM); with it the service speaks HTTPS.", metavar="FILE"
    )
    ssl_keyfile: str | None = option(None, "Private key of the certificate (PEM).", metavar="FILE")
    ice_server: tuple[str, ...] = option((), f"{ICE_FORM}; may be repeated.", metavar="URL")
    cors_origin: tuple[str, ...] = option(
        (), "Origin whose pages may use the service, such as https://example.org; may be repeated.", metavar="ORIGIN"
    )
    rate: float = option(50.0, "Cheap requests a second for each client; an offer or upload counts as five.", low=0.1)
    max_upload: int = option(512, "Largest upload in MiB.", low=1, high=1 << 20)
    max_megapixels: float = option(50.0, "Largest picture or video frame, in millions of pixels.", low=0.01, high=1000)
    max_duration: float = option(600.0, "Longest video in seconds.", low=1, high=_LONGEST)
    jobs: int = option(1, "Videos and pictures that are styled at the same time.", low=1, high=256)
    job_queue: int = option(8, "Videos and pictures that may wait for their turn.", low=0, high=10_000)
    job_timeout: float = option(1800.0, "Longest time that one may take, in seconds.", low=1, high=_LONGEST)
    job_memory: int = option(3072, "Most memory that one may take, in MiB.", low=256, high=1 << 20)
    keep_results: float = option(3600.0, "Seconds after which a result is deleted.", low=1, high=_LONGEST)

    def __post_init__(self) -> None:
        """Raise BadOption for a value out of bounds, or for options that together would leave the door open."""
        super().__post_init__()
        if not (is_loopback(self.host) or self.token or self.insecure):
            raise BadOption(f"--host {self.host} is open to other machines: give a --token, or say --insecure.")
        if self.token is not None and not re.fullmatch(rf"[!-~]{{{_SHORTEST_TOKEN},512}}", self.token):
            raise BadOption(f"--token must have {_SHORTEST_TOKEN} to 512 printable characters and no space.")
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise BadOption("--ssl-certfile and --ssl-keyfile need each other.")
        for server in self.ice_server:
            IceServer.parse(server)
        for origin in self.cors_origin:
            check_origin(origin)

    @property
    def ice_servers(self) -> list[IceServer]:
        """The ICE servers, parsed."""
        return [IceServer.parse(server) for server in self.ice_server]
