"""`ConfigTemplate`: the class that every section derives from."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, PydanticUserError
from pydantic_core import CoreSchema, PydanticCustomError

from typedcfg.errors import Frozen, Pending, Problem, TemplateError
from typedcfg.template.derived import Derived
from typedcfg.template.frozen import freeze
from typedcfg.template.numeral import Numeral
from typedcfg.template.refusals import refused_in_class, refused_names, unknown_types
from typedcfg.template.schema import adapt
from typedcfg.template.variants import KIND, current_kinds

if TYPE_CHECKING:
    from typedcfg.compiler.config import Config
    from typedcfg.sources.base import Source

_HELP: Final = "typedcfg.template.help"
_JSON_SCHEMA: Final = "typedcfg.template.json_schema"
_COMPILER: Final = "typedcfg.compiler.compile"
"""What reads templates fills in `help`, `compile` and their like; by name, for declaring a section loads neither."""

_VIEW_WORDS: Final = frozenset({"root", "parent", "here"})
"""What a path in a formula or reference may begin with instead of a key."""

CONFIG_VERBS: Final = frozenset(
    {
        *("diff", "explain", "fingerprint", "from_dict", "get", "identity", "items", "keys", "leaves", "load", "merge"),
        *("notes", "origin", "params", "plain", "run_uuid", "save", "to_python", "to_yaml", "unlock", "unlocked"),
        *("values", "walk"),
    }
)
"""The public attributes of a `Config`: a field of that name could not be read by attribute."""


class ConfigTemplate(BaseModel):
    """A section of a configuration: typed fields with defaults, constraints, units and descriptions.

    A template is a frozen pydantic model that refuses unknown keys. A field whose type is another template fills
    itself from that template's defaults; a union of templates that bear a `kind` literal is a choice of variants.
    An attribute docstring below a field is its description.

    Example:
        >>> from typing import Annotated
        >>> from annotated_types import Gt
        >>> class Loader(ConfigTemplate):
        ...     batch_size: Annotated[int, Gt(0)] = 128
        >>> class Params(ConfigTemplate):
        ...     loader: Loader
        >>> Params.compile(overrides=["loader.batch_size=256"]).params.loader.batch_size
        256
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=True,
        # Building a validator costs 40 % of a cold start: wait until one is needed.
        defer_build=True,
        # A field named `model` is what half of all training configurations have.
        protected_namespaces=(),
        ser_json_inf_nan="constants",
    )

    __typedcfg_pending__: ClassVar[frozenset[str]] = frozenset()
    """The fields with a formula: absent from an instance that was not compiled."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse names that are taken, before pydantic warns of some of them."""
        super().__init_subclass__(**kwargs)
        if problems := tuple(refused_names(cls, _public(ConfigTemplate))):
            raise TemplateError(*problems)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse, where the class is written, what a template could not keep its promises with."""
        super().__pydantic_init_subclass__(**kwargs)
        if problems := tuple(refused_in_class(cls, _reserved_names())):
            raise TemplateError(*problems)
        fields = cls.__pydantic_fields__
        cls.__typedcfg_pending__ = frozenset(n for n, f in fields.items() if isinstance(f.default, Derived))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """What pydantic makes of the class, with sections that fill themselves and variants that go by kind."""
        try:
            schema = handler(source)
        except PydanticUserError as error:
            raise TemplateError(*(tuple(unknown_types(cls)) or (error.message,))) from error
        return adapt(schema, handler, settle=cls.__settle, kinds_of=current_kinds)

    @classmethod
    def __settle(cls, instance: Self) -> Self:
        """A new instance with its containers frozen and what is not known yet taken out."""
        if type(instance) is not cls:
            raise PydanticCustomError(
                "subclass_instance",
                "Input should be a {expected} itself, not its subclass {found}: a section's type says what it has",
                {"expected": cls.__qualname__, "found": type(instance).__qualname__},
            )
        values = instance.__dict__
        for name in cls.__typedcfg_pending__:
            if isinstance(values.get(name), Derived):
                del values[name]
        for name, value in values.items():
            if isinstance(value, (list, dict, set, tuple, Numeral)):
                values[name] = freeze(value)
        return instance

    if not TYPE_CHECKING:  # a type checker would take every attribute for known

        def __getattr__(self, name: str) -> Any:
            """Reached only by what the instance lacks: a value that is still pending, or a wrong name."""
            if name in type(self).__typedcfg_pending__:
                formula = type(self).__pydantic_fields__[name].default.formula
                raise Pending(
                    Problem(
                        f"{type(self).__qualname__}.{name} is derived, and not evaluated yet: {formula}",
                        fix=f"read it from a compiled configuration: section.to_config().params.{name}",
                    )
                )
            return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse: a section never changes."""
        if name in type(self).__pydantic_fields__:
            raise Frozen(frozen_problem(f"{type(self).__qualname__}.{name}", "assigned", name))
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Refuse: a section never changes."""
        if name in type(self).__pydantic_fields__:
            raise Frozen(frozen_problem(f"{type(self).__qualname__}.{name}", "deleted", name))
        super().__delattr__(name)

    # --- reading a section ------------------------------------------------------------------------------------------

    @classmethod
    def help(
        cls,
        format: Literal["text", "json", "markdown"] = "text",  # noqa: A002  # the word users know
        key: str = "",
        *,
        env_prefix: str = "",
    ) -> str:
        """What may be written in this section: types, constraints, units, defaults, formulas, descriptions.

        Args:
            format: `text` for a shell, `markdown` for a page, `json` for a program.
            key: A key path below which to look; the whole section if empty.
            env_prefix: Name the variable that sets each value, where they begin with this.

        Returns:
            The text; nothing is printed.

        Raises:
            MissingKey: There is no such key.
        """
        text: str = import_module(_HELP).help_of(cls, format=format, key=key, env_prefix=env_prefix)
        return text

    @classmethod
    def json_schema(cls, key: str = "") -> dict[str, Any]:
        """The JSON Schema of the files that configure this section: what editors complete and underline by.

        A file may leave anything out, refer to other values and bear `$` keys. `model_json_schema` is pydantic's,
        and describes a whole instance.

        Args:
            key: Where a file is mounted by `$extends`, if it is a part: `optimizer`, `layers[i]`.

        Raises:
            MissingKey: There is no section of that key.
        """
        schema: dict[str, Any] = import_module(_JSON_SCHEMA).json_schema_of(cls, key)
        return schema

    def arguments(self, *drop: str) -> dict[str, Any]:
        """The section's values as keyword arguments: without `kind`, without what is dropped.

        A section within, be it in a list or dict, becomes the dict of its own arguments.

        Args:
            drop: Names of fields to leave out.

        Raises:
            MissingKey: A name to drop is no field.
            Pending: A derived value was not evaluated yet.

        Example:
            >>> class Sgd(ConfigTemplate):
            ...     kind: Literal["sgd"] = "sgd"
            ...     lr: float = 0.1
            ...     warmup: int = 5
            >>> Sgd().arguments("warmup")
            {'lr': 0.1}
        """
        from typedcfg.errors import MissingKey
        from typedcfg.template.frozen import thaw
        from typedcfg.text import nearest

        fields = type(self).__pydantic_fields__
        if unknown := [name for name in drop if name not in fields]:
            raise MissingKey(
                *(
                    Problem(f"no field {n!r} to drop", type(self).__qualname__, suggestion=nearest(n, fields))
                    for n in unknown
                )
            )
        left_out = {*drop, KIND} if current_kinds(type(self)) else set(drop)
        return {name: thaw(getattr(self, name), _arguments_of) for name in fields if name not in left_out}

    # --- compiling: filled in by the stage above --------------------------------------------------------------------

    @classmethod
    def compile(  # noqa: PLR0913  # the keywords are what users learn
        cls,
        *files: str | Path,
        overrides: Sequence[str] | Mapping[str, object] = (),
        presets: Sequence["Mapping[str, object] | ConfigTemplate"] = (),
        env_prefix: str | None = None,
        dotenv: str | Path | None = None,
        secrets_dir: str | Path | None = None,
        sources: Sequence["Source"] = (),
    ) -> "Config[Self]":
        """A configuration: everything that is given, merged, resolved, validated and frozen.

        Only what is named here is read: no argument list, no environment without a prefix, no dotenv file that
        was not asked for. Weakest first: the templates' own defaults, `presets`, `files` in order, `secrets_dir`,
        `dotenv`, the environment, `overrides`.

        Args:
            files: YAML, JSON or TOML files; a file stands above what it extends.
            overrides: `key=value` texts as on a command line, or a mapping of Python values by key path.
            presets: Settings in code that files may override.
            env_prefix: Read environment variables that begin with it: `DIGITS__` for `DIGITS__LOADER__BATCH_SIZE`.
            dotenv: A dotenv file to read variables from, with the same prefix.
            secrets_dir: A folder with a file for each secret, named as the variable would be.
            sources: Sources of your own; the strength that each names for its layers says where they stand, and of
                one strength they are above what is listed before.

        Raises:
            ConfigError: With every problem found, each with its place.
        """
        compiled: Config[Self] = import_module(_COMPILER).compile_template(
            cls,
            files,
            overrides=overrides,
            presets=presets,
            env_prefix=env_prefix,
            dotenv=dotenv,
            secrets_dir=secrets_dir,
            sources=sources,
        )
        return compiled

    @classmethod
    def load(cls, path: str | Path) -> "Config[Self]":
        """The configuration of a file that holds its values, such as the `run.yaml` of a run.

        Raises:
            ConfigError: The file does not fit the template.
        """
        loaded: Config[Self] = import_module(_COMPILER).load(cls, path)
        return loaded

    def to_config(self, *, store_description: bool = False) -> "Config[Self]":
        """This instance as a configuration: what was given is explicit, and derived values are evaluated.

        The section that this is called on is the root of every formula in it.

        Args:
            store_description: Carry the types and descriptions of all fields under the key `__help__`: they are in
                `plain()`, and in nothing that identifies or compares.

        Raises:
            ConfigError: A formula fails, or its value does not fit.
        """
        compiled: Config[Self] = import_module(_COMPILER).compile_instance(self, store_description=store_description)
        return compiled

    # --- copies are validated ---------------------------------------------------------------------------------------

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # noqa: ARG002  # pydantic's signature
        """A validated copy with some fields replaced; pydantic's own would take any value.

        Raises:
            pydantic.ValidationError: A value does not fit.
        """
        if not update:
            return self
        # `deep` has nothing to do: what is frozen all the way down may be shared.
        return type(self)(
            **{name: self.__dict__[name] for name in self.model_fields_set if name in self.__dict__} | dict(update)
        )

    def __replace__(self, **changes: Any) -> Self:
        """`copy.replace`, validated."""
        return self.model_copy(update=changes)

    def __deepcopy__(self, memo: object = None) -> Self:
        """The instance itself: it is frozen all the way down."""
        return self

    def __copy__(self) -> Self:
        """The instance itself: it is frozen all the way down."""
        return self


def _arguments_of(value: Any) -> Any:
    return value.arguments() if isinstance(value, ConfigTemplate) else value


def frozen_problem(shown: str, done: str, key: str) -> Problem:
    """The problem of a field that was to be changed where it stands, and how to come by another configuration."""
    return Problem(
        f"{shown} cannot be {done}: a configuration never changes",
        fix="change a draft of it: draft = config.unlock(), assign there, draft.lock();\n"
        f"or config.merge, or an override {key}=...: derived values follow, as they do not in a section's copy",
    )


def _reserved_names() -> frozenset[str]:
    """Names that mean something else on a template, a configuration or in a formula."""
    return _public(ConfigTemplate) | _VIEW_WORDS | CONFIG_VERBS


def _public(cls: type) -> frozenset[str]:
    return frozenset(name for name in dir(cls) if not name.startswith("_"))
