"""How Grafana reads its configuration, small and faithful: go-ini's lines and both kinds of expansion.

From the sources of 9.3 and 12.4: `pkg/setting/expanders.go`, `pkg/services/provisioning/values/values.go`, and go-ini's
`parser.go` (`readValue`) and `key.go` (`transformValue`) with its default options.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Ini = dict[str, dict[str, str]]
_EXPANDED = re.compile(r"\$(|__\w+)\{([^}]+)\}")
_GO_ENV = re.compile(r"\$(?:\{([^}]*)\}|([*#$@!?0-9-]|\w+))")
_REFERENCE = re.compile(r"%\(([^)]+)\)s")


def read_ini(path: Path, environment: Mapping[str, str]) -> Ini:
    """The sections of a file as Grafana's settings see them."""
    sections: Ini = {}
    current = ""
    for line in path.read_text().splitlines():
        if not line.strip() or line.lstrip()[0] in "#;":
            continue
        if line.startswith("["):
            current = line.strip()[1:-1]
            sections[current] = {}
            continue
        name, _, raw = line.partition("=")
        sections[current][name.strip()] = _expanded(_ini_value(raw), environment)
    return {
        section: {name: _referenced(value, values) for name, value in values.items()}
        for section, values in sections.items()
    }


def read_yaml(path: Path, environment: Mapping[str, str]) -> Any:
    """A provisioning file: every value expanded, no key."""
    return _values(yaml.safe_load(path.read_text()), environment)


def expanded_twice(value: str, environment: Mapping[str, str]) -> str:
    """A value of a provisioning file."""
    return "$".join(_os_expand(_expanded(part, environment), environment) for part in value.split("$$"))


def _values(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return expanded_twice(value, environment)
    if isinstance(value, list):
        return [_values(item, environment) for item in value]
    if isinstance(value, dict):
        return {key: _values(item, environment) for key, item in value.items()}
    return value


def _ini_value(raw: str) -> str:
    line = raw.lstrip()
    for quote in ('"""', "`"):
        if line.startswith(quote) and len(line) > 3:
            end = line.rindex(quote, len(quote))
            return line[len(quote) : end]
    line = re.split("[#;]", line.strip())[0].strip()
    if len(line) >= 2 and line[0] == line[-1] and line[0] in "'\"" and line[0] not in line[1:-1]:
        return line[1:-1]
    assert not line.endswith("\\"), "the line would go on"
    return line


def _expanded(value: str, environment: Mapping[str, str]) -> str:
    """`ExpandVar`: variables first, then files; what a file holds is not looked at again."""
    for match in _EXPANDED.finditer(value):
        if match[1] in ("", "__env"):
            value = value.replace(match[0], environment.get(match[2], ""), 1)
    for match in _EXPANDED.finditer(value):
        if match[1] == "__file":
            value = value.replace(match[0], Path(match[2]).read_bytes().decode().strip(), 1)
    return value


def _os_expand(value: str, environment: Mapping[str, str]) -> str:
    """Go's `os.ExpandEnv`."""
    return _GO_ENV.sub(lambda match: environment.get(match[1] or match[2], ""), value)


def _referenced(value: str, section: Mapping[str, str]) -> str:
    while (match := _REFERENCE.search(value)) and match[1] in section:
        value = value.replace(match[0], section[match[1]])
    return value
