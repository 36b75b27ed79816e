# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""One robot as a member of a fleet: its own samples, its questions, its trainings and reports."""
