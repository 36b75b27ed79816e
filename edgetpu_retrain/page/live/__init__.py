# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a page hears as it happens: changes, held buttons, trainings."""
