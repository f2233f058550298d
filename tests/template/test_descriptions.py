import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import ClassVar, Generic, TypeVar

import pytest
from pydantic import Field

from typedcfg.origin import Origin
from typedcfg.template import descriptions
from typedcfg.template.base import ConfigTemplate
from typedcfg.template.descriptions import declared_at, descriptions_of, summary_of

T = TypeVar("T")


class Base(ConfigTemplate):
    """What every loader has.

    A second paragraph, which says more.
    """

    limit: ClassVar[int] = 3
    """No field."""
    batch_size: int = 128
    """Samples per step and rank.

    Spread over
    two lines.
    """
    silent: int = 1
    path: str = Field("data", description="Where the data lies.")
    """Not read: the field has said it already."""


class Derived(Base):
    silent: int = 2
    """Spoken of in the subclass."""
    batch_size: int = 64


class Box(ConfigTemplate, Generic[T]):
    content: T
    """What is in it."""


def test_a_docstring_below_a_field_is_its_description() -> None:
    assert descriptions_of(Base)["batch_size"] == "Samples per step and rank.\n\nSpread over\ntwo lines."


def test_a_field_that_nobody_described_is_left_out() -> None:
    assert set(descriptions_of(Base)) == {"batch_size", "path"}


def test_a_field_s_own_description_counts_before_a_docstring() -> None:
    assert descriptions_of(Base)["path"] == "Where the data lies."


def test_descriptions_are_inherited_and_may_be_replaced() -> None:
    found = descriptions_of(Derived)

    assert found["silent"] == "Spoken of in the subclass."
    assert found["batch_size"].startswith("Samples per step and rank.")
    assert found["path"] == "Where the data lies."


def test_a_parametrised_template_is_described_as_its_origin() -> None:
    assert descriptions_of(Box[int]) == {"content": "What is in it."}


def test_a_class_within_a_function_is_found() -> None:
    class Local(ConfigTemplate):
        lr: float = 0.1
        """The learning rate."""

    assert descriptions_of(Local) == {"lr": "The learning rate."}


def test_a_field_is_declared_where_its_nearest_class_says_so() -> None:
    lines = Path(__file__).read_text().splitlines()

    assert declared_at(Derived, "batch_size") == Origin(__file__, lines.index("    batch_size: int = 64") + 1)
    assert declared_at(Derived, "path") == declared_at(Base, "path")


def test_what_no_class_declares_has_no_place() -> None:
    assert declared_at(Base, "nope") is None


def test_the_summary_is_the_first_paragraph_of_the_class_s_own_docstring() -> None:
    assert summary_of(Base) == "What every loader has."
    assert summary_of(Derived) == ""


# --- where the source is not what it was ----------------------------------------------------------------------------

SOURCE = '''
from pydantic import Field
from typedcfg.template.base import ConfigTemplate

class Loader(ConfigTemplate):
    workers: int = 2
    """How many processes read."""
    path: str = Field("data", description="Where the data lies.")
'''


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Imports a module from a text."""

    def load_module(text: str) -> ModuleType:
        (tmp_path / "planted_templates.py").write_text(dedent(text))
        return import_module("planted_templates")

    monkeypatch.syspath_prepend(tmp_path)
    yield load_module
    sys.modules.pop("planted_templates", None)


def test_without_source_only_the_field_s_own_description_is_known() -> None:
    names: dict[str, type[ConfigTemplate]] = {}
    exec(SOURCE, names)  # what a shell does

    assert descriptions_of(names["Loader"]) == {"path": "Where the data lies."}
    assert declared_at(names["Loader"], "workers") is None


def test_source_in_a_zip_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "templates.zip", "w") as archive:
        archive.writestr("zipped_templates.py", SOURCE)
    monkeypatch.syspath_prepend(tmp_path / "templates.zip")

    loader = import_module("zipped_templates").Loader

    assert descriptions_of(loader)["workers"] == "How many processes read."


def test_a_file_that_was_removed_since_describes_nothing(load: Callable[[str], ModuleType], tmp_path: Path) -> None:
    module = load(SOURCE)
    (tmp_path / "planted_templates.py").unlink()

    assert set(descriptions_of(module.Loader)) == {"path"}


def test_a_file_that_no_longer_parses_describes_nothing(load: Callable[[str], ModuleType], tmp_path: Path) -> None:
    module = load(SOURCE)
    (tmp_path / "planted_templates.py").write_text("class Loader(")

    assert set(descriptions_of(module.Loader)) == {"path"}


def test_of_two_classes_with_one_name_the_one_with_these_fields_is_read(load: Callable[[str], ModuleType]) -> None:
    module = load(SOURCE + "\nkept = Loader\n\nclass Loader(ConfigTemplate):\n    other: int = 1\n    'Another.'\n")

    assert descriptions_of(module.kept)["workers"] == "How many processes read."
    assert descriptions_of(module.Loader) == {"other": "Another."}


def test_the_sources_of_classes_without_fields_are_not_parsed(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(descriptions, "_statement", lambda cls: asked.append(cls.__qualname__))

    descriptions_of(load(SOURCE).Loader)

    assert "Loader" in asked
    assert not {"ConfigTemplate", "BaseModel"} & set(asked)
