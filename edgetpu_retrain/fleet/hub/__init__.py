# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The protocol between a member of a fleet and a hub, a NATS server with JetStream."""
