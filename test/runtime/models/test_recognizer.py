# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

from edgetpu_retrain.errors import DeviceError, ModelFileError, RequestError
from edgetpu_retrain.learning import fit
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.choices import ModelChoices
from edgetpu_retrain.model_file.classifier_file import make_classifier
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.metadata.packed_files import append_files
from edgetpu_retrain.model_file.normalization import read_input_range
from edgetpu_retrain.model_file.quantization import dequantize
from edgetpu_retrain.runtime.interpreters.preprocessing import RgbArray
from edgetpu_retrain.runtime.models import recognizer as module
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.runtime.models.extractor import Extractor
from edgetpu_retrain.runtime.models.recognizer import Recognizer
from edgetpu_retrain.runtime.models.unknown_detection import UnknownDetection
import numpy as np
import pytest
from support.small_classifiers import build_classifier, build_classifier_tree
from support.small_models import build_extractor, pack

DTYPES = ['uint8', 'int8', 'float32']


def picture(seed: int) -> RgbArray:
    return np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)


def retrained(dtype: str = 'uint8') -> bytes:
    """Return a model that tells two kinds of noise apart, and knows what it was not taught."""
    model = build_extractor(dtype, dimension=32)
    extractor = Extractor(model)
    pictures = [picture(seed) // (1 + 3 * (seed % 2)) for seed in range(40)]
    raw = np.stack([extractor.embed(rgb.astype(np.uint8)) for rgb in pictures])
    quantization = describe(model).quantization
    head = fit(dequantize(raw, quantization), np.arange(40) % 2, num_classes=2, seed=0)
    return append_head(model, head.with_labels(('bright', 'dark')))


@pytest.mark.parametrize('dtype', DTYPES)
def test_any_model_with_one_score_a_class_will_do(dtype: str) -> None:
    model = build_classifier(dtype, classes=4)
    rgb = picture(1)
    raw = Extractor(model).embed(rgb)
    recognizer = Recognizer(model, labels=('a', 'b', 'c', 'd'))
    answer = recognizer.recognize(rgb)
    assert answer.label == 'abcd'[int(np.argmax(raw))]
    assert np.array_equal(answer.scores, dequantize(raw, describe(model).quantization))
    assert not answer.unknown
    packed = Recognizer(append_files(model, {'labels.txt': b'e\nf\ng\nh\n'}))
    assert packed.labels == ('e', 'f', 'g', 'h')


def test_the_background_of_a_model_is_unknown() -> None:
    model = build_classifier('float32', classes=4)
    rgb = picture(1)
    plain = Recognizer(model, labels=('a', 'b', 'c', 'd')).recognize(rgb)
    labels = ['background' if each == plain.label else each for each in 'abcd']
    found = Recognizer(model, labels=labels).recognize(rgb)
    assert (found.label, found.unknown) == ('unknown', True)
    assert np.array_equal(found.scores, plain.scores)
    named = Recognizer(model, labels=labels, background_label='').recognize(rgb)
    assert (named.label, named.unknown) == ('background', False)


def test_a_model_without_labels_is_rejected_with_instructions() -> None:
    model = build_extractor('uint8', dimension=4)
    with pytest.raises(RequestError, match=r'no names for its 4 classes.*--labels'):
        Recognizer(model)
    with pytest.raises(RequestError, match='3 labels for the 4 classes'):
        Recognizer(model, labels=('a', 'b', 'c'))
    with pytest.raises(ModelFileError):
        Recognizer(b'no model')


@pytest.mark.parametrize('dtype', DTYPES)
def test_a_retrained_model_detects_unknown_pictures(dtype: str) -> None:
    model = retrained(dtype)
    recognizer = Recognizer(model, trusted=True)
    classifier, detection = Classifier(model), UnknownDetection(model)
    unknown = 0
    for seed in range(100, 130):
        rgb = picture(seed) if seed % 2 else np.full((9, 9, 3), (seed, 255, 0), np.uint8)
        answer, classified = recognizer.recognize(rgb), classifier.classify(rgb)
        assert np.array_equal(answer.scores, classified.scores)
        is_unknown = detection.unknown_score(classified.embedding) > detection.threshold
        best = float(classified.scores.max())
        assert answer.unknown == is_unknown
        assert answer.score == pytest.approx(max(best, 1 - best) if is_unknown else best)
        expected = recognizer.labels[int(classified.scores.argmax())]
        assert answer.label == ('unknown' if is_unknown else expected)
        unknown += is_unknown
    assert 0 < unknown < 30


@pytest.mark.usefixtures('edgetpu_library', 'kernel')
@pytest.mark.parametrize('is_retrained', [False, True])
def test_a_device_that_fails_is_reported(is_retrained: bool, tell: Callable[[str], None]) -> None:
    tell('raise:2')
    compiled = build_extractor('uint8', dimension=4, compiled=True)
    head = Head(np.zeros((4, 2), np.float32), np.zeros(2, np.float32), ('a', 'b'), (-6.0, 6.0))
    model = append_head(compiled, head) if is_retrained else compiled
    recognizer = Recognizer(model, labels=() if is_retrained else 'abcd', trusted=True)
    with pytest.raises(DeviceError, match=r'The Edge TPU failed \(.*told to fail'):
        recognizer.recognize(picture(1))


def test_a_foreign_model_is_probed_in_a_child_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[bytes] = []
    monkeypatch.setattr(module, 'probe', lambda model, **_: tried.append(model))
    model = build_extractor('uint8', dimension=4)
    Recognizer(model, labels=('a', 'b', 'c', 'd'))
    assert tried == [model]
    Recognizer(retrained(), trusted=True)
    assert len(tried) == 1
    Recognizer(retrained())
    assert len(tried) == 2


@pytest.mark.parametrize('dtype', DTYPES)
def test_logits_are_shown_as_probabilities(dtype: str) -> None:
    model = build_classifier(dtype, result='')
    recognizer = Recognizer(model, labels=('a', 'b', 'c'))
    found = recognizer.recognize(picture(1))
    assert found.scores.sum() == pytest.approx(1.0)
    logits = Extractor(make_classifier(model, labels='abc').model).embed(picture(1))
    description = describe(model)
    real = dequantize(logits, description.quantization)
    wanted = np.exp(real) / np.exp(real).sum()
    np.testing.assert_allclose(found.scores, wanted, rtol=1e-5)
    assert sum('softmax is applied' in note for note in recognizer.notes) == 1


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('result', ['LOGISTIC', ''])
def test_one_output_is_the_probability_of_the_second_class(dtype: str, result: str) -> None:
    model = append_files(
        build_classifier(dtype, classes=1, result=result), {'labels.txt': b'no\nyes\n'}
    )
    recognizer = Recognizer(model)
    assert recognizer.labels == ('no', 'yes')
    assert recognizer.notes[0].startswith(
        "the model has one output: it is the probability of 'yes'"
    )
    raw = Extractor(make_classifier(model).model).embed(picture(1))
    (score,) = dequantize(raw, describe(model).quantization)
    wanted = score if result else 1 / (1 + np.exp(-score))
    found = recognizer.recognize(picture(1))
    np.testing.assert_allclose(found.scores, [1 - wanted, wanted], rtol=1e-5)
    assert found.label == ('yes' if wanted > 0.5 else 'no')
    with pytest.raises(RequestError, match='3 labels for the 2 classes'):
        Recognizer(model, labels=('a', 'b', 'c'))


@pytest.mark.parametrize(('logit', 'label'), [(-1000.0, 'no'), (1000.0, 'yes')])
def test_a_huge_logit_of_one_output_does_not_overflow(logit: float, label: str) -> None:
    tree = build_classifier_tree('float32', classes=1, result='', normalization=(0.0, 255.0))
    (bias,) = (each for each in tree.subgraphs[0].tensors if each.name == 'bias2')
    tree.buffers[bias.buffer].data = np.frombuffer(np.float32(logit).tobytes(), np.uint8)
    recognizer = Recognizer(pack(tree), labels=('no', 'yes'))
    with np.errstate(over='raise'):
        found = recognizer.recognize(picture(1))
    assert found.label == label
    assert found.score == pytest.approx(1.0)


def test_a_float_model_gets_the_pixels_that_it_states_or_that_are_chosen() -> None:
    labels = ('a', 'b', 'c')
    stated = build_classifier('float32', normalization=(0.0, 255.0))
    silent = build_classifier('float32', normalization=None)
    choices = ModelChoices(read_input_range('0..1'))
    wanted = Recognizer(stated, labels=labels).recognize(picture(1)).scores
    found = Recognizer(silent, choices=choices, labels=labels).recognize(picture(1)).scores
    np.testing.assert_array_equal(found, wanted)
    other = Recognizer(build_classifier('float32'), labels=labels).recognize(picture(1)).scores
    assert not np.allclose(other, wanted)


def test_no_model_is_loaded_without_a_range() -> None:
    with pytest.raises(ModelFileError, match='--input-range'):
        Extractor(build_extractor('float32', normalization=None))
