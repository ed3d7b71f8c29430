"""One and the same object for what two readings of a container have in common.

The list, the inspects and what is remembered of its making each hold a container's labels, names and ids; as an engine
sends them, each time anew.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from .containers import Container, ContainerDetail

_T = TypeVar("_T", bound=msgspec.Struct)
_OF_CONTAINER = tuple(name for name in Container.__struct_fields__ if name != "detail")
_OF_DETAIL = ContainerDetail.__struct_fields__


def with_parts_of(old: Container | None, new: Container) -> Container:
    """`new`, made of the parts of `old` wherever they are equal; `old` itself where all are."""
    if old is None or old is new:
        return new
    if old == new:
        return old
    fields = _equal(old, new, _OF_CONTAINER)
    if old.detail is not None and new.detail is not None:
        fields["detail"] = msgspec.structs.replace(new.detail, **_equal(old.detail, new.detail, _OF_DETAIL))
    return msgspec.structs.replace(new, **fields)


def _equal(old: _T, new: _T, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: part for name in names if (part := getattr(old, name)) == getattr(new, name)}
