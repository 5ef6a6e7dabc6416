"""What README says about commands, variables, files and addresses is true."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.test import Client
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = README + (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", DOCUMENTS, re.DOTALL))
INLINE = re.findall(r"`([^`\n]+)`", DOCUMENTS)
SHORT = {"_PORT": "SUPABASE_DB", "_NAME": "SUPABASE_DB", "_USER": "SUPABASE_DB", "_PASSWORD": "SUPABASE_DB"}
"""Variables that the table shortens, with what is left out."""


MADE = {"tests/e2e/pictures"}
"""Made by a command that the documents name; not in a fresh checkout."""


def make_words() -> list[str]:
    lines = [line.partition("#")[0] for line in BLOCKS.splitlines()] + INLINE
    return [words for line in lines if (words := line.strip()).startswith("make ")]


def manage_words() -> list[list[str]]:
    """The words after manage.py of each command, options included."""
    lines = [line.partition("#")[0] for line in BLOCKS.splitlines()] + INLINE
    after = [line.split("manage.py", 1)[1] for line in lines if "manage.py " in line]
    return [words for text in after if (words := shlex.split(text.replace("[", "").replace("]", "")))]


@pytest.mark.parametrize("command", sorted(set(make_words())))
def test_each_make_command_exists(command: str) -> None:
    targets = [word for word in command.split()[1:] if "=" not in word]
    assert targets
    done = subprocess.run(["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(re.search(rf"^  make {target}\b", shown, re.MULTILINE) for target in targets if target != "help")


@pytest.mark.parametrize("words", manage_words(), ids=" ".join)
def test_each_manage_command_exists_with_its_options(words: list[str]) -> None:
    name = words[0]
    assert name in get_commands()
    command = load_command_class(get_commands()[name], name)
    command.create_parser("manage.py", name).parse_args(words[1:])


def test_the_commands_that_people_type_first_are_among_them() -> None:
    assert {"make run", "make test"} <= set(make_words())
    assert {"doctor", "check_source", "processes", "load_demo"} <= {words[0] for words in manage_words()}


def test_each_variable_is_explained_in_the_example() -> None:
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    rows = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
    named = {SHORT[name] + name if name in SHORT else name for name in re.findall(r"`([A-Z_]+)`", rows)} | {
        name.removesuffix("_FILE") for name in re.findall(r"^([A-Z_]+)=", BLOCKS, re.MULTILINE)
    }
    assert len(named) > 12
    assert named <= known


def test_each_default_of_the_table_is_the_real_one() -> None:
    from django.conf import settings

    assert (settings.PORT, settings.TIME_ZONE, settings.TRUSTED_PROXY_COUNT) == (5109, "UTC", 0)
    assert "5109, UTC, info, text" in README


def test_each_file_exists() -> None:
    named = [path for path in re.findall(r"\]\(([^)#]+)\)", DOCUMENTS) if "://" not in path]
    rooms = "(apps|tests|docs|vptmonitor|requirements|benchmarks)"
    named += [word for word in INLINE if re.fullmatch(rf"{rooms}/[\w./-]*", word)]
    named += [line.split()[0] for line in README.splitlines() if re.match(rf"{rooms}/ ", line)]
    assert len(named) > 8
    assert [path for path in named if path not in MADE and not (ROOT / path).exists()] == []


ADDRESSES = {word for word in INLINE if re.fullmatch(r"/[a-z0-9/<>-]+", word)} - {"/grafana/"}
"""Those of Django's; below `/grafana/` the proxy answers, which has its own tests."""


@pytest.mark.django_db(databases=["default", "source"])
@pytest.mark.parametrize("path", sorted(ADDRESSES))
def test_each_address_answers(path: str) -> None:
    address = re.sub("<(panel|id)>", "1", path).replace("<uid>", "virtualpytest-overview")
    try:
        resolve(address)
    except Resolver404:
        pytest.fail(f"{path} is no address of the portal")
    assert Client(headers={"accept": "text/html"}).get(address).status_code in {200, 302, 401, 503}


def test_the_picture_is_small_enough_for_a_page() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert 10_000 < (ROOT / path).stat().st_size < 200_000
