"""The stored scripts import each other by names that change with their content."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """The static files as a portal in service stores them."""
    storage = {"staticfiles": {"BACKEND": "vptmonitor.static_files.ModuleStorage"}}
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=storage):
        call_command("collectstatic", verbosity=0, interactive=False)
    return tmp_path


def test_stored_modules_lead_to_stored_modules(stored: Path) -> None:
    modules = [
        path for folder in ("panels", "dashboard") for path in (stored / "portal" / folder).glob("*.*.js")
    ]  # fmt: skip
    imports = [(path, name) for path in modules for name in IMPORT.findall(path.read_text())]
    assert len(imports) > 30
    for path, name in imports:
        assert re.search(r"\.[0-9a-f]{12}\.js$", name), f"{path.name} imports {name}"
        assert (path.parent / name).is_file(), f"{path.name} imports {name}"
