"""The published table says of every built-in value whether it makes another run; `REGENERATE=1` writes it anew."""

import os
from collections.abc import Iterator
from pathlib import Path

from typedcfg import ConfigTemplate, Experiment
from typedcfg.template.catalog import catalog_of
from typedcfg.template.descriptions import descriptions_of
from typedcfg.template.nodes import SectionNode, VariantsNode

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "experiment-sections.md"
BEGIN, END = "<!-- begin", "<!-- end -->"


def rows(template: type[ConfigTemplate], above: str = "", kind: str = "", *, bears: bool = True) -> Iterator[str]:
    """A row for each leaf below a template."""
    for name, entry in catalog_of(template).entries.items():
        key, is_in = f"{above}{name}", bears and entry.is_in_identity
        if isinstance(entry.node, SectionNode):
            yield from rows(entry.node.template, f"{key}.", bears=is_in)
        elif isinstance(entry.node, VariantsNode):
            yield row(f"{key}.kind", "Which of them.", is_in=is_in)
            for word, variant in entry.node.templates.items():
                yield from rows(variant, f"{key}.", word, bears=is_in)
        elif not entry.is_kind:
            note = f" Of kind `{kind}`." if kind else ""
            yield row(key, descriptions_of(template)[name] + note, is_in=is_in)


def row(key: str, description: str, *, is_in: bool) -> str:
    return f"| `{key}` | {'in' if is_in else '-'} | {' '.join(description.split())} |"


def test_the_published_table_is_that_of_the_sections() -> None:
    before, _, rest = PAGE.read_text().partition(BEGIN)
    remark, _, after = rest.partition("\n")
    table = "\n".join(["| key | identity | what it is |", "|---|---|---|", *rows(Experiment)])
    page = f"{before}{BEGIN}{remark}\n\n{table}\n\n{END}{after.partition(END)[2]}"

    if os.environ.get("REGENERATE"):
        PAGE.write_text(page)

    assert PAGE.read_text() == page


def test_the_table_agrees_with_fingerprints() -> None:
    plain = Experiment.compile().fingerprint

    assert Experiment.compile(overrides=["trainer.devices=2"]).fingerprint != plain
    assert Experiment.compile(overrides=["logging.level=debug", "launch=torchrun"]).fingerprint == plain
