# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The database of a member: the packs, claims, samples and roster of its fleet."""
