"""Sections that exist already, as settings: a default instance, a preset, `section.to_config()`."""

from collections.abc import Mapping
from typing import Any

from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Whole, branch_from
from typedcfg.sources.escapes import literal
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.template.derived import SectionDefault
from typedcfg.template.nodes import SectionNode, VariantsNode
from typedcfg.template.variants import KIND, kinds_of
from typedcfg.text import listed


def branch_from_instance(instance: ConfigTemplate | SectionDefault, origin: Origin) -> Branch:
    """What was set explicitly in an instance, and its kind: the rest is the template's own default."""
    return branch_from(explicit_settings(instance), origin)


def explicit_settings(value: Any, *, is_free: bool = False, path: KeyPath = ()) -> Any:
    """A value with every instance in it as the mapping of what was set explicitly, and its texts taken literally.

    A tuple of sections becomes a list, as a file would have it; any other stays one value.

    Args:
        value: What a field holds, or is to hold.
        is_free: Whether no template says what belongs there: an instance is then the mapping of all its values.
        path: Where it stands, for messages.

    Raises:
        ConfigError: An instance in a free place has formulas that nobody has worked out.
    """
    if isinstance(value, (SectionDefault, ConfigTemplate)):
        return whole_section(value, path) if is_free else _explicit(value, path)
    if isinstance(value, str):
        # A text in an instance is a value that was validated, not a document in which to look for references.
        return literal(value) if type(value) is str else value
    if isinstance(value, list) or (isinstance(value, tuple) and any(isinstance(v, ConfigTemplate) for v in value)):
        return [explicit_settings(item, is_free=is_free, path=(*path, at)) for at, item in enumerate(value)]
    if isinstance(value, Mapping):
        return Whole((k, explicit_settings(v, is_free=is_free, path=(*path, str(k)))) for k, v in value.items())
    return value


def whole_section(section: ConfigTemplate | SectionDefault, path: KeyPath) -> Whole:
    """All values of a section, for a place where no template would give the rest.

    Raises:
        ConfigError: It has formulas that nobody has worked out.
    """
    section = section.template(**section.settings) if isinstance(section, SectionDefault) else section
    name, known = type(section).__qualname__, section.__dict__
    unknown = [key for key in catalog_of(type(section)).entries if key not in known]
    if unknown:
        raise ConfigError(
            Problem(
                f"{render_key_path(path)} takes values, and {name}(...) has none for {listed(unknown)} yet",
                expected="values, or a section that was compiled",
                fix=f"put {name}(...).to_config() there",
            )
        )
    keys = catalog_of(type(section)).entries
    return Whole((key, explicit_settings(known[key], is_free=True, path=(*path, key))) for key in keys)


def _explicit(instance: ConfigTemplate | SectionDefault, path: KeyPath) -> dict[str, object]:
    if isinstance(instance, SectionDefault):
        template, settings = instance.template, dict(instance.settings)
    else:
        template, known = type(instance), instance.__dict__
        settings = {n: known[n] for n in instance.model_fields_set if n in known}
    kinds, entries = kinds_of(template), catalog_of(template).entries
    plain: dict[str, object] = {KIND: kinds[0]} if kinds else {}
    for name, value in settings.items():
        entry = entries.get(name)
        is_free = entry is not None and entry.is_leaf
        plain[name] = explicit_settings(value, is_free=is_free, path=(*path, name))
        if entry is not None and isinstance(entry.node, (SectionNode, VariantsNode)) and isinstance(plain[name], Whole):
            # A mapping given for a section is not all there is to be: its other keys have defaults.
            plain[name] = dict(plain[name])  # type: ignore[call-overload]  # a mapping, as was just seen
    return plain
