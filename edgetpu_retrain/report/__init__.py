# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""
The report: whether there are enough samples, and what is wrong with them.

It is one HTML page, and one PNG file with all figures, about the samples in a data folder and the
training on them.
"""
