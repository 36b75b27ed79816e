# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Does another processor compute the same?  tools/aarch64.sh runs this on x86_64 and on aarch64.

    python3 tools/aarch64_comparison.py pictures SHARED
    python3 tools/aarch64_comparison.py teach SHARED PLACE
    python3 tools/aarch64_comparison.py embed SHARED PLACE NAME [--without-xnnpack]
    python3 tools/aarch64_comparison.py merge SHARED PLACE
    python3 tools/aarch64_comparison.py table SHARED PLACE NAME...

SHARED is a folder with views of the packaged photographs, which the first command writes on
x86_64, and one folder for each processor: 'x86_64' and PLACE.
"""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import dataclass
import functools
import io
from itertools import islice
import json
from pathlib import Path
import shutil
import sys
from typing import Any

from ai_edge_litert import interpreter as litert
import cv2
from edgetpu_retrain.command_line.main import main as run_command
from edgetpu_retrain.demo.camera_motion import EXAM, glance, RgbArray, take_picture
from edgetpu_retrain.demo.photographs import read_photograph, SUBJECTS
from edgetpu_retrain.demo.scenes import play, teaching_scene
from edgetpu_retrain.extractors import default_extractor_path
from edgetpu_retrain.model_file.description import describe
from edgetpu_retrain.model_file.head.weights import read_head_weights
from edgetpu_retrain.runtime.interpreters.preprocessing import fit_to_input
from edgetpu_retrain.runtime.models.extractor import Extractor
import numpy as np
import numpy.typing as npt

HOME = 'x86_64'
TAUGHT = 6
ASKED = 3
"""Views of each photograph: those that are taught, and those that the model is asked about."""

LARGEST_DISTANCE = 0.005
"""Cosine distance of two embeddings of one picture that changes no answer in practice."""

SAME_HEAD = 1e-5
"""Of the largest weight; a quantized weight that is one step away differs by 4e-3."""


# On each processor.


def write_pictures(shared: Path) -> None:
    """Write the views, without loss, so that both processors begin with the same pixels."""
    for index, subject in enumerate(SUBJECTS):
        photograph = read_photograph(subject)
        rng = np.random.default_rng(index)
        taught = (frame.picture for frame in play(teaching_scene(subject), seed=0))
        asked = (take_picture(photograph, view, rng) for view in glance(EXAM, ASKED, rng))
        _write(shared / 'taught' / subject, list(islice(taught, TAUGHT)))
        _write(shared / 'asked' / subject, list(asked))


def _write(folder: Path, pictures: list[RgbArray]) -> None:
    folder.mkdir(parents=True)
    for number, rgb in enumerate(pictures):
        cv2.imwrite(str(folder / f'{number}.png'), rgb[:, :, ::-1])


def teach(shared: Path, place: str) -> None:
    """Teach from the pictures and train; also keep what the steps in between make of them."""
    here = shared / place
    data = here / 'data'
    description = describe(default_extractor_path().read_bytes())
    pictures = [cv2.imread(str(each))[:, :, ::-1] for each in sorted(shared.glob('taught/*/*'))]
    np.save(here / 'tensors.npy', [fit_to_input(each, description) for each in pictures])
    np.savez(here / 'photographs.npz', **{each: read_photograph(each) for each in SUBJECTS})
    _command('teach', shared / 'taught', '--data-dir', data)
    _command('samples', 'export', here / 'samples.zip', '--data-dir', data)
    _train(data, here / 'model.tflite')
    versions = {
        'Python': '.'.join(map(str, sys.version_info[:3])),
        'numpy': np.__version__,
        'OpenCV': cv2.__version__,
        'runtime': Extractor(default_extractor_path().read_bytes()).loaded.runtime,
    }
    (here / 'versions.json').write_text(json.dumps(versions))


def embed(shared: Path, place: str, name: str, without_xnnpack: bool) -> None:
    """Compute the embeddings of the input tensors that x86_64 made."""
    if without_xnnpack:
        operators = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        litert.Interpreter = functools.partial(
            litert.Interpreter, experimental_op_resolver_type=operators
        )
    extractor = Extractor(default_extractor_path().read_bytes(), device='cpu')
    if without_xnnpack != ('XNNPACK' in extractor.loaded.note):
        sys.exit(f'error: {place}, {name}: {extractor.loaded.note or "XNNPACK is there"}')
    tensors = np.load(shared / HOME / 'tensors.npy', allow_pickle=False)
    interpreter = extractor.loaded.interpreter
    (entry,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    embeddings = []
    for tensor in tensors:
        interpreter.set_tensor(entry['index'], tensor)
        interpreter.invoke()
        embeddings.append(interpreter.get_tensor(output['index']).reshape(-1))
    np.save(shared / place / f'{name}.npy', embeddings)


def merge(shared: Path, place: str) -> None:
    """Go on here with what x86_64 has taught, trained and exported."""
    here, there = shared / place, shared / HOME
    # Do the same samples give the same model?
    carried = here / 'carried'
    _command('samples', 'import', there / 'samples.zip', '--data-dir', carried)
    _train(carried, here / 'model_of_carried_samples.tflite')
    answers = _command('evaluate', shared / 'asked', '--model', there / 'model.tflite')
    merged = _command('samples', 'import', there / 'samples.zip', '--data-dir', here / 'data')
    (here / 'merged.json').write_text(json.dumps({'answers': answers, 'merged': merged}))


def _train(data: Path, model: Path) -> None:
    shutil.copy(_command('train', '--seed', '0', '--data-dir', data)['model'], model)


def _command(*arguments: object) -> Any:
    """Run one command of the command line and return what it prints with --json."""
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(errors):
        code = run_command([*map(str, arguments), '--json'])
    if code:
        sys.exit(f'{" ".join(map(str, arguments))} ended with {code}:\n{errors.getvalue()}')
    return json.loads(printed.getvalue())


# The comparison.


@dataclass(frozen=True)
class Row:
    """One line of the table: what was compared, what was found and wanted, and whether it is."""

    what: str
    found: str
    wanted: str
    met: bool


def compare(shared: Path, place: str, cores: list[str]) -> list[Row]:
    """Return the table."""
    there, here = shared / HOME, shared / place
    versions = [json.loads((each / 'versions.json').read_text()) for each in (there, here)]
    words = ', '.join(f'{name} {version}' for name, version in versions[1].items())
    photographs = [np.load(each / 'photographs.npz', allow_pickle=False) for each in (there, here)]
    tensors = [np.load(each / 'tensors.npy', allow_pickle=False) for each in (there, here)]
    return [
        Row('the same versions', words, f'those of {HOME}', versions[0] == versions[1]),
        _pixels(
            'JPEG files, decoded',
            [photographs[0][each] for each in SUBJECTS],
            [photographs[1][each] for each in SUBJECTS],
        ),
        _pixels('pictures, resized to the input', [*tensors[0]], [*tensors[1]]),
        *(
            _embeddings(f'embeddings with XNNPACK, {each}', there / 'xnnpack.npy', here, each)
            for each in cores
        ),
        _embeddings('embeddings without XNNPACK', there / 'xnnpack.npy', here, 'plain'),
        _head('a model of the same samples', there / 'model.tflite', here),
        *_merged(here, _same(tensors[0], tensors[1])),
    ]


def _same(these: npt.NDArray[Any] | list[Any], those: npt.NDArray[Any] | list[Any]) -> int:
    return sum(np.array_equal(a, b) for a, b in zip(these, those, strict=True))


def _pixels(what: str, these: list[Any], those: list[Any]) -> Row:
    pairs = zip(these, those, strict=True)
    largest = max(int(np.abs(a.astype(np.int16) - b).max()) for a, b in pairs)
    found = f'{_same(these, those)} of {len(these)} the same, others off by {largest} of 255'
    return Row(what, found, 'off by 1 at most', largest <= 1)


def _embeddings(what: str, there: Path, here: Path, name: str) -> Row:
    these, those = (np.load(file, allow_pickle=False) for file in (there, here / f'{name}.npy'))
    count, same = len(these), _same(these, those)
    a, b = (each.reshape(count, -1).astype(np.float64) for each in (these, those))
    cosines = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    distance = max(0.0, float(1.0 - cosines.min()))
    found = f'{same} of {count} the same, cosine distance up to {distance:.4f}'
    if name == 'plain':
        wanted = f'distance up to {LARGEST_DISTANCE}'
        return Row(what, found, wanted, distance <= LARGEST_DISTANCE)
    return Row(what, found, 'all the same', same == count)


def _head(what: str, there: Path, here: Path) -> Row:
    models = there.read_bytes(), (here / 'model_of_carried_samples.tflite').read_bytes()
    contents = [np.frombuffer(each, np.uint8) for each in models]
    size = min(map(len, contents))
    differing = int((contents[0][:size] != contents[1][:size]).sum())
    weights = [read_head_weights(each)[0] for each in models]
    off = float(np.abs(weights[0] - weights[1]).max() / np.abs(weights[0]).max())
    found = f'{differing} of {size} bytes differ, weights by {off:.0e} of the largest'
    met = off <= SAME_HEAD and len(contents[0]) == len(contents[1])
    return Row(what, found, f'weights off by {SAME_HEAD:.0e} at most', met)


def _merged(here: Path, same_tensors: int) -> list[Row]:
    facts = json.loads((here / 'merged.json').read_text())
    right, asked = facts['answers']['right'], facts['answers']['pictures']
    merged = facts['merged']
    count = merged['added'] + merged['present']
    return [
        Row(
            f'the model of {HOME}, asked here',
            f'right on {right} of {asked} pictures',
            'right on all',
            right == asked,
        ),
        Row(
            f'the samples of {HOME}, merged here',
            f'{merged["present"]} of {count} recognized, {merged["added"]} added',
            f'{same_tensors} recognized: the same when resized',
            merged['present'] == same_tensors and count == TAUGHT * len(SUBJECTS),
        ),
    ]


def print_table(rows: list[Row]) -> None:
    """Print the rows in columns."""
    lines = [('', 'found', 'wanted', '')]
    lines += [(each.what, each.found, each.wanted, 'ok' if each.met else 'NO') for each in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print('  '.join(cells).rstrip())


def main() -> int:
    """Run one of the commands; 1 when a row of the table is not as wanted."""
    parser = argparse.ArgumentParser(description='Does another processor compute the same?')
    parser.add_argument('command', choices=('pictures', 'teach', 'embed', 'merge', 'table'))
    parser.add_argument('shared', type=Path)
    parser.add_argument('place', nargs='?', default=HOME)
    parser.add_argument('names', nargs='*')
    parser.add_argument('--without-xnnpack', action='store_true')
    given = parser.parse_args()
    (given.shared / given.place).mkdir(parents=True, exist_ok=True)
    if given.command == 'pictures':
        write_pictures(given.shared)
    elif given.command == 'teach':
        teach(given.shared, given.place)
    elif given.command == 'embed':
        embed(given.shared, given.place, given.names[0], given.without_xnnpack)
    elif given.command == 'merge':
        merge(given.shared, given.place)
    else:
        rows = compare(given.shared, given.place, given.names)
        print_table(rows)
        return 0 if all(each.met for each in rows) else 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
