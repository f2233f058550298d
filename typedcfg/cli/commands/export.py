"""`typedcfg export CHECKPOINT`: the weights of a checkpoint as safetensors."""

from pathlib import Path

from typedcfg.cli.context import Context, UsageError
from typedcfg.errors import Problem
from typedcfg.text import count


def run(context: Context) -> int:
    """Write the weights beside the checkpoint, or where `--out` says."""
    checkpoint = Path(context.word("CHECKPOINT"))
    context.finish()
    if not checkpoint.exists():
        expected = "a checkpoint: `typedcfg runs show RUN` says where the best and the latest lie"
        raise UsageError(Problem(f"there is no checkpoint {checkpoint}", expected=expected))
    out = Path(context.options.get("--out", checkpoint.with_suffix(".safetensors")))
    _refuse(out, may_replace="--force" in context.options)
    from typedcfg.runner.lightning.export import export_weights

    about = export_weights(checkpoint, out)
    print(f"wrote {out}: the weights after {count(int(about['epoch']), 'epoch')}, {count(int(about['step']), 'step')}")
    return 0


def _refuse(out: Path, *, may_replace: bool) -> None:
    """Refuse a file that must not or cannot be written, before the checkpoint is read."""
    if not out.parent.is_dir():
        raise UsageError(Problem(f"there is no folder {str(out.parent)!r}", fix=f"make it: mkdir -p {out.parent}"))
    if out.exists() and not may_replace:
        raise UsageError(Problem(f"{out} is there already", fix="name another file, or add --force to replace it"))
