"""The reference pages say what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import click
import pytest

from commonwatt.ops.cli import COMMANDS, main
from commonwatt.ops.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"


def test_the_reference_pages_are_what_the_code_says() -> None:
    """Whoever changes a setting or a command and forgets `make docs` hears of it."""
    done = subprocess.run([sys.executable, "tools/make_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_every_setting_is_in_the_reference(item: object) -> None:
    """An operator finds each variable with its default, what it takes and what it means, in one row."""
    name, metadata = item.name, item.metadata  # type: ignore[attr-defined]
    rows = [line for line in (REFERENCE / "settings.md").read_text().splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}` |")]
    assert len(rows) == 1
    default = metadata["default"]
    shown = ",".join(default) if isinstance(default, tuple) else str(default).lower() if isinstance(default, bool) else str(default)
    assert f"| `{shown}` |" in rows[0] if shown else "| (empty) |" in rows[0]
    assert metadata["takes"] in rows[0]
    assert metadata["help"] in rows[0]


def _leaves(command: click.Command, path: str) -> list[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    context = click.Context(command)
    children = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
    return [leaf for name, child in children if child is not None for leaf in _leaves(child, f"{path} {name}")]


def test_every_command_and_option_is_in_the_reference() -> None:
    """An operator finds each command with each of its options."""
    text = (REFERENCE / "commands.md").read_text()
    sections = {part.splitlines()[0]: part for part in text.split("\n## ")[1:]}
    leaves = dict(_leaves(main, "commonwatt"))
    assert set(sections) == set(leaves)
    for path, command in leaves.items():
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert re.search(rf"\| `(--\S+ / )?{option.opts[0]}\b", sections[path]), (path, option.opts)
                assert option.help, (path, option.opts)


def test_the_commands_of_the_first_help_page_exist() -> None:
    """Everything that `commonwatt --help` lists can be called."""
    context = click.Context(main)
    assert [main.get_command(context, name) is not None for name in main.list_commands(context)] == [True] * len(COMMANDS)
    assert main.get_command(context, "no-such-command") is None


def _mentions() -> list[tuple[str, str]]:
    """Every command line in the documents, with the page it stands on."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = re.compile(r"(?:^|[\s`/])commonwatt ((?:[a-z][a-z-]*)(?: [^\n`|;#]*)?)")
    return [(str(page.relative_to(ROOT)), line) for page in pages for line in found.findall(page.read_text())]


def test_every_command_line_in_the_documents_exists() -> None:
    """Commands and options that a page tells a reader to type are ones that there are."""
    leaves = dict(_leaves(main, "commonwatt"))
    typed = [(page, line) for page, line in _mentions() if line.split()[0] in COMMANDS]
    assert len(typed) > 20
    for page, line in typed:
        path = next((path for path in leaves if f"commonwatt {line} ".startswith(f"{path} ")), None)
        assert path, f"{page}: commonwatt {line}"
        options = {option for item in leaves[path].params for option in item.opts} | {"--help"}
        for option in re.findall(r"(?<!\S)(--[a-z][a-z-]*)", line):
            assert option in options, f"{page}: commonwatt {line}"
