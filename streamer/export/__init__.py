"""Files of the network for other runtimes: SavedModel, LiteRT and ONNX. Needs TensorFlow.

`run` writes them, `subject` says what of, `check` runs each in its own runtime and compares it with Keras.
"""
