# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The command that writes a report; test/report tests the content."""

from __future__ import annotations

from pathlib import Path

from support.command_line_types import Run


def test_a_report_on_what_was_taught_and_trained(
    run: Run, trained_once: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'seen' / 'today.html'
    ended = run('report', '--data-dir', trained_once, '--out', out, '--json')
    assert (ended.result['html'], ended.result['png']) == (str(out), str(out.with_suffix('.png')))
    # Each picture of a flat folder is a recording.
    assert ended.result['held_out_unit'] == 'recordings'
    assert ended.result['suspicious_labels'] == []
    in_words = run('report', '--data-dir', trained_once, '--out', out)
    assert ended.result['headline'] in in_words.out
    assert '<title>' in out.read_text()
    assert out.with_suffix('.png').read_bytes().startswith(b'\x89PNG')


def test_nothing_to_report_and_no_such_version(
    run: Run, trained_once: Path, tmp_path: Path
) -> None:
    (tmp_path / 'empty').mkdir()
    ended = run('report', '--data-dir', tmp_path / 'empty', '--out', tmp_path)
    assert (ended.code, 'no samples' in ended.problem) == (2, True)
    ended = run('report', '--data-dir', trained_once, '--version', '9', '--out', tmp_path)
    assert (ended.code, '9' in ended.problem) == (1, True)
