"""Reconcile the registered dashboards with the Grafanas that the portal manages."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.dashboards import revisions
from apps.dashboards.author import Author
from apps.dashboards.models import Dashboard
from apps.grafana import from_environment, plan_file, service
from apps.grafana.edits import differences_of
from apps.grafana.errors import GrafanaError, Unauthorised
from apps.grafana.models import GrafanaInstance, SyncRun
from apps.grafana.outcome import Exit, Result, as_json, worst
from apps.grafana.plan_file import Plan, PlanFileError
from apps.grafana.run import CONCURRENCY, GuardError, Watcher, preview, run
from apps.grafana.run_lock import AlreadyRunningError
from apps.grafana.selection import SelectionError, Wishes
from apps.grafana.telling import Lines, Progress, summary

MOST_AT_ONCE = 64


class Command(BaseCommand):
    """Parses, makes one call per Grafana, and tells what came of it."""

    help = (
        "Reconcile the registered dashboards with Grafana: push what changed here, and do about edits made there what "
        "each dashboard's policy says. Exit codes: 0 done or in sync, 1 error, 2 usage, 3 changes pending (--check), "
        "4 done in part, 5 conflict or stale plan, 6 refused by a guard, 7 credentials refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        way = parser.add_mutually_exclusive_group()
        way.add_argument("--dry-run", action="store_true", help="tell what would be done, and write nothing")
        way.add_argument("--diff", action="store_true", help="the same, with the differences panel by panel")
        way.add_argument("--check", action="store_true", help="write nothing; exit code 3 when changes are pending")
        way.add_argument("--plan", metavar="FILE", type=Path, help="write what would be done to a file")
        way.add_argument(
            "--apply", metavar="FILE", type=Path, help="do what a plan says, unless anything moved since it was made"
        )
        side = parser.add_mutually_exclusive_group()
        side.add_argument(
            "--pull", action="store_true", help="take edits made in Grafana; with --uid or --folder also the "
            "dashboards that nobody registered yet",
        )  # fmt: skip
        side.add_argument("--force", action="store_true", help="write ours over edits, which the history keeps")
        parser.add_argument("--prune", action="store_true", help="delete there what we made and is registered no more")
        parser.add_argument("--restore", action="store_true", help="register retired ones (--uid) again and push them")
        parser.add_argument("--uid", action="append", default=[], dest="uids", help="only this dashboard; repeatable")
        parser.add_argument("--folder", default="", help="only what lies in or below it, by uid or title")
        parser.add_argument("--team", default="", help="only this team's, by id or name")
        parser.add_argument("--instance", action="append", default=[], dest="instances", help="only this Grafana")
        parser.add_argument("--concurrency", type=int, default=CONCURRENCY, help="requests at a time (8)")
        parser.add_argument("--full", action="store_true", help="read every body, whatever Grafana's list says")
        parser.add_argument("--reason", default="", help="is kept with the run, and stands in Grafana's versions")
        parser.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            results = self._results(options)
        except (SelectionError, PlanFileError) as error:
            raise CommandError(str(error), returncode=Exit.USAGE) from None
        if options["format"] == "json":
            self.stdout.write(json.dumps(as_json(results), indent=1, ensure_ascii=False))
        else:
            for result in results:
                for line in summary(result, verbose=options["verbosity"] > 1):
                    self.stdout.write(line)
        if code := worst(results):
            sys.exit(int(code))

    def _results(self, options: dict[str, Any]) -> list[Result]:
        if not 1 <= options["concurrency"] <= MOST_AT_ONCE:
            raise SelectionError(f"--concurrency takes 1 to {MOST_AT_ONCE}")
        author = Author("sync_dashboards", options["reason"])
        follow: dict[str, Plan] = {}
        if options["apply"] is not None:
            follow, wishes = _saved(options)
        else:
            wishes = Wishes(
                uids=tuple(options["uids"]),
                **{name: options[name] for name in ("folder", "team", "force", "pull", "prune", "full")},
            )
        instances = _instances(list(follow) or options["instances"])
        writes = not any(options[name] for name in ("dry_run", "diff", "check", "plan"))
        if options["restore"]:
            _restore(options["uids"], author, writes)
        results = []
        if options["pull"] and writes:
            results = [one for instance in instances for one in self._registered(instance, options, author)]
            if worst(results):
                return results
        results += [
            self._result(instance, wishes, author, options, follow.get(instance.name)) for instance in instances
        ]
        if options["plan"] is not None and all(result.plan is not None for result in results):
            plans = [result.plan for result in results if result.plan is not None]
            try:
                plan_file.write(options["plan"], plans, _kept(wishes))
            except OSError as error:
                raise PlanFileError(f"{options['plan']} cannot be written: {error.strerror}") from None
        return results

    def _result(
        self, instance: GrafanaInstance, wishes: Wishes, author: Author, options: dict[str, Any], follow: Plan | None
    ) -> Result:
        watcher = self._watcher(instance.name, options)
        looking = {"concurrency": options["concurrency"], "watcher": watcher}
        try:
            if options["dry_run"] or options["diff"] or options["plan"]:
                draft = preview(instance, wishes, **looking)
                told = {item.uid: sides for item in draft.items if options["diff"] and (sides := differences_of(item))}
                return Result(instance.name, Exit.DONE, draft.plan, differences=told)
            report = run(
                instance,
                wishes,
                author=author,
                cause=SyncRun.Cause.COMMAND,
                what="check" if options["check"] else "sync",
                only_check=options["check"],
                follow=follow,
                **looking,
            )
            return Result.of_run(report, checked=options["check"])
        except AlreadyRunningError as error:
            return Result(instance.name, Exit.ERROR, error=str(error))
        except GuardError as error:
            return Result(instance.name, Exit.GUARD, error=str(error))
        except GrafanaError as error:
            return _refused(instance, error)
        finally:
            if isinstance(watcher, Progress):
                watcher.clear()

    def _watcher(self, name: str, options: dict[str, Any]) -> Watcher:
        if options["format"] == "json" or options["verbosity"] == 0:
            return Watcher()
        if self.stderr.isatty():
            return Progress(name, self._at_once)
        return Lines(name, partial(self.stdout.write, ending=""))

    def _at_once(self, text: str) -> None:
        self.stderr.write(text, lambda plain: plain, "")
        self.stderr.flush()

    def _registered(self, instance: GrafanaInstance, options: dict[str, Any], author: Author) -> list[Result]:
        """Register what `--pull` names in this Grafana and nobody registered; nothing where all of it is."""
        uids = set(options["uids"])
        uids -= set(Dashboard.objects.filter(uid__in=uids).values_list("uid", flat=True))
        try:
            if options["folder"]:
                uids |= {hit.uid for hit in service.found(instance) if hit.folder_uid == options["folder"]}
            if not uids:
                return []
            return [Result.of_run(service.register(instance, sorted(uids), author, cause=SyncRun.Cause.COMMAND))]
        except AlreadyRunningError as error:
            return [Result(instance.name, Exit.ERROR, error=str(error))]
        except GrafanaError as error:
            return [_refused(instance, error)]


def _refused(instance: GrafanaInstance, error: GrafanaError) -> Result:
    code = Exit.AUTHENTICATION if isinstance(error, Unauthorised) else Exit.ERROR
    return Result(instance.name, code, error=error.text)


def _instances(names: list[str]) -> list[GrafanaInstance]:
    if settings.GRAFANA_URL:
        from_environment.register()
    rows = GrafanaInstance.objects.filter(enabled=True)
    if names:
        rows = rows.filter(name__in=names)
        if unknown := sorted(set(names) - set(rows.values_list("name", flat=True))):
            raise SelectionError(f"no enabled Grafana instance is called {', '.join(unknown)}")
    found = list(rows)
    if not found:
        raise CommandError("No Grafana instance is registered and enabled. Set GRAFANA_URL, or add one in the admin.")
    return found


def _restore(uids: list[str], author: Author, writes: bool) -> None:
    if not uids:
        raise SelectionError("--restore needs --uid, since it registers dashboards again")
    rows = Dashboard.objects.filter(uid__in=uids)
    if unknown := sorted(set(uids) - {row.uid for row in rows}):
        raise SelectionError(f"no dashboard was ever registered under {', '.join(unknown)}")
    for row in rows if writes else ():
        revisions.bring_back(row, actor=author.name, reason=author.reason)


def _kept(wishes: Wishes) -> dict[str, Any]:
    return {**asdict(wishes), "dashboards": None}


def _saved(options: dict[str, Any]) -> tuple[dict[str, Plan], Wishes]:
    """The plans of a file, by instance, and the wishes they were made with."""
    if any(options[name] for name in ("uids", "folder", "team", "instances", "force", "pull", "prune", "restore")):
        raise SelectionError("--apply does what the plan says: leave out what narrows or widens it")
    try:
        plans, kept = plan_file.read(options["apply"])
        names = {one.name for one in fields(Wishes)}
        if set(kept) - names:
            raise PlanFileError(f"{options['apply']} has options that this program does not know")
        return {plan.instance: plan for plan in plans}, Wishes(**{**kept, "uids": tuple(kept.get("uids") or ())})
    except OSError as error:
        raise PlanFileError(f"{options['apply']} cannot be read: {error.strerror}") from None
