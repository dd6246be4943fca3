"""One contract for all channels: what reads requests (:class:`Contract`), the website's own part (:class:`ChannelContract`),
and what webhooks keep over a whole hub (:class:`HookContract`). A channel's test subclasses one and says what is its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.test import TestResponse as Answered

from hub.channels.base import Accepted, Channel, Rejected, Request
from hub.domain.errors import SENTENCES, Refused
from hub.store import Unavailable
from tests.channels.house import ChannelHouse

CHANNELS = Path(__file__).parents[2] / "hub" / "channels"


class Contract:
    """What every channel promises.

    A subclass sets ``module`` (the channel's file in hub/channels, without .py) and ``vendors`` (packages that only
    that file may import), and implements the methods below.
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

    def test_a_genuine_request_is_one_delivery_of_a_reachable_person(self) -> None:
        """R1: a delivery names its channel and account, keeps the whole body, and says how to reach the person."""
        (delivery,) = self.accept(self.genuine()).deliveries
        assert delivery.channel in ("phone", "social", "email", "website")
        assert delivery.source
        assert delivery.delivery_id
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

    def test_its_vendor_lives_in_its_file_alone(self) -> None:
        own, vendors = [CHANNELS / f"{self.module}.py", *CHANNELS.glob(f"{self.module}_*.py")], set(self.vendors)
        assert {name.split(".")[0] for file in own for name in _imported(file)} >= vendors
        others = [path for path in CHANNELS.parent.rglob("*.py") if path not in own]
        assert [path for path in others if {name.split(".")[0] for name in _imported(path)} & vendors] == []

    def test_it_knows_only_the_domain_and_the_contract(self) -> None:
        own = [CHANNELS / f"{self.module}.py", *CHANNELS.glob(f"{self.module}_*.py")]
        ours = {name for file in own for name in _imported(file) if name.startswith("hub.")}
        allowed = ("hub.domain.", "hub.channels.base.", "hub.channels.base_", f"hub.channels.{self.module}_")
        assert {name for name in ours if not f"{name}.".startswith(allowed)} == set()


class ChannelContract(Contract):
    """The website's part: what cannot be read waits in the quarantine with what could be understood of it."""

    def unparsable(self) -> list[tuple[Request, str]]:
        """Requests that nobody can read, each with a piece of text that a person must still find in what is kept."""
        raise NotImplementedError

    def test_a_genuine_request_has_a_digest(self) -> None:
        (delivery,) = self.accept(self.genuine()).deliveries
        assert delivery.payload_digest

    def test_what_cannot_be_read_is_kept_whole_with_its_reason(self) -> None:
        """R1: nothing that may hold a lead is dropped."""
        unparsable = self.unparsable()
        assert unparsable
        for request, piece in unparsable:
            (delivery,) = self.accept(request).deliveries
            assert delivery.suspicion
            assert all("suspect_" + code in SENTENCES for code in delivery.suspicion.split())
            assert piece in delivery.raw


class HookContract(Contract):
    """What every channel with accounts keeps, over a whole hub: its webhook answers only for what is stored."""

    def channel(self) -> Channel:
        """The account under test. The same object for the length of a test."""
        raise NotImplementedError

    def unparsable(self) -> list[tuple[Request, str]]:
        """Genuine requests that nobody can read, each with a piece of text that a person must still find."""
        raise NotImplementedError

    def rotated(self) -> list[Request]:
        """Genuine requests of different deliveries, each under another secret of those in force at once."""
        raise NotImplementedError

    def acknowledges(self, answer: Answered) -> bool:
        """Whether the provider takes this answer for a yes."""
        return answer.status_code == 200

    def accept(self, request: Request) -> Accepted:
        return self.channel().accept(request)

    @pytest.fixture
    def with_hub(self, tmp_path: Path) -> Iterator[ChannelHouse]:
        house = ChannelHouse(tmp_path, self.channel())
        yield house
        house.close()

    def test_a_genuine_request_is_stored_before_it_is_acknowledged(self, with_hub: ChannelHouse) -> None:
        assert self.acknowledges(with_hub.call(self.genuine()))
        assert len(with_hub.leads()) == 1

    def test_a_repeat_is_answered_as_the_first_time_and_adds_nothing(self, with_hub: ChannelHouse) -> None:
        first = with_hub.call(self.genuine())
        head = with_hub.head()
        for _ in range(2):
            again = with_hub.call(self.repeat())
            assert (again.status_code, again.data, again.content_type) == (first.status_code, first.data, first.content_type)
        assert with_hub.head() == head

    def test_a_forged_request_leaves_nothing(self, with_hub: ChannelHouse) -> None:
        head = with_hub.head()
        for request in self.forged():
            assert 400 <= with_hub.call(request).status_code < 500
        assert with_hub.head() == head

    def test_what_nobody_can_read_is_kept_whole_once_and_acknowledged(self, with_hub: ChannelHouse) -> None:
        unparsable = self.unparsable()
        for number, (request, piece) in enumerate(unparsable, 1):
            for _ in range(2):
                assert self.acknowledges(with_hub.call(request))
            letters = with_hub.dead_letters()
            assert len(letters) == number
            assert any(piece in with_hub.hub.unread(letter).raw for letter in letters)
        assert with_hub.leads() == []

    def test_a_dead_letter_is_read_again_once_the_parser_is_mended(self, with_hub: ChannelHouse,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(type(self.channel()), "read", lambda *_: {}["not there"])
            assert self.acknowledges(with_hub.call(self.genuine()))
            (letter,) = with_hub.dead_letters()
            with pytest.raises(Refused, match="still cannot be read"):
                with_hub.read_again(letter)
        assert with_hub.leads() == []
        lead = with_hub.read_again(letter)
        assert [row["id"] for row in with_hub.leads()] == [lead.hex if lead else ""]
        assert with_hub.dead_letters() == []
        head = with_hub.head()
        assert self.acknowledges(with_hub.call(self.repeat()))  # the provider repeats it after all
        assert with_hub.head() == head

    def test_a_fault_of_ours_is_not_acknowledged_and_the_repeat_is_taken(self, with_hub: ChannelHouse,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
        for error, status in ((RuntimeError("a bug"), 500), (Unavailable("locked"), 503)):
            with monkeypatch.context() as broken:
                def fail(*_: object, error: Exception = error, **__: object) -> None:
                    raise error
                broken.setattr(with_hub.hub, "receive", fail)
                head = with_hub.head()
                assert with_hub.call(self.genuine()).status_code == status
                assert with_hub.head() == head
        assert self.acknowledges(with_hub.call(self.repeat()))
        assert len(with_hub.leads()) == 1

    def test_secrets_are_changed_without_losing_anything(self, with_hub: ChannelHouse) -> None:
        rotated = self.rotated()
        assert len(rotated) >= 2
        for request in rotated:
            assert self.acknowledges(with_hub.call(request))
        assert with_hub.hub.views.channels.unread() == 0
        assert with_hub.came() == len(rotated)

    def test_what_it_does_not_expect_at_its_address_is_a_4xx(self, with_hub: ChannelHouse) -> None:
        head, genuine = with_hub.head(), self.genuine()
        wrong = (replace(genuine, method="DELETE"), replace(genuine, body=b"", headers={}),
                 replace(genuine, body=b"x" * (self.channel().largest + 1)))
        for request in wrong:
            assert 400 <= with_hub.call(request).status_code < 500
        assert with_hub.head() == head


def _imported(path: Path) -> set[str]:
    """What a file imports, in full: ``from a import b`` is ``a.b``."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
