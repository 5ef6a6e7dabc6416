"""The project's Procfile, as honcho understands it."""

from __future__ import annotations

import shlex

import pytest
from honcho.environ import expand_processes, parse_procfile

from .lab import ROOT, Lab


def test_every_line_is_supervised_under_its_own_name_and_web_has_the_base_port() -> None:
    processes = parse_procfile((ROOT / "Procfile").read_text()).processes
    assert list(processes) == ["web", "worker", "grafana"]
    for name, line in processes.items():
        assert shlex.split(line)[:7] == ["exec", "python", "-m", "vptmonitor.supervise", "--name", name, "--"]
    assert processes["web"].endswith(" --port $PORT")
    assert expand_processes(processes, port=5109)[0].env["PORT"] == "5109"


@pytest.mark.parametrize(("options", "password"), [((), "a"), (("-e", "/dev/null"), "None")])
def test_honcho_reads_no_env_file_when_told_so(lab: Lab, options: tuple[str, ...], password: str) -> None:
    (lab.folder / ".env").write_text("SECRET_KEY=a#b$c\nPORT=1\n")
    lab.environment.pop("SECRET_KEY", None)
    teller = lab.child("--tell", "SECRET_KEY", "--tell", "PORT", "--leave", "0")
    (lab.folder / "Procfile").write_text(f"web: exec {shlex.join(teller)}\n")
    honcho = lab.start(teller[0], "-m", "honcho", *options, "start", "--no-prefix", "-p", "5109")
    assert honcho.wait(10) == 0
    assert f"SECRET_KEY={password}\n" in lab.text()
    assert ("PORT=5109\n" in lab.text()) == bool(options)
