# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The database of everything that a member knows of its fleet: packs, claims, samples, roster."""
