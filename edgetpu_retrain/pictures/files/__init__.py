# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""The file formats JPEG, PNG and WEBP: checks, EXIF orientation and safe decoding."""
