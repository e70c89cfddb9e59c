"""`commonwatt`: the command line. Commands are imported when they are called, so that each starts as fast as it can."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from commonwatt import __version__

# In the order of `commonwatt --help`: what a newcomer needs first.
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "commonwatt.ops.demo.command:demo",
        "migrate": "commonwatt.ops.commands.running:migrate",
        "create-operator": "commonwatt.ops.commands.desk:create_operator",
        "create-sign-in-link": "commonwatt.ops.commands.desk:create_sign_in_link",
        "serve": "commonwatt.ops.commands.running:serve",
        "worker": "commonwatt.ops.commands.running:worker",
        "import-readings": "commonwatt.ops.commands.readings:import_readings",
        "seal": "commonwatt.ops.commands.lake:seal",
        "lake": "commonwatt.ops.commands.lake:lake",
        "settle": "commonwatt.ops.commands.settling:settle",
        "audit": "commonwatt.ops.commands.desk:audit",
    }
)


class _Commands(click.Group):
    """Imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in our order."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="commonwatt")
def main() -> None:
    """Demand response and shared local energy: meters, events, baselines, credits.

    Settings come from the environment (COMMONWATT_…); docs/reference/settings.md lists them. Exit codes: 0 done, 1 failed, 2 wrong usage.
    """
