"""Teams, device models, devices, controllers, environments, campaigns and tests as they are defined, schedules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from apps.mirror.demo.cast import CAMPAIGNS, KINDS, SCRIPT_BY_NAME, TESTS, Campaign, Device, demo_id
from apps.mirror.demo.lab import Lab, campaign_id, profile_id, test_id
from apps.mirror.demo.plan import Turn
from apps.mirror.demo.rhythm import Story
from apps.mirror.demo.stream import Row

TENANT: Final = demo_id("tenant")
LAB_AGE: Final = timedelta(days=420)
"""How long before the story began the lab was set up."""


RECORD: Final = "demo_lab"
"""The key, in every demo team's environment profile, of what the lab can be built again from."""


def _dates(story: Story, days: int = 0) -> dict[str, object]:
    at = story.start - LAB_AGE + timedelta(days=days)
    return {"created_at": at, "updated_at": at}


def teams(lab: Lab, story: Story) -> Iterator[Row]:
    for team in lab.teams:
        yield {
            "id": team.id,
            "name": team.name,
            "description": team.description,
            "tenant_id": TENANT,
            "is_default": team is lab.teams[0],
            **_dates(story),
        }


def device_models(lab: Lab, story: Story) -> Iterator[Row]:
    for team in lab.teams:
        for kind in KINDS.values():
            drivers = dict(kind.controllers)
            yield {
                "id": demo_id("model", team.id, kind.model),
                "team_id": team.id,
                "name": kind.model,
                "types": list(kind.types),
                "controllers": {name: drivers.get(name, "") for name in ("av", "power", "remote", "network")},
                "version": "",
                "description": f"Such as {kind.names[0]}",
                "is_default": True,
                **_dates(story),
            }


def device_status(device: Device, story: Story) -> str:
    """The client's column: offline while its host is silent, error when it went bad."""
    if story.is_silent(device.host.name, story.until):
        return "offline"
    return "error" if story.illness(device, story.until) else "online"


def devices(lab: Lab, story: Story) -> Iterator[Row]:
    for device in lab.devices:
        host = device.host.name
        yield {
            "id": device.id,
            "team_id": device.team.id,
            "name": device.name,
            "description": f"{device.port} of {host}",
            "model": device.kind.model,
            "status": device_status(device, story),
            "controller_configs": {
                name: {
                    "implementation": implementation,
                    "parameters": {"host": host, "port": device.port}
                    | ({"video_device": device.video_device} if name == "av" else {}),
                }
                for name, implementation in device.kind.controllers
            },
            "created_at": story.start - LAB_AGE + timedelta(days=3 + device.index),
            "updated_at": story.until - timedelta(minutes=3 + device.index),
        }


def controllers(lab: Lab, story: Story) -> Iterator[Row]:
    for device in lab.devices:
        status = device_status(device, story)
        for number, (name, implementation) in enumerate(device.kind.controllers):
            fails = status == "error" and name == "av"
            yield {
                "id": demo_id("controller", device.index, name),
                "team_id": device.team.id,
                "device_id": device.id,
                "name": f"{implementation} of {device.name}",
                "type": name,
                "status": "offline" if status == "offline" else "error" if fails else "online",
                "configuration": {"implementation": implementation, "host": device.host.name, "port": device.port},
                "created_at": story.start - LAB_AGE + timedelta(days=3 + device.index, minutes=number),
                "updated_at": story.until - timedelta(minutes=4 + device.index),
            }


def environment_profiles(lab: Lab, story: Story) -> Iterator[Row]:
    for team in lab.teams:
        yield {
            "id": profile_id(team),
            "name": "Lab network",
            "description": "The lab's own network, accounts of the test system",
            "config": {"network": "lab", "account": "test", "region": "CH", RECORD: lab.record},
            "team_id": team.id,
            **_dates(story, 1),
        }


def campaigns(lab: Lab, story: Story) -> Iterator[Row]:
    for team in lab.teams:
        for campaign in CAMPAIGNS:
            yield {
                "id": campaign_id(team, campaign),
                "team_id": team.id,
                "name": campaign.name,
                "description": campaign.description,
                "status": "active",
                **_dates(story, 20),
            }


def test_cases(lab: Lab, story: Story) -> Iterator[Row]:
    for team in lab.teams:
        for number, script in enumerate(TESTS):
            yield {
                "test_id": test_id(team, script),
                "name": script.name,
                "test_type": script.kind,
                "start_node": "home",
                "steps": [{"action": "navigate", "to": "live"}, {"action": "verify", "node": "live"}],
                "team_id": team.id,
                "environment_profile_id": profile_id(team),
                "verification_conditions": [{"type": "image", "node": "live"}],
                "expected_results": {"description": script.title},
                "execution_config": {"timeout_seconds": script.seconds[1] * 3},
                "tags": ("flaky", "nightly") if script.flaky else ("nightly",),
                "priority": 1 + number % 5,
                "estimated_duration": sum(script.seconds) // 2,
                "creator": "ai" if script.flaky else "manual",
                "original_prompt": script.title if script.flaky else None,
                **_dates(story, 30 + number),
            }


def deployments(lab: Lab, story: Story, turns: list[Turn]) -> Iterator[Row]:
    count = Counter(turn.schedule.id for turn in turns if turn.run is not None)
    last = {turn.schedule.id: turn.at for turn in turns if turn.run is not None}
    today = story.until.replace(hour=0, minute=0, second=0, microsecond=0)
    for number, schedule in enumerate(lab.schedules):
        device = schedule.device
        windows = [today + timedelta(hours=hour, minutes=schedule.minute) for hour in range(0, 24, schedule.hours)]
        length = timedelta(seconds=schedule.script.seconds[1])
        yield {
            "id": schedule.id,
            "team_id": device.team.id,
            "name": schedule.name,
            "host_name": device.host.name,
            "device_id": device.port,
            "script_name": schedule.script.name,
            "userinterface_name": device.interface.name,
            "parameters": schedule.parameters,
            "cron_expression": schedule.cron,
            "execution_count": count[schedule.id],
            "last_executed_at": last.get(schedule.id),
            "status": "active",
            "scheduled_today": [{"start": at.isoformat(), "end": (at + length).isoformat()} for at in windows],
            "created_at": story.start - timedelta(days=9, minutes=number),
        }


def campaign_settings(campaign: Campaign) -> tuple[list[object], dict[str, object]]:
    """`script_configurations` and `execution_config` of its runs."""
    scripts: list[object] = [
        {
            "script_name": f"{SCRIPT_BY_NAME[name].name}.py",
            "script_type": SCRIPT_BY_NAME[name].script_type,
            "parameters": {},
        }
        for name in campaign.scripts
    ]
    return scripts, {"continue_on_failure": True, "timeout_minutes": 120, "parallel": False}
