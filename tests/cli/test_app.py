import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from typedcfg.cli.app import check_experiment, load_app
from typedcfg.errors import AppError, TemplateError

SOURCE = """
from typedcfg import ConfigTemplate
from neighbour_of_app import width
class Params(ConfigTemplate):
    width: int = width
class Other(ConfigTemplate): ...
"""


@pytest.fixture(autouse=True)
def _forget_modules() -> Iterator[None]:
    modules, path = dict(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in sys.modules.keys() - modules.keys():
        del sys.modules[name]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "neighbour_of_app.py").write_text("width = 7")
    path = tmp_path / "app_under_test.py"
    path.write_text(SOURCE)
    return path


def test_a_file_is_loaded_with_its_folder_first_on_the_path(app: Path) -> None:
    template = load_app(f"{app}:Params")

    assert template().model_dump() == {"width": 7}
    assert sys.path[0] == str(app.parent)


def test_a_file_is_loaded_once(app: Path) -> None:
    assert load_app(f"{app}:Params") is load_app(f"{app}:Params")


def test_a_module_is_found_from_the_current_folder(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(app.parent)

    assert load_app("app_under_test:Other").__name__ == "Other"


@pytest.mark.parametrize(
    "app", ["x" * 300 + ".py", "x" * 300 + ".py:Params", "x" * 300 + "/a.py:Params", "x" * 300 + ":Params"]
)
def test_a_name_that_no_file_can_have_is_answered(app: str) -> None:
    with pytest.raises(AppError):
        load_app(app)


def test_a_wrong_class_is_answered_with_those_there_are(app: Path) -> None:
    with pytest.raises(AppError, match=r"has no class 'Parms'(.|\n)*Params or Other(.|\n)*app_under_test.py:Params"):
        load_app(f"{app}:Parms")


def test_a_file_without_a_class_is_answered_with_its_first(app: Path) -> None:
    with pytest.raises(AppError, match=r"names a file and no class(.|\n)*app_under_test\.py:Params"):
        load_app(str(app))


def test_of_a_file_without_a_class_the_top_one_is_named(app: Path) -> None:
    app.write_text(
        "from typedcfg import ConfigTemplate\n"
        "class Part(ConfigTemplate): ...\n"
        "class Top(ConfigTemplate):\n    part: Part\n"
        "class Wrong(ConfigTemplate):\n    part: 'Nothing'\n"
    )

    with pytest.raises(AppError, match=r"did you mean +.*app_under_test\.py:Top"):
        load_app(str(app))


def test_what_is_no_template_is_refused(app: Path) -> None:
    with pytest.raises(AppError, match=r"width in .* is no ConfigTemplate"):
        load_app(f"{app}:width")


def test_a_section_that_is_run_is_answered_with_the_experiment(app: Path) -> None:
    app.write_text(f"{SOURCE}\nfrom typedcfg import Experiment\nclass Whole(Experiment):\n    part: Params\n")
    check_experiment(load_app(f"{app}:Whole"), f"{app}:Whole")

    with pytest.raises(
        AppError, match=r"Params in .* is no Experiment(.|\n)*Whole, which it has\n.*app_under_test\.py:Whole"
    ):
        check_experiment(load_app(f"{app}:Params"), f"{app}:Params")


def test_a_missing_file_is_answered_with_the_nearest(app: Path) -> None:
    with pytest.raises(AppError, match=r"there is no file .*(.|\n)*did you mean .*app_under_test\.py:Params"):
        load_app(f"{app.with_name('app_under_tst.py')}:Params")
    with pytest.raises(AppError, match=r"fix +the folder has app_under_test\.py, neighbour_of_app\.py"):
        load_app(f"{app.with_name('nope.py')}:Params")


def test_an_import_that_fails_is_told_with_its_line(app: Path) -> None:
    app.write_text("x = 1\nimport no_such_module_at_all\n")

    with pytest.raises(AppError, match=r"no_such_module_at_all(.|\n)*app_under_test\.py:2"):
        load_app(f"{app}:Params")


def test_the_place_of_a_failed_import_is_in_ones_own_code(app: Path) -> None:
    app.write_text("from typedcfg import ConfigTemplate\nclass Params(ConfigTemplate):\n    z = 3\n")

    with pytest.raises(AppError) as refused:
        load_app(f"{app}:Params")

    [problem] = refused.value.problems
    assert problem.where.startswith(f"{app}:2, in ")
    assert "A non-annotated attribute was detected: `z = 3`" in problem.what
    assert "\n" not in problem.what


def test_a_path_without_its_ending_is_no_module(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app.parent / "sub").mkdir()
    monkeypatch.chdir(app.parent / "sub")

    with pytest.raises(AppError, match=r"names no module(.|\n)*did you mean +\.\./app_under_test\.py:Params"):
        load_app("../app_under_test:Params")


def test_a_syntax_error_is_told_with_its_place(app: Path) -> None:
    app.write_text("x = 1\ndef f(:\n")

    with pytest.raises(AppError, match=r"SyntaxError(.|\n)*app_under_test\.py:2:7"):
        load_app(f"{app}:Params")


def test_a_wrong_declaration_stays_what_it_is(app: Path) -> None:
    app.write_text("from typedcfg import ConfigTemplate\nclass Params(ConfigTemplate):\n    items: int = 1\n")

    with pytest.raises(TemplateError, match="items"):
        load_app(f"{app}:Params")


def test_a_file_does_not_stand_in_for_a_module_that_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(SOURCE)

    with pytest.raises(AppError, match="a module named 'json' is loaded already"):
        load_app(f"{tmp_path / 'json.py'}:Params")


@pytest.mark.parametrize("line", ["main(Params, arguments=['check'])", "raise SystemExit(0)"])
def test_a_module_that_ends_the_program_has_not_been_checked(app: Path, line: str) -> None:
    app.write_text(f"from typedcfg import ConfigTemplate, main\nclass Params(ConfigTemplate): ...\n{line}\n")

    with pytest.raises(AppError, match=r"ends the program while it is imported(.|\n)*__main__"):
        load_app(f"{app}:Params")


def test_a_folder_is_no_app_and_may_be_a_run(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        load_app(str(tmp_path))

    assert "`typedcfg runs show` shows it, `typedcfg resume` goes on with it" in str(caught.value)
