# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""How the process of the node uses memory, interpreter and cores."""
