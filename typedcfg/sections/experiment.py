"""`Experiment`: the template that a run starts from."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, ForwardRef, Self, get_args, get_origin

from pydantic import model_validator

from typedcfg.errors import Problem, TemplateError
from typedcfg.sections.checkpoint import Checkpoint
from typedcfg.sections.launch import AutoLaunch, Launch
from typedcfg.sections.logging import Logging
from typedcfg.sections.run import Run
from typedcfg.sections.trainer import Trainer
from typedcfg.template.annotations import is_union, resolve_alias
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import section
from typedcfg.template.marks import NotInIdentity
from typedcfg.text import one_of

if TYPE_CHECKING:
    from lightning.pytorch import LightningDataModule, LightningModule


class Experiment(ConfigTemplate):
    """What a run starts from: sections of one's own beside those below, and two builders.

    The builders are called in the process that trains. Import torch and lightning inside them, not at the top of
    the module: then help, check and explain answer in a fraction of a second.
    """

    run: Run = section(Run)
    trainer: Trainer = section(Trainer)
    checkpoint: Annotated[Checkpoint, NotInIdentity()] = section(Checkpoint)
    launch: Annotated[Launch, NotInIdentity()] = section(AutoLaunch)
    logging: Annotated[Logging, NotInIdentity()] = section(Logging)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse, where the class is written, a built-in section that the runner could not read."""
        super().__pydantic_init_subclass__(**kwargs)
        if problems := tuple(_unreadable_sections(cls)):
            raise TemplateError(*problems)

    @model_validator(mode="after")
    def _saves_as_it_can(self) -> Self:
        if self.checkpoint.asynchronous and self.trainer.strategy == "fsdp":
            raise ValueError("trainer.strategy=fsdp saves while the training waits: set checkpoint.asynchronous=false")
        return self

    def build_model(self) -> "LightningModule":
        """The model to train, with its optimizer and its metrics.

        Weights are drawn after the seed is set, alike on all ranks. Metrics are logged as `split/name`:
        `self.log("val/accuracy", ...)`.
        """
        raise TemplateError(_undefined(type(self), "build_model"))

    def build_data(self) -> "LightningDataModule":
        """The data to train, validate and test on."""
        raise TemplateError(_undefined(type(self), "build_data"))


_BUILDERS: Final = {"build_model": "lightning.LightningModule", "build_data": "lightning.LightningDataModule"}


def undefined_builders(template: type[Experiment]) -> tuple[Problem, ...]:
    """The builders that an experiment does not define, without which it cannot be run."""
    lacks = [name for name in _BUILDERS if getattr(template, name) is getattr(Experiment, name)]
    return tuple(_undefined(template, name) for name in lacks)


def _undefined(template: type[Experiment], builder: str) -> Problem:
    name = template.__qualname__
    what, where = f"{name} does not define {builder}", f"{template.__module__}.{name}"
    return Problem(what, where, f"a method that returns a {_BUILDERS[builder]}")


def _unreadable_sections(template: type[Experiment]) -> Iterator[Problem]:
    for name, built_in in Experiment.__pydantic_fields__.items():
        known = tuple(_choices(built_in.annotation))
        for found in _choices(template.__pydantic_fields__[name].annotation):
            if not (isinstance(found, type) and issubclass(found, known)):
                names = one_of(choice.__name__ for choice in known)
                yield Problem(
                    f"{template.__qualname__} makes {name!r} a {getattr(found, '__name__', found)}, "
                    "and it is a section that the runner reads",
                    where=f"{template.__module__}.{template.__qualname__}",
                    expected=f"{names}, or a class derived from it",
                    fix=f"call the field something else, or derive its class from typedcfg.sections.{name}",
                )


def _choices(annotation: Any) -> Iterator[Any]:
    """The types that a field may hold; those that are names of classes to come are not known yet."""
    annotation = resolve_alias(annotation)
    if get_origin(annotation) is Annotated:
        yield from _choices(get_args(annotation)[0])
    elif is_union(annotation):
        for part in get_args(annotation):
            yield from _choices(part)
    elif not isinstance(annotation, (str, ForwardRef)):
        yield annotation
