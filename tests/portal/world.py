"""Things of every kind, for whoever is to see or not to see them. Rooms whose pages join the access table add a method here."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.usersessions.models import UserSession
from django.core.signals import request_finished
from django.db import close_old_connections
from tests.cast import NOW, Cast
from tests.demand_response.world import flat, local, record
from tests.demand_response.world import make_world as make_program

from commonwatt.accounts import actions, people
from commonwatt.accounts.models import Invitation, Membership
from commonwatt.accounts.values import CustomerView
from commonwatt.demand_response import events, programs
from commonwatt.jobs.actions import enqueue
from commonwatt.metering.actions import assign_meter, create_meter, new_claim_code
from commonwatt.metering.imports import import_csv
from commonwatt.metering.values import MeterView
from commonwatt.notify.actions import tell
from commonwatt.notify.queries import inbox
from commonwatt.portal import uploads
from commonwatt.settlement.actions import settle_event
from commonwatt.settlement.queries import statement_of_event
from commonwatt.wire.csv_options import CsvOptions

HOLDERS = ("home", "organisation")
"""Whose things are tried: Ana's and Bram's household, and Olga's and Milo's organisation. Everybody is a stranger to one of them."""


@dataclass(frozen=True)
class World:
    """The cast and what is theirs."""

    cast: Cast

    def customer(self, holder: str) -> CustomerView:
        """The household or the organisation."""
        return self.cast.home if holder == "home" else self.cast.organisation

    def site(self, holder: str) -> str:
        """The number of a site of the holder."""
        return (self.cast.home_site if holder == "home" else self.cast.office).public_id

    def membership(self, holder: str) -> str:
        """The number of a membership about which an administrator can decide."""
        name = "bram" if holder == "home" else "wim"
        return Membership.objects.get(user_id=getattr(self.cast, name).person_id, customer_id=self.customer(holder).id).public_id

    def invitation(self, holder: str) -> str:
        """The number of an open invitation."""
        actions.invite(actor=None, customer_id=self.customer(holder).id, role="member", email="", now=NOW)
        return Invitation.objects.filter(customer_id=self.customer(holder).id, accepted_at=None).latest("pk").public_id

    def invitation_code(self) -> str:
        """The code of an open invitation."""
        return actions.invite(actor=None, customer_id=self.cast.organisation.id, role="member", email="", now=NOW)

    def sign_in_token(self) -> str:
        """A one-time token for Pia."""
        return people.new_sign_in_link(email=self.cast.pia.email, now=NOW)

    def staff(self) -> str:
        """The number of a member of the operator's staff."""
        return self.cast.user("pia").public_id

    def session_of_ana(self) -> int:
        """A browser in which Ana is signed in."""
        return UserSession.objects.create(user=self.cast.user("ana"), ip="192.0.2.1", session_key="elsewhere", user_agent="").pk

    def confirmation_key(self) -> str:
        """The key of an address that waits to be confirmed."""
        address = EmailAddress.objects.create(user=self.cast.user("chloe"), email="new@example.org", verified=False, primary=False)
        return str(EmailConfirmationHMAC(address).key)

    def claim_code(self, number: str) -> str:
        """The claim code of a new meter that nobody holds."""
        meter = create_meter(actor=None, number=number, name="", interval_s=900, quantities=["energy_import"], installed_on=None, now=NOW)
        return new_claim_code(actor=None, meter_id=meter.id, now=NOW)

    @cached_property
    def energy(self) -> dict[str, dict[str, str]]:
        """For each holder a meter with readings, an enrolment, an event to come and one that was settled; made once."""
        program = make_program(self.cast, notice_minutes=0)
        found = {}
        for holder, site in (("home", self.cast.home_site), ("organisation", self.cast.office)):
            meter = program.meter(site)
            record(meter, date(2026, 10, 26), date(2026, 11, 19), flat(1000))
            enrolment = program.enrol(site, now=local("2026-11-10 12:00"))
            past = program.call(local("2026-11-18 17:00"), sites=[site])
            coming = program.call(local("2026-11-20 17:00"), sites=[site])
            events.advance_events(now=NOW)
            settle_event(event_id=past.id, now=NOW)
            statement = statement_of_event(event_id=past.id, customer_id=self.customer(holder).id)
            assert statement is not None
            found[holder] = {
                "meter": meter.public_id,
                "program": program.program.public_id,
                "enrolment": enrolment.public_id,
                "event": coming.public_id,
                "statement": statement.public_id,
            }
        return found

    def group(self) -> str:
        """The number of a group of sites."""
        return programs.create_group(actor=None, name="West", site_ids=[self.cast.home_site.id], now=NOW).public_id

    def message_to_ana(self) -> str:
        """The number of a message to Ana."""
        tell(user_ids=[self.cast.ana.person_id], cause="test:1", subject="Hello", body="Hello", address="/help/", now=NOW)
        return inbox(self.cast.ana.person_id).items[0].public_id

    def job(self) -> str:
        """The number of an import that waits in the queue."""
        return enqueue(kind="import-readings", arguments={"path": "x", "reference": "x.csv"}, run_at=NOW, now=NOW)

    def upload(self) -> str:
        """The token of an uploaded file."""
        return uploads.keep([b"meter,start,kwh\nE1,2026-11-01T00:00:00Z,1\n"])

    def import_with_refusals(self) -> int:
        """The sequence of an import so bad that its refusals fill a file of their own."""
        lines = "".join(f"E-unknown,2026-11-{1 + n % 28:02}T{n % 24:02}:00:00Z,x{n}\n" for n in range(2000))
        path = Path(tempfile.mkdtemp()) / "bad.csv"
        path.write_text(f"meter,start,kwh\n{lines}")
        return import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW).sequence

    def meter(self, holder: str) -> MeterView:
        """A meter that the holder has had since yesterday."""
        meter = create_meter(
            actor=None, number=f"E-{holder}", name="", interval_s=900, quantities=["energy_import"], installed_on=None, now=NOW
        )
        site = self.cast.home_site if holder == "home" else self.cast.office
        return assign_meter(actor=None, meter_id=meter.id, customer_id=self.customer(holder).id, site_id=site.id, from_at=NOW, now=NOW)


def end(response: Any) -> None:
    """Close a file or a live page after its beginning, and not, as Django would at the end of a request, the test's database."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)
