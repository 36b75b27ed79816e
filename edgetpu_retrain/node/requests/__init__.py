# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What all services share: responses, the log of requests, futures, background threads."""
