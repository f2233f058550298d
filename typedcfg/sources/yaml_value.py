"""What one value means that is written as text: on a command line, or in a variable.

Apart from the reader of documents, because most such values are plain scalars, and importing YAML's parser takes
longer than compiling them.
"""

from typedcfg.errors import ConfigError, Problem
from typedcfg.origin import Origin
from typedcfg.sources.yaml_scalars import resolve_plain


class NotAValue(ValueError):
    """A text begins like flow YAML and is none; a field that takes text may still take it as it stands."""

    def __init__(self, *problems: Problem) -> None:
        """Carry what the reader found."""
        super().__init__(*problems)
        self.problems = problems


def read_value(text: str, origin: Origin) -> object:
    """One value as a command line or a variable writes it.

    Text that begins with `[`, `{` or a quote is flow YAML; all other text is one plain scalar. Mappings and lists
    stand at `origin` throughout.

    Raises:
        NotAValue: The text begins like flow YAML and cannot be read as it.

    Example:
        >>> here = Origin("argument 4")
        >>> read_value("1e-3", here), read_value("[1, on]", here), read_value("{momentum: 0.9}", here)
        (0.001, [1, 'on'], {'momentum': 0.9})
    """
    try:
        if not text.startswith(("[", "{", '"', "'")):
            return resolve_plain(text)
        from typedcfg.sources.yaml_reader import read_flow

        return read_flow(text, origin)
    except ConfigError as error:
        raise NotAValue(*error.problems) from None
    except ValueError as error:
        raise NotAValue(Problem(str(error), where=str(origin))) from None
