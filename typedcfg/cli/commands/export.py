"""`typedcfg export CHECKPOINT`: the weights of a checkpoint, or of a run's best one, as safetensors."""

import os
from pathlib import Path

from typedcfg.cli.context import Context, UsageError
from typedcfg.cli.target import check_target
from typedcfg.errors import Problem
from typedcfg.runner.given_checkpoint import check_checkpoint, checkpoint_with_weights
from typedcfg.text import count


def run(context: Context) -> int:
    """Write the weights beside the checkpoint, or where `--out` says."""
    named = Path(context.word("CHECKPOINT"))
    context.finish()
    if not os.path.exists(named):  # noqa: PTH110  # any text has an answer; Path.exists raises for some
        expected = "a checkpoint, or a run's folder: `typedcfg runs show RUN` says where they lie"
        raise UsageError(Problem(f"there is no checkpoint {named}", expected=expected))
    check_checkpoint(named)
    checkpoint = checkpoint_with_weights(named)
    out = Path(context.options.get("--out", checkpoint.with_suffix(".safetensors")))
    check_target(out, may_replace="--force" in context.options)
    from typedcfg.runner.lightning.export import export_weights

    about = export_weights(checkpoint, out)
    print(f"wrote {out}: the weights after {count(int(about['epoch']), 'epoch')}, {count(int(about['step']), 'step')}")
    return 0
