"""`import-readings`: CSV files of interval energy, with a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commonwatt.ops.commands.frame import Failed, Timer, plural, progress, tell, with_tables
from commonwatt.ops.install import Install
from commonwatt.wire.csv_options import IMPORT, QUANTITIES, BadCsvOptions, Columns, CsvOptions, DecimalMark, Encoding, Label, Repeated, Unit

if TYPE_CHECKING:
    from commonwatt.metering.import_report import ImportReport
    from commonwatt.metering.imports import ImportProgress


class Pairs(click.ParamType[tuple[str, str]]):
    """NAME=VALUE, as a pair."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # Any: click's own
        """The two sides of the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, equals, meaning = str(value).partition("=")
        if not equals or not name or not meaning:
            self.fail(f"{value!r} is not NAME=VALUE.", param, ctx)
        return name, meaning


PAIRS = Pairs()


@click.command("import-readings")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column",
    "columns",
    multiple=True,
    type=PAIRS,
    metavar="FIELD=NAME",
    help="Which column holds what: meter, start, start_time, end, end_time, amount, length_s, quality or quantity. May be repeated.",
)
@click.option("--meter", help="The meter that every row belongs to, for a file without a meter column.")
@click.option("--quantity", type=click.Choice(QUANTITIES), default=IMPORT, show_default=True, help="What the rows measure.")
@click.option("--quantity-word", multiple=True, type=PAIRS, metavar="WORD=QUANTITY", help="What a word of the quantity column means.")
@click.option("--quality-word", multiple=True, type=PAIRS, metavar="WORD=QUALITY", help="What a word of the quality column means.")
@click.option("--unit", type=click.Choice([one.value for one in Unit]), help="The unit of the amounts; else from the column's name.")
@click.option("--label", type=click.Choice([one.value for one in Label]), help="Which edge of its interval a stamp names.")
@click.option("--interval-s", type=int, help="How long every interval lasts, in seconds; 86400 for local days.")
@click.option("--zone", help="The civil zone of stamps without an offset, such as Europe/Brussels.")
@click.option(
    "--repeated",
    type=click.Choice([one.value for one in Repeated]),
    default=Repeated.REFUSE.value,
    show_default=True,
    help="What to do with a stamp of the repeated autumn hour that occurs only once.",
)
@click.option("--date-format", help="How stamps are written, such as %d-%m-%Y %H:%M; ISO 8601 if left out.")
@click.option("--decimal", type=click.Choice([one.value for one in DecimalMark]), default=".", show_default=True, help="The decimal mark.")
@click.option("--delimiter", help="What separates the fields; found with the header if left out.")
@click.option(
    "--encoding", type=click.Choice([one.value for one in Encoding]), default="auto", show_default=True, help="How bytes become letters."
)
@click.option("--header-line", type=int, help="The line of the header, from 1; 0 for none; looked for if left out.")
@click.option("--create-meters", is_flag=True, help="Create meters that do not exist yet; needs --interval-s.")
@click.option("--json", "as_json", is_flag=True, help="Print each report as one JSON object instead of the refused lines.")
@with_tables
def import_readings(
    here: Install,
    /,
    *,
    files: Sequence[Path],
    columns: Sequence[tuple[str, str]],
    quantity_word: Sequence[tuple[str, str]],
    quality_word: Sequence[tuple[str, str]],
    create_meters: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Bring CSV FILES of interval energy in. A bad line never stops the rest, and of a file all is stored or nothing.

    The columns meter, start and kwh (or wh) are read without any option. Refused lines are printed as line, reason code and
    reason, separated by tabs. Running it again stores nothing twice.
    """
    options = _options(columns, quantity_words=dict(quantity_word), quality_words=dict(quality_word), **chosen)
    took = Timer()
    reports = [_import(here, file, options, create_meters=create_meters) for file in files]
    for file, report in zip(files, reports, strict=True):
        _print(file, report, as_json=as_json)
    refused = sum(report.refused_count for report in reports)
    counts = [
        plural(sum(report.rows_read for report in reports), "row") + " read",
        f"{sum(report.accepted for report in reports):,} accepted",
        f"{sum(report.repeated for report in reports):,} repeated",
        f"{sum(report.revised for report in reports):,} revised",
        f"{refused:,} refused",
    ]
    tell(f"import-readings: {', '.join(counts)}, {took}")
    if refused and refused == sum(report.rows_read for report in reports):
        raise Failed("Every line was refused. The reasons say why; the options of this command tell it how to read a file.")


def _options(columns: Sequence[tuple[str, str]], **chosen: Any) -> CsvOptions:  # Any: each is what its option's type gave
    kinds = {"unit": Unit, "label": Label, "repeated": Repeated, "decimal": DecimalMark, "encoding": Encoding}
    for name, kind in kinds.items():
        chosen[name] = None if chosen[name] is None else kind(chosen[name])
    try:
        named = Columns(**dict(columns))
    except TypeError as error:
        fields = ", ".join(Columns.__slots__)
        raise click.BadParameter(f"the fields are {fields}.", param_hint="--column") from error
    try:
        return CsvOptions(columns=named, **chosen)
    except BadCsvOptions as error:
        raise click.UsageError("\n".join(f"--{name.replace('_', '-')}: {text}" for name, text in error.problems)) from error


def _import(here: Install, file: Path, options: CsvOptions, *, create_meters: bool) -> ImportReport:
    from commonwatt.metering.imports import NoIntervalForNewMeters, import_csv
    from commonwatt.wire.csv_reasons import UnreadableCsv

    with progress(f"import-readings {file.name}") as update:

        def show(at: ImportProgress) -> None:
            update(round(at.share * at.bytes_total), at.bytes_total)

        try:
            return import_csv(path=file, options=options, actor_id=None, now=here.clock.now(), create_meters=create_meters, progress=show)
        except NoIntervalForNewMeters as error:
            raise click.UsageError(f"{error} Give --interval-s.") from error
        except UnreadableCsv as error:
            raise Failed(f"{file}: {error}") from error


def _print(file: Path, report: ImportReport, *, as_json: bool) -> None:
    if as_json:
        counts = {"sequence": report.sequence, "accepted": report.accepted, "repeated": report.repeated, "revised": report.revised}
        click.echo(json.dumps({"file": str(file), **counts, "refused_count": report.refused_count, **report.to_json()}))
        return
    for refusal in report.refused:
        click.echo(f"{'' if refusal.line is None else refusal.line}\t{refusal.reason}\t{refusal.text}")
    for note in report.notes:
        tell(f"{file.name}: {note}")
    if report.refused_count > len(report.refused):
        from commonwatt.metering.import_report import imported_file

        where = f"; all of them are in {imported_file(report.refused_file)}" if report.refused_file else ""
        tell(f"{file.name}: {report.refused_count - len(report.refused):,} more lines were refused{where}")
