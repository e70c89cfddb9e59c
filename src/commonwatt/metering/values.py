"""What this room tells others about meters: frozen values, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonwatt.metering.models import Channel, Meter, MeterAssignment


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One quantity of one meter."""

    id: int
    meter_id: int
    quantity: str
    unit: str
    interval_s: int

    @classmethod
    def of(cls, row: Channel) -> ChannelView:
        """The view of one row."""
        return cls(row.pk, row.meter_id, row.quantity, row.unit, row.interval_s)


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """Who held a meter, where, from when until when; `until_at` is None while it lasts."""

    meter_id: int
    customer_id: int
    site_id: int
    from_at: datetime
    until_at: datetime | None

    @classmethod
    def of(cls, row: MeterAssignment) -> AssignmentView:
        """The view of one row."""
        return cls(row.meter_id, row.customer_id, row.site_id, row.from_at, row.until_at)

    def holds_at(self, instant: datetime) -> bool:
        """Whether the span contains the instant."""
        return self.from_at <= instant and (self.until_at is None or instant < self.until_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterView:
    """A meter, its channels, and who holds it now (None: nobody)."""

    id: int
    public_id: str
    number: str
    name: str
    interval_s: int
    time_zone: str
    installed_on: date | None
    removed_on: date | None
    channels: tuple[ChannelView, ...]
    holder: AssignmentView | None

    @property
    def label(self) -> str:
        """What to call it: its name, or else its number."""
        return self.name or self.number

    def channel(self, quantity: str) -> ChannelView | None:
        """The channel of this quantity, if the meter has one."""
        return next((channel for channel in self.channels if channel.quantity == quantity), None)

    @classmethod
    def of(cls, row: Meter, *, holder: AssignmentView | None) -> MeterView:
        """The view of one row; its channels are read unless they were prefetched."""
        channels = sorted((ChannelView.of(channel) for channel in row.channels.all()), key=lambda channel: channel.id)
        return cls(
            id=row.pk,
            public_id=row.public_id,
            number=row.number,
            name=row.name,
            interval_s=row.interval_s,
            time_zone=row.time_zone,
            installed_on=row.installed_on,
            removed_on=row.removed_on,
            channels=tuple(channels),
            holder=holder,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open span of time; None means without a bound."""

    from_at: datetime | None
    until_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterAccess:
    """A meter as one viewer may see it: the spans whose readings are theirs to see, oldest first."""

    id: int
    public_id: str
    meter: MeterView
    spans: tuple[Span, ...]

    def may_see(self, instant: datetime) -> bool:
        """Whether a reading that starts at this instant is the viewer's to see."""
        return any(
            (span.from_at is None or span.from_at <= instant) and (span.until_at is None or instant < span.until_at) for span in self.spans
        )
