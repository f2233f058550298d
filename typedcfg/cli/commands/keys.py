"""`typedcfg keys APP ...`: every key, one to a line."""

from collections.abc import Iterator
from typing import Any

from typedcfg.cli.context import Context
from typedcfg.cli.known import known_of, place_of
from typedcfg.cli.table import table
from typedcfg.compiler.config import Config, told_by
from typedcfg.compiler.explain import leaf_lines
from typedcfg.key_path import render_key_path
from typedcfg.template.catalog import catalog_of
from typedcfg.template.help_json import field_json, json_value
from typedcfg.template.help_tree import FieldHelp, SectionHelp, fields_below
from typedcfg.template.keys import declared_keys
from typedcfg.template.leaves import iter_leaves
from typedcfg.template.type_text import type_text
from typedcfg.template.variants import KIND


def run(context: Context) -> int:
    """Print the keys that a template declares; with files or overrides, those of the configuration they make."""
    app = context.app()
    config = context.compile(app.template) if context.has_sources() else None
    if "--json" in context.options:
        import json

        root = SectionHelp("", app.template, known=known_of(context.prefix(app.template)))
        records = _declared(root) if config is None else _of(config, root)
        print(json.dumps(list(records), indent=2, ensure_ascii=False))
    elif config is not None:
        print("\n".join(leaf_lines(*told_by(config))))
    else:
        found = declared_keys(app.template)
        print(table([key, type_text(entry), f"with {' '.join(kinds)}" if kinds else ""] for key, entry, kinds in found))
    return 0


def _declared(root: SectionHelp) -> Iterator[dict[str, Any]]:
    for field in fields_below(root):
        if field.entry.is_leaf:
            yield field_json(field)
        elif field.kinds:
            yield _kind_json(field, next(field.sections()).key + f".{KIND}")


def _of(config: Config[Any], root: SectionHelp) -> Iterator[dict[str, Any]]:
    """The keys that a configuration has: what is known of their fields, with their values and origins."""
    fields = list(fields_below(root))
    placed = {(field.key, field.entry): field for field in fields}
    # A section that holds itself is told once, and may lie deeper.
    anywhere = {field.entry: field for field in fields}
    choosing = {catalog_of(s.template).entries[KIND]: f for f in fields if f.kinds for s in f.sections()}
    for leaf in iter_leaves(config.params):
        key = render_key_path(leaf.path)
        if leaf.entry in choosing and leaf.entry.is_kind:
            told = _kind_json(choosing[leaf.entry], key)
        else:
            field = placed.get((place_of(config.params, leaf.path), leaf.entry)) or anywhere[leaf.entry]
            told = field_json(field._replace(key=key), with_sections=False)
        is_hidden = leaf.entry.is_secret and leaf.value is not None
        value = {} if is_hidden else {"value": json_value(leaf.value)}
        yield {**told, **value, "in_identity": leaf.is_in_identity, "origin": config.origin(key)}


def _kind_json(field: FieldHelp, key: str) -> dict[str, Any]:
    """The key by which a field's variant is chosen."""
    told = field_json(field._replace(key=key), with_sections=False)
    return {**told, "name": KIND, "type": f"one of: {', '.join(field.kinds)}", "choices": list(field.kinds)}
