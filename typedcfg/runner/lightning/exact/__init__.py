"""Resume as if nothing had happened: what Lightning's checkpoints leave out of a training's state."""

from typedcfg.runner.lightning.exact.state import ExactState

__all__ = ["ExactState"]
