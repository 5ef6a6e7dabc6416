"""What runs in a stretch of time, device by device: scripts, campaigns, schedules. No rows yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from apps.mirror.demo.cast import (
    CAMPAIGNS,
    FULLZAP,
    GET_INFO,
    GOTO,
    SCRIPT_BY_NAME,
    SMARTPING,
    TESTS,
    VALIDATION,
    Campaign,
    Device,
    Schedule,
    Script,
)
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.rhythm import Story, activity

AD_HOC: Final = (GOTO, FULLZAP, VALIDATION, GET_INFO, SMARTPING, *TESTS)
_AD_HOC_WEIGHTS: Final = [script.weight for script in AD_HOC]


@dataclass(eq=False)
class Run:
    """One run of a script. `ended` is None while it runs, and for ever when it was cut off by an outage."""

    id: UUID
    device: Device
    script: Script
    started: datetime
    due: datetime
    ended: datetime | None
    ok: bool
    slowness: float
    steps: int
    seed: int
    campaign: CampaignRun | None = None

    @property
    def milliseconds(self) -> int | None:
        """How long it took; None while it runs."""
        return None if self.ended is None else int((self.ended - self.started).total_seconds() * 1000)


@dataclass(eq=False)
class CampaignRun:
    """One run of a campaign on a device."""

    id: UUID
    campaign: Campaign
    device: Device
    started: datetime
    ended: datetime | None = None
    runs: list[Run] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Every script went well."""
        return all(run.ok for run in self.runs)

    @property
    def execution_id(self) -> str:
        """The platform's name of the run: the second it began in, and eight hexadecimal digits."""
        return f"campaign_exec_{int(self.started.timestamp())}_{self.id.hex[:8]}"


@dataclass(eq=False)
class Turn:
    """One time that a schedule came due; without a run the device was taken."""

    id: UUID
    schedule: Schedule
    at: datetime
    run: Run | None


@dataclass
class Plan:
    """All of it, each list by time."""

    runs: list[Run] = field(default_factory=list)
    campaigns: list[CampaignRun] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)

    def set_steps(self, total: int) -> None:
        """Give the runs that walk `total` steps altogether, to each in proportion to what it has."""
        walking = [run for run in self.runs if run.steps]
        weight = sum(run.steps for run in walking)
        passed = given = 0
        for run in walking:
            passed += run.steps
            share = total * passed // weight
            run.steps, given = share - given, share


def new_id(rng: Random) -> UUID:
    """A random id that the generator's seed decides."""
    return UUID(int=rng.getrandbits(128), version=4)


def step_count(script: Script, rng: Random) -> int:
    """How many actions and verifications a run of `script` usually has."""
    if not script.walks:
        return 0
    if script is VALIDATION:
        return rng.randint(12, 20)
    return rng.randint(3, 5) if script is GOTO else rng.randint(4, 8)


def new_run(
    rng: Random, story: Story, device: Device, script: Script, at: datetime, campaign: CampaignRun | None
) -> Run:
    """A run that starts at `at`; `due` is when it will be over."""
    ok = rng.random() >= story.risk(device, script, campaign.campaign if campaign else None, at)
    slowness = story.slowness(device, at)
    seconds = rng.uniform(*script.seconds) * slowness
    if not ok:  # most stop where they fail, some wait for something that never comes
        seconds *= 1.8 if rng.random() < 0.1 else rng.uniform(0.3, 0.9)
    due = at + timedelta(milliseconds=int(seconds * 1000))
    steps = step_count(script, rng)
    if not ok and steps:
        steps = rng.randint(1, steps)
    return Run(new_id(rng), device, script, at, due, due, ok, slowness, steps, rng.getrandbits(48), campaign)


def make(lab: Lab, story: Story) -> Plan:
    """The plan of `story` for the whole lab. The same lab and story give the same plan."""
    plan = Plan()
    idle: list[Device] = []
    for device in lab.devices:
        rng = Random(f"plan {lab.seed} {story.until.isoformat()} {device.index}")
        free = _live(plan, lab, story, device, rng)
        if free < story.until - timedelta(minutes=11) and not story.is_silent(device.host.name, story.until):
            idle.append(device)
    if story.ends_now:
        _busy_now(plan, lab, story, idle)
    plan.runs.sort(key=lambda run: (run.started, run.device.index))
    plan.campaigns.sort(key=lambda run: (run.started, run.device.index))
    plan.turns.sort(key=lambda turn: (turn.at, turn.schedule.name))
    return plan


@dataclass(frozen=True, order=True)
class _Wish:
    """Something that wants the device at a time."""

    at: datetime
    order: int
    what: Campaign | Schedule | Script = field(compare=False)


def _wishes(lab: Lab, story: Story, device: Device, rng: Random) -> list[_Wish]:
    found = []
    schedules = [schedule for schedule in lab.schedules if schedule.device is device]
    hour = story.start.replace(minute=0, second=0, microsecond=0)
    while hour < story.until:
        for schedule in schedules:
            if hour.hour % schedule.hours == 0:
                found.append(_Wish(hour + timedelta(minutes=schedule.minute), 1, schedule))
        for number, campaign in enumerate(CAMPAIGNS):
            begin = campaign.minute + device.index * 7 % 40
            if begin // 60 == hour.hour and hour.weekday() in campaign.weekdays and device.index % campaign.every == 0:
                found.append(
                    _Wish(hour + timedelta(minutes=begin % 60, seconds=rng.randrange(50)), 2 + number, campaign)
                )
        for _ in range(_poisson(rng, activity(hour))):
            script = rng.choices(AD_HOC, _AD_HOC_WEIGHTS)[0]
            found.append(_Wish(hour + timedelta(seconds=rng.randrange(3600)), 9, script))
        hour += timedelta(hours=1)
    return sorted(wish for wish in found if story.start <= wish.at < story.until)


def _poisson(rng: Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1.0)
    while left < mean:
        count += 1
        left += rng.expovariate(1.0)
    return count


def _live(plan: Plan, lab: Lab, story: Story, device: Device, rng: Random) -> datetime:
    """Add all that the device does, one thing after the other; return when it is free again."""
    free = story.start
    host = device.host.name
    for wish in _wishes(lab, story, device, rng):
        if story.is_silent(host, wish.at):
            continue
        match wish.what:
            case Schedule():
                run = None
                if wish.at >= free:
                    run = new_run(
                        rng, story, device, wish.what.script, wish.at + timedelta(milliseconds=rng.randrange(900)), None
                    )
                    free = _settle(plan, story, run)
                plan.turns.append(Turn(new_id(rng), wish.what, wish.at, run))
            case Campaign():
                at = max(wish.at, free + timedelta(seconds=20))
                if at < story.until and not story.is_silent(host, at):
                    free = _run_campaign(plan, story, CampaignRun(new_id(rng), wish.what, device, at), rng)
            case Script():
                if wish.at >= free:
                    free = _settle(plan, story, new_run(rng, story, device, wish.what, wish.at, None))
    return free


def _settle(plan: Plan, story: Story, run: Run) -> datetime:
    """Take the run into the plan, cut off by an outage or by the end of the story; return when the device is free."""
    plan.runs.append(run)
    outage = story.outage_within(run.device.host.name, run.started, run.due)
    if outage is not None:
        run.ended, run.ok = None, False
        return outage.end
    if run.due >= story.until:
        run.ended, run.ok = None, False
    return run.due


def _run_campaign(plan: Plan, story: Story, campaign: CampaignRun, rng: Random) -> datetime:
    plan.campaigns.append(campaign)
    at = campaign.started
    for name in campaign.campaign.scripts:
        run = new_run(
            rng, story, campaign.device, SCRIPT_BY_NAME[name], at + timedelta(seconds=rng.uniform(1, 6)), campaign
        )
        if run.started >= story.until or story.is_silent(campaign.device.host.name, run.started):
            return run.started
        campaign.runs.append(run)
        at = _settle(plan, story, run)
        if run.ended is None:
            return at
    campaign.ended = at + timedelta(seconds=2)
    if campaign.ended >= story.until:
        campaign.ended = None
    return at


def _busy_now(plan: Plan, lab: Lab, story: Story, idle: list[Device]) -> None:
    """Let a campaign and a few scripts be under way at the end, on devices that have nothing to do."""
    rng = Random(f"now {lab.seed} {story.until.isoformat()}")
    for device, (script, seconds) in zip(idle, _scenes(), strict=False):
        if script is None:
            campaign = CampaignRun(new_id(rng), CAMPAIGNS[1], device, story.until - timedelta(minutes=8))
            plan.campaigns.append(campaign)
            for number, name in enumerate(CAMPAIGNS[1].scripts):
                begin = campaign.started + timedelta(minutes=3 * number, seconds=4)
                run = new_run(rng, story, device, SCRIPT_BY_NAME[name], begin, campaign)
                run.due = begin + timedelta(minutes=2, seconds=50)
                run.ended, run.ok = (run.due, True) if run.due < story.until else (None, False)
                campaign.runs.append(run)
                plan.runs.append(run)
            continue
        run = new_run(rng, story, device, script, story.until - timedelta(seconds=seconds), None)
        run.ended, run.ok = None, False
        plan.runs.append(run)


def _scenes() -> Iterator[tuple[Script | None, int]]:
    """A script and for how many seconds it has been running; None is the campaign."""
    yield FULLZAP, 95
    yield None, 0
    yield GOTO, 12
    yield VALIDATION, 210
    yield TESTS[0], 31
