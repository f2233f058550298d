"""`typedcfg export CHECKPOINT`: the weights of a checkpoint as safetensors."""

import os
from pathlib import Path

from typedcfg.cli.context import Context, UsageError
from typedcfg.cli.target import check_target
from typedcfg.errors import Problem
from typedcfg.text import count


def run(context: Context) -> int:
    """Write the weights beside the checkpoint, or where `--out` says."""
    checkpoint = Path(context.word("CHECKPOINT"))
    context.finish()
    if not os.path.exists(checkpoint):  # noqa: PTH110  # any text has an answer; Path.exists raises for some
        expected = "a checkpoint: `typedcfg runs show RUN` says where the best and the latest lie"
        raise UsageError(Problem(f"there is no checkpoint {checkpoint}", expected=expected))
    out = Path(context.options.get("--out", checkpoint.with_suffix(".safetensors")))
    check_target(out, may_replace="--force" in context.options)
    from typedcfg.runner.lightning.export import export_weights

    about = export_weights(checkpoint, out)
    print(f"wrote {out}: the weights after {count(int(about['epoch']), 'epoch')}, {count(int(about['step']), 'step')}")
    return 0
