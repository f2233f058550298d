"""JSON as records write it: orjson's, with numbers that JSON does not have spelt as text.

orjson writes NaN and the infinities as `null`, and a score that diverged would read as one that was never measured.
Records spell them `"NaN"`, `"Infinity"` and `"-Infinity"`; a field that holds a number reads them back.
"""

from collections.abc import Mapping
from math import isfinite, isnan
from pathlib import Path

import orjson

from typedcfg.errors import DamagedRecord, Problem, RecordError
from typedcfg.refusal import refusal


def to_json(value: object, *, indent: bool = False) -> bytes:
    """The JSON text of a value, numbers that are not finite spelt out; ends in a newline when indented.

    Raises:
        TypeError: The value holds something that JSON has no form for.

    Example:
        >>> to_json({"loss": float("nan"), "accuracy": 0.5})
        b'{"loss":"NaN","accuracy":0.5}'
    """
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if indent else 0
    return orjson.dumps(_spelt(value), option=options)


def read_json(path: Path) -> object:
    """The value of a JSON file.

    Raises:
        RecordError: There is no such file, or it may not be read.
        DamagedRecord: It is not JSON.
    """
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        if isinstance(error, FileNotFoundError):  # what to do then, knows who asks
            raise RecordError(Problem(f"cannot read {path.name}: {error.strerror}", where=str(path))) from error
        raise refusal(path, "read", error) from error
    except orjson.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        raise DamagedRecord(Problem(f"{path.name} is not JSON: {error.msg}", where=where)) from error


def _spelt(value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _spelt(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spelt(entry) for entry in value]
    return value
