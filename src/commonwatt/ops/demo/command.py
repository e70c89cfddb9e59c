"""`commonwatt demo`: an install of its own that fills itself, opens at three on a workday afternoon, and plays."""

from __future__ import annotations

import os
import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click
import msgspec

from commonwatt.ops.commands.frame import Failed, require_tables, start, tell
from commonwatt.ops.demo import plan
from commonwatt.ops.demo.people import SignIn
from commonwatt.ops.settings import Settings

SIGN_INS = "sign-ins.json"
# What the demo takes unless the environment says otherwise.
DEFAULTS = {
    "COMMONWATT_DATA_DIR": "data/demo",
    "COMMONWATT_TIME_ZONE": "Europe/London",
    "COMMONWATT_COUNTRY": "GB",
    "COMMONWATT_CURRENCY": "GBP",
    "COMMONWATT_LOG_LEVEL": "warning",
}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0 for a free one.")
@click.option("--fresh", is_flag=True, help="Throw the earlier demo away and begin anew.")
@click.option("--no-serve", is_flag=True, help="Only make the install; serve it later by the same command.")
def demo(*, host: str, port: int, fresh: bool, no_serve: bool) -> None:
    """Serve a demo: real buildings and homes in a time-lapse, one settled event, and one that is called while you watch."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    folder = Path(os.environ["COMMONWATT_DATA_DIR"]).expanduser().resolve()
    os.environ.setdefault("COMMONWATT_BASE_URL", f"http://127.0.0.1:{port}" if port else "http://127.0.0.1")
    ready = folder / SIGN_INS
    if fresh or not ready.exists():
        _clear(folder)
    here = start()
    sign_ins = _open_again(here.settings) if ready.exists() else _make(here.settings)
    if no_serve:
        return
    _serve(here.settings, sign_ins, host=host, port=port)


def _clear(folder: Path) -> None:
    """Remove what is left of an earlier or unfinished demo; refuses a folder that holds anything else."""
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / "DEMO").exists():
        raise Failed(f"{folder} is not a demo's folder. Give the demo one of its own with COMMONWATT_DATA_DIR, or empty this one.")
    shutil.rmtree(folder)


def _make(settings: Settings) -> list[SignIn]:
    """Fill a new install; the sign-ins are written last, so that a half-made one is thrown away by the next start."""
    from commonwatt.ops import tables
    from commonwatt.ops.demo.build import build
    from commonwatt.ops.present import start_time_lapse

    (settings.data_dir / "DEMO").write_text("The data of `commonwatt demo`. It is made again when this folder is removed.\n")
    tell("Preparing the demo (the first time takes a little):\n  Tables …")
    tables.apply_migrations()
    shown = plan.first_shown(_today())
    sign_ins = build(data_dir=settings.data_dir, shown=shown, say=lambda text: tell(f"  {text}"))
    start_time_lapse(settings, real=datetime.now(UTC), shown=shown, rate=plan.RATE)
    _write_privately(settings.data_dir / SIGN_INS, msgspec.json.encode(sign_ins))
    return sign_ins


def _open_again(settings: Settings) -> list[SignIn]:
    """Let the clock go on from where it stopped, at the next workday afternoon."""
    from commonwatt.metering.queries import meters_by_number
    from commonwatt.ops.demo import cast, director
    from commonwatt.ops.present import start_time_lapse

    require_tables()
    stopped = director.newest_end(meters_by_number(list(cast.SOURCE_OF)))
    start_time_lapse(settings, real=datetime.now(UTC), shown=plan.resumed_shown(stopped), rate=plan.RATE)
    return msgspec.json.decode((settings.data_dir / SIGN_INS).read_bytes(), type=list[SignIn])


def _serve(settings: Settings, sign_ins: list[SignIn], *, host: str, port: int) -> None:
    from commonwatt.ops import present
    from commonwatt.ops.server import AddressTaken, serve
    from commonwatt.portal import context

    context.use_sign_ins([context.SignIn(label=one.label, text=one.text, email=one.email, password=one.password) for one in sign_ins])
    try:
        serve(
            settings=settings,
            clock=present.clock(settings),
            host=host,
            port=port,
            with_worker=True,
            on_listening=lambda address: _announce(address, sign_ins),
        )
    except AddressTaken as error:
        raise Failed(str(error)) from error


def _announce(address: str, sign_ins: list[SignIn]) -> None:
    """Print where the demo is and who can sign in."""
    width = max(len(one.email) for one in sign_ins)
    lines = [
        "",
        f"Commonwatt's demo is ready: {address}",
        "",
        *(f"  {one.label:<28}{one.email:<{width + 2}}{one.password}" for one in sign_ins),
        "",
        f"Its clock shows a workday afternoon and runs {plan.RATE:g} times as fast. An event is called within seconds and credited",
        "within five minutes. The loads are measured, what the participants save is staged: see docs/tutorial/first-event.md.",
        "Ctrl-C stops it.",
        "",
    ]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _today() -> date:
    return datetime.now(plan.LOCAL).date()


def _write_privately(path: Path, content: bytes) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)
