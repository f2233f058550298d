"""A plain tree as JSON that `read_json` reads as the same values."""

import json
from collections.abc import Mapping

from typedcfg.sources.escapes import written


def write_json(tree: Mapping[str, object]) -> str:
    r"""The tree, an entry to a line; NaN and the infinities as the standard library writes them.

    Text with `${` in it is written `$${`, and a key that begins with `$` as `$$`: both come back as they were.

    Raises:
        TypeError: A value has no JSON.

    Example:
        >>> print(write_json({"lr": 0.02, "name": "${x}", "clip": float("inf")}), end="")
        {
          "lr": 0.02,
          "name": "$${x}",
          "clip": Infinity
        }
    """
    return json.dumps(written(tree), indent=2, ensure_ascii=False) + "\n"
