# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
from typing import Any

from edgetpu_retrain.errors import ModelFileError
from edgetpu_retrain.learning.head import Head
from edgetpu_retrain.model_file.flatbuffer import parse
from edgetpu_retrain.model_file.head.append_head import append_head
from edgetpu_retrain.model_file.head.cut_head import cut_head
from edgetpu_retrain.model_file.head.expose_embedding import expose_embedding
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.model_file.metadata.packed_files import append_files, read_files
from edgetpu_retrain.model_file.metadata.records import (
    Metadata,
    METADATA_NAME,
    read_metadata,
    write_metadata,
)
from edgetpu_retrain.model_file.metadata.self_description import content_of
from edgetpu_retrain.model_file.normalization import MINUS_1_TO_1
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from support.small_models import add_metadata, build_extractor, build_extractor_tree, pack

DIMENSION = 8
# Any text in one line, without a byte-order mark.
NO_TEXT = dict.fromkeys(map(ord, '\n\r\0\ufeff'))
lines = st.text(max_size=20).map(lambda text: text.translate(NO_TEXT))


def head_with(labels: tuple[str, ...]) -> Head:
    count = len(labels) or 3
    weights = np.ones((DIMENSION, count), np.float32)
    return Head(weights, np.zeros(count, np.float32), labels, (0.0, 1.0))


def classifier(*labels: str, dtype: str = 'uint8') -> bytes:
    return append_head(build_extractor(dtype), head_with(labels))


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_labels_come_back_in_order(dtype: str) -> None:
    labels = ('Tasse', 'naïve café', '猫', 'кот', '🐈‍⬛', ' spaces ', 'a,b;"c"', 'no\u2028break')
    assert read_labels(classifier(*labels, dtype=dtype)) == labels


@settings(deadline=None, max_examples=50)
@given(st.lists(lines, min_size=1, max_size=5).map(tuple))
def test_any_line_of_text_is_a_label(labels: tuple[str, ...]) -> None:
    assert read_labels(classifier(*labels)) == labels


def test_labels_are_a_file_that_any_zip_tool_reads() -> None:
    model = classifier('cat', 'dög')
    assert read_files(model) == {'labels.txt': 'cat\ndög\n'.encode()}


def test_metadata_names_the_file_as_the_labels_of_the_output() -> None:
    content = content_of(parse(classifier('cat', 'dog')), METADATA_NAME)
    assert content is not None
    assert read_metadata(content) == Metadata(
        labels_file='labels.txt', output_files=('labels.txt',)
    )


def test_a_model_without_labels_has_none() -> None:
    assert read_labels(classifier()) == ()
    assert read_labels(build_extractor('uint8')) == ()


@pytest.mark.parametrize('dtype', ['uint8', 'int8', 'float32'])
def test_labels_do_not_change_what_the_runtime_computes(dtype: str, run: Any) -> None:
    picture = np.zeros((1, 8, 8, 3), dtype)
    plain = classifier(dtype=dtype)
    labelled = classifier('cat', 'dog', 'mouse', dtype=dtype)
    np.testing.assert_array_equal(run(plain, picture)[0], run(labelled, picture)[0])


@pytest.mark.parametrize('label', ['two\nlines', 'two\rlines', '\n', 'nul\0'])
def test_a_label_of_several_lines_is_rejected_by_name(label: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        classifier('good', label)
    assert repr(label) in str(caught.value)


def test_a_lone_surrogate_is_rejected() -> None:
    with pytest.raises(ModelFileError, match='half a character'):
        classifier('good', 'bad \ud800')


def test_labels_of_coral_classifiers_are_read_without_metadata() -> None:
    model = classifier()
    assert read_labels(append_files(model, {'labels.txt': b'a\nb\nc'})) == ('a', 'b', 'c')
    lines_of_windows = append_files(model, {'inat_bird_labels.txt': b'a\r\nb\r\nc\r\n'})
    assert read_labels(lines_of_windows) == ('a', 'b', 'c')
    of_an_editor = append_files(model, {'labels.txt': b'\xef\xbb\xbfa\r\nb\r\nc\r\n\r\n\r\n'})
    assert read_labels(of_an_editor) == ('a', 'b', 'c')
    assert read_labels(append_files(model, {'notes.txt': b'a\nb\nc'})) == ()
    two = append_files(model, {'labels_de.txt': b'a\nb\nc', 'labels_en.txt': b'a\nb\nc'})
    assert read_labels(two) == ()


def test_labels_of_wrong_encoding_or_number_are_rejected() -> None:
    with pytest.raises(ModelFileError, match=r'no UTF-8 text .*--labels'):
        read_labels(append_files(classifier(), {'labels.txt': b'\xff\xfe'}))
    with pytest.raises(ModelFileError, match='has 2 labels for 3 classes'):
        read_labels(append_files(classifier(), {'labels.txt': b'a\nb\n'}))


def test_a_model_that_lost_its_archive_is_rejected() -> None:
    model = classifier('cat', 'dog')
    with pytest.raises(ModelFileError, match=r"names the label file 'labels\.txt'.*cut short"):
        read_labels(model[: model.rindex(b'PK\1\2')])


def with_own_metadata() -> bytes:
    """Return an extractor that names its author, its licence and files of its own."""
    tree = build_extractor_tree('float32')
    metadata = Metadata(
        author='A. Uthor',
        licence='Apache-2.0',
        labels_file='classes.csv',
        other_files=('LICENSE.txt',),
        normalization=MINUS_1_TO_1,
    )
    add_metadata(tree, 'TFLITE_METADATA', write_metadata(metadata, 'Old.'))
    files = {'classes.csv': b'old\n', 'LICENSE.txt': b'the licence', 'old_labels.txt': b'old\n'}
    return append_files(pack(tree), files)


@pytest.mark.parametrize('labels', [(), ('a', 'b')])
def test_metadata_of_the_extractor_is_corrected(labels: tuple[str, ...]) -> None:
    model = append_head(with_own_metadata(), head_with(labels))
    content = content_of(parse(model), METADATA_NAME)
    assert content is not None
    assert b'Old.' not in content
    names = ('labels.txt',) if labels else ()
    assert read_metadata(content) == Metadata(
        author='A. Uthor',
        licence='Apache-2.0',
        labels_file=''.join(names),
        output_files=names,
        other_files=('LICENSE.txt',),
        normalization=MINUS_1_TO_1,
    )
    assert set(read_files(model)) == {'LICENSE.txt', *names}
    assert read_labels(model) == labels
    # The old metadata left its buffer; nothing of it is in the file.
    assert b'classes.csv' not in model


def test_metadata_of_which_nothing_holds_is_dropped_with_its_content() -> None:
    tree = build_extractor_tree('uint8')
    old = Metadata(labels_file='classes.csv')
    add_metadata(tree, 'TFLITE_METADATA', write_metadata(old, 'Old.'))
    model = append_head(append_files(pack(tree), {'classes.csv': b'old\n'}), head_with(()))
    assert content_of(parse(model), METADATA_NAME) is None
    for trace in (b'TFLITE_METADATA', b'Old.', b'classes.csv'):
        assert trace not in model


def test_what_is_derived_for_the_runtime_carries_no_labels() -> None:
    model = classifier('cat', 'dog')
    for derived in (expose_embedding(model), cut_head(model)):
        assert read_files(derived) == {}
        assert content_of(parse(derived), METADATA_NAME) is None
