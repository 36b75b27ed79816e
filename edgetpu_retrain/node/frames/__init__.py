# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The frames of all cameras, and the threads that run the extractor on them."""
