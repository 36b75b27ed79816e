# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of the README, and the files that they leave."""

from __future__ import annotations

import os
from pathlib import Path
import re
import subprocess

import pytest

ROOT = Path(__file__).parents[1]


def test_every_make_command_of_the_readme_exists() -> None:
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    commands = set(re.findall(r'\bmake ([a-z]+(?:-[a-z]+)*)', '\n'.join(code_in(readme))))
    assert {'demo', 'test'} <= commands
    for command in commands:
        # Without the variables of the make that runs these tests.
        variables = {'MAKEFLAGS': '', 'ROS': '', 'VERSIONS': ''}
        outcome = subprocess.run(
            ['make', '--dry-run', command],  # noqa: S607 - the make that runs these tests
            cwd=ROOT,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stderr
        assert f'tools/dev.sh  {command}' in outcome.stdout


def code_in(markdown: str) -> list[str]:
    blocks = re.findall(r'^```\w*\n(.*?)^```', markdown, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r'`([^`\n]+)`', markdown)]


@pytest.mark.parametrize(
    'made',
    ['.venv', '.venv-kilted', 'build', 'install-kilted', 'log', '.cache', '.ros', 'demo_output'],
)
def test_git_ignores_the_files_that_commands_write(made: str) -> None:
    patterns = (ROOT / '.gitignore').read_text(encoding='utf-8').split()
    assert any(Path(f'/{made}').match(p.strip('/')) for p in patterns if p.startswith('/'))
