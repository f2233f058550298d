"""Tables of text: columns as wide as what stands in them."""

from collections.abc import Iterable, Sequence


def table(rows: Iterable[Sequence[str]], *, indent: str = "") -> str:
    """Rows as aligned columns, two spaces apart; the last column is not filled.

    Example:
        >>> print(table([["lr", "0.01"], ["momentum", "0.9"]]))
        lr        0.01
        momentum  0.9
    """
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)
