"""Which key a variable's name means: `DIGITS__OPTIMIZER__LR` is `optimizer.lr`."""

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

from typing_extensions import TypeAliasType

from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Layer, Text, branch_at
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of, reachable
from typedcfg.template.nodes import LeafNode, ListNode, MapNode, Node, sections_below
from typedcfg.template.old_names import present_path
from typedcfg.text import nearest, one_of, shorten

SEPARATOR: Final = "__"
_MOST_DIGITS: Final = 18
"""Of a position in a list; as in every key path, none is longer."""


class Variable(NamedTuple):
    """A named text from outside; its value may be a secret and stands in no message."""

    name: str
    value: str
    origin: Origin


def variables_layer(
    template: type[ConfigTemplate], prefix: str, variables: Iterable[Variable], *, name: str, strength: str
) -> Iterator[Layer]:
    """One layer of what variables with the prefix set, or none.

    Variables have no order: of a section's variable and one for a key in it, the key's is the stronger.

    Raises:
        ConfigError: With a problem for each variable that means no key, or several, or one that another sets too.
    """
    problems: list[Problem] = []
    found: dict[KeyPath, Variable] = {}
    named: dict[KeyPath, KeyPath] = {}
    """What was found, by the names that keys have today."""
    for variable in variables:
        path = _key_of(template, prefix, variable, problems)
        if path is None:
            continue
        today = present_path(template, path)
        if today in named:
            first = found[named[today]]
            what = f"{first.name} and {variable.name} both set {render_key_path(today)}"
            problems.append(Problem(what, where=f"{first.origin}\n{variable.origin}", fix="keep one of them"))
        named[today] = path
        found[path] = variable
    ordered = sorted(found.items(), key=lambda item: (len(item[0]), item[1].name))
    roots = tuple(branch_at(path, Text(variable.value), variable.origin) for path, variable in ordered)
    if roots:
        yield Layer(name, strength, roots)
    ConfigError.raise_any(problems)


def bears(prefix: str, name: str) -> bool:
    """Whether a variable is meant for the program; case does not matter, as nowhere in these names."""
    return name[: len(prefix)].lower() == prefix.lower()


def _key_of(template: type[ConfigTemplate], prefix: str, variable: Variable, problems: list[Problem]) -> KeyPath | None:
    segments = variable.name[len(prefix) :].split(SEPARATOR)
    paths = list(dict.fromkeys([*_in_template(template, segments), *_moved(template, segments)]))
    # Two fields that differ by case alone can still be told apart, where the system keeps the case of names.
    exact = [path for path in paths if SEPARATOR.join(map(str, path)) == SEPARATOR.join(segments)]
    if len(paths) == 1 or len(exact) == 1:
        return (exact or paths)[0]
    if paths:
        keys = one_of(render_key_path(path) for path in paths)
        fix = f"write the one that is meant in its own case: {prefix}{SEPARATOR.join(map(str, paths[0]))}"
        problems.append(Problem(f"{variable.name} could mean {keys}", where=str(variable.origin), fix=fix))
        return None
    # Without the prefix, which all have in common and which would make any two names alike.
    near = nearest(
        SEPARATOR.join(segments).upper(), (SEPARATOR.join(words).upper() for words in _known_words(template))
    )
    problems.append(
        Problem(
            f"{shorten(variable.name)} sets no key of {template.__qualname__}",
            where=str(variable.origin),
            expected=f"a key after {prefix}, in which {SEPARATOR} stands for each dot",
            suggestion=near and f"{prefix.upper()}{near}",
            fix="correct the name, or unset the variable",
        )
    )
    return None


# --- every key that a name could mean: `__` may separate two keys, or be part of one --------------------------------


def _in_template(template: type[ConfigTemplate], segments: Sequence[str]) -> Iterator[KeyPath]:
    catalog = catalog_of(template)
    fields = {**catalog.renamed, **catalog.entries}
    for length in range(1, len(segments) + 1):
        name = SEPARATOR.join(segments[:length]).lower()
        for key, entry in fields.items():
            if key.lower() == name:
                yield from ((key, *below) for below in _below(entry.node, entry, segments[length:]))


def _moved(template: type[ConfigTemplate], segments: Sequence[str]) -> Iterator[KeyPath]:
    """Old names of fields that lay elsewhere, counted from the top."""
    for section in reachable(template):
        for old, entry in catalog_of(section).moved.items():
            path = parse_key_path(old)
            name = SEPARATOR.join(map(str, path)).lower()
            for length in range(1, len(segments) + 1):
                if SEPARATOR.join(segments[:length]).lower() == name:
                    yield from ((*path, *below) for below in _below(entry.node, entry, segments[length:]))


def _below(node: Node, entry: Entry, segments: Sequence[str]) -> Iterator[KeyPath]:
    if not segments:
        yield ()
        return
    match node:
        case LeafNode():
            yield from _in_values(entry.info.annotation, segments)
        case ListNode():
            for position, rest in _position(segments):
                yield from ((position, *below) for below in _below(node.item, entry, rest))
        case MapNode():
            yield from ((segments[0], *below) for below in _below(node.value, entry, segments[1:]))
        case _:
            for section in sections_below(node):
                yield from _in_template(section, segments)


def _in_values(annotation: Any, segments: Sequence[str]) -> Iterator[KeyPath]:
    """What names within a free list or mapping; names of one's own keep their case."""
    if not segments:
        yield ()
        return
    held, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        yield from _in_values(annotation.__value__, segments)
    elif held is Annotated:
        yield from _in_values(arguments[0], segments)
    elif held in (Union, types.UnionType):
        for member in arguments:
            yield from _in_values(member, segments)
    elif isinstance(held, type) and issubclass(held, Mapping):
        value = arguments[1] if arguments else object
        yield from ((segments[0], *below) for below in _in_values(value, segments[1:]))
    elif isinstance(held, type) and issubclass(held, Sequence) and not issubclass(held, (str, bytes)):
        for position, rest in _position(segments):
            yield from ((position, *below) for below in _in_values(arguments[0] if arguments else object, rest))


def _position(segments: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    if segments[0].isascii() and segments[0].isdecimal() and len(segments[0]) <= _MOST_DIGITS:
        yield int(segments[0]), segments[1:]


def _known_words(template: type[ConfigTemplate], above: frozenset[type] = frozenset()) -> Iterator[list[str]]:
    """The keys of a template as the words of a name, for suggestions; position 0 stands for all."""
    for key, entry in catalog_of(template).entries.items():
        yield [key]
        steps = ["0"] if isinstance(entry.node, ListNode) else []
        for section in sections_below(entry.node):
            if section not in above:
                yield from ([key, *steps, *words] for words in _known_words(section, above | {template, section}))
