"""The tokens that sign people in to Grafana."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.test import override_settings

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.grafana import identity
from tests.people import TEAM_A, make_person


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def read(token: str) -> dict[str, Any]:
    """The claims, checked as Grafana checks them: by the file's key, audience, issuer and time."""
    keys = jwt.PyJWKSet.from_dict(json.loads(identity.ensure_keys().read_text()))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["ES256"], audience=identity.AUDIENCE, issuer=identity.ISSUER
    )
    return claims


@pytest.mark.django_db
def test_a_token_says_who_somebody_is_for_seconds() -> None:
    user = make_person("vera", Role.VIEWER, all_teams=True)
    user.first_name, user.last_name, user.email = "Vera", "Viewer", "vera@example.org"
    user.save()
    claims = read(identity.token_for(user))
    assert (claims["login"], claims["email"], claims["name"]) == ("vera@portal", "vera@example.org", "Vera Viewer")
    assert claims["sub"] == f"vptmonitor:{user.pk}"
    assert claims["exp"] - claims["iat"] == identity.LIFETIME <= 30
    assert abs(claims["iat"] - time.time()) < 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "granted", "expected"),
    [
        (Role.VIEWER, "admin", "Viewer"),
        (Role.OPERATOR, "admin", "Viewer"),
        (Role.ADMIN, "admin", "Admin"),
        (Role.ADMIN, "editor", "Editor"),
        (Role.ADMIN, "viewer", "Viewer"),
    ],
)
def test_nobody_but_the_portals_administrators_is_more_than_a_viewer(role: Role, granted: str, expected: str) -> None:
    user = make_person("someone", role, all_teams=True)
    with override_settings(GRAFANA_ROLE_OF_ADMINS=granted):
        assert identity.identity_of(user).role == expected


@pytest.mark.django_db
def test_people_limited_to_teams_or_without_a_role_get_no_token() -> None:
    people = [make_person("tom", Role.ADMIN, TEAM_A), make_person("norole", Role.NONE, all_teams=True)]
    left = make_person("left", Role.VIEWER, all_teams=True)
    left.is_active = False
    for user in (*people, left):
        with pytest.raises(identity.NotForGrafanaError, match=r"\."):
            identity.token_for(user)


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["", "admin@localhost", "Admin@LocalHost", "shared@example.org"])
def test_an_email_by_which_grafana_would_find_somebody_else_is_not_told(email: str) -> None:
    User.objects.create_user("other", email="SHARED@example.org")
    user = make_person("admin", Role.ADMIN, all_teams=True)
    user.email = email
    user.save()
    found = identity.identity_of(user)
    assert (found.login, found.email) == ("admin@portal", "admin@portal")


@pytest.mark.django_db
def test_another_secret_key_makes_another_key_and_the_same_one_the_same() -> None:
    user = make_person("vera", Role.VIEWER, all_teams=True)
    token = identity.token_for(user)
    first = identity.ensure_keys().read_text()
    assert identity.ensure_keys().read_text() == first
    with override_settings(SECRET_KEY="another" * 10):
        assert identity.ensure_keys().read_text() != first
        with pytest.raises(KeyError):
            read(token)


def test_the_file_holds_the_public_key_alone(place: Path) -> None:
    path = identity.ensure_keys()
    assert path == place / "grafana" / "identity" / "jwks.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["jwks.json"]
    (key,) = json.loads(path.read_text())["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_a_file_that_is_half_there_is_mended() -> None:
    path = identity.ensure_keys()
    whole = path.read_text()
    path.write_text(whole[:20])
    assert identity.ensure_keys().read_text() == whole


def test_the_key_is_a_point_of_its_curve_for_any_secret() -> None:
    for number in range(50):
        with override_settings(SECRET_KEY=f"secret {number}" * 5):
            (key,) = identity.public_keys()["keys"]
            jwt.PyJWK(key)
