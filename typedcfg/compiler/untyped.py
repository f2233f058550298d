# ruff: noqa: SLF001  # a section looks into another of its kind
"""Untyped: a frozen configuration without a template, of which nothing is known but its values and where they stood."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn

from typedcfg.compiler.config import Config
from typedcfg.compiler.drafts.caller import line_of_caller
from typedcfg.compiler.merge import Contribution, at_root, below, standing
from typedcfg.compiler.precedence import MERGED, MERGED_BELOW, rule_between
from typedcfg.compiler.shown import shown
from typedcfg.errors import ConfigError, Problem
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import MOST_LEVELS, Branch, Layer, branch_from, endless
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.frozen import freeze, thaw
from typedcfg.text import an, nearest

if TYPE_CHECKING:
    from os import PathLike

    from typedcfg.compiler.drafts.draft import Draft
    from typedcfg.identity.fingerprint import Fingerprint
    from typedcfg.identity.run_identity import RunIdentity

_STRENGTH: Final = "presets"
"""Settings in code."""


class UntypedConfig(Config[Any]):
    """Values by attribute, item and key path, frozen; texts stay as they are, and nothing is converted.

    Example:
        >>> config = Config.from_dict({"loader": {"batch_size": 128}, "lr": 0.1})
        >>> config.loader.batch_size, config["loader.batch_size"], config.get("loader.workers", 0)
        (128, 128, 0)
    """

    def __init__(self, layers: Sequence[Layer], *, path: KeyPath = ()) -> None:
        """Hold what was set, weakest first.

        Raises:
            UnsupportedValue: A value has no canonical text.
        """
        self.__dict__.update(_layers=tuple(layers), _path=path, _said=_at(layers, path))
        self.__dict__["_values"] = freeze(_merged(self._said))
        # A value without a text would have no fingerprint, and could not be compared: refused now, with its key.
        self.__dict__["_text"] = self._canonical_text()

    # --- reading ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """A key's value; the names of verbs are reached by item only."""
        values = self.__dict__.get("_values", {})
        if name == "params":
            raise AttributeError("a configuration without a template has no params", name=name, obj=self)
        if name.startswith("_") or name not in values:
            near = nearest(name, values)
            hint = f"; did you mean {near!r}?" if near else ""
            raise AttributeError(f"the configuration has no key {name!r}{hint}", name=name, obj=self)
        value = self._at((name,))
        self.__dict__[name] = value
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _parse(self, key: str) -> KeyPath:
        """What an item means: a key if there is one of that name, else a key path."""
        return (key,) if key in self.__dict__["_values"] else super()._parse(key)

    def _at(self, path: KeyPath) -> Any:
        value: Any = self._values
        for depth, step in enumerate(path):
            try:
                value = value[step]
            except (LookupError, TypeError):
                names = map(str, value) if isinstance(value, Mapping) else ()
                raise self._missing(path, depth, names) from None
        is_section = isinstance(value, Mapping) and all(isinstance(step, str) for step in path)
        return self._section(path) if path and is_section else value

    def _section(self, path: KeyPath) -> "UntypedConfig":
        return UntypedConfig(self._layers, path=(*self._path, *path))

    def walk(self) -> "Iterator[tuple[str, Config[Any]]]":
        """Every mapping with its key path, each before those within it; the configuration itself comes first."""
        yield "", self
        for key in self:
            inner = self._at((key,))
            if isinstance(inner, UntypedConfig):
                for path, section in inner.walk():
                    yield render_key_path((key, *(parse_key_path(path) if path else ()))), section

    def leaves(self) -> Iterator[tuple[str, Any]]:
        """Every value with its key path; a list is one, and so is a mapping that is empty."""
        return ((render_key_path(path), value) for path, value in _leaves(self._values, ()))

    # --- why --------------------------------------------------------------------------------------------------------

    def explain(self, key: str = "") -> str:
        """Where a value stands, and what was set before it; of a mapping, or without a key, every value in it.

        Raises:
            MissingKey: There is no such key.
        """
        path = self._parse(key) if key else ()
        value = self._at(path) if key else self
        if isinstance(value, UntypedConfig):
            rows = [(render_key_path((*path, *inner)), shown(leaf)) for inner, leaf in _leaves(value._values, ())]
            name, width = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
            lines = [f"  {name_:<{name}} = {text:<{width}}  {self.origin(name_)}" for name_, text in rows]
            return "\n".join([f"{key or 'the configuration'}: untyped", *lines])
        return self._explain_value(path, value)

    def _explain_value(self, path: KeyPath, value: object) -> str:
        live, fallen, _ = standing(self._said_at(path))
        said = [*reversed(live), *(one.contribution for one in reversed(fallen))]
        rule = rule_between(said[0].layer, said[1].layer) if len(said) > 1 else "nothing else sets it"
        rows_ = [("wins" if one is said[0] else "over", shown(thaw(one.value)), str(one.origin)) for one in said]
        width = max(len(text) for _, text, _ in rows_)
        lines = [f"  {label:<9} {text:<{width}}  {origin}" for label, text, origin in rows_]
        return "\n".join([f"{render_key_path((*self._path, *path))} = {shown(value)}", *lines, f"  because   {rule}"])

    def origin(self, key: str) -> str:
        """Where a value stands.

        Raises:
            MissingKey: There is no such key.
        """
        path = self._parse(key)
        self._at(path)  # raises if there is no such key
        live = standing(self._said_at(path)).live
        return str(live[-1].origin) if live else ""

    def _said_at(self, path: KeyPath) -> list[Contribution]:
        """What was set for a key; of something in a list, for the list."""
        said: list[Contribution] = self._said
        for step in path:
            live = standing(said).live
            if isinstance(step, int) or not isinstance(live[-1].value, Branch):
                return live
            said = below(live, step)
        return said

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: without variants, no setting belongs to another one."""
        return ()

    def merge(
        self, other: "Config[Any] | Mapping[str, object] | ConfigTemplate", *, keep_existing: bool = False
    ) -> "Config[Any]":
        """A new configuration in which another's values stand above these, or below; mappings merge key by key."""
        strength = MERGED_BELOW if keep_existing else MERGED
        if isinstance(other, UntypedConfig):
            theirs = other._layers_here()
        elif isinstance(other, (Config, Mapping)):
            theirs = [layer_of(other, line_of_caller())]
        else:
            what = f"{an(type(other).__name__)} cannot be merged with an untyped configuration"
            raise ConfigError(Problem(what, str(line_of_caller()), "a configuration or a mapping"))
        theirs = [replace(layer, strength=strength) for layer in theirs]
        ours = self._layers_here()
        return UntypedConfig([*theirs, *ours] if keep_existing else [*ours, *theirs])

    def _layers_here(self) -> list[Layer]:
        """What was set in this section, as if it were the whole."""
        said = standing(self._said).live
        return [replace(c.layer, roots=(c.value,)) for c in said if isinstance(c.value, Branch)]

    def unlock(self) -> "Draft":
        """A draft of the values."""
        from typedcfg.compiler.drafts.draft import Draft

        return Draft.from_dict(thaw(self._values))

    # --- identity ---------------------------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> "Fingerprint":
        """The hash of all values, marked `untyped`: which of them bear on an outcome is not known."""
        from typedcfg.identity.fingerprint import fingerprint_of

        return replace(fingerprint_of(self._text), is_untyped=True)

    @property
    def identity(self) -> "RunIdentity":
        """None.

        Raises:
            ConfigError: Always; a run needs a template.
        """
        self._refuse_identity()

    @cached_property
    def run_uuid(self) -> NoReturn:
        """None, as `identity`.

        Raises:
            ConfigError: Always.
        """
        self._refuse_identity()

    def _refuse_identity(self) -> NoReturn:
        raise ConfigError(
            Problem(
                "a configuration without a template is no run: nothing says which of its values bear on the outcome",
                fix="declare a ConfigTemplate and compile it; .fingerprint names the values as they are",
            )
        )

    def _canonical_text(self) -> str:
        from typedcfg.identity.canonical import canonical_text

        return canonical_text(_leaves(self._values, ()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Config):
            return NotImplemented
        return isinstance(other, UntypedConfig) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    # --- writing ----------------------------------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """The values as ordinary dicts and lists; what JSON has no word for as pydantic writes it."""
        from typedcfg.compiler.writing.plain import plain_values

        return plain_values(self._values)

    def to_yaml(self, *, origins: bool = False) -> str:
        """The values as YAML."""
        from typedcfg.sources.yaml_writer import write_yaml

        comments = {path: self.origin(render_key_path(path)) for path, _ in _leaves(self._values, ())}
        return write_yaml(self.plain(), comments=comments if origins else {})

    def to_python(self) -> str:
        """Python code that assigns an equal configuration to `config`.

        Raises:
            UnsupportedValue: A value cannot be written as Python.
        """
        from typedcfg.compiler.writing.python_text import mapping_to_python

        return mapping_to_python(thaw(self._values))

    def save(self, path: "str | PathLike[str]") -> None:
        """Write every value to a file; the suffix says the format, and `Config.load` reads it.

        All or nothing: what is written is read back and compared before it takes the place of what was there. A path
        or a tuple, which only a field's type could tell from a text or a list, is refused.

        Args:
            path: A file that ends in `.yaml`, `.json` or `.toml`.

        Raises:
            ConfigError: The suffix names no format.
            UnsupportedValue: A value would come back as another; each is named, and nothing is written.
            RecordError: The file cannot be written. What was there still is.
        """
        from typedcfg.compiler.writing.saving import save_untyped

        save_untyped(self, path)

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{key}={value!r}' for key, value in self.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self._layers, self._path)


def _unpickle(layers: Sequence[Layer], path: KeyPath) -> UntypedConfig:
    return UntypedConfig(layers, path=path)


def values_of(config: UntypedConfig) -> dict[str, Any]:
    """The values as they are, in ordinary containers."""
    values: dict[str, Any] = thaw(config._values)
    return values


def config_from(values: Mapping[str, Any], origin: Origin) -> UntypedConfig:
    """A configuration of a nested mapping.

    Raises:
        ConfigError: A key is no text, or a mapping holds itself.
        UnsupportedValue: A value has no canonical text.
    """
    return UntypedConfig([layer_of(values, origin)])


def layer_of(values: Mapping[str, Any], origin: Origin) -> Layer:
    """A nested mapping as a layer of settings, all of which stand at one place."""
    return Layer(str(origin), _STRENGTH, (branch_from(_checked(values, (), origin), origin),))


def _checked(value: Any, path: KeyPath, origin: Origin) -> Any:
    """A value with every mapping in it as a dict by text."""
    if len(path) > MOST_LEVELS:
        raise endless(str(origin))
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                what = f"{render_key_path(path) or 'the mapping'} has the key {key!r}, which is no text"
                raise ConfigError(Problem(what, str(origin), "texts as keys", fix=f"write {str(key)!r}"))
        return {key: _checked(item, (*path, key), origin) for key, item in value.items()}
    if isinstance(value, list):
        return [_checked(item, (*path, position), origin) for position, item in enumerate(value)]
    return value


def _at(layers: Sequence[Layer], path: KeyPath) -> list[Contribution]:
    said = at_root(layers)
    for step in path:
        said = below(standing(said).live, str(step))
    return said


def _merged(said: Sequence[Contribution]) -> Any:
    """The value that several contributions make: mappings key by key, all else the strongest."""
    live = standing(said).live
    if not live:
        return {}
    if not isinstance(live[-1].value, Branch):
        return live[-1].value
    keys = dict.fromkeys(key for c in live if isinstance(c.value, Branch) for key in c.value)
    return {key: _merged(below(live, key)) for key in keys}


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for key, item in value.items():
        if item and isinstance(item, Mapping):
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key), item
