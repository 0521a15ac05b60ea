"""The clip's sound: a pad, a plucked melody, the sea before the cut and burners of balloons after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paint.noise import Floats

RATE = 48000
BEAT = 0.35  # s; twelve beats lead up to the cut
# Chords of four beats: notes in half tones above the A of 110 Hz.
CHORDS = [(8, 15, 20, 24), (3, 10, 19, 22), (5, 12, 20, 24), (1, 8, 17, 24), (3, 15, 19, 22), (8, 15, 20, 27)]
MELODY = [32, 27, 24, 27, 34, 31, 27, 31, 32, 29, 24, 36, 37, 32, 29, 25, 34, 31, 27, 39]

Samples = NDArray[np.float64]


def pitch(note: int) -> float:
    """Frequency (Hz) of a note."""
    return 110.0 * float(2 ** (note / 12))


def pluck(note: int, seconds: float) -> Samples:
    """A soft plucked string."""
    t = np.arange(int(seconds * RATE)) / RATE
    f = pitch(note)
    tone = sum(np.sin(2 * np.pi * f * k * t) / k**1.7 * np.exp(-t * (2.2 + 1.6 * k)) for k in range(1, 7))
    return np.asarray(tone * np.minimum(1, t * 250), np.float64)


def pad(notes: tuple[int, ...], seconds: float, side: float) -> Samples:
    """A slow swelling chord; `side` detunes it a little between the ears."""
    t = np.arange(int(seconds * RATE)) / RATE
    total = np.zeros_like(t)
    for k, note in enumerate(notes):
        f = pitch(note) * (1 + 0.0012 * side * (-1) ** k)
        total += np.sin(2 * np.pi * f * t + k) + 0.35 * np.sin(4 * np.pi * f * t + 2 * k) + 0.3 * np.sin(np.pi * f * t)
    return total * np.minimum(1, t / 0.5) * np.minimum(1, np.maximum(0, (seconds - t) / 0.6))


def hiss(rng: np.random.Generator, count: int, low: float, high: float) -> Samples:
    """Noise between two frequencies (Hz), unit variance."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    f = np.fft.rfftfreq(count, 1 / RATE)
    wave = np.fft.irfft(spectrum / (1 + (f / high) ** 2) / (1 + (low / np.maximum(f, 1)) ** 2), count)
    return np.asarray(wave / wave.std(), np.float64)


def add(track: Samples, wave: Samples, start: float, level: float) -> None:
    """Mix a wave into a track from a time (s) on."""
    first = int(start * RATE)
    part = wave[: max(0, len(track) - first)]
    track[first : first + len(part)] += level * part


def hall(track: Samples, rng: np.random.Generator) -> Samples:
    """The track with the echo of a room."""
    t = np.arange(int(1.4 * RATE)) / RATE
    room = rng.standard_normal(len(t)) * np.exp(-t * 4.2) * 0.012
    size = 1 << (len(track) + len(room)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(track, size) * np.fft.rfft(room, size), size)[: len(track)]
    return track + wet


def sound(seconds: float, cut: float, burns: list[float], seed: int = 4) -> Floats:
    """Stereo sound, 2 x samples in -1..1; `burns` are the times of the burners (s)."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)
    t = np.arange(count) / RATE
    ears = []
    for side in (-1.0, 1.0):
        track = np.zeros(count)
        for k, chord in enumerate(CHORDS):
            add(track, pad(chord, 4 * BEAT + 0.6, side), 4 * BEAT * k, 0.030)
        for k, note in enumerate(MELODY):
            add(track, pluck(note, 1.6), BEAT * k, 0.13 * (1 + 0.35 * side * np.sin(1.7 * k)))
        add(track, pluck(20, 2.5) + pluck(32, 2.5) + 0.7 * pluck(44, 2.5), cut, 0.13)
        before = np.clip((cut - t) / 0.05, 0, 1)
        waves = 0.45 + 0.4 * np.sin(2 * np.pi * t / 2.8 + 0.5 * side)
        track += hiss(rng, count, 250, 1800) * waves * before * 0.020
        track += hiss(rng, count, 120, 500) * (1 - before) * 0.008
        for burn in burns:
            since = np.maximum(0, t - cut - burn)
            swell = np.minimum(1, since * 10) * np.exp(-np.maximum(0, since - 0.35) * 3)
            track += hiss(rng, count, 150, 900) * swell * (t > cut + burn) * 0.030
        ears.append(hall(track, rng) * np.clip((seconds - t) / 0.7, 0, 1) * np.clip(t / 0.03, 0, 1))
    both = np.stack(ears)
    return (0.6 * both / np.abs(both).max()).astype(np.float32)
