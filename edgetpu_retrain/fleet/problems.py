# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Problems: what is wrong with each part of a member."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from edgetpu_retrain.errors import in_words, RetrainError
from edgetpu_retrain.wording import sentence

Result = TypeVar('Result')

Log = Callable[[str, str], None]
"""Writes a line to the log; called with the severity, 'info' or 'warning', and a sentence."""


class Problems:
    """
    The current problem of each part.  A problem is logged when it begins, changes or ends.

    Args:
        log: writes a line to the log.
        on_change: called after each change.
    """

    def __init__(self, log: Log, on_change: Callable[[], None] = lambda: None) -> None:
        self._log = log
        self._on_change = on_change
        self._texts: dict[str, str] = {}

    @property
    def texts(self) -> tuple[str, ...]:
        """All problems, a sentence each."""
        return tuple(self._texts.values())

    def report(self, part: str, text: object = '') -> None:
        """
        Set the problem of a part.

        Args:
            part: name of the part, such as 'samples'.
            text: what is wrong; '' = nothing.
        """
        words = sentence(text) if text else ''
        if words == self._texts.get(part, ''):
            return
        if words:
            self._texts[part] = words
            self._log('warning', words)
        else:
            del self._texts[part]
            self._log('info', f'{part}: works again.')
        self._on_change()

    async def attempt(self, part: str, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """Run a part and return its result; if it fails, report its problem and return None."""
        try:
            result = await work()
        except Exception as error:  # noqa: BLE001 - the other parts go on
            words = in_words(error)
            self.report(part, words if isinstance(error, RetrainError) else f'{part}: {words}')
            return None
        self.report(part)
        return result

    def of(self, part: str) -> str:
        """Return the problem of a part; '' = none."""
        return self._texts.get(part, '')
