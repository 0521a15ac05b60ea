"""The network as the runtimes run it: batches, streams, sizes, statistics, and equality of the two runtimes."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.engine import Engine, stream_batch
from streamer.geometry import padding
from streamer.keras_runtime import KerasRuntime
from streamer.model import StyleNetwork, build_network, load_network, network_weights
from streamer.runtime import Batch, still
from streamer.styles import StyleLibrary
from streamer.trunk import TrunkConfig
from tests import tiny


@pytest.fixture(scope="module")
def keras_runtime(tiny_library: StyleLibrary) -> KerasRuntime:
    return KerasRuntime(tiny_library.trunk)


def stills(library: StyleLibrary, frames: np.ndarray, *names: str) -> Batch:
    rows = np.stack([library.get(name).modulation for name in names])
    batch = still(frames, rows[0], library.trunk.config.statistics_size)
    return Batch(batch.frames, rows, batch.given, batch.mix, batch.carry)


def test_live_trunk_is_as_small_as_promised() -> None:
    network = build_network(TrunkConfig())
    parameters = sum(weight.size for weight in network_weights(network).values())
    assert 60_000 <= parameters <= 130_000
    assert sum(TrunkConfig().norm_widths()) * 2 == TrunkConfig().statistics_size


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (2, 3), (17, 8), (64, 64), (359, 641)])
def test_any_size_comes_out_the_size_it_went_in(tiny_engine: Engine, height: int, width: int) -> None:
    styled = tiny_engine.stylize(tiny.picture(height, width), tiny_engine.library.resolve("alpha"))
    assert styled.shape == (height, width, 3)
    assert styled.dtype == np.uint8


@pytest.mark.parametrize("side", [1, 7, 8, 9, 360, 641])
def test_padding_reaches_the_stride(side: int) -> None:
    top, bottom, left, right = padding(side, side)
    assert (side + top + bottom) % 8 == 0 and (side + left + right) % 8 == 0
    assert min(top, bottom, left, right) >= 8


def test_cpu_runtime_equals_keras(tiny_engine: Engine, keras_runtime: KerasRuntime) -> None:
    frames = np.stack([tiny.picture(90, 121, seed) for seed in range(3)])
    batch = stills(tiny_engine.library, frames, "alpha", "beta", "gamma")
    ours, theirs = tiny_engine.run(batch), keras_runtime.run(batch)
    assert np.abs(ours.frames.astype(int) - theirs.frames).max() <= 2
    np.testing.assert_allclose(ours.used, theirs.used, rtol=1e-3, atol=1e-4)


def test_batch_of_different_styles_equals_one_by_one(tiny_engine: Engine) -> None:
    names = ("alpha", "beta", "gamma")
    frames = np.stack([tiny.picture(48, 80, seed) for seed in range(3)])
    together = tiny_engine.run(stills(tiny_engine.library, frames, *names))
    alone = [tiny_engine.run(stills(tiny_engine.library, frames[i : i + 1], names[i])) for i in range(3)]
    assert np.abs(together.frames.astype(int) - np.concatenate([one.frames for one in alone])).max() <= 1
    # The styles really are different, or the equality above would prove nothing.
    assert np.abs(alone[0].frames.astype(int) - alone[1].frames).mean() > 3


def test_batch_of_consecutive_frames_equals_one_by_one(tiny_engine: Engine) -> None:
    modulation = tiny_engine.library.resolve("beta")
    frames = np.stack([tiny.picture(48, 80, seed) for seed in range(4)])
    carries = [0.0, 0.9, 0.0, 0.6]
    given = np.zeros(tiny_engine.library.trunk.config.statistics_size, np.float32)
    together = tiny_engine.run(stream_batch(frames, modulation, given, carries))
    for i, carry in enumerate(carries):
        alone = tiny_engine.run(stream_batch(frames[i : i + 1], modulation, given, [carry]))
        given = alone.used[0]
        assert np.abs(together.frames[i].astype(int) - alone.frames[0]).max() <= 1
        np.testing.assert_allclose(together.used[i], given, rtol=1e-3, atol=1e-4)


def test_statistics_are_moments_and_are_obeyed(tiny_engine: Engine) -> None:
    size = tiny_engine.library.trunk.config.statistics_size
    modulation = tiny_engine.library.resolve("alpha")
    frames = np.stack([tiny.picture(48, 80, seed) for seed in range(2)])
    own = tiny_engine.run(still(frames, modulation, size))
    np.testing.assert_array_equal(own.own, own.used)
    width = tiny.CONFIG.width
    means, seconds = own.own[:, :width], own.own[:, width : 2 * width]
    assert (seconds - means**2 >= -1e-5).all()
    # carry 1 and mix 0: the second frame is normalised by the first one's statistics, and by nothing else.
    borrowed = Batch(
        frames[1:], modulation[None], own.used[:1], np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    )
    styled = tiny_engine.run(borrowed)
    np.testing.assert_allclose(styled.used, own.used[:1], rtol=1e-5)
    assert np.abs(styled.frames.astype(int) - own.frames[1:]).max() > 2


def test_identity_row_gives_the_input_back(tiny_engine: Engine) -> None:
    frame = tiny.picture(48, 80)
    out = tiny_engine.stylize(frame, tiny_engine.library.resolve("alpha", strength=0.0))
    assert np.abs(out.astype(int) - frame).max() <= 1


def test_half_precision_keeps_statistics_in_float32(tiny_library: StyleLibrary, keras_runtime: KerasRuntime) -> None:
    frame = tiny.picture(48, 80)
    size = tiny_library.trunk.config.statistics_size
    batch = still(frame[None], tiny_library.resolve("alpha"), size)
    half = KerasRuntime(tiny_library.trunk, precision="mixed_bfloat16").run(batch)
    full = keras_runtime.run(batch)
    assert half.used.dtype == np.float32
    assert np.abs(half.frames.astype(int) - full.frames).mean() < 3


def test_fixed_blur_is_binomial_at_full_resolution() -> None:
    """The 12-channel convolution equals a 3x3 binomial blur of the picture whose sub-pixels they are."""
    import cv2
    from keras import ops

    network: StyleNetwork = build_network(tiny.CONFIG)
    picture = tiny.picture(32, 40).astype(np.float32)
    blurred = ops.depth_to_space(network.smooth(ops.space_to_depth(picture[None], 2)), 2)
    kernel = np.outer([1, 2, 1], [1, 2, 1]).astype(np.float32) / 16
    expected = cv2.filter2D(picture, -1, kernel)
    np.testing.assert_allclose(ops.convert_to_numpy(blurred)[0, 2:-2, 2:-2], expected[2:-2, 2:-2], atol=1e-2)


def test_weights_survive_the_file(tiny_library: StyleLibrary) -> None:
    trunk = tiny_library.trunk
    again = network_weights(load_network(trunk))
    assert again.keys() == trunk.weights.keys()
    for name, values in again.items():
        np.testing.assert_array_equal(values, trunk.weights[name])
