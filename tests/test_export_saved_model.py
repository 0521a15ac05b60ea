"""SavedModels by their signatures, in a process that knows TensorFlow and nothing of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.export.run import Exported
from streamer.keras_runtime import KerasRuntime
from streamer.runtime import Batch, Styled
from streamer.styles import StyleLibrary
from tests import tiny
from tests.exported import (
    SIZES,
    assert_same,
    assert_same_frames,
    assert_same_stream,
    frames,
    frozen,
    keras_frames,
    random_batch,
    written,
)

SERVE = """
import sys
import numpy as np, tensorflow as tf
folder, signature, given, answers = sys.argv[1:]
serve = tf.saved_model.load(folder).signatures[signature]
with np.load(given) as inputs:
    outputs = serve(**{name: tf.constant(inputs[name]) for name in inputs})
np.savez(answers, **{name: value.numpy() for name, value in outputs.items()})
assert not any(name.split(".")[0] == "streamer" for name in sys.modules)
"""


class Loaded:
    """A trunk's signature `stream` as a `streamer.runtime.Runtime`."""

    name, batch_size = "SavedModel", 1

    def __init__(self, path: Path) -> None:
        import tensorflow as tf

        self.model = tf.saved_model.load(str(path))

    def call(self, signature: str, **inputs: Any) -> dict[str, Any]:
        """All outputs, as arrays or bytes."""
        import tensorflow as tf

        constants = {name: tf.constant(value) for name, value in inputs.items()}
        return {name: value.numpy() for name, value in self.model.signatures[signature](**constants).items()}

    def run(self, batch: Batch) -> Styled:
        """Style a batch."""
        names = ("frames", "modulation", "given", "mix", "carry")
        return Styled(**self.call("stream", **{name: getattr(batch, name) for name in names}))

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def trunk(tiny_library: StyleLibrary, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return written(tiny_library, tmp_path_factory.mktemp("saved"), format="saved-model")


@pytest.fixture(scope="module")
def loaded(trunk: Exported) -> Loaded:
    return Loaded(trunk.path)


def test_frames_of_any_size_with_their_statistics(tiny_library: StyleLibrary, loaded: Loaded) -> None:
    keras = KerasRuntime(tiny_library.trunk, precision="float32")
    for count, height, width in [*SIZES, (2, 1, 90)]:
        batch = random_batch(tiny_library, count, height, width)
        assert_same(loaded.run(batch), keras.run(batch))
    assert_same_stream(tiny_library, loaded, keras)


def test_stills_need_a_style_alone(tiny_library: StyleLibrary, trunk: Exported, tmp_path: Path) -> None:
    """In a fresh process, by the signature that TensorFlow Serving takes when none is named."""
    pictures = frames(2, 41, 50)
    rows = np.stack([tiny_library.resolve(name) for name in ("alpha", "gamma")])
    np.savez(tmp_path / "in.npz", frames=pictures, modulation=rows)
    arguments = [str(trunk.path), "serving_default", str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    subprocess.run([sys.executable, "-c", SERVE, *arguments], check=True, cwd=tmp_path, timeout=120)
    batch = random_batch(tiny_library, 2, 41, 50)
    still = replace(batch, modulation=rows, mix=np.eye(2, dtype=np.float32), carry=np.zeros((2, 1), np.float32))
    wanted = KerasRuntime(tiny_library.trunk, precision="float32").run(still).frames
    with np.load(tmp_path / "out.npz") as outputs:
        assert_same_frames(outputs["frames"], wanted)


def test_a_picture_file_comes_back_as_one(tiny_library: StyleLibrary, loaded: Loaded) -> None:
    import cv2

    photograph = tiny.picture(60, 90)
    data = cv2.imencode(".png", photograph[..., ::-1])[1].tobytes()
    row = tiny_library.resolve("alpha")[None]
    answer = loaded.call("picture", image_bytes=data, modulation=row)["image_bytes"]
    got = cv2.imdecode(np.frombuffer(answer, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    wanted = loaded.call("serving_default", frames=photograph[None], modulation=row)["frames"][0]
    assert got.shape == wanted.shape and np.abs(got.astype(int) - wanted).mean() < 4, "but for what JPEG loses"


@pytest.mark.parametrize("statistics", ["own", "frozen"])
def test_a_frozen_style_takes_and_gives_frames_alone(
    tiny_library: StyleLibrary, tmp_path: Path, statistics: str
) -> None:
    from streamer.export.saved_model import write_saved_model

    subject = frozen(tiny_library, statistics=statistics)
    write_saved_model(subject, tmp_path)
    loaded = Loaded(tmp_path)
    for count, height, width in SIZES:
        pictures = frames(count, height, width)
        assert_same_frames(loaded.call("serving_default", frames=pictures)["frames"], keras_frames(subject, pictures))


def test_the_card_lies_where_serving_leaves_it_alone(tiny_library: StyleLibrary, trunk: Exported) -> None:
    assert trunk.path.parts[-2:] == ("live", "1")
    assert trunk.card == trunk.path / "assets.extra" / "streamer.json"
    card = json.loads(trunk.card.read_text())
    assert [credit["licence"] for credit in card["credits"]] == ["CC0-1.0"] * 3
    np.testing.assert_array_equal(np.float32(card["modulations"]["beta"]), tiny_library.resolve("beta"))


def test_the_shipped_network(tmp_path: Path) -> None:
    file = written(StyleLibrary.default(), tmp_path, "mosaic", format="saved-model", freeze=True)
    assert file.off.largest <= 1 and file.off.mean < 0.01
    assert file.size == sum(each.stat().st_size for each in file.path.rglob("*") if each.is_file()) < 1_000_000
