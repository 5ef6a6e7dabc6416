"""Rules about the sources that no single test of a module would notice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.start.portal import plain_environment

ROOT = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 500


def run(*command: str, **given: str) -> subprocess.CompletedProcess[str]:
    """A command in the project, with a plain configuration and what is given."""
    environment = {**plain_environment(DATA_DIR=os.environ["DATA_DIR"]), **given}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


TEMPLATES = sorted((ROOT / "apps").rglob("templates/**/*.html"))


def test_imports_point_one_way() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    assert tool.exists(), "import-linter is not installed: run make test"
    done = run(str(tool), "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


@pytest.mark.django_db(databases=["default", "source"])
def test_no_model_is_ahead_of_its_migrations() -> None:
    said = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=said)
    assert said.getvalue().strip() == "No changes detected"


def test_djangos_own_checks_for_production_find_nothing_behind_tls(tmp_path: Path) -> None:
    done = run(
        sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING",
        DATA_DIR=str(tmp_path), PUBLIC_URL="https://portal.example.org", TRUSTED_PROXY_COUNT="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_modules_stay_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in sources("apps", "vptmonitor", "tests", "benchmarks")
        if "migrations" not in path.parts
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_style_script_or_handler(path: Path) -> None:
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", path.read_text(), flags=re.DOTALL)
    for tag in re.findall(r"<[a-zA-Z][^>]*>", text):
        assert not re.search(r"\s(style|on[a-z]+)\s*=", tag, re.IGNORECASE), tag
        assert "javascript:" not in tag.lower()
        if tag.lower().startswith("<script"):
            assert "src=" in tag or 'type="application/json"' in tag, tag
    assert "<style" not in text.lower()


def test_what_is_marked_safe_is_a_short_list() -> None:
    """Text from a database never is: a place that comes to this list is read by a second person first."""
    marked = {
        str(path.relative_to(ROOT))
        for path in [*sources("apps", "vptmonitor"), *TEMPLATES]
        if re.search(r"\bmark_safe\(|\|\s*safe\b|{%\s*autoescape off", path.read_text())
    }
    assert marked <= {
        "apps/health/templatetags/findings.py",  # escaped first
        "apps/portal/templatetags/components.py",  # a constant
        "apps/portal/templates/components/form.html",  # help texts of forms, Django's own among them
    }


def test_the_worker_and_the_pages_log_and_never_print() -> None:
    printing = [
        str(path.relative_to(ROOT))
        for path in sources("apps", "vptmonitor")
        if "commands" not in path.parts and re.search(r"^\s*print\(", path.read_text(), re.MULTILINE)
    ]
    assert printing == []
