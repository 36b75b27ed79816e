# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample archives: export and import round-trip, and hostile archives are rejected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
import io
import json
import os
from pathlib import Path
import pickle
import time
from typing import Any
import zipfile

import cv2
from edgetpu_retrain.errors import RequestError, StoreError
from edgetpu_retrain.model_file.quantization import QuantizationParameters
from edgetpu_retrain.sample_archive import archive_reading, importing
from edgetpu_retrain.sample_archive.archive_reading import open_archive
from edgetpu_retrain.sample_archive.archive_writing import write_archive
from edgetpu_retrain.sample_archive.importing import import_archive, Imported
from edgetpu_retrain.store.samples.embedding_kind import EmbeddingKind
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import pytest
from support.samples import add_sample

INTS, FLOATS = 'a' * 64, 'b' * 64
SCALE = QuantizationParameters(0.5, 3)
NPY = f'embeddings/{INTS}.npy'

Members = dict[str, bytes]
Change = Callable[[Members], None]


def jpeg(value: int) -> bytes:
    return bytes(cv2.imencode('.jpg', np.full((8, 8, 3), value, np.uint8))[1].tobytes())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SampleStore]:
    """Return a store with five samples: three classes, two extractors, two equal samples."""
    rng = np.random.default_rng(0)
    with SampleStore(tmp_path / 'a' / 'samples.db') as samples:
        vectors = rng.integers(0, 256, (4, 6), np.uint8)
        batch = [
            Sample('cup', {INTS: vectors[0]}, 'front', 7, jpeg(1), recording='kitchen'),
            Sample('cup', {INTS: vectors[1]}),
            Sample('Löffel', {INTS: vectors[2]}, image=jpeg(2)),
            Sample('Löffel', {INTS: vectors[2]}),
        ]
        samples.add(batch, {INTS: SCALE})
        floats = rng.random((2, 5)).astype(np.float32)
        samples.add_embedding(3, floats[0], extractor=FLOATS, quantization=None)
        add_sample(samples, 'key', floats[1], extractor=FLOATS, quantization=None)
        yield samples


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SampleStore]:
    with SampleStore(tmp_path / 'b' / 'samples.db') as samples:
        yield samples


@pytest.fixture
def archive(store: SampleStore, tmp_path: Path) -> Path:
    path = tmp_path / 'samples.zip'
    assert write_archive(store, path) == 5
    assert not list(tmp_path.glob('.*'))
    return path


def contents(store: SampleStore) -> list[Any]:
    """Return all of a store's samples, without their ids."""
    with store.snapshot() as snapshot:
        embeddings = {
            identity: snapshot.embeddings(identity, kind)
            for identity, kind in snapshot.kinds().items()
        }
        return [
            (
                replace(sample, sample_id=0, addition=0),
                snapshot.picture(sample.sample_id),
                *(next(embeddings[each]) for each in extractors),
            )
            for sample, extractors in snapshot.samples()
        ]


def bring(store: SampleStore, path: Path) -> Imported:
    with open_archive(path) as archive:
        return import_archive(store, archive, {})


def test_an_archive_is_imported_only_once(
    store: SampleStore, empty: SampleStore, archive: Path
) -> None:
    assert bring(empty, archive) == Imported(added=5, present=0, relabelled=0)
    assert contents(empty) == contents(store)
    assert len(contents(empty)) == 5
    assert bring(empty, archive) == Imported(added=0, present=5, relabelled=0)
    assert contents(empty) == contents(store)
    assert str(empty.undo()).startswith('the import of 5 samples of ')
    assert contents(empty) == []


def test_samples_that_were_relabelled_here_keep_their_label(
    store: SampleStore, archive: Path
) -> None:
    store.relabel_class('cup', 'mug', extractor=INTS)
    assert bring(store, archive) == Imported(added=0, present=5, relabelled=2)
    assert set(store.counts(extractor=INTS)) == {'mug', 'Löffel'}


def test_two_stores_become_one(store: SampleStore, empty: SampleStore, archive: Path) -> None:
    own = np.full(6, 9, np.uint8)
    add_sample(empty, 'own', own, extractor=INTS, quantization=SCALE)
    known = store.training_set(extractor=INTS).embeddings[0]
    add_sample(empty, 'cup', known, extractor=INTS, quantization=SCALE)
    assert bring(empty, archive) == Imported(added=4, present=1, relabelled=0)
    assert empty.counts(extractor=INTS) == {'own': 1, 'cup': 2, 'Löffel': 2}


def test_other_programs_can_read_it(store: SampleStore, archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        index = json.loads(file.read('samples.json'))
        lines = list(map(json.loads, file.read('samples.jsonl').decode().splitlines()))
        vectors = np.load(io.BytesIO(file.read(NPY)), allow_pickle=False)
        picture = file.read(lines[0]['image'])
    assert index['format'] == 1
    assert index['samples'] == 5
    described = {'dimension': 6, 'dtype': 'uint8', 'scale': 0.5, 'zero_point': 3}
    assert index['extractors'][0] == {'identity': INTS} | described
    assert [line['label'] for line in lines] == ['cup', 'cup', 'Löffel', 'Löffel', 'key']
    assert np.array_equal(vectors, store.training_set(extractor=INTS).embeddings)
    assert picture == jpeg(1)


def test_its_name_is_on_the_disk_at_the_end(
    store: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        flushed.append(Path(f'/proc/self/fd/{descriptor}').resolve())
        real_fsync(descriptor)

    monkeypatch.setattr(os, 'fsync', fsync)
    write_archive(store, tmp_path / 'samples.zip')
    assert flushed == [tmp_path / '.samples.zip.partial', tmp_path]


def test_a_clock_before_1980_does_not_matter(
    store: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(time, 'time', lambda: 0.0)
        assert write_archive(store, tmp_path / 'early.zip') == 5
    assert bring(store, tmp_path / 'early.zip').present == 5


def test_a_zip_of_an_earlier_release_has_no_recordings(
    archive: Path, empty: SampleStore, tmp_path: Path
) -> None:
    with (
        zipfile.ZipFile(archive) as file,
        zipfile.ZipFile(tmp_path / 'earlier.zip', 'w') as earlier,
    ):
        for name in file.namelist():
            content = file.read(name)
            if name == 'samples.jsonl':
                lines = list(map(json.loads, content.splitlines()))
                assert [bool(each.pop('recording')) for each in lines] == [True] * 5
                content = '\n'.join(map(json.dumps, lines)).encode()
            earlier.writestr(name, content)
    assert bring(empty, tmp_path / 'earlier.zip') == Imported(added=5, present=0, relabelled=0)
    listed = empty.list_samples(extractor=INTS)
    assert [each.recording for each in listed] == [''] * 4


def test_existing_files_are_not_overwritten_and_no_partial_file_remains(
    store: SampleStore, empty: SampleStore, archive: Path, tmp_path: Path
) -> None:
    before = archive.read_bytes()
    with pytest.raises(RequestError, match='is there already'):
        write_archive(store, archive)
    assert archive.read_bytes() == before
    with pytest.raises(RequestError, match='no samples'):
        write_archive(empty, tmp_path / 'empty.zip')
    with pytest.raises(StoreError):
        write_archive(store, tmp_path / 'nowhere' / 'samples.zip')
    assert not list(tmp_path.glob('.*'))
    assert not (tmp_path / 'empty.zip').exists()


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=allow_pickle)
    return content.getvalue()


def line(**fields: Any) -> Change:
    """Return a function that changes fields of the first sample."""

    def change(members: Members) -> None:
        first, *others = members['samples.jsonl'].splitlines()
        changed = json.dumps(json.loads(first) | fields).encode()
        members['samples.jsonl'] = b'\n'.join([changed, *others, b''])

    return change


def index(**fields: Any) -> Change:
    """Return a function that changes fields of the index."""

    def change(members: Members) -> None:
        content = json.loads(members['samples.json']) | fields
        members['samples.json'] = json.dumps(content).encode()

    return change


def extractor(**fields: Any) -> Change:
    """Return a function that changes fields of the first extractor."""

    def change(members: Members) -> None:
        content = json.loads(members['samples.json'])
        content['extractors'][0] |= fields
        members['samples.json'] = json.dumps(content).encode()

    return change


def member(name: str, content: bytes | None) -> Change:
    """Return a function that replaces a whole member, or removes it."""

    def change(members: Members) -> None:
        del members[name]
        if content is not None:
            members[name] = content

    return change


def changed_archive(archive: Path, change: Change) -> Path:
    with zipfile.ZipFile(archive) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    changed = archive.with_name('changed.zip')
    with zipfile.ZipFile(changed, 'w') as file:
        for name, content in members.items():
            file.writestr(name, content)
    return changed


# A fixed path, because the pickle is created before any test has a folder.
MARK = Path('/tmp/edgetpu_retrain_was_unpickled')  # noqa: S108 - it must never be there


class Evil:
    """Creates a file when it is unpickled."""

    def __reduce__(self) -> Any:
        """Return the call that unpickling makes."""
        return (MARK.touch, ())


SHORT_HEADER = npy(np.zeros((4, 6), np.uint8)).replace(b'(4, 6)', b'(4, 9)')

HOSTILE: dict[str, Change] = {
    'a path that leaves': line(image='../../etc/passwd'),
    'an absolute path': line(image='/etc/passwd'),
    'a path in disguise': line(image='images/../../1.jpg'),
    'a picture that is missing': line(image='images/99999999.jpg'),
    'a picture that is none': member('images/00000001.jpg', b'GIF89a'),
    'a picture that is cut off': member('images/00000001.jpg', jpeg(1)[:30]),
    'pickled objects': member(NPY, npy(np.array([Evil()] * 24), allow_pickle=True)),
    'a bare pickle': member(NPY, pickle.dumps(Evil())),
    'another shape': member(NPY, npy(np.zeros((4, 7), np.uint8))),
    'another order': member(NPY, npy(np.zeros((4, 6), np.uint8, order='F'))),
    'another type': member(NPY, npy(np.zeros((4, 6), np.int64))),
    'too few embeddings': member(NPY, npy(np.zeros((3, 6), np.uint8))),
    'too many embeddings': member(NPY, npy(np.zeros((5, 6), np.uint8))),
    'no embeddings': member(NPY, None),
    'a header that promises more': member(NPY, SHORT_HEADER),
    'NaN': member(f'embeddings/{FLOATS}.npy', npy(np.full((2, 5), np.nan, np.float32))),
    'half a character': line(label='\ud800'),
    'a camera that clears the screen': line(camera='\x1b[2J'),
    'a camera in two lines': line(camera='front\nlabel'),
    'a camera without end': line(camera='x' * 60_000),
    'a recording that clears the screen': line(recording='\x1b[2J'),
    'a recording without end': line(recording='x' * 60_000),
    'a recording that is no text': line(recording=None),
    'a label that is no text': line(label=['cup']),
    'no extractor': line(extractors=[]),
    'a strange extractor': line(extractors=['c' * 64]),
    'an extractor twice': line(extractors=[INTS, INTS]),
    'a number that is no number': line(stamp_ns='now'),
    'a number beyond 64 bits': line(added_ns=2**70),
    'a truth value for a number': line(stamp_ns=True),
    'another format': index(format=2),
    'fewer samples than said': index(samples=6),
    'more samples than said': index(samples=4),
    'a negative count': index(samples=-1),
    'no index': member('samples.json', None),
    'no samples': member('samples.jsonl', None),
    'an index that is a list': member('samples.json', b'[]'),
    'JSON without end': member('samples.json', b'[' * 100_000),
    'an identity that is a path': extractor(identity='../../x'),
    'a dimension without end': extractor(dimension=10**12),
    'a scale of nothing': extractor(scale=0.0),
    'a zero point beyond the type': extractor(zero_point=300),
    'a type that is none': extractor(dtype='object'),
    'a line without end': member('samples.jsonl', b' ' * 100_000),
}


@pytest.mark.parametrize('what', HOSTILE)
def test_a_hostile_archive_is_rejected_without_changes(
    what: str, archive: Path, empty: SampleStore, tmp_path: Path
) -> None:
    bad = changed_archive(archive, HOSTILE[what])
    around = sorted(tmp_path.rglob('*'))
    with pytest.raises(RequestError) as raised:
        bring(empty, bad)
    assert '\n' not in str(raised.value)
    assert contents(empty) == []
    assert sorted(tmp_path.rglob('*')) == around
    assert not MARK.exists()


@pytest.mark.parametrize('label', ['Unknown', '../up', 'x' * 101, ' ', ''])
def test_a_label_that_no_class_can_have_is_left_out(
    label: str, archive: Path, empty: SampleStore
) -> None:
    done = bring(empty, changed_archive(archive, line(label=label)))
    assert (done.added, done.left_out) == (4, 1)
    (why,) = done.labels
    assert 'is left out: The label' in why
    assert empty.counts(extractor=INTS) == {'cup': 1, 'Löffel': 2}
    assert len(contents(empty)) == 4


def test_a_space_around_a_label_is_removed(archive: Path, empty: SampleStore) -> None:
    done = bring(empty, changed_archive(archive, line(label='cup ')))
    assert (done.added, done.left_out) == (5, 0)
    assert done.labels == {"'cup ' is class 'cup'": 1}
    assert empty.counts(extractor=INTS) == {'cup': 2, 'Löffel': 2}


def test_an_archive_without_classes_is_rejected(archive: Path, empty: SampleStore) -> None:
    def change(members: Members) -> None:
        lines = map(json.loads, members['samples.jsonl'].splitlines())
        renamed = [json.dumps(each | {'label': 'unknown'}) for each in lines]
        members['samples.jsonl'] = '\n'.join(renamed).encode()

    with pytest.raises(RequestError, match=r'no sample of the archive has a class.*reserved'):
        bring(empty, changed_archive(archive, change))
    assert contents(empty) == []


@pytest.mark.parametrize('content', [b'', b'hello', b'PK\x05\x06' + bytes(18)])
def test_files_that_are_no_zips_are_rejected(content: bytes, tmp_path: Path) -> None:
    (tmp_path / 'x.zip').write_bytes(content)
    for name, words in (('x', 'no sample archive'), ('nowhere', 'cannot be opened')):
        with pytest.raises(RequestError, match=words), open_archive(tmp_path / f'{name}.zip'):
            pass


@pytest.mark.parametrize('position', range(40, 1200, 97))
def test_a_flipped_byte_is_detected_or_harmless(
    position: int, archive: Path, store: SampleStore, empty: SampleStore
) -> None:
    content = bytearray(archive.read_bytes())
    content[position] ^= 0xFF
    archive.write_bytes(content)
    try:
        bring(empty, archive)
    except RequestError:
        assert contents(empty) == []
    else:
        assert contents(empty) == contents(store)


def test_a_member_that_is_there_twice_is_rejected(archive: Path) -> None:
    with pytest.warns(UserWarning, match='Duplicate'), zipfile.ZipFile(archive, 'a') as file:
        file.writestr('samples.json', '{}')
    with pytest.raises(RequestError, match='twice'), open_archive(archive):
        pass


def test_an_archive_too_large_for_the_disk_is_rejected_before_reading(
    archive: Path, empty: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_archive(archive) as source:
        source.num_bytes = 2**60
        monkeypatch.setattr(source, 'samples', lambda: pytest.fail('it was read'))
        with pytest.raises(RequestError, match='free space'):
            import_archive(empty, source, {})


def test_a_picture_larger_than_any_is_rejected_before_it_is_read(
    archive: Path, empty: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_reading, 'MAX_IMAGE_BYTES', 10)
    with pytest.raises(RequestError, match=r'images/00000001\.jpg has'):
        bring(empty, archive)


def test_an_archive_cannot_spoil_the_extractor_in_use(archive: Path, empty: SampleStore) -> None:
    own = EmbeddingKind(1280, 'uint8', SCALE)
    with open_archive(archive) as source, pytest.raises(RequestError, match='says that'):
        import_archive(empty, source, {INTS: own})
    assert contents(empty) == []


def test_an_interrupted_import_can_be_repeated(
    store: SampleStore, empty: SampleStore, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, 'BATCH', 2)
    steps = iter(range(100))

    def interrupt() -> None:
        if next(steps) == 5 + 2:
            raise KeyboardInterrupt

    with open_archive(archive) as source, pytest.raises(KeyboardInterrupt):
        import_archive(empty, source, {}, interrupt)
    assert len(contents(empty)) == 2
    bring(empty, archive)
    assert contents(empty) == contents(store)


def test_a_large_import_takes_few_transactions_of_limited_size(
    empty: SampleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, size = 4000, 6
    rows = np.random.default_rng(1).integers(0, 256, (count, size), np.uint8)
    with SampleStore(tmp_path / 'large' / 'samples.db') as large:
        large.add([Sample('cup', {INTS: row}) for row in rows], {INTS: SCALE})
        write_archive(large, tmp_path / 'large.zip')
    sizes: list[int] = []
    real = SampleStore.add

    def add(self: SampleStore, samples: list[Sample], *arguments: Any, **options: Any) -> Any:
        sizes.append(len(samples))
        return real(self, samples, *arguments, **options)

    monkeypatch.setattr(SampleStore, 'add', add)
    bring(empty, tmp_path / 'large.zip')
    assert len(sizes) <= 4
    empty.undo()
    sizes.clear()
    monkeypatch.setattr(importing, '_MAX_BATCH_BYTES', 100 * size)
    bring(empty, tmp_path / 'large.zip')
    assert set(sizes) <= {100, 0}
    assert sum(sizes) == count
