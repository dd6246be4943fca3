"""One contract for all channels. A channel's test subclasses :class:`ChannelContract` and says what is its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hub.channels.base import Accepted, Rejected, Request
from hub.domain.errors import SENTENCES

CHANNELS = Path(__file__).parents[2] / "hub" / "channels"


class ChannelContract:
    """What every channel promises.

    A subclass sets ``module`` (the channel's file in hub/channels, without .py) and ``vendors`` (packages that only
    that file may import), and implements the five methods below.
    """

    module: str
    vendors: tuple[str, ...] = ()

    def accept(self, request: Request) -> Accepted:
        """Give ``request`` to the channel."""
        raise NotImplementedError

    def genuine(self) -> Request:
        """A request as the provider sends it when a client reached out."""
        raise NotImplementedError

    def repeat(self) -> Request:
        """The same delivery as :meth:`genuine`, sent again by the provider."""
        raise NotImplementedError

    def another(self) -> Request:
        """Another delivery than :meth:`genuine`."""
        raise NotImplementedError

    def forged(self) -> list[Request]:
        """Requests that do not come from where they say, or say nothing about it."""
        raise NotImplementedError

    def unparsable(self) -> list[tuple[Request, str]]:
        """Requests that nobody can read, each with a piece of text that a person must still find in what is kept."""
        raise NotImplementedError

    def test_a_genuine_request_is_one_delivery_of_a_reachable_person(self) -> None:
        """R1: a delivery names its channel and account, keeps the whole body, and says how to reach the person."""
        (delivery,) = self.accept(self.genuine()).deliveries
        assert delivery.channel in ("phone", "social", "email", "website")
        assert delivery.source
        assert delivery.delivery_id
        assert delivery.payload_digest
        assert delivery.raw
        assert delivery.addresses
        assert delivery.suspicion == ""

    def test_a_repeat_is_the_same_delivery(self) -> None:
        (first,) = self.accept(self.genuine()).deliveries
        (again,) = self.accept(self.repeat()).deliveries
        assert (again.delivery_id, again.payload_digest) == (first.delivery_id, first.payload_digest)

    def test_another_delivery_has_another_id(self) -> None:
        (first,) = self.accept(self.genuine()).deliveries
        (other,) = self.accept(self.another()).deliveries
        assert other.delivery_id != first.delivery_id

    def test_a_forged_request_is_refused_with_a_sentence(self) -> None:
        forged = self.forged()
        assert forged
        for request in forged:
            with pytest.raises(Rejected) as refusal:
                self.accept(request)
            assert 400 <= refusal.value.status < 500
            sentence = SENTENCES[refusal.value.code]
            assert sentence.ru.format(**refusal.value.params)
            assert sentence.en.format(**refusal.value.params)

    def test_what_cannot_be_read_is_kept_whole_with_its_reason(self) -> None:
        """R1: nothing that may hold a lead is dropped."""
        unparsable = self.unparsable()
        assert unparsable
        for request, piece in unparsable:
            (delivery,) = self.accept(request).deliveries
            assert delivery.suspicion
            assert all("suspect_" + code in SENTENCES for code in delivery.suspicion.split())
            assert piece in delivery.raw

    def test_its_vendor_lives_in_its_file_alone(self) -> None:
        file, vendors = CHANNELS / f"{self.module}.py", set(self.vendors)
        assert {name.split(".")[0] for name in _imported(file)} >= vendors
        others = [path for path in CHANNELS.parent.rglob("*.py") if path != file]
        assert [path for path in others if {name.split(".")[0] for name in _imported(path)} & vendors] == []

    def test_it_knows_only_the_domain_and_the_contract(self) -> None:
        ours = {name for name in _imported(CHANNELS / f"{self.module}.py") if name.startswith("hub.")}
        allowed = ("hub.domain.", "hub.channels.base.", f"hub.channels.{self.module}_")
        assert {name for name in ours if not f"{name}.".startswith(allowed)} == set()


def _imported(path: Path) -> set[str]:
    """What a file imports, in full: ``from a import b`` is ``a.b``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
