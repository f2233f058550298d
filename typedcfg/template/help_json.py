"""Help for a program.

A key is left out where there is nothing to say:

    {"template": "Digits", "description": "...", "fields": [FIELD, ...]}

    FIELD    "key": "optimizer.lr", "name": "lr", "type": "number > 0 [1/step]", "description": "...",
             "constraints": ["x > 0"], "choices": ["a", null], "unit": "1/step",
             "required": bool, "default": any, "formula": "loader.batch_size / 128 * 0.01",
             "env": "DIGITS__OPTIMIZER__LR", the variable that sets it, where a prefix is known,
             "values": [{"key": "optimizer.lr", "text": "0.02", "origin": "wide.yaml:3:15"}, ...], where a configuration
             was made: what is set in it,
             "in_identity": bool, "secret": true, "deprecated": {"instead": "...", "since": "0.3"},
             "renamed_from": ["bs"], "kind": "adamw", the kind of the section that it is a field of,
             "sections": [SECTION, ...], where it holds sections: one, or one for each kind
    SECTION  "key": "optimizer", "template": "AdamW", "description": "...", "kind": "adamw", "is_default_kind": bool,
             "fields": [FIELD, ...] or, within a section of the same template, "same_as": the key of that one

A default is plain data; what JSON lacks is the text that YAML has for it: ".inf", a path, a date. A secret's is left
out.
"""

import json
import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from typedcfg.template.help_tree import FieldHelp, SectionHelp
from typedcfg.template.type_text import choices_of, constraints_of, metadata_of, type_text, yaml_text


def section_json(section: SectionHelp) -> str:
    """A whole configuration, or the section that is the root of one."""
    return _text(_said({"template": section.template.__qualname__, "description": section.description}, section))


def fields_json(template: type[Any], key: str, fields: Sequence[FieldHelp]) -> str:
    """Fields that were asked for by their key."""
    return _text({"template": template.__qualname__, "key": key, "fields": [field_json(field) for field in fields]})


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def field_json(field: FieldHelp, *, with_sections: bool = True) -> dict[str, Any]:
    """All that is known of one field, and of the sections that it may hold if they are wanted."""
    entry, deprecation = field.entry, field.entry.deprecation
    document = {
        "key": field.key,
        "name": entry.name,
        "type": type_text(entry),
        "description": field.description,
        "constraints": list(constraints_of(metadata_of(entry))),
        "choices": [json_value(choice) for choice in choices_of(entry)],
        "unit": entry.unit,
        "formula": field.formula,
        "secret": entry.is_secret,
        "deprecated": deprecation and {"instead": deprecation.instead, "since": deprecation.since},
        "renamed_from": list(entry.old_names),
        "env": field.variable,
        "values": [value._asdict() for value in field.values],
        "kind": field.kind,
        "sections": [_section(section) for section in field.sections()] if with_sections else [],
    }
    default = {"default": json_value(field.default)} if field.has_default and not field.is_hidden else {}
    always = {"required": field.is_required, **default, "in_identity": field.is_in_identity}
    return {name: value for name, value in document.items() if value} | always


def _section(section: SectionHelp) -> dict[str, Any]:
    head: dict[str, Any] = {
        "key": section.key,
        "template": section.template.__qualname__,
        "description": section.description,
    }
    if section.kind:
        head |= {"kind": section.kind, "is_default_kind": section.is_default_kind}
    return _said(head, section)


def _said(head: dict[str, Any], section: SectionHelp) -> dict[str, Any]:
    """What is known of a section besides its fields, without what is not; and its fields."""
    known = {name: value for name, value in head.items() if value or value is False}
    if section.same_as is not None:
        return {**known, "same_as": section.same_as}
    return {**known, "fields": [field_json(field) for field in section.fields()]}


def json_value(value: object) -> Any:
    """A value as JSON can have it."""
    if isinstance(value, Enum):
        return json_value(value.value)
    if isinstance(value, Mapping):
        return {str(json_value(key)): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(json_value, value), key=repr)
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return yaml_text(value).strip('"')
