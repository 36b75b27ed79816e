# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema
from edgetpu_retrain.errors import DeviceError, ImageError, ModelFileError
from edgetpu_retrain.model_file.choices import ModelChoices
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.extractor_file import make_extractor
from edgetpu_retrain.runtime.interpreters import edgetpu
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input, RgbArray
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import pytest
from support.edgetpu_stand_in import stand_in_embedding
from support.small_models import (
    add_operator,
    add_tensor,
    build_extractor,
    build_extractor_tree,
    pack,
)

DTYPES = ['uint8', 'int8', 'float32']


def picture(seed: int = 0, height: int = 30, width: int = 40) -> RgbArray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.usefixtures('runtime')
def test_an_embedding_is_a_vector_of_the_output_type(dtype: str, rank: int) -> None:
    model = build_extractor(dtype, dimension=12, rank=rank)
    extractor = Extractor(model)
    assert extractor.description == describe(model)
    embedding = extractor.embed(picture())
    assert embedding.shape == (12,)
    assert embedding.dtype == dtype
    assert (embedding != extractor.embed(picture(seed=1))).any()
    np.testing.assert_array_equal(embedding, extractor.embed(picture()))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.usefixtures('runtime')
def test_the_embedding_is_what_the_interpreter_says_of_the_fitted_picture(dtype: str) -> None:
    extractor = Extractor(build_extractor(dtype, dimension=12))
    interpreter = extractor.loaded.interpreter
    tensor = fit_to_input(picture(), extractor.description)
    interpreter.set_tensor(interpreter.get_input_details()[0]['index'], tensor)
    interpreter.invoke()
    wanted = interpreter.get_tensor(interpreter.get_output_details()[0]['index']).ravel()
    extractor.embed(picture(seed=1))
    np.testing.assert_array_equal(extractor.embed(picture()), wanted)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.usefixtures('runtime')
def test_an_embedding_is_the_callers_own(dtype: str) -> None:
    extractor = Extractor(build_extractor(dtype))
    first = extractor.embed(picture())
    kept = first.copy()
    extractor.embed(picture(seed=1))
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(extractor.embed(picture()), kept)


@pytest.mark.usefixtures('runtime')
def test_a_rejected_picture_does_not_block_the_next_one() -> None:
    extractor = Extractor(build_extractor('uint8'))
    with pytest.raises(ImageError) as refused:
        extractor.embed(np.zeros((4, 4, 1), np.uint8))
    # The traceback is alive here, and with it every variable that the failed call had.
    assert refused.value.__traceback__ is not None
    assert extractor.embed(picture()).any()


def test_the_number_of_threads_changes_nothing() -> None:
    model = build_extractor('uint8', dimension=64)
    one, two = Extractor(model, num_threads=1), Extractor(model, num_threads=2)
    np.testing.assert_array_equal(one.embed(picture()), two.embed(picture()))


@pytest.mark.usefixtures('runtime')
def test_a_compiled_extractor_embeds_on_the_edge_tpu(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgetpu, 'LIBRARY', library)
    extractor = Extractor(build_extractor('uint8', dimension=16, compiled=True), device='usb')
    tensor = fit_to_input(picture(), extractor.description)
    np.testing.assert_array_equal(extractor.embed(picture()), stand_in_embedding(tensor, 16))


def test_numbers_that_are_not_finite_are_no_embedding() -> None:
    tree = build_extractor_tree('float32')
    bias = next(tensor for tensor in tree.subgraphs[0].tensors if tensor.name == 'bias')
    tree.buffers[bias.buffer].data = np.full(8, np.nan, np.float32).view(np.uint8)
    extractor = Extractor(pack(tree))
    with pytest.raises(ImageError, match='not finite for this picture: check the model'):
        extractor.embed(picture())


def free_extractor(pool: int) -> bytes:
    """Return an extractor of any picture: a 3x3 convolution, and the means of windows."""
    tree = build_extractor_tree('float32', image_size=3)
    (graph,) = tree.subgraphs
    pixels, (features,) = graph.tensors[graph.inputs[0]], graph.outputs
    pixels.shape, pixels.shapeSignature = [1, 1, 1, 3], [-1, -1, -1, 3]
    (convolution,) = graph.operators
    convolution.builtinOptions.strideH = convolution.builtinOptions.strideW = 1
    convolution.builtinOptions.padding = schema.Padding.VALID
    pooled = add_tensor(tree, 'pooled', 'float32', [1, 1, 1, 8], 1, 0)
    for tensor in (features, pooled):
        graph.tensors[tensor].shapeSignature = [-1, -1, -1, 8]
    add_operator(
        tree,
        schema.BuiltinOperator.AVERAGE_POOL_2D,
        [features],
        [pooled],
        builtinOptionsType=schema.BuiltinOptions.Pool2DOptions,
        builtinOptions=schema.Pool2DOptionsT(
            filterHeight=pool, filterWidth=pool, strideH=1, strideW=1, padding=schema.Padding.VALID
        ),
    )
    graph.outputs = [pooled]
    return pack(tree)


def test_the_shape_at_the_chosen_size_counts() -> None:
    file = free_extractor(pool=8)

    def extractor(side: int) -> Extractor:
        return Extractor(make_extractor(file, ModelChoices(input_size=(side, side))).model)

    assert extractor(10).embed(picture()).shape == (8,)
    with pytest.raises(
        ModelFileError, match=r"12x12 pixels, the output 'pooled' .* \[1, 3, 3, 8\]"
    ):
        extractor(12)
    # The convolution does not fit into the picture.
    with pytest.raises(
        ModelFileError, match=r'on pictures of 2x2 pixels: give another input_size'
    ):
        extractor(2)


def test_other_models_than_extractors_are_rejected() -> None:
    with pytest.raises(ModelFileError, match='spatial position'):
        Extractor(build_extractor('uint8', spatial=2))
    with pytest.raises(ModelFileError):
        Extractor(b'no model')


def test_a_compiled_extractor_is_rejected_on_the_cpu() -> None:
    with pytest.raises(DeviceError, match="device is 'cpu'"):
        Extractor(build_extractor('uint8', compiled=True), device='cpu')
