"""What the worker can do. Rooms are imported by the job that needs them, so that an idle worker stays small."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from commonwatt.jobs.registry import GiveUp, JobContext, Registry
from commonwatt.kernel.clock import WallClock

KEEP_JOBS = timedelta(days=30)
# A reader of a superseded file has long finished by then.
KEEP_SUPERSEDED_FILES = timedelta(days=1)
# The scheduler asks again soon, so one retry is enough.
SOON = (timedelta(seconds=5),)

registry = Registry()


@registry.job("advance-events", retry_after=SOON)
def advance_events(context: JobContext) -> Mapping[str, Any]:
    """Begin and end the events whose time has come."""
    from commonwatt.demand_response.events import advance_events

    return {"steps": advance_events(now=context.now())[:100]}


@registry.job("settle", retry_after=SOON)
def settle(context: JobContext) -> Mapping[str, Any]:
    """Settle the events whose wait for readings is over."""
    from commonwatt.settlement.actions import settle_due

    results = settle_due(now=context.now())
    return {"events": len(results), "entries": sum(result.entries for result in results)}


@registry.job("correct", retry_after=SOON)
def correct(context: JobContext) -> Mapping[str, Any]:
    """Look again at settled events whose readings have changed."""
    from commonwatt.settlement.actions import correct_for_readings

    results = correct_for_readings(now=context.now())
    return {"events": len(results), "entries": sum(result.entries for result in results)}


@registry.job("import-readings", retry_after=SOON)
def import_readings(context: JobContext) -> Mapping[str, Any]:
    """Bring an uploaded CSV file in; arguments: path, options (as msgspec.to_builtins gives them), reference, create_meters.

    The upload is removed once its readings are stored, or once it is known that they never will be.
    """
    import msgspec

    from commonwatt.metering.imports import ImportProgress, NoIntervalForNewMeters, import_csv
    from commonwatt.wire.csv_options import CsvOptions
    from commonwatt.wire.csv_reasons import UnreadableCsv

    def show(at: ImportProgress) -> None:
        context.progress(round(at.share * at.bytes_total), at.bytes_total)

    path = Path(context.arguments["path"])
    try:
        report = import_csv(
            path=path,
            options=msgspec.convert(context.arguments["options"], CsvOptions),
            actor_id=context.requested_by,
            now=context.now(),
            reference=context.arguments["reference"],
            create_meters=context.arguments["create_meters"],
            progress=show,
        )
    except (UnreadableCsv, NoIntervalForNewMeters) as error:
        path.unlink(missing_ok=True)
        raise GiveUp(str(error)) from error
    except FileNotFoundError as error:
        raise GiveUp(_("The uploaded file is gone; please upload it again.")) from error
    path.unlink(missing_ok=True)
    counts = {"accepted": report.accepted, "repeated": report.repeated, "revised": report.revised, "refused": report.refused_count}
    return {"sequence": report.sequence, "rows_read": report.rows_read, **counts}


@registry.job("seal")
def seal(context: JobContext) -> Mapping[str, Any]:
    """Move the months that are due into sealed files, part by part."""
    from commonwatt.metering.sealing import seal_due

    def go_on(done: int, total: int) -> bool:
        context.progress(done, total)
        return True

    sealed = seal_due(now=context.now(), after_days=settings.COMMONWATT.seal_after_days, go_on=go_on)
    return {"parts": sealed.parts, "readings": sealed.readings}


@registry.job("follow-site-zones")
def follow_site_zones(context: JobContext) -> Mapping[str, Any]:
    """Bring meters whose site changed its zone to that zone."""
    from commonwatt.metering.actions import follow_site_zones

    moved = 0

    def on_meter(_meter_id: int) -> None:
        nonlocal moved
        moved += 1
        context.progress(moved, 0)

    follow_site_zones(now=context.now(), on_meter=on_meter)
    return {"meters": moved}


@registry.job("send-mail", retry_after=SOON)
def send_mail(context: JobContext) -> Mapping[str, Any]:
    """Send the mail that waits; attempts are spaced by the machine's own clock, which no time-lapse hurries."""
    from commonwatt.notify.mail import send_waiting_mail

    sent = postponed = given_up = 0
    while True:
        run = send_waiting_mail(now=WallClock().now(), limit=100)
        sent, postponed, given_up = sent + run.sent, postponed + run.postponed, given_up + run.given_up
        context.progress(sent + given_up, 0)
        if not run.sent:
            return {"sent": sent, "postponed": postponed, "given_up": given_up}


@registry.job("clean")
def clean(context: JobContext) -> Mapping[str, Any]:
    """Remove what nobody needs any more: superseded lake files, old jobs, sessions and one-time links that ended."""
    from commonwatt.accounts.people import forget_ended_links
    from commonwatt.jobs.actions import forget_finished
    from commonwatt.metering.sealing import clean_lake
    from commonwatt.portal.sessions import forget_ended

    cleaned = clean_lake(now=context.now(), grace=KEEP_SUPERSEDED_FILES)
    forgotten = 0
    while part := forget_finished(before=context.now() - KEEP_JOBS):
        forgotten += part
        context.progress(forgotten, 0)
    return {
        "lake_files": cleaned.superseded + cleaned.orphans,
        "jobs": forgotten,
        "sessions": forget_ended(),
        "links": forget_ended_links(now=context.now()),
    }
