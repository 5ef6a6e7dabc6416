"""A classic dashboard document (JSON) read into plain values: what to ask, how to draw it, and what is wrong with it.

The shapes are Grafana's classic model, schemaVersion 16 to 42; older shapes are migrated first (`migrations`). Reading
never fails for a part of a document: the part gets its default and a `Problem` that names its JSON path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from apps.panels.datasource import DataSource, data_source
from apps.panels.json_reader import JsonObject, Problem, Reader, kind_of
from apps.panels.migrations import NEWEST, OLDEST, migrated
from apps.panels.variables import Variable, read_variable

COLUMNS: Final = 24
"""Width of the grid in columns; heights are in rows of 30 px with 8 px between."""
MAX_PANELS: Final = 1000


class InvalidDocumentError(ValueError):
    """The document is no classic dashboard at all. `problems` says why, each with its JSON path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


@dataclass(frozen=True)
class Grid:
    """Where a panel stands, in grid columns (x, w) and rows (y, h)."""

    x: int = 0
    y: int = 0
    w: int = 12
    h: int = 8


@dataclass(frozen=True)
class Target:
    """A query of a panel. `raw_sql` is empty for a target that is no SQL; `fields` has the target as it was written,
    `path` says where in the document."""

    ref_id: str
    raw_sql: str
    format: Literal["table", "time_series"] = "time_series"
    hide: bool = False
    datasource: DataSource | None = None
    fields: JsonObject = field(default_factory=dict)
    path: str = ""


@dataclass(frozen=True)
class Link:
    """A link of a panel or dashboard. `fields` has what only some kinds of links carry (tags, icon, tooltip)."""

    title: str
    url: str
    new_tab: bool = False
    kind: str = "link"
    fields: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Library:
    """A reference to a library panel, which the document itself does not contain."""

    uid: str
    name: str


@dataclass(frozen=True)
class Panel:
    """A panel or, with type `row`, a row; `children` are the panels inside a collapsed row.

    `id` is unique in the dashboard, `path` says where in the document the panel stands. `interval` (`1m`, may hold a
    variable), `time_from` and `time_shift` (`2h`) are empty when not set. `clone_of` and `scoped` are set on the copies
    that a repeat makes: the id of the panel in the document, and the value of each repeated variable.
    """

    id: int
    type: str
    title: str = ""
    description: str = ""
    grid: Grid = Grid()
    targets: tuple[Target, ...] = ()
    datasource: DataSource | None = None
    field_config: JsonObject = field(default_factory=dict)
    options: JsonObject = field(default_factory=dict)
    transformations: tuple[JsonObject, ...] = ()
    interval: str = ""
    max_data_points: int | None = None
    time_from: str = ""
    time_shift: str = ""
    hide_time_override: bool = False
    links: tuple[Link, ...] = ()
    transparent: bool = False
    repeat: str = ""
    repeat_direction: Literal["h", "v"] = "h"
    max_per_row: int | None = None
    collapsed: bool = False
    children: tuple[Panel, ...] = ()
    library: Library | None = None
    plugin_version: str = ""
    path: str = ""
    clone_of: int | None = None
    scoped: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_row(self) -> bool:
        """Whether this is a row of panels."""
        return self.type == "row"


@dataclass(frozen=True)
class TimeSettings:
    """The dashboard's default time range, as it was written (`now-6h`, `now`)."""

    from_: str = "now-6h"
    to: str = "now"


@dataclass(frozen=True)
class Annotation:
    """A source of annotations. The one that is built in asks Grafana's own store, not a database."""

    name: str
    enabled: bool
    hidden: bool
    built_in: bool
    raw_sql: str = ""
    color: str = ""
    datasource: DataSource | None = None
    fields: JsonObject = field(default_factory=dict)


@dataclass(frozen=True)
class Dashboard:
    """A dashboard. `panels` are in the document's order, rows among them; `problems` are those that reading met."""

    uid: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    schema_version: int = NEWEST
    time: TimeSettings = TimeSettings()
    refresh: str = ""
    timezone: str = "browser"
    week_start: str = ""
    fiscal_year_start_month: int = 0
    shared_crosshair: bool = False
    variables: tuple[Variable, ...] = ()
    panels: tuple[Panel, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()

    def all_panels(self) -> Iterator[Panel]:
        """The panels that are no rows, also those inside collapsed rows."""
        for panel in self.panels:
            if not panel.is_row:
                yield panel
            yield from panel.children

    def panel(self, panel_id: int) -> Panel | None:
        """The panel with that id, rows among them."""
        for panel in self.panels:
            for found in (panel, *panel.children):
                if found.id == panel_id:
                    return found
        return None

    def variable(self, name: str) -> Variable | None:
        """The variable of that name."""
        return next((variable for variable in self.variables if variable.name == name), None)


def read_dashboard(document: object) -> Dashboard:
    """The dashboard of a decoded JSON document: bare, in the envelope of Grafana's HTTP API (`{"dashboard": ...}`), or
    as a resource (`{"apiVersion", "metadata", "spec"}`) of the classic schema.

    Raises InvalidDocumentError when it is none.
    """
    body = classic_body(document)
    migrated_body, warnings = migrated(body)
    reader = Reader(migrated_body, "", list(warnings))
    version = Reader(body, "").integer("schemaVersion", OLDEST - 1 if "rows" in body else NEWEST)
    time = reader.inside("time")
    templating = reader.inside("templating")
    if not reader.text("title").strip():
        reader.complain("title", "The dashboard has no title")
    panels = _panels(reader)
    return Dashboard(
        uid=reader.text("uid"),
        title=reader.text("title"),
        description=reader.text("description"),
        tags=reader.texts("tags"),
        schema_version=version,
        time=TimeSettings(time.text("from", "now-6h"), time.text("to", "now")),
        refresh=reader.text("refresh") if reader.fields.get("refresh") is not False else "",
        timezone=reader.text("timezone") or "browser",
        week_start=reader.text("weekStart"),
        fiscal_year_start_month=reader.integer("fiscalYearStartMonth"),
        shared_crosshair=reader.integer("graphTooltip") > 0,
        variables=tuple(_variables(templating)),
        panels=panels,
        annotations=tuple(_annotation(each) for each in reader.inside("annotations").objects("list")),
        links=tuple(_links(reader)),
        problems=tuple(reader.problems),
    )


def classic_body(document: object) -> JsonObject:
    """The classic dashboard inside `document`, taken out of its envelope, otherwise as it was written.

    Raises InvalidDocumentError when there is none.
    """
    if not isinstance(document, dict):
        raise InvalidDocumentError([Problem("", f"The document is {kind_of(document)}, not an object")])
    if isinstance(document.get("dashboard"), dict) and "panels" not in document:
        return classic_body(document["dashboard"])
    if "apiVersion" in document and "spec" in document:
        spec = document["spec"]
        if not isinstance(spec, dict):
            raise InvalidDocumentError([Problem("spec", f"This is {kind_of(spec)}, not an object")])
        metadata = document.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        return classic_body({**spec, "uid": spec.get("uid") or name})
    if "elements" in document and "layout" in document:
        text = "This dashboard has Grafana's schema v2; export it as classic JSON (schema v1)"
        raise InvalidDocumentError([Problem("elements", text)])
    if not isinstance(document.get("panels", document.get("rows")), list):
        raise InvalidDocumentError([Problem("panels", "A dashboard has a list of panels here")])
    if len(document.get("panels") or ()) > MAX_PANELS:
        raise InvalidDocumentError([Problem("panels", f"A dashboard has at most {MAX_PANELS} panels")])
    return document


def _panels(dashboard: Reader) -> tuple[Panel, ...]:
    taken: set[int] = set()
    readers = list(dashboard.objects("panels"))
    children = [(reader, list(reader.objects("panels"))) for reader in readers]
    numbered = [each for reader, inside in children for each in (reader, *inside)]
    ids: dict[str, int] = {}
    for reader in numbered:
        number = reader.number("id")
        if number is not None and 0 < number == int(number) and int(number) not in taken:
            ids[reader.path] = int(number)
            taken.add(int(number))
    free = max(taken, default=0)
    for reader in numbered:
        if reader.path not in ids:
            free += 1
            ids[reader.path] = free
            found = reader.fields.get("id")
            if found is not None:
                reader.complain("id", f"Another panel has the id {found}, or it is no id; it counts as {free} here")
    return tuple(_panel(reader, ids, inside) for reader, inside in children)


def _panel(reader: Reader, ids: Mapping[str, int], children: Iterable[Reader] = ()) -> Panel:
    kind = reader.text("type")
    library = reader.inside("libraryPanel") if reader.fields.get("libraryPanel") else None
    if not kind and library is None:
        reader.complain("type", "The panel names no type")
    grid = reader.inside("gridPos")
    is_row = kind == "row"
    size = Grid(0, 0, COLUMNS, 1) if is_row else Grid()
    width = min(max(grid.integer("w", size.w), 1), COLUMNS)
    per_row = reader.integer("maxPerRow")
    points = reader.integer("maxDataPoints")
    return Panel(
        id=ids[reader.path],
        type=kind or "library",
        title=reader.text("title"),
        description=reader.text("description"),
        grid=Grid(
            min(max(grid.integer("x"), 0), COLUMNS - width),
            max(grid.integer("y"), 0),
            width,
            max(grid.integer("h", size.h), 1),
        ),
        targets=tuple(_targets(reader)),
        datasource=data_source(reader.fields.get("datasource")),
        field_config=reader.mapping("fieldConfig"),
        options=reader.mapping("options"),
        transformations=tuple(each.fields for each in reader.objects("transformations")),
        interval=reader.text("interval"),
        max_data_points=points if points > 0 else None,
        time_from=reader.text("timeFrom"),
        time_shift=reader.text("timeShift"),
        hide_time_override=reader.flag("hideTimeOverride"),
        links=tuple(_links(reader)),
        transparent=reader.flag("transparent"),
        repeat=reader.text("repeat"),
        repeat_direction="v" if reader.fields.get("repeatDirection") == "v" else "h",
        max_per_row=per_row if per_row > 0 else None,
        collapsed=is_row and reader.flag("collapsed"),
        children=tuple(_panel(child, ids) for child in children) if is_row else (),
        library=Library(library.text("uid"), library.text("name")) if library else None,
        plugin_version=reader.text("pluginVersion"),
        path=reader.path,
    )


def _targets(panel: Reader) -> Iterator[Target]:
    taken: set[str] = set()
    for reader in panel.objects("targets"):
        name = reader.text("refId")
        if not name or name in taken:
            free = next(letter for letter in _ref_ids() if letter not in taken)
            if name:
                reader.complain("refId", f"Another query of this panel is called {name}; it counts as {free}")
            name = free
        taken.add(name)
        form = reader.fields.get("format")
        if form not in (None, "table", "time_series", 0, 1):
            reader.complain("format", f"The format {form!r} is unknown; it is read as a table", "warning")
        yield Target(
            ref_id=name,
            raw_sql=reader.text("rawSql"),
            # Grafana stores numbers in some versions: 0 is time series, 1 is table. Without a format it is time_series.
            format="time_series" if form in (None, "time_series", 0) else "table",
            hide=reader.flag("hide"),
            datasource=data_source(reader.fields.get("datasource")),
            fields=reader.fields,
            path=reader.path,
        )


def _ref_ids() -> Iterator[str]:
    yield from "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    yield from (f"A{number}" for number in range(1, MAX_PANELS * 100))


def _links(owner: Reader) -> Iterator[Link]:
    for reader in owner.objects("links"):
        yield Link(
            title=reader.text("title"),
            url=reader.text("url"),
            new_tab=reader.flag("targetBlank"),
            kind=reader.text("type", "link"),
            fields=reader.fields,
        )


def _variables(templating: Reader) -> Iterator[Variable]:
    names: set[str] = set()
    for reader in templating.objects("list"):
        name = reader.text("name")
        if not name:
            reader.complain("name", "The variable has no name")
        elif name in names:
            reader.complain("name", f"Another variable is called {name}")
        else:
            names.add(name)
            yield read_variable(reader)


def _annotation(reader: Reader) -> Annotation:
    target = reader.inside("target")
    return Annotation(
        name=reader.text("name"),
        enabled=reader.flag("enable", True),
        hidden=reader.flag("hide"),
        built_in=bool(reader.fields.get("builtIn")),
        raw_sql=target.text("rawSql") or reader.text("rawQuery"),
        color=reader.text("iconColor"),
        datasource=data_source(reader.fields.get("datasource")),
        fields=reader.fields,
    )
