"""What is said of settings that do not fit."""

from typing import Any

import pytest

from typedcfg import ConfigError, ConfigTemplate


def refusal(template: type[ConfigTemplate], /, *overrides: str, **presets: Any) -> str:
    """All that is told to somebody who compiles a template with these overrides, above these presets."""
    with pytest.raises(ConfigError) as caught:
        template.compile(overrides=overrides, presets=[presets])
    return str(caught.value)
