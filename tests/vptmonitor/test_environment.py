"""Reading the environment: values as they stand, errors that name the variable and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from vptmonitor.environment import ConfigurationError, Environment, kept_secret, read


def test_a_value_in_the_env_file_is_taken_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('SUPABASE_DB_PASSWORD=pa$HOME#wo\'rd$$\nTIME_ZONE="Europe/Paris"\n# a comment\n\n')
    environment = read(tmp_path, {"HOME": "/root"})
    assert environment.secret("SUPABASE_DB_PASSWORD", raw=True) == "pa$HOME#wo'rd$$"
    assert environment.text("TIME_ZONE") == "Europe/Paris"


def test_a_value_that_begins_with_a_dollar_is_no_reference() -> None:
    environment = Environment({"LOG_LEVEL": "$OTHER", "OTHER": "info"})
    assert environment.text("LOG_LEVEL") == "$OTHER"


def test_the_process_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    assert read(tmp_path, {"PORT": "2"}).integer("PORT", 0, 0, 9) == 2


def test_a_broken_env_file_names_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\nthis is not a setting\n")
    with pytest.raises(ConfigurationError, match="line 2 is not NAME=value"):
        read(tmp_path, {})


def test_another_env_file_can_be_named_or_none(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\n")
    (tmp_path / "other.env").write_text("PORT=2\n")
    assert read(tmp_path, {"ENV_FILE": "other.env"}).text("PORT") == "2"
    assert read(tmp_path, {"ENV_FILE": ""}).text("PORT") == ""


@pytest.mark.parametrize(
    ("value", "message"),
    [("many", "PORT: 'many' is not a whole number"), ("0", "PORT: 0 is out of range. Write a number from 1 to 65535")],
)
def test_a_wrong_number_names_the_variable(value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Environment({"PORT": value}).integer("PORT", 5109, 1, 65535)


@pytest.mark.parametrize(
    ("value", "expected"), [("on", True), ("1", True), ("Yes", True), ("no", False), ("off", False)]
)
def test_yes_and_no_in_all_their_spellings(value: str, expected: bool) -> None:
    assert Environment({"DEBUG": value}).flag("DEBUG", not expected) is expected


def test_a_word_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="DEBUG: 'flase' is neither yes nor no"):
        Environment({"DEBUG": "flase"}).flag("DEBUG", False)


@pytest.mark.parametrize("value", ["admin123", "Admin123", "", "  ", "changeme"])
def test_a_known_or_empty_secret_given_explicitly_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"GRAFANA_ADMIN_PASSWORD: .*leave it out to have one made"):
        Environment({"GRAFANA_ADMIN_PASSWORD": value}).secret("GRAFANA_ADMIN_PASSWORD")


def test_a_password_of_somebody_else_is_taken_raw() -> None:
    assert Environment({"SUPABASE_DB_PASSWORD": " a/b "}).secret("SUPABASE_DB_PASSWORD", raw=True) == " a/b "


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    environment = Environment({"SECRET_KEY": "not this", "SECRET_KEY_FILE": str(tmp_path / "key")})
    assert environment.secret("SECRET_KEY") == "from the file"


def test_a_secret_file_that_is_missing_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY_FILE: cannot read"):
        Environment({"SECRET_KEY_FILE": str(tmp_path / "none")}).secret("SECRET_KEY")


def test_a_secret_that_nobody_gave_is_made_once_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets.env"
    first = kept_secret(path, "SECRET_KEY")
    assert len(first) == 48
    assert kept_secret(path, "OTHER") != first
    assert kept_secret(path, "SECRET_KEY") == first
    assert path.stat().st_mode & 0o777 == 0o600
