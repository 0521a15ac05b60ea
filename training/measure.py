"""Measures the whole score card: our own styles and other programs' outputs, by the same code on the same material."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import staged
from training.artefacts import find_artefacts
from training.card import Steadiness, Stillness, StyleCard
from training.data import read_picture, shrink
from training.evaluate import Grams, content_of, mean_scores, score_one, style_grams
from training.gather import Material
from training.material import Clip, read_clip
from training.painter import Painter
from training.stability import Motion, contrast, deviation, error_along, motions, sharpness
from training.stylised import Outputs, common_size, cropped
from training.vgg import Features

Picture = NDArray[np.uint8]
Entry = Painter | Outputs
# Called before each thing that is measured, with what is done, how much there is and what comes next. May raise.
Report = Callable[[int, int, str], None]

GAPS = (1, 10)  # frames
LARGEST = 512  # pixels, short side of a photograph that is scored
SHOWN = 5  # photographs, and clips, that are kept for the contact sheets
SCENES = 2  # photographs that staged scenes are made of
SCENE_SIDES = (160, 480)  # pixels, short side of a staged scene: the border's measure needs room, haste a limit
SETTLED = staged.FRAMES // 4  # first frames of a still scene that do not count: streams begin by a frame's own


@dataclass
class Sheets:
    """Pictures for the contact sheets: by photograph or clip, then by `input` or a style's label."""

    photographs: dict[str, dict[str, Picture]] = field(default_factory=dict)
    clips: dict[str, dict[str, tuple[Picture, Picture]]] = field(default_factory=dict)  # two neighbouring frames


def label(entry: Entry) -> str:
    """Program and style."""
    return f"{entry.program} {entry.style}"


def measure(
    entries: Sequence[Entry], material: Material, features: Features | None, report: Report
) -> tuple[list[StyleCard], Sheets]:
    """A card for each entry, and pictures for the sheets. features: needed when there are photographs.

    Raises BadMedia for what cannot be read, and for outputs that do not fit their inputs.
    """
    job = _Job(entries, material, report)
    if features is not None:
        job.photographs(features)
    job.clips()
    if material.photographs:
        job.staged()
    return job.cards, job.sheets


class _Job:
    """One measuring; fills in the cards as it goes along."""

    def __init__(self, entries: Sequence[Entry], material: Material, report: Report) -> None:
        self._entries, self._material, self._report = entries, material, report
        self.cards = [StyleCard(entry.program, entry.style) for entry in entries]
        self.sheets = Sheets()
        painters = sum(isinstance(entry, Painter) for entry in entries)
        each = len(material.photographs) + len(material.clips)
        self._done, self._total = 0, each * len(entries) + (painters if material.photographs else 0)

    def photographs(self, features: Features) -> None:
        """Content and style, photograph by photograph."""
        grams = {style: style_grams(features, read_picture(path)) for style, path in self._material.pictures.items()}
        for name, path in self._material.photographs.items():
            photograph, styled = self._styled_photograph(name, path)
            if len(self.sheets.photographs) < SHOWN:
                self.sheets.photographs[name] = {"input": photograph} | styled
            self._score(features, name, content_of(features, photograph), styled, grams)
        for i, card in enumerate(self.cards):
            if card.photographs:
                self.cards[i] = replace(card, scores=mean_scores(list(card.photographs.values())))

    def _styled_photograph(self, name: str, path: Path) -> tuple[Picture, dict[str, Picture]]:
        """A photograph and what the entries make of it, by their labels, all of one size."""
        photograph = read_picture(path)
        files = {label(each): each.photographs[name] for each in self._outputs() if name in each.photographs}
        styled = {key: read_picture(file) for key, file in files.items()}
        if not files:  # outputs were made at the photograph's own size; where there are none, haste decides
            photograph = shrink(photograph, min(LARGEST, *_size(photograph)))
        size = common_size(name, _size(photograph), [(file, _size(styled[key])) for key, file in files.items()])
        photograph = cropped(photograph, size)
        styled = {key: cropped(picture, size) for key, picture in styled.items()}
        for painter in self._painters():
            self._report(self._done, self._total, f"{name} in {painter.style}")
            styled[label(painter)] = painter.still(photograph)
        return photograph, styled

    def _score(
        self, features: Features, name: str, content: object, styled: dict[str, Picture], grams: Mapping[str, Grams]
    ) -> None:
        for i, card in enumerate(self.cards):
            self._tick(f"{name} in {card.style}")
            if card.label in styled:
                scores = score_one(features, content, styled[card.label], grams.get(card.style))
                self.cards[i] = replace(card, photographs=card.photographs | {name: scores})

    def clips(self) -> None:
        """Steadiness on real clips."""
        for name, path in self._material.clips.items():
            clip, styled = self._styled_clip(name, path)
            gaps = [gap for gap in GAPS if gap < len(clip.frames)]
            known = {gap: motions(clip.frames, gap) for gap in gaps}
            if len(self.sheets.clips) < SHOWN:
                middle = len(clip.frames) // 2
                shown = {"input": clip.frames} | styled
                self.sheets.clips[name] = {key: (frames[middle - 1], frames[middle]) for key, frames in shown.items()}
            for i, card in enumerate(self.cards):
                if card.label in styled:
                    steady = steadiness(clip.frames, styled[card.label], known)
                    self.cards[i] = replace(card, clips=card.clips | {name: steady})

    def _styled_clip(self, name: str, path: Path) -> tuple[Clip, dict[str, list[Picture]]]:
        """A clip and what the entries make of it, by their labels, all of one size and length."""
        clip = read_clip(path, self._material.frames, self._material.width)
        files = {label(each): each.clips[name] for each in self._outputs() if name in each.clips}
        styled = {key: read_clip(file, self._material.frames).frames for key, file in files.items()}
        sizes = [(file, _size(styled[key][0])) for key, file in files.items()]
        size = common_size(f"{name}, read at --clip-width {self._material.width},", _size(clip.frames[0]), sizes)
        count = min(len(frames) for frames in (clip.frames, *styled.values()))
        clip = Clip([cropped(frame, size) for frame in clip.frames[:count]], clip.times[:count])
        styled = {key: [cropped(frame, size) for frame in frames[:count]] for key, frames in styled.items()}
        for entry in self._entries:
            self._tick(f"{name} in {entry.style}")
            if isinstance(entry, Painter):
                styled[label(entry)] = entry.clip(clip.frames, clip.times)
        return clip, styled

    def staged(self) -> None:
        """What needs a network and not only its outputs: exact motions, still scenes, artefacts."""
        paths = list(self._material.photographs.items())[:SCENES]
        scenes = {name: _scene(read_picture(path)) for name, path in paths}
        for i, entry in enumerate(self._entries):
            if isinstance(entry, Painter):
                self._tick(f"staged scenes in {entry.style}")
                self.cards[i] = replace(
                    self.cards[i],
                    moved=moved_scenes(entry, scenes),
                    still=still_scenes(entry, scenes),
                    artefacts=find_artefacts(entry, list(scenes.values())),
                )

    def _outputs(self) -> list[Outputs]:
        return [entry for entry in self._entries if isinstance(entry, Outputs)]

    def _painters(self) -> list[Painter]:
        return [entry for entry in self._entries if isinstance(entry, Painter)]

    def _tick(self, what: str) -> None:
        self._report(self._done, self._total, what)
        self._done += 1


def steadiness(
    inputs: Sequence[Picture], outputs: Sequence[Picture], known: Mapping[int, Sequence[Motion]]
) -> Steadiness:
    """How steady outputs are along known motions, by gap, beside their inputs."""
    return Steadiness(
        frames=len(inputs),
        e_warp={gap: error_along(outputs, along, gap) for gap, along in known.items()},
        own={gap: error_along(inputs, along, gap) for gap, along in known.items()},
        contrast=contrast(outputs),
        sharpness=sharpness(outputs),
        input_contrast=contrast(inputs),
        input_sharpness=sharpness(inputs),
    )


def moved_scenes(painter: Painter, scenes: Mapping[str, Picture]) -> dict[str, Steadiness]:
    """Each scene along each path."""
    found = {}
    for path in staged.PATHS:
        for name, scene in scenes.items():
            moved = staged.moved(scene, path)
            styled = painter.clip(moved.frames, staged.times())
            found[f"{path}, {name}"] = steadiness(moved.frames, styled, {gap: moved.motions(gap) for gap in GAPS})
    return found


def still_scenes(painter: Painter, scenes: Mapping[str, Picture]) -> dict[str, Stillness]:
    """Each scene with noise, and with noise and exposure steps."""
    found = {}
    for exposure in (False, True):
        for name, scene in scenes.items():
            frames = staged.still_scene(scene, exposure=exposure)
            seen = (painter.running(frames, staged.times()), painter.apart(frames), frames)
            values = [deviation(each[SETTLED:]) for each in seen]
            found[f"noise{' and exposure' if exposure else ''}, {name}"] = Stillness(*values)
    return found


def _scene(photograph: Picture) -> Picture:
    short, (low, high) = min(photograph.shape[:2]), SCENE_SIDES
    if low <= short <= high:
        return photograph
    return shrink(photograph, low if short < low else high)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[0], picture.shape[1]
