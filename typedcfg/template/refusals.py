"""Refusals: what pydantic offers and a template cannot keep its promises with, each with what to write instead.

Two times to ask: when a class is written, where types may still be names of classes to come, and when its catalog
is made, where every type is known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from pydantic import BaseModel, PydanticSchemaGenerationError, PydanticUserError, TypeAdapter
from pydantic.fields import FieldInfo
from typing_extensions import Format, get_annotations

from typedcfg.errors import Problem
from typedcfg.key_path import KeyPathError, parse_key_path
from typedcfg.template.annotations import annotation_text, iter_types, resolve_alias
from typedcfg.template.derived import Derived
from typedcfg.template.marks import Mark
from typedcfg.text import shorten

if TYPE_CHECKING:
    from typedcfg.template.catalog import Entry


def refused_names(cls: type[BaseModel], reserved: frozenset[str]) -> Iterator[Problem]:
    """Fields that a class declares under a name that is taken, as soon as Python has made the class."""
    for name in get_annotations(cls, format=Format.FORWARDREF):
        if name in reserved and name not in BaseModel.__annotations__:
            yield from placed([_taken(name, f"{cls.__module__}.{cls.__qualname__}")], cls, name)


def _taken(name: str, where: str) -> Problem:
    what = f"{where}: {name!r} is the name of something that every configuration has"
    return Problem(what, fix=f"call it {name}_, or by a word that says what it holds")


def unknown_types(cls: type[BaseModel]) -> Iterator[Problem]:
    """The fields of a template whose types pydantic does not know, each asked alone."""
    for name, info in cls.__pydantic_fields__.items():
        try:
            TypeAdapter(info.rebuild_annotation())
        except PydanticSchemaGenerationError:
            written = annotation_text(info.annotation)
            problem = Problem(
                f"{cls.__module__}.{cls.__qualname__}: {name} is of a type that no file could hold: {written}",
                expected="numbers, text, lists and mappings of such, sections, or a type that pydantic knows",
                fix="declare what it is made from (a path, a shape, a name), and make it where it is used",
            )
            yield from placed([problem], cls, name)
        except PydanticUserError as error:
            what = f"{cls.__module__}.{cls.__qualname__}: {name} is declared as {annotation_text(info.annotation)}"
            yield from placed([Problem(what, fix=_instead(error))], cls, name)


def _instead(error: PydanticUserError) -> str:
    """What to write instead of a type that pydantic knows and refuses."""
    if error.code == "typed-dict-version":
        return "declare a section, or import TypedDict from typing_extensions"
    return error.message.partition("\n")[0]


def refused_in_class(cls: type[BaseModel], reserved: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with a template, as far as its class alone can tell.

    Args:
        cls: The template.
        reserved: Names that mean something else on every template, and that no field may bear.
    """
    where = f"{cls.__module__}.{cls.__qualname__}"
    yield from placed([*_refused_validators(cls, where), *_refused_settings(cls, where)], cls)
    for name, info in cls.__pydantic_fields__.items():
        taken = [_taken(name, where)] if name in reserved else []
        yield from placed(
            chain(
                taken,
                _refused_as_key(name, info, where),
                _refused_function(name, info, where),
                _bare_marks(name, info.metadata, where),
            ),
            cls,
            name,
        )


def placed(problems: Iterable[Problem], cls: type[BaseModel], name: str = "") -> Iterator[Problem]:
    """Problems of a declaration, each with the line of the field or class; sources are read only if there are any."""
    for problem in problems:
        from typedcfg.template.descriptions import place_of

        yield replace(problem, where=place_of(cls, name))


def _refused_validators(cls: type[BaseModel], where: str) -> Iterator[Problem]:
    decorators = cls.__pydantic_decorators__
    for name, decorator in decorators.model_validators.items():
        if decorator.info.mode != "after":
            yield Problem(
                f"{where}: {name} is a model validator of mode {decorator.info.mode!r}, "
                "which sees settings before they are merged",
                fix='use mode="after", a field validator, or derived(...)',
            )
    for name in decorators.computed_fields:
        yield Problem(
            f"{where}: {name} is a computed field, which no file could set and no formula read",
            fix="use derived(...)",
        )


def _refused_settings(cls: type[BaseModel], where: str) -> Iterator[Problem]:
    extra = cls.model_config.get("extra")
    if extra != "forbid":
        yield Problem(f"{where}: extra={extra!r} would let a typo pass", fix="declare a dict field for free keys")
    if not cls.model_config.get("frozen"):
        yield Problem(
            f"{where}: frozen=False would let a configuration change under its identity", fix="leave `frozen` alone"
        )


def _refused_as_key(name: str, info: FieldInfo, where: str) -> Iterator[Problem]:
    aliases = [a for a in (info.validation_alias, info.alias, info.serialization_alias) if a is not None]
    if aliases:
        old = f'"{aliases[0]}"' if isinstance(aliases[0], str) else "..."
        yield Problem(f"{where}: {name} has an alias", fix=f"use Annotated[..., RenamedFrom({old})]")
    if name.startswith("__") or "$" in name:
        yield Problem(f"{where}: {name!r} cannot be written as a key", fix="use a plain name")


def _refused_function(name: str, info: FieldInfo, where: str) -> Iterator[Problem]:
    formula: object = info.default.function if isinstance(info.default, Derived) else None
    if formula is not None and not callable(formula):
        yield Problem(
            f"{where}: the formula of {name} is {shorten(repr(formula))}, which is no function",
            expected="a function of the section",
            fix="derived(lambda c: c.y * 2); in a file it is a text: ${y * 2}",
        )


def _bare_marks(name: str, metadata: Iterable[object], where: str) -> Iterator[Problem]:
    """Marks of which only the class was written: nothing would look at them."""
    for mark in metadata:
        if isinstance(mark, type) and issubclass(mark, Mark):
            yield Problem(
                f"{where}: {name} is marked with the class {mark.__name__}, which marks nothing",
                fix=f"write {mark.example}",
            )


def refused_in_fields(entries: Iterable["Entry"]) -> Iterator[Problem]:
    """What is wrong with the fields of one template, once every type is known."""
    held = {entry.name: entry for entry in entries}
    owners: dict[str, Entry] = {}  # of the old names
    for entry in held.values():
        where = f"{entry.template.__qualname__}.{entry.name}"
        found = chain(
            _bare_marks(entry.name, _metadata(entry.info), entry.template.__qualname__),
            _lost_marks(entry, where),
            _refused_formula(entry, where),
            _refused_old_names(entry, where),
            _refused_twice(entry, where, held, owners),
        )
        yield from placed(found, entry.template, entry.name)


def _metadata(info: FieldInfo) -> Iterator[object]:
    """Whatever a field's type is annotated with, in whichever part of it."""
    yield from info.metadata
    for part in iter_types(info.annotation):
        yield from getattr(part, "__metadata__", ())


def _refused_old_names(entry: "Entry", where: str) -> Iterator[Problem]:
    for old in entry.old_names:
        if (what := _not_a_name(old)) is not None:
            yield Problem(
                f"{where}: RenamedFrom({old!r}) {what}",
                expected="a name beside the field, or a dotted key path from the top",
                fix='RenamedFrom("bs", "data.loader.bs")',
            )


def _lost_marks(entry: "Entry", where: str) -> Iterator[Problem]:
    """Marks that stand inside a union, a list or an alias: pydantic does not bring them to the field."""
    annotation = resolve_alias(entry.info.annotation)
    for part in iter_types(annotation):
        lost = [mark for mark in getattr(part, "__metadata__", ()) if isinstance(mark, Mark)]
        if lost:
            marks = ", ".join(map(repr, lost))
            yield Problem(
                f"{where}: {marks} stands inside another type, where it does not reach the field",
                fix=f"write Annotated[{annotation_text(annotation, without=Mark)}, {marks}]: around the whole type",
            )


def _refused_formula(entry: "Entry", where: str) -> Iterator[Problem]:
    if entry.derived is None:
        return
    if not entry.is_leaf:
        yield Problem(
            f"{where}: a formula cannot make a section: which keys there are is decided before any value is known",
            fix="write section(...), and give its fields formulas",
        )
    elif entry.is_kind:
        yield Problem(
            f"{where}: a formula cannot choose a variant: which keys there are is decided before any value is known",
            fix="give the kind its literal as the default",
        )


def _not_a_name(old: object) -> str | None:
    """Why a text cannot have been a field's name; None if it can."""
    try:
        path = parse_key_path(old) if isinstance(old, str) else ()
    except KeyPathError:
        path = ()
    if not path:
        return "is no key path"
    return "leads into a list" if any(isinstance(step, int) for step in path) else None


def _refused_twice(
    entry: "Entry", where: str, held: dict[str, "Entry"], owners: dict[str, "Entry"]
) -> Iterator[Problem]:
    """Names that two fields of one template claim: a file that uses one, or an identity, could mean either."""
    for position, old in enumerate(entry.old_names):
        other = owners.setdefault(old, entry)
        # A field may take over the present name that another gave up, but not the name that it is identified by.
        beside = held.get(old)
        if other is entry and position == 0 and beside is not None and not beside.old_names:
            other = beside
        if other is not entry:
            yield Problem(
                f"{where}: {old!r} is also a name of {other.template.__qualname__}.{other.name}",
                expected="one field for each name that a file or an identity knows",
                fix=f"take it out of one RenamedFrom, or give {other.name} the first name that it had itself",
            )
