from pathlib import Path
from uuid import uuid4

import pytest

from typedcfg import Experiment
from typedcfg.errors import RunError
from typedcfg.records.run_record import TemplateReference
from typedcfg.runner.run_book import identity_of
from typedcfg.runner.run_folders import AT_THE_TOP, MARKER, marker_of
from typedcfg.runner.template_reference import check_loadable, check_same_class, check_trusted, is_same_class, refer_to


def test_a_class_is_referred_to_by_its_file(tiny: type[Experiment], tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    reference = refer_to(tiny)

    assert (reference.qualname, reference.module, reference.path) == ("Tiny", "tiny", "tiny.py")
    assert reference.app == f"{tmp_path.resolve() / 'tiny.py'}:Tiny"
    check_loadable(reference)


def test_a_class_in_a_package_is_referred_to_by_its_module() -> None:
    assert refer_to(Experiment).app == "typedcfg.sections.experiment:Experiment"


def test_a_class_within_a_function_cannot_be_loaded_elsewhere() -> None:
    class Local(Experiment):
        pass

    with pytest.raises(RunError, match=r"cannot be loaded in another process(.|\n)*trainer.devices=1"):
        check_loadable(refer_to(Local))


def reference(path: Path) -> TemplateReference:
    return TemplateReference(qualname="Tiny", module="tiny", path=None, absolute_path=str(path))


def test_code_in_the_repository_that_one_works_in_is_trusted(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()

    check_trusted(reference(tmp_path / "tiny.py"), here=tmp_path / "sub", runs=tmp_path / "experiments")


@pytest.mark.parametrize("place", ["../elsewhere/tiny.py", "experiments/tiny.py", "experiments/run/tiny.py"])
def test_code_elsewhere_and_among_the_runs_is_not_trusted(place: str, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)

    with pytest.raises(RunError, match="not imported on a record's word alone"):
        check_trusted(reference(repository / place), here=repository, runs=repository / "experiments")


@pytest.mark.parametrize("runs", [".", ".."])
def test_code_beside_a_run_that_was_moved_alone_is_trusted(runs: str, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)

    check_trusted(reference(repository / "tiny.py"), here=repository, runs=repository / runs)


def test_code_within_a_run_is_not_trusted_wherever_that_lies(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    run = tmp_path / "moved"
    run.mkdir()
    (run / MARKER).write_bytes(marker_of(uuid4(), AT_THE_TOP))

    with pytest.raises(RunError, match=rf"it lies in {run.resolve()}, where runs lie"):
        check_trusted(reference(run / "tiny.py"), here=tmp_path, runs=tmp_path)


def test_outside_a_repository_nothing_is_trusted(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the current folder is in no repository"):
        check_trusted(reference(tmp_path / "tiny.py"), here=tmp_path, runs=tmp_path / "experiments")


def test_one_class_has_one_name_and_one_file(tmp_path: Path) -> None:
    here, there = reference(tmp_path / "a.py"), reference(tmp_path / "b.py")
    Path(there.absolute_path).touch()

    assert is_same_class(here, here)
    assert not is_same_class(here, there)
    assert not is_same_class(here, here.model_copy(update={"qualname": "Other"}))


def test_a_class_stays_the_same_where_its_file_was_moved(tmp_path: Path) -> None:
    gone = reference(tmp_path / "old" / "tiny.py")

    assert is_same_class(reference(tmp_path / "new" / "tiny.py"), gone)


def test_a_class_stays_the_same_in_another_clone(tmp_path: Path) -> None:
    one, other = (
        reference(tmp_path / clone / "tiny.py").model_copy(update={"path": "tiny.py"}) for clone in ("a", "b")
    )
    Path(other.absolute_path).parent.mkdir()
    Path(other.absolute_path).touch()

    assert is_same_class(one, other)


@pytest.mark.parametrize(
    ("has_builders", "way"), [(True, "typedcfg resume runs/tiny --app "), (False, "move runs/tiny away")]
)
def test_a_class_of_one_name_in_two_files_may_be_a_copy(
    has_builders: bool,  # noqa: FBT001  # a parameter
    way: str,
    tiny: type[Experiment],
    tmp_path: Path,
) -> None:
    template = tiny if has_builders else type("Tiny", (Experiment,), {"__module__": "tiny"})
    (tmp_path / "other.py").touch()
    run = identity_of(tiny.compile())

    with pytest.raises(RunError, match=rf"Tiny stands in two files(.|\n)*copy of the other: {way}"):
        check_same_class(template, reference(tmp_path / "other.py"), run, folder=Path("runs/tiny"))
