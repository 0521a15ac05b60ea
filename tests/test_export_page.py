"""What docs/export.md shows is run as it stands there: its commands, its Python, and the bodies of its requests."""

from __future__ import annotations

import base64
import json
import re
import shlex
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from streamer.cli.main import run
from streamer.export.subject import trunk_subject
from streamer.keras_runtime import KerasRuntime
from streamer.settings import Look
from streamer.styles import StyleLibrary

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's blocks of code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All names that the page's Python has when it has been run from top to bottom; `folder` is where."""
    folder = tmp_path_factory.mktemp("page")
    known: dict[str, Any] = {"folder": folder}
    photograph = cv2.imread(str(ROOT / "samples" / "portrait.jpg"))
    cv2.imwrite(str(folder / "photo.jpg"), cv2.resize(photograph, (250, 187), interpolation=cv2.INTER_AREA))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in "".join(blocks("sh")).splitlines():
            program, *arguments = shlex.split(line)
            assert program == "streamer" and run(arguments) == 0
        for block in blocks("python"):
            exec(compile(block, "docs/export.md", "exec"), known)
    return known


def keras(frame: np.ndarray, style: str, strength: float = 1.0) -> np.ndarray:
    """A still (H, W, 3) by the Keras network."""
    subject = trunk_subject(StyleLibrary.default(), [])
    batch = subject.batch(frame[None])
    row = subject.library.resolve(style, strength)
    batch.modulation[:] = row
    return KerasRuntime(subject.trunk, precision="float32").run(batch).frames[0]


def picture(path: Path) -> np.ndarray:
    """(H, W, 3) RGB."""
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)


def test_the_rest_body_is_what_the_signature_takes(names: dict[str, Any]) -> None:
    """Read as TensorFlow Serving reads it: base64 to bytes, lists to the signature's type."""
    import tensorflow as tf

    body = json.loads((names["folder"] / "body.json").read_text())
    serve = tf.saved_model.load(str(names["folder"] / "exported" / "live" / "1")).signatures[body["signature_name"]]
    _, wanted = serve.structured_input_signature
    assert body["inputs"].keys() == wanted.keys()
    values = {
        name: tf.constant(base64.b64decode(value["b64"]) if isinstance(value, dict) else value, wanted[name].dtype)
        for name, value in body["inputs"].items()
    }
    (answer,) = serve(**values).values()
    got = cv2.imdecode(np.frombuffer(answer.numpy(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    photograph = picture(names["folder"] / "photo.jpg").astype(np.uint8)
    assert np.abs(got - keras(photograph, "mosaic")).mean() < 8, "but for what JPEG loses"


def test_the_grpc_inputs_are_what_the_signature_takes(names: dict[str, Any]) -> None:
    import tensorflow as tf

    serve = tf.saved_model.load(str(names["folder"] / "exported" / "live" / "1")).signatures["serving_default"]
    values = {name: tf.constant(tf.make_ndarray(proto)) for name, proto in names["inputs"].items()}
    styled = serve(**values)["frames"].numpy()[0]
    photograph = picture(names["folder"] / "photo.jpg").astype(np.uint8)
    wanted = keras(photograph, "mosaic:0.7,great_wave:0.3", 0.6)
    assert np.abs(styled.astype(int) - wanted).max() <= 1
    np.testing.assert_array_equal(picture(names["folder"] / "served.png"), styled)


def test_litert_and_onnx_paint_what_keras_paints(names: dict[str, Any]) -> None:
    photograph = picture(names["folder"] / "photo.jpg").astype(np.uint8)
    large = cv2.resize(photograph, (640, 480))
    assert np.abs(picture(names["folder"] / "phone.png") - keras(large, "mosaic")).max() <= 1
    assert np.abs(picture(names["folder"] / "streamed.png") - keras(large, "mosaic")).max() <= 1, "of a still scene"


def test_the_numbers_on_the_page_are_the_networks() -> None:
    config = StyleLibrary.default().trunk.config
    assert (config.modulation_size, config.statistics_size) == (745, 736)
    assert Look().style == "mosaic"
