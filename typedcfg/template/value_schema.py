"""What may be written for a value, as JSON Schema: what pydantic says of its type, and all else that compiling takes.

A text is taken for a number, `on` for a truth value, and any value may be a reference. A schema that refused what
compiles would teach people to ignore it; where a type cannot be told exactly, it therefore takes more, never less.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

from typedcfg.template.catalog import Entry
from typedcfg.template.schema import fields_schema

Schema: TypeAlias = dict[str, Any]

_TYPES: Final = "types."
"""Begins the names of types among the definitions, which sections share."""

_NO_MAPPING: Final = {"not": {"type": ["null", "array", "object", "number"]}}
"""A text or a truth value, said in a way that does not make editors offer `true` and `false` for every number."""

_DIGITS: Final = r"(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d[\d_]*)?"
_SPECIAL: Final = r"[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN]"

SHARED: Final[Mapping[str, Schema]] = {
    "$extends": {
        "description": "Files to build on, relative to this one; of several the later is the stronger, "
        "and what stands beside this key is stronger than all of them.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    },
    "$replace": {
        "description": "Drop what weaker files and defaults put here: what is written is all there is.",
        "type": "boolean",
    },
    "$delete": {
        "description": "Keys that go back to their defaults, whatever weaker files say.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    },
    "$version": {"description": "The version of the schema that the file was written by.", "type": "integer"},
    "$schema": {"description": "The JSON Schema by which an editor completes this file.", "type": "string"},
    "$reference": {"description": "Another value: ${loader.batch_size}.", "type": "string", "pattern": r"\$\{"},
    "$copy": {
        "description": "The same as another place: ${root.loader}.",
        "type": "string",
        "pattern": r"^\$\{[\s\S]*\}$",
    },
    "$integer": {**_NO_MAPPING, "description": "An integer as text.", "pattern": r"^\s*[+-]?\d[\d_]*(\.0*)?\s*$"},
    "$number": {**_NO_MAPPING, "description": "A number as text.", "pattern": rf"^\s*[+-]?({_DIGITS}|{_SPECIAL})\s*$"},
    "$truth": {
        "description": "A truth value in other words: on, off, yes, no, 1, 0.",
        "not": {"type": ["null", "array", "object", "boolean"]},
        "minimum": 0,
        "maximum": 1,
        "pattern": r"^([oO]([nN]|[fF][fF])|[yY]([eE][sS])?|[nN][oO]?|[tT]([rR][uU][eE])?|[fF]([aA][lL][sS][eE])?|0|1)$",
    },
}
"""Definitions that are the same for every configuration; a template's name never begins with `$`."""

INSTRUCTIONS: Final = ("$extends", "$replace", "$delete")
"""The keys of any mapping that say what to do."""

_NAMES: Final = r"^(\$\$|\$(extends|replace|delete)$|[^$]|$)"
"""Keys of one's own in a free mapping; one that begins with `$` is written with two."""

_ABOUT: Final = frozenset({"title", "description", "default", "deprecated", "examples", "readOnly", "writeOnly"})
"""What a schema says about a value, rather than of it."""

_UNCHECKED: Final = frozenset({"path", "file-path", "directory-path", "password", "binary", "regex"})
"""Formats that no editor holds a text to."""

_NOT_EVERYWHERE: Final = re.compile(r"\(\?(?![:=!])|\\[AzZpPxQE]|\[\[|&&")
"""What a regular expression of Python's or Rust's may hold and JavaScript's, which editors use, does not know."""

_RECODED: Final = ("strip_whitespace", "to_lower", "to_upper")


def ref(name: str) -> Schema:
    """A reference to a definition."""
    return {"$ref": f"#/$defs/{name}"}


def instructions() -> dict[str, Schema]:
    """The `$` keys, as the properties of a mapping."""
    return {name: ref(name) for name in INSTRUCTIONS}


def free_mapping(values: Schema) -> Schema:
    """A mapping with keys of one's own.

    Args:
        values: What each value may be.
    """
    return {
        "type": "object",
        "properties": instructions(),
        "additionalProperties": values,
        "propertyNames": {"pattern": _NAMES},
    }


def or_else(schema: Schema, *others: Schema) -> Schema:
    """A schema that takes what any of several take; what it says about the value stays with it."""
    itself = _constraints(schema)
    about = {key: value for key, value in schema.items() if key not in itself}
    choices = itself["anyOf"] if itself.keys() == {"anyOf"} else [itself]
    return {**about, "anyOf": [*choices, *(other for other in others if other not in choices)]}


def or_reference(schema: Schema) -> Schema:
    """A schema that takes a text with a reference in it as well."""
    return schema if _takes_any_text(schema) else or_else(schema, ref("$reference"))


def _constraints(schema: Schema) -> Schema:
    """A schema without what it only says about the value."""
    return {key: value for key, value in schema.items() if key not in _ABOUT and not key.startswith("x-")}


def _takes_any_text(schema: Schema) -> bool:
    itself = _constraints(schema)
    if itself.keys() == {"anyOf"}:
        return any(map(_takes_any_text, itself["anyOf"]))
    if itself.get("format") in _UNCHECKED:
        del itself["format"]
    if itself.keys() == {"not"}:
        return "string" not in itself["not"]["type"]
    types = itself.get("type", "string")
    return itself.keys() <= {"type"} and ("string" in types if isinstance(types, list) else types == "string")


def value_schemas(entries: Iterable[Entry]) -> tuple[dict[Entry, Schema], dict[str, Schema]]:
    """What may be written for each of several leaves, and the definitions that this refers to."""
    entries = tuple(entries)
    generator = _Values(ref_template=f"#/$defs/{_TYPES}{{model}}")
    generator.takes_numbers_for_text = any(e.template.model_config.get("coerce_numbers_to_str") for e in entries)
    found, definitions = generator.generate_definitions(
        [(entry, "validation", _core_schema(entry)) for entry in entries]
    )
    values = {entry: or_reference(schema) for (entry, _), schema in found.items()}
    return values, {f"{_TYPES}{name}": schema for name, schema in definitions.items()}


def _core_schema(entry: Entry) -> CoreSchema:
    fields, definitions, _ = fields_schema(entry.template)
    field: Any = fields[entry.name]
    return core_schema.definitions_schema(field, definitions) if definitions else field


class _Values(GenerateJsonSchema):
    """Pydantic's own account of a type, opened to what it takes from a file."""

    takes_numbers_for_text = False

    @override
    def model_schema(self, schema: core_schema.ModelSchema) -> Schema:
        # Templates stand among the definitions of a leaf and are told elsewhere.
        assert issubclass(schema["cls"], BaseModel)
        return {}

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> Schema:
        return self.generate_inner(schema["schema"])

    @override
    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
        return {}

    @override
    def generate_inner(self, schema: Any) -> Schema:
        found = super().generate_inner(schema)
        # An address may be the number that it stands for, be it of a host, an interface or a network.
        is_address = str(found.get("format", "")).startswith("ip")
        return or_else(found, {"not": {"type": ["null", "string", "object"]}}) if is_address else found

    # --- scalars ----------------------------------------------------------------------------------------------------

    @override
    def bool_schema(self, schema: core_schema.BoolSchema) -> Schema:
        return or_else(super().bool_schema(schema), ref("$truth"))

    @override
    def int_schema(self, schema: core_schema.IntSchema) -> Schema:
        return or_else(super().int_schema(schema), ref("$integer"))

    @override
    def float_schema(self, schema: core_schema.FloatSchema) -> Schema:
        number = super().float_schema(schema)
        # 0.3 is a multiple of 0.1 to pydantic, and to a validator that divides it is not.
        number.pop("multipleOf", None)
        return or_else(number, ref("$number"))

    @override
    def decimal_schema(self, schema: core_schema.DecimalSchema) -> Schema:
        limits = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
        known: Mapping[str, Any] = schema
        number = {word: float(known[name]) for name, word in limits.items() if known.get(name) is not None}
        return {"anyOf": [{"type": "number", **number}, {"type": "string"}]}

    @override
    def str_schema(self, schema: core_schema.StringSchema) -> Schema:
        if self.takes_numbers_for_text:
            return {"type": ["string", "number"]}
        text = super().str_schema(schema)
        if any(schema.get(change) for change in _RECODED):
            # The limits are those of what the text becomes.
            return {"type": "string"}
        if _NOT_EVERYWHERE.search(text.get("pattern", "")):
            del text["pattern"]
        return text

    @override
    def bytes_schema(self, schema: core_schema.BytesSchema) -> Schema:
        # The limits are in bytes, and those of a schema would be in characters.
        return {"type": "string"}

    @override
    def date_schema(self, schema: core_schema.DateSchema) -> Schema:
        return _moment()

    @override
    def time_schema(self, schema: core_schema.TimeSchema) -> Schema:
        return _moment()

    @override
    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> Schema:
        return _moment()

    @override
    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> Schema:
        return _moment()

    @override
    def complex_schema(self, schema: core_schema.ComplexSchema) -> Schema:
        return _moment()

    @override
    def enum_schema(self, schema: core_schema.EnumSchema) -> Schema:
        found = _with_look_alikes(super().enum_schema(schema))
        is_open = schema["cls"]._missing_.__func__ is not Enum._missing_.__func__  # type: ignore[attr-defined]  # a classmethod
        return {"anyOf": [found, {}]} if is_open else found

    @override
    def literal_schema(self, schema: core_schema.LiteralSchema) -> Schema:
        return _with_look_alikes(super().literal_schema(schema))

    # --- containers -------------------------------------------------------------------------------------------------

    @override
    def list_schema(self, schema: core_schema.ListSchema) -> Schema:
        return _of_references(super().list_schema(schema))

    @override
    def tuple_schema(self, schema: core_schema.TupleSchema) -> Schema:
        return _of_references(super().tuple_schema(schema))

    @override
    def set_schema(self, schema: core_schema.SetSchema) -> Schema:
        return _with_repetitions(super().set_schema(schema))

    @override
    def frozenset_schema(self, schema: core_schema.FrozenSetSchema) -> Schema:
        return _with_repetitions(super().frozenset_schema(schema))

    @override
    def dict_schema(self, schema: core_schema.DictSchema) -> Schema:
        values = self.generate_inner(schema["values_schema"]) if "values_schema" in schema else {}
        mapping = free_mapping(or_reference(values))
        names = self.generate_inner(schema["keys_schema"]) if "keys_schema" in schema else {}
        allowed = names.get("enum", [names["const"]] if "const" in names else [])
        if allowed and all(isinstance(name, str) for name in allowed):
            mapping["propertyNames"] = {"enum": [*allowed, *INSTRUCTIONS]}
        return mapping

    @override
    def ordered_dict_schema(self, schema: Any) -> Schema:
        return self.dict_schema(schema)

    @override
    def counter_schema(self, schema: Any) -> Schema:
        return free_mapping({})

    @override
    def call_schema(self, schema: core_schema.CallSchema) -> Schema:
        # A named tuple: a list of its values, or a mapping.
        return {"type": ["array", "object"]}

    @override
    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> Schema:
        mapping = super().typed_dict_schema(schema)
        # What one file leaves out, another may say.
        mapping.pop("required", None)
        mapping["properties"] = {
            **instructions(),
            **{name: or_reference(value) for name, value in mapping["properties"].items()},
        }
        return mapping

    # --- what code decides ------------------------------------------------------------------------------------------

    @override
    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> Schema:
        return self._of_input(schema)

    @override
    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> Schema:
        return self._of_input(schema)

    def _of_input(self, schema: Mapping[str, Any]) -> Schema:
        """What a validator that comes before the type takes: what it says itself, or anything."""
        told = schema.get("json_schema_input_schema")
        return self.generate_inner(told) if told else {}

    @override
    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> Schema:
        return self.get_flattened_anyof([self.generate_inner(choice) for choice in schema["choices"].values()])


def _moment() -> Schema:
    """Dates, times, durations and complex numbers: a text in one of many forms, or what Python takes for a number."""
    return {"not": {"type": ["null", "array", "object"]}}


def _with_look_alikes(schema: Schema) -> Schema:
    """Choices, with what is equal to one of them: `1`, `1.0` and `true` are."""
    choices = schema.get("enum", [schema.get("const")])
    if any(isinstance(choice, bool) for choice in choices):
        schema = or_else(_untyped(schema), ref("$truth"))
    if any(isinstance(choice, int) for choice in choices):
        schema = or_else(_untyped(schema), ref("$integer"))
    if any(isinstance(choice, float) for choice in choices):
        schema = or_else(_untyped(schema), ref("$number"))
    return schema if all(choice is None or isinstance(choice, (str, float, int)) for choice in choices) else {}


def _untyped(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "type"}


def _of_references(array: Schema) -> Schema:
    """A list whose items may be references."""
    if isinstance(array.get("items"), dict):
        array["items"] = or_reference(array["items"])
    if "prefixItems" in array:
        array["prefixItems"] = [or_reference(item) for item in array["prefixItems"]]
    return array


def _with_repetitions(array: Schema) -> Schema:
    """A list of which a set is made: what stands in it twice counts once."""
    return _of_references({key: value for key, value in array.items() if key not in ("uniqueItems", "maxItems")})
