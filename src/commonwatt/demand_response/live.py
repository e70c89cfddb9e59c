"""An event while it runs: expected, used and delivered so far, for the whole portfolio and for each site, and how old the figures are.

Provisional by nature: the statement is settled from a measurement (`delivery.measure`) after the readings have been waited for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import numpy as np

from commonwatt.baseline.arrays import BoolArray, FloatArray, IntArray
from commonwatt.baseline.reasons import Verdict
from commonwatt.baseline.rules import rule_from_dict
from commonwatt.demand_response.baselines import BaselineGroup, baselines
from commonwatt.demand_response.boards import Board, BoardInterval, SiteBoard
from commonwatt.demand_response.choices import Choice
from commonwatt.demand_response.delivery import question_of
from commonwatt.demand_response.event_queries import event, event_facts, participants_of
from commonwatt.demand_response.holdings import Holding
from commonwatt.demand_response.metered import Metered, metered
from commonwatt.demand_response.views import EventFacts, EventView, ParticipantView
from commonwatt.kernel.time import epoch_seconds, from_epoch
from commonwatt.kernel.units import mean_power_w, wh_from_kwh
from commonwatt.metering.store import newest_sequence

CONTEXT = timedelta(hours=2)
# A late reading of the days compared with can move a baseline: it is looked for this often.
BASELINES_LAST = timedelta(seconds=60)
_EVENTS_KEPT = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """Meters of one group over the event and its context, and what they read there."""

    holdings: tuple[Holding, ...]
    interval_s: int
    starts_s: IntArray  # (intervals,)
    in_event: BoolArray  # (intervals,)
    baseline_wh: IntArray  # (meters, intervals)
    has_baseline: BoolArray  # (meters, intervals)
    read: Metered


@dataclass(slots=True)
class _Sum:
    """Sums over the meters of one site."""

    expected_wh: int = 0
    baseline_wh: int = 0
    metered_wh: int = 0
    newest_s: int = 0
    has_baseline: bool = False
    powers_w: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Step:
    """Sums over meters in one step of the chart."""

    meters: int = 0
    reporting: int = 0
    baseline_wh: int = 0
    reported_baseline_wh: int = 0
    metered_wh: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Kept:
    """What is kept of an event between two looks at it: baselines, and readings, each as of a sequence."""

    computed_at: datetime
    baselines_as_of: int
    groups: tuple[BaselineGroup, ...]
    sequence: int
    parts: tuple[_Part, ...]


_kept: OrderedDict[str, _Kept] = OrderedDict()
_lock = Lock()


def board(*, event_id: int, now: datetime, site_ids: Collection[int] | None = None) -> Board:
    """The event so far, for these sites or (None) all it called.

    Baselines are kept for BASELINES_LAST, and readings until newer ones arrive, so that many viewers cost little more than one.

    Raises:
        NoSuchEvent: If there is none of this id.
    """
    view = event(event_id)
    participants = [row for row in participants_of(event_id) if site_ids is None or row.site_id in site_ids]
    kept = _parts(event_facts(event_id), now=now)
    end = min(view.effective_ends_at, now)
    sites = _site_boards(participants, kept.parts, end=end)
    taking_part = [site for site in sites if site.choice != Choice.OUT]
    powers = [site.delivered_w for site in taking_part if site.delivered_w is not None]
    return Board(
        event=view,
        now=now,
        expected_wh=sum(site.expected_wh for site in taking_part),
        baseline_wh=sum(site.baseline_wh for site in taking_part),
        metered_wh=sum(site.metered_wh for site in taking_part),
        delivered_w=sum(powers) if powers else None,
        newest_at=max((site.newest_at for site in sites if site.newest_at is not None), default=None),
        sites=sites,
        series=_series(view, kept.parts, {site.site_id for site in taking_part}, now=now),
        ingest_sequence=kept.sequence,
    )


def _parts(facts: EventFacts, *, now: datetime) -> _Kept:
    sequence = newest_sequence()
    with _lock:
        kept = _kept.get(facts.public_id)
    if kept is None or not (kept.baselines_as_of == sequence or timedelta(0) <= now - kept.computed_at < BASELINES_LAST):
        question = question_of(facts, rule=rule_from_dict(facts.rule), as_of=sequence)
        site_ids = [participant.site_id for participant in participants_of(facts.event_id)]
        groups = tuple(baselines(question, site_ids=site_ids))
        kept = _keep(facts, _read(facts, groups, computed_at=now, baselines_as_of=sequence, sequence=sequence))
    elif kept.sequence != sequence:
        newer = _read(facts, kept.groups, computed_at=kept.computed_at, baselines_as_of=kept.baselines_as_of, sequence=sequence)
        kept = _keep(facts, newer)
    return kept


def _read(facts: EventFacts, groups: tuple[BaselineGroup, ...], *, computed_at: datetime, baselines_as_of: int, sequence: int) -> _Kept:
    parts = tuple(_part(group, facts, as_of=sequence) for group in groups)
    return _Kept(computed_at=computed_at, baselines_as_of=baselines_as_of, groups=groups, sequence=sequence, parts=parts)


def _keep(facts: EventFacts, kept: _Kept) -> _Kept:
    with _lock:
        _kept[facts.public_id] = kept
        _kept.move_to_end(facts.public_id)
        while len(_kept) > _EVENTS_KEPT:
            _kept.popitem(last=False)
    return kept


def _part(group: BaselineGroup, facts: EventFacts, *, as_of: int) -> _Part:
    window, result = group.window, group.result
    interval_s = window.interval_minutes * 60
    before = int(CONTEXT.total_seconds()) // interval_s
    event_starts_s = window.starts_s if len(window.starts_s) else np.array([epoch_seconds(facts.starts_at)])
    around = np.arange(1, before + 1) * interval_s
    starts_s = np.concatenate([event_starts_s[0] - around[::-1], event_starts_s, event_starts_s[-1] + around])
    in_event = np.isin(starts_s, window.starts_s)
    labels = window.labels_of(starts_s)
    is_on_day = (labels >= 0) & (labels < window.labels_per_day)
    at = np.where(is_on_day, labels, 0)
    # Within the event the baseline that is settled, around it the adjusted profile that it is cut from.
    drawn: FloatArray = np.where(in_event, result.baseline_kwh[:, at], result.adjusted_kwh[:, at])
    has_baseline = np.isfinite(drawn) & is_on_day & (result.verdict == Verdict.OK)[:, np.newaxis]
    return _Part(
        holdings=group.holdings,
        interval_s=interval_s,
        starts_s=starts_s,
        in_event=in_event,
        baseline_wh=wh_from_kwh(np.where(has_baseline, drawn, 0.0)),
        has_baseline=has_baseline,
        read=metered(holdings=group.holdings, starts_s=starts_s, interval_s=interval_s, as_of=as_of),
    )


def _site_boards(participants: Sequence[ParticipantView], parts: Sequence[_Part], *, end: datetime) -> tuple[SiteBoard, ...]:
    sums = {participant.site_id: _Sum() for participant in participants}
    for part in parts:
        ended: BoolArray = part.in_event & (part.starts_s + part.interval_s <= end.timestamp())
        counts: BoolArray = part.has_baseline & part.read.known & ended
        expected = np.where(part.in_event, part.baseline_wh, 0).sum(axis=1).tolist()
        baseline = np.where(counts, part.baseline_wh, 0).sum(axis=1).tolist()
        used = np.where(counts, part.read.energy_wh, 0).sum(axis=1).tolist()
        powers = _powers_now(part, counts, ended)
        has_baseline = np.logical_or.reduce(part.has_baseline & part.in_event, axis=1).tolist()
        newest_s = part.read.newest_end_s.tolist()
        for row, holding in enumerate(part.holdings):
            if site := sums.get(holding.site_id):
                site.expected_wh += expected[row]
                site.baseline_wh += baseline[row]
                site.metered_wh += used[row]
                site.powers_w += powers[row]
                site.newest_s = max(site.newest_s, newest_s[row])
                site.has_baseline |= has_baseline[row]
    return tuple(_site_board(participant, sums[participant.site_id]) for participant in participants)


def _site_board(participant: ParticipantView, total: _Sum) -> SiteBoard:
    return SiteBoard(
        site_id=participant.site_id,
        customer_id=participant.customer_id,
        choice=participant.choice,
        has_baseline=total.has_baseline,
        expected_wh=total.expected_wh,
        baseline_wh=total.baseline_wh,
        metered_wh=total.metered_wh,
        delivered_w=sum(total.powers_w) if total.powers_w else None,
        newest_at=from_epoch(total.newest_s) if total.newest_s else None,
    )


def _powers_now(part: _Part, counts: BoolArray, ended: BoolArray) -> list[list[float]]:
    """The power that each meter delivers in its newest interval, if that is one of the last two that ended; else nothing. [W]"""
    recent = np.flatnonzero(ended)[-2:]
    powers: list[list[float]] = [[] for _ in part.holdings]
    for place in recent:  # the newer one last: it replaces the other
        delivered = part.baseline_wh[:, place] - part.read.energy_wh[:, place]
        for row in np.flatnonzero(counts[:, place]):
            powers[row] = [mean_power_w(int(delivered[row]), part.interval_s)]
    return powers


def _series(view: EventView, parts: Sequence[_Part], site_ids: Collection[int], *, now: datetime) -> tuple[BoardInterval, ...]:
    """Sums over sites in steps of the longest interval among their meters."""
    chosen = [(part, [row for row, holding in enumerate(part.holdings) if holding.site_id in site_ids]) for part in parts]
    chosen = [(part, rows) for part, rows in chosen if rows]
    if not chosen:
        return ()
    coarsest = max((part for part, _ in chosen), key=lambda part: part.interval_s)
    steps = [_Step() for _ in coarsest.starts_s]
    for part, rows in chosen:
        _add_to(steps, part, rows, coarsest, now=now)
    return tuple(
        BoardInterval(
            start=from_epoch(int(start_s)),
            length_s=coarsest.interval_s,
            in_event=view.starts_at <= from_epoch(int(start_s)) < view.effective_ends_at,
            baseline_wh=(step.reported_baseline_wh if step.reporting else step.baseline_wh) if step.meters else None,
            metered_wh=step.metered_wh if step.reporting else None,
            reporting=step.reporting,
            meters=step.meters,
        )
        for start_s, step in zip(coarsest.starts_s, steps, strict=True)
    )


def _add_to(steps: list[_Step], part: _Part, rows: list[int], coarsest: _Part, *, now: datetime) -> None:
    """Add a part's meters to the steps; a meter has reported a step when it has reported all of it."""
    place = (part.starts_s - coarsest.starts_s[0]) // coarsest.interval_s
    has_ended = part.starts_s + part.interval_s <= now.timestamp()
    for index, step in enumerate(steps):
        here = place == index
        if not here.any():
            continue
        has_baseline = np.logical_and.reduce(part.has_baseline[rows][:, here], axis=1)
        reported = has_baseline & np.logical_and.reduce((part.read.known[rows] & has_ended)[:, here], axis=1)
        baseline = part.baseline_wh[rows][:, here].sum(axis=1)
        step.meters += int(has_baseline.sum())
        step.reporting += int(reported.sum())
        step.baseline_wh += int(baseline[has_baseline].sum())
        step.reported_baseline_wh += int(baseline[reported].sum())
        step.metered_wh += int(part.read.energy_wh[rows][:, here].sum(axis=1)[reported].sum())
