"""What each role holds, and whose rows each person sees."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from pytest_django import DjangoAssertNumQueries

from apps.accounts import roles
from apps.accounts.models import HostTeam, User
from apps.accounts.roles import Role, role_of
from apps.accounts.scope import EVERYTHING, NOTHING, TeamScope, scope_of
from tests.people import HOST_A, TEAM_A, TEAM_B, make_person

pytestmark = pytest.mark.django_db


def fresh(user: User) -> User:
    """The user as the next request has it."""
    return User.objects.get(pk=user.pk)


def codenames(role: Role) -> set[str]:
    return set(Group.objects.get(name=role.word).permissions.values_list("codename", flat=True))


def test_migrations_made_the_groups_each_holding_what_the_one_below_holds() -> None:
    viewer, operator, admin = codenames(Role.VIEWER), codenames(Role.OPERATOR), codenames(Role.ADMIN)
    assert viewer <= operator <= admin
    assert "view_scriptresult" in viewer
    assert not {name for name in viewer | operator if name.startswith(("add_", "change_", "delete_"))}
    assert {"change_user", "add_group", "view_auditentry", "change_platformalert", "delete_device"} <= admin
    assert not {"add_auditentry", "change_auditentry", "delete_auditentry"} & admin


def test_syncing_again_mends_what_was_changed_and_nothing_else() -> None:
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.add(Permission.objects.get(codename="delete_user"))
    viewer.permissions.remove(Permission.objects.get(codename="view_device"))
    own = Group.objects.create(name="made by hand")
    roles.sync()
    roles.sync()
    assert "delete_user" not in codenames(Role.VIEWER)
    assert "view_device" in codenames(Role.VIEWER)
    assert own.permissions.count() == 0
    assert Group.objects.filter(name__in=roles.GROUPS).count() == 3


def test_the_highest_group_counts_and_groups_of_other_names_do_not(bob: User) -> None:
    bob.groups.add(Group.objects.get(name="operator"), Group.objects.create(name="superadmin"))
    assert role_of(fresh(bob)) == Role.OPERATOR


def test_roles_at_the_edges(nobody: User, alice: User) -> None:
    assert role_of(nobody) == role_of(AnonymousUser()) == Role.NONE
    alice.is_active = False
    assert role_of(alice) == Role.NONE
    assert role_of(User.objects.create_superuser("root")) == Role.ADMIN


def test_people_see_their_teams_and_their_teams_hosts(alice: User, bob: User, charlie: User, admin: User) -> None:
    assert scope_of(alice) == scope_of(bob)
    assert scope_of(alice) == TeamScope(team_ids=frozenset({TEAM_A}), host_names=frozenset({HOST_A}))
    assert scope_of(charlie).team_ids == {TEAM_B}
    assert scope_of(admin) is EVERYTHING
    assert scope_of(User.objects.create_superuser("root")) is EVERYTHING


def test_a_host_of_two_teams_is_seen_by_both(charlie: User) -> None:
    HostTeam.objects.create(host_name=HOST_A, team_id=TEAM_B)
    assert scope_of(charlie).host_names == {"rack-a", "rack-b"}


def test_without_a_team_or_an_account_there_is_nothing_to_see(nobody: User) -> None:
    assert not scope_of(nobody).everything
    assert not scope_of(nobody).team_ids | scope_of(nobody).host_names
    assert scope_of(AnonymousUser()) is NOTHING


@pytest.mark.parametrize("switch", ["all_teams", "is_superuser"])
def test_a_deactivated_person_sees_nothing(nobody: User, switch: str) -> None:
    setattr(nobody, switch, True)
    nobody.is_active = False
    assert scope_of(nobody) is NOTHING


def test_asking_again_costs_nothing(hosts: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    user = fresh(make_person("eve", Role.VIEWER, TEAM_A))
    with django_assert_num_queries(3):  # groups; memberships; hosts of the teams
        for _ in range(5):
            scope_of(user)
            role_of(user)
