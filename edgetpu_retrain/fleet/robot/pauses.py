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
        scan_s: shortest pause after a complete scan of samples.db; after a scan that took long,
            the pause is ten times as long as the scan, but at most ``longest_scan_s``.
        retry_s: pause after a failed scan or synchronization; after failed trainings, it is
            doubled with each failure in a row, up to 300 s.
        quiet_s: a training begins when nothing has changed for this time and all connected hubs
            are read to the end.
        longest_s: a training begins this long after a change even if changes continue, unless a
            hub is still being read.
        catch_up_s: a training begins this long after a change in any case.
        report_s: if nothing changes, the pause between two reports is this time plus
            ``least_report_s``.
        least_report_s: shortest pause between two reports.
        longest_scan_s: longest pause after a complete scan of samples.db.
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
"""The pauses of a robot; tests use shorter ones."""
