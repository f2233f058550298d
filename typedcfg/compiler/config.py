"""`Config`: the finished, frozen configuration, which remembers where every value came from."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from typedcfg.compiler.story import Story
from typedcfg.errors import ConfigError, Frozen, MissingKey, Problem
from typedcfg.key_path import KeyPath, KeyPathError, parse_key_path, render_key_path
from typedcfg.template.base import ConfigTemplate, frozen_problem
from typedcfg.template.catalog import catalog_of
from typedcfg.template.old_names import present_path
from typedcfg.text import nearest

if TYPE_CHECKING:
    from os import PathLike
    from uuid import UUID

    from typedcfg.compiler.diff import Difference
    from typedcfg.compiler.drafts.draft import Draft
    from typedcfg.identity.fingerprint import Fingerprint
    from typedcfg.identity.run_identity import RunIdentity

T = TypeVar("T", bound=ConfigTemplate)

_NOTHING = object()


class Config(Mapping[str, Any], Generic[T]):
    """A compiled configuration, or a section of one: frozen, hashable, picklable, equal by value.

    `params` holds the typed sections, which is what a type checker follows. `config.loader.batch_size` and
    `config["loader.batch_size"]` reach the same values: an attribute is a verb if there is one of that name, an item
    is always a key. Two are equal when all their values are, and of the same type.

    Example:
        >>> from typedcfg import ConfigTemplate
        >>> class Loader(ConfigTemplate):
        ...     batch_size: int = 128
        >>> class Params(ConfigTemplate):
        ...     loader: Loader
        >>> config = Params.compile()
        >>> config.params.loader.batch_size, config.loader.batch_size, config["loader.batch_size"]
        (128, 128, 128)
    """

    if TYPE_CHECKING:
        params: T

    def __init__(self, params: T, story: Story | None = None, *, path: KeyPath = ()) -> None:
        """Hold finished sections; `ConfigTemplate.compile` makes these.

        Raises:
            ConfigError: It is called by hand, and nothing is known of where the values came from.
        """
        if story is None:
            what = "a configuration is compiled, and not made by calling Config(...)"
            raise ConfigError(
                Problem(what, fix="Config.from_dict(...) without a template, Template.compile(...) with one")
            )
        # Fields never begin with an underscore: what is found in __dict__ is either ours or a value read before.
        self.__dict__.update(params=params, _story=story, _path=path)

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> "Config[Any]":
        """A frozen configuration of a nested mapping, without a template.

        Args:
            values: Texts as keys; mappings, drafts and configurations may lie within.

        Raises:
            ConfigError: A key is no text, or a mapping holds itself.
            UnsupportedValue: A value has no canonical text; it is named.

        Example:
            >>> Config.from_dict({"loader": {"batch_size": 128}})["loader.batch_size"]
            128
        """
        from typedcfg.compiler.drafts.caller import line_of_caller
        from typedcfg.compiler.untyped import config_from

        return config_from(values, line_of_caller())

    @staticmethod
    def load(path: "str | PathLike[str]") -> "Config[Any]":
        """The configuration of a file, without a template: its values, and where each was written.

        Files are extended and referred to as everywhere. Of a saved configuration the values are as they were saved,
        and `notes` says by which version of its schema. Of a run, `identity`, `run_uuid` and `fingerprint` are those
        that were recorded. With a template, use `Template.load`.

        Args:
            path: A YAML, JSON or TOML file, or the folder of a run, which means its `run.yaml`.

        Raises:
            ConfigError: With everything wrong with the file and those that it extends.
            RecordError: The record of the run beside it cannot be read.
        """
        from typedcfg.compiler.loaded import load_untyped

        return load_untyped(path)

    # --- reading ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """A key's value, kept from then on where Python finds it by itself."""
        params = self.__dict__.get("params")
        if params is None or name.startswith("_") or name not in catalog_of(type(params)).entries:
            known = () if params is None else catalog_of(type(params)).entries
            today = () if params is None else present_path(type(params), (name,))
            near = render_key_path(today) if today != (name,) else nearest(name, known)
            hint = f"; did you mean {near!r}?" if near else ""
            raise AttributeError(f"{type(params).__qualname__} has no key {name!r}{hint}", name=name, obj=self)
        value = self._wrap(getattr(params, name), (name,))
        self.__dict__[name] = value
        return value

    def __getitem__(self, key: str) -> Any:
        """The value at a key path: `layers[2].width`, `groups["backbone.0"].lr`.

        Raises:
            MissingKey: There is no such key.
        """
        return self._at(self._parse(key))

    def get(self, key: str, default: Any = None) -> Any:
        """The value at a key path, or a default if there is no such key."""
        try:
            return self[key]
        except MissingKey:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter(catalog_of(type(self.params)).entries)

    def __len__(self) -> int:
        return len(catalog_of(type(self.params)).entries)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key, _NOTHING) is not _NOTHING

    def _parse(self, key: str) -> KeyPath:
        expected = 'a key path: loader.batch_size, layers[2].width, groups["backbone.0"].lr'
        if not isinstance(key, str):
            raise MissingKey(Problem(f"{key!r} is no text", expected=expected))
        try:
            return parse_key_path(key)
        except KeyPathError as error:
            raise MissingKey(Problem(str(error), expected=expected)) from None

    def _at(self, path: KeyPath) -> Any:
        value: Any = self
        for depth, step in enumerate(path):
            if isinstance(value, Config):
                known = catalog_of(type(value.params)).entries
                if step not in known:
                    raise self._missing(path, depth, known)
                # By attribute, which keeps the node; no key has the name of one of ours.
                value = getattr(value, str(step))
                continue
            held: Any = () if isinstance(value, str) else value  # a text has no items, as a number has none
            try:
                value = self._wrap(held[step], path[: depth + 1])
            except (LookupError, TypeError):
                names = map(str, value) if isinstance(value, Mapping) else ()
                raise self._missing(path, depth, names) from None
        return value

    def _missing(self, path: KeyPath, depth: int, known: Iterable[str]) -> MissingKey:
        params = self.__dict__.get("params")
        today = path if params is None else present_path(type(params), path)
        near = None if today != path else nearest(str(path[depth]), known)
        suggested = today if today != path else (*path[:depth], near) if near else ()
        return MissingKey(
            Problem(
                f"there is no key {render_key_path(path)!r}",
                suggestion=render_key_path(suggested) or None,
                fix="where a key may be missing, ask with config.get(key, default)" if not suggested else "",
            )
        )

    def _wrap(self, value: Any, path: KeyPath) -> Any:
        return Config(value, self._story, path=(*self._path, *path)) if isinstance(value, ConfigTemplate) else value

    def walk(self) -> "Iterator[tuple[str, Config[Any]]]":
        """Every section with its key path, each before those within it; the configuration itself comes first, as `""`.

        Example:
            >>> from typedcfg import ConfigTemplate
            >>> class Loader(ConfigTemplate):
            ...     batch_size: int = 128
            >>> class Params(ConfigTemplate):
            ...     loader: Loader
            >>> [key for key, section in Params.compile().walk()]
            ['', 'loader']
        """
        todo: list[tuple[KeyPath, Any]] = [((), self.params)]
        while todo:
            path, held = todo.pop()
            if isinstance(held, ConfigTemplate):
                yield render_key_path(path), self._at(path)
                names = [entry.name for entry in catalog_of(type(held)).branching]
                todo += [((*path, name), getattr(held, name)) for name in reversed(names)]
            elif isinstance(held, (list, tuple)):
                todo += [((*path, position), item) for position, item in reversed([*enumerate(held)])]
            elif isinstance(held, dict):
                todo += [((*path, str(key)), item) for key, item in reversed(held.items())]

    def leaves(self) -> Iterator[tuple[str, Any]]:
        """Every value with its key path, in the order of declaration; `dict(config.leaves())` is all of it, flat.

        Example:
            >>> from typedcfg import ConfigTemplate
            >>> class Loader(ConfigTemplate):
            ...     batch_size: int = 128
            >>> class Params(ConfigTemplate):
            ...     loader: Loader
            >>> dict(Params.compile().leaves())
            {'loader.batch_size': 128}
        """
        from typedcfg.template.leaves import iter_leaves

        return ((render_key_path(leaf.path), leaf.value) for leaf in iter_leaves(self.params))

    # --- why --------------------------------------------------------------------------------------------------------

    def explain(self, key: str = "") -> str:
        """Why a value is what it is: the setting that won, every one that lost, each with its place, and the rule.

        For a derived value the formula and what it read, with the places of those. For a section, or without a key,
        every value in it with where it came from.

        Raises:
            MissingKey: There is no such key, and no setting of it was dropped.

        Example:
            >>> from typedcfg import ConfigTemplate
            >>> class Params(ConfigTemplate):
            ...     epochs: int = 10
            >>> print(Params.compile(overrides=["epochs=20"]).explain("epochs"))
            epochs = 20
              wins      20  overrides[0]
              over      10  default of Params.epochs
              because   an override in code wins over a default
        """
        from typedcfg.compiler.explain import explain

        path = (*self._path, *(self._parse(key) if key else ()))
        return explain(self._story, path)

    def origin(self, key: str) -> str:
        """Where a value came from, in a few words: `wide.yaml:3:15`, `default`, a formula.

        Raises:
            MissingKey: There is no such key.
        """
        from typedcfg.compiler.explain import origin_of_key

        return origin_of_key(self._story, (*self._path, *self._parse(key)))

    def diff(self, other: "Config[Any]") -> "tuple[Difference, ...]":
        """What another configuration says differently, where both values come from, and whether it makes another run.

        Of a secret it says that it differs. `draft.apply` makes the other out of this one.

        Raises:
            ConfigError: The other is no configuration.

        Example:
            >>> from typedcfg import ConfigTemplate
            >>> class Params(ConfigTemplate):
            ...     epochs: int = 10
            >>> print(*Params.compile().diff(Params.compile(overrides=["epochs=20"])))
            epochs: 10 -> 20  (default -> overrides[0])
        """
        from typedcfg.compiler.diff import diff

        return diff(self, other)

    # --- changing: another configuration ----------------------------------------------------------------------------

    def merge(
        self, other: "Config[Any] | Mapping[str, object] | ConfigTemplate", *, keep_existing: bool = False
    ) -> "Config[T]":
        """A new configuration in which another's settings stand above these; formulas and references follow.

        Settings are merged, not values: what neither of the two sets keeps its default or its formula. On a section
        the other is merged there, and the section of the new configuration is returned.

        Args:
            other: A configuration, a mapping as a file would have it, or a section instance: what was set in it.
            keep_existing: Put the other's settings below instead, so that they only fill what nobody has set.

        Raises:
            ConfigError: The two do not fit together.

        Example:
            >>> from typedcfg import ConfigTemplate, derived
            >>> class Params(ConfigTemplate):
            ...     batch_size: int = 128
            ...     lr: float = derived(lambda c: c.batch_size / 128 * 0.01)
            >>> config = Params.compile(overrides=["batch_size=256"]).merge({"batch_size": 512})
            >>> config.lr, config.merge({"lr": 1, "batch_size": 64}, keep_existing=True).batch_size
            (0.04, 512)
        """
        from typedcfg.compiler.merged import merged

        return merged(self, other, keep_existing=keep_existing)

    def unlock(self) -> "Draft":
        """A draft to change: settings are assigned by attribute, item or key path, and `draft.lock()` compiles them.

        The draft of a section is a part of the draft of the whole: `config.loader.unlock()` is
        `config.unlock().loader`, and locking either compiles everything.

        Example:
            >>> from typedcfg import ConfigTemplate
            >>> class Params(ConfigTemplate):
            ...     epochs: int = 10
            >>> draft = Params.compile().unlock()
            >>> draft.epochs = 20
            >>> draft.lock().epochs
            20
        """
        from typedcfg.compiler.drafts.edits import Edits
        from typedcfg.compiler.drafts.section_draft import SectionDraft

        return SectionDraft(Edits(self), self._path)

    @contextmanager
    def unlocked(self) -> "Iterator[Draft]":
        """A draft that is locked at the end of the `with` block; `draft.lock()` gives the configuration behind it.

        Raises:
            ConfigError: At the end of the block, with everything that is wrong.

        Example:
            >>> from typedcfg import ConfigTemplate
            >>> class Params(ConfigTemplate):
            ...     epochs: int = 10
            >>> with Params.compile().unlocked() as draft:
            ...     draft.epochs = 20
            >>> draft.lock().epochs
            20
        """
        draft = self.unlock()
        yield draft
        draft.lock()

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened to settings on the way, a sentence each.

        The migrations that a saved file of an older schema went through, and the settings that do not count because
        another variant was chosen.
        """
        return tuple(self._story.notes)

    # --- identity ---------------------------------------------------------------------------------------------------

    @cached_property
    def _identity_text(self) -> str:
        from typedcfg.identity.section_text import identity_text

        return identity_text(self.params)

    @property
    def fingerprint(self) -> "Fingerprint":
        """The hash of every value that bears on the outcome; see `typedcfg.identity`.

        Raises:
            UnsupportedValue: A value is of a type that has no canonical text.
        """
        from typedcfg.identity.fingerprint import fingerprint_of

        return fingerprint_of(self._identity_text)

    @cached_property
    def identity(self) -> "RunIdentity":
        """The run that this configuration is, with the code as git knows it: its UUIDs and names.

        Asks git once, about the repository in which the template's own source lies.
        """
        from typedcfg.compiler.identify import identify

        return identify(self._story.root)

    @property
    def run_uuid(self) -> "UUID":
        """The UUID of the run: of the code, and of every value that bears on the outcome."""
        return self.identity.run_uuid

    @cached_property
    def _text(self) -> str:
        """The canonical text of all leaves but secrets: what equality means, and that these are equal as well."""
        from typedcfg.identity.section_text import equality_text

        return equality_text(self.params)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Config):
            return NotImplemented
        is_alike = type(self.params) is type(other.params) and self._text == other._text
        return is_alike and _secrets(self.params) == _secrets(other.params)

    def __hash__(self) -> int:
        return hash(self._text)

    # --- writing ----------------------------------------------------------------------------------------------------

    def plain(self) -> dict[str, Any]:
        """The values as ordinary dicts, lists, numbers and texts: for a checkpoint, for hyper-parameters, for JSON.

        Secrets are left out. A path is its posix text, an enum its value, a date its ISO text.
        """
        from typedcfg.compiler.writing.plain import plain

        return plain(self.params)

    def to_yaml(self, *, origins: bool = False) -> str:
        """The values as YAML; `compile` reads them back.

        Args:
            origins: Say behind each value where it came from.

        Raises:
            UnsupportedValue: A value cannot be written.
        """
        from typedcfg.compiler.writing.document import to_yaml

        return to_yaml(self.params, self._story, self._path, origins=origins)

    def to_python(self) -> str:
        """Python code that assigns an equal section to `params`, every value written out and its imports above.

        Secrets are left out, with a comment in their place. `params.to_config()` is the configuration again.

        Raises:
            UnsupportedValue: A value cannot be written as Python.
        """
        from typedcfg.compiler.writing.python_text import to_python

        return to_python(self.params)

    def save(self, path: "str | PathLike[str]") -> None:
        """Write every value but secrets to a file, derived ones as they are; the suffix says the format.

        All or nothing: what is written is read back and compared before it takes the place of what was there.

        Args:
            path: A file that ends in `.yaml`, `.json` or `.toml`; `Template.load` reads it.

        Raises:
            ConfigError: The suffix names no format.
            UnsupportedValue: A value would come back as another; each is named, and nothing is written.
            RecordError: The file cannot be written. What was there still is.
        """
        from typedcfg.compiler.writing.saving import save

        save(self, path)

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self.params, name)!r}" for name in self)
        return f"Config[{type(self.params).__qualname__}]({inner})"

    # --- frozen -----------------------------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise Frozen(self._frozen(name, "assigned"))

    def __delattr__(self, name: str) -> NoReturn:
        raise Frozen(self._frozen(name, "deleted"))

    def _frozen(self, name: str, done: str) -> Problem:
        key = render_key_path((*self._path, name))
        return frozen_problem(key, done, key)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickle, (self.params, self._story, self._path)


def told_by(config: Config[Any]) -> tuple[Story, KeyPath]:
    """The story behind a configuration, and the path of its node: what the verbs of this stage work with."""
    return config._story, config._path  # noqa: SLF001  # no attribute: its name would be lost to fields


def _secrets(section: ConfigTemplate) -> dict[KeyPath, Any]:
    from typedcfg.template.leaves import iter_leaves

    return {leaf.path: leaf.value for leaf in iter_leaves(section) if leaf.entry.is_secret}


def _unpickle(params: T, story: Story, path: KeyPath) -> Config[T]:
    return Config(params, story, path=path)
