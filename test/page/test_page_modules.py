# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The modules that run in the browser: who imports whom, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
import re

import pytest

REPOSITORY = Path(__file__).parents[2]
STATIC = REPOSITORY / 'edgetpu_retrain' / 'page' / 'static'
FILES = sorted(
    path for path in STATIC.rglob('*') if path.suffix in {'.js', '.css', '.html', '.webmanifest'}
)
OWN = [path for path in FILES if 'vendor' not in path.parts]
MODULES = sorted((STATIC / 'js').rglob('*.js'))
# Each folder may import from itself and from those before it: docs/architecture.md.
ORDER = ('base', 'robot', 'labels', 'picture', 'teach', 'grid', 'samples', 'questions', 'model')


def imports(module: Path) -> Iterator[Path]:
    """Return the modules that a module imports."""
    for path in re.findall(
        r"^(?:import|export|}).* from '([^']+)'", module.read_text(), re.MULTILINE
    ):
        yield (module.parent / path).resolve()


def name_of(module: Path) -> str:
    """Return the path of a module in the repository."""
    return str(module.relative_to(REPOSITORY))


@pytest.mark.parametrize('module', MODULES, ids=name_of)
def test_a_module_imports_from_the_folders_before_its_own(module: Path) -> None:
    found = list(imports(module))
    assert all(each.is_file() for each in found)
    if module.parent.name == 'js':
        return
    allowed = ORDER[: ORDER.index(module.parent.name) + 1]
    others = {each.parent.name for each in found} - set(allowed)
    assert others <= ({'vendor'} if module.parent.name == 'base' else set())


@pytest.mark.parametrize('path', OWN, ids=name_of)
def test_a_file_names_no_other_host_and_no_html(path: Path) -> None:
    text = path.read_text().replace('http://www.w3.org/2000/svg', '')
    assert not re.findall(r'\bhttps?://', text)
    # Labels are text: nothing inserts markup, and the Content-Security-Policy is not strained.
    assert not re.findall(
        r'innerHTML|outerHTML|insertAdjacentHTML|\beval\b|<script>|\son\w+="', text
    )


def test_the_documents_list_the_folders_in_this_order() -> None:
    table = (REPOSITORY / 'docs' / 'architecture.md').read_text()
    rows = re.findall(r'^\| (`[^|]+) \|', table.split('page/static/js', 1)[1], re.MULTILINE)
    listed = re.findall(r'`(\w+)`', ' '.join(rows[: len(ORDER)]))
    assert tuple(each for each in listed if each in ORDER) == ORDER
