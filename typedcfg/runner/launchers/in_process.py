"""The work done here, in the process that asks for it."""

from dataclasses import dataclass

from typedcfg.runner.launchers.base import Work


@dataclass(frozen=True, slots=True)
class InProcess:
    """Does the work in this process; an error in it is raised here."""

    def launch(self, work: Work) -> int:
        """Do the work."""
        return work.call()
