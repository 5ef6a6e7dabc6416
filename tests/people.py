"""People that tests sign in as: an owner, a teammate, a stranger, and those at the edges.

`alice` is an operator of team A, `bob` a viewer of the same team, `charlie` an operator of team B only, `admin` holds
the role admin and sees all teams, without being a superuser; `nobody` has an account, and neither role nor team. Host A
belongs to team A, host B to team B. The platform's own rows of the teams are in `team_a` and `team_b`, which need
`@pytest.mark.django_db(databases=["default", "source"])`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from apps.accounts import roles
from apps.accounts.models import ApiToken, HostTeam, TeamMembership, User
from apps.accounts.roles import Role
from apps.accounts.tokens import issue
from apps.mirror.models import Team

TEAM_A, TEAM_B = UUID(int=0xA), UUID(int=0xB)
HOST_A, HOST_B = "rack-a", "rack-b"
PASSWORD = "correct horse battery"


def make_person(name: str, role: Role, *teams: UUID, all_teams: bool = False) -> User:
    """A user with the role's group and a membership in each team; the password is `PASSWORD`."""
    user = User.objects.create_user(name, password=PASSWORD, all_teams=all_teams)
    if role:
        if not Group.objects.filter(name=role.word).exists():
            roles.sync()
        user.groups.add(Group.objects.get(name=role.word))
    for team in teams:
        TeamMembership.objects.create(user=user, team_id=team, team_name=f"Team {team.hex[-1].upper()}")
    return user


def program(user: User, *scopes: str, **limits: Any) -> Client:
    """A program that sends a token of `user`, with the scope read or those given; `limits` as `issue` takes them."""
    _, text = issue(owner=user, name="a program", scopes=[ApiToken.Scope(one) for one in scopes or ("read",)], **limits)
    return Client(headers={"authorization": f"Bearer {text}"})


def signed_in(user: User) -> Client:
    """A browser in which `user` is signed in."""
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    return client


@pytest.fixture
def hosts(db: None) -> None:
    """Host A belongs to team A, host B to team B."""
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_A, team_name="Team A")
    HostTeam.objects.create(host_name=HOST_B, team_id=TEAM_B, team_name="Team B")


@pytest.fixture
def alice(hosts: None) -> User:
    """The owner: operator of team A."""
    return make_person("alice", Role.OPERATOR, TEAM_A)


@pytest.fixture
def bob(hosts: None) -> User:
    """The teammate: viewer of team A."""
    return make_person("bob", Role.VIEWER, TEAM_A)


@pytest.fixture
def charlie(hosts: None) -> User:
    """The stranger: operator of team B, who must find nothing of team A."""
    return make_person("charlie", Role.OPERATOR, TEAM_B)


@pytest.fixture
def admin(hosts: None) -> User:
    """Role admin, all teams, no superuser: so that a missing permission shows."""
    return make_person("admin", Role.ADMIN, all_teams=True)


@pytest.fixture
def nobody(db: None) -> User:
    """An account without role and team."""
    return make_person("nobody", Role.NONE)


@pytest.fixture
def team_a(db: None) -> Team:
    """Team A as the platform knows it."""
    return Team.objects.create(id=TEAM_A, name="Team A", tenant_id=UUID(int=1))


@pytest.fixture
def team_b(db: None) -> Team:
    """Team B as the platform knows it."""
    return Team.objects.create(id=TEAM_B, name="Team B", tenant_id=UUID(int=1))
