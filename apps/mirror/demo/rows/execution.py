"""Scripts, steps, zaps, campaign runs, test runs and schedules' runs, from a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any, Final
from uuid import UUID

from apps.mirror.demo.cast import FULLZAP, Interface
from apps.mirror.demo.lab import campaign_id, profile_id, test_id
from apps.mirror.demo.plan import CampaignRun, Run, Turn, new_id
from apps.mirror.demo.rows.fleet import campaign_settings
from apps.mirror.demo.rows.navigation import Move, moves
from apps.mirror.demo.stream import Row

REPORTS: Final = "https://reports.example.com"
KPI_SHARE: Final = 0.45
"""The part of the actions whose KPI is measured."""
KPI_DELAY: Final = timedelta(seconds=90)
"""How long after an action its KPI is there, about."""

_TEST_RUN: Final = 0x7E57
_TEST_RESULT: Final = 0x7E58
"""What turns the id of a script run into those of its rows in the client's tables."""

_ERRORS: Final = (
    "Navigation failed: {source} → {target}",
    "Verification failed: image of {target} not found within 10 s",
    "Timeout: no answer from the remote after 15 s",
    "Black screen for 12 s after {target}",
)
_ZAP_ERRORS: Final = ("Zapping failed: no motion after channel up", "Zapping failed: black screen for 9 s")
_OTHER_ERRORS: Final = {
    "smartping": "Network unreachable",
    "dns_lookuptime": "DNS lookup timed out",
    "device_get_info": "Info screen not readable",
}


@cache
def _moves(interface: Interface) -> dict[str, tuple[Move, ...]]:
    return moves(interface)


def script_start(run: Run) -> dict[str, Any]:
    """The row as it is written when the script starts: no sign of running but that it has no duration."""
    return {
        "id": run.id,
        "team_id": run.device.team.id,
        "script_name": run.script.name,
        "script_type": run.script.script_type,
        "userinterface_name": run.device.interface.name,
        "host_name": run.device.host.name,
        "device_name": run.device.name,
        "success": False,
        "started_at": run.started,
        "completed_at": run.started,
        "metadata": {"device_id": run.device.port, "device_model": run.device.kind.model},
    }


def script_end(run: Run, ended: datetime) -> dict[str, Any]:
    """What is updated when the script is over."""
    rng = Random(run.seed)
    folder = f"{run.device.kind.model}/{run.script.name}_{run.started:%Y%m%d_%H%M%S}_{run.id.hex[:6]}"
    return {
        "success": run.ok,
        "completed_at": ended,
        "updated_at": ended,
        "execution_time_ms": int((ended - run.started).total_seconds() * 1000),
        "html_report_r2_path": f"script-reports/{folder}/report.html",
        "html_report_r2_url": f"{REPORTS}/script-reports/{folder}/report.html",
        "logs_r2_path": f"script-logs/{folder}/execution.txt",
        "logs_r2_url": f"{REPORTS}/script-logs/{folder}/execution.txt",
        "error_msg": None if run.ok else _error(run, rng),
        "metadata": _metadata(run, rng),
    }


def _error(run: Run, rng: Random) -> str:
    if not run.script.walks:
        return _OTHER_ERRORS[run.script.name]
    if run.script is FULLZAP:
        return rng.choice(_ZAP_ERRORS)
    source, options = rng.choice(list(_moves(run.device.interface).items()))
    return rng.choice(_ERRORS).format(source=source, target=rng.choice(options).target)


def _metadata(run: Run, rng: Random) -> dict[str, Any]:
    """What the script found, in the platform's shape for each script."""
    device = run.device
    match run.script.name:
        case "dns_lookuptime" if run.ok:
            return {
                "domain": "example.com",
                "lookup_time_ms": round(rng.gauss(18, 6) * run.slowness + 4, 1),
                "dns_server": "192.168.10.1",
                "dns_server_port": "53",
                "canonical_name": None,
                "ipv4_addresses": ["192.0.2.17", "192.0.2.18"],
                "ipv6_addresses": ["2001:db8::17"],
            }
        case "smartping" if run.ok:
            low, middle = round(rng.uniform(7, 10), 1), round(rng.uniform(10, 14) * run.slowness, 1)
            lost = rng.choice((0, 0, 0, 0, 0, 0, 1, 2))
            score = round(100 - 12 * lost - middle / 2, 1)
            return {
                "target": "example.com",
                "protocol": "icmp",
                "smartping_score": score,
                "status": "good" if score > 85 else "fair",
                "status_label": "Good" if score > 85 else "Fair",
                "rtt_min_ms": low,
                "rtt_avg_ms": middle,
                "rtt_max_ms": round(middle + rng.uniform(3, 25), 1),
                "jitter_ms": round(rng.uniform(0.4, 3), 1),
                "packet_loss_percent": lost,
                "hop_count": 3,
                "hops": [
                    {"hop": number, "address": f"198.51.100.{number}", "rtt_ms": round(low * number / 3, 1)}
                    for number in (1, 2, 3)
                ],
            }
        case "device_get_info" if run.ok:
            return {
                "info": {
                    "software_version": f"5.{2 + run.started.month % 3}.{run.started.day // 10}",
                    "serial_number": f"SN{device.index + 4711:06d}",
                    "model": device.kind.model,
                    "network": "ethernet" if device.kind.model != "android_mobile" else "wifi",
                },
                "extraction_timestamp": run.due.isoformat(),
                "element_count": rng.randint(11, 16),
                "device_name": device.name,
            }
    return {"device_id": device.port, "device_model": device.kind.model}


def script_results(runs: Iterable[Run]) -> Iterator[Row]:
    """Whole rows, with what an AI or a person said about some of the failures."""
    for run in runs:
        row = script_start(run)
        end = script_end(run, run.ended or run.due)
        row |= end if run.ended is not None else dict.fromkeys(end.keys() - row.keys())
        discard, check, comment = None, None, None
        if run.ended is not None and not run.ok:
            discard, check, comment = _judged(Random(run.seed + 1))
        yield {
            **row,
            "created_at": run.started,
            "updated_at": run.ended or run.started,
            "discard": bool(discard),
            "checked": check is not None,
            "check_type": check,
            "discard_comment": comment,
        }


def _judged(rng: Random) -> tuple[bool, str | None, str | None]:
    chance = rng.random()
    if chance < 0.55:
        return False, None, None
    if chance < 0.8:
        return False, "ai", None
    if chance < 0.93:
        return True, "ai", "The picture is right; the reference image is of an older version."
    return True, "ai_and_human", "The reference image is too strict.\n\nHuman: known, ticket is open"


def steps(run: Run, until: datetime) -> Iterator[dict[str, Any]]:
    """Actions and verifications of the run that happened before `until`, evenly over its time, in order.

    A failed run ends with a failed step. KPIs are there for what is older than `KPI_DELAY`, which the platform
    measures after the fact.
    """
    if not run.steps:
        return
    rng = Random(run.seed + 2)
    random, bits = rng.random, rng.getrandbits
    options = _moves(run.device.interface)
    device = run.device
    end = min(run.ended or run.due, until)
    gap = (end - run.started) / (run.steps + 1)
    fails_at = run.steps - 1 if run.ended is not None and not run.ok else -1
    context = "testcase" if run.script.test else "script"
    host, model, name, team = device.host.name, device.kind.model, device.name, device.team.id
    at, place, verify = run.started, "entry-node", None
    kpi_until = until - KPI_DELAY
    for number in range(run.steps):
        at += gap
        ok = number != fails_at
        # Some steps fail and are tried again within a run that goes well.
        if ok and random() < 0.012:
            ok = False
        row: dict[str, Any] = {
            "id": UUID(int=bits(128), version=4),
            "team_id": team,
            "tree_id": None,
            "edge_id": None,
            "node_id": None,
            "execution_type": "verification",
            "host_name": host,
            "device_model": model,
            "device_name": name,
            "success": ok,
            "execution_time_ms": 0,
            "message": None,
            "error_details": None,
            "executed_at": at,
            "created_at": at,
            "script_result_id": run.id,
            "script_context": context,
            "action_set_id": None,
            "kpi_measurement_ms": None,
            "kpi_measurement_success": None,
            "kpi_measurement_error": None,
            "kpi_report_url": None,
        }
        if verify is not None:
            row["tree_id"], row["node_id"] = verify.tree, verify.target
            row["execution_time_ms"] = int((220 + 700 * random()) * run.slowness)
            row["message"] = f"{verify.label} verified" if ok else f"{verify.label} not recognised"
            if not ok:
                row["error_details"] = {"verification": "image", "confidence": round(0.35 + 0.4 * random(), 2)}
            verify = None
        else:
            here = options[place]
            move = here[int(random() * len(here))]
            row["execution_type"] = "action"
            row["tree_id"], row["edge_id"], row["action_set_id"] = move.tree, move.way.edge_id, move.action_set
            row["execution_time_ms"] = int((move.way.kpi_ms + 600 + 900 * random()) * run.slowness)
            row["message"] = f"Navigation to {move.label}" if ok else f"Navigation to {move.label} failed"
            if not ok:
                row["error_details"] = {"error": "target not reached", "target": move.target, "attempts": 2}
            elif random() < KPI_SHARE and at < kpi_until:
                row |= kpi(rng, row["id"], move.way.kpi_ms * run.slowness)
            if ok:
                place = move.target
                if random() < 0.6:
                    verify = move
        yield row


def kpi(rng: Random, step_id: UUID, usual_ms: float) -> dict[str, Any]:
    """What the measurement of an action's KPI sets, some time after the action."""
    if rng.random() < 0.04:
        return {
            "kpi_measurement_success": False,
            "kpi_measurement_error": "No visual match in the recorded frames",
            "kpi_report_url": f"{REPORTS}/kpi/{step_id.hex}.html",
        }
    return {
        "kpi_measurement_ms": int(usual_ms * (0.8 + 0.5 * rng.random())),
        "kpi_measurement_success": True,
        "kpi_report_url": f"{REPORTS}/kpi/{step_id.hex}.html",
    }


def all_steps(runs: Iterable[Run], until: datetime) -> Iterator[dict[str, Any]]:
    """The steps of all runs."""
    for run in runs:
        yield from steps(run, until)


_CHANNELS: Final = (
    ("SRF 1", "Tagesschau"), ("SRF zwei", "Sport aktuell"), ("RTS 1", "Le Journal"), ("RSI LA 1", "Telegiornale"),
    ("ARD", "Tatort"), ("ZDF", "heute"), ("arte", "Karambolage"), ("TF1", "Le 20 heures"), ("France 2", "Vu"),
    ("BBC One", "Newsnight"), ("CNN", "World News"), ("Eurosport 1", "Tour magazine"),
)  # fmt: skip
_FRENCH: Final = frozenset({"RTS 1", "arte", "TF1", "France 2"})


def zaps(runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
    """The channel changes of the scripts that zap."""
    for run in runs:
        if run.ended is None or run.script.name not in {"fullzap", "zapping_speed"}:
            continue
        rng = Random(run.seed + 3)
        count = rng.randint(5, 10)
        gap = (run.ended - run.started) / (count + 1)
        for number in range(1, count + 1):
            at = run.started + gap * number
            bad = not run.ok and number == count
            black = round((0.5 + 1.1 * rng.random()) * run.slowness + (8 if bad else 0), 3)
            number_of_channel = rng.randrange(len(_CHANNELS))
            channel, programme = _CHANNELS[number_of_channel]
            hour = at.hour
            language = "en" if channel in {"BBC One", "CNN"} else "fr" if channel in _FRENCH else "de"
            subtitles, speech = rng.random() < 0.4, not bad and rng.random() < 0.85
            yield {
                "id": new_id(rng),
                "script_result_id": run.id,
                "team_id": run.device.team.id,
                "host_name": run.device.host.name,
                "device_name": run.device.name,
                "device_model": run.device.kind.model,
                "userinterface_name": run.device.interface.name,
                "execution_date": at,
                "iteration_index": number,
                "action_command": "live_chup" if number % 3 else "live_chdown",
                "started_at": at,
                "completed_at": min(at + timedelta(seconds=6), run.ended),
                "duration_seconds": round(5.5 + rng.random(), 2),
                "motion_detected": not bad,
                "subtitles_detected": subtitles,
                "subtitle_language": language if subtitles else None,
                "subtitle_text": programme if subtitles else None,
                "audio_speech_detected": speech,
                "audio_language": language if speech else None,
                "audio_transcript": f"… {programme} …" if speech else None,
                "blackscreen_freeze_detected": True,
                "blackscreen_freeze_duration_seconds": black,
                "detection_method": "blackscreen" if rng.random() < 0.8 else "freeze",
                "channel_name": channel,
                "channel_number": str(number_of_channel + 1),
                "program_name": programme,
                "program_start_time": f"{hour:02d}:00",
                "program_end_time": f"{(hour + 1) % 24:02d}:00",
                "audio_silence_duration": round(black + 0.3 * rng.random(), 2),
                "action_params": {"wait_time": 500},
                "time_since_action_ms": int(180 + 200 * rng.random()),
                "total_zap_duration_ms": int(black * 1000 + 400 + 500 * rng.random()),
                "created_at": min(at + timedelta(seconds=7), run.ended),
            }


def campaign_start(run: CampaignRun) -> dict[str, Any]:
    """The row as it is written when the campaign starts."""
    scripts, config = campaign_settings(run.campaign)
    return {
        "id": run.id,
        "team_id": run.device.team.id,
        "campaign_name": run.campaign.name,
        "campaign_description": run.campaign.description,
        "campaign_execution_id": run.execution_id,
        "userinterface_name": run.device.interface.name,
        "host_name": run.device.host.name,
        "device_name": run.device.name,
        "status": "running",
        "started_at": run.started,
        "success": False,
        "script_configurations": scripts,
        "execution_config": config,
        "script_result_ids": (),
        "executed_by": None,
    }


def campaign_end(run: CampaignRun, ended: datetime) -> dict[str, Any]:
    """What is updated when the campaign is over."""
    failed = sum(not part.ok for part in run.runs)
    return {
        "status": "failed" if failed else "completed",
        "completed_at": ended,
        "updated_at": ended,
        "execution_time_ms": int((ended - run.started).total_seconds() * 1000),
        "success": not failed,
        "error_message": f"{failed} of {len(run.runs)} scripts failed" if failed else None,
        "html_report_r2_path": f"campaign-reports/{run.execution_id}/report.html",
        "html_report_r2_url": f"{REPORTS}/campaign-reports/{run.execution_id}/report.html",
    }


def campaign_executions(runs: Iterable[CampaignRun]) -> Iterator[Row]:
    for run in runs:
        end = campaign_end(run, run.ended or run.started)
        row = campaign_start(run)
        row |= end if run.ended is not None else dict.fromkeys(end.keys() - row.keys())
        yield {
            **row,
            "script_result_ids": tuple(part.id for part in run.runs),
            "created_at": run.started,
            "updated_at": run.ended or run.started,
        }


def test_executions(runs: Iterable[Run]) -> Iterator[dict[str, Any]]:
    """The client's table: one row for each run of a test case."""
    for run in runs:
        if not run.script.test:
            continue
        campaign = run.campaign
        yield {
            "id": test_execution_id(run),
            "test_id": test_id(run.device.team, run.script),
            "execution_id": f"{run.script.name}_{int(run.started.timestamp())}_{run.id.hex[:6]}",
            "status": _test_status(run),
            "campaign_id": campaign_id(run.device.team, campaign.campaign) if campaign else None,
            "start_time": run.started,
            "end_time": run.ended,
            "duration": None if run.milliseconds is None else run.milliseconds // 1000,
            "device_id": run.device.id,
            "environment_profile_id": profile_id(run.device.team),
            "team_id": run.device.team.id,
            "created_at": run.started,
        }


def test_execution_id(run: Run) -> UUID:
    """The id of the test run that belongs to the script run."""
    return UUID(int=run.id.int ^ _TEST_RUN, version=4)


def _test_status(run: Run) -> str:
    if run.ended is None:
        return "running"
    if run.ok:
        return "completed"
    return "cancelled" if run.seed % 17 == 0 else "failed"


def test_results(runs: Iterable[Run]) -> Iterator[Row]:
    for run in runs:
        if not run.script.test or run.ended is None:
            continue
        end = script_end(run, run.ended)
        yield {
            "id": UUID(int=run.id.int ^ _TEST_RESULT, version=4),
            "execution_id": test_execution_id(run),
            "test_id": test_id(run.device.team, run.script),
            "status": "passed" if run.ok else "failed",
            "result_data": {"steps": run.steps, "verified": run.steps - (not run.ok)},
            "error_message": end["error_msg"],
            "screenshots": () if run.ok else (end["html_report_r2_url"].replace("report.html", "failure.jpg"),),
            "metrics": {"duration_ms": run.milliseconds},
            "team_id": run.device.team.id,
            "created_at": run.ended,
        }


def deployment_executions(turns: Iterable[Turn]) -> Iterator[Row]:
    for turn in turns:
        run = turn.run
        ended = run.ended if run else None
        if run is None:
            status = "skipped"
        elif ended is None:
            status = "running"
        else:
            status = "completed" if run.ok else "failed"
        yield {
            "id": turn.id,
            "deployment_id": turn.schedule.id,
            "script_result_id": run.id if run and ended else None,
            "scheduled_at": turn.at,
            "started_at": run.started if run else None,
            "completed_at": ended,
            "status": status,
            "skip_reason": None if run else "device_locked",
            "success": run.ok if run and ended else None,
            "error_message": None if run is None or run.ok or ended is None else _error(run, Random(run.seed)),
        }
