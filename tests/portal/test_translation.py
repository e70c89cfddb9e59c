"""Every text that a person sees is marked for translation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "commonwatt"
TEMPLATES = sorted((SOURCE / "portal" / "templates").rglob("*.html"))
# Names and units stay as they are in every language.
UNTRANSLATED = {"Commonwatt", "common", "watt", "Common", "CSV", "km", "kWh", "kW", "UTC", "OpenADR", "Apache"}
BLOCKS = re.compile(
    r"{%\s*comment.*?endcomment\s*%}|{%\s*blocktranslate.*?endblocktranslate\s*%}|{#.*?#}|<!--.*?-->|<script.*?</script>|<code.*?</code>",
    re.DOTALL,
)
DJANGO = re.compile(r"{%.*?%}|{{.*?}}", re.DOTALL)
SHOWN_ATTRIBUTES = re.compile(r"\b(?:aria-label|title|placeholder|alt|data-confirm|data-confirm-action)=\"([^\"]*)\"")
TAG = re.compile(r"<[^>]*>", re.DOTALL)
WORD = re.compile(r"[A-Za-z][A-Za-z’'-]+")


def unmarked(text: str) -> list[str]:
    """The words of a template that reach the page as they stand."""
    text = DJANGO.sub(" ", BLOCKS.sub(" ", text))
    shown = [TAG.sub(" ", re.sub(r"&[a-z]+;", " ", text)), *SHOWN_ATTRIBUTES.findall(text)]
    return [word for part in shown for word in WORD.findall(part) if word not in UNTRANSLATED]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_templates_hold_no_text_of_their_own(path: Path) -> None:
    """Whatever a page says in words goes through translation."""
    assert unmarked(path.read_text()) == []


def test_the_check_finds_what_it_looks_for() -> None:
    """A plain word, and one in a label, are found; marked ones and names are not."""
    found = unmarked('<p title="Hello {{ name }}">{% translate "Fine" %} plain Commonwatt {{ value }}</p>{# note #}')
    assert sorted(found) == ["Hello", "plain"]


def test_messages_of_views_are_marked() -> None:
    """What views tell people is never a bare string."""
    bare = []
    for path in sorted((SOURCE / "portal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            tells = (
                isinstance(node.func.value, ast.Name)
                and node.func.value.id == "messages"
                and node.func.attr in {"success", "error", "info"}
            )
            if tells and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                bare.append(f"{path.name}:{node.lineno}")
    assert bare == []
