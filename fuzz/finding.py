# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Findings: errors of a target, one for each place in the code."""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from pathlib import Path
import traceback

import edgetpu_retrain.errors

_PACKAGE = Path(edgetpu_retrain.errors.__file__).parent


@dataclass(frozen=True)
class Finding:
    """
    An error of a target.

    Args:
        key: identifies the place in the code; findings with the same key count as the same.
        story: the traceback, or other information if there is none.
    """

    key: str
    story: str

    @classmethod
    def of(cls, error: BaseException) -> Finding:
        """Return the finding for an exception."""
        cause = error.__cause__ or error
        frames = traceback.extract_tb(cause.__traceback__)
        ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
        place = ours[-1] if ours else frames[-1] if frames else None
        where = f'{place.filename}:{place.lineno}' if place else ''
        digest = hashlib.sha256(f'{type(error).__name__} {where}'.encode()).hexdigest()
        return cls(
            f'{type(error).__name__}-{digest[:8]}',
            ''.join(traceback.format_exception(error)),
        )


def store_finding(folder: Path, error: BaseException, data: bytes) -> None:
    """
    Store a finding: the shortest input that leads to it, and its traceback.

    Args:
        folder: findings of one target; `<key>` has the input and `<key>.txt` the story.
        error: the exception that the target raised.
        data: its input.
    """
    finding = Finding.of(error)
    path = folder / finding.key
    if not path.exists() or len(data) < path.stat().st_size:
        path.write_bytes(data)
        path.with_suffix('.txt').write_text(finding.story, errors='backslashreplace')
