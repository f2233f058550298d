"""Free templates: a configuration whose keys are known and whose values may be anything.

What is no template of ours, another library's settings, or none at all, is compiled by the same rules over one: each
top-level key is a free value, list or mapping, in which keys can be set, referred to and taken back one by one.
"""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from types import new_class
from typing import Any, Final, Self, TypeAlias, Union

from pydantic import GetCoreSchemaHandler, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry, catalog_of


class Held(Enum):
    """What may stand under a key."""

    ANYTHING = "anything"
    SECRETS = "anything, of which no message shows anything"


Keys: TypeAlias = Mapping[str, "Held | Keys"]
"""What may stand under each key: values, or a section of more keys."""

_BODY: Final = {"__module__": __name__, "__doc__": "Anything."}


def free_template(name: str, keys: Keys) -> type[ConfigTemplate]:
    """A template that takes anything under each of some keys, made once for each set of them.

    Args:
        name: What messages call it.
        keys: Any texts, also those that a declared template refuses as names of fields.

    Example:
        >>> anything = free_template("Anything", {"lr": Held.ANYTHING, "steps": Held.ANYTHING})
        >>> anything.compile(presets=[{"lr": 1, "steps": {"a": "${lr}"}}])["steps.a"]
        1
    """
    return _made(name, tuple((key, held if isinstance(held, Held) else _Section(held)) for key, held in keys.items()))


class _Section(tuple[tuple[str, Any], ...]):
    """Keys that can be looked up in a cache."""

    __slots__ = ()

    def __new__(cls, keys: Keys) -> Self:
        return super().__new__(cls, tuple((k, h if isinstance(h, Held) else _Section(h)) for k, h in keys.items()))


@lru_cache(maxsize=64)
def _made(name: str, keys: tuple[tuple[str, "Held | _Section"], ...]) -> type[ConfigTemplate]:
    made: type[ConfigTemplate] = new_class(name, (ConfigTemplate,), exec_body=lambda body: body.update(_BODY))
    # Put in place of declared ones: a declaration could not have every key that a file can.
    made.__pydantic_fields__ = {key: _field(name, held) for key, held in keys}
    made.model_rebuild(force=True)
    entries = catalog_of(made).entries
    entries.update({n: _FreeEntry(made, n, entry.info) for n, entry in entries.items() if entry.is_leaf})
    return made


def _field(name: str, held: "Held | _Section") -> FieldInfo:
    if isinstance(held, _Section):
        return FieldInfo(annotation=_made(name, held))
    annotation: Any = Union[_Hidden, Any] if held is Held.SECRETS else Any  # noqa: UP007  # `|` does not know Any
    return FieldInfo(annotation=annotation, default=None)


class _Hidden(SecretStr):
    """Any value at all, which no message shows."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()


class _FreeEntry(Entry):
    """A key that is absent where nobody sets it; pydantic is told a default, and nobody else."""

    mappings_are_sections = True

    @property
    def has_default(self) -> bool:
        """None that anybody declared."""
        return False
