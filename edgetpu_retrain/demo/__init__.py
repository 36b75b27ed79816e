# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The demo: a camera node that shows photographs, and a teacher program that acts as the user."""
