"""Database addresses: what people paste, and what they get told."""

from __future__ import annotations

import pytest

from vptmonitor.database_url import from_parts, from_url


def test_user_password_and_name_are_percent_decoded() -> None:
    address = from_url("postgresql://us%40er:p%2Fa%23s%25s@db.example.org:6000/na%20me?sslmode=verify-full")
    assert (address.user, address.password, address.name) == ("us@er", "p/a#s%s", "na me")
    assert (address.host, address.port) == ("db.example.org", 6000)
    assert address.parameters == {"sslmode": "verify-full"}


@pytest.mark.parametrize(("character", "code"), [("/", "%2F"), ("#", "%23"), ("?", "%3F")])
def test_a_raw_special_character_in_the_password_gets_an_error_that_says_so(character: str, code: str) -> None:
    with pytest.raises(ValueError, match=f"percent-encoded: write {code} for each") as caught:
        from_url(f"postgresql://user:se{character}cret@db.example.org:5432/name")
    assert "cret" not in str(caught.value)


def test_an_at_sign_in_the_password_is_read_from_the_right() -> None:
    assert from_url("postgresql://user:a@b@localhost/name").password == "a@b"


@pytest.mark.parametrize(
    ("url", "host", "mode"),
    [
        ("postgres://u:p@localhost/n", "localhost", None),
        ("postgres://u:p@127.0.0.1/n", "127.0.0.1", None),
        ("postgres://u:p@[::1]:5433/n", "::1", None),
        ("postgres://u:p@[2001:db8::1]/n", "2001:db8::1", "require"),
        ("postgres://u:p@db.example.org/n", "db.example.org", "require"),
        ("postgres://u:p@db.example.org/n?sslmode=prefer", "db.example.org", "prefer"),
        ("postgres://u:p@/n?host=/run/postgresql", "/run/postgresql", None),
    ],
)
def test_tls_is_required_off_this_machine(url: str, host: str, mode: str | None) -> None:
    address = from_url(url)
    assert address.host == host
    assert address.parameters.get("sslmode") == mode


def test_what_is_missing_gets_postgresqls_defaults() -> None:
    address = from_url("postgresql://localhost")
    assert (address.port, address.name, address.user) == (5432, "postgres", "postgres")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:p@h/n", "not PostgreSQL"),
        ("db.example.org:5432/postgres", "Write it as postgresql://"),
        ("postgresql://u:p@h/n?sslmode=always", "sslmode 'always' is not known"),
        ("postgresql://u:p@h/n?options=-csearch_path", "'options' is not supported"),
        ("postgresql://u:p@h:port/n", "Write it as"),
    ],
)
def test_other_mistakes_are_told(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_url(url)


def test_single_variables_take_the_password_raw() -> None:
    address = from_parts("db.example.org", 5432, "postgres", "postgres", "p/a#s$s@:")
    assert address.password == "p/a#s$s@:"
    assert address.parameters["sslmode"] == "require"
    assert "p/a#s" not in repr(address)
    assert "p/a#s" not in address.masked


def test_a_url_pasted_as_the_host_is_told() -> None:
    with pytest.raises(ValueError, match="belongs into DATABASE_URL"):
        from_parts("https://project-id.supabase.co", 5432, "postgres", "postgres", "x")
