"""The catalog of a template: every field with what it holds, read once from pydantic and kept.

Help, sources and the compiler ask the catalog, never pydantic: what a *section*, a *variant* and a *leaf* are is
decided here.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Final, TypeVar, get_origin

from pydantic import Secret, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import SchemaValidator, core_schema

from typedcfg.errors import Problem, TemplateError
from typedcfg.template.annotations import iter_types
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import Derived, SectionDefault
from typedcfg.template.marks import AddedIn, Deprecated, Mark, NotInIdentity, RenamedFrom, Unit
from typedcfg.template.nodes import LeafNode, SectionNode, node_of, sections_below
from typedcfg.template.refusals import placed, refused_in_fields
from typedcfg.template.schema import fields_schema, items_schema
from typedcfg.template.variants import KIND, kinds_of
from typedcfg.text import listed

M = TypeVar("M", bound=Mark)

_SECRETS: Final = (Secret, SecretBytes, SecretStr)
"""Types that keep their value to themselves, and what derives from them."""


class Entry:
    """One field of a template."""

    mappings_are_sections = False
    """Whether a mapping in the value is what a section is elsewhere: where nobody declared which are."""

    def __init__(self, template: type[ConfigTemplate], name: str, info: FieldInfo) -> None:
        """Read what pydantic knows of the field."""
        self.template = template
        self.name = name
        self.info = info
        self.marks = tuple(m for m in info.metadata if isinstance(m, Mark))
        self.node = node_of(info.annotation, f"{template.__qualname__}.{name}")
        self.is_leaf = isinstance(self.node, LeafNode)
        """Whether the field holds values rather than sections."""
        self.derived = info.default if isinstance(info.default, Derived) else None
        self._validators: dict[int, SchemaValidator | None] = {}

    def mark(self, kind: type[M]) -> M | None:
        """The field's mark of one kind, if it bears one."""
        return next((mark for mark in self.marks if isinstance(mark, kind)), None)

    @property
    def is_kind(self) -> bool:
        """Whether the field is the literal by which a variant is chosen."""
        return self.name == KIND and bool(kinds_of(self.template))

    @property
    def is_required(self) -> bool:
        """Whether somebody must set the field; a section is filled from its own defaults."""
        return self.info.is_required() and not (isinstance(self.node, SectionNode) and not self.node.is_optional)

    @cached_property
    def is_in_identity(self) -> bool:
        """Whether the field bears on the outcome."""
        return self.mark(NotInIdentity) is None and not self.is_secret

    @cached_property
    def is_secret(self) -> bool:
        """Whether the field's type keeps its value to itself."""
        parts = (get_origin(part) or part for part in iter_types(self.info.annotation))
        return any(isinstance(part, type) and issubclass(part, _SECRETS) for part in parts)

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

    @property
    def has_fresh_default(self) -> bool:
        """Whether a factory of the user's makes the default, perhaps another each time."""
        factory = self.info.default_factory
        return factory is not None and not isinstance(factory, SectionDefault)

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
            problem = Problem(
                f"{self.template.__qualname__}.{self.name}: a default factory takes no arguments in a template",
                expected="a factory without arguments, or a formula",
                fix="write derived(lambda c: ...): it sees every value, whatever the order of the fields",
            )
            raise TemplateError(*placed([problem], self.template, self.name))
        return self.info.get_default(call_default_factory=True)

    @cached_property
    def validator(self) -> SchemaValidator:
        """Validates one value as the field would, its own validators included."""
        whole = self._validator(0)
        assert whole is not None, "a field has a schema"
        return whole

    def validator_at(self, depth: int) -> SchemaValidator | None:
        """Validates the field's value, or one that lies `depth` steps within its free list or mapping.

        None where the values there are not all of one type.
        """
        if depth not in self._validators:
            self._validators[depth] = self.validator if depth == 0 else self._validator(depth)
        return self._validators[depth]

    def _validator(self, depth: int) -> SchemaValidator | None:
        fields, definitions, config = fields_schema(self.template)
        schema: Any = fields[self.name]["schema"]
        for _ in range(depth):
            schema = None if schema is None else items_schema(schema)
        if schema is not None and definitions:
            schema = core_schema.definitions_schema(schema, definitions)
        return None if schema is None else SchemaValidator(schema, config)


class Catalog:
    """The fields of one template, in order of declaration."""

    def __init__(self, template: type[ConfigTemplate]) -> None:
        """Read every field; a declaration that cannot work is refused here, all of them at once."""
        self.template = template
        self.entries: dict[str, Entry] = {}
        problems: list[Problem] = []
        for name, info in _complete_fields(template).items():
            try:
                self.entries[name] = Entry(template, name, info)
            except TemplateError as error:
                problems += placed(error.problems, template, name)
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

    @property
    def keys_told(self) -> str:
        """What was expected where a key is none of these: `a key of AdamW: kind, lr`."""
        return f"a key of {self.template.__qualname__}: {listed(self.entries)}"


def catalog_of(template: type[ConfigTemplate]) -> Catalog:
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


def reachable(template: type[ConfigTemplate]) -> Iterator[type[ConfigTemplate]]:
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


def _complete_fields(template: type[ConfigTemplate]) -> Mapping[str, FieldInfo]:
    """The fields, with names of types that were not defined yet looked up again."""
    if not template.__pydantic_fields_complete__:
        from pydantic import PydanticUndefinedAnnotation

        try:
            template.model_rebuild(raise_errors=True)
        except PydanticUndefinedAnnotation as error:
            problem = Problem(
                f"{template.__qualname__} names a type that is not defined: {error.name}",
                expected="a class that exists by the time the template is used",
                fix=f"define or import {error.name} in the module of {template.__qualname__}",
            )
            raise TemplateError(*placed([problem], template)) from error
    return template.__pydantic_fields__


def _refuse_endless(template: type[ConfigTemplate], above: tuple[type, ...]) -> None:
    """Refuse a section that contains itself without a default that ends: it could never be built."""
    if template in above:
        chain = " -> ".join(t.__qualname__ for t in (*above[above.index(template) :], template))
        problem = Problem(
            f"{template.__qualname__} contains itself: {chain}",
            expected="a chain of sections that ends",
            fix="make one of them optional (`| None = None`), or a list or dict of sections",
        )
        raise TemplateError(*placed([problem], template))
    for entry in catalog_of(template).branching:
        if isinstance(entry.node, SectionNode) and not entry.node.is_optional:
            _refuse_endless(entry.node.template, (*above, template))
