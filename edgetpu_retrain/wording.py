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
"""Small pieces of the sentences that people read."""

from __future__ import annotations


def sentence(text: object) -> str:
    """
    Return a message with an end; it may begin with a name, so its beginning is left alone.

    >>> sentence(ValueError('num_iter is 0; it must be 1 or more'))
    'num_iter is 0; it must be 1 or more.'
    """
    words = str(text).strip()
    return words if words.endswith(('.', '!', '?')) else f'{words}.'


def counted(count: int, one: str, many: str) -> str:
    """
    Return a number with what it counts.

    >>> counted(1, 'class', 'classes'), counted(3, 'class', 'classes')
    ('1 class', '3 classes')
    """
    return f'{count} {one if count == 1 else many}'
