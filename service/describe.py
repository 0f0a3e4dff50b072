"""The addresses as one plain HTML page, made of the OpenAPI description."""

import json
from html import escape
from typing import Any

_HEAD = "<!doctype html><html lang=en><meta charset=utf-8><title>Excerpt: addresses</title><h1>Excerpt</h1>"


def describe(schema: dict[str, Any]) -> str:
    """Every address with its description, its parameters, and the schema of what it takes."""
    about = escape(schema["info"]["description"])
    parts = [_HEAD, f"<p>{about} For programs: <a href=/openapi.json>openapi.json</a>.</p>"]
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            what = escape(operation.get("description", ""))
            parts.append(f"<h2>{escape(method.upper())} {escape(path)}</h2><p>{what}</p>")
            rows = [_parameter(one) for one in operation.get("parameters", [])]
            parts.append(f"<ul>{''.join(rows)}</ul>" if rows else "")
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                shape = json.dumps(_resolved(schema, content.get("schema", {})), indent=2)
                parts.append(f"<details><summary>takes {escape(kind)}</summary><pre>{escape(shape)}</pre></details>")
    return "".join(parts)


def _parameter(one: dict[str, Any]) -> str:
    return f"<li><code>{escape(one['name'])}</code> ({escape(one['in'])}) {escape(one.get('description', ''))}</li>"


def _resolved(schema: dict[str, Any], part: dict[str, Any]) -> Any:
    name = str(part.get("$ref", "")).rpartition("/")[2]
    return schema["components"]["schemas"].get(name, part) if name else part
