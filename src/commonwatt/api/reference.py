"""The reference of the API, written from its OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from commonwatt.api.v1 import api

_HEAD = """# API

JSON over HTTP at `/api/v1`, described for programs at `/api/v1/openapi.json`. This page is written from the code by
`make docs`; a test holds it to it.

**Who may call.** Whoever has signed in on the pages, with the same session cookie; unsafe methods carry the CSRF token in the header
`X-CSRFToken`. Access is decided by the same functions as for pages: what is not yours is not found.

**Values.** Times are ISO 8601 in UTC and name the *start* of an interval; in requests any offset will do, none will not. Energies are
whole watt-hours, prices millionths of the currency unit per kWh (`…_micros_per_kwh`), amounts billionths of it (`…_nanos`): price times
watt-hours is the amount. Ids are text. Lists come in pages of `items`, `page`, `pages`, `total`.

**Errors** have one shape, whatever the status:

```json
{"code": "event_short_notice", "message": "The program promises 60 minutes of notice. …", "field": "body.starts_at"}
```

`code` is for programs and stays the same, `message` is for people, `field` is the path of the part to change, empty where it is not one
part. 401 `not_signed_in` · 403 `forbidden` (you may see it, not change it; or the CSRF token is missing) · 404 `not_found` ·
405 `method_not_allowed` · 409 `event_is_over`, `consent_outdated`, `consent_differs`, `not_eligible` · 422 `invalid`, `reason_missing`,
`program_refused`, `event_…` (the rule that an event breaks).
"""

Node = Mapping[str, Any]  # Any: OpenAPI is JSON of many shapes


def reference() -> str:
    """The whole page, in Markdown."""
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    page = _Page(schema["components"]["schemas"])
    operations = [(path, method, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()]
    parts = [_HEAD]
    for tag in dict.fromkeys(operation["tags"][0] for _, _, operation in operations):
        parts.append(f"\n## {tag.capitalize()}\n")
        parts += [page.operation(path, method, operation) for path, method, operation in operations if operation["tags"][0] == tag]
    parts.append("\n## What is sent\n")
    parts += [page.schema(name) for name in sorted(page.schemas) if page.is_described(name)]
    return "".join(parts).rstrip() + "\n"


@dataclass(frozen=True, slots=True)
class _Page:
    """Writes parts of the page; knows every schema by name."""

    schemas: Node

    def is_described(self, name: str) -> bool:
        """Whether a schema has a table of its own: pages of a list are said in a word, closed lists where they are used."""
        return bool(self.schemas[name].get("properties")) and not name.startswith("PageOf")

    def operation(self, path: str, method: str, operation: Node) -> str:
        """One method of one path."""
        lines = [f"\n### `{method.upper()} {path}`\n\n{_text(operation['description'])}\n\n"]
        lines += [self._parameter(parameter) for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
        if body := operation.get("requestBody"):
            lines.append(f"- body: {self._type(body['content']['application/json']['schema'])}\n")
        for status, response in operation["responses"].items():
            for kind, content in response.get("content", {}).items():
                lines.append(f"- {status}: {self._type(content['schema']) if 'schema' in content else f'`{kind}`'}\n")
        return "".join(lines)

    def schema(self, name: str) -> str:
        """One thing that is sent, field by field."""
        node = self.schemas[name]
        lines = [f"\n### {name}\n\n{_text(node.get('description', ''))}\n\n| field | type | meaning |\n|---|---|---|\n"]
        needed = set(node.get("required", ()))
        for field, inner in node["properties"].items():
            default = "" if field in needed or "default" not in inner else f"default `{inner['default']}`"
            words = "; ".join(part for part in (_text(inner.get("description", "")).rstrip("."), default) if part)
            lines.append(f"| `{field}` | {self._type(inner)} | {words} |\n")
        return "".join(lines)

    def _parameter(self, parameter: Node) -> str:
        node = parameter["schema"]
        default = f", default `{node['default']}`" if node.get("default") else ""
        return f"- query `{parameter['name']}`: {self._type(node)}{default}. {_text(parameter.get('description', ''))}".rstrip(". ") + ".\n"

    def _type(self, node: Node) -> str:
        return " or ".join(self._types(node))

    def _types(self, node: Node) -> Iterator[str]:
        if "$ref" in node:
            yield from self._named(node["$ref"].rsplit("/", 1)[1])
        elif "enum" in node:
            yield ", ".join(f"`{value}`" for value in node["enum"])
        elif inner := node.get("anyOf") or node.get("allOf"):
            for choice in inner:
                yield from self._types(choice)
        elif node.get("type") == "array":
            yield f"list of {self._type(node['items'])}"
        else:
            yield {"date-time": "time", "date": "date"}.get(node.get("format", ""), str(node.get("type", "anything")))

    def _named(self, name: str) -> Iterator[str]:
        if name.startswith("PageOf"):
            yield f"page of {self._type(self.schemas[name]['properties']['items']['items'])}"
        elif self.is_described(name):
            yield f"[{name}](#{name.lower()})"
        else:
            yield from self._types(self.schemas[name])


def _text(text: str) -> str:
    return " ".join(text.split())
