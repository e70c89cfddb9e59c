"""Every change to meters, who holds them, and their readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from commonwatt.accounts import actions as accounts
from commonwatt.accounts import audit
from commonwatt.accounts.access import Right, Viewer, require_operator, require_right
from commonwatt.accounts.queries import customer_views, customers_of, site_views, sites_of
from commonwatt.accounts.values import SiteView
from commonwatt.kernel.ids import digest_secret, new_public_id, normalise_claim_code
from commonwatt.kernel.ids import new_claim_code as new_code
from commonwatt.kernel.time import require_utc
from commonwatt.metering import rollups, rows
from commonwatt.metering.choices import Quantity
from commonwatt.metering.models import Channel, ClaimCode, Meter, MeterAssignment
from commonwatt.metering.recording import record_readings
from commonwatt.metering.values import AssignmentView, MeterView

__all__ = [
    "AssignmentOverlaps",
    "ClaimRefused",
    "MeterNumberTaken",
    "NobodyHoldsMeter",
    "SiteOfAnotherCustomer",
    "assign_meter",
    "claim_meter",
    "create_meter",
    "end_assignment",
    "follow_site_zones",
    "new_claim_code",
    "record_readings",
    "remove_meter",
    "rename_meter",
]


class MeterNumberTaken(ValueError):
    """A meter of this number exists already."""

    def __init__(self, number: str) -> None:
        super().__init__(f"there is already a meter with the number {number!r}; check the number on the device")
        self.number = number


class MeterNumberMissing(ValueError):
    """A meter was to be created without a number."""


class AssignmentOverlaps(ValueError):
    """Somebody holds the meter in part of that time."""

    def __init__(self, number: str) -> None:
        super().__init__(f"meter {number!r} is held by somebody in part of that time; end that assignment first")
        self.number = number


class SiteOfAnotherCustomer(ValueError):
    """The site is not one of this customer's."""


class NobodyHoldsMeter(ValueError):
    """There is no assignment that could end then."""


class HoldsFromTheFuture(ValueError):
    """Nobody can have held a meter since a moment that has not come."""


class ClaimRefused(Exception):
    """The code opens nothing for this person; why (wrong, used, expired, withdrawn) is not said."""


@transaction.atomic
def create_meter(
    *,
    actor: Viewer | None,
    number: str,
    name: str = "",
    interval_s: int = 900,
    quantities: Sequence[str] = (Quantity.ENERGY_IMPORT,),
    installed_on: date | None = None,
    now: datetime,
) -> MeterView:
    """A new meter with a channel for each quantity; nobody holds it yet. Raises MeterNumberTaken."""
    _require_desk(actor)
    number = " ".join(number.split())
    if not number:
        raise MeterNumberMissing("a meter needs the number that is printed on it")
    if Meter.objects.filter(number=number).exists():
        raise MeterNumberTaken(number)
    row = Meter(
        public_id=new_public_id("mtr"),
        number=number,
        name=" ".join(name.split()),
        interval_s=interval_s,
        time_zone=settings.COMMONWATT.time_zone,
        installed_on=installed_on,
        created_at=require_utc(now, name="now"),
    )
    row.save(force_insert=True)
    Channel.objects.bulk_create(Channel(meter=row, quantity=Quantity(item), unit="Wh", interval_s=interval_s) for item in quantities)
    _audit(actor, "meter.created", row, None, {"number": number, "quantities": [str(item) for item in quantities]}, now)
    return MeterView.of(row, holder=None)


@transaction.atomic
def rename_meter(*, actor: Viewer | None, meter_id: int, name: str, now: datetime) -> MeterView:
    """Give a meter another name; its holder may do so, and the operator."""
    row = _locked(meter_id)
    holder = _held_at(row, now)
    if actor is not None and not actor.is_operator:
        require_right(actor, customer_id=holder.customer_id if holder else 0, right=Right.CHANGE, kind="meter", public_id=row.public_id)
    row.name = " ".join(name.split())
    row.save(update_fields=["name"])
    _audit(actor, "meter.renamed", row, holder.customer_id if holder else None, {}, now)
    return MeterView.of(row, holder=holder)


@transaction.atomic
def remove_meter(*, actor: Viewer | None, meter_id: int, removed_on: date, now: datetime) -> MeterView:
    """Note the last day on which the meter measured; readings after it are refused from now on."""
    _require_desk(actor)
    row = _locked(meter_id)
    row.removed_on = removed_on
    row.save(update_fields=["removed_on"])
    _audit(actor, "meter.removed", row, None, {"removed_on": removed_on.isoformat()}, now)
    return MeterView.of(row, holder=_held_at(row, now))


@transaction.atomic
def assign_meter(*, actor: Viewer | None, meter_id: int, customer_id: int, site_id: int, from_at: datetime, now: datetime) -> MeterView:
    """Let a customer hold the meter, at one of their sites, from an instant on; its days then follow that site's zone.

    Raises:
        AssignmentOverlaps: If somebody holds it then, or later; their time must be ended first.
        SiteOfAnotherCustomer: If the site is not the customer's.
    """
    _require_desk(actor)
    return _assign(actor, meter_id, customer_id=customer_id, site=_site_of(customer_id, site_id), from_at=from_at, now=now)


@transaction.atomic
def end_assignment(*, actor: Viewer | None, meter_id: int, until_at: datetime, now: datetime) -> MeterView:
    """End the current holder's time; what was measured before it stays theirs to see. Raises NobodyHoldsMeter."""
    _require_desk(actor)
    row = _locked(meter_id)
    _end(actor, row, until_at=until_at, now=now)
    return MeterView.of(row, holder=_held_at(row, now))


@transaction.atomic
def new_claim_code(*, actor: Viewer | None, meter_id: int, now: datetime, valid_days: int = 90, holds_from: datetime | None = None) -> str:
    """A code with which whoever has the meter at home claims it; shown here and never again. Earlier codes become worthless.

    Args:
        holds_from: Since when the person it is handed to has had the meter, as their contract says: the readings from then on become
            theirs, and with them a baseline. None: from the moment of the claim.
    Raises:
        AssignmentOverlaps: If somebody else began or ended to hold the meter after `holds_from`.
        HoldsFromTheFuture: If `holds_from` lies after now.
    """
    _require_desk(actor)
    row = _locked(meter_id)
    if holds_from is not None:
        holds_from = require_utc(holds_from, name="holds_from")
        _require_free_since(row, holds_from, now=now)
    ClaimCode.objects.filter(meter=row, used_at__isnull=True, revoked_at__isnull=True).update(revoked_at=now)
    code = new_code()
    ClaimCode.objects.create(
        meter=row,
        code_digest=digest_secret(normalise_claim_code(code)),
        created_at=now,
        created_by_id=actor.user_id if actor else None,
        expires_at=now + timedelta(days=valid_days),
        holds_from=holds_from,
    )
    since = {"holds_from": holds_from.isoformat()} if holds_from else {}
    _audit(actor, "claim_code.created", row, None, {"valid_days": valid_days, **since}, now)
    return code


@transaction.atomic
def claim_meter(*, viewer: Viewer, code_digest: str, customer_id: int | None = None, site_name: str = "", now: datetime) -> MeterView:
    """Make the meter of a claim code the viewer's, from now on or since the code says; whoever held it before keeps what lies before.

    Args:
        code_digest: `kernel.ids.digest_secret(normalise_claim_code(text))` of what was typed.
        customer_id: For whom; None for the viewer's own household, which is created when there is none.
        site_name: The customer's site of this name, created when there is none; empty for the customer's first site.
    Raises:
        ClaimRefused: For a code that is wrong, used by somebody else, expired or withdrawn, all alike.
    """
    rows.lock_store()  # before the trail's lock, as everywhere
    code = ClaimCode.objects.select_for_update().filter(code_digest=code_digest, revoked_at__isnull=True).first()
    if code is None or viewer.user_id is None:
        raise ClaimRefused
    meter = _locked(code.meter_id)
    holder = _held_at(meter, now)
    if code.used_at is not None:
        # The same person once more, as with a form sent twice: they have it already.
        if code.used_by_id == viewer.user_id and holder is not None and viewer.right_in(holder.customer_id) is not None:
            return MeterView.of(meter, holder=holder)
        raise ClaimRefused
    if code.expires_at <= now or (code.holds_from and not _is_free_since(meter, code.holds_from)):
        raise ClaimRefused
    code.used_at, code.used_by_id = now, viewer.user_id
    code.save(update_fields=["used_at", "used_by"])
    site = _claimed_site(viewer, customer_id=customer_id, site_name=site_name, now=now)
    if holder is not None:
        if holder.customer_id == site.customer_id:
            return MeterView.of(meter, holder=holder)
        _end(viewer, meter, until_at=code.holds_from or now, now=now)
    _audit(viewer, "meter.claimed", meter, site.customer_id, {}, now)
    return _assign(viewer, meter.pk, customer_id=site.customer_id, site=site, from_at=code.holds_from or now, now=now)


def follow_site_zones(*, now: datetime, on_meter: Callable[[int], None] = lambda _meter_id: None) -> int:
    """Bring meters whose site changed its zone to that zone, each with its rollups in a transaction of its own; how many."""
    del now  # the newest assignment says where a meter stands, whether it has ended or not
    moved = 0
    current = MeterAssignment.objects.filter(until_at__isnull=True).order_by("meter_id")
    stands_at = dict(current.values_list("meter_id", "site_id"))
    zones = {key: site.time_zone for key, site in site_views(set(stands_at.values())).items()}
    for meter_id, zone in Meter.objects.filter(pk__in=current.values("meter_id")).order_by("pk").values_list("pk", "time_zone"):
        wanted = zones[stands_at[meter_id]]
        if zone != wanted:
            with transaction.atomic():
                rows.lock_store()
                _move_to_zone(_locked(meter_id), wanted)
            on_meter(meter_id)
            moved += 1
    return moved


def _require_free_since(row: Meter, instant: datetime, *, now: datetime) -> None:
    if instant > now:
        raise HoldsFromTheFuture(f"{instant.isoformat()} lies in the future; nobody has held meter {row.number!r} since then")
    if not _is_free_since(row, instant):
        raise AssignmentOverlaps(row.number)


def _is_free_since(row: Meter, instant: datetime) -> bool:
    """Whether nobody began or ended to hold the meter after an instant; one who still holds it gives way to the new holder then."""
    later = Q(from_at__gte=instant) | Q(until_at__gt=instant)
    return not MeterAssignment.objects.filter(later, meter=row).exists()


def _assign(actor: Viewer | None, meter_id: int, *, customer_id: int, site: SiteView, from_at: datetime, now: datetime) -> MeterView:
    rows.lock_store()
    row = _locked(meter_id)
    try:
        with transaction.atomic():
            MeterAssignment.objects.create(
                meter=row, customer_id=customer_id, site_id=site.id, from_at=require_utc(from_at, name="from_at"), until_at=None
            )
    except IntegrityError as error:
        raise AssignmentOverlaps(row.number) from error
    _move_to_zone(row, site.time_zone)
    _audit(actor, "meter.assigned", row, customer_id, {"site": site.public_id, "from": from_at.isoformat()}, now)
    return MeterView.of(row, holder=_held_at(row, now))


def _end(actor: Viewer | None, row: Meter, *, until_at: datetime, now: datetime) -> None:
    current = MeterAssignment.objects.filter(meter=row, until_at__isnull=True, from_at__lt=until_at).first()
    if current is None:
        raise NobodyHoldsMeter(f"nobody holds meter {row.number!r} at {until_at.isoformat()} without an end already set")
    current.until_at = require_utc(until_at, name="until_at")
    current.save(update_fields=["until_at"])
    _audit(actor, "meter.assignment_ended", row, current.customer_id, {"until": until_at.isoformat()}, now)


def _move_to_zone(row: Meter, zone: str) -> None:
    if row.time_zone == zone:
        return
    ZoneInfo(zone)  # raises for a name this machine does not know, before any row says it
    row.time_zone = zone
    row.save(update_fields=["time_zone"])
    rollups.rebuild(list(row.channels.order_by("pk").values_list("pk", flat=True)))


def _claimed_site(viewer: Viewer, *, customer_id: int | None, site_name: str, now: datetime) -> SiteView:
    """The site at which a claimed meter stands, created with its household where there is none."""
    if customer_id is None:
        home = next((item for item in customers_of(viewer) if not item.is_organisation and item.id in viewer.acts_for), None)
        if home is None:
            return _new_household(viewer, site_name=site_name, now=now)
        customer_id = home.id
    require_right(viewer, customer_id=customer_id, right=Right.CHANGE)
    sites = sites_of(customer_id)
    known = next((site for site in sites if not site_name or site.name == site_name), None)
    if known is not None:
        return known
    place = settings.COMMONWATT
    name = site_name or _("Home")
    return accounts.create_site(actor=viewer, customer_id=customer_id, name=name, time_zone=place.time_zone, country=place.country, now=now)


def _new_household(viewer: Viewer, *, site_name: str, now: datetime) -> SiteView:
    place = settings.COMMONWATT
    _customer, site = accounts.create_household(
        actor=viewer,
        name=viewer.name or _("My household"),
        site_name=site_name or _("Home"),
        time_zone=place.time_zone,
        country=place.country,
        now=now,
    )
    return site


def _site_of(customer_id: int, site_id: int) -> SiteView:
    site = site_views([site_id]).get(site_id)
    if site is None or site.customer_id != customer_id:
        names = [view.name for view in customer_views([customer_id]).values()]
        raise SiteOfAnotherCustomer(f"site {site_id} is none of {names[0] if names else customer_id!r}'s; choose one of theirs")
    return site


def _locked(meter_id: int) -> Meter:
    return Meter.objects.select_for_update().get(pk=meter_id)


def _held_at(row: Meter, instant: datetime) -> AssignmentView | None:
    held = (AssignmentView.of(item) for item in MeterAssignment.objects.filter(meter=row, from_at__lte=instant).order_by("-from_at"))
    return next((item for item in held if item.holds_at(instant)), None)


def _require_desk(actor: Viewer | None) -> None:
    """Commands and the demo act without a viewer; everyone else must work at the operator's desk."""
    if actor is not None:
        require_operator(actor)


def _audit(actor: Viewer | None, action: str, row: Meter, customer_id: int | None, detail: audit.Detail, now: datetime) -> None:  # noqa: PLR0917 (one line each, often)
    audit.record(actor=actor, action=action, kind="meter", object_id=row.public_id, customer_id=customer_id, detail=detail, now=now)
