# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""What a ledger knows about hubs: the messages in their streams, and what to read again."""
