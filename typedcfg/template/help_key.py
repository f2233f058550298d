"""Help for one key in a shell: all that is known of it, and how it is set from each side."""

import shlex
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from typedcfg.key_path import KeyPath, parse_key_path
from typedcfg.template.descriptions import place_of
from typedcfg.template.formula_keys import keys_read
from typedcfg.template.help_text import HelpText
from typedcfg.template.help_tree import FieldHelp, SectionHelp, Value, fields_below
from typedcfg.template.type_text import choices_of, type_text, yaml_text
from typedcfg.template.variants import KIND, current_kinds, kinds_of
from typedcfg.text import listed

_INDENT: Final = 2
_LABELS: Final = 10
"""How wide the column of labels is."""


def about_fields(root: SectionHelp, fields: Sequence[FieldHelp], text: HelpText) -> str:
    """All about each field that a key means: several, where more than one kind has it."""
    return "\n\n".join("\n".join(_about(root, field, text)) for field in fields)


def _about(root: SectionHelp, field: FieldHelp, text: HelpText) -> Iterator[str]:
    yield f"{text.ink.heading(field.key)}  {type_text(field.entry)}"
    yield from text.paragraphs(field.description, _INDENT)
    for rows in (dict(_facts(root, field)), dict(_ways(root, field))):
        yield ""
        for label, fact in rows.items():
            if fact:
                yield from _labelled(label, fact, text)


def _labelled(label: str, fact: str, text: HelpText) -> Iterator[str]:
    room = max(text.width - _INDENT - _LABELS, _LABELS)
    first, *rest = wrap(fact, room, break_long_words=False, break_on_hyphens=False)
    yield f"{' ' * _INDENT}{text.ink.note(label)}{' ' * (_LABELS - len(label))}{first}"
    yield from (" " * (_INDENT + _LABELS) + line for line in rest)


def _facts(root: SectionHelp, field: FieldHelp) -> Iterator[tuple[str, str]]:
    """What is to be known of a field beyond its type."""
    yield "with", _chosen(field) if field.kind else ""
    word, _, value = field.fallback.partition(" ")
    yield "default", value if word == "default" else field.fallback
    yield "now", "; ".join(_value(field.key, value) for value in field.values)
    derived = field.entry.derived
    yield "reads", listed(keys_read(derived, field.key)) if derived is not None and field.formula else ""
    yield "read by", listed(dict.fromkeys(_readers(root, field.key)))
    yield "identity", "part of it" if field.is_in_identity else "not part of it"
    yield "note", "; ".join(field.history)
    yield "declared", place_of(field.entry.template, field.entry.name)


def _chosen(field: FieldHelp) -> str:
    """The kind that a field is of, and whether that is in force where a configuration was made."""
    section = field.key.rpartition(".")[0]
    key = f"{section}.{KIND}"
    chosen = f"{key} = {field.kind}"
    known = field.known.kinds.get(section, ())
    here = [value for value in known if value.text in kinds_of(field.entry.template)]
    if not known:
        return chosen
    told = "; ".join(_value(key, value) for value in here or known)
    return f"{chosen}, {'in force' if here else 'not in force'}: {told}"


def _value(key: str, value: Value) -> str:
    name = "" if value.key == key else f"{value.key} = "
    return f"{name}{value.text}  ({value.origin})"


def _readers(root: SectionHelp, key: str) -> Iterator[str]:
    """The keys whose formulas read a key."""
    for field in fields_below(root):
        derived = field.entry.derived
        if derived is not None and field.formula and key in keys_read(derived, field.key):
            yield field.key


def _ways(root: SectionHelp, field: FieldHelp) -> Iterator[tuple[str, str]]:
    """How a field is set in a file, on a command line, by a variable, in Python."""
    value = _example(field)
    key = field.key.replace("[i]", "[0]")
    path = parse_key_path(key)
    # A file gives a list whole: a line for one item would take the others away.
    has_line = not any(isinstance(step, int) for step in path)
    yield "file", _in_a_file(path, value, field) if has_line else ""
    yield "argument", shlex.quote(f"{key}={value}")
    variable = field.variable.replace("<i>", "0").replace("<name>", "NAME")
    yield "variable", f"{variable}={shlex.quote(value)}" if variable else ""
    yield "Python", f"{root.template.__name__}.compile(overrides=[{f'{key}={value}'!r}])"


def _example(field: FieldHelp) -> str:
    """A value that may be set: the default, else one of the choices, else something to be filled in."""
    if field.has_default and not field.is_hidden:
        return yaml_text(field.default)
    choices = choices_of(field.entry)
    return yaml_text(choices[0]) if choices else "..."


def _in_a_file(path: KeyPath, value: str, field: FieldHelp) -> str:
    """The lines of a YAML file as one, with the kind that has to be chosen for it."""
    kinds = current_kinds(field.entry.template)
    kind = f"{KIND}: {kinds[0]}, " if kinds and field.kind and path[-1] != KIND else ""
    *sections, name = path
    if not sections:
        return f"{name}: {value}"
    text = f"{{{kind}{yaml_text(name)}: {value}}}"
    for step in reversed(sections[1:]):
        text = f"{{{yaml_text(step)}: {text}}}"
    return f"{sections[0]}: {text}"
