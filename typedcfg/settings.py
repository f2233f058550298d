"""Our files and overrides as a source of pydantic-settings: for an ordinary `BaseSettings`, which is no template.

Files are merged, extended and referred to by the same rules as everywhere; what they say goes to pydantic-settings as
one nested dict, and is validated by the settings class alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, Final, get_args, get_origin

from pydantic import AliasChoices, BaseModel, Secret, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource

from typedcfg.compiler.compile import compile_sources
from typedcfg.compiler.complaints import in_our_words
from typedcfg.compiler.config import Config
from typedcfg.compiler.shown import HIDDEN, quoted
from typedcfg.errors import ConfigError, MissingKey, Problem
from typedcfg.key_path import KeyPath, parse_key_path, render_key_path
from typedcfg.origin import Origin
from typedcfg.sources.base import REFERENCE_MARK, Branch, Layer, Source, Text
from typedcfg.sources.files import FileSource
from typedcfg.sources.overrides import override_source
from typedcfg.sources.yaml_value import NotAValue, read_value
from typedcfg.template.annotations import iter_types
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.free import Held, Keys, free_template
from typedcfg.template.frozen import thaw
from typedcfg.text import listed, nearest

_SECRETS: Final = (Secret, SecretBytes, SecretStr)


class TypedcfgSource(InitSettingsSource):
    """What files and overrides set, for `settings_customise_sources`.

    Everything is one free mapping: a key may be set, referred to, edited or taken back wherever it lies, and no key is
    unknown here; `extra` of the settings class decides of those. `compiled` holds what was read, with every place.

    Example:
        >>> from pydantic_settings import BaseSettings
        >>> class Settings(BaseSettings):
        ...     lr: float = 0.1
        ...     name: str = ""
        >>> source = TypedcfgSource(Settings, overrides=["lr=0.2", "name=lr-${lr}"])
        >>> source()
        {'lr': 0.2, 'name': 'lr-0.2'}
        >>> source.origin("lr")
        'overrides[0]'
    """

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        *,
        files: Sequence[str | PathLike[str]] = (),
        overrides: Sequence[str] | Mapping[str, object] = (),
    ) -> None:
        """Read everything.

        Args:
            settings_cls: The class that is being filled.
            files: YAML, JSON or TOML files, weakest first; a file stands above what it extends.
            overrides: `key=value` texts as on a command line, or a mapping of Python values by key path.

        Raises:
            ConfigError: With every problem of the files and overrides, each with its place.
        """
        layers = _read([FileSource(files), _AsDeclared(override_source(overrides), settings_cls)])
        template = free_template(
            settings_cls.__qualname__, _keys(settings_cls, [root for layer in layers for root in layer.roots])
        )
        self.compiled: Config[Any] = compile_sources(template, [_Read(layers)])
        values = _values(self.compiled.params)
        super().__init__(settings_cls, values)
        self._own_names = {
            name: key for key in values for name in InitSettingsSource(settings_cls, {key: None}).init_kwargs
        }
        """Each key as it was written, by the name under which pydantic-settings knows it."""

    def explain(self, key: str = "") -> str:
        """Why the files and overrides give a value: the setting that won, every one that lost, and the rule.

        Raises:
            MissingKey: Neither a file nor an override sets the key.
        """
        return self.compiled.explain(key)

    def origin(self, key: str) -> str:
        """Where a value was written, in a few words.

        Raises:
            MissingKey: Neither a file nor an override sets the key.
        """
        steps = parse_key_path(key)
        path, _ = self._written(steps)
        if len(path) < len(steps):
            raise MissingKey(Problem(f"no file and no override sets {key!r}"))
        return self.compiled.origin(key)

    def placed(self, error: ValidationError) -> ConfigError:
        """What pydantic refuses, each value with the place where it was written.

        A value that came from elsewhere (a variable, an argument of the class, a default) has no place here.
        """
        return ConfigError(*map(self._problem, error.errors(include_url=False)))

    def _problem(self, detail: ErrorDetails) -> Problem:
        location = tuple(detail["loc"])
        path, value = self._written(location)
        is_missing = detail["type"] == "missing"
        is_ours = bool(path) and (is_missing or value == detail["input"])
        where = self.compiled.origin(render_key_path(path)) if is_ours else "no file and no override"
        key = render_key_path(path if is_ours and not is_missing else location) or "the settings"
        if is_missing:
            return Problem(f"{key} is required", f"the section at {where}" if is_ours else where)
        if detail["type"] == "extra_forbidden":
            known = _names_at(self.settings_cls, location[:-1])
            expected = f"a key that {self.settings_cls.__qualname__} declares: {listed(known)}"
            near = nearest(str(location[-1]), known)
            suggestion = near and render_key_path((*path[:-1], near) if is_ours else (near,))
            return Problem(f"unknown key {key!r}", where, expected, suggestion)
        if not location or _may_hold_secret(self.settings_cls, location):
            # Not even the words of a validator: they may quote what it saw.
            return Problem(
                f"{key} is wrong" + (f" ({HIDDEN})" if location else f": {in_our_words(detail['msg'])}"), where
            )
        return Problem(f"{key} = {quoted(detail['input'])} is wrong", where, in_our_words(detail["msg"]))

    def _written(self, loc: Iterable[str | int]) -> tuple[KeyPath, object]:
        """How far a location of pydantic's, which also names types, leads into what was written, and what is there."""
        path: KeyPath = ()
        value: Any = {key: self.init_kwargs[name] for name, key in self._own_names.items()}
        for number, step in enumerate(loc):
            own = self._own_names.get(str(step), step) if number == 0 else step
            try:
                path, value = (*path, own), value[own]
            except (LookupError, TypeError):
                if number == 0:
                    break
        return path, value


class _Read:
    """Layers that were read already."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.layers = layers

    def read(self) -> Sequence[Layer]:
        return self.layers


def _read(sources: Iterable[Source]) -> list[Layer]:
    layers: list[Layer] = []
    problems: list[Problem] = []
    for source in sources:
        try:
            layers += source.read()
        except ConfigError as error:
            problems += error.problems
    ConfigError.raise_any(problems)
    return layers


def _keys(model: type[BaseModel], said: Sequence[Branch]) -> Keys:
    """What may stand under each key that is written: a section on the way to a secret, so that only that is hidden."""
    keys: dict[str, Held | Keys] = {}
    for key in dict.fromkeys(key for branch in said for key in branch):
        info = _field(model, key)
        if info is None or not _holds_secret(info.annotation):
            keys[key] = Held.ANYTHING
            continue
        below = [branch[key] for branch in said if key in branch]
        branches = [value for value in below if isinstance(value, Branch)]
        inner = [*_models_in(info.annotation)]
        is_section = len(branches) == len(below) and inner in ([info.annotation], _optional(info.annotation))
        keys[key] = _keys(inner[0], branches) if is_section else Held.SECRETS
    return keys


def _optional(annotation: Any) -> list[Any]:
    """What an annotation is beside None."""
    return [part for part in get_args(annotation) if part is not type(None)]


def _values(section: ConfigTemplate) -> dict[str, Any]:
    """What was set in a free section, as ordinary data; a section in which nothing was is left out."""
    values: dict[str, Any] = {}
    # Not by attribute: a key may have the name of a method.
    for key, value in section.__dict__.items():
        plain = _values(value) if isinstance(value, ConfigTemplate) else thaw(value)
        if key in section.model_fields_set and (plain or not isinstance(value, ConfigTemplate)):
            values[key] = plain
    return values


class _AsDeclared:
    """Overrides with the texts left alone that the settings class wants as text: `version=1` where it is a `str`."""

    def __init__(self, source: Source, settings_cls: type[BaseModel]) -> None:
        self.source = source
        self.settings_cls = settings_cls

    def read(self) -> Iterator[Layer]:
        for layer in self.source.read():
            for root in layer.roots:
                self._settle(root, self.settings_cls)
            yield layer

    def _settle(self, branch: Branch, model: type[BaseModel]) -> None:
        for key, value in branch.items():
            info = _field(model, key)
            if isinstance(value, Branch) and info is not None:
                for inner in _models_in(info.annotation):
                    self._settle(value, inner)
            elif isinstance(value, Text) and info is not None and _is_meant_as_text(value, info, branch.origins[key]):
                branch[key] = str(value)


def _field(model: type[BaseModel], key: str) -> FieldInfo | None:
    """The field that a key means, by its name or an alias; case is as little a difference as to pydantic-settings."""
    return next((info for name, info in model.model_fields.items() if key.lower() in _names(name, info)), None)


def _names(name: str, info: FieldInfo) -> Iterator[str]:
    aliases = (
        info.validation_alias.choices if isinstance(info.validation_alias, AliasChoices) else [info.validation_alias]
    )
    yield from (one.lower() for one in (name, info.alias, *aliases) if isinstance(one, str))


def _is_meant_as_text(text: Text, info: FieldInfo, origin: Origin) -> bool:
    """Whether a bare text fits its field as it stands, and what a file would mean by it does not."""
    if REFERENCE_MARK in text:
        return False
    try:
        value = read_value(str(text), origin)
    except NotAValue:
        return True
    adapter: TypeAdapter[Any] = TypeAdapter(info.rebuild_annotation())
    return not _fits(adapter, value) and _fits(adapter, str(text))


def _fits(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value)
    except Exception:  # noqa: BLE001  # a validator that crashes is told of when the settings are validated
        return False
    return True


def _names_at(settings_cls: type[BaseModel], path: Iterable[str | int]) -> list[str]:
    """The keys that may stand at a path in a settings class."""
    annotations: list[Any] = [settings_cls]
    for step in path:
        fields = [_field(model, str(step)) for annotation in annotations for model in _models_in(annotation)]
        annotations = [info.annotation for info in fields if info is not None] or annotations
    models = [model for annotation in annotations for model in _models_in(annotation)]
    return list(dict.fromkeys(info.alias or name for model in models for name, info in model.model_fields.items()))


def _may_hold_secret(settings_cls: type[BaseModel], path: Iterable[str | int]) -> bool:
    """Whether a secret may stand at a path in a settings class, or below it."""
    annotations: list[Any] = [settings_cls]
    for step in path:
        fields = [_field(model, str(step)) for annotation in annotations for model in _models_in(annotation)]
        # A step may also be a key or position in a container: what that holds may stand there as well.
        around = [annotation for annotation in annotations if not isinstance(annotation, type)]
        annotations = [*(info.annotation for info in fields if info is not None), *around] or annotations
    return any(map(_holds_secret, annotations))


def _holds_secret(annotation: Any) -> bool:
    todo, seen = [annotation], set[type]()
    while todo:
        found = todo.pop()
        if any(isinstance(part, type) and issubclass(part, _SECRETS) for part in _types_in(found)):
            return True
        for model in _models_in(found):
            if model not in seen:
                seen.add(model)
                todo += [info.annotation for info in model.model_fields.values()]
    return False


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    yield from (part for part in _types_in(annotation) if isinstance(part, type) and issubclass(part, BaseModel))


def _types_in(annotation: Any) -> Iterator[Any]:
    yield from (get_origin(part) or part for part in iter_types(annotation))
