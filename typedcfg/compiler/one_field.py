"""One field's value, validated before its section is, and as its section will validate it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator, core_schema

from typedcfg.template.catalog import Entry, catalog_of
from typedcfg.template.schema import fields_schema


@cache
def fields_before(entry: Entry) -> tuple[Entry, ...]:
    """The leaves that a validator of the field may ask for as `info.data`: those declared before it.

    None for a field whose validators look at its own value alone, as most do.
    """
    fields, _, _ = fields_schema(entry.template)
    if not _asks(fields[entry.name]["schema"]):
        return ()
    entries = list(catalog_of(entry.template).entries.values())
    return tuple(other for other in entries[: entries.index(entry)] if other.is_leaf)


def validated(entry: Entry, values: Mapping[str, Any]) -> Any:
    """What a section's values make of one field, its default included.

    Args:
        entry: The field.
        values: The section as it was written, with what `fields_before` names.

    Raises:
        pydantic.ValidationError: It does not fit.
        LookupError: It has neither a value nor a default.
    """
    if others := fields_before(entry):
        given = {one.name: values[one.name] for one in (*others, entry) if one.name in values}
        found, _, _ = _together(entry).validate_python(given)
        return found[entry.name]
    if entry.name in values:
        return entry.validator.validate_python(values[entry.name])
    default = entry.validator.get_default_value()
    if default is None:
        raise LookupError(entry.name)
    return default.value


def _asks(schema: Any) -> bool:
    """Whether a core schema calls a function that is told what was validated before."""
    if isinstance(schema, dict):
        return schema.get("type") == "with-info" or any(map(_asks, schema.values()))
    return isinstance(schema, list) and any(map(_asks, schema))


@cache
def _together(entry: Entry) -> SchemaValidator:
    """Validates a field with those before it."""
    fields, definitions, config = fields_schema(entry.template)
    wanted = {one.name: fields[one.name] for one in (*fields_before(entry), entry)}
    schema: CoreSchema = core_schema.model_fields_schema(wanted)
    return SchemaValidator(core_schema.definitions_schema(schema, definitions) if definitions else schema, config)
