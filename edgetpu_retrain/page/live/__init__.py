# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The live connection of a page: changes, held buttons, trainings."""
