# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from pathlib import Path
import re

import cv2
import edgetpu_retrain
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.model_file.reading import read_model
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import numpy.typing as npt
import pytest

PHOTOGRAPHS = ('astronaut', 'cat', 'coffee', 'coins', 'photographer', 'rocket')
# Cosine similarities of the six photographs' embeddings by the float network, before it was
# quantized, in the order of PHOTOGRAPHS.
FLOAT_SIMILARITIES = np.array(
    [
        [1.000, 0.175, 0.250, 0.198, 0.272, 0.198],
        [0.175, 1.000, 0.118, 0.096, 0.149, 0.140],
        [0.250, 0.118, 1.000, 0.133, 0.225, 0.166],
        [0.198, 0.096, 0.133, 1.000, 0.145, 0.125],
        [0.272, 0.149, 0.225, 0.145, 1.000, 0.151],
        [0.198, 0.140, 0.166, 0.125, 0.151, 1.000],
    ]
)


@pytest.fixture(scope='module')
def extractor() -> Extractor:
    return Extractor(read_model(default_extractor_path()), device='cpu')


@pytest.fixture(scope='module')
def photographs() -> list[RgbArray]:
    folder = Path(edgetpu_retrain.__file__).parent / 'demo' / 'photographs'
    pictures = [cv2.imread(str(folder / f'{name}.jpg')) for name in PHOTOGRAPHS]
    return [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in pictures]


def unit_embedding(extractor: Extractor, rgb: RgbArray) -> npt.NDArray[np.float32]:
    real = dequantize(extractor.embed(rgb), extractor.description.quantization)
    unit: npt.NDArray[np.float32] = real / np.linalg.norm(real)
    return unit


def random_view(rgb: RgbArray, rng: np.random.Generator) -> RgbArray:
    """Return half to all of a photograph's width, brighter or darker, maybe mirrored."""
    height, width = rgb.shape[:2]
    part = rng.uniform(0.5, 1.0)
    rows, columns = int(height * part), int(width * part)
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    bottom, right = top + rows, left + columns
    view = rgb[top:bottom, left:right]
    if rng.random() < 0.5:
        view = view[:, ::-1]
    relit: RgbArray = np.clip(view * rng.uniform(0.6, 1.4), 0, 255).astype(np.uint8)
    return relit


def test_the_file_is_the_one_whose_origin_and_licence_are_recorded() -> None:
    model = default_extractor_path().read_bytes()
    record = default_extractor_path().with_name('LICENSE-efficientnet-lite0.md').read_text()
    assert f'`{default_extractor_path().name}`' in record
    assert f'`{hashlib.sha256(model).hexdigest()}`' in record
    assert f'{len(model):,} bytes' in record
    assert re.search(r'licence \| Apache License 2\.0', record)


def test_the_document_on_security_names_the_same_file_and_weights() -> None:
    repository = Path(__file__).parents[2]
    document = (repository / 'docs' / 'security.md').read_text()
    recipe = (repository / 'tools' / 'build_extractor.py').read_text()
    (weights,) = re.findall(r"^WEIGHTS_SHA256 = '([0-9a-f]{64})'$", recipe, re.MULTILINE)
    file = hashlib.sha256(default_extractor_path().read_bytes()).hexdigest()
    assert re.findall(r'`([0-9a-f]{64})`', document) == [file, weights]
    assert f'`edgetpu_retrain/extractors/{default_extractor_path().name}`' in document


def test_pixels_go_in_as_they_are_and_1280_values_come_out() -> None:
    description = describe(default_extractor_path().read_bytes())
    assert description.input_shape == (1, 224, 224, 3)
    assert description.input_dtype == description.output_dtype == 'uint8'
    assert description.dimension == 1280
    assert not description.compiled_for_edgetpu
    assert description.quantization is not None
    # The last layer is an average of ReLU6: nothing is negative.
    assert description.quantization.zero_point == 0
    assert 0 < description.quantization.scale <= 6 / 255


def test_the_network_sees_pixels_on_the_scale_that_it_was_trained_on(
    extractor: Extractor,
) -> None:
    (image,) = extractor.loaded.interpreter.get_input_details()
    assert image['quantization'] == (1 / 128, 127)


def test_photographs_are_as_alike_as_they_are_to_the_float_network(
    extractor: Extractor, photographs: list[RgbArray]
) -> None:
    embeddings = np.stack([unit_embedding(extractor, rgb) for rgb in photographs])
    np.testing.assert_allclose(embeddings @ embeddings.T, FLOAT_SIMILARITIES, atol=0.03)


def test_no_value_of_an_embedding_saturates(
    extractor: Extractor, photographs: list[RgbArray]
) -> None:
    embeddings = np.stack([extractor.embed(rgb) for rgb in photographs])
    assert embeddings.max() < 255
    assert np.unique(embeddings).size > 100


def test_a_view_of_a_photograph_is_nearest_to_other_views_of_it(
    extractor: Extractor, photographs: list[RgbArray]
) -> None:
    rng = np.random.default_rng(1)
    means = np.stack(
        [
            np.mean([unit_embedding(extractor, random_view(rgb, rng)) for _ in range(4)], axis=0)
            for rgb in photographs
        ]
    )
    found = [
        int(np.argmax(means @ unit_embedding(extractor, random_view(rgb, rng))))
        for rgb in photographs
        for _ in range(8)
    ]
    wanted = np.repeat(np.arange(len(photographs)), 8)
    assert np.mean(found == wanted) >= 0.95
