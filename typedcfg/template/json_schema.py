"""JSON Schema of a template: what may be written in a file, so that editors complete it and underline mistakes.

It describes files, not instances: nothing is required, for another file may say the rest; any value may be a
reference; every mapping takes the `$` keys; a section takes the keys that its fields used to have. What it refuses is
what no other file could put right: a key that nobody declares, a value of another type, a key of another kind.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from typedcfg.errors import MissingKey, Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of, reachable
from typedcfg.template.derived import SectionDefault
from typedcfg.template.descriptions import descriptions_of, summary_of
from typedcfg.template.marks import NotInIdentity
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, SectionNode, VariantsNode, sections_below
from typedcfg.template.type_text import type_text
from typedcfg.template.value_schema import SHARED, Schema, free_mapping, instructions, or_else, ref, value_schemas
from typedcfg.template.variants import current_kinds, kinds_of
from typedcfg.text import nearest, one_of

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_DEFINITION: Final = re.compile(r"#/\$defs/(.+)")


def json_schema_of(template: type[ConfigTemplate], key: str = "", *, name: str = "") -> Schema:
    """The schema of the files that configure a template, as JSON Schema 2020-12.

    Args:
        template: What is configured.
        key: Where a file is mounted by `$extends`, if it is a part: `optimizer`, `layers[i]`.
        name: What others may refer to the schema by, its `$id`.

    Raises:
        MissingKey: There is no such key.

    Example:
        >>> class Loader(ConfigTemplate):
        ...     batch_size: int = 128
        >>> schema = json_schema_of(Loader)
        >>> schema["properties"]["batch_size"]["default"], schema["additionalProperties"]
        (128, False)
    """
    sections = _Sections(template)
    head = {"$schema": DIALECT, **({"$id": name} if name else {})}
    body = sections.part(key) if key else sections.whole()
    return {**head, **body, "$defs": sections.definitions(body)}


class _Sections:
    """The schemas of every section that a configuration may hold."""

    def __init__(self, template: type[ConfigTemplate]) -> None:
        self.template = template
        templates = list(reachable(template))
        self.names = _names(templates)
        leaves = (e for t in templates for e in catalog_of(t).entries.values() if e.is_leaf and not e.is_kind)
        self.values, types = value_schemas(leaves)
        self.known: dict[str, Schema] = {**SHARED, **types}
        for each in templates:
            self.known[self.names[each]] = self.section(each)

    def whole(self) -> Schema:
        """The schema of a file that says the whole configuration, or some of it."""
        section = self.section(self.template)
        section["properties"] = {
            "$version": ref("$version"),
            "$schema": ref("$schema"),
            **section["properties"],
        }
        for each in self.names:
            for old, entry in catalog_of(each).moved.items():
                self.add_old_place(section, tuple(map(str, parse_key_path(old))), entry)
        return section

    def part(self, key: str) -> Schema:
        """The schema of a file that is mounted at a key."""
        choices = [ref(self.names[section]) for section in self.sections_at(key)]
        return {"title": key, **(choices[0] if len(choices) == 1 else {"anyOf": choices})}

    def sections_at(self, key: str) -> tuple[type[ConfigTemplate], ...]:
        """The templates of the sections that may stand at a key, of a list or mapping those that it holds."""
        here: dict[type[ConfigTemplate], None] = {self.template: None}
        known: list[str] = []
        for name in (step for step in _steps(key) if isinstance(step, str)):
            fields = [entry for each in here for entry in catalog_of(each).branching]
            known = [entry.name for entry in fields]
            here = {below: None for entry in fields if entry.name == name for below in sections_below(entry.node)}
            if not here:
                what = f"{self.template.__qualname__} has no section {key!r}"
                raise MissingKey(Problem(what, expected=one_of(known), suggestion=nearest(name, known)))
        return tuple(here)

    def definitions(self, body: Schema) -> dict[str, Schema]:
        """The definitions that a schema refers to, directly or by one another."""
        found: dict[str, None] = {}
        todo = list(_referred(body))
        while todo:
            name = todo.pop()
            if name not in found:
                found[name] = None
                todo += _referred(self.known[name])
        return {name: self.known[name] for name in sorted(found)}

    # --- sections ---------------------------------------------------------------------------------------------------

    def section(self, template: type[ConfigTemplate]) -> Schema:
        """The schema of one section's mapping."""
        catalog, described = catalog_of(template), descriptions_of(template)
        properties = instructions()
        for name, entry in catalog.entries.items():
            properties[name] = self.field(entry, described.get(name, ""))
        for old, entry in catalog.renamed.items():
            properties.setdefault(old, _formerly(properties[entry.name], entry.name))
        summary = summary_of(template)
        return {
            "title": template.__name__,
            **({"description": summary} if summary else {}),
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }

    def field(self, entry: Entry, description: str) -> Schema:
        """The schema of one field, with what there is to say about it."""
        if entry.is_kind:
            return _kind(entry, description)
        told = "\n\n".join(filter(None, (description, _facts(entry))))
        about: Schema = {"description": told} if told else {}
        about |= _default(entry)
        if entry.deprecation:
            about["deprecated"] = True
        if entry.is_secret:
            about["writeOnly"] = True
        itself = self.values[entry] if entry.is_leaf else self.at(entry.node)
        # What the author tells pydantic to say, a title or examples, stands; the rest we say more of.
        return {**about, **{key: value for key, value in itself.items() if key not in about}}

    def at(self, node: Node) -> Schema:
        """What may stand where a node is: a section, one of several, a list or mapping of such."""
        sections: list[Schema]
        match node:
            case SectionNode(template=template):
                sections = [ref(self.names[template])]
            case VariantsNode(templates=templates):
                # Each takes mappings without a kind as well: those of the kind that another file chose.
                sections = [ref(self.names[template]) for template in dict.fromkeys(templates.values())]
                sections.append({"description": "The kind alone.", "enum": list(templates)})
            case ListNode(item=item):
                sections = [{"type": "array", "items": self.at(item)}]
            case MapNode(value=value):
                sections = [free_mapping(self.at(value))]
            case LeafNode():
                raise AssertionError("a leaf holds no sections")
        return {"anyOf": [*sections, ref("$copy"), *([{"type": "null"}] if node.is_optional else [])]}

    # --- names of old -----------------------------------------------------------------------------------------------

    def add_old_place(self, section: Schema, path: tuple[str, ...], entry: Entry) -> None:
        """Let a field be set where it used to stand, counted from the top."""
        if len(path) == 1:
            value = self.values[entry] if entry.is_leaf else self.at(entry.node)
            section["properties"].setdefault(path[0], _formerly(value, f"{entry.template.__name__}.{entry.name}"))
            return
        gone = {"type": "object", "deprecated": True, "properties": instructions(), "additionalProperties": False}
        step = section["properties"].setdefault(path[0], gone)
        for below in [step] if "properties" in step else [self.known[name] for name in _referred(step)]:
            if "properties" in below:
                self.add_old_place(below, path[1:], entry)


def _steps(key: str) -> KeyPath:
    try:
        return parse_key_path(key.replace("[i]", "[0]"))
    except KeyPathError as error:
        raise MissingKey(Problem(str(error), expected="a key path: optimizer, layers[i]")) from None


def _names(templates: list[type[ConfigTemplate]]) -> dict[type[ConfigTemplate], str]:
    """What each template is called among the definitions: its name, with a number where two share one."""
    names: dict[type[ConfigTemplate], str] = {}
    for template in templates:
        plain = name = re.sub(r"\W+", "_", template.__name__)
        number = 1
        while name in names.values():
            number += 1
            name = f"{plain}_{number}"
        names[template] = name
    return names


def _referred(schema: Any) -> Iterator[str]:
    """The definitions that a schema names."""
    if isinstance(schema, dict):
        target = schema.get("$ref")
        if isinstance(target, str) and (found := _DEFINITION.fullmatch(target)):
            yield found[1]
        for value in schema.values():
            yield from _referred(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _referred(value)


# --- what is said about a field -------------------------------------------------------------------------------------


def _facts(entry: Entry) -> str:
    """The type of a value with its limits and unit, and what else the schema has no word for."""
    if not entry.is_leaf:
        below = list(sections_below(entry.node))
        return summary_of(below[0]) if len(below) == 1 else ""
    facts = [type_text(entry)]
    if entry.derived is not None:
        facts.append(f"derived: {entry.derived.formula}")
    if entry.mark(NotInIdentity):
        facts.append("not in the identity")
    if entry.deprecation:
        facts.append(f"deprecated since {entry.deprecation.since}: {entry.deprecation.instead}")
    return "; ".join(facts)


def _kind(entry: Entry, description: str) -> Schema:
    """The literal that chooses a variant; names that it used to have are marked as such."""
    today = [{"const": kind} for kind in current_kinds(entry.template)]
    before = [{"const": kind, "deprecated": True} for kind in kinds_of(entry.template)[len(today) :]]
    about = {"description": description} if description else {}
    return {**about, **(today[0] if len(today) == 1 and not before else {"anyOf": [*today, *before]})}


def _default(entry: Entry) -> Schema:
    """The default, where it is a plain value that a file could say; of variants, the kind to start from."""
    if not entry.has_default or entry.has_fresh_default or entry.is_secret:
        return {}
    value = entry.default()
    if isinstance(value, SectionDefault):
        kinds = current_kinds(value.template) if isinstance(entry.node, VariantsNode) else ()
        return {"default": kinds[0]} if kinds else {}
    if value is not None and not entry.is_leaf:
        return {}
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        plain = to_jsonable_python(value)
        json.dumps(plain, allow_nan=False)
    except (PydanticSerializationError, ValueError):
        return {}
    return {"default": plain}


def _formerly(schema: Schema, name: str) -> Schema:
    """The schema of a field under a name that it used to have."""
    return or_else({**schema, "description": f"Now called {name}.", "deprecated": True})
