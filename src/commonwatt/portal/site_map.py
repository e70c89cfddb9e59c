"""A map of sites without tiles: places as points in a frame, the same distance as long north as east."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from commonwatt.accounts.values import SiteView

WIDTH, HEIGHT, MARGIN = 720, 420, 36
_KM_PER_DEGREE = 111.32


@dataclass(frozen=True, slots=True)
class Point:
    """A site in the frame, in its units."""

    site: SiteView
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class SiteMap:
    """The points, and a scale bar: how long it is in the frame's units and in kilometres."""

    points: tuple[Point, ...]
    bar: float
    bar_km: float
    width: int = WIDTH
    height: int = HEIGHT


def site_map(sites: Sequence[SiteView]) -> SiteMap | None:
    """The sites that say where they are; None where none does."""
    placed = [(site, site.latitude, site.longitude) for site in sites if site.latitude is not None and site.longitude is not None]
    if not placed:
        return None
    middle = sum(latitude for _, latitude, _ in placed) / len(placed)
    squeeze = math.cos(math.radians(middle))  # a degree of longitude is shorter the further from the equator
    east = [longitude * squeeze * _KM_PER_DEGREE for _, _, longitude in placed]
    north = [latitude * _KM_PER_DEGREE for _, latitude, _ in placed]
    span = max(max(east) - min(east), (max(north) - min(north)) * (WIDTH - 2 * MARGIN) / (HEIGHT - 2 * MARGIN), 0.2)
    per_km = (WIDTH - 2 * MARGIN) / span
    centre_x, centre_y = (max(east) + min(east)) / 2, (max(north) + min(north)) / 2
    points = tuple(
        Point(site, round(WIDTH / 2 + (x - centre_x) * per_km, 1), round(HEIGHT / 2 - (y - centre_y) * per_km, 1))
        for (site, _, _), x, y in zip(placed, east, north, strict=True)
    )
    bar_km = _round_down(span / 4)
    return SiteMap(points, bar=round(bar_km * per_km, 1), bar_km=bar_km)


def _round_down(length: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(step * power for step in (5, 2, 1) if step * power <= length)
