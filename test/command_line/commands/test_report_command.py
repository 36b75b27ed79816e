# Copyright 2026 edgetpu_retrain contributors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.
"""The command that writes a report; what is in it is tested beside the report itself."""

from __future__ import annotations

from pathlib import Path

from support.command_line_types import Run


def test_a_report_on_what_was_taught_and_trained(
    run: Run, trained_once: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'seen' / 'today.html'
    ended = run('report', '--data-dir', trained_once, '--out', out, '--json')
    assert ended.result == {'html': str(out), 'png': str(out.with_suffix('.png'))}
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
