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
