"""The files of a container say what the portal says: what an engine would find out late is found here."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from tests.container.dockerfile import assignments, stages, words

ROOT = Path(settings.ROOT)
STAGES = stages((ROOT / "Dockerfile").read_text())
LAST = STAGES[-1]
KNOWN = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "ENV_FILE", "GOMEMLIMIT"}


def test_hadolint_has_nothing_to_say() -> None:
    tool = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([tool, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_images_and_digests_are_arguments() -> None:
    grafana, debian = STAGES[0], STAGES[1]
    assert re.fullmatch(r"grafana/grafana:\d+\.\d+\.\d+-ubuntu", grafana.base)
    assert debian.base == "debian:bookworm-slim"
    assert "sha256:" not in "".join(stage.base for stage in STAGES), "a digest is what somebody looked up"
    pinned = stages((ROOT / "Dockerfile").read_text(), {"GRAFANA_DIGEST": "@sha256:x", "GRAFANA_VERSION": "13.0.1"})
    assert pinned[0].base == "grafana/grafana:13.0.1@sha256:x"


def test_the_portal_runs_as_nobody_special_and_keeps_all_state_in_one_volume() -> None:
    assert LAST.values("USER") == ["10001"]
    assert LAST.values("VOLUME") == ["/data"]
    assert LAST.values("EXPOSE") == ["5109 3000"]
    assert words(LAST.values("ENTRYPOINT")[0])[0] == "/usr/bin/tini"
    for name in (words(LAST.values("CMD")[0])[2], words(LAST.values("HEALTHCHECK")[0].partition("CMD ")[2])[2]):
        assert (ROOT / f"{name.replace('.', '/')}.py").exists()


def test_its_variables_are_the_portals_and_fit_together() -> None:
    found: dict[str, str] = {}
    for text in LAST.values("ENV"):
        found |= assignments(text, {})
    assert set(found) - OTHERS <= KNOWN
    assert len({found["PORT"], found["SECOND_PORT"], found["GRAFANA_PORT"]}) == 3
    assert (found["PORT"], found["SECOND_PORT"], found["DATA_DIR"]) == ("5109", "3000", "/data")


def test_everything_that_is_copied_exists_and_reaches_the_build() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [shlex.split(text)[:-1] for stage in STAGES for text in stage.values("COPY") if "--from" not in text]
    for source in (word for sources in copied for word in sources):
        assert (ROOT / source).exists()
        assert source in let_through, f"{source} is not in .dockerignore's exceptions"
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"


def test_what_the_portal_reads_beside_its_modules_is_copied() -> None:
    copied = {word for stage in STAGES for text in stage.values("COPY") for word in shlex.split(text)}
    assert {"manage.py", "Procfile", "apps", "vptmonitor", "grafana_config"} <= copied


DEPLOY = (ROOT / "docs" / "deploy.md").read_text()


@pytest.mark.parametrize("words_", sorted(set(re.findall(r"manage\.py ([a-z_]+(?: [^|#`\n]*)?)", DEPLOY))))
def test_each_command_of_the_document_exists_with_its_options(words_: str) -> None:
    name, *options = shlex.split(words_)
    assert name in get_commands()
    load_command_class(get_commands()[name], name).create_parser("manage.py", name).parse_args(options)


def test_each_variable_and_file_of_the_document_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Z_]+)(?:=[^`]*)?`", DEPLOY))
    arguments = set(re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert len(named) > 20
    assert {name.removesuffix("_FILE") for name in named} - KNOWN - OTHERS - arguments == set()
    for path in re.findall(r"`((?:tests|grafana_config)/[\w./-]+|Dockerfile|Procfile|[\w-]+\.ya?ml)`", DEPLOY):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", ["docker-compose.yml", "render.yaml"])
def test_the_deployment_files_use_known_variables_and_hold_no_secret(name: str) -> None:
    text = (ROOT / name).read_text()
    content = yaml.safe_load(text)
    if name == "render.yaml":
        (service,) = content["services"]
        variables = {entry["key"]: entry for entry in service["envVars"]}
        for secret in ("SECRET_KEY", "GRAFANA_ADMIN_PASSWORD", "GRAFANA_SECRET_KEY"):
            assert variables[secret] == {"key": secret, "generateValue": True}
        assert service["disk"]["mountPath"] == "/data"
        assert service["healthCheckPath"] == "/livez"
    else:
        service = content["services"]["portal"]
        variables = service["environment"]
        assert service["mem_limit"] == "512m"
        assert service["volumes"] == ["portal:/data"]
        assert [port.rpartition(":")[2] for port in service["ports"]] == ["5109", "3000"]
        assert set(re.findall(r"PASSWORD: (.*)", text)) == {"${POSTGRES_PASSWORD:?write it into .env}"}
    assert set(variables) <= KNOWN
