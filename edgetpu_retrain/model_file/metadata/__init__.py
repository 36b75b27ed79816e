# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""TFLite Metadata of a model: labels, packed files, unknown detector."""
