"""How far a training has come. Not configuration: it changes as the training runs, and bears on no identity."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunState:
    """How far a training has come; its results and the manifests of its checkpoints tell."""

    epochs: int = 0
    """Epochs finished."""
    steps: int = 0
    """Optimizer steps taken."""
    samples: int | None = 0
    """Training samples seen, on all ranks together; None where batches do not tell their length."""
