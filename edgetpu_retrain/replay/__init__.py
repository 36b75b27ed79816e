# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Publishes the images of a bag, to test a node without a robot."""
