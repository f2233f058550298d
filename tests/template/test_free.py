import pytest

from typedcfg.errors import ConfigError
from typedcfg.template.free import Held, Keys, free_template


def test_any_value_stands_under_any_key() -> None:
    values: dict[str, object] = {"keys": 1, "_x": None, "my-key": [1.5, {"a": "b"}], "json": {}}

    config = free_template("Anything", dict.fromkeys(values, Held.ANYTHING)).compile(presets=[values])

    assert config.params.__dict__ == values


def test_what_nobody_sets_is_not_set() -> None:
    config = free_template("Anything", {"a": Held.ANYTHING, "b": Held.ANYTHING}).compile(overrides=["a=1", "b=2", "~b"])

    assert config.params.model_fields_set == {"a"}
    assert "default" not in config.explain("a")


def test_another_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown key 'b'"):
        free_template("Anything", {"a": Held.ANYTHING}).compile(overrides=["b=1"])


def test_a_secret_key_shows_no_value() -> None:
    template = free_template("Anything", {"a": Held.ANYTHING, "b": Held.SECRETS})

    config = template.compile(presets=[{"a": "seen", "b": {"c": "hunter2"}}])

    assert "seen" in config.explain()
    assert "hunter2" not in config.explain() + config.explain("b.c")
    with pytest.raises(ConfigError, match="which is a secret"):
        template.compile(presets=[{"a": "${b.c}", "b": {"c": "hunter2"}}])


def test_a_section_has_keys_of_its_own() -> None:
    template = free_template("Anything", {"a": {"b": Held.SECRETS, "c": Held.ANYTHING}, "d": Held.ANYTHING})

    config = template.compile(presets=[{"a": {"b": "hunter2", "c": [1]}, "d": "${a.c[0]}"}])

    assert config["d"] == 1
    assert "hunter2" not in config.explain()


def test_a_template_is_made_once_for_its_keys() -> None:
    keys: Keys = {"a": Held.ANYTHING, "b": {"c": Held.ANYTHING}}

    assert free_template("Anything", keys) is free_template("Anything", dict(keys))
