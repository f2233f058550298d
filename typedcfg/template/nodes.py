"""Nodes: what a field makes room for, a value or sections, read from its annotation."""

from collections import deque
from collections.abc import AsyncIterable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from itertools import chain, count
from typing import Annotated, Any, Final, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ImportString

from typedcfg.errors import Problem, TemplateError
from typedcfg.template.annotations import is_union, iter_types, resolve_alias
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.variants import kinds_of

_READ_ONCE: Final = (AsyncIterable, Generator, Iterable, Iterator)


class LeafNode:
    """A place for one value, or for a free list or mapping of values."""

    __slots__ = ("is_container",)

    def __init__(self, *, is_container: bool) -> None:
        """Note whether values below may be set one by one: `strides[1]=4`, `tags.stage=dev`."""
        self.is_container: Final = is_container


class SectionNode:
    """A place for one template."""

    __slots__ = ("is_optional", "template")

    def __init__(self, template: type[ConfigTemplate], *, is_optional: bool) -> None:
        """Hold the template."""
        self.template: Final = template
        self.is_optional: Final = is_optional


class VariantsNode:
    """A place for one of several templates, chosen by `kind`."""

    __slots__ = ("is_optional", "templates")

    def __init__(self, templates: Mapping[str, type[ConfigTemplate]], *, is_optional: bool) -> None:
        """Hold the templates by every kind they answer to, old names included."""
        self.templates: Final = templates
        self.is_optional: Final = is_optional


class ListNode:
    """A place for a list of sections."""

    __slots__ = ("is_optional", "item")

    def __init__(self, item: "Node", *, is_optional: bool) -> None:
        """Hold what each item is."""
        self.item: Final = item
        self.is_optional: Final = is_optional


class MapNode:
    """A place for sections by name."""

    __slots__ = ("is_optional", "value")

    def __init__(self, value: "Node", *, is_optional: bool) -> None:
        """Hold what each value is."""
        self.value: Final = value
        self.is_optional: Final = is_optional


Node: TypeAlias = LeafNode | SectionNode | VariantsNode | ListNode | MapNode


def sections_below(node: Node) -> Iterator[type[ConfigTemplate]]:
    """The templates that a node may hold directly."""
    match node:
        case SectionNode():
            yield node.template
        case VariantsNode():
            yield from dict.fromkeys(node.templates.values())
        case ListNode():
            yield from sections_below(node.item)
        case MapNode():
            yield from sections_below(node.value)


def node_of(annotation: Any, where: str) -> Node:
    """What an annotation makes of a field.

    Raises:
        TemplateError: It mixes sections with values, or holds them in something whose parts have no key.
    """
    annotation, is_optional = _peel(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, ConfigTemplate):
        return SectionNode(annotation, is_optional=is_optional)
    for part in iter_types(annotation):
        _refuse_type(get_origin(part) or part, where)
    if not any(_is_section(t) for t in iter_types(annotation)):
        return LeafNode(is_container=_may_hold_values(annotation))
    if is_union(annotation):
        return VariantsNode(_variants(arguments, where), is_optional=is_optional)
    if origin in (list, Sequence) or (origin is tuple and arguments[-1] is Ellipsis):
        return ListNode(node_of(arguments[0], where), is_optional=is_optional)
    if origin in (dict, Mapping):
        return MapNode(node_of(arguments[1], where), is_optional=is_optional)
    raise _declaration(where, "sections stand in something whose parts have no key", "use list[...] or dict[str, ...]")


def _refuse_type(part: Any, where: str) -> None:
    """Refuse a type that would let a file run code, or a value change after it was frozen."""
    if part is ImportString:
        fix = "choose among variants by kind, or keep a table of names in your code"
        raise _declaration(where, "ImportString would import what a file names", fix)
    if part in _READ_ONCE:
        raise _declaration(where, f"{part.__name__} may be read only once", "use list[...] or Sequence[...]")
    if not isinstance(part, type) or issubclass(part, ConfigTemplate):
        return
    if issubclass(part, BaseModel):
        raise _declaration(where, f"{part.__qualname__} is no ConfigTemplate", "derive it from ConfigTemplate")
    if is_dataclass(part):
        raise _declaration(
            where, f"{part.__qualname__} is a dataclass, whose fields have no key", "make it a ConfigTemplate"
        )
    if issubclass(part, (bytearray, deque)):
        raise _declaration(
            where, f"a {part.__name__} can change after it was frozen", "use bytes, list[...] or tuple[...]"
        )


def _peel(annotation: Any) -> tuple[Any, bool]:
    """An annotation without `Annotated`, aliases and `None`; and whether `None` was there."""
    is_optional = False
    while True:
        annotation = resolve_alias(annotation)
        arguments = get_args(annotation)
        if get_origin(annotation) is Annotated:
            annotation = arguments[0]
        elif is_union(annotation):
            rest = tuple(a for a in arguments if a is not type(None))
            is_optional = is_optional or len(rest) < len(arguments)
            if len(rest) != 1:
                return Union[rest], is_optional  # noqa: UP007  # built from a tuple, which `|` cannot do
            annotation = rest[0]
        else:
            return annotation, is_optional


def _variants(members: tuple[Any, ...], where: str) -> dict[str, type[ConfigTemplate]]:
    templates: dict[str, type[ConfigTemplate]] = {}
    types = list(_members(members))
    if not all(map(_is_section, types)):
        raise _declaration(where, "a union of sections and values", "make the value a field of a section")
    taken = {kind for member_type in types for kind in kinds_of(member_type)}
    for member_type in types:
        kinds = kinds_of(member_type)
        if not kinds:
            name = member_type.__name__.lower()
            free_names = chain([name], (f"{name}{number}" for number in count(2)))
            kind = next(free for free in free_names if free not in taken)
            fix = f'add kind: Literal["{kind}"] = "{kind}"'
            raise _declaration(where, f"{member_type.__qualname__} stands in a union and has no kind", fix)
        for kind in kinds:
            if templates.setdefault(kind, member_type) is not member_type:
                names = f"{templates[kind].__qualname__} and {member_type.__qualname__}"
                raise _declaration(where, f"{names} are both of kind {kind!r}", "give each its own kind")
    return templates


def _members(arguments: tuple[Any, ...]) -> Iterator[Any]:
    """The members of a union; one that is a union itself, by an alias, is as many."""
    for argument in arguments:
        member, _ = _peel(argument)
        if is_union(member):
            yield from _members(get_args(member))
        else:
            yield member


def _declaration(where: str, what: str, fix: str) -> TemplateError:
    return TemplateError(Problem(f"{where}: {what}", fix=fix))


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, ConfigTemplate)


def _may_hold_values(annotation: Any) -> bool:
    """Whether a leaf's values may be lists or mappings, so that what stands below them can be set one by one."""
    for part in iter_types(annotation):
        held = get_origin(part) or part
        if held in (Any, object, Collection, Iterable, Sequence, Mapping) or isinstance(held, TypeVar):
            return True
        if isinstance(held, type) and issubclass(held, (list, dict, tuple, set, frozenset)):
            return True
    return False
