# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What services share: responses, log lines of rejections, futures, background threads."""
