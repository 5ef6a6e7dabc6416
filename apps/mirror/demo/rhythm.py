"""When things happen in the made-up lab and how well they go: office hours, outages, a device that goes bad, drift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from apps.mirror.demo.cast import Campaign, Device, Host, Script
from apps.mirror.demo.lab import Lab

HOST_PING: Final = timedelta(minutes=5)
SERVER_PING: Final = timedelta(minutes=1)
METRIC_DAYS: Final = 7
"""The platform deletes pings after seven days."""

_OFFICE: Final = (
    (0.02,) * 6 + (0.1, 0.4, 0.9, 1.3, 1.4, 1.2, 0.7, 1.1, 1.4, 1.3, 1.0, 0.6, 0.3, 0.15, 0.1, 0.05, 0.03, 0.02)
)  # fmt: skip


def activity(at: datetime) -> float:
    """How busy people are with the lab: about 1 in office hours (UTC), little at night, a sixth at weekends."""
    return _OFFICE[at.hour] * (1.0 if at.weekday() < 5 else 1 / 6)


@dataclass(frozen=True)
class Outage:
    """A host is silent in [start, end)."""

    host_name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Story:
    """What happens to a lab between `start` and `until`.

    With `ends_now` it is the tale of a fresh lab: things get better or worse, and some scripts and a campaign are
    running at its end. Without, it is an ordinary stretch of time after such a tale.
    """

    start: datetime
    until: datetime
    outages: tuple[Outage, ...] = ()
    bad_device: int | None = None
    bad_since: datetime | None = None
    drifting: str | None = None
    ends_now: bool = False

    def progress(self, at: datetime) -> float:
        """0 at the start, 1 at the end; always 1 in an ordinary stretch."""
        if not self.ends_now:
            return 1.0
        length = (self.until - self.start).total_seconds()
        return min(1.0, max(0.0, (at - self.start).total_seconds() / length)) if length else 1.0

    def is_silent(self, host_name: str, at: datetime) -> bool:
        """Whether an outage of the host covers `at`."""
        return any(outage.host_name == host_name and outage.start <= at < outage.end for outage in self.outages)

    def outage_within(self, host_name: str, start: datetime, end: datetime) -> Outage | None:
        """The outage of the host that begins in (start, end), if any."""
        return next((o for o in self.outages if o.host_name == host_name and start < o.start < end), None)

    def illness(self, device: Device, at: datetime) -> float:
        """How bad the device that goes bad has become: 0 for all others, towards 1 at the end."""
        if device.index != self.bad_device or self.bad_since is None or at < self.bad_since:
            return 0.0
        length = (self.until - self.bad_since).total_seconds()
        return min(1.0, 0.35 + 0.65 * (at - self.bad_since).total_seconds() / length) if length else 1.0

    def risk(self, device: Device, script: Script, campaign: Campaign | None, at: datetime) -> float:
        """The chance of `script` to fail on `device`, 0 to 0.95."""
        chance = script.risk if script.flaky else script.risk * device.temper
        if campaign is not None and campaign.improving:
            chance += 0.2 * (1 - self.progress(at)) ** 1.5
        return min(0.95, max(chance, 0.75 * self.illness(device, at)))

    def slowness(self, device: Device, at: datetime) -> float:
        """What times are multiplied by: the device's pace, one interface's drift, some in office hours."""
        drift = 0.35 * self.progress(at) if device.interface.name == self.drifting else 0.0
        return device.pace * (1 + drift) * (1 + 0.06 * activity(at)) * (1 + 0.5 * self.illness(device, at))


def story_of(lab: Lab, start: datetime, until: datetime) -> Story:
    """The story that a fresh demo lab tells about the time from `start` to `until`, which is the present.

    One host was out for some hours in the last week and another one has been silent for most of an hour; one device
    goes bad over the last days; one interface slows down all the time.
    """
    length = until - start
    recent = min(length, timedelta(days=METRIC_DAYS))
    outages: list[Outage] = []
    hosts: tuple[Host, ...] = lab.hosts
    if len(hosts) > 1:
        begin = until - recent * 0.45
        outages.append(
            Outage(hosts[len(hosts) // 4].name, begin, begin + min(timedelta(hours=4, minutes=30), recent / 6))
        )
        silent = hosts[-1 - len(hosts) // 4]
        outages.append(Outage(silent.name, until - min(timedelta(minutes=47), recent / 10), until + timedelta(days=1)))
    well = [d for d in lab.devices if not any(o.host_name == d.host.name and o.end > until for o in outages)]
    return Story(
        start=start,
        until=until,
        outages=tuple(outages),
        bad_device=well[len(well) // 3].index,
        bad_since=until - min(timedelta(days=4), length / 3),
        drifting="horizon_android_tv",
        ends_now=True,
    )
