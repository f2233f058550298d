# ruff: noqa: SLF001  # a section looks into another of its kind
"""Loaded: a file without its template, as an untyped configuration that knows where its values were written.

Files are merged, extended and referred to by the same rules as everywhere. Of a run, the identity is the one that was
recorded: without a template nothing says which values it was computed from.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from typedcfg.compiler.compile import compile_layers
from typedcfg.compiler.config import told_by
from typedcfg.compiler.explain import explain, origin_text
from typedcfg.compiler.expressions.variables import Variables
from typedcfg.compiler.story import Story
from typedcfg.compiler.untyped import UntypedConfig
from typedcfg.errors import ConfigError, Problem
from typedcfg.identity.fingerprint import Fingerprint
from typedcfg.identity.run_identity import RunIdentity
from typedcfg.key_path import KeyPath
from typedcfg.origin import Origin
from typedcfg.sources.base import Branch, Layer
from typedcfg.sources.file_reader import written_path
from typedcfg.sources.files import FileSource
from typedcfg.template.free import Held, free_template

if TYPE_CHECKING:
    from uuid import UUID

_CONFIGURATION: Final = "run.yaml"
_RECORD: Final = "run.json"
_ASKED: Final = Origin("Config.load")
_RECORDS: Final = "typedcfg.records.run_record"
"""What reads the record of a run; by name, for records are the stage above."""


class Recorded(NamedTuple):
    """Who a run is, as its record says."""

    identity: RunIdentity
    fingerprint: Fingerprint


class _File(NamedTuple):
    """What was read of a file, and with it of those that it extends."""

    name: str
    story: Story
    saved: tuple[tuple[str, int], ...]
    """The saved files among those, each with the version of the schema that wrote it."""
    recorded: Recorded | None
    """Whose configuration it is, where it is a run's."""


class LoadedConfig(UntypedConfig):
    """What `Config.load` gives: the values of a file, each with its place.

    What is merged or changed is an untyped configuration like any other, and no run.
    """

    def __init__(self, file: _File, layers: Sequence[Layer], *, path: KeyPath = ()) -> None:
        """Hold a file, and its values as layers."""
        self.__dict__.update(_file=file)
        super().__init__(layers, path=path)

    def _section(self, path: KeyPath) -> "LoadedConfig":
        return LoadedConfig(self._file, self._layers, path=(*self._path, *path))

    # --- why --------------------------------------------------------------------------------------------------------

    def _explain_value(self, path: KeyPath, value: object) -> str:  # noqa: ARG002  # the story knows it as well
        return explain(self._file.story, (*self._path, *path))

    def origin(self, key: str) -> str:
        """Where a value was written, and by which reference it came from there."""
        path = self._parse(key)
        self._at(path)  # raises if there is no such key
        return origin_text(self._file.story, (*self._path, *path))

    @property
    def notes(self) -> tuple[str, ...]:
        """Which version of its schema saved a file: the values stand as they were saved."""
        return tuple(
            f"{name} was saved by version {version} of its schema, and its values are as they were then"
            for name, version in self._file.saved
        )

    # --- identity ---------------------------------------------------------------------------------------------------

    @property
    def fingerprint(self) -> Fingerprint:
        """The one that a run was recorded with; else, and of a section, that of all values, marked `untyped`."""
        recorded = self._file.recorded
        return super().fingerprint if recorded is None or self._path else recorded.fingerprint

    @property
    def identity(self) -> RunIdentity:
        """The run that was recorded beside the file.

        Raises:
            ConfigError: The file is no run's.
        """
        recorded: Recorded | None = self._file.recorded
        if recorded is None:
            self._refuse_identity()
        return recorded.identity

    @property
    def run_uuid(self) -> "UUID":  # type: ignore[override]  # of any other untyped configuration there is none
        """The UUID of that run.

        Raises:
            ConfigError: The file is no run's.
        """
        return self.identity.run_uuid

    # --- writing ----------------------------------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        file: _File = self._file
        return _unpickle, (file.name, file.story.layers, file.story.variables, file.saved, file.recorded, self._path)


def version_of(config: UntypedConfig) -> int | None:
    """The version of the schema by which all values are to be read, where that is known."""
    if not isinstance(config, LoadedConfig) or config._path:
        return None
    file: _File = config._file
    # Of a file that extends others, what it says and what they say may be of several schemas.
    return file.saved[0][1] if len(file.story.layers) == len(file.saved) == 1 else None


def load_untyped(path: "str | os.PathLike[str]", *, asked: Origin = _ASKED) -> LoadedConfig:
    """What `Config.load` does.

    Args:
        path: The file, or the folder of a run.
        asked: Who wants it: the place that a problem names if it cannot be read.

    Raises:
        ConfigError: With everything wrong with the file and those that it extends.
        RecordError: The record of the run beside it cannot be read.
    """
    path = os.fspath(path)
    if os.path.isdir(path):  # noqa: PTH112  # paths are texts where files are read
        path = _of_run(path, asked)
    layers = list(FileSource([path], origins=[asked]).read())
    saved = tuple((layer.name, layer.version) for layer in layers if layer.version is not None)
    # There is no template to migrate them to.
    try:
        story = _compiled([replace(layer, version=None) for layer in layers], Variables())
    except ConfigError as error:
        raise ConfigError(*map(_with_class, error.problems)) from None
    return _loaded(_File(written_path(path), story, saved, _recorded_beside(path)))


def _with_class(problem: Problem) -> Problem:
    """The problem, with what to do where a file refers to a key that no file has to set."""
    is_dangling = problem.what.endswith("leads nowhere") and not problem.suggestion
    fix = "if a class provides it, read the file by that class: typedcfg ... --app APP, or Template.load"
    return replace(problem, fix=fix) if is_dangling and not problem.fix else problem


def _of_run(folder: str, asked: Origin) -> str:
    file = os.path.join(folder, _CONFIGURATION)  # noqa: PTH118  # as above
    if not os.path.isfile(file):  # noqa: PTH113  # as above
        what = f"{folder!r} is a folder, and no run: it holds no {_CONFIGURATION}"
        raise ConfigError(Problem(what, str(asked), "a file, or the folder of a run"))
    return file


def _recorded_beside(path: str) -> Recorded | None:
    """The run that a `run.yaml` is the configuration of."""
    folder, name = os.path.split(path)
    record = Path(folder, _RECORD)
    if name != _CONFIGURATION or not record.is_file():
        return None
    told = import_module(_RECORDS).read_run_record(record).identity
    identity = RunIdentity(told.experiment_id, told.code_uuid, told.run_uuid, told.name)
    return Recorded(identity, Fingerprint.parse(told.fingerprint))


def _compiled(layers: Sequence[Layer], variables: Variables) -> Story:
    """The layers, with every reference in them evaluated, over a template that takes anything under any key."""
    keys = {key: Held.ANYTHING for layer in layers for root in layer.roots for key in root}
    story, _ = told_by(compile_layers(free_template("Config", keys), layers, variables=variables))
    return story


def _loaded(file: _File, path: KeyPath = ()) -> LoadedConfig:
    # Not by attribute: a key may have the name of a method.
    root = file.story.root
    values = {key: value for key, value in root.__dict__.items() if key in root.model_fields_set}
    return LoadedConfig(file, [Layer(file.name, "files", (_placed(file.story, values, (), file.name),))], path=path)


def _placed(story: Story, values: Mapping[str, Any], path: KeyPath, where: str) -> Branch:
    """Values as settings, each at the place that it came from."""
    branch = Branch(Origin(where))
    for key, value in values.items():
        inner = (*path, str(key))
        origin = origin_text(story, inner)
        settled = _placed(story, value, inner, origin) if isinstance(value, Mapping) else value
        branch.put(str(key), settled, Origin(origin))
    return branch


def _unpickle(  # noqa: PLR0913, PLR0917  # what a loaded configuration is
    name: str,
    layers: Sequence[Layer],
    variables: Variables,
    saved: tuple[tuple[str, int], ...],
    recorded: Recorded | None,
    path: KeyPath,
) -> LoadedConfig:
    return _loaded(_File(name, _compiled(layers, variables), saved, recorded), path)
