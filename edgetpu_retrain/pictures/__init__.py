# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures: decodes camera images and files to RGB, and draws annotated pictures."""
