# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The samples in the database: labelled embeddings and their pictures."""
