"""Commands for the sealed months: `seal` and `lake files`."""

from __future__ import annotations

import json

import click

from commonwatt.ops.commands.frame import Timer, plural, progress, tell, with_tables
from commonwatt.ops.install import Install


@click.command()
@click.option(
    "--after-days", type=click.IntRange(min=0), help="Seal months that ended so many days ago; the install's setting if left out."
)
@click.option("--dry-run", is_flag=True, help="Change nothing; print the months and buckets that are due.")
@with_tables
def seal(here: Install, *, after_days: int | None, dry_run: bool) -> None:
    """Move the readings of closed months from rows into sealed files. Safe to stop and to run again at any time."""
    from commonwatt.metering.sealing import parts_due, seal_due

    days = here.settings.seal_after_days if after_days is None else after_days
    now, took = here.clock.now(), Timer()
    if dry_run:
        due = parts_due(now=now, after_days=days)
        for part in due:
            click.echo(f"{part.month:%Y-%m}\t{part.bucket}")
        tell(f"seal: {plural(len(due), 'part')} due, nothing changed")
        return
    with progress("seal") as update:

        def go_on(done: int, total: int) -> bool:
            update(done, total)
            return True

        sealed = seal_due(now=now, after_days=days, go_on=go_on)
    tell(f"seal: {plural(sealed.parts, 'part')}, {plural(sealed.readings, 'reading')}, {took}")


@click.group()
def lake() -> None:
    """The sealed months."""


@lake.command("files")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with everything that is known of a file.")
@with_tables
def lake_files(here: Install, *, as_json: bool) -> None:
    """Print the current sealed files, for DuckDB, Spark or any other reader of Parquet. Open days are not among them."""
    from commonwatt.metering.sealing import lake_files as current

    files = current()
    for file in files:
        path = here.settings.lake_dir / file.path
        if as_json:
            facts = {
                "path": str(path),
                "month": f"{file.month:%Y-%m}",
                "bucket": file.bucket,
                "rows": file.rows,
                "bytes": file.size_bytes,
                "newest_sequence": file.newest_sequence,
            }
            click.echo(json.dumps(facts))
        else:
            click.echo(str(path))
    rows, size = sum(file.rows for file in files), sum(file.size_bytes for file in files)
    tell(f"lake files: {plural(len(files), 'file')}, {plural(rows, 'row')}, {plural(size, 'byte')}")
