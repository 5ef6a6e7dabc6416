"""Version numbers, and the releases that are warned of."""

from __future__ import annotations

import pytest

from apps.grafana.versions import Version, flaws_of, parse


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Version 9.3.2 (commit: 21c1d14e91, branch: HEAD)", Version(9, 3, 2)),
        ("grafana version 12.4.0", Version(12, 4, 0)),
        ("12.0.0+security-01", Version(12, 0, 0, "+security-01")),
        ("v13.0.0-pre", Version(13, 0, 0, "-pre")),
        ("no number", None),
        ("", None),
    ],
)
def test_versions_are_found_in_what_programs_say(text: str, version: Version | None) -> None:
    assert parse(text) == version


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("9.3.2", {"CVE-2023-22462", "CVE-2023-0594", "CVE-2025-4123", "CVE-2026-27877"}),
        ("11.2.1", {"CVE-2024-9264", "CVE-2025-4123", "CVE-2026-27877"}),
        ("12.0.0", {"CVE-2025-4123", "CVE-2026-27876", "CVE-2026-27877"}),
        ("12.0.0+security-01", {"CVE-2026-27876", "CVE-2026-27877"}),
        ("12.4.0", {"CVE-2026-27876", "CVE-2026-27877"}),
        ("11.6.14", set()),
        ("12.2.8", set()),
        ("12.4.2", set()),
        ("13.0.0", {"CVE-2026-33377"}),
        ("13.0.1", set()),
        ("14.1.0", set()),
    ],
)
def test_known_flaws_are_named(text: str, named: set[str]) -> None:
    version = parse(text)
    assert version is not None
    assert {flaw.name for flaw in flaws_of(version)} == named
