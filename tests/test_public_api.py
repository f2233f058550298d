"""What `import typedcfg` offers, and what it costs: nothing heavy is loaded before something needs it."""

import subprocess
import sys
from pathlib import Path

import typedcfg
from typedcfg.cli.verbs import VERBS

PUBLIC = [
    "AddedIn",
    "Config",
    "ConfigError",
    "ConfigTemplate",
    "Deprecated",
    "Draft",
    "Experiment",
    "Kind",
    "NotInIdentity",
    "RenamedFrom",
    "Runner",
    "TypedcfgError",
    "Unit",
    "View",
    "derived",
    "init_env",
    "literal",
    "main",
    "migrates",
    "scale_lr",
    "section",
]

HEAVY = ["torch", "lightning", "numpy", "pandas", "rich"]

EXPERIMENT = """\
from typing import Literal

from typedcfg import ConfigTemplate, Experiment, derived, section


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.batch_size / 128 * 0.01)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    lr: float = 0.1


class Digits(Experiment):
    batch_size: int = 128
    optimizer: AdamW | Sgd = section(AdamW)
"""

APP = "digits.py:Digits"
COMMANDS = {
    "help": [["help", APP], ["help", APP, "optimizer", "--format", "markdown"]],
    "keys": [["keys", APP], ["keys", APP, "base.yaml"]],
    "check": [["check", APP, "base.yaml", "optimizer=sgd"], ["check", APP, "batch_sise=1"]],
    "show": [["show", APP, "base.yaml"], ["show", APP, "--format", "json"]],
    "explain": [["explain", APP, "optimizer.lr", "base.yaml"]],
    "diff": [["diff", "base.yaml", "base.yaml"], ["diff", "base.yaml", "base.yaml", "--app", APP]],
    "schema": [["schema", APP], ["schema", APP, "optimizer"]],
    "init": [["init", APP], ["init", APP, "new.yaml"]],
    "completion": [["completion", "bash"]],
    "runs": [["runs", "ls"]],
}
"""What each command that trains nothing is called with."""

TRAINING = {"run", "resume", "export"}
"""What reads or writes weights."""


def loaded_after(statement: str, folder: Path) -> set[str]:
    """The modules in a fresh process after a statement."""
    script = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split())


def test_the_public_names_are_these() -> None:
    assert typedcfg.__all__ == PUBLIC


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(typedcfg, name).__name__ == name for name in PUBLIC)


def test_importing_the_package_loads_none_of_what_it_stands_on(tmp_path: Path) -> None:
    loaded = loaded_after("import typedcfg", tmp_path)

    assert not loaded & {*HEAVY, "pydantic", "yaml", "orjson"}


def test_declaring_a_section_reads_no_files_and_trains_nothing(tmp_path: Path) -> None:
    loaded = loaded_after("from typedcfg import ConfigTemplate, Experiment, Runner, derived, section", tmp_path)

    assert not loaded & {*HEAVY, "yaml"}


def test_commands_that_train_nothing_load_nothing_to_train_with(tmp_path: Path) -> None:
    (tmp_path / "digits.py").write_text(EXPERIMENT)
    (tmp_path / "base.yaml").write_text("batch_size: 256\n")
    calls = [call for calls in COMMANDS.values() for call in calls]

    loaded = loaded_after(f"import typedcfg.cli.main as program; [program.call(call) for call in {calls}]", tmp_path)

    assert {f"typedcfg.cli.commands.{call[0]}" for call in calls} <= loaded
    assert not loaded & set(HEAVY)


def test_what_is_no_experiment_is_checked_without_the_sections_of_one(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(
        "from typedcfg import ConfigTemplate\nclass App(ConfigTemplate):\n    a: int = 1\n"
    )

    loaded = loaded_after("import typedcfg.cli.main as program; program.call(['check', 'plain.py:App'])", tmp_path)

    assert not loaded & {
        "typedcfg.sections.experiment",
        "typedcfg.compiler.expressions.grammar",
        "typedcfg.compiler.expressions.tokens",
        "typedcfg.compiler.expressions.tree",
    }


def test_every_command_is_among_those_looked_at() -> None:
    assert set(COMMANDS) | TRAINING == set(VERBS)
