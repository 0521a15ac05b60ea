"""Pictures of a page: handed over as files that nobody has opened yet, shown small, sent inside the page."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
from PIL import Image, ImageOps

from streamer.engine import Frame

PREVIEW = 1600  # pixels of the longer side: what is shown; what is downloaded is whole
_QUALITY = 88  # of JPEGs
_INSIDE = 80  # of those that are sent inside the page


def unopened(component: gr.Image) -> gr.Image:
    """The component, whose handlers get the path of a file as it was sent.

    Gradio would open it first, and fail of what is no picture, or a bomb, before we could say so. It is changed in
    place, because deriving a class from a component makes Gradio write a file beside the source.
    """

    def path_of(payload: Any) -> str | None:
        return payload.path if payload is not None else None

    component.preprocess = path_of  # type: ignore[method-assign]
    return component


def well(label: str, first: str | None = None, *, camera: bool = False) -> gr.Image:
    """Where a visitor puts a picture, in the Blocks context that is open; camera: or takes one."""
    sources: list[Any] = ["upload", *(["webcam"] if camera else []), "clipboard"]
    image = gr.Image(first, label=label, type="filepath", height=220, sources=sources, elem_classes="well", buttons=[])
    return unopened(image)


def preview(source: Path, target: Path, size: tuple[int, int] | None = None) -> Path:
    """Write a picture upright as a JPEG for the page, at most PREVIEW pixels a side; size: what it is shown beside."""
    with Image.open(source) as image:
        image.draft("RGB", (PREVIEW, PREVIEW))  # of a JPEG only a small form is decoded
        upright = ImageOps.exif_transpose(image)
        profile = image.info.get("icc_profile")
    width, height = shown_size(*(size or upright.size))
    shown = on_white(upright).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
    shown.save(target, "JPEG", quality=_QUALITY, icc_profile=profile)
    return target


def shown_size(width: int, height: int) -> tuple[int, int]:
    """A size no larger than PREVIEW, of the same shape."""
    scale = min(1.0, PREVIEW / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def on_white(image: Image.Image) -> Image.Image:
    """Without transparency."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    return flat.convert("RGB")


def encoded(frame: Frame) -> str:
    """A picture (H, W, 3) as a data URL of a JPEG."""
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _INSIDE])[1]
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
