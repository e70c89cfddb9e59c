"""Commands that run the install: serve, worker, migrate."""

from __future__ import annotations

import os
import sys

import click

from commonwatt.ops.commands.frame import Failed, plural, require_tables, tell, with_install, with_tables
from commonwatt.ops.install import Install


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for every network.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 for a free one.")
@click.option("--no-worker", is_flag=True, help="Start no worker beside the server; run `commonwatt worker` yourself.")
@with_tables
def serve(here: Install, *, host: str, port: int, no_worker: bool) -> None:
    """Serve the portal, its API and the machines' door, with one worker beside it, until Ctrl-C or SIGTERM."""
    from commonwatt.ops.server import AddressTaken
    from commonwatt.ops.server import serve as run

    def listening(address: str) -> None:
        tell(f"Commonwatt listens on {address}. People reach it at {here.settings.base_url}. Stop it with Ctrl-C.")

    try:
        run(settings=here.settings, clock=here.clock, host=host, port=port, with_worker=not no_worker, on_listening=listening)
    except AddressTaken as error:
        raise Failed(str(error)) from error


@click.command()
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 32), help="How many jobs to do at once.")
@click.option("--beside-server", is_flag=True, hidden=True, help="Standard input is a server's pipe; go when it closes.")
@with_tables
def worker(here: Install, *, threads: int, beside_server: bool) -> None:
    """Do the jobs of the queue: seal, settle, import, send mail, deliver messages; on as many machines as needed."""
    from commonwatt.ops.background import run_worker

    in_order = run_worker(clock=here.clock, threads=threads, beside_server=beside_server)
    sys.stderr.flush()
    # A job left in the middle still runs in its thread, and Python would wait for it. Its lease runs out, and it is taken over.
    os._exit(0 if in_order else 1)


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; fail if a model has changed without a migration. For developers.")
@click.option("--dry-run", is_flag=True, help="Change nothing; print the migrations that would be applied.")
@with_install
def migrate(here: Install, *, check: bool, dry_run: bool) -> None:
    """Bring the database's tables to this version. Safe to run again at any time."""
    del here  # the database is the install's
    from commonwatt.ops import tables

    if check:
        behind = tables.models_without_migration()
        if behind:
            raise Failed(f"Models have changed without a migration: {', '.join(behind)}. Run: python -m django makemigrations")
        tell("migrate: every model has its migrations")
        return
    missing = tables.unapplied_migrations()
    for name in missing:
        click.echo(name)
    if not dry_run:
        tables.apply_migrations()
        require_tables()
    tell(f"migrate: {plural(len(missing), 'migration')} {'to apply' if dry_run else 'applied'}")
