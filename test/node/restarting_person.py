# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""A camera and a client in a process of their own, which have the same names each time."""

from __future__ import annotations

import threading

from support.running_node import Person, TAUGHT_IMAGES

if __name__ == '__main__':
    with Person() as person:
        person.camera().show(TAUGHT_IMAGES['cat'])
        person.wait_until_ready()
        answer = person.add('cat', count=2, timeout_s=60.0)
        print(f'added: {answer.added}', flush=True)
        threading.Event().wait()
