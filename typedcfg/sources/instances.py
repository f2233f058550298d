"""Sections that exist already, as settings: a default instance, a preset, `section.to_config()`."""

from collections.abc import Mapping
from typing import Any

from typedcfg.origin import Origin
from typedcfg.sources.base import REFERENCE_MARK, Branch, Whole, branch_from
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import catalog_of
from typedcfg.template.derived import SectionDefault
from typedcfg.template.nodes import SectionNode, VariantsNode
from typedcfg.template.variants import KIND, kinds_of


def branch_from_instance(instance: ConfigTemplate | SectionDefault, origin: Origin) -> Branch:
    """What was set explicitly in an instance, and its kind: the rest is the template's own default."""
    return branch_from(explicit_settings(instance), origin)


def explicit_settings(value: Any) -> Any:
    """A value with every instance in it as the mapping of what was set explicitly, and its texts taken literally.

    A tuple of sections becomes a list, as a file would have it; any other stays one value.
    """
    if isinstance(value, SectionDefault):
        return _with_kind(value.template, value.settings)
    if isinstance(value, ConfigTemplate):
        known = value.__dict__
        return _with_kind(type(value), {n: known[n] for n in value.model_fields_set if n in known})
    if isinstance(value, str):
        # A text in an instance is a value that was validated, not a document in which to look for references.
        return value.replace(REFERENCE_MARK, f"${REFERENCE_MARK}") if type(value) is str else value
    if isinstance(value, list) or (isinstance(value, tuple) and any(isinstance(v, ConfigTemplate) for v in value)):
        return [explicit_settings(item) for item in value]
    if isinstance(value, Mapping):
        return Whole((key, explicit_settings(item)) for key, item in value.items())
    return value


def _with_kind(template: type[ConfigTemplate], settings: Mapping[str, object]) -> dict[str, object]:
    kinds = kinds_of(template)
    plain = {name: explicit_settings(value) for name, value in settings.items()}
    for entry in catalog_of(template).branching:
        # A mapping given for a section is not all there is to be: its other keys have defaults.
        if isinstance(entry.node, (SectionNode, VariantsNode)) and isinstance(plain.get(entry.name), Whole):
            plain[entry.name] = dict(plain[entry.name])
    return {KIND: kinds[0], **plain} if kinds else plain
