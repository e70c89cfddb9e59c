"""The measurement of an event: what was used, against what would have been used without it, meter by meter, interval by interval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from commonwatt.accounts import queries as accounts
from commonwatt.baseline.reasons import Verdict
from commonwatt.baseline.rules import BaselineRule, rule_from_dict
from commonwatt.demand_response.baselines import BaselineGroup, Question, baselines, look_back_days
from commonwatt.demand_response.digests import meter_digest, whole_digest
from commonwatt.demand_response.event_queries import called_spans, event_facts, participants_of
from commonwatt.demand_response.holdings import Holding
from commonwatt.demand_response.measured import Delivery, HeldMeter, MeasuredGroup
from commonwatt.demand_response.metered import metered
from commonwatt.demand_response.views import EventFacts, ParticipantView
from commonwatt.kernel.units import wh_from_kwh
from commonwatt.metering.store import newest_sequence


def measure(
    *, event_id: int, now: datetime, as_of: int | None = None, until: datetime | None = None, rule: BaselineRule | None = None
) -> Delivery:
    """Measure an event, or as much of it as has passed.

    The same arguments give the same figures and digests for ever: readings learned after `as_of` are not looked at.

    Args:
        now: Intervals that have not ended by now are left out.
        as_of: The ingest sequence to measure at; None for all that is known.
        until: Leave out intervals that end later than this, as a cancellation does by itself.
        rule: The baseline rule to use instead of the one in the event's terms.

    Raises:
        NoSuchEvent: If there is none of this id.
        CountryUnknown: If the holidays of a participant's country are not known.
    """
    event = event_facts(event_id)
    end = min(event.effective_ends_at, now, until or now)
    sequence = newest_sequence() if as_of is None else as_of
    rule = rule or rule_from_dict(event.rule)
    participants = {participant.site_id: participant for participant in participants_of(event_id)}
    question = question_of(event, rule=rule, as_of=sequence)
    groups = list(baselines(question, site_ids=list(participants)))
    parties = accounts.party_ids({holding.customer_id for group in groups for holding in group.holdings})
    measured = tuple(_measured(group, participants, parties, end=end, as_of=sequence) for group in groups)
    digests = ((held.meter_id, digest) for group in measured for held, digest in zip(group.meters, group.digests, strict=True))
    return Delivery(
        event=event,
        rule=rule,
        groups=measured,
        ingest_sequence=sequence,
        readings_digest=whole_digest(digests),
        sites_without_meter=tuple(sorted(set(participants) - {held.site_id for group in measured for held in group.meters})),
    )


def question_of(event: EventFacts, *, rule: BaselineRule, as_of: int) -> Question:
    """The baselines that an event asks for, other events of its sites excluded."""
    since = event.starts_at - timedelta(days=look_back_days(rule) + 2)
    called = called_spans(event_id=event.event_id, since=since, until=event.starts_at)
    return Question(starts_at=event.starts_at, ends_at=event.ends_at, rule=rule, called=called, as_of=as_of)


def _measured(
    group: BaselineGroup,
    participants: Mapping[int, ParticipantView],
    parties: Mapping[int, str],
    *,
    end: datetime,
    as_of: int,
) -> MeasuredGroup:
    window, result = group.window, group.result
    count = window.whole_until(end)
    starts_s, labels = window.starts_s[:count], window.labels[:count]
    interval_s = window.interval_minutes * 60
    read = metered(holdings=group.holdings, starts_s=starts_s, interval_s=interval_s, as_of=as_of)
    baseline_kwh = result.baseline_kwh[:, labels]
    has_baseline = (result.verdict == Verdict.OK)[:, np.newaxis]
    digests = (
        meter_digest(history, starts_s=starts_s, energy_wh=read.energy_wh[row], known=read.known[row], quality=read.quality[row])
        for row, history in enumerate(group.histories)
    )
    return MeasuredGroup(
        meters=tuple(_held(holding, participants, parties) for holding in group.holdings),
        interval_s=interval_s,
        starts_s=starts_s,
        dates=tuple(result.dates[::-1].tolist()),
        day_status=result.day_status[:, ::-1],
        adjustment_kind=result.rule.adjustment.kind,
        adjustment_value=result.adjustment,
        adjustment_raw=result.adjustment_raw,
        cap_status=result.adjustment_status,
        verdict=result.verdict,
        notes=result.notes,
        baseline_kwh=baseline_kwh,
        # The one quantisation: whole watt-hours, half to even, before anything is priced.
        baseline_wh=wh_from_kwh(np.where(has_baseline, baseline_kwh, 0.0)),
        metered_wh=read.energy_wh,
        has_reading=read.known,
        quality=read.quality,
        digests=tuple(digests),
    )


def _held(holding: Holding, participants: Mapping[int, ParticipantView], parties: Mapping[int, str]) -> HeldMeter:
    return HeldMeter(
        meter_id=holding.meter_id,
        site_id=holding.site_id,
        customer_id=holding.customer_id,
        party_id=parties[holding.customer_id],
        choice=participants[holding.site_id].choice,
    )
