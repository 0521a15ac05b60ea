"""VGG-19 weights from the files that people have."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from streamer.errors import BadMedia
from training.vgg import load_weights


def test_a_file_of_keras_applications_is_read(tmp_path: Path) -> None:
    """Written by Keras, in the form of those that keras.applications fetches, with layers that are none of ours."""
    picture = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="block1_conv1")(picture)
    x = keras.layers.Conv2D(5, 3, name="block1_conv2")(x)
    x = keras.layers.MaxPooling2D(name="block1_pool")(x)
    network = keras.Model(picture, keras.layers.Dense(2, name="predictions")(x))
    for variable in network.variables:
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    with h5py.File(tmp_path / "vgg.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    weights = load_weights(str(tmp_path / "vgg.h5"))
    assert sorted(weights) == ["conv1_1/bias", "conv1_1/kernel", "conv1_2/bias", "conv1_2/kernel"]
    for ours, theirs in (("conv1_1", "block1_conv1"), ("conv1_2", "block1_conv2")):
        kernel, bias = network.get_layer(theirs).get_weights()
        np.testing.assert_array_equal(weights[f"{ours}/kernel"], kernel)
        np.testing.assert_array_equal(weights[f"{ours}/bias"], bias)


def test_a_file_without_vgg_in_it_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["conv2d/kernel"] = np.zeros((3, 3, 3, 4))
    with pytest.raises(BadMedia, match=r"other.h5 hold no layers named blockX_convY; found conv2d\."):
        load_weights(str(tmp_path / "other.h5"))
    np.savez(tmp_path / "other.npz", kernel=np.zeros(3))
    with pytest.raises(BadMedia, match="hold no arrays named convX_Y/kernel; found kernel"):
        load_weights(str(tmp_path / "other.npz"))


def test_a_file_that_is_no_such_file_is_refused(tmp_path: Path) -> None:
    for name in ("text.h5", "text.npz"):
        (tmp_path / name).write_text("not weights")
        with pytest.raises(BadMedia, match=f"{name} cannot be read as {Path(name).suffix}:"):
            load_weights(str(tmp_path / name))
    with pytest.raises(BadMedia, match="missing.h5 cannot be read"):
        load_weights(str(tmp_path / "missing.h5"))
