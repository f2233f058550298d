"""Load batches whose order, position and random numbers are functions of (seed, epoch): of use in plain torch too."""

from typedcfg.runner.lightning.loading.loader import ExactLoader, exact, why_not_exact

__all__ = ["ExactLoader", "exact", "why_not_exact"]
