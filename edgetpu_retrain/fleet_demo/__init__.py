# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""`make fleet-demo`: a hub and three robots that learn from one another."""
