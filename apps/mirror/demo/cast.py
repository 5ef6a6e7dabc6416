"""Who and what plays in a made-up lab: teams, hosts, devices, interfaces, scripts, campaigns, schedules.

Ids are made by uuid5 from `NAMESPACE`, and hosts end in `.demo`: both tell demo rows from anybody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

NAMESPACE: Final = UUID("5d3e3a0e-5f0b-5c39-9a8e-6f6f6f1f0d01")
HOST_SUFFIX: Final = ".demo"
SERVERS: Final = (f"cloud{HOST_SUFFIX}", f"office{HOST_SUFFIX}")
DEVICES_PER_HOST: Final = 3
MAX_TEAMS: Final = 6
MAX_DEVICES: Final = 240


def demo_id(*parts: object) -> UUID:
    """The id of a thing of the demo lab, always the same for the same words."""
    return uuid5(NAMESPACE, "/".join(map(str, parts)))


@dataclass(frozen=True)
class Team:
    """A team of the lab."""

    id: UUID
    name: str
    description: str


@dataclass(frozen=True)
class Screen:
    """A node of a navigation tree."""

    node_id: str
    label: str
    kind: str
    x: int
    y: int


@dataclass(frozen=True)
class Way:
    """An edge of a navigation tree, walkable both ways. `kpi_ms` is the usual time until the target shows."""

    edge_id: str
    source: str
    target: str
    command: str
    kpi_ms: int

    @property
    def forth(self) -> str:
        """The action set that leads from source to target."""
        return f"{self.source}_to_{self.target}"

    @property
    def back(self) -> str:
        """The action set that leads from target to source."""
        return f"{self.target}_to_{self.source}"


@dataclass(frozen=True)
class Tree:
    """A map of screens. A nested one hangs on `parent_node` of `parent_id`."""

    id: UUID
    name: str
    screens: tuple[Screen, ...]
    ways: tuple[Way, ...]
    parent_id: UUID | None = None
    parent_node: str | None = None


@dataclass(frozen=True)
class Interface:
    """A user interface under test, with its root tree and the one nested in it."""

    id: UUID
    team: Team
    name: str
    model: str
    trees: tuple[Tree, Tree]


@dataclass(frozen=True)
class Kind:
    """A kind of device: its model, how people call such devices, and what drives them."""

    model: str
    names: tuple[str, ...]
    interface: str
    controllers: tuple[tuple[str, str], ...]
    types: tuple[str, ...]
    remote: str


@dataclass(frozen=True)
class Host:
    """A computer in a rack, with `team`'s devices at its ports."""

    name: str
    team: Team
    index: int


@dataclass(frozen=True)
class Device:
    """A device under test. `temper` multiplies its chance to fail, `pace` its times."""

    id: UUID
    index: int
    host: Host
    port: str
    name: str
    kind: Kind
    interface: Interface
    temper: float
    pace: float

    @property
    def team(self) -> Team:
        return self.host.team

    @property
    def capture_folder(self) -> str:
        return f"capture{self.port.removeprefix('device')}"

    @property
    def video_device(self) -> str:
        return f"/dev/video{2 * (int(self.port.removeprefix('device')) - 1)}"


@dataclass(frozen=True)
class Script:
    """Something that runs on a device: `seconds` is how long, `risk` the usual chance to fail.

    `test` scripts are test cases; `flaky` ones fail at random, whatever the device.
    """

    name: str
    seconds: tuple[int, int]
    risk: float
    test: bool = False
    flaky: bool = False
    weight: float = 1.0
    title: str = ""
    kind: str = "functional"

    @property
    def script_type(self) -> str:
        return "testcase" if self.test else self.name

    @property
    def walks(self) -> bool:
        """Whether it moves through the interface; the others only measure the network or read the device."""
        return self.name not in {"smartping", "dns_lookuptime", "device_get_info"}


GOTO: Final = Script("goto", (25, 60), 0.03, weight=3.0)
VALIDATION: Final = Script("validation", (240, 600), 0.07)
FULLZAP: Final = Script("fullzap", (150, 420), 0.05, weight=1.5)
SMARTPING: Final = Script("smartping", (18, 40), 0.02, weight=0.6)
DNS: Final = Script("dns_lookuptime", (4, 11), 0.015, weight=0.4)
GET_INFO: Final = Script("device_get_info", (25, 60), 0.02, weight=0.4)
TESTS: Final = (
    Script("login_smoke", (45, 90), 0.03, test=True, title="Sign in with a known account"),
    Script("live_playback", (60, 150), 0.04, test=True, weight=1.5, title="Live picture within five seconds"),
    Script("vod_resume", (90, 200), 0.24, test=True, flaky=True, title="A film resumes where it was left"),
    Script("settings_roundtrip", (50, 110), 0.03, test=True, title="A changed setting survives a restart"),
    Script("epg_browse", (60, 120), 0.05, test=True, title="Seven days of programme guide"),
    Script("search_title", (40, 100), 0.15, test=True, flaky=True, title="Search finds a title by three letters"),
    Script("standby_wakeup", (70, 160), 0.06, test=True, kind="robustness", title="Wakes up from standby"),
    Script("zapping_speed", (80, 180), 0.05, test=True, kind="performance", title="Zaps faster than two seconds"),
)
SCRIPTS: Final = (GOTO, VALIDATION, FULLZAP, SMARTPING, DNS, GET_INFO, *TESTS)
SCRIPT_BY_NAME: Final = {script.name: script for script in SCRIPTS}


@dataclass(frozen=True)
class Campaign:
    """A list of scripts run in a row. `minute` of the day (UTC), `weekdays` with Monday as 0.

    `every` is how many devices share it: 1 for all. `improving` ones fail often at first and seldom at the end.
    """

    name: str
    description: str
    scripts: tuple[str, ...]
    minute: int
    weekdays: tuple[int, ...]
    every: int = 1
    improving: bool = False


CAMPAIGNS: Final = (
    Campaign(
        "Nightly regression",
        "Every device, every night",
        ("validation", "fullzap", "live_playback", "vod_resume", "epg_browse"),
        22 * 60 + 30,
        (0, 1, 2, 3, 4, 5, 6),
        improving=True,
    ),
    Campaign(
        "Smoke after build",
        "The quick check of the build of the day",
        ("goto", "login_smoke", "live_playback"),
        11 * 60 + 15,
        (0, 1, 2, 3, 4),
        every=2,
    ),
    Campaign(
        "Weekend endurance",
        "Zapping for an hour while nobody is there",
        ("fullzap", "fullzap", "zapping_speed", "standby_wakeup"),
        9 * 60,
        (5, 6),
        every=3,
    ),
    Campaign(
        "Release candidate",
        "All that has to hold before a release",
        ("validation", "login_smoke", "settings_roundtrip", "search_title", "zapping_speed"),
        15 * 60 + 40,
        (1, 3),
        every=4,
    ),
)


@dataclass(frozen=True)
class Schedule:
    """A deployment: a script that a host starts on `device` by cron, at `minute` past every `hours`-th hour (UTC)."""

    id: UUID
    name: str
    device: Device
    script: Script
    parameters: str
    minute: int
    hours: int

    @property
    def cron(self) -> str:
        """Five cron fields."""
        every = "*" if self.hours == 1 else f"*/{self.hours}"
        return f"{self.minute} {every} * * *"

    def is_due(self, hour: int, minute: int) -> bool:
        """Whether it comes due in this minute of the day."""
        return minute == self.minute and hour % self.hours == 0


KINDS: Final = {
    kind.model: kind
    for kind in (
        Kind(
            "stb",
            ("Horizon STB", "Arris STB 4K", "Humax STB"),
            "horizon_tv",
            (("av", "hdmi_stream"), ("remote", "ir_remote"), ("power", "tapo"), ("verification", "image")),
            ("STB",),
            "ir_remote",
        ),
        Kind(
            "android_tv",
            ("Android TV Sony", "Android TV TCL", "Chromecast 4K"),
            "horizon_android_tv",
            (("av", "hdmi_stream"), ("remote", "android_tv"), ("power", "tapo"), ("verification", "adb")),
            ("TV", "Android"),
            "android_tv",
        ),
        Kind(
            "android_mobile",
            ("Pixel 8", "Galaxy S24", "Redmi Note 13"),
            "horizon_android_mobile",
            (("av", "camera_stream"), ("remote", "android_mobile"), ("power", "usb"), ("verification", "adb")),
            ("Phone", "Android"),
            "android_mobile",
        ),
        Kind(
            "apple_tv",
            ("Apple TV 4K", "Apple TV HD"),
            "horizon_apple_tv",
            (("av", "hdmi_stream"), ("remote", "appium"), ("power", "tapo"), ("verification", "ocr")),
            ("TV", "Apple"),
            "appium",
        ),
        Kind(
            "web",
            ("Chrome", "Firefox"),
            "perseus_360_web",
            (("av", "vnc_stream"), ("remote", "playwright"), ("verification", "web")),
            ("Web",),
            "playwright",
        ),
    )
}
RACKS: Final = (
    ("stb", "stb", "android_tv"),
    ("stb", "android_tv", "apple_tv"),
    ("stb", "stb", "web"),
    ("stb", "android_tv", "android_mobile"),
    ("android_mobile", "android_tv", "web"),
    ("apple_tv", "android_mobile", "web"),
    ("stb", "android_mobile", "web"),
    ("android_tv", "apple_tv", "android_mobile"),
)
"""What stands at the ports of each host, over and over."""

TEAMS: Final = (
    ("Living room", "Set-top boxes and televisions"),
    ("Apps", "Phones, browsers and streaming boxes"),
    ("Field trial", "Devices with selected households"),
    ("Partners", "Devices that partners certify"),
    ("Platform", "The platform's own checks"),
    ("Research", "Things to come"),
)
