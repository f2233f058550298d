"""The catalog of a template: every field with what it holds, read once from pydantic and kept.

Help, sources and the compiler ask the catalog, never pydantic: what a *section*, a *variant* and a *leaf* are is
decided here.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, SchemaValidator

from typedcfg.errors import Problem, TemplateError
from typedcfg.template.annotations import is_union, iter_types, resolve_alias
from typedcfg.template.derived import Derived, SectionDefault
from typedcfg.template.marks import AddedIn, Deprecated, Kind, Mark, NotInIdentity, RenamedFrom, Unit
from typedcfg.template.refusals import refused_in_fields
from typedcfg.template.schema import fields_schema, items_schema

if TYPE_CHECKING:
    from typedcfg.template.base import ConfigTemplate

KIND: Final = "kind"
"""The key that chooses a variant."""

M = TypeVar("M", bound=Mark)


class LeafNode:
    """A place for one value, or for a free list or mapping of values."""

    __slots__ = ("is_container",)

    def __init__(self, *, is_container: bool) -> None:
        """Note whether values below may be set one by one: `strides[1]=4`, `tags.stage=dev`."""
        self.is_container: Final = is_container


class SectionNode:
    """A place for one template."""

    __slots__ = ("is_optional", "template")

    def __init__(self, template: type["ConfigTemplate"], *, is_optional: bool) -> None:
        """Hold the template."""
        self.template: Final = template
        self.is_optional: Final = is_optional


class VariantsNode:
    """A place for one of several templates, chosen by `kind`."""

    __slots__ = ("is_optional", "templates")

    def __init__(self, templates: Mapping[str, type["ConfigTemplate"]], *, is_optional: bool) -> None:
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


class Entry:
    """One field of a template."""

    def __init__(self, template: type["ConfigTemplate"], name: str, info: FieldInfo) -> None:
        """Read what pydantic knows of the field."""
        self.template = template
        self.name = name
        self.info = info
        self.marks = tuple(m for m in info.metadata if isinstance(m, Mark))
        self.node = _node(info.annotation, f"{template.__qualname__}.{name}")
        self.derived = info.default if isinstance(info.default, Derived) else None

    def mark(self, kind: type[M]) -> M | None:
        """The field's mark of one kind, if it bears one."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def is_leaf(self) -> bool:
        """Whether the field holds values rather than sections."""
        return isinstance(self.node, LeafNode)

    @property
    def is_kind(self) -> bool:
        """Whether the field is the literal by which a variant is chosen."""
        return self.name == KIND and bool(kinds_of(self.template))

    @property
    def is_required(self) -> bool:
        """Whether somebody must set the field; a section is filled from its own defaults."""
        return self.info.is_required() and not (isinstance(self.node, SectionNode) and not self.node.is_optional)

    @property
    def is_in_identity(self) -> bool:
        """Whether the field bears on the outcome."""
        return self.mark(NotInIdentity) is None and not self.is_secret

    @cached_property
    def is_secret(self) -> bool:
        """Whether the field's type keeps its value to itself."""
        return any(t in (SecretStr, SecretBytes) for t in iter_types(self.info.annotation))

    @property
    def unit(self) -> str | None:
        """The unit of the value, where one is marked."""
        mark = self.mark(Unit)
        return mark.symbol if mark else None

    @property
    def old_names(self) -> tuple[str, ...]:
        """The names the field used to have, the one it is identified by first."""
        mark = self.mark(RenamedFrom)
        return mark.names if mark else ()

    @property
    def deprecation(self) -> Deprecated | None:
        """What to use instead of the field, if it is on its way out."""
        return self.mark(Deprecated)

    @property
    def was(self) -> AddedIn | None:
        """What runs did before the field existed, if it came later."""
        return self.mark(AddedIn)

    @property
    def has_default(self) -> bool:
        """Whether a plain default or a factory stands in the class."""
        return not self.info.is_required() and self.derived is None

    def default(self) -> object:
        """The plain default as it was declared; a factory is called.

        Raises:
            LookupError: The field has none: it is required, or derived.
        """
        if not self.has_default:
            raise LookupError(f"{self.template.__qualname__}.{self.name} has no default")
        if isinstance(self.info.default_factory, SectionDefault):
            return self.info.default_factory
        if self.info.default_factory is not None and self.info.default_factory_takes_validated_data:
            raise TemplateError(
                Problem(
                    f"{self.template.__qualname__}.{self.name}: a default factory takes no arguments in a template",
                    expected="a factory without arguments, or a formula",
                    fix="write derived(lambda c: ...): it sees every value, whatever the order of the fields",
                )
            )
        return self.info.get_default(call_default_factory=True)

    @cached_property
    def validator(self) -> SchemaValidator:
        """Validates one value as the field would, its own validators included."""
        whole = self._validator(lambda schema: schema)
        assert whole is not None, "a field has a schema"
        return whole

    @cached_property
    def item_validator(self) -> SchemaValidator | None:
        """Validates one value of the field's free list or mapping, where all of them are of one type."""
        return self._validator(items_schema)

    def validator_at(self, depth: int) -> SchemaValidator | None:
        """Validates the field's value, or one that lies `depth` steps within its free list or mapping."""
        return self.validator if depth == 0 else self.item_validator if depth == 1 else None

    def _validator(self, part: Callable[[Any], CoreSchema | None]) -> SchemaValidator | None:
        fields, definitions, config = fields_schema(self.template)
        schema = part(fields[self.name]["schema"])
        if schema is not None and definitions:
            schema = {"type": "definitions", "schema": schema, "definitions": definitions}
        return None if schema is None else SchemaValidator(schema, config)


class Catalog:
    """The fields of one template, in order of declaration."""

    def __init__(self, template: type["ConfigTemplate"]) -> None:
        """Read every field; a declaration that cannot work is refused here, all of them at once."""
        self.template = template
        self.entries: dict[str, Entry] = {}
        problems: list[Problem] = []
        for name, info in _complete_fields(template).items():
            try:
                self.entries[name] = Entry(template, name, info)
            except TemplateError as error:
                problems += error.problems
        problems += refused_in_fields(self.entries.values())
        if problems:
            raise TemplateError(*problems)
        self.names = frozenset(self.entries)
        self.branching = tuple(entry for entry in self.entries.values() if not entry.is_leaf)
        """The fields that hold sections."""
        self.free = frozenset(
            n for n, e in self.entries.items() if isinstance(e.node, LeafNode) and e.node.is_container
        )
        """The fields that may hold free lists and mappings, in which values can be set one by one."""
        self.formulas = tuple(entry for entry in self.entries.values() if entry.derived is not None)
        self.renamed = {old: entry for entry in self.entries.values() for old in entry.old_names if "." not in old}
        """Old names beside the field, and the field that each now means."""
        self.moved = {old: entry for entry in self.entries.values() for old in entry.old_names if "." in old}
        """Old names from the top."""
        self.deprecated = tuple(entry for entry in self.entries.values() if entry.deprecation)

    @property
    def kind(self) -> str | None:
        """The kind that this template answers to, if it is a variant."""
        kinds = kinds_of(self.template)
        return kinds[0] if kinds else None


def catalog_of(template: type["ConfigTemplate"]) -> Catalog:
    """The catalog of a template, made once for each class.

    Raises:
        TemplateError: A field is declared in a way that cannot work, or names a type that does not exist yet.
    """
    known: Catalog | None = template.__dict__.get("__typedcfg_catalog__")
    if known is None:
        known = Catalog(template)
        # Kept before it is proved to end: the proof asks for it again, where a section holds itself.
        type.__setattr__(template, "__typedcfg_catalog__", known)
        try:
            _refuse_endless(template, ())
        except TemplateError:
            type.__delattr__(template, "__typedcfg_catalog__")
            raise
    return known


def sections_below(node: Node) -> Iterator[type["ConfigTemplate"]]:
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


def reachable(template: type["ConfigTemplate"]) -> Iterator[type["ConfigTemplate"]]:
    """A template and every template that a configuration of it may hold, each once."""
    seen = {template: None}
    todo = [template]
    while todo:
        current = todo.pop()
        yield current
        for entry in catalog_of(current).branching:
            for inner in sections_below(entry.node):
                if inner not in seen:
                    seen[inner] = None
                    todo.append(inner)


def kinds_of(template: type[BaseModel]) -> tuple[str, ...]:
    """The kinds that a template answers to, its current one first; empty if it is no variant."""
    current = current_kinds(template)
    marks = template.__pydantic_fields__[KIND].metadata if current else ()
    return (*current, *(mark.renamed_from for mark in marks if isinstance(mark, Kind)))


def current_kinds(template: type[BaseModel]) -> tuple[str, ...]:
    """The kinds that a template goes by today; empty if it is no variant."""
    info = template.__pydantic_fields__.get(KIND)
    if info is None or get_origin(info.annotation) is not Literal:
        return ()
    return tuple(map(str, get_args(info.annotation)))


def _complete_fields(template: type["ConfigTemplate"]) -> Mapping[str, FieldInfo]:
    """The fields, with names of types that were not defined yet looked up again."""
    if not template.__pydantic_fields_complete__:
        from pydantic import PydanticUndefinedAnnotation

        try:
            template.model_rebuild(raise_errors=True)
        except PydanticUndefinedAnnotation as error:
            raise TemplateError(
                Problem(
                    f"{template.__qualname__} names a type that is not defined: {error.name}",
                    expected="a class that exists by the time the template is used",
                    fix=f"define or import {error.name} in the module of {template.__qualname__}",
                )
            ) from error
    return template.__pydantic_fields__


def _refuse_endless(template: type["ConfigTemplate"], above: tuple[type, ...]) -> None:
    """Refuse a section that contains itself without a default that ends: it could never be built."""
    if template in above:
        chain = " -> ".join(t.__qualname__ for t in (*above[above.index(template) :], template))
        raise TemplateError(
            Problem(
                f"{template.__qualname__} contains itself: {chain}",
                expected="a chain of sections that ends",
                fix="make one of them optional (`| None = None`), or a list or dict of sections",
            )
        )
    for entry in catalog_of(template).branching:
        if isinstance(entry.node, SectionNode) and not entry.node.is_optional:
            _refuse_endless(entry.node.template, (*above, template))


# --- reading annotations --------------------------------------------------------------------------------------------


def _node(annotation: Any, where: str) -> Node:
    """What an annotation makes of a field.

    Raises:
        TemplateError: It mixes sections with values, or holds them in something whose parts have no key.
    """
    from typedcfg.template.base import ConfigTemplate

    annotation, is_optional = _peel(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, ConfigTemplate):
        return SectionNode(annotation, is_optional=is_optional)
    for part in iter_types(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel) and not issubclass(part, ConfigTemplate):
            raise _declaration(where, f"{part.__qualname__} is no ConfigTemplate", "derive it from ConfigTemplate")
    if not any(_is_section(t) for t in iter_types(annotation)):
        return LeafNode(is_container=_may_hold_values(annotation))
    if is_union(annotation):
        return VariantsNode(_variants(arguments, where), is_optional=is_optional)
    if origin in (list, Sequence) or (origin is tuple and arguments[-1] is Ellipsis):
        return ListNode(_node(arguments[0], where), is_optional=is_optional)
    if origin in (dict, Mapping):
        return MapNode(_node(arguments[1], where), is_optional=is_optional)
    raise _declaration(where, "sections stand in something whose parts have no key", "use list[...] or dict[str, ...]")


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


def _variants(members: tuple[Any, ...], where: str) -> dict[str, type["ConfigTemplate"]]:
    templates: dict[str, type[ConfigTemplate]] = {}
    types = list(_members(members))
    if not all(map(_is_section, types)):
        raise _declaration(where, "a union of sections and values", "make the value a field of a section")
    for member_type in types:
        kinds = kinds_of(member_type)
        if not kinds:
            fix = f'add kind: Literal["{member_type.__name__.lower()}"] = "{member_type.__name__.lower()}"'
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
    from typedcfg.template.base import ConfigTemplate

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
