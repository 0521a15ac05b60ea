"""Chooses what to measure on, so that all that is compared is measured on the same photographs and clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streamer.errors import BadOption
from training.material import StylePictures, find_clips, find_measured
from training.painter import Painter
from training.stylised import Outputs


@dataclass(frozen=True)
class Material:
    """What to measure on. Without photographs nothing but clips is measured, and the other way round."""

    photographs: Mapping[str, Path] = field(default_factory=dict)
    pictures: Mapping[str, Path] = field(default_factory=dict)  # that styles come from, by style
    clips: Mapping[str, Path] = field(default_factory=dict)
    frames: int = 24  # of a clip
    width: int = 320  # pixels, of a clip


def gather(
    entries: Sequence[Painter | Outputs],
    content: Sequence[Path],
    clips: Path | None,
    pictures: Sequence[str],
    *,
    limit: int,
    frames: int,
    width: int,
) -> Material:
    """The photographs and clips that every program has outputs of; where there are no outputs, at most `limit`.

    Raises BadMedia when nothing is found, BadOption for two programs of one name.
    """
    names = [(entry.program, entry.style) for entry in entries]
    if twice := [name for name in names if names.count(name) > 1]:
        raise BadOption(f"Two folders of outputs are called {twice[0][0]}; rename one, to tell their results apart.")
    outputs = [entry for entry in entries if isinstance(entry, Outputs)]
    source = StylePictures(pictures)
    found = {entry.style: source.of(entry.style) for entry in entries}
    seen = [set(each.photographs) for each in outputs if each.photographs]
    shown = [set(each.clips) for each in outputs if each.clips]
    return Material(
        # Means over different photographs do not compare; clips are told one by one.
        photographs=find_measured(content, set.intersection(*seen) if seen else None, limit) if content else {},
        pictures={style: path for style, path in found.items() if path is not None},
        clips=find_clips(clips, set.union(*shown) if shown else None) if clips else {},
        frames=frames,
        width=width,
    )
