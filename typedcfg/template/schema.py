"""What a template changes in the core schema that pydantic makes of it.

In the core schema rather than in the fields: there every annotation is resolved, so that forward references work,
and `model_fields` go on saying what the user wrote.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreConfig, CoreSchema, core_schema

from typedcfg.errors import Pending

AnySchema = dict[str, Any]
"""A core schema looked at as what it is, a nest of dicts; its TypedDicts are too many to tell apart here."""


def adapt(
    schema: CoreSchema,
    handler: GetCoreSchemaHandler,
    *,
    settle: Callable[[Any], Any],
    kinds_of: Callable[[type[BaseModel]], tuple[str, ...]],
) -> CoreSchema:
    """A template's schema in which sections fill themselves, unions go by `kind`, and instances are settled.

    Args:
        schema: What pydantic made of the class.
        handler: Resolves references to other schemas.
        settle: Called with each new instance, before the template's own validators.
        kinds_of: The kinds that a member of a union answers to; none if it is no variant.
    """
    outer = cast("AnySchema", handler.resolve_ref_schema(schema))
    holders: list[AnySchema] = []
    model = outer
    while model["type"] != "model":
        holders.append(model)
        model = model["schema"]
    # Of a section that another template had before, pydantic hands out the schema that was made then.
    is_settled = bool(holders) and _checked(holders[-1]) == settle
    if not is_settled:
        for holder in holders:
            _put_off(holder)
            _ask_back(holder)
    fields: AnySchema = model["schema"]
    while fields["type"] != "model-fields":
        fields = fields["schema"]
    walk = _Walk(handler, kinds_of)
    for field in fields["fields"].values():
        field["schema"] = walk.field(field["schema"])
    if is_settled:
        return cast("CoreSchema", outer)
    settled: AnySchema = dict(core_schema.no_info_after_validator_function(settle, cast("CoreSchema", model)))
    if not holders:
        # A reference belongs to the outermost schema of a class.
        for key in ("ref", "metadata"):
            if key in model:
                settled[key] = model.pop(key)
        return cast("CoreSchema", settled)
    holders[-1]["schema"] = settled
    return cast("CoreSchema", outer)


class _Walk:
    """A pass over the schemas of one template's fields."""

    def __init__(self, handler: GetCoreSchemaHandler, kinds_of: Callable[[type[BaseModel]], tuple[str, ...]]) -> None:
        self.handler = handler
        self.kinds_of = kinds_of
        self.aliases: set[str] = set()
        """The aliases that were walked already; one may hold itself."""

    def field(self, schema: AnySchema) -> AnySchema:
        """A field's schema; a section without a default is filled as if `{}` had been written there."""
        inner = self.below(schema)
        if inner["type"] != "default" and self.section(inner) is not None:
            filled = core_schema.with_default_schema(
                cast("CoreSchema", inner), default_factory=dict, validate_default=True
            )
            return cast("AnySchema", filled)
        return inner

    def below(self, schema: AnySchema) -> AnySchema:
        """A schema with the unions in it told apart by `kind`."""
        kind = schema["type"]
        if kind == "union":
            return self.union(schema)
        if kind == "definition-ref":
            self.alias(schema)
            return schema
        if kind.startswith("function-") and "schema" in schema and self.section(schema) is not None:
            _put_off(schema)
        part = {"list": "items_schema", "dict": "values_schema", "tuple": "items_schema"}.get(kind, "schema")
        if kind == "model" or part not in schema:
            return schema
        inner = schema[part]
        schema[part] = [self.below(item) for item in inner] if isinstance(inner, list) else self.below(inner)
        return schema

    def alias(self, reference: AnySchema) -> None:
        """Tell apart, in place, what an alias stands for; templates are referred to as well, and did so themselves."""
        found = self.resolved(reference)
        if found is None or self.section(found) is not None or found["ref"] in self.aliases:
            return
        self.aliases.add(found["ref"])
        changed = {**self.below(found), "ref": found["ref"]}
        found.clear()
        found.update(changed)

    def union(self, schema: AnySchema) -> AnySchema:
        """A union of variants as a tagged one, which goes straight to the variant that `kind` names."""
        choices = [choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]]
        schema["choices"] = choices = [self.below(choice) for choice in choices]
        tagged: dict[str, AnySchema] = {}
        for choice in choices:
            variants = self.variants(choice)
            if not variants:
                return schema
            tagged |= variants
        return cast(
            "AnySchema", core_schema.tagged_union_schema(cast("dict[Any, CoreSchema]", tagged), discriminator="kind")
        )

    def variants(self, choice: AnySchema) -> dict[str, AnySchema]:
        """A member of a union by each kind that it answers to, several if it is a union itself; none if no variant."""
        section = self.section(choice)
        if section is not None:
            return dict.fromkeys(self.kinds_of(section), choice)
        found = self.resolved(choice)
        return found["choices"] if found is not None and found["type"] == "tagged-union" else {}

    def section(self, schema: AnySchema) -> type[BaseModel] | None:
        """The template that a schema holds directly, through validators but not through lists."""
        while schema["type"] != "model":
            if schema["type"] == "definition-ref":
                found = self.resolved(schema)
                if found is None:
                    return None
                schema = found
            elif schema["type"].startswith("function-") and "schema" in schema:
                schema = schema["schema"]
            else:
                return None
        return cast("type[BaseModel]", schema["cls"])

    def resolved(self, schema: AnySchema) -> AnySchema | None:
        """A schema itself, where it is referred to by name.

        None for a class that is still being built: the union that it is a member of stays one that pydantic tries
        in turn.
        """
        try:
            return cast("AnySchema", self.handler.resolve_ref_schema(cast("CoreSchema", schema)))
        except LookupError:
            return None


class _WhenKnown(NamedTuple):
    """A validator that waits until there is a value where it reads a pending one."""

    check: Callable[..., Any]

    def __call__(self, value: Any, *info: Any) -> Any:
        try:
            return self.check(value, *info)
        except Pending:
            return value


def _put_off(schema: AnySchema) -> None:
    """Let a validator that reads a pending value wait until there is one."""
    check = schema["function"]["function"]
    if not isinstance(check, _WhenKnown):
        schema["function"] = {**schema["function"], "function": _WhenKnown(check)}


def _checked(schema: AnySchema) -> Callable[..., Any]:
    """What a validator's schema calls, put off or not."""
    check: Callable[..., Any] = schema["function"]["function"]
    return check.check if isinstance(check, _WhenKnown) else check


def _ask_back(schema: AnySchema) -> None:
    """Let a section's validator that forgets to return the section say so; pydantic would take None for it."""
    check = schema["function"]["function"]

    def returning(section: Any, *info: Any) -> Any:
        result = check(section, *info)
        if result is None:
            raise ValueError("a validator of the section returns nothing: end it with `return self`")
        return result

    schema["function"] = {**schema["function"], "function": returning}


def fields_schema(template: type[BaseModel]) -> tuple[dict[str, Any], list[Any], CoreConfig | None]:
    """The core schemas of a template's fields, the definitions that they refer to, and the template's core config."""
    if not template.__pydantic_complete__:
        template.model_rebuild(raise_errors=True)
    schema = cast("AnySchema", template.__pydantic_core_schema__)
    definitions: list[Any] = []
    config: CoreConfig | None = None
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions = schema["definitions"]
        if schema["type"] == "definition-ref":
            schema = next(d for d in definitions if d["ref"] == schema["schema_ref"])
            continue
        config = schema.get("config", config)
        schema = schema["schema"]
    return schema["fields"], definitions, config


def items_schema(schema: AnySchema) -> CoreSchema | None:
    """The schema of one value in a field's list or mapping; None where not all are of one type, or checked together."""
    while schema["type"] in ("default", "nullable"):
        schema = schema["schema"]
    part = {"list": "items_schema", "dict": "values_schema", "set": "items_schema"}.get(schema["type"])
    return cast("CoreSchema", schema[part]) if part in schema else None
