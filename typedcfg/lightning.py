"""What serves a Lightning `Trainer` of one's own, without a `Runner`: ordinary callbacks, a plugin and a loader.

Importing this imports torch and lightning. `docs/how-to/use-the-callbacks.md` shows all of them at work.
"""

from typedcfg.runner.failure import Preempted
from typedcfg.runner.lightning.callbacks.checkpoints import CheckpointPolicy
from typedcfg.runner.lightning.callbacks.epoch_lines import EpochLines
from typedcfg.runner.lightning.callbacks.finite import FiniteWatch
from typedcfg.runner.lightning.callbacks.pulse import Pulse
from typedcfg.runner.lightning.callbacks.recorder import Recorder
from typedcfg.runner.lightning.callbacks.sample_limit import SampleLimit
from typedcfg.runner.lightning.callbacks.step_lines import StepLines
from typedcfg.runner.lightning.checkpoint_io import VerifiedCheckpointIO
from typedcfg.runner.lightning.exact import ExactState
from typedcfg.runner.lightning.hang import HangWatch
from typedcfg.runner.lightning.loading import ExactLoader, exact, why_not_exact
from typedcfg.runner.lightning.pretrained import load_pretrained
from typedcfg.runner.lightning.quiet import quiet

__all__ = [
    "CheckpointPolicy",
    "EpochLines",
    "ExactLoader",
    "ExactState",
    "FiniteWatch",
    "HangWatch",
    "Preempted",
    "Pulse",
    "Recorder",
    "SampleLimit",
    "StepLines",
    "VerifiedCheckpointIO",
    "exact",
    "load_pretrained",
    "quiet",
    "why_not_exact",
]
