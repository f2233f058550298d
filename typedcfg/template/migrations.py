"""Migrations: how values that an older schema wrote become those that today's reads.

A schema grows without them by `RenamedFrom` and `AddedIn`. A migration is for what these cannot say: two fields
that became one, a unit that changed, a list that became a mapping. The version of a template's schema is one more
than the migrations that lead to it, so that nobody has to keep a number up to date.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

from typedcfg.errors import Problem, TemplateError
from typedcfg.origin import Origin, in_code
from typedcfg.template.base import ConfigTemplate

Values: TypeAlias = dict[str, Any]
"""The values of a saved file: plain dicts, lists, texts, numbers, truth values and None."""

F = TypeVar("F", bound=Callable[[Values], Values])


class Migration(NamedTuple):
    """One step from a version of a template's schema to the next."""

    from_version: int
    function: Callable[[Values], Values]

    @property
    def name(self) -> str:
        """The function's own."""
        return getattr(self.function, "__qualname__", repr(self.function)).rpartition("<locals>.")[2]

    @property
    def origin(self) -> Origin:
        """Where the function was written."""
        code = getattr(self.function, "__code__", None)
        return Origin(self.name) if code is None else in_code(code.co_filename, code.co_firstlineno)

    def __str__(self) -> str:
        """The step in a few words.

        Example:
            >>> def widen(values: Values) -> Values:
            ...     return values
            >>> str(Migration(1, widen))
            'widen (1 -> 2)'
        """
        return f"{self.name} ({self.from_version} -> {self.from_version + 1})"


def migrates(template: type[ConfigTemplate], *, from_version: int) -> Callable[[F], F]:
    """Declare how a saved configuration of one version of a template's schema becomes one of the next.

    A saved configuration, such as the `run.yaml` of a run, bears the version that wrote it. Where that is older than
    the template's, its migrations are applied one after the other, before anything else looks at the values.

    Args:
        template: What the saved configuration is of, as a whole; sections have no versions of their own.
        from_version: The version that the function reads; the first is 1. It returns what the next one reads.

    Returns:
        A decorator for a pure function of the saved values, a dict of dicts. It may change what it is given, which
        is a copy, and returns it.

    Raises:
        TemplateError: There is no such version, or another function migrates from it already.

    Example:
        >>> class Params(ConfigTemplate):
        ...     warmup_s: float = 60.0
        >>> @migrates(Params, from_version=1)
        ... def count_in_seconds(values: Values) -> Values:
        ...     values["warmup_s"] = 60 * values.pop("warmup_min")
        ...     return values
        >>> schema_version(Params)
        2
    """
    _check(template, from_version)

    def declare(function: F) -> F:
        _add(template, Migration(from_version, function))
        return function

    return declare


def migrations_of(template: type[ConfigTemplate]) -> tuple[Migration, ...]:
    """The chain of a template's migrations, from version 1 on.

    Raises:
        TemplateError: A version in between is migrated by none.
    """
    declared = _declared(template)
    chain = tuple(declared[version] for version in sorted(declared))
    missing = next((version for version, one in enumerate(chain, 1) if one.from_version != version), None)
    if missing is not None:
        raise TemplateError(
            Problem(
                f"no migration of {template.__qualname__} leads from version {missing} to {missing + 1}",
                where="\n".join(f"{one} at {one.origin}" for one in chain),
                expected="a chain without gaps, from version 1 on",
                fix=f"declare one: @migrates({template.__qualname__}, from_version={missing})",
            )
        )
    return chain


def schema_version(template: type[ConfigTemplate]) -> int:
    """The version of a template's schema: what a file that is saved today bears as `$version`.

    Raises:
        TemplateError: Its migrations are no chain.
    """
    return 1 + len(migrations_of(template))


def _check(template: object, from_version: object) -> None:
    """Refuse arguments that stand in the wrong place."""
    if not (isinstance(template, type) and issubclass(template, ConfigTemplate)):
        what = f"migrates() is given {template!r}, which is no ConfigTemplate"
        raise TemplateError(Problem(what, fix="@migrates(Digits, from_version=1)"))
    if type(from_version) is not int or from_version < 1:
        what = f"there is no version {from_version!r} of {template.__qualname__} to migrate from"
        raise TemplateError(Problem(what, expected="a whole number; the first version is 1"))


def _declared(template: type[ConfigTemplate]) -> dict[int, Migration]:
    """A class's own: what derives from it is saved with other fields, and has a schema of its own."""
    declared: dict[int, Migration] = template.__dict__.get("__typedcfg_migrations__", {})
    return declared


def _add(template: type[ConfigTemplate], migration: Migration) -> None:
    declared = _declared(template)
    twin = declared.get(migration.from_version)
    # The same lines once more are a module that was reloaded.
    if twin is not None and twin.origin != migration.origin:
        raise TemplateError(
            Problem(
                f"{template.__qualname__} is migrated from version {migration.from_version} "
                f"by both {twin.name} and {migration.name}",
                where=f"{twin.origin}\n{migration.origin}",
                expected="one migration from each version",
                fix=f"let the later one migrate from version {max(declared) + 1}",
            )
        )
    # On the class, as its catalog is: what knows of the class knows its migrations, and they go when it goes.
    type.__setattr__(template, "__typedcfg_migrations__", {**declared, migration.from_version: migration})
