"""A made-up lab, put together from its cast.

A lab follows from three numbers, so that it can be built again from what `record` keeps of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final
from uuid import UUID

from apps.mirror.demo.cast import (
    DEVICES_PER_HOST,
    DNS,
    GET_INFO,
    GOTO,
    HOST_SUFFIX,
    KINDS,
    MAX_DEVICES,
    MAX_TEAMS,
    RACKS,
    SMARTPING,
    TEAMS,
    Campaign,
    Device,
    Host,
    Interface,
    Kind,
    Schedule,
    Screen,
    Script,
    Team,
    Tree,
    Way,
    demo_id,
)


@dataclass(frozen=True)
class Lab:
    """The whole cast. Raises ValueError for sizes outside 1..MAX_TEAMS and 1..MAX_DEVICES, or more teams than hosts."""

    team_count: int = 2
    device_count: int = 24
    seed: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.team_count <= MAX_TEAMS:
            raise ValueError(f"a demo lab has 1 to {MAX_TEAMS} teams, not {self.team_count}")
        if not 1 <= self.device_count <= MAX_DEVICES:
            raise ValueError(f"a demo lab has 1 to {MAX_DEVICES} devices, not {self.device_count}")
        if self.host_count < self.team_count:
            raise ValueError(
                f"{self.device_count} devices stand at {self.host_count} hosts: too few for {self.team_count} teams"
            )

    @property
    def host_count(self) -> int:
        """Three devices a host, but at least two hosts as soon as there are two devices."""
        return max(-(-self.device_count // DEVICES_PER_HOST), min(2, self.device_count))

    @cached_property
    def teams(self) -> tuple[Team, ...]:
        return tuple(
            Team(team_id(index), name, description)
            for index, (name, description) in enumerate(TEAMS[: self.team_count])
        )

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(
            Host(f"rack-{_rack(index)}{HOST_SUFFIX}", self.teams[index * self.team_count // self.host_count], index)
            for index in range(self.host_count)
        )

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        rng = Random(f"devices {self.seed}")
        count: dict[str, int] = {}
        found: list[Device] = []
        for index in range(self.device_count):
            host = self.hosts[index * self.host_count // self.device_count]
            place = sum(device.host is host for device in found)
            kind = KINDS[RACKS[host.index % len(RACKS)][place % DEVICES_PER_HOST]]
            name = kind.names[rng.randrange(len(kind.names))]
            count[name] = count.get(name, 0) + 1
            interface = self.interfaces[host.team.id, kind.interface]
            found.append(
                Device(
                    demo_id("device", index),
                    index,
                    host,
                    f"device{place + 1}",
                    f"{name} {count[name]}",
                    kind,
                    interface,
                    temper=round(rng.uniform(0.5, 1.5), 2),
                    pace=round(rng.uniform(0.85, 1.25), 2),
                )
            )
        return tuple(found)

    @cached_property
    def interfaces(self) -> dict[tuple[UUID, str], Interface]:
        """By team id and name: every team has its own copy of each interface."""
        return {
            (team.id, kind.interface): _interface(team, kind) for team in self.teams for kind in KINDS.values()
        }  # fmt: skip

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        found = []
        for device in self.devices:
            wanted = [(GET_INFO, "", 6, 24)]
            if device.index % 2 == 0:
                wanted.append((GOTO, "--node live", (7 * device.index) % 60, 1))
            if device.index % 3 == 0:
                wanted += [(SMARTPING, "--target example.com", 20, 4), (DNS, "--domain example.com", 40, 4)]
            found += [
                Schedule(
                    demo_id("schedule", device.index, script.name),
                    f"{script.name} on {device.name}",
                    device,
                    script,
                    parameters,
                    (minute + device.index) % 60,
                    hours,
                )
                for script, parameters, minute, hours in wanted
            ]
        return tuple(found)

    @property
    def record(self) -> dict[str, int]:
        """What the lab can be built again from: `Lab(**record)`."""
        return {"team_count": self.team_count, "device_count": self.device_count, "seed": self.seed}

    @property
    def host_names(self) -> list[str]:
        return [host.name for host in self.hosts]

    @property
    def team_ids(self) -> list[UUID]:
        return [team.id for team in self.teams]


def team_id(index: int) -> UUID:
    """The id of the demo team number `index`; team 0 is in every demo lab."""
    return demo_id("team", index)


def test_id(team: Team, script: Script) -> UUID:
    """The id of the test case that `script` is in `team`."""
    return demo_id("test", team.id, script.name)


def campaign_id(team: Team, campaign: Campaign) -> UUID:
    """The id of `campaign` as `team` defines it."""
    return demo_id("campaign", team.id, campaign.name)


def profile_id(team: Team) -> UUID:
    """The id of the environment profile that all tests of `team` run under."""
    return demo_id("profile", team.id)


def _rack(index: int) -> str:
    return f"{chr(ord('a') + index // 2)}{index % 2 + 1}" if index < 52 else f"z{index - 49}"


_SCREENS: Final = (
    Screen("entry-node", "ENTRY", "entry", 0, 200),
    Screen("home", "Home", "screen", 220, 200),
    Screen("live", "Live", "screen", 460, 40),
    Screen("tvguide", "TV guide", "screen", 460, 160),
    Screen("vod", "On demand", "screen", 460, 280),
    Screen("search", "Search", "screen", 460, 400),
    Screen("settings", "Settings", "screen", 220, 400),
    Screen("player", "Player", "screen", 700, 160),
)
_WAYS: Final = (
    ("entry-node", "home", "launch", 2600),
    ("home", "live", "press_live", 1450),
    ("home", "tvguide", "press_guide", 1100),
    ("home", "vod", "press_vod", 1700),
    ("home", "search", "press_search", 800),
    ("home", "settings", "press_settings", 700),
    ("live", "player", "press_ok", 1900),
    ("tvguide", "player", "press_ok", 2100),
    ("vod", "player", "press_play", 2800),
)
_NESTED_SCREENS: Final = (
    Screen("settings", "Settings", "entry", 0, 100),
    Screen("settings_audio", "Audio", "screen", 220, 0),
    Screen("settings_network", "Network", "screen", 220, 100),
    Screen("settings_about", "About", "screen", 220, 200),
)
_NESTED_WAYS: Final = (
    ("settings", "settings_audio", "press_ok", 600),
    ("settings", "settings_network", "press_ok", 900),
    ("settings", "settings_about", "press_ok", 500),
)


def _ways(rows: tuple[tuple[str, str, str, int], ...]) -> tuple[Way, ...]:
    return tuple(Way(f"edge-{source}-to-{target}", source, target, command, ms) for source, target, command, ms in rows)


def _interface(team: Team, kind: Kind) -> Interface:
    root_id = demo_id("tree", team.id, kind.interface)
    root = Tree(root_id, f"{kind.interface}_navigation", _SCREENS, _ways(_WAYS))
    nested = Tree(
        demo_id("subtree", team.id, kind.interface),
        f"{kind.interface}_settings",
        _NESTED_SCREENS,
        _ways(_NESTED_WAYS),
        parent_id=root_id,
        parent_node="settings",
    )
    return Interface(demo_id("interface", team.id, kind.interface), team, kind.interface, kind.model, (root, nested))
