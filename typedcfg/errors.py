"""Everything that can go wrong, by what a caller may want to catch.

TypedcfgError
├── ConfigError            configuration is wrong: files, variables, arguments, values (all problems at once)
│   └── AppError           the APP that a command was given cannot be loaded
├── TemplateError          a section is declared wrongly; raised where the class is made or first used
├── MissingKey             a configuration is asked for a key that it does not have (also a KeyError)
├── Pending                a derived value is read before it was evaluated
├── Frozen                 something frozen is assigned to (also a TypeError)
├── UnsupportedValue       a value has no canonical text, and so no identity (also a TypeError)
├── RecordError            a record on disk cannot be read or written
│   └── DamagedRecord      a record is there, and holds something else: it is empty, cut short, or was changed
└── RunError               a run cannot start, go on or be found
    ├── RunOwned           another process owns the run
    ├── RunDone            the run came to its end before, and nobody asked to train it again
    ├── RunFailed          the training itself came to a bad end
    └── ResumeRefused      the run was recorded under a configuration that means something else, or other code

DeprecatedName             a warning: a name that still works is on its way out
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from typedcfg.text import count, printable


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with all a reader needs to put it right.

    Example:
        >>> print(Problem("unknown key 'optimizer.lrr'", where="base.yaml:12:3", suggestion="optimizer.lr"))
        unknown key 'optimizer.lrr'
          at            base.yaml:12:3
          did you mean  optimizer.lr
    """

    what: str
    """What happened, with the value; never a secret's."""
    where: str = ""
    """`file:line:column`, a variable, an argument."""
    expected: str = ""
    suggestion: str | None = None
    fix: str = ""

    def __str__(self) -> str:
        rows = {"at": self.where, "expected": self.expected, "did you mean": self.suggestion, "fix": self.fix}
        body = []
        for label, text in rows.items():
            if text:
                first, *rest = text.splitlines()
                body += [f"  {label:<12}  {first}", *(f"{'':16}{line}" for line in rest)]
        return printable("\n".join([self.what, *body]))


class TypedcfgError(Exception):
    """The root of all errors that typedcfg raises on purpose."""

    exit_code: ClassVar[int] = 2
    """What a command exits with when this error ends it."""

    def __init__(self, *problems: Problem | str) -> None:
        """Carry what is wrong; a bare sentence is a problem with nothing to add."""
        self.problems = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        super().__init__(*problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self.problems


class ConfigError(TypedcfgError):
    """Configuration that cannot be compiled; `problems` holds every one found, in the order of the sources."""

    def __init__(self, *problems: Problem | str) -> None:
        """Collect problems; two with one text are one problem."""
        super().__init__(*dict.fromkeys(problems))

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        return "\n\n".join([f"{count(len(self.problems), 'problem')} in the configuration", *map(str, self.problems)])

    @classmethod
    def raise_any(cls, problems: Iterable[Problem]) -> None:
        """Raise if there are problems.

        Raises:
            ConfigError: With all of them.
        """
        if found := tuple(problems):
            raise cls(*found)


class AppError(ConfigError):
    """The APP named on a command line is no `path.py:Class` or `package.module:Class` that can be loaded."""


class TemplateError(TypedcfgError):
    """A `ConfigTemplate` is declared in a way that could not keep its promises."""


class MissingKey(TypedcfgError, KeyError):
    """A configuration has no such key."""

    __str__ = TypedcfgError.__str__


class Pending(TypedcfgError):
    """A derived value is read from an instance that was never compiled; not an AttributeError on purpose.

    `getattr(section, name, default)` and `hasattr` would swallow an AttributeError, and a value that is only
    not known *yet* would pass for one that does not exist.
    """


class Frozen(TypedcfgError, TypeError):
    """Something that is frozen is assigned to."""


class UnsupportedValue(TypedcfgError, TypeError):
    """A value has no canonical text, and so is part of no identity; or no text that gives it back from a file."""


class RecordError(TypedcfgError):
    """A record on disk cannot be read or written."""

    exit_code = 1


class DamagedRecord(RecordError):
    """A record is there, and holds something else: it is empty, cut short, or was changed."""


class RunError(TypedcfgError):
    """A run cannot start, go on or be found."""


class RunOwned(RunError):
    """Another live process owns the run."""

    exit_code = 3


class RunDone(RunError):
    """The run came to its end before: there is nothing left to do, which is no failure."""

    exit_code = 0


class RunFailed(RunError):
    """A training came to a bad end: an error in it, or a kill of one of its processes."""

    exit_code = 1


class ResumeRefused(RunError):
    """The run was recorded under a configuration with another meaning, or is to begin from nothing with other code."""


class DeprecatedName(FutureWarning):
    """A setting uses a name that still works and is on its way out; shown to users, not only to developers."""
