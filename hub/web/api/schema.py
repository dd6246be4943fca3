"""From msgspec types to what OpenAPI says of them, and the types of arguments as strictly as the API takes them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, defstruct

from hub.domain.errors import Refused

PLACE = "#/components/schemas/{name}"
LARGEST = 2**31 - 1
"""Above every number that somebody means, and well within what a database holds."""
YEARS = range(1971, 9000)
"""Years of dates that can be counted with: a zone or a term added to them still gives a date."""

Instant = Annotated[datetime, Meta(tz=True)]
Number = Annotated[int, Meta(ge=-LARGEST, le=LARGEST)]
Amount = Annotated[str, Meta(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$", description="A sum as text, such as 1500000.50.")]

SIMPLE: dict[Any, Any] = {datetime: Instant, int: Number, Decimal: Amount}


def strict(kind: Any) -> Any:
    """``kind`` with nothing left to guess: instants with their offset, numbers within bounds, sums as text."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return Union[tuple(strict(a) for a in arguments)]  # noqa: UP007  built of parts
    if origin in (tuple, dict, list):
        return origin[tuple(a if a is Ellipsis else strict(a) for a in arguments)]
    return kind


def body_of(name: str, kind: type[Struct], about: str, extra: dict[str, tuple[Any, Any]],
            without: frozenset[str]) -> type[Struct]:
    """The body of a request for ``kind``: its fields strictly, and ``extra`` ones (type, default)."""
    fields: list[Any] = []
    for info in msgspec.structs.fields(kind):
        if info.name in without:
            continue
        if info.required:
            fields.append((info.name, strict(info.type)))
        elif info.default is not msgspec.NODEFAULT:
            fields.append((info.name, strict(info.type), info.default))
        else:
            fields.append((info.name, strict(info.type), msgspec.field(default_factory=info.default_factory)))
    fields += [(field, *rest) for field, rest in extra.items()]
    return defstruct(name, fields, kw_only=True, forbid_unknown_fields=True, frozen=True, namespace={"__doc__": about})


def schemas(kinds: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """JSON Schemas of ``kinds`` in order, and those of the classes that they name."""
    found, components = msgspec.json.schema_components(kinds, ref_template=PLACE)
    return list(found), components


def even(schema: Any) -> Any:
    """``schema`` with every fixed row of things told as an array of so many of them: not all readers know ``prefixItems``."""
    if isinstance(schema, list):
        return [even(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kinds = [even(one) for one in schema.get("prefixItems", ())]
    told = {key: even(one) for key, one in schema.items() if key != "prefixItems"}
    if kinds:
        told["items"] = kinds[0] if all(one == kinds[0] for one in kinds) else {"anyOf": kinds}
    return told


def parameters(query: type[Struct]) -> list[dict[str, Any]]:
    """The fields of ``query`` as parameters of the address."""
    (_,), components = schemas([query])
    schema = components[query.__name__]
    return [{"name": name, "in": "query", "required": name in schema.get("required", ()),
             "schema": _without_null(about), **({"description": about["description"]} if "description" in about else {})}
            for name, about in schema["properties"].items()]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is absent is not null."""
    kept = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    rest = {k: v for k, v in schema.items() if k not in ("anyOf", "description") and not (k == "default" and v is None)}
    return {**rest, **({"anyOf": kept} if len(kept) > 1 else kept[0] if kept else {})}


def within_bounds(value: Any, name: str = "") -> None:
    """Refuse what fits the types but no database or calendar."""
    for where, leaf in _leaves(value, name):
        if isinstance(leaf, str) and "\x00" in leaf:
            raise Refused("nul_character", field=_top(where), name=where)
        if isinstance(leaf, date) and leaf.year not in YEARS:
            raise Refused("date_far", field=_top(where), name=where)
        if isinstance(leaf, int) and abs(leaf) > LARGEST:
            raise Refused("number_far", field=_top(where), name=where)


def _top(where: str) -> str:
    return where.split(".")[0]


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Struct):
        for field in value.__struct_fields__:
            yield from _leaves(getattr(value, field), f"{where}.{field}".lstrip("."))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from ((where, key), *_leaves(item, where))
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from _leaves(item, where)
    else:
        yield where, value
