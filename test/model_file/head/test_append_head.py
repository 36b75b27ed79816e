# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.metadata.packed_files import append_files
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.model_file.schema import operator_name
import numpy as np
import pytest
from support.small_models import (
    add_metadata,
    build_extractor,
    build_extractor_tree,
    EDGETPU_PAYLOAD,
    pack,
)

DIMENSION, CLASSES = 32, 4
CASES = [(dtype, rank) for dtype in ('uint8', 'int8', 'float32') for rank in (2, 4)]
Run = Callable[..., list[Any]]


def pictures(dtype: str, count: int = 20) -> Any:
    pixels = np.random.default_rng(3).integers(0, 256, (count, 1, 8, 8, 3))
    if dtype == 'float32':
        return np.float32(pixels - 127.5) / np.float32(127.5)
    return (pixels - (128 if dtype == 'int8' else 0)).astype(dtype)


def random_head(labels: tuple[str, ...] = ()) -> Head:
    rng = np.random.default_rng(5)
    weights = rng.normal(0, 0.3, (DIMENSION, CLASSES)).astype(np.float32)
    bias = rng.normal(0, 1, CLASSES).astype(np.float32)
    return Head(weights, bias, labels, (-12.0, 12.0))


def appended(**changes: Any) -> tuple[Any, Any]:
    """Return the trees of a small extractor and of the classifier made from it."""
    extractor = build_extractor(**{'dtype': 'uint8', 'dimension': DIMENSION, **changes})
    return parse(extractor), parse(append_head(extractor, random_head()))


@pytest.mark.parametrize(('dtype', 'rank'), CASES)
def test_real_runtimes_give_the_scores_of_the_float_head(dtype: str, rank: int, run: Run) -> None:
    extractor = build_extractor(dtype, dimension=DIMENSION, rank=rank)
    quantization = describe(extractor).quantization
    inputs = pictures(dtype)
    embeddings = np.concatenate([run(extractor, each)[0].reshape(1, -1) for each in inputs])
    reals = dequantize(embeddings, quantization)
    head = random_head()
    wanted = head.predict_proba(reals)
    logits = head.logits(reals)
    assert np.ptp(wanted, axis=0).min() > 0.1, 'the scores should differ between pictures'
    head = Head(head.weights, head.bias, (), (float(logits.min()), float(logits.max())))

    model = append_head(extractor, head)
    found = [run(model, each)[0] for each in inputs]
    assert {(each.shape, each.dtype.name) for each in found} == {((1, CLASSES), dtype)}
    scores = dequantize(np.concatenate(found), describe(model).quantization)
    # A logit is off by half an output step (0.03) and by what rounding the weights adds up to.
    tolerance = 1e-5 if dtype == 'float32' else 0.04
    np.testing.assert_allclose(scores, wanted, atol=tolerance)


@pytest.mark.parametrize(('dtype', 'rank'), CASES)
@pytest.mark.parametrize('weights_scale', [0.0, 0.01])
def test_an_untrained_head_runs_too(dtype: str, rank: int, weights_scale: float, run: Run) -> None:
    weights = np.random.default_rng(0).normal(size=(DIMENSION, CLASSES)) * weights_scale
    head = Head(weights.astype(np.float32), np.zeros(CLASSES, np.float32))
    model = append_head(build_extractor(dtype, dimension=DIMENSION, rank=rank), head)
    for reference_kernels in (False, True):
        scores = run(model, pictures(dtype)[0], reference_kernels=reference_kernels)[0]
        reals = dequantize(scores, describe(model).quantization)
        np.testing.assert_allclose(reals, 1 / CLASSES, atol=0.2 if weights_scale else 0.005)


@pytest.mark.parametrize('dtype', ['uint8', 'int8'])
def test_a_bias_that_outweighs_the_weights_runs_too(dtype: str, run: Run) -> None:
    bias = np.array([0, 3, 0, 1], np.float32)
    head = Head(np.full((DIMENSION, CLASSES), 1e-12, np.float32), bias, (), (0.0, 3.0))
    model = append_head(build_extractor(dtype, dimension=DIMENSION), head)
    wanted = np.exp(bias) / np.exp(bias).sum()
    for reference_kernels in (False, True):
        scores = run(model, pictures(dtype)[0], reference_kernels=reference_kernels)[0]
        reals = dequantize(scores, describe(model).quantization)
        np.testing.assert_allclose(reals[0], wanted, atol=0.01)


@pytest.mark.parametrize(('dtype', 'rank'), CASES)
def test_layers_and_tensors_come_in_the_order_of_libcoral(dtype: str, rank: int) -> None:
    before, after = appended(dtype=dtype, rank=rank)
    old, new = before.subgraphs[0], after.subgraphs[0]
    first = len(old.tensors)
    added = new.tensors[first:]
    reshaped = [[1, CLASSES]] if rank == 4 else []
    leading = [1] * (rank - 1)
    assert [list(tensor.shape) for tensor in added] == [
        [CLASSES, DIMENSION],
        [CLASSES],
        [*leading, CLASSES],
        *reshaped,
        [1, CLASSES],
    ]
    buffers = [tensor.buffer for tensor in added]
    assert buffers == list(range(len(before.buffers), len(after.buffers)))
    filled = [after.buffers[buffer].data is not None for buffer in buffers]
    assert filled == [True, True] + [False] * (len(added) - 2)

    before_head = len(old.operators)
    steps = new.operators[before_head:]
    names = [operator_name(after.operatorCodes[step.opcodeIndex]) for step in steps]
    assert names == ['FULLY_CONNECTED', *['RESHAPE'] * (rank == 4), 'SOFTMAX']
    assert list(steps[0].inputs) == [old.outputs[0], first, first + 1]
    for step, following in pairwise(steps):
        assert list(following.inputs) == list(step.outputs)
    assert list(new.outputs) == list(steps[-1].outputs) == [len(new.tensors) - 1]
    assert steps[-1].builtinOptions.beta == 1.0
    if rank == 4:
        assert list(steps[1].builtinOptions.newShape) == [1, CLASSES]


@pytest.mark.parametrize(
    ('dtype', 'versions'),
    [('uint8', (1, 1)), ('int8', (4, 2)), ('float32', (1, 1))],
)
def test_operators_have_the_oldest_version_that_computes_the_type(
    dtype: str, versions: tuple[int, int]
) -> None:
    _, after = appended(dtype=dtype)
    codes = {operator_name(code): code for code in after.operatorCodes}
    found = (codes['FULLY_CONNECTED'].version, codes['SOFTMAX'].version)
    assert found == versions
    for name in ('FULLY_CONNECTED', 'RESHAPE', 'SOFTMAX'):
        code = getattr(schema.BuiltinOperator, name)
        assert codes[name].builtinCode == codes[name].deprecatedBuiltinCode == code


def test_an_operator_code_that_is_there_is_used_again() -> None:
    # An extractor with a flat output has RESHAPE in its table; behind it none is appended, so
    # two more are put in by hand: one that will do and one that is too old for int8.
    tree = build_extractor_tree('int8', dimension=DIMENSION)
    for code, version in ((schema.BuiltinOperator.SOFTMAX, 3), (9, 1)):
        # As files from before TensorFlow 2.4 have it.
        tree.operatorCodes.append(
            schema.OperatorCodeT(deprecatedBuiltinCode=code, version=version)
        )
    after = parse(append_head(pack(tree), random_head()))
    codes = [(operator_name(code), code.version) for code in after.operatorCodes]
    assert codes == [
        ('CONV_2D', 3),
        ('SOFTMAX', 3),
        ('FULLY_CONNECTED', 1),
        ('FULLY_CONNECTED', 4),
        ('RESHAPE', 1),
    ]
    used = [operator.opcodeIndex for operator in after.subgraphs[0].operators]
    assert used == [0, 3, 4, 1]
    assert after.operatorCodes[1].builtinCode == schema.BuiltinOperator.SOFTMAX


@pytest.mark.parametrize('rank', [2, 4])
@pytest.mark.parametrize('dtype', ['uint8', 'int8'])
def test_the_program_for_the_edge_tpu_is_kept_and_aligned(dtype: str, rank: int) -> None:
    extractor = build_extractor(dtype, dimension=DIMENSION, rank=rank, compiled=True)
    model = append_head(extractor, random_head(('a', 'b', 'c', 'd')))
    assert model.count(EDGETPU_PAYLOAD) == 1
    assert model.index(EDGETPU_PAYLOAD) % 16 == extractor.index(EDGETPU_PAYLOAD) % 16 == 0
    assert bytes(parse(model).subgraphs[0].operators[0].customOptions) == EDGETPU_PAYLOAD
    assert describe(model).compiled_for_edgetpu


def test_the_extractor_itself_stays_as_it_is() -> None:
    before, after = appended()
    assert [bytes(buffer.data) for buffer in before.buffers[1:4] if buffer.data is not None] == [
        bytes(buffer.data) for buffer in after.buffers[1:4] if buffer.data is not None
    ]
    extractor = build_extractor('uint8', dimension=DIMENSION)
    copy = bytes(extractor)
    append_head(extractor, random_head())
    assert extractor == copy


def test_the_same_model_is_the_same_bytes() -> None:
    extractor = build_extractor('int8', dimension=DIMENSION)
    head = random_head(('a', 'b', 'c', 'd'))
    assert append_head(extractor, head) == append_head(extractor, head)


def test_signatures_name_the_scores() -> None:
    before, after = appended()
    assert before.signatureDefs[0].outputs[0].name == b'output_0'
    (output,) = after.signatureDefs[0].outputs
    assert (output.name, output.tensorIndex) == (b'scores', after.subgraphs[0].outputs[0])
    (picture,) = after.signatureDefs[0].inputs
    assert (picture.name, picture.tensorIndex) == (b'image', 0)


def test_a_signature_runs() -> None:
    model = append_head(build_extractor('uint8', dimension=DIMENSION), random_head())
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    picture = pictures('uint8')[0]
    scores = interpreter.get_signature_runner()(image=picture)['scores']
    interpreter.set_tensor(interpreter.get_input_details()[0]['index'], picture)
    interpreter.invoke()
    (output,) = interpreter.get_output_details()
    np.testing.assert_array_equal(scores, interpreter.get_tensor(output['index']))


def test_the_description_speaks_of_a_classifier() -> None:
    _, after = appended()
    assert after.description == (
        b'Image classifier of 4 classes by edgetpu_retrain, on the extractor: '
        b'Small extractor of the tests.'
    )
    tree = build_extractor_tree('uint8', dimension=DIMENSION)
    tree.description = None
    after = parse(append_head(pack(tree), random_head()))
    assert after.description == b'Image classifier of 4 classes by edgetpu_retrain'


@pytest.mark.parametrize(
    ('dtype', 'named', 'wanted'),
    [
        ('int8', b'1.5.0', b'1.14.0'),
        ('int8', b'2.3.0', b'2.3.0'),
        ('uint8', b'1.5.0', b'1.5.0'),
        ('float32', b'1.13.1', b'1.13.1'),
        ('int8', b'unknown', b'unknown'),
    ],
)
def test_the_oldest_runtime_is_raised_where_the_layers_need_it(
    dtype: str, named: bytes, wanted: bytes
) -> None:
    tree = build_extractor_tree(dtype, dimension=DIMENSION)
    add_metadata(tree, 'min_runtime_version', named.ljust(16, b'\0'))
    after = parse(append_head(pack(tree), random_head()))
    found = {entry.name: bytes(after.buffers[entry.buffer].data) for entry in after.metadata}
    assert found[b'min_runtime_version'] == wanted.ljust(16, b'\0')
    assert (b'TFLITE_METADATA' in found) == (dtype == 'float32')


def test_other_metadata_is_kept_but_a_plan_of_the_old_tensors_is_not() -> None:
    tree = build_extractor_tree('uint8', dimension=DIMENSION)
    add_metadata(tree, 'CONVERSION_METADATA', b'by a converter')
    add_metadata(tree, 'OfflineMemoryAllocation', bytes(40))
    after = parse(append_head(pack(tree), random_head()))
    names = [entry.name for entry in after.metadata]
    assert names == [b'min_runtime_version', b'CONVERSION_METADATA']
    assert bytes(after.buffers[after.metadata[1].buffer].data) == b'by a converter'


def test_without_labels_no_archive_is_written() -> None:
    model = append_head(build_extractor('uint8', dimension=DIMENSION), random_head())
    assert b'PK\3\4' not in model
    assert b'TFLITE_METADATA' not in model


def test_labels_of_the_extractor_go_and_its_licence_stays() -> None:
    extractor = append_files(
        build_extractor('uint8', dimension=DIMENSION),
        {'imagenet_labels.txt': b'cat\ndog\n', 'LICENSE': b'Apache-2.0'},
    )
    model = append_head(extractor, random_head())
    assert b'LICENSE' in model
    assert b'imagenet_labels.txt' not in model


@pytest.mark.parametrize('rank', [2, 4])
def test_embeddings_of_another_length_are_rejected_with_both(rank: int) -> None:
    extractor = build_extractor('uint8', dimension=16, rank=rank)
    with pytest.raises(ModelFileError, match='length 16, but the head was trained on length 32'):
        append_head(extractor, random_head())


def test_a_classifier_is_no_extractor() -> None:
    extractor = build_extractor('uint8', dimension=DIMENSION)
    model = append_head(extractor, random_head())
    square = Head(np.eye(CLASSES, dtype=np.float32), np.zeros(CLASSES, np.float32))
    with pytest.raises(ModelFileError, match='ends in SOFTMAX, so its output is a classification'):
        append_head(model, square)
    # Nor is it when its scores are made real numbers in the end.
    tree = parse(model)
    graph = tree.subgraphs[0]
    tree.operatorCodes.append(
        schema.OperatorCodeT(builtinCode=6, deprecatedBuiltinCode=6, version=2)
    )
    graph.tensors.append(schema.TensorT(shape=[1, CLASSES], name='real', buffer=0))
    graph.operators.append(
        schema.OperatorT(
            opcodeIndex=len(tree.operatorCodes) - 1,
            inputs=graph.outputs,
            outputs=[len(graph.tensors) - 1],
        )
    )
    graph.outputs = [len(graph.tensors) - 1]
    with pytest.raises(ModelFileError, match='ends in SOFTMAX'):
        append_head(pack(tree), square)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'spatial': 2, 'dimension': DIMENSION}, 'more than one spatial position'),
        ({'dimension': 16}, 'length 16'),
    ],
)
def test_extractors_that_do_not_fit_are_rejected(changes: Any, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        append_head(build_extractor('uint8', **changes), random_head())


def test_other_files_than_models_are_rejected() -> None:
    with pytest.raises(ModelFileError, match='not a TensorFlow Lite model'):
        append_head(b'', random_head())
    with pytest.raises(ModelFileError, match='not a TensorFlow Lite model'):
        append_head(bytes(5000), random_head())


def test_a_non_finite_head_is_rejected() -> None:
    head = Head(np.full((DIMENSION, 2), np.nan, np.float32), np.zeros(2, np.float32))
    for dtype in ('uint8', 'int8', 'float32'):
        with pytest.raises(ValueError, match='NaN'):
            append_head(build_extractor(dtype, dimension=DIMENSION), head)
