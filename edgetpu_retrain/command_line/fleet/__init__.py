# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of the group `fleet`, for use at a station of a fleet."""
