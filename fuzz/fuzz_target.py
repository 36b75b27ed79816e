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
"""
One target under libFuzzer, in a process of its own: ``fuzz_target.py TARGET FINDINGS [FLAG...]``.

Flags, and folders of inputs, are libFuzzer's.  An exception is a finding, written down without an
end of the process, so that one does not hide the others; what ends or stops the process
(a crash in native code, an input that takes too long) is libFuzzer's to report.
"""

from __future__ import annotations

from pathlib import Path
import resource
import sys

import atheris
from finding import note
from target import check, scratch_folder, Target
from target_list import load_target

# Room for the interpreter, its libraries and libFuzzer's own tables, above what is there when
# fuzzing begins: more than any budget of an input, and what an absurd count would ask for.
_ROOM_BYTES = 1024 * 2**20


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    name, findings, *flags = sys.argv[1:]
    with atheris.instrument_imports(include=['edgetpu_retrain'], enable_loader_override=False):
        target = load_target(name)
        with scratch_folder() as folder:
            # What is imported at the first use is to be instrumented, too.
            for seed in target.seeds():
                _try(target, seed, folder, Path(findings))
    with scratch_folder() as folder:
        options = {}
        mutate = target.mutate
        if mutate is not None:
            options['custom_mutator'] = lambda data, most, seed: mutate(
                data, most, seed, atheris.Mutate
            )
        atheris.Setup(
            [sys.argv[0], *flags],
            lambda data: _try(target, data, folder, Path(findings)),
            **options,
        )
        _limit_memory()
        atheris.Fuzz()


def _try(target: Target, data: bytes, folder: Path, findings: Path) -> None:
    try:
        check(target, data, folder)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - that nothing else comes out is what is tested
        note(findings, error, data)


def _limit_memory() -> None:
    """Let the kernel refuse absurd amounts, so that they come out as MemoryError."""
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    limit = pages * resource.getpagesize() + _ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == '__main__':
    main()
