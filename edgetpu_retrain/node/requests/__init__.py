# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What services share: responses, refusals in the log, futures, background threads."""
