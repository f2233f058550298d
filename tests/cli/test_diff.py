import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import SecretStr

from typedcfg import ConfigTemplate, NotInIdentity, derived
from typedcfg.cli.main import call

Command = Callable[..., int]
Told = pytest.CaptureFixture[str]

APP = """\
from typedcfg import ConfigTemplate, derived

class Params(ConfigTemplate):
    batch_size: int = 128
    lr: float = derived(lambda c: c.batch_size / 1000)
"""


class Params(ConfigTemplate):
    lr: float = 0.1
    half: float = derived(lambda c: c.lr / 2)
    workers: Annotated[int, NotInIdentity()] = 2
    token: SecretStr | None = None


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("lr: 0.1\nworkers: 2\ntoken: hunter2\n", encoding="utf-8")
    Path("b.toml").write_text('lr = 0.2\nworkers = 4\ntoken = "hunter3"\n', encoding="utf-8")


@pytest.fixture
def two_runs(command: Command, capsys: Told) -> list[str]:
    """The folders of two runs that differ in a learning rate."""
    command("run", "APP")
    command("run", "APP", "run.run_name=wide", "lr=0.1")
    capsys.readouterr()
    return [str(next(Path("experiments").glob(f"tiny-{name}-*"))) for name in ("run", "wide")]


def lines(capsys: Told) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_files_are_compared_as_they_stand(capsys: Told) -> None:
    Path("b.yaml").write_text("$extends: a.yaml\nlr: 0.2\nextra: {x: 1}\n", encoding="utf-8")

    assert call(["diff", "a.yaml", "b.yaml"]) == 0

    assert lines(capsys) == ["lr: 0.1 -> 0.2  (a.yaml:1:1 -> b.yaml:2:1)", "extra.x: absent -> 1  (b.yaml:3:9)"]


def test_with_an_app_files_are_compiled_by_it(capsys: Told) -> None:
    Path("app.py").write_text(APP, encoding="utf-8")
    Path("c.yaml").write_text("batch_size: 256\n", encoding="utf-8")
    Path("d.yaml").write_text("{}\n", encoding="utf-8")

    call(["diff", "d.yaml", "c.yaml", "--app", "app.py:Params"])

    batch_size, lr = lines(capsys)
    assert batch_size == "batch_size: 128 -> 256  (default -> c.yaml:1:1)"
    assert lr.startswith("lr: 0.128 -> 0.256  (derived: ")


def test_a_script_compares_by_its_own_template_and_shows_no_secret(capsys: Told) -> None:
    call(["diff", "a.yaml", "b.toml"], template=Params)

    told = lines(capsys)
    assert "workers: 2 -> 4  (a.yaml:2:1 -> b.toml, not in the identity)" in told
    assert any(line.startswith("token: a secret, not shown -> a secret, not shown") for line in told)
    assert "hunter" not in "".join(told)


def test_variables_count_as_they_do_for_show(capsys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMS__LR", "0.5")

    call(["diff", "a.yaml", "b.toml"], template=Params)

    assert [line.partition(":")[0] for line in lines(capsys)] == ["workers", "token"]


def test_a_program_gets_values_and_origins(capsys: Told) -> None:
    call(["diff", "a.yaml", "b.toml", "--json"], template=Params)

    told = {one["key"]: one for one in json.loads(capsys.readouterr().out)}
    assert (told["lr"]["before"], told["lr"]["now"], told["lr"]["now_origin"]) == (0.1, 0.2, "b.toml")
    assert [told[key]["in_identity"] for key in ("lr", "half", "workers")] == [True, True, False]
    assert told["token"].keys() & {"before", "now"} == set()


@pytest.mark.parametrize(
    ("arguments", "code"), [(["a.yaml", "b.toml"], 1), (["a.yaml", "a.yaml"], 0), (["a.yaml", "b.toml", "--json"], 1)]
)
def test_the_exit_code_tells_a_script_only_if_it_asks(arguments: list[str], code: int) -> None:
    assert call(["diff", *arguments]) == 0
    assert call(["diff", *arguments, "--exit-code"]) == code


def test_nothing_is_printed_where_nothing_differs(capsys: Told) -> None:
    call(["diff", "a.yaml", "a.yaml"])

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verb", [["diff"], ["runs", "diff"]])
def test_runs_are_compared_as_they_were_recorded(verb: list[str], two_runs: list[str], capsys: Told) -> None:
    assert call([*verb, *two_runs]) == 0

    told = lines(capsys)
    assert any(line.startswith("lr: ") and two_runs[1] in line for line in told)
    assert any(line.startswith("run.run_name: run -> wide") for line in told)
    assert not any("not in the identity" in line for line in told)


def test_a_run_that_waits_in_a_queue_is_compared_as_it_was_handed_in(
    command: Command, two_runs: list[str], capsys: Told
) -> None:
    command("run", "APP", "lr=0.3", "run.run_name=queued", "launch=slurm", "launch.submit=false")
    capsys.readouterr()

    assert call(["runs", "diff", two_runs[0], "tiny-queued"]) == 0

    assert any(line.startswith("lr: ") and "/slurm.yaml" in line for line in lines(capsys))


def test_a_run_is_compared_with_a_file(two_runs: list[str], capsys: Told) -> None:
    Path("mine.yaml").write_text(Path(two_runs[0], "run.yaml").read_text(encoding="utf-8"), encoding="utf-8")

    call(["diff", two_runs[0], "mine.yaml"])

    assert lines(capsys) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["a.yaml"], "B is missing"),
        (["a.yaml", "nope.yaml"], "no file 'nope.yaml'\n  at            argument 3"),
        (["a.yaml", "nope"], "there is no run nope"),
        (["a.yaml", "b.toml", "c.yaml"], "'c.yaml' is not understood here"),
        (["a.yaml", "b.toml", "--dotenv=.env"], "--dotenv sets values by their keys"),
        (["a.yaml", "b.toml", "--jsno"], "did you mean  --json"),
    ],
)
def test_what_cannot_be_compared_is_told(arguments: list[str], told: str, capsys: Told) -> None:
    assert call(["diff", *arguments]) == 2

    assert told in capsys.readouterr().err
