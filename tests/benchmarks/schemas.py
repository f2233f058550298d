"""Templates of any size as a file of Python, for what a command makes of them."""

from pathlib import Path
from typing import Final

_FIELDS: Final = (
    ("Annotated[float, Gt(0)]", "0.0125"),
    ("Annotated[int, Gt(0)]", "128"),
    ("bool", "True"),
    ("str", '"gelu"'),
    ("Annotated[float, Ge(0), Lt(1)]", "0.15"),
    ("Annotated[int, Ge(1)]", "4"),
    ("list[int]", "[2, 4, 8]"),
    ("float", "20.0"),
    ("float | None", "None"),
    ('Literal["relu", "gelu", "silu"]', '"relu"'),
    ("Annotated[float, Ge(0)]", "1e-05"),
    ("str | None", "None"),
    ("int", "0"),
)
"""What the leaves of a section are like."""

_HEAD: Final = """from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt

from typedcfg import ConfigTemplate
"""


def written_schema(leaves: int, folder: Path) -> str:
    """An APP with about so many leaves, 13 to a section, each section a class of its own and everything described."""
    count = max(1, leaves // len(_FIELDS))
    path = folder / f"schema_{leaves}.py"
    path.write_text("\n\n".join([_HEAD, *map(_section, range(count)), _root(count)]))
    return f"{path}:Root"


def _section(number: int) -> str:
    lines = [
        f'    value_{position}: {type_} = {default}\n    """What it is, in the words of its author."""'
        for position, (type_, default) in enumerate(_FIELDS)
    ]
    return "\n".join([f"class Section{number}(ConfigTemplate):", '    """Values that belong together."""', *lines])


def _root(count: int) -> str:
    return "\n".join(
        ["class Root(ConfigTemplate):", *(f"    section_{number}: Section{number}" for number in range(count))]
    )
