import pytest

from typedcfg.cli.completion.line import replacement, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("typedcfg ", ["typedcfg", ""]),
        ("typedcfg  run a\\ b", ["typedcfg", "run", "a b"]),
        ('typedcfg \'a b\' "c \\" d"', ["typedcfg", "a b", 'c " d']),
        ("typedcfg groups['x", ["typedcfg", "groups[x"]),
        ("typedcfg 'groups[\"a b", ["typedcfg", 'groups["a b']),
        ("", [""]),
        ("a \\", ["a", "\\"]),
    ],
)
def test_a_line_is_split_as_a_shell_would(text: str, words: list[str]) -> None:
    assert split(text, "=:").words == words


@pytest.mark.parametrize(
    ("text", "candidate", "replaced"),
    [
        ("t optim", "optimizer.", "optimizer."),
        ("t optimizer=s", "optimizer=sgd", "sgd"),
        ("t a.py:", "a.py:App", "App"),
        ("t --format=y", "--format=yaml", "yaml"),
        ("t lay", "layers[0].", "layers\\[0\\]."),
        ("t 'lay", "layers[0].", "layers[0]."),
        ('t "gro', 'groups["x"].', 'groups[\\"x\\"].'),
        ("t '~a", "~a.b", "~a.b"),
        ("t ~a", "~a.b", "~a.b"),
        ("t 'layers[0].'w", "layers[0].width=", "layers\\[0\\].width="),
        ("t a=b c", "cd", "cd"),
    ],
)
def test_bash_gets_what_it_puts_behind_what_it_keeps(text: str, candidate: str, replaced: str) -> None:
    assert replacement(candidate, split(text, "=:")) == replaced


def test_a_line_is_kept_whole_where_bash_breaks_at_spaces_alone() -> None:
    assert replacement("optimizer=sgd", split("t optimizer=s", "")) == "optimizer=sgd"
