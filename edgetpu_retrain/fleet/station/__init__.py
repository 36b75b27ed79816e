# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The station of a fleet: configuration and process of its hub, credentials, roster, status."""
