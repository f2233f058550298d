import pytest

from typedcfg.compiler.expressions.references import Start, absolute, reference_to
from typedcfg.key_path import KeyPath, parse_key_path


@pytest.mark.parametrize(
    ("text", "start", "ups", "path"),
    [
        ("a", Start.TOP, 0, ("a",)),
        ("root.a", Start.ROOT, 0, ("a",)),
        ("here.a", Start.HERE, 0, ("a",)),
        ("parent.a", Start.PARENT, 1, ("a",)),
        ("parent.parent.a", Start.PARENT, 2, ("a",)),
        ('here["my-key"]', Start.HERE, 0, ("my-key",)),
        ("roots.a", Start.TOP, 0, ("roots", "a")),
    ],
)
def test_words_say_where_a_path_begins(text: str, start: Start, ups: int, path: KeyPath) -> None:
    assert reference_to(parse_key_path(text), 1)[:3] == (start, ups, path)


SECTIONS: tuple[KeyPath, ...] = ((), ("model",), ("model", "layers", 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b", ("part", "a", "b")),
        ("root.a.b", ("a", "b")),
        ("here.a", ("model", "layers", 1, "a")),
        ("parent.a", ("model", "a")),
        ("parent.parent.a", ("a",)),
        ("parent.parent.parent.a", None),
    ],
)
def test_a_reference_means_one_path_from_the_root(text: str, expected: KeyPath | None) -> None:
    reference = reference_to(parse_key_path(text), 1)

    assert absolute(reference, SECTIONS, ("model", "layers", 1), ("part",)) == expected
