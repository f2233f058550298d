"""What a test says of a configuration, with a message that shows what differs."""

import pickle
from typing import Any

from typedcfg.compiler.config import Config
from typedcfg.key_path import render_key_path
from typedcfg.template.leaves import iter_leaves
from typedcfg.testing.compiling import compile_for_test


def assert_round_trips(config: Config[Any]) -> None:
    """Assert that a configuration is what its YAML and its pickle say, with the same fingerprint.

    A type of your own that cannot be written to a file, or is read back as another value, shows here. Secrets are
    written nowhere, and are given again.

    Raises:
        AssertionError: It is not, with the values that differ.
        UnsupportedValue: A value cannot be written.
    """
    secrets = {render_key_path(leaf.path): leaf.value for leaf in iter_leaves(config.params) if leaf.entry.is_secret}
    read = compile_for_test(type(config.params), {"config.yaml": config.to_yaml()}, overrides=secrets)
    _compare(config, read, "the YAML of a configuration is read back as another")
    _compare(config, pickle.loads(pickle.dumps(config)), "a configuration comes out of a pickle as another")  # noqa: S301  # our own bytes


def assert_same_identity(one: Config[Any], other: Config[Any]) -> None:
    """Assert that two configurations have one fingerprint: that they are the same run, given the same code.

    Raises:
        AssertionError: They have not, with the values that make them differ, and where each comes from.

    Example:
        >>> from typedcfg import ConfigTemplate
        >>> class Params(ConfigTemplate):
        ...     epochs: int = 10
        >>> assert_same_identity(Params.compile(), Params.compile(overrides=["epochs=20"]))
        Traceback (most recent call last):
        ...
        AssertionError: two configurations have two fingerprints
          epochs: 10 -> 20  (default -> overrides[0])
    """
    if one.fingerprint != other.fingerprint:
        bearing = [difference for difference in one.diff(other) if difference.is_in_identity]
        raise AssertionError(_told("two configurations have two fingerprints", bearing))


def _compare(one: Config[Any], other: Config[Any], what: str) -> None:
    if one != other or one.fingerprint != other.fingerprint:
        raise AssertionError(_told(what, one.diff(other)))


def _told(what: str, differences: Any) -> str:
    names = "their values are the same: the names that they are identified by are not"
    return "\n  ".join([what, *(map(str, differences) if differences else [names])])
