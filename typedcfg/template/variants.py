"""Variants: the `kind` by which one of several templates is chosen."""

from typing import Final, Literal, get_args, get_origin

from pydantic import BaseModel

from typedcfg.template.marks import Kind

KIND: Final = "kind"
"""The key that chooses a variant."""


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
