# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""`make fleet-demo`: three robots that learn from one another, with a hub of their own."""
