# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pauses: how often a member looks, trains and reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pauses:
    """
    How often a member looks, seconds.

    Args:
        scan_s: between two looks at samples.db; where they take long, ten times as long as one.
        retry_s: after a part has failed.
        quiet_s: how long nothing must change before a training.
        longest_s: but it begins after this time, unless the member still reads its hub.
        catch_up_s: and after this time in any case.
        report_s: between two reports without a change.
        least_report_s: between two reports.
        longest_scan_s: between two looks at samples.db at most.
    """

    scan_s: float = 0.5
    retry_s: float = 5.0
    quiet_s: float = 1.0
    longest_s: float = 5.0
    catch_up_s: float = 60.0
    report_s: float = 10.0
    least_report_s: float = 1.0
    longest_scan_s: float = 5.0


USUAL = Pauses()
"""The pauses of a robot."""
