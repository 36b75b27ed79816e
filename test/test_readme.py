# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares the README and the pages in docs/ with the code."""

from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
import re
import subprocess
import sys

import cv2
from edgetpu_retrain.demo.scenes import play, teaching_scene
from edgetpu_retrain.model_file.metadata.labels import read_labels
from edgetpu_retrain.node.parameters.values import camera_parameters, PARAMETERS
import pytest
import yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()
INTERFACE = (ROOT / 'docs' / 'interface.md').read_text()
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in (
        ROOT / 'README.md',
        ROOT / 'CONTRIBUTING.md',
        *sorted((ROOT / 'docs').glob('*.md')),
    )
}
LINKS = [
    (page, *re.fullmatch(r'([^#]*)#?(.*)', link).groups())  # type: ignore[union-attr]
    for page, text in PAGES.items()
    for link in re.findall(r'\]\(([^)\s]+)\)', text)
    if '://' not in link
]


def table_rows(heading: str) -> Iterator[list[str]]:
    """Yield the cells of the first table below a heading, without its head."""
    section = INTERFACE.split(f'\n{heading}\n', 1)[1]
    table = re.search(r'(^\|.*\n)+', section, re.MULTILINE)
    assert table is not None
    for line in table[0].splitlines()[2:]:
        yield [cell.strip().strip('`') for cell in line.strip('|').split('|')]


def test_every_parameter_is_listed_with_its_default() -> None:
    declared = {each.name: each.default for each in (*PARAMETERS, *camera_parameters('<name>'))}
    shown = {name: yaml.safe_load(default) for name, default, _ in table_rows('## Parameters')}
    # YAML reads '' and image as texts, 500 and 0.01 as numbers, ['camera'] as a list.
    assert shown == declared


def test_the_table_marks_live_parameters() -> None:
    assert 'The last seventeen take effect at once' in INTERFACE
    names = [name for name, *_ in table_rows('## Parameters')]
    assert set(names[-17:]) == {each.name for each in PARAMETERS if each.live}


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8192


@pytest.mark.parametrize(('page', 'target', 'anchor'), LINKS)
def test_links_have_a_target(page: str, target: str, anchor: str) -> None:
    there = (ROOT / page).parent / target if target else ROOT / page
    assert there.exists()
    if anchor:
        headings = re.findall(r'^#+ (.*)$', there.read_text(), re.MULTILINE)
        names = {re.sub(r'[^\w -]', '', each).lower().replace(' ', '-') for each in headings}
        assert anchor in names


def test_every_page_is_one_link_away_from_the_readme() -> None:
    linked = {str((ROOT / target).resolve()) for page, target, _ in LINKS if page == 'README.md'}
    missing = {page for page in PAGES if str((ROOT / page).resolve()) not in linked}
    assert missing == {'README.md', 'docs/samples_zip.md'}  # that one belongs to the command line


def test_the_calls_of_services_and_action_have_fields_that_exist() -> None:
    calls = re.findall(
        r'(?:ros2 service call|ros2 action send_goal --feedback) (\S+) '
        r'(edgetpu_retrain_interfaces|std_srvs)/(srv|action)/(\w+)(?:\s+(?:\\\s+)?"(.*?)")?',
        ''.join(PAGES.values()),
    )
    assert {name for name, *_ in calls} == {
        f'/edgetpu_retrain/{each}'
        for each in re.findall(r'^\| `~/(\w+)` \| `(?:\w+/)?[A-Z]\w+` \|', INTERFACE, re.MULTILINE)
    }
    for _, package, kind, type_name, fields in calls:
        interface = getattr(import_module(f'{package}.{kind}'), type_name)
        request = interface.Request if kind == 'srv' else interface.Goal
        request(**yaml.safe_load(fields or '{}'))


def test_the_python_example_runs(tmp_path: Path) -> None:
    page = PAGES['docs/python.md']
    (example,) = re.findall(r'^```python\n(.*?)^```', page, re.MULTILINE | re.DOTALL)
    for subject in ('cat', 'coffee'):
        folder = tmp_path / 'photographs' / subject
        folder.mkdir(parents=True)
        for index, frame in enumerate(islice(play(teaching_scene(subject), seed=0), 10)):
            cv2.imwrite(str(folder / f'{index}.jpg'), frame.picture[:, :, ::-1])
    done = subprocess.run(
        [sys.executable, '-c', example, str(tmp_path / 'photographs')],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '100% of the held-out photographs right' in done.stdout
    assert read_labels((tmp_path / 'retrained.tflite').read_bytes()) == ('cat', 'coffee')
