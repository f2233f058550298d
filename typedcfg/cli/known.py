"""What help and lists of keys are told beside the template: names of variables, and the values of a configuration."""

from typing import Any

from typedcfg.compiler.config import Config
from typedcfg.compiler.shown import shown
from typedcfg.key_path import KeyPath, render_key_path, render_step
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.catalog import Entry
from typedcfg.template.help_tree import Known, Value
from typedcfg.template.leaves import iter_leaves


def known_of(prefix: str, config: Config[Any] | None = None) -> Known:
    """What is known with a prefix of variables, and the configuration that was made if one was asked for.

    Values that nobody set are left out: the default that help tells is what counts.
    """
    values: dict[tuple[str, Entry], list[Value]] = {}
    kinds: dict[str, list[Value]] = {}
    for leaf in iter_leaves(config.params) if config is not None else ():
        assert config is not None, "it has leaves"
        key = render_key_path(leaf.path)
        origin = config.origin(key)
        value = Value(key, shown(leaf.value, is_secret=leaf.entry.is_secret), _without_formula(origin))
        if leaf.entry.is_kind:
            kinds.setdefault(place_of(config.params, leaf.path[:-1]), []).append(value)
        if origin != "default":
            values.setdefault((place_of(config.params, leaf.path), leaf.entry), []).append(value)
    return Known(prefix, values, kinds)


def _without_formula(origin: str) -> str:
    """Where a derived value's inputs come from: the formula stands in help already."""
    formula, arrow, inputs = origin.rpartition(" <- ")
    return f"derived{arrow}{inputs}" if formula.startswith("derived: ") else origin


def place_of(section: ConfigTemplate, path: KeyPath) -> str:
    """A key as help writes it, for whatever positions and names there are: `layers[i].width`.

    Example:
        >>> class Layer(ConfigTemplate):
        ...     width: int = 8
        >>> class Net(ConfigTemplate):
        ...     layers: list[Layer] = [Layer()]
        >>> place_of(Net(), ("layers", 0, "width"))
        'layers[i].width'
    """
    held: object = section
    text = ""
    for step in path:
        if isinstance(held, ConfigTemplate):
            text += render_step(step)
            held = getattr(held, str(step))
        else:
            text += "[i]" if isinstance(step, int) else '["name"]'
            held = held[step]  # type: ignore[index]  # a list or dict of sections, for a path leads on
    return text.removeprefix(".")
