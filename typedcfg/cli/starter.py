"""The file to start from: every key with its default, commented out, so that it says nothing until a line is opened.

A section stands in braces, for an empty block would be null: however many of its lines are opened, it is a mapping.
"""

import json
from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from typedcfg.origin import Origin
from typedcfg.sources.base import INSTRUCTION_MARK
from typedcfg.sources.yaml_value import NotAValue, read_value
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.help_tree import FieldHelp, SectionHelp
from typedcfg.template.nodes import SectionNode, VariantsNode
from typedcfg.template.type_text import type_text, yaml_text
from typedcfg.template.variants import KIND, current_kinds
from typedcfg.text import one_of

_WIDTH: Final = 100
_STEP: Final = "    "

_HOW_TO: Final = (
    "Nothing is set here yet. A line that begins with one # is a setting with its default: take the # away, "
    "and change it. Lines that begin with two say what it means."
)


def starter(template: type[ConfigTemplate], schema: str) -> str:
    """A YAML file that compiles to the defaults, and shows them.

    Args:
        template: What is configured.
        schema: Where its JSON Schema lies, from the file's own folder.

    Example:
        >>> class Loader(ConfigTemplate):
        ...     batch_size: int = 128
        >>> print(starter(Loader, "loader.schema.json"), end="")
        # yaml-language-server: $schema=loader.schema.json
        ## Loader
        ## Nothing is set here yet. A line that begins with one # is a setting with its default: take the #
        ## away, and change it. Lines that begin with two say what it means.
        <BLANKLINE>
        # batch_size: 128  # integer
    """
    root = SectionHelp("", template)
    title = f"{template.__qualname__}: {root.description}" if root.description else template.__qualname__
    head = [f"# yaml-language-server: $schema={schema}", *_words(title, ""), *_words(_HOW_TO, "")]
    return "".join(f"{line}\n" for line in [*head, *_settings(root, "", "")])


def _settings(section: SectionHelp, indent: str, comma: str) -> Iterator[str]:
    """The lines of a section's fields; a field on its way out is not offered."""
    for field in section.fields():
        if field.entry.deprecation:
            continue
        if not indent:
            yield ""
        below = _section_of(field)
        yield from _words(field.description or (below.description if below else ""), indent)
        if below is None:
            yield _value(field, indent, comma)
            continue
        yield f"{indent}{field.entry.name}: {{"
        if below.kind:
            kinds = [kind for each in field.sections() for kind in current_kinds(each.template)]
            yield f"{indent}{_STEP}# {KIND}: {yaml_text(field.default)},  # {one_of(kinds)}; the keys below are its own"
        yield from _settings(below, indent + _STEP, ",")
        yield f"{indent}  }}{comma}"


def _section_of(field: FieldHelp) -> SectionHelp | None:
    """The section that stands at a field while nobody says otherwise; None if none does, or it is a list of them."""
    if field.has_default and field.settings is None:
        return None
    match field.entry.node:
        case SectionNode():
            return next(field.sections())
        case VariantsNode():
            return next((section for section in field.sections() if section.is_default_kind), None)
    return None


def _value(field: FieldHelp, indent: str, comma: str) -> str:
    """A field that has a value, or would have: a setting where a file can say the default, else words."""
    name, kind = field.entry.name, type_text(field.entry)
    if field.formula:
        return f"{indent}## {name} = {field.formula}  # {kind}"
    if field.is_required:
        return f"{indent}## {name} must be set  # {kind}"
    if field.is_hidden:
        return f"{indent}## {name} is a secret: better set by a variable than here  # {kind}"
    text = _written(field.default)
    if text is None:
        return f"{indent}## {name} = {' '.join(yaml_text(field.default).split())}  # {kind}"
    return f"{indent}# {name}: {text}{comma}  # {kind}"


def _written(value: object) -> str | None:
    """A default as a file would say it; None if no text would be read back as the same."""
    try:
        plain = to_jsonable_python(value)
    except PydanticSerializationError:
        return None
    text = yaml_text(value)
    if not isinstance(value, (set, frozenset)) and not _reads_as(text, plain):
        # Of a decimal number or a date, the text that pydantic writes.
        text = json.dumps(plain, ensure_ascii=False)
    return None if INSTRUCTION_MARK in text else text


def _reads_as(text: str, plain: object) -> bool:
    try:
        return bool(read_value(text, Origin("")) == plain)
    except NotAValue:
        return False


def _words(text: str, indent: str) -> Iterator[str]:
    """Lines that no file takes for a setting."""
    mark = f"{indent}## "
    return (mark + line for line in wrap(text, _WIDTH - len(indent), break_long_words=False, break_on_hyphens=False))
