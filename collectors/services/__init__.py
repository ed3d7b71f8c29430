"""What a service is, which containers are its replicas, and how it stands by them. Pure."""

from .places import Place, PlaceKind, ServiceRule, as_container, place_of

__all__ = ["Place", "PlaceKind", "ServiceRule", "as_container", "place_of"]
