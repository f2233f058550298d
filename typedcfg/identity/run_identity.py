"""Who a run is: the UUIDs that follow from its code and its configuration."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from typedcfg.identity.code_version import CodeVersion, uuid_of_experiment


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The names of one run; two runs with the same code and the same configuration share all but `name`."""

    experiment_id: str
    """The commit of the code, or sixteen `x`."""
    code_uuid: UUID
    """The commit and what differs from it."""
    run_uuid: UUID
    """The code and the configuration."""
    name: str
    """For people: `digits-wide`."""

    @property
    def experiment_uuid(self) -> UUID:
        """The UUID whose bytes are the first 16 characters of `experiment_id`."""
        return uuid_of_experiment(self.experiment_id)

    @property
    def run_id(self) -> str:
        """The 32 hexadecimal digits of `run_uuid`."""
        return self.run_uuid.hex

    @property
    def id(self) -> str:
        """Half experiment, half run: 16 characters that folders are named by."""
        return self.experiment_id[:8] + self.run_id[:8]

    @property
    def uuid(self) -> UUID:
        """The UUID of the run under its `id`."""
        return uuid5(self.run_uuid, self.id)


def identify_run(code: CodeVersion, canonical: str, *, experiment_name: str, run_name: str) -> RunIdentity:
    """The identity of a run of this code with the configuration that has this canonical text.

    Example:
        >>> code = CodeVersion.outside("not a git repository")
        >>> identity = identify_run(code, '{"lr":0.1}', experiment_name="digits", run_name="wide")
        >>> identity.name, identity.id
        ('digits-wide', 'xxxxxxxx9f3a1784')
    """
    run_uuid = uuid5(code.code_uuid, canonical)
    return RunIdentity(code.experiment_id, code.code_uuid, run_uuid, f"{experiment_name}-{run_name}")
