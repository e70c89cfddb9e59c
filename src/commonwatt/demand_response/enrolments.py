"""A site joins a program, agrees to its terms word for word, and leaves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from commonwatt.accounts import audit
from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Forbidden, NotFound, Right, Viewer
from commonwatt.accounts.values import SiteView
from commonwatt.demand_response import rows
from commonwatt.demand_response.choices import Choice, EventStatus, OptSource
from commonwatt.demand_response.eligibility import eligibility
from commonwatt.demand_response.models import Consent, Enrolment, Opt, Participant, Program, ProgramTerms
from commonwatt.demand_response.views import EnrolmentView
from commonwatt.kernel.ids import new_public_id
from commonwatt.outbox import actions as outbox


class ConsentOutdated(ValueError):
    """The terms that were read are not those in force now: they must be read again before they can be agreed to."""

    def __init__(self, *, read_version: int, newest_version: int) -> None:
        super().__init__(
            _("These terms (version %(read)d) are no longer in force. Please read version %(newest)d and agree to that.")
            % {"read": read_version, "newest": newest_version}
        )


class ConsentDiffers(ValueError):
    """The text that was shown is not the text of these terms."""

    def __init__(self) -> None:
        super().__init__(_("The text you agreed to is not the text of these terms. Please open the page again."))


class NotEligible(ValueError):
    """Something stands in the way of enrolling; the message says what, and what to do."""


@transaction.atomic
def enrol(*, actor: Viewer, site_id: int, program_id: int, terms_version: int, consent_text_digest: str, now: datetime) -> EnrolmentView:
    """Enrol a site under the newest terms, or agree to newer terms for a site that is enrolled; a repeat changes nothing.

    Consent is the customer's own act: nobody at the operator's desk can give it for them.

    Raises:
        NotFound, Forbidden: If the actor may not act for the site's customer.
        ConsentOutdated, ConsentDiffers: If what was agreed to is not the newest terms, word for word.
        NotEligible: If the program is closed for enrolment or the site has no meter.
    """
    site = _own_site(actor, site_id)
    # Whoever revises the terms locks this row too, so nobody agrees to terms that are replaced at the same moment.
    program = Program.objects.select_for_update().get(pk=program_id)
    terms = program.terms.order_by("-version")[0]
    if terms.version != terms_version:
        raise ConsentOutdated(read_version=terms_version, newest_version=terms.version)
    if rows.digest_text(terms.consent_text) != consent_text_digest:
        raise ConsentDiffers
    current = Enrolment.objects.select_for_update().filter(program=program, site_id=site_id, ended_at__isnull=True).first()
    enrolment = current or _start(actor, site, program, now=now)
    if not enrolment.consents.filter(terms=terms).exists():
        _agree(actor, site, enrolment, terms, now=now)
        payload = {"program_id": program.pk, "site_id": site_id, "customer_id": site.customer_id, "terms_version": terms.version}
        kind = "enrolment.renewed" if current else "enrolment.started"
        outbox.append(kind=kind, subject_kind="enrolment", subject_id=enrolment.public_id, payload=payload, now=now)
    return rows.enrolment_views(Enrolment.objects.filter(pk=enrolment.pk))[0]


@transaction.atomic
def leave_program(*, actor: Viewer, enrolment_id: int, now: datetime) -> EnrolmentView:
    """End an enrolment and withdraw its consent: the site opts out of events still to come; one under way it finishes.

    A repeat changes nothing. What was earned stays.
    """
    enrolment = Enrolment.objects.select_for_update().select_related("program").get(pk=enrolment_id)
    site = _own_site(actor, enrolment.site_id)
    if enrolment.ended_at is None:
        enrolment.ended_at = now
        enrolment.save(update_fields=["ended_at"])
        enrolment.consents.filter(withdrawn_at__isnull=True).update(withdrawn_at=now)
        skipped = _skip_upcoming(actor, enrolment, now=now)
        _audit(actor, "enrolment.ended", enrolment, site, {"events_skipped": skipped}, now=now)
        payload = {"program_id": enrolment.program_id, "site_id": site.id, "customer_id": site.customer_id}
        outbox.append(kind="enrolment.ended", subject_kind="enrolment", subject_id=enrolment.public_id, payload=payload, now=now)
    return rows.enrolment_views(Enrolment.objects.filter(pk=enrolment.pk))[0]


def _own_site(actor: Viewer, site_id: int) -> SiteView:
    """The site, if the actor acts for its customer; the operator's own rights do not count here."""
    site = accounts.site_views([site_id]).get(site_id)
    if site is None or actor.right_in(site.customer_id) is None:
        raise NotFound("site", str(site_id))
    if site.customer_id not in actor.acts_for:
        raise Forbidden("site", Right.CHANGE)
    return site


def _start(actor: Viewer, site: SiteView, program: Program, *, now: datetime) -> Enrolment:
    found = eligibility(site_id=site.id, program_id=program.pk, now=now)
    if not found.may_enrol:
        raise NotEligible(" ".join(reason.text for reason in found.reasons if reason.blocks and not reason.holds))
    row = Enrolment.objects.create(public_id=new_public_id("enr"), program=program, site_id=site.id, enrolled_at=now)
    _audit(actor, "enrolment.started", row, site, {}, now=now)
    return row


def _agree(actor: Viewer, site: SiteView, enrolment: Enrolment, terms: ProgramTerms, *, now: datetime) -> None:
    digest = rows.digest_text(terms.consent_text)
    Consent.objects.create(
        enrolment=enrolment,
        terms=terms,
        text=terms.consent_text,
        text_digest=digest,
        given_by_id=actor.user_id,
        given_by_name=actor.name or actor.email,
        given_at=now,
    )
    _audit(actor, "consent.given", enrolment, site, {"terms_version": terms.version, "text_digest": digest}, now=now)


def _skip_upcoming(actor: Viewer, enrolment: Enrolment, *, now: datetime) -> int:
    """Opt the enrolment out of every event that has not begun; the rows are locked in key order."""
    upcoming = Participant.objects.filter(enrolment=enrolment, event__status=EventStatus.UPCOMING, event__starts_at__gt=now)
    waiting = list(upcoming.exclude(choice=Choice.OUT).order_by("pk").select_for_update(of=("self",)))
    for participant in waiting:
        participant.choice, participant.chosen_at = Choice.OUT, now
    Participant.objects.bulk_update(waiting, ["choice", "chosen_at"])
    Opt.objects.bulk_create(
        Opt(participant=participant, choice=Choice.OUT, source=OptSource.LEFT, given_by_id=actor.user_id, at=now) for participant in waiting
    )
    return len(waiting)


def _audit(actor: Viewer, action: str, enrolment: Enrolment, site: SiteView, detail: audit.Detail, *, now: datetime) -> None:
    facts = {"program": enrolment.program.public_id, "site": site.public_id, **detail}
    audit.record(
        actor=actor, action=action, kind="enrolment", object_id=enrolment.public_id, customer_id=site.customer_id, detail=facts, now=now
    )
