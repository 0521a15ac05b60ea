"""Visitors' webcams on the live engine: a picture goes in, the newest painted one comes back."""

from __future__ import annotations

import base64
import binascii
import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from streamer.engine import Frame
from streamer.errors import BadMedia, Overloaded
from streamer.live import LiveEngine, LiveSession, StyledFrame
from streamer.settings import Look
from web.demo.limits import announced_size

PATIENCE = 3.0  # seconds for a painted picture
FORGET_AFTER = 10.0  # seconds without a picture, after which a webcam is gone
MAX_PIXELS = 1920 * 1080  # of a webcam's picture
FORMATS = ("JPEG", "PNG", "WEBP")
_DATA = "data:image/"


@dataclass
class Webcam:
    """One visitor's webcam. `exchange` is called by one thread at a time."""

    session: LiveSession
    seen: float  # seconds, of the last picture
    newest: StyledFrame | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, styled: StyledFrame) -> None:
        """A painted picture, on the session's thread."""
        with self.changed:
            self.newest = styled
            self.changed.notify_all()

    def exchange(self, frame: Frame, now: float) -> StyledFrame | None:
        """Offer a picture (H, W, 3) and wait for it painted, or for a newer one; None when none comes in time."""
        self.seen = now
        if not self.session.offer(frame, now, now):
            return None
        with self.changed:
            self.changed.wait_for(lambda: self.newest is not None and self.newest.tag >= now, PATIENCE)
            newest = self.newest
        return newest if newest is not None and newest.tag >= now else None


class Webcams:
    """All of them, by visitor. Those that fall silent are closed when another picture comes."""

    def __init__(self, live: Callable[[], LiveEngine], most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._live, self._most, self._clock = live, most, clock
        self._webcams: dict[str, Webcam] = {}
        self._lock = threading.Lock()

    def exchange(self, visitor: str, frame: Frame, look: Look) -> StyledFrame | None:
        """A visitor's picture (H, W, 3), painted in that look. Raises Overloaded, UnknownStyle or BadOption."""
        now = self._clock()
        webcam = self._of(visitor, look, now)
        if webcam.session.look != look:
            webcam.session.change(look)
        return webcam.exchange(frame, now)

    def forget(self, visitor: str | None) -> None:
        """The visitor has gone."""
        with self._lock:
            webcam = self._webcams.pop(visitor or "", None)
        if webcam is not None:
            webcam.session.close()

    def __len__(self) -> int:
        return len(self._webcams)

    def _of(self, visitor: str, look: Look, now: float) -> Webcam:
        for silent in [who for who, each in list(self._webcams.items()) if now - each.seen > FORGET_AFTER]:
            self.forget(silent)
        with self._lock:
            if visitor in self._webcams:
                return self._webcams[visitor]
            if len(self._webcams) >= self._most:
                raise Overloaded(
                    f"{self._most} webcams are being painted, which is all there is room for; try again soon."
                )
            taken: list[Webcam] = []
            session = self._live().open(look, on_frame=lambda styled: taken[0].take(styled))
            taken.append(Webcam(session, now))
            self._webcams[visitor] = taken[0]
            return taken[0]


def decoded(url: str) -> Frame:
    """The picture (H, W, 3) in a data URL of a JPEG, PNG or WebP. Raises BadMedia."""
    head, _, text = url.partition(",")
    try:
        if not head.startswith(_DATA):
            raise ValueError(head[:20])
        data = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    except (ValueError, binascii.Error) as error:
        raise BadMedia("The webcam sent something that is no picture.") from error
    width, height = announced_size(io.BytesIO(data.tobytes()), FORMATS, "What the webcam sent")
    if width * height > MAX_PIXELS:
        raise BadMedia(f"A webcam's picture may have at most {MAX_PIXELS:,} pixels; this one is {width}x{height}.")
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if picture is None:
        raise BadMedia("The webcam sent something that is no picture.")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
