"""Annotations: what a type is built from, and how one would write it."""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin


def resolve_alias(annotation: Any) -> Any:
    """What an alias stands for; any other annotation as it is.

    Aliases are known by what they hold: `type X = ...` and `typing_extensions.TypeAliasType` make two classes of
    them on Python 3.12 and 3.13.
    """
    while hasattr(annotation, "__value__"):
        annotation = annotation.__value__
    return annotation


def is_union(annotation: Any) -> bool:
    """Whether a type is `A | B`, however it was written."""
    return get_origin(annotation) in (Union, UnionType)


def iter_types(annotation: Any) -> Iterator[Any]:
    """An annotation and everything that it is built from, aliases resolved; a literal's values are no types."""
    return _iter_types(annotation, set())


def _iter_types(annotation: Any, seen: set[int]) -> Iterator[Any]:
    if hasattr(annotation, "__value__"):
        # An alias may hold itself: type Json = list[Json] | dict[str, Json] | str
        if id(annotation) in seen:
            return
        seen.add(id(annotation))
        annotation = resolve_alias(annotation)
    yield annotation
    if get_origin(annotation) is Annotated:
        yield from _iter_types(get_args(annotation)[0], seen)
    elif get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _iter_types(argument, seen)


def annotation_text(annotation: Any, *, without: type = NoneType) -> str:
    """An annotation as one would write it.

    Args:
        annotation: Any type.
        without: Leave the marks of this class out.

    Example:
        >>> from typing import Optional
        >>> annotation_text(Optional[Annotated[list[int], "a mark"]])
        "Annotated[list[int], 'a mark'] | None"
        >>> annotation_text(Optional[Annotated[list[int], "a mark"]], without=str)
        'list[int] | None'
    """
    if hasattr(annotation, "__value__") or (isinstance(annotation, type) and not get_args(annotation)):
        return "None" if annotation is NoneType else str(annotation.__name__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = annotation_text(arguments[0], without=without)
        kept = [repr(mark) for mark in arguments[1:] if not isinstance(mark, without)]
        return f"Annotated[{', '.join([inner, *kept])}]" if kept else inner
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    texts = ["..." if part is Ellipsis else annotation_text(part, without=without) for part in arguments]
    if is_union(annotation):
        return " | ".join(texts)
    return f"{annotation_text(origin)}[{', '.join(texts)}]" if origin and texts else str(annotation)
