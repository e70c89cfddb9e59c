"""Quantities as people read them: a localised number, a narrow space, its unit. The same rules as frontend/src/lib/format.ts."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from commonwatt.kernel.money import decimal_from_micros, decimal_from_nanos

GAP = "\u00a0"  # a number and its unit stay on one line
MISSING = "–"
_SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


def number(value: Decimal, decimals: int) -> str:
    """The value with that many decimals, half to even, with a true minus sign."""
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    text = number_format(abs(rounded), decimal_pos=decimals, use_l10n=True, force_grouping=True)
    return f"−{text}" if rounded < 0 else text


def energy(energy_wh: float, decimals: int | None = None) -> str:
    """Watt-hours as kWh (MWh from 100,000 kWh on); three decimals below 1 kWh, fewer above, or as many as asked for."""
    return _kilo(energy_wh, "Wh", decimals)


def power(power_w: float, decimals: int | None = None) -> str:
    """Watts as kW, with the decimals of `energy`."""
    return _kilo(power_w, "W", decimals)


def money(amount_nanos: int, currency: str, decimals: int = 2) -> str:
    """Integer nanos as an amount with its currency: €12.40."""
    return _with_currency(decimal_from_nanos(amount_nanos), currency, decimals)


def price(price_micros_per_kwh: int, currency: str) -> str:
    """Integer micros per kWh as a price, with two to six decimals: €0.25/kWh, €0.2875/kWh."""
    exact = decimal_from_micros(price_micros_per_kwh)
    exponent = exact.normalize().as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{_with_currency(exact, currency, decimals)}/kWh"


def percent(ratio: float, decimals: int = 1) -> str:
    """A ratio as a percentage: 0.387 is 38.7 %."""
    return f"{number(Decimal(repr(float(ratio))) * 100, decimals)}{GAP}%"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: 1 h 30 min."""
    left = round(seconds)
    parts: list[str] = []
    for size, unit in ((86_400, _("d")), (3600, _("h")), (60, _("min")), (1, _("s"))):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{GAP}{unit}")
    return " ".join(parts[:2]) or f"0{GAP}{_('s')}"


def _kilo(base: float, unit: str, decimals: int | None) -> str:
    kilo = Decimal(repr(base) if isinstance(base, float) else base) / 1000
    size = abs(kilo)
    if decimals is None and size >= 100_000:
        return f"{number(kilo / 1000, 1)}{GAP}M{unit}"
    if decimals is None:
        decimals = 3 if size < 1 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{number(kilo, decimals)}{GAP}k{unit}"


def _with_currency(value: Decimal, currency: str, decimals: int) -> str:
    text = number(value, decimals)
    sign, digits = ("−", text[1:]) if text.startswith("−") else ("", text)
    return f"{sign}{_SYMBOLS.get(currency, currency + GAP)}{digits}"


def kwh(energy_wh: int | None) -> str:
    """Whole watt-hours as kWh with all three decimals, for columns that name the unit; a dash for none."""
    return "–" if energy_wh is None else number(Decimal(energy_wh).scaleb(-3), 3)


def exact_price(price_micros_per_kwh: int) -> str:
    """A price per kWh with as many decimals as it has, at least two, for columns that name the currency."""
    return _exact(decimal_from_micros(price_micros_per_kwh))


def exact_amount(amount_nanos: int) -> str:
    """An amount with as many decimals as it has, at least two, for columns that name the currency: nothing is rounded."""
    return _exact(decimal_from_nanos(amount_nanos))


def quality_text(quality: str) -> str:
    """What a reading's quality is called."""
    return {"measured": _("measured"), "edited": _("edited by hand"), "estimated": _("estimated"), "missing": _("missing")}[quality]


def _exact(value: Decimal) -> str:
    exponent = value.normalize().as_tuple().exponent
    return number(value, max(2, -exponent) if isinstance(exponent, int) else 2)
