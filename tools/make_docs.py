"""Write the reference pages that are made from the code: settings, commands and the API. `--check` only compares."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from commonwatt.ops.cli import COMMANDS, main  # noqa: E402 (the path comes first)
from commonwatt.ops.install import start  # noqa: E402
from commonwatt.ops.settings import PREFIX, Settings  # noqa: E402

SETTINGS_HEAD = """\
# Settings

<!-- Made from src/commonwatt/ops/settings.py by `make docs`; change it there. -->

Every setting is a variable of the environment, read once when a process starts. A value that cannot be used stops the start, and so does a
name that begins with `COMMONWATT_` and is not in this table: a misspelt one would otherwise pass unnoticed. A variable that is
set but empty counts as not set. The names `COMMONWATT_TEST_…`, `COMMONWATT_REFERENCE_DATA` and `COMMONWATT_SOAK…` belong to the test suite.

| variable | default | takes | meaning |
|---|---|---|---|
"""

COMMANDS_HEAD = """\
# Commands

<!-- Made from src/commonwatt/ops by `make docs`; change it there. -->

`commonwatt` reads its [settings](settings.md) from the environment. `python -m commonwatt` is the same. Data goes to standard output and
talk to standard error, so that output can be piped; the last line of talk counts what was done. Exit codes: 0 done, 1 failed, 2 wrong
usage or settings. Times are ISO 8601 with an offset.
"""


def settings_page() -> str:
    """The table of all settings."""
    return SETTINGS_HEAD + "".join(_settings_row(item.name, item.metadata) for item in fields(Settings))


def _settings_row(name: str, metadata: Any) -> str:  # Any: a dataclass field's metadata is an open mapping
    default = metadata["default"]
    if isinstance(default, tuple):
        default = ",".join(default)
    shown = {"": "(empty)", False: "`false`"}.get(default, f"`{default}`")
    cells = (f"`{PREFIX}{name.upper()}`", shown, metadata["takes"], metadata["help"])
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def commands_page() -> str:
    """Every command with its help and its options."""
    context = click.Context(main, info_name="commonwatt")
    parts = [COMMANDS_HEAD]
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        parts += _command_parts(command, f"commonwatt {name}")
    return "\n".join(parts)


def _command_parts(command: click.Command, path: str) -> list[str]:
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        children = [command.get_command(context, name) for name in command.list_commands(context)]
        return [part for child in children if child is not None for part in _command_parts(child, f"{path} {child.name}")]
    lines = [f"## {path}\n", f"{_one_paragraph(command.help or '')}\n"]
    options = [item for item in command.params if isinstance(item, click.Option) and not item.hidden]
    arguments = [item for item in command.params if isinstance(item, click.Argument)]
    usage = " ".join([path, *(["[OPTIONS]"] if options else []), *(item.make_metavar(click.Context(command)) for item in arguments)])
    lines.append(f"    {usage}\n")
    if options:
        lines += ["| option | meaning |", "|---|---|", *(_option_row(command, item) for item in options), ""]
    return lines


def _option_row(command: click.Command, option: click.Option) -> str:
    context = click.Context(command, resilient_parsing=True)
    names, help_text = option.get_help_record(context) or ("", "")
    return f"| `{names.replace('|', ' or ')}` | {_one_paragraph(help_text).replace('|', ' or ')} |"


def _one_paragraph(text: str) -> str:
    return " ".join(text.split())


def api_page() -> str:
    """Every operation of the API."""
    from commonwatt.api.reference import reference

    return reference()


PAGES = {"settings.md": settings_page, "commands.md": commands_page, "api.md": api_page}


def run() -> int:
    """Write the pages, or with --check say which differ."""
    with tempfile.TemporaryDirectory() as folder:  # an install of its own, so that none of the reader's is touched
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            del os.environ[name]
        os.environ[f"{PREFIX}DATA_DIR"] = folder
        start()
        return write_pages()


def write_pages() -> int:
    """Write what differs from the code, or say so."""
    differing = []
    for name, make in PAGES.items():
        path = ROOT / "docs" / "reference" / name
        text = make().rstrip() + "\n"
        if not path.exists() or path.read_text() != text:
            differing.append(name)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                print(f"docs/reference/{name}")
    if "--check" in sys.argv and differing:
        print(f"Not what the code says: {', '.join(differing)}. Run: make docs", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run())
