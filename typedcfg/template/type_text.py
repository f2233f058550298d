"""Types and values in the words of somebody who writes YAML: `integer > 0 [samples]`, `one of: relu, gelu`."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import PurePath
from types import NoneType
from typing import Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

from typedcfg.template.annotations import is_union, resolve_alias
from typedcfg.template.catalog import Entry
from typedcfg.template.nodes import ListNode, MapNode, Node, SectionNode, VariantsNode
from typedcfg.template.variants import current_kinds
from typedcfg.template.words import Words
from typedcfg.text import one_of

_NOUNS: Final = {
    "Any": "anything",
    "Decimal": "decimal number",
    "NoneType": "null",
    "Path": "path",
    "Pattern": "regular expression",
    "PosixPath": "path",
    "PurePath": "path",
    "PurePosixPath": "path",
    "SecretBytes": "secret text",
    "SecretStr": "secret text",
    "bool": "true or false",
    "bytes": "text",
    "complex": "complex number",
    "date": "date",
    "datetime": "date and time",
    "dict": "mapping",
    "float": "number",
    "int": "integer",
    "list": "list",
    "object": "anything",
    "set": "list",
    "str": "text",
    "time": "time of day",
    "timedelta": "duration",
    "tuple": "list",
}
"""What a type is called outside of Python; by name, so that none of their modules is loaded for it."""

_PLURALS: Final = re.compile(r"(integer|number|text|path|date|duration|list|mapping|complex number|secret text)\b(.*)")
_PATHS: Final = {"file": "path of a file", "dir": "path of a folder", "new": "path at which nothing is yet"}

_LOW: Final = {"gt": ("<", ">"), "ge": ("<=", ">=")}
_HIGH: Final = {"lt": "<", "le": "<="}

_PLAIN_TEXT: Final = re.compile(
    r"(?!(?:null|true|false)\Z)(?:\.{0,2}/)?[^\W\d][\w./+-]*(?: [\w./+-]+)*\Z", re.IGNORECASE
)
"""Texts that YAML reads back as they are; all others are quoted."""


def type_text(entry: Entry) -> str:
    """What may be written for a field, on one line.

    Example:
        >>> from typing import Annotated
        >>> from annotated_types import Gt
        >>> from typedcfg import ConfigTemplate, Unit
        >>> from typedcfg.template.catalog import catalog_of
        >>> class Loader(ConfigTemplate):
        ...     batch_size: Annotated[int, Gt(0), Unit("samples")]
        >>> type_text(catalog_of(Loader).entries["batch_size"])
        'integer > 0 [samples]'
    """
    if entry.is_leaf:
        text = _annotated(entry.info.annotation, entry.info.metadata)
    else:
        text = _with_constraints(_sections(entry.node), constraints_of(entry.info.metadata))
    return f"{text} [{entry.unit}]" if entry.unit else text


def choices_of(entry: Entry) -> tuple[object, ...]:
    """The values that a field chooses from, null included; empty where there is no such list."""
    return _choices(entry.info.annotation)


def metadata_of(entry: Entry) -> tuple[object, ...]:
    """What stands beside a field's type, and in an optional one beside what it is if not null."""
    annotation = resolve_alias(entry.info.annotation)
    members = [part for part in get_args(annotation) if part is not NoneType] if is_union(annotation) else []
    inner = getattr(members[0], "__metadata__", ()) if len(members) == 1 else ()
    return (*entry.info.metadata, *inner)


def constraints_of(metadata: Iterable[object]) -> tuple[str, ...]:
    """What a value must satisfy beyond its type, as one would write it down; the range of a number stands first.

    Example:
        >>> from annotated_types import Interval, MultipleOf
        >>> constraints_of([MultipleOf(8), Interval(gt=0, le=256)])
        ('0 < x <= 256', 'multiple of 8')
    """
    values: dict[str, object] = {}
    lengths: dict[str, object] = {}
    others: list[str] = []
    for mark in _flat(metadata):
        values |= {n: getattr(mark, n) for n in (*_LOW, *_HIGH) if getattr(mark, n, None) is not None}
        lengths |= {
            n: getattr(mark, long)
            for n, long in (("ge", "min_length"), ("le", "max_length"))
            if getattr(mark, long, None) not in (None, 0)
        }
        others += _other_constraints(mark)
    return (*_range("x", values), *_range("length", lengths), *others)


def yaml_text(value: object) -> str:
    """A value as YAML has it on one line; a secret must not come here.

    Example:
        >>> yaml_text({"betas": [0.9, 1e-08], "amsgrad": None, "name": "1"})
        '{betas: [0.9, 1e-8], amsgrad: null, name: "1"}'
    """
    if isinstance(value, Enum):
        return yaml_text(value.value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{yaml_text(k)}: {yaml_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return f"[{', '.join(sorted(map(yaml_text, value)))}]"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(yaml_text, value))}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case float():
            return _number(value)
        case str() | PurePath():
            text = value.as_posix() if isinstance(value, PurePath) else str(value)
            return text if _PLAIN_TEXT.match(text) else _quoted(text)
    return str(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(value: float) -> str:
    special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
    return special.get(repr(value), re.sub(r"e([+-])0", r"e\1", repr(value)).replace("e+", "e"))


# --- constraints ----------------------------------------------------------------------------------------------------


def _flat(metadata: Iterable[Any]) -> Iterator[object]:
    """Marks one by one; `Interval`, `Len`, `StringConstraints` and `Annotated` are several."""
    for mark in metadata:
        if hasattr(mark, "__metadata__"):
            yield from _flat(mark.__metadata__)
        elif getattr(mark, "__is_annotated_types_grouped_metadata__", False):
            yield from _flat(mark)
        else:
            yield mark


def _range(name: str, limits: Mapping[str, object]) -> Iterator[str]:
    """`0 < x <= 1`, `x > 0`, `x <= 1`, `length = 2`; nothing without limits."""
    low = next(((yaml_text(limits[n]), *_LOW[n]) for n in _LOW if n in limits), None)
    high = next(((_HIGH[n], yaml_text(limits[n])) for n in _HIGH if n in limits), None)
    if low and high:
        is_one = low[0] == high[1]
        yield f"{name} = {low[0]}" if is_one else f"{low[0]} {low[1]} {name} {high[0]} {high[1]}"
    elif low:
        yield f"{name} {low[2]} {low[0]}"
    elif high:
        yield f"{name} {high[0]} {high[1]}"


def _other_constraints(mark: object) -> Iterator[str]:
    if (step := getattr(mark, "multiple_of", None)) is not None:
        yield f"multiple of {yaml_text(step)}"
    if (pattern := getattr(mark, "pattern", None)) is not None:
        yield f"matches {getattr(pattern, 'pattern', pattern)}"
    if getattr(mark, "allow_inf_nan", None) is False:
        yield "finite"


def _with_constraints(text: str, constraints: Sequence[str]) -> str:
    """`integer > 0`, `number, 0 < x <= 1`, `text, length >= 1`."""
    if constraints and constraints[0].startswith("x ") and text in _NOUNS.values() and " or " not in text:
        text, constraints = text + constraints[0][1:], constraints[1:]
    return ", ".join([text, *constraints])


# --- types ----------------------------------------------------------------------------------------------------------


def _annotated(annotation: Any, metadata: Iterable[object], within: tuple[Any, ...] = ()) -> str:
    text = _words(annotation, within)
    for mark in metadata:
        if isinstance(mark, Words):
            return mark.text
        text = _PATHS.get(getattr(mark, "path_type", ""), text)
    return _with_constraints(text, constraints_of(metadata))


def _words(annotation: Any, within: tuple[Any, ...]) -> str:
    """A type in words.

    Args:
        annotation: Any type.
        within: The aliases whose meaning is being told; one that holds itself is called by its name there.
    """
    if annotation in within or isinstance(annotation, str):
        return str(getattr(annotation, "__name__", annotation))
    if hasattr(annotation, "__value__"):
        return _words(annotation.__value__, (*within, annotation))
    arguments = get_args(annotation)
    if get_origin(annotation) is Annotated:
        return _annotated(arguments[0], arguments[1:], within)
    if choices := _choices(annotation):
        words = ", ".join(_alike(choices))
        return f"one of: {words}" if len(choices) > 1 else f"only {words}"
    if is_union(annotation):
        return " or ".join(dict.fromkeys(_enclosed(_words(part, within)) for part in arguments))
    return _container(annotation, within) or _noun(annotation)


def _container(annotation: Any, within: tuple[Any, ...]) -> str:
    """A list or mapping in words; empty if it is neither, or does not say of what."""
    origin = get_origin(annotation)
    held = [_words(part, within) for part in get_args(annotation) if part is not Ellipsis]
    if not isinstance(origin, type) or not held:
        return ""
    if issubclass(origin, Mapping):
        # A Counter says only what it counts.
        return f"mapping of {_plural(held[0])} to {_plural(held[1] if len(held) > 1 else _NOUNS['int'])}"
    if origin is tuple and Ellipsis not in get_args(annotation):
        return f"list of {len(held)}: {', '.join(map(_enclosed, held))}"
    return f"list of {_plural(held[0])}" if issubclass(origin, Iterable) and len(held) == 1 else ""


def _noun(annotation: Any) -> str:
    name = "Any" if isinstance(annotation, TypeVar) else getattr(annotation, "__name__", str(annotation))
    return _NOUNS.get(name, name)


def _choices(annotation: Any) -> tuple[object, ...]:
    """The values of a literal, an enum, or a union of such; empty for any other type."""
    annotation = resolve_alias(annotation)
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(member.value for member in annotation)
    if not is_union(annotation):
        return ()
    parts = [(None,) if part is NoneType else _choices(part) for part in get_args(annotation)]
    return tuple(value for part in parts for value in part) if all(parts) else ()


def _alike(choices: Sequence[object]) -> list[str]:
    """Choices as YAML has them, all texts in quotes if one of them has to be."""
    is_plain = all(_PLAIN_TEXT.match(choice) for choice in choices if isinstance(choice, str))
    return [_quoted(one) if isinstance(one, str) and not is_plain else yaml_text(one) for one in choices]


def _enclosed(text: str) -> str:
    """A text that can stand in an enumeration."""
    return f"({text})" if "," in text else text


def _plural(text: str) -> str:
    if "," in text or " or " in text or ":" in text:
        return text if text in _NOUNS.values() else f"({text})"
    match = _PLURALS.fullmatch(text)
    return f"{match[1]}s{match[2]}" if match else text


def _sections(node: Node) -> str:
    """What a field of sections holds."""
    match node:
        case SectionNode():
            text = f"section {node.template.__name__}"
        case VariantsNode():
            kinds = [kind for template in dict.fromkeys(node.templates.values()) for kind in current_kinds(template)]
            text = f"section of kind {one_of(kinds)}"
        case ListNode():
            text = f"list of {_sections(node.item).replace('section', 'sections', 1)}"
        case MapNode():
            text = f"mapping of texts to {_sections(node.value).replace('section', 'sections', 1)}"
        case _:
            raise AssertionError(f"a leaf holds no sections: {node}")
    if not node.is_optional:
        return text
    return f"{text}, or null" if " or " in text else f"{text} or null"
