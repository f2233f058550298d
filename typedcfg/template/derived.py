"""Derived values and section defaults: what may stand to the right of `=` in a template, beside a plain value."""

from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import Field

from typedcfg.origin import Origin, in_code

Root = TypeVar("Root")
S = TypeVar("S")


VIEW_WORDS: Final = ("root", "parent")
"""What a view has beside the keys of its section."""


class View(Generic[Root]):
    """What a formula sees: the section it stands in, by attribute, with values already validated.

    `c.name` is a value or a view of a section beside, `c.parent` the section above, `c.root` the whole
    configuration. `def lr(c: View["Digits"]) -> float` lets a type checker follow `c.root`.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def root(self) -> Root:
            """The whole configuration."""

        @property
        def parent(self) -> Any:
            """The section that holds this one."""

        def __getattr__(self, name: str) -> Any: ...


class Derived:
    """A formula that stands for a default; compile evaluates it on validated values."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[View[Any]], object]) -> None:
        """Hold a pure function of one view."""
        self.function: Final = function

    def __copy__(self) -> "Derived":
        return self

    def __deepcopy__(self, memo: object) -> "Derived":
        # pydantic copies defaults for every instance; a formula is one thing.
        return self

    @property
    def formula(self) -> str:
        """The formula's own text, as it was written; its name where the source is gone."""
        return formula_text(self.function)

    @property
    def origin(self) -> Origin:
        """Where the formula was written."""
        code = getattr(self.function, "__code__", None)
        if not isinstance(code, CodeType):
            return Origin(f"formula {self.formula}")
        return in_code(code.co_filename, code.co_firstlineno)

    def __repr__(self) -> str:
        return f"derived({self.formula})"


def derived(function: Callable[[Any], Any]) -> Any:
    """A default computed from other values.

    Compile calls the function with a `View` of the section that it stands in, once the values that it reads are
    validated; the order finds itself. Its result goes through the field's own validation. A value that a file,
    variable or argument gives stands instead, and `explain` shows both.

    Args:
        function: Pure; may be called more than once. It reads values (`c.root.loader.batch_size`) and returns one;
            it cannot return a section or choose a `kind`.

    Returns:
        What a class body assigns to a field; its type is the field's.

    Example:
        >>> from typedcfg import ConfigTemplate
        >>> class Schedule(ConfigTemplate):
        ...     epochs: int = 10
        ...     warmup: int = derived(lambda c: c.epochs // 10)
        >>> Schedule(epochs=50).to_config().warmup
        5
    """
    return Field(default=Derived(function), validate_default=False)


class SectionDefault:
    """A section with some settings, built only when somebody needs the instance."""

    __slots__ = ("settings", "template")

    def __init__(self, template: type[Any], settings: dict[str, object]) -> None:
        """Hold the class and what to call it with."""
        self.template: Final = template
        self.settings: Final = settings

    def __call__(self) -> Any:
        """The instance."""
        return self.template(**self.settings)


def section(template: type[S], /, **settings: Any) -> S:
    """A section as a field's default: the variant to start from, or settings over the section's own defaults.

    The instance is built when first needed, so that declaring costs nothing. A value that a file sets below it
    leaves the other settings in place.

    Example:
        >>> from typedcfg import ConfigTemplate
        >>> class Loader(ConfigTemplate):
        ...     batch_size: int = 128
        ...     num_workers: int = 2
        >>> class Params(ConfigTemplate):
        ...     loader: Loader = section(Loader, batch_size=64)
        >>> Params.compile(overrides=["loader.num_workers=0"]).plain()
        {'loader': {'batch_size': 64, 'num_workers': 0}}
    """
    return Field(default_factory=SectionDefault(template, settings))  # type: ignore[no-any-return]  # a field's default is typed as the field


def formula_text(function: Callable[..., object]) -> str:
    """The text of a function's body, cut out of its source by the positions in its code.

    Positions rather than the line that holds the function: two lambdas may share a line, and one may take three.
    """
    code = getattr(function, "__code__", None)
    name = getattr(function, "__name__", type(function).__name__)
    if not isinstance(code, CodeType):
        return str(name)
    if name != "<lambda>":
        return f"{name}(c)"
    from linecache import getlines

    lines = getlines(code.co_filename)
    spots = [p for p in code.co_positions() if None not in p and p[2:] != (0, 0)]
    if not lines or not spots:
        return f"{name} in {code.co_filename}:{code.co_firstlineno}"
    start = min((line, column) for line, _, column, _ in spots if line is not None and column is not None)
    end = max((line, column) for _, line, _, column in spots if line is not None and column is not None)
    return _cut(lines, start, end)


def _cut(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text between two positions, on one line; columns count UTF-8 bytes, as the compiler counts."""
    taken = [line.encode() for line in lines[start[0] - 1 : end[0]]]
    taken[-1] = taken[-1][: end[1]]
    taken[0] = taken[0][start[1] :]
    return " ".join(b"".join(taken).decode(errors="replace").split())
