import pytest

from typedcfg import ConfigError, ConfigTemplate
from typedcfg.cli.context import Context, UsageError, default_prefix


class Params(ConfigTemplate):
    width: int = 1
    name: str = ""


def context(verb: str, *words: str) -> Context:
    return Context(verb, list(enumerate(words, 2)), Params, ())


def test_options_are_taken_out_of_the_arguments() -> None:
    found = context("check", "width=2", "--env-prefix", "X__", "--dotenv=my.env")

    assert found.options == {"--env-prefix": "X__", "--dotenv": "my.env"}
    assert found.word("KEY") == "width=2"


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--dotenv has no value(.|\n)*--dotenv FILE"):
        context("check", "--dotenv")


def test_a_flag_takes_no_value() -> None:
    found = context("run", "--again", "width=2")

    assert found.options == {"--again": ""}


def test_arguments_keep_their_position_on_the_command_line() -> None:
    config = context("check", "--env-prefix", "X__", "width=2").compile(Params)

    assert "argument 4" in config.explain("width")


def test_variables_begin_with_the_name_of_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMS__WIDTH", "3")

    assert context("check").compile(Params)["width"] == 3


def test_another_prefix_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMS__WIDTH", "3")
    monkeypatch.setenv("OTHER__WIDTH", "4")

    assert context("check", "--env-prefix", "OTHER__").compile(Params)["width"] == 4


def test_presets_stand_below_everything_else() -> None:
    found = Context("check", [(2, "width=2")], Params, ({"width": 5, "name": "preset"},))

    assert found.compile(Params).plain() == {"width": 2, "name": "preset"}


def test_what_is_left_over_is_refused_with_its_position() -> None:
    found = context("help", "width", "more")
    found.word("KEY")

    with pytest.raises(UsageError, match=r"'more' is not understood here(.|\n)*argument 3"):
        found.finish()


@pytest.mark.parametrize("words", [["--agian"], ["--agian", "width=2"], ["--agian=width"], ["--debgu"]])
def test_a_misspelt_option_is_answered_with_the_nearest(words: list[str]) -> None:
    with pytest.raises(UsageError, match=r"no option --(.|\n)*argument 2(.|\n)*did you mean +--(again|debug)"):
        context("run", *words).compile(Params)


def test_a_misspelt_option_is_none_that_is_missing() -> None:
    with pytest.raises(UsageError, match=r"no option --jsno(.|\n)*did you mean +--json"):
        context("runs", "--jsno", "ls").word("ls or show")


def test_a_field_that_is_called_nearly_as_an_option_is_a_setting() -> None:
    class Learning(ConfigTemplate):
        gain: int = 1

    assert context("run", "--gain", "2").compile(Learning)["gain"] == 2


def test_a_choice_is_one_of_its_choices() -> None:
    with pytest.raises(UsageError, match=r"no choice 'jsn'(.|\n)*did you mean +json"):
        context("show", "--format", "jsn").choice("--format")


@pytest.mark.parametrize(
    ("name", "prefix"), [("Digits", "DIGITS__"), ("DigitsCnn", "DIGITS_CNN__"), ("CNNDigits2", "CNN_DIGITS2__")]
)
def test_a_class_name_makes_a_prefix(name: str, prefix: str) -> None:
    assert default_prefix(type(name, (ConfigTemplate,), {})) == prefix


def test_an_option_of_another_command_is_named_as_such() -> None:
    with pytest.raises(UsageError, match=r"--format is no option of check(.|\n)*help or show takes it"):
        context("check", "--format", "yaml").compile(Params)


def test_a_file_of_variables_is_asked_for_by_its_option() -> None:
    with pytest.raises(ConfigError, match="--dotenv"):
        context("check", "--dotenv", "none.env").compile(Params)


@pytest.mark.parametrize(("verb", "word"), [("check", "-v"), ("runs", "-v"), ("export", "-x=1")])
def test_one_dash_where_a_word_belongs_is_no_option(verb: str, word: str) -> None:
    with pytest.raises(UsageError, match=rf"no option {word[:2]}\n +at +argument 2\Z"):
        context(verb, word).word("RUN")


def test_one_dash_that_should_be_two_is_answered_with_the_option() -> None:
    with pytest.raises(UsageError, match=r"no option -json(.|\n)*did you mean +--json"):
        context("runs", "-json").finish()


def test_one_dash_before_a_setting_is_answered_with_options_and_keys_that_exist() -> None:
    with pytest.raises(ConfigError, match=r"'-v'(.|\n)*'-width'(.|\n)*did you mean +--width") as caught:
        context("check", "-v", "-width=2").compile(Params)

    assert [problem.suggestion for problem in caught.value.problems] == [None, "--width"]
