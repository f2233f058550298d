"""`Experiment`: the template that a run starts from."""

from typing import TYPE_CHECKING, Annotated

from typedcfg.errors import Problem, TemplateError
from typedcfg.sections.checkpoint import Checkpoint
from typedcfg.sections.launch import AutoLaunch, Launch
from typedcfg.sections.logging import Logging
from typedcfg.sections.run import Run
from typedcfg.sections.trainer import Trainer
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.derived import section
from typedcfg.template.marks import NotInIdentity

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

    def build_model(self) -> "LightningModule":
        """The model to train, with its optimizer and its metrics.

        Weights are drawn after the seed is set, alike on all ranks. Metrics are logged as `split/name`:
        `self.log("val/accuracy", ...)`.
        """
        raise _undefined(type(self), "build_model", "lightning.LightningModule")

    def build_data(self) -> "LightningDataModule":
        """The data to train, validate and test on."""
        raise _undefined(type(self), "build_data", "lightning.LightningDataModule")


def _undefined(template: type[Experiment], builder: str, returns: str) -> TemplateError:
    name = template.__qualname__
    return TemplateError(
        Problem(
            f"{name} does not define {builder}", f"{template.__module__}.{name}", f"a method that returns a {returns}"
        )
    )
