# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The base station: configuration and process of the hub, credentials, status."""
