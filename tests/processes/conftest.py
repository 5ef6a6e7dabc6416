"""The `lab` fixture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab in a temporary folder; all its processes are ended afterwards."""
    made = Lab(tmp_path)
    yield made
    made.clean()
