"""What other rooms see of programs, enrolments and events: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from commonwatt.demand_response.choices import Choice, EventStatus, OptSource, TargetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsView:
    """One version of a program's rules."""

    id: int
    program_id: int
    version: int
    created_at: datetime
    notice_minutes: int
    shortest_minutes: int
    longest_minutes: int
    events_per_day: int
    events_per_year: int
    baseline_rule: Mapping[str, Any]  # JSON, as baseline.rules.rule_to_dict gives it
    price_micros_per_kwh: int
    credit_factor_ppm: int
    negative_intervals: str
    data_wait_minutes: int
    consent_text: str
    consent_digest: str
    coverage_days: int
    coverage_percent: int
    responding_share_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramView:
    """A program with its newest terms."""

    id: int
    public_id: str
    name: str
    description: str
    currency: str
    time_zone: str
    is_open: bool
    created_at: datetime
    terms: TermsView


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupView:
    """A named set of sites."""

    id: int
    public_id: str
    name: str
    site_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentView:
    """A site's participation in a program. `agreed_version` is the newest terms it agreed to and has not withdrawn from."""

    id: int
    public_id: str
    program_id: int
    program_public_id: str
    program_name: str
    site_id: int
    customer_id: int
    enrolled_at: datetime
    ended_at: datetime | None
    agreed_version: int | None
    newest_version: int

    @property
    def is_current(self) -> bool:
        """Whether the site has not left."""
        return self.ended_at is None

    @property
    def needs_consent(self) -> bool:
        """Whether newer terms wait for an answer; until then the site is not called for new events."""
        return self.is_current and self.agreed_version != self.newest_version


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """What was agreed to, by whom and when."""

    terms_version: int
    text: str
    text_digest: str
    given_by_name: str
    given_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalView:
    """What an event asks for, per interval; starts count from the event's start."""

    signal_type: str
    intervals: tuple[Mapping[str, Any], ...]  # {"start_s", "length_s", "value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """One event. `participants` and `opted_out` count its sites."""

    id: int
    public_id: str
    program_id: int
    program_public_id: str
    program_name: str
    program_time_zone: str
    currency: str
    terms_id: int
    terms_version: int
    price_micros_per_kwh: int
    status: EventStatus
    modification_number: int
    starts_at: datetime
    ends_at: datetime
    issued_at: datetime
    issued_by_name: str
    is_test: bool
    reason: str
    target_kw: float | None
    cancelled_at: datetime | None
    cancel_reason: str
    participants: int
    opted_out: int

    @property
    def effective_ends_at(self) -> datetime:
        """When it stopped asking for anything: its end, or the cancellation; the start if it was cancelled before."""
        if self.cancelled_at is None:
            return self.ends_at
        return min(max(self.cancelled_at, self.starts_at), self.ends_at)

    @property
    def took_place(self) -> bool:
        """Whether any of it was not cancelled."""
        return self.effective_ends_at > self.starts_at

    @property
    def duration(self) -> timedelta:
        """How long it was meant to last."""
        return self.ends_at - self.starts_at


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What settlement needs to know of an event: when it was, and the terms it was called under."""

    event_id: int
    public_id: str
    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    cancelled_at: datetime | None
    is_test: bool
    reason: str
    program_id: int
    program_public_id: str
    program_name: str
    currency: str
    time_zone: str
    terms_version: int
    rule: Mapping[str, Any]  # JSON, as baseline.rules.rule_to_dict gives it
    price_micros_per_kwh: int
    credit_factor_ppm: int
    negative_intervals: str
    data_wait_minutes: int
    responding_share_ppm: int

    @property
    def effective_ends_at(self) -> datetime:
        """When it stopped asking for anything: its end, or the cancellation; the start if it was cancelled before."""
        if self.cancelled_at is None:
            return self.ends_at
        return min(max(self.cancelled_at, self.starts_at), self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantView:
    """A site that was called, and its answer so far; an empty choice means taking part."""

    event_id: int
    site_id: int
    customer_id: int
    enrolment_id: int
    choice: str
    chosen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Called:
    """A span during which an event held a site; on these days the site's load is no example of ordinary days."""

    site_id: int
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class CalledSite:
    """One call of one site, for participation and savings rate."""

    event_id: int
    event_public_id: str
    program_id: int
    site_id: int
    customer_id: int
    choice: str
    starts_at: datetime
    responding_share_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetView:
    """One aim of an event; the name of the group or site, empty for everyone."""

    kind: TargetKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptView:
    """One answer of a site to an event."""

    site_id: int
    choice: Choice
    source: OptSource
    given_by_name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One step in the life of an event: issued, started, an answer, cancelled, completed."""

    kind: str
    at: datetime
    text: str
    site_id: int | None = None
