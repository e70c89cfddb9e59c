"""The operator's live board as values: the portfolio against its target, customers and sites with the laggards first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commonwatt.accounts.values import CustomerView, SiteView
from commonwatt.demand_response.boards import Board, SiteBoard

SILENT_AFTER = timedelta(minutes=45)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """One customer or one site. Energies are those of its sites that take part. [Wh, W]

    Attributes:
        missing_wh: How far it lies behind its share of the target (without a target: behind its baseline); what the list is ordered by.
        is_silent: Whether it takes part and its newest reading is old, or there is none.
    """

    name: str
    customer: CustomerView
    choice: str
    expected_wh: int
    baseline_wh: int
    metered_wh: int
    delivered_w: float | None
    newest_at: datetime | None
    missing_wh: int
    is_silent: bool

    @property
    def delivered_wh(self) -> int:
        """Baseline minus reading so far. [Wh]"""
        return self.baseline_wh - self.metered_wh

    @property
    def share(self) -> float | None:
        """Delivered over baseline; None where nothing was expected yet."""
        return self.delivered_wh / self.baseline_wh if self.baseline_wh > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskBoard:
    """The board of one event. [Wh, W] `target_share` is what part of its use everybody would leave out to reach the target."""

    board: Board
    target_w: float | None
    target_share: float | None
    taking_part: int
    opted_out: int
    silent: int
    sites: tuple[BoardRow, ...]
    customers: tuple[BoardRow, ...]

    @property
    def reached(self) -> float | None:
        """Power delivered now over the target; None without either."""
        return self.board.delivered_w / self.target_w if self.target_w and self.board.delivered_w is not None else None


def desk_board(board: Board, *, sites: Mapping[int, SiteView], customers: Mapping[int, CustomerView], now: datetime) -> DeskBoard:
    """Order everybody by how much is still missing, those who said no last."""
    event = board.event
    target_w = event.target_kw * 1000 if event.target_kw else None
    hours = (event.ends_at - event.starts_at).total_seconds() / 3600
    target_share = target_w * hours / board.expected_wh if target_w and board.expected_wh > 0 else None
    rows = [
        _row(one, name=sites[one.site_id].name, customer=customers[one.customer_id], target_share=target_share, board=board, now=now)
        for one in board.sites
    ]
    taking_part = [row for row in rows if row.choice != "out"]
    return DeskBoard(
        board=board,
        target_w=target_w,
        target_share=target_share,
        taking_part=len(taking_part),
        opted_out=len(rows) - len(taking_part),
        silent=sum(row.is_silent for row in rows),
        sites=tuple(sorted(rows, key=_order)),
        customers=tuple(sorted(_customers(rows), key=_order)),
    )


def _row(one: SiteBoard, *, name: str, customer: CustomerView, target_share: float | None, board: Board, now: datetime) -> BoardRow:
    asked_wh = round(one.baseline_wh * (1.0 if target_share is None else target_share))
    is_out = one.choice == "out"
    is_old = one.newest_at is None or now - one.newest_at > SILENT_AFTER
    return BoardRow(
        name=name,
        customer=customer,
        choice=one.choice,
        expected_wh=one.expected_wh,
        baseline_wh=one.baseline_wh,
        metered_wh=one.metered_wh,
        delivered_w=one.delivered_w,
        newest_at=one.newest_at,
        missing_wh=0 if is_out else asked_wh - one.delivered_wh,
        is_silent=not is_out and is_old and board.now < board.event.ends_at + SILENT_AFTER,
    )


def _customers(rows: Sequence[BoardRow]) -> list[BoardRow]:
    """The sums of every customer's sites that take part; a customer of whom none does is out."""
    by_customer: dict[int, list[BoardRow]] = {}
    for row in rows:
        by_customer.setdefault(row.customer.id, []).append(row)
    return [_sum(group) for group in by_customer.values()]


def _sum(group: Sequence[BoardRow]) -> BoardRow:
    part = [row for row in group if row.choice != "out"]
    powers = [row.delivered_w for row in part if row.delivered_w is not None]
    newest = [row.newest_at for row in part if row.newest_at is not None]
    return BoardRow(
        name=group[0].customer.name,
        customer=group[0].customer,
        choice="" if part else "out",
        expected_wh=sum(row.expected_wh for row in part),
        baseline_wh=sum(row.baseline_wh for row in part),
        metered_wh=sum(row.metered_wh for row in part),
        delivered_w=sum(powers) if powers else None,
        newest_at=min(newest) if newest else None,
        missing_wh=sum(row.missing_wh for row in part),
        is_silent=any(row.is_silent for row in part),
    )


def _order(row: BoardRow) -> tuple[bool, int, str]:
    return row.choice == "out", -row.missing_wh, row.name.casefold()
