# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
Writes samples while another process changes the files of the store.

A line of standard input starts the writing, and the next one pauses it.  Each line of standard
output is the outcome of a request: the stamp of an acknowledged sample, with the time at which
the request began (CLOCK_MONOTONIC, nanoseconds, the same for all processes), or an error.
"""

from __future__ import annotations

import json
from pathlib import Path
import select
import sys
import time

from edgetpu_retrain.errors import FilesChangedError, StoreError
from edgetpu_retrain.store.samples.sample import Sample
from edgetpu_retrain.store.samples.sample_store import SampleStore
import numpy as np
import numpy.typing as npt

EXTRACTOR = 'a' * 64
DIMENSION = 64


def embedding_of(stamp: int) -> npt.NDArray[np.float32]:
    """Return the embedding of the sample with a stamp."""
    return np.full(DIMENSION, stamp % 1000, np.float32)


def tell(**facts: object) -> None:
    """Print a line."""
    print(json.dumps(facts), flush=True)


def write(store: SampleStore, stamp: int) -> None:
    """Make a request, and print its outcome; every seventh request only reads."""
    begun = time.monotonic_ns()
    try:
        if stamp % 7:
            sample = Sample('mug', {EXTRACTOR: embedding_of(stamp)}, stamp_ns=stamp)
            store.add([sample], {EXTRACTOR: None})
            tell(stamp=stamp, begun=begun)
        else:
            store.changes_by_others()
            if not stamp % 35:
                store.checkpoint()
    except FilesChangedError as error:
        tell(changed=str(error), stamp=stamp)
    except StoreError as error:
        tell(error=str(error), stamp=stamp)


def main(path: str) -> None:
    """Go on until standard input ends."""
    stamp = 0
    with SampleStore(Path(path)) as store:
        while sys.stdin.readline():
            while not select.select([sys.stdin], [], [], 0)[0]:
                stamp += 1
                write(store, stamp)
            if not sys.stdin.readline():
                return
            tell(paused=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
