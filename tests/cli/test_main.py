import errno
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Gt

from typedcfg import ConfigTemplate, Experiment, Unit, derived, main, section
from typedcfg.cli.commands import check
from typedcfg.cli.main import call


class Loader(ConfigTemplate):
    batch_size: Annotated[int, Gt(0), Unit("samples")] = 128


class AdamW(ConfigTemplate):
    kind: Literal["adamw"] = "adamw"
    lr: float = derived(lambda c: c.root.loader.batch_size / 128 * 0.01)


class Sgd(ConfigTemplate):
    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.0


class Params(ConfigTemplate):
    loader: Loader
    optimizer: AdamW | Sgd = section(AdamW)


class Free(ConfigTemplate):
    rates: dict[str, float] = {"a": 0.5}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_check_says_that_a_configuration_compiles(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["check", "loader.batch_size=256"], template=Params)

    assert code == 0
    assert capsys.readouterr().out.startswith("Params compiles, fingerprint v1-")


def test_check_notes_what_a_run_would_lack(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["check"], template=Experiment)

    assert code == 0
    assert "note: Experiment does not define build_data: it cannot be run\n" in capsys.readouterr().out


def test_check_notes_what_went_with_another_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sgd.yaml").write_text("optimizer: {kind: sgd, momentum: 0.9}\n")

    call(["check", "sgd.yaml", "optimizer=adamw"], template=Params)

    assert "note: optimizer.momentum (sgd.yaml:1:24) does not count" in capsys.readouterr().out


def test_a_mistake_ends_with_code_2_and_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_text("loader:\n  batch_size: 3\noptimizer:\n  lrr: 0.1\n")

    code = call(["check", "bad.yaml"], template=Params)

    error = capsys.readouterr().err
    assert code == 2
    assert "unknown key 'optimizer.lrr'\n  at            bad.yaml:4:3\n" in error
    assert "did you mean  lr" in error
    assert "Traceback" not in error


def test_mistakes_of_two_files_and_a_variable_are_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text("optimizer: {lrr: 1}\n")
    (tmp_path / "b.yaml").write_text("loader: {batch_size: many}\n")
    monkeypatch.setenv("PARAMS__LOADER__BATCHSIZE", "3")

    code = call(["check", "a.yaml", "b.yaml"], template=Params)

    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("3 problems in the configuration")
    assert all(place in error for place in ("a.yaml:1:13", "b.yaml:1:10", "variable PARAMS__LOADER__BATCHSIZE"))


def test_debug_shows_where_an_error_was_raised() -> None:
    with pytest.raises(Exception, match="unknown key"):
        call(["check", "--debug", "loadr.batch_size=1"], template=Params)


def test_show_prints_values_with_their_origins(capsys: pytest.CaptureFixture[str]) -> None:
    call(["show", "loader.batch_size=256"], template=Params)

    assert "lr: 0.02     # derived: loader.batch_size / 128 * 0.01  <- argument 2" in capsys.readouterr().out


def test_what_show_prints_compiles_to_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(["show", "--format", "yaml", "optimizer=sgd"], template=Params)
    (tmp_path / "shown.yaml").write_text(capsys.readouterr().out)

    assert Params.compile("shown.yaml") == Params.compile(overrides=["optimizer=sgd"])


@pytest.mark.parametrize("form", ["origins", "yaml", "json", "toml"])
def test_what_show_prints_replaces_what_a_file_replaced(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suffix = "yaml" if form == "origins" else form
    (tmp_path / "few.yaml").write_text("rates: {$replace: true, b: 1}\n")
    call(["show", "few.yaml", "--format", form], template=Free)
    (tmp_path / f"shown.{suffix}").write_text(capsys.readouterr().out)

    assert Free.compile(f"shown.{suffix}") == Free.compile("few.yaml")


def test_show_prints_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    call(["show", "--format=json"], template=Params)

    assert json.loads(capsys.readouterr().out)["loader"] == {"batch_size": 128}


def test_explain_asks_for_one_key(capsys: pytest.CaptureFixture[str]) -> None:
    call(["explain", "loader.batch_size", "loader.batch_size=3"], template=Params)

    assert "wins      3    argument 3" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["explain", "help"])
def test_a_key_of_any_length_is_answered(verb: str) -> None:
    assert call([verb, "x" * 300], template=Params) == 2


def test_explain_says_that_its_key_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "base.yaml").write_text("loader: {batch_size: 3}\n")

    assert call(["explain", "base.yaml", "loader.batch_size"], template=Params) == 2

    told = capsys.readouterr().err
    assert told.startswith("base.yaml is a file, and stands where KEY should\n  expected ")
    assert " explain KEY [FILES] [key=value ...]" in told


def test_keys_of_a_template_name_the_kinds_they_need(capsys: pytest.CaptureFixture[str]) -> None:
    call(["keys"], template=Params)

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["optimizer.momentum", "number", "with", "optimizer=sgd"] in lines


def test_keys_of_a_configuration_say_where_values_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    call(["keys", "loader.batch_size=3"], template=Params)

    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("loader.batch_size = 3") for line in lines)
    assert all(" = " in line for line in lines)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["--version"]) == 0

    assert capsys.readouterr().out == f"typedcfg {metadata.version('typedcfg')}\n"


def test_help_is_that_of_the_template(capsys: pytest.CaptureFixture[str]) -> None:
    call(["help", "loader.batch_size"], template=Params)

    assert "integer > 0 [samples]" in capsys.readouterr().out


def test_help_names_the_variables_that_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    call(["help"], template=Params)
    call(["help", "--env-prefix=OTHER__"], template=Params)

    told = capsys.readouterr().out
    assert "$PARAMS__LOADER__BATCH_SIZE\n" in told
    assert "$OTHER__LOADER__BATCH_SIZE\n" in told


@pytest.mark.parametrize("key", [[], ["loader"], ["loader.batch_size"]])
def test_help_with_files_shows_values_and_where_they_come_from(
    key: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wide.yaml").write_text("loader: {batch_size: 256}\n")

    call(["help", *key, "wide.yaml"], template=Params)

    assert re.search(r"now +256  \(wide.yaml:1:10\)\n", capsys.readouterr().out)


def test_help_with_settings_shows_which_variant_they_choose(capsys: pytest.CaptureFixture[str]) -> None:
    call(["help", "optimizer=sgd", "loader.batch_size=256"], template=Params)

    told = capsys.readouterr().out
    assert "optimizer.kind = sgd, chosen by argument 2\n" in told
    assert "now 256  (argument 3)\n" in told


def test_help_shows_what_a_derived_value_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    call(["help", "optimizer.lr", "loader.batch_size=256"], template=Params)

    told = capsys.readouterr().out
    assert "default   = loader.batch_size / 128 * 0.01\n" in told
    assert "now       0.02  (derived <- argument 3)\n" in told


def test_help_of_a_file_that_is_not_there_is_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["help", "wide.yaml"], template=Params)

    assert code == 2
    assert "no file 'wide.yaml'" in capsys.readouterr().err


def test_help_of_a_wrong_key_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code = call(["help", "optimizer.lrr"], template=Params)

    assert code == 2
    assert "did you mean  optimizer.lr" in capsys.readouterr().err


def test_keys_for_a_program_say_all_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    call(["keys", "--json"], template=Params)

    size, kind, rate, momentum = json.loads(capsys.readouterr().out)
    assert size == {
        "key": "loader.batch_size",
        "name": "batch_size",
        "type": "integer > 0 [samples]",
        "constraints": ["x > 0"],
        "unit": "samples",
        "env": "PARAMS__LOADER__BATCH_SIZE",
        "required": False,
        "default": 128,
        "in_identity": True,
    }
    assert (kind["key"], kind["choices"], kind["default"]) == ("optimizer.kind", ["adamw", "sgd"], "adamw")
    assert rate["formula"] == "loader.batch_size / 128 * 0.01"
    assert (momentum["key"], momentum["kind"]) == ("optimizer.momentum", "sgd")


def test_keys_for_a_program_have_values_where_a_configuration_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    call(["keys", "--json", "optimizer=sgd"], template=Params)

    told = {record["key"]: (record["value"], record["origin"]) for record in json.loads(capsys.readouterr().out)}
    assert told == {
        "loader.batch_size": (128, "default"),
        "optimizer.kind": ("sgd", "argument 3"),
        "optimizer.momentum": (0.0, "default"),
    }


def test_without_a_verb_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert call([]) == 0
    assert "explain APP KEY" in capsys.readouterr().out


def test_an_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["chek"]) == 2
    assert "did you mean  check" in capsys.readouterr().err


def test_a_script_exits_with_the_code_of_its_command() -> None:
    with pytest.raises(SystemExit) as exited:
        main(Params, arguments=["check", "loader.batch_size=-1"])

    assert exited.value.code == 2


@pytest.mark.parametrize("command", ["-m typedcfg help params.py:Params", "params.py show", "params.py check"])
def test_a_reader_that_goes_away_is_no_error(command: str, tmp_path: Path) -> None:
    (tmp_path / "params.py").write_text(
        "from typedcfg import ConfigTemplate, main\n"
        "class Params(ConfigTemplate): ...\n"
        "if __name__ == '__main__':\n"
        "    main(Params)\n"
    )
    line = f"{sys.executable} {command} | sleep 0"

    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_help_is_given_where_the_configuration_does_not_compile(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["help", "loader", "loader.batch_size=many"], template=Params) == 2

    told = capsys.readouterr()
    assert "integer > 0 [samples]" in told.out
    assert told.err.startswith("note: no values are shown, for the configuration does not compile\n")
    assert "loader.batch_size = 'many' is wrong\n  at            argument 3" in told.err


def test_help_refuses_an_option_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["help", "--formt=json"], template=Params) == 2

    assert "did you mean  --format" in capsys.readouterr().err


@pytest.mark.parametrize("buffering", ["", "1"])
def test_an_output_that_cannot_be_written_is_told_and_not_traced(tmp_path: Path, buffering: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "typedcfg", "check", f"{__file__}:Params"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONUNBUFFERED": buffering},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("cannot print: No space left on device\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("output", "arguments", "code"), [(">&-", "", 0), ("2>&-", "loader=3", 2), ("2>/dev/full", "loader=3", 2)]
)
def test_the_code_says_how_it_went_where_nothing_can_be_told(
    tmp_path: Path, output: str, arguments: str, code: int
) -> None:
    command = f"{sys.executable} -m typedcfg check {__file__}:Params {arguments} {output}"

    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_what_the_operating_system_refuses_is_told_with_the_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> int:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "gone/a.tmp")

    monkeypatch.setattr(check, "run", refuse)

    code = call(["check", f"{__file__}:Params"])

    assert code == 1
    assert capsys.readouterr().err == (
        "the operating system refused: No such file or directory\n"
        "  at            gone/a.tmp\n"
        "  fix           make the folder first: mkdir -p gone; --debug shows the traceback\n"
    )


def test_letters_that_the_output_has_not_are_told_and_not_replaced(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "typedcfg", "show", f"{__file__}:Free", "rates={größe: 1}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.startswith("cannot print '\\xf6\\xdf': the output is encoded as ascii\n")
