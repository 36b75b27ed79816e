# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
"""Pauses: how often a member scans samples.db, trains and reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pauses:
    """
    Times between the actions of a member, seconds.

    Args:
        scan_s: between two scans of samples.db; after a scan that took long, ten times as long.
        retry_s: after a part has failed; after trainings that failed, doubled each time.
        quiet_s: how long nothing must change before a training begins.
        longest_s: after so long a training begins even if something changes, unless the member
            still has to read its hub.
        catch_up_s: after so long a training begins in any case.
        report_s: between two reports if nothing changes.
        least_report_s: between two reports at least.
        longest_scan_s: between two scans of samples.db at most.
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
