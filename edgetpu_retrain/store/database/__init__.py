# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The SQLite file of the samples: connections, schema, checks, migration, backup."""
