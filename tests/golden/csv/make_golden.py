"""Writes the CSV files of this folder and what must be read from them: `python tests/golden/csv/make_golden.py`.

All figures are made here, from a formula; nothing comes from a customer. The layouts follow what utilities and devices really export
(the names in the files say which), as public parsers describe them. Each file is written from its readings, and the expected readings
from the same list, without the reader under test: times are computed with Python's own zones, amounts with decimals.

`<name>.expected.csv`: line, meter, quantity, start (UTC), length in seconds, energy in millionths of a Wh, quality.
`<name>.refused.csv`: line, column, reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).resolve().parent
QUARTER = timedelta(minutes=15)


@dataclass
class Golden:
    """A file being written beside what must be read from it."""

    name: str
    newline: str = "\n"
    encoding: str = "utf-8"
    lines: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, text: str) -> int:
        """Write a line; its number."""
        self.lines.append(text)
        return len(self.lines)

    def reading(self, line: int, meter: str, quantity: str, start: datetime, length: timedelta, kwh: Decimal, quality: int = 0) -> None:
        """What that line must give."""
        micro_wh = int(kwh * 10**9)
        self.expected.append(f"{line},{meter},{quantity},{start:%Y-%m-%dT%H:%M:%SZ},{int(length.total_seconds())},{micro_wh},{quality}")

    def write(self) -> None:
        """Into this folder."""
        (FOLDER / f"{self.name}.csv").write_bytes("".join(line + self.newline for line in self.lines).encode(self.encoding))
        (FOLDER / f"{self.name}.expected.csv").write_text("".join(line + "\n" for line in self.expected))
        (FOLDER / f"{self.name}.refused.csv").write_text("".join(line + "\n" for line in self.refused))


def day_of(day: date, zone: ZoneInfo, step: timedelta) -> list[datetime]:
    """The starts of a civil day in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)
    return [start + n * step for n in range(int((end - start) / step))]


def made_kwh(number: int, digits: int) -> Decimal:
    """A figure between 0.05 and 0.95 kWh with so many decimals."""
    return Decimal(50_000 + number * 7919 % 900_000).scaleb(-6).quantize(Decimal(1).scaleb(-digits))


def comma(number: Decimal) -> str:
    """With a decimal comma."""
    return f"{number:f}".replace(".", ",")


def fluvius() -> Golden:
    """Belgian grid operator: four registers, two of them blank at any time; the repeated hour's rows come in pairs."""
    golden = Golden("fluvius_october", newline="\r\n", encoding="utf-8-sig")
    zone = ZoneInfo("Europe/Brussels")
    golden.add("Van datum;Van tijdstip;Tot datum;Tot tijdstip;EAN;Meter;Metertype;Register;Volume;Eenheid;Validatiestatus")
    starts = day_of(date(2026, 10, 24), zone, QUARTER)[-4:] + day_of(date(2026, 10, 25), zone, QUARTER)
    by_wall = sorted(starts, key=lambda start: start.astimezone(zone).replace(tzinfo=None))  # stable: the first pass comes first
    for number, start in enumerate(by_wall):
        begin, end = start.astimezone(zone), (start + QUARTER).astimezone(zone)
        for register, quantity in (("Afname Dag", ""), ("Afname Nacht", "energy_import"), ("Injectie Nacht", "energy_export")):
            kwh = made_kwh(number, 3) if quantity == "energy_import" else Decimal("0.000") if number % 5 else None
            shown, status = (
                ("", "Geen verbruik") if not quantity or kwh is None else (comma(kwh), "Geschat" if number == 9 else "Gevalideerd")
            )
            line = golden.add(
                f'{begin:%d-%m-%Y;%H:%M:%S};{end:%d-%m-%Y;%H:%M:%S};="541400000000000017";1SAG000000001;Digitale Meter;{register};{shown};kWh;{status}'
            )
            if shown:
                assert kwh is not None
                golden.reading(line, "541400000000000017", quantity, start, QUARTER, kwh, 2 if number == 9 else 0)
            else:
                golden.refused.append(f"{line},Volume,no_value")
    return golden


def enedis() -> Golden:
    """French load curve: three header lines, mean power in W, stamped with the end of the half hour and its offset."""
    golden = Golden("enedis_load_curve", encoding="utf-8-sig")
    zone = ZoneInfo("Europe/Paris")
    golden.add(
        "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite;Pas en minutes"
    )
    golden.add("00000000000001;Courbe de charge;25/10/2026;26/10/2026;Energie active;Consommation;Comptage Brut;W;")
    golden.add("Horodate;Valeur")
    half_hour = timedelta(minutes=30)
    for number, start in enumerate(day_of(date(2026, 10, 25), zone, half_hour)):
        power_w = 200 + number * 37 % 1500
        line = golden.add(f"{(start + half_hour).astimezone(zone).isoformat()};{'' if number == 30 else power_w}")
        if number == 30:
            golden.refused.append(f"{line},Valeur,no_value")
        else:
            golden.reading(line, "PRM1", "energy_import", start, half_hour, Decimal(power_w) / 2000)
    return golden


def octopus() -> Golden:
    """British supplier: a blank before the header and after every comma; the offset changes in the middle of the day."""
    golden = Golden("octopus_autumn")
    zone = ZoneInfo("Europe/London")
    golden.add(" Consumption (kwh), Start, End")
    half_hour = timedelta(minutes=30)

    def shown(moment: datetime) -> str:
        return moment.astimezone(zone).isoformat().replace("+00:00", "Z")

    for number, start in enumerate(day_of(date(2026, 10, 25), zone, half_hour)):
        kwh = made_kwh(number, 3) if number != 12 else Decimal("0E-20")
        line = golden.add(f"{kwh}, {shown(start)}, {shown(start + half_hour)}")
        golden.reading(line, "1600000000001", "energy_import", start, half_hour, kwh)
    return golden


def green_button_csv() -> Golden:
    """American download: a preamble, inclusive ends (not mapped), dollars, notes that are missing in some rows; no hour from two to three."""
    golden = Golden("green_button_download_spring")
    zone = ZoneInfo("America/Los_Angeles")
    for text in (
        "Name,SAMPLE CUSTOMER",
        'Address,"1 SAMPLE ST, SAMPLETOWN CA 95000"',
        "Account Number,0000000001",
        "Service,Service 1",
        "",
    ):
        golden.add(text)
    golden.add("TYPE,DATE,START TIME,END TIME,USAGE (kWh),COST,NOTES")
    for number, start in enumerate(day_of(date(2026, 3, 8), zone, QUARTER)):
        begin, last = start.astimezone(zone), (start + QUARTER - timedelta(minutes=1)).astimezone(zone)
        kwh = made_kwh(number, 2)
        notes = "" if number % 10 == 3 else ","
        line = golden.add(f"Electric usage,{begin:%Y-%m-%d},{begin:%H:%M},{last:%H:%M},{kwh},${kwh / 4:.2f}{notes}")
        golden.reading(line, "0000000001", "energy_import", start, QUARTER, kwh)
    line = golden.add("Electric usage,2026-03-08,02:30,02:44,0.10,$0.03,")
    golden.refused.append(f"{line},DATE,missing_hour")
    return golden


def all_quoted() -> Golden:
    """Dutch supplier: everything quoted, hourly, an offset in the stamp, two meters one after the other."""
    golden = Golden("engie_hourly_spring")
    zone = ZoneInfo("Europe/Amsterdam")
    golden.add('"Datum","EAN","Verbruik","Type","Piek"')
    hour = timedelta(hours=1)
    for meter in ("871600000000000001", "871600000000000002"):
        for number, start in enumerate(day_of(date(2026, 3, 29), zone, hour)):
            kwh = made_kwh(number, 3)
            line = golden.add(f'"{start.astimezone(zone).isoformat()}","{meter}","{kwh}","Elektriciteit","false"')
            golden.reading(line, meter, "energy_import", start, hour, kwh)
    return golden


def daily() -> Golden:
    """Building manager: civil days with both ends, decimal commas, a delimiter at the end of each row, the return in a column of its own."""
    golden = Golden("daily_with_ends")
    zone = ZoneInfo("Europe/Amsterdam")
    golden.add("Vanaf;Tot;Verbruik;Teruglevering;")
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        after = day + timedelta(days=1)
        start, end = (datetime(moment.year, moment.month, moment.day, tzinfo=zone).astimezone(UTC) for moment in (day, after))
        kwh = made_kwh(number, 5) * 20
        line = golden.add(f"{day} 00:00;{after} 00:00;{comma(kwh)};-{comma(made_kwh(number, 5))};")
        golden.reading(line, "B-17", "energy_import", start, end - start, kwh)
    return golden


def registers_in_utc() -> Golden:
    """Charger: UTC with a Z, watt-hours with decimals, newest first, a total below the table, letters of Windows-1252."""
    golden = Golden("charger_utc", newline="\r\n", encoding="cp1252")
    golden.add("Serial Number,Timestamp,Energy (Wh),Label")
    hour = timedelta(hours=1)
    for number in reversed(range(48)):
        start = datetime(2026, 10, 24, 12, tzinfo=UTC) + number * hour
        kwh = made_kwh(number, 6) * 3
        line = golden.add(f"Z-1,{start:%Y-%m-%dT%H:%M:%S.000Z},{kwh * 1000:.2f},{'Ladesäule' if number % 2 else 'Garage'}")
        golden.reading(line, "Z-1", "energy_import", start, hour, Decimal(f"{kwh * 1000:.2f}") / 1000)
    line = golden.add(",,4711.00,Gesamt für alles")
    golden.refused.append(f"{line},Serial Number,no_meter")
    return golden


def all_files() -> Iterator[Golden]:
    """Every file."""
    for make in (fluvius, enedis, octopus, green_button_csv, all_quoted, daily, registers_in_utc):
        yield make()


if __name__ == "__main__":
    for made in all_files():
        made.write()
