# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The node's program, which also prints living objects and runs without garbage collector."""

from __future__ import annotations

import gc
import sys
import threading
import time

from edgetpu_retrain.node.main import main
from edgetpu_retrain.runtime.models.classifier import Classifier
from edgetpu_retrain.store.samples.sample import TrainingSet


def print_counts() -> None:
    """Print again and again how many models and sets of samples are alive."""
    while True:
        kinds = [type(each) for each in gc.get_objects()]
        models, sets = kinds.count(Classifier), kinds.count(TrainingSet)
        print(f'alive: {models} models, {sets} sets of samples', flush=True)
        time.sleep(0.3)


if __name__ == '__main__':
    gc.disable()
    threading.Thread(target=print_counts, daemon=True).start()
    sys.exit(main())
