"""Pages hear of new events at once: the stream of ``/live``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.web import live
from tests.web.conftest import sign_in
from tests.web.house import House


class Stream:
    """What a browser hears."""

    def __init__(self, client: FlaskClient, **asked: Any) -> None:
        self.answer = client.get("/live", **asked)
        self.lines = iter(self.answer.iter_encoded())

    def next(self) -> dict[str, Any]:
        """The next message; signs of life are left out."""
        for line in self.lines:
            text = line.decode()
            if "data: " in text:
                found: dict[str, Any] = json.loads(text.partition("data: ")[2])
                return found
        raise EOFError


@contextmanager
def listening(client: FlaskClient, **asked: object) -> Iterator[Stream]:
    """A stream that was told where the log stands."""
    stream = Stream(client, **asked)
    try:
        yield stream
    finally:
        stream.answer.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams look often, so that nothing here waits for a second."""
    monkeypatch.setattr(live, "LOOK", 0.02)


def test_a_new_lead_is_heard_of_with_its_id_and_nothing_of_the_person(house: House, client: FlaskClient) -> None:
    sign_in(client, "manager")
    with listening(client) as stream:
        began = stream.next()
        assert began["seq"] == house.store.head()
        lead = house.receive("Иван Петренко")
        told = stream.next()
        assert str(lead) in told["leads"]
        assert told["sound"] == "new"
        assert told["seq"] > began["seq"]
        assert "Петренко" not in json.dumps(told, ensure_ascii=False)


def test_whom_the_lead_is_offered_hears_a_sentence_and_the_count_of_the_bell(house: House, client: FlaskClient) -> None:
    sign_in(client, "manager")
    with listening(client) as stream:
        assert stream.next()["bell"] == 0
        house.receive()
        house.clock.advance(minutes=1)
        heard = [stream.next()]
        while not heard[-1]["told"]:
            heard.append(stream.next())
        assert heard[-1]["bell"] == 1
        assert heard[-1]["told"][0]["kind"] == "offered"
        assert heard[-1]["told"][0]["text"].endswith(".")


def test_who_comes_back_hears_what_was_missed(house: House, client: FlaskClient) -> None:
    sign_in(client, "manager")
    with listening(client) as first:
        seen = first.next()["seq"]
        lead = house.receive()
        first.next()
    with listening(client, headers={"Last-Event-ID": str(seen)}) as again:
        again.next()
        assert str(lead) in again.next()["leads"]


def test_who_missed_more_than_is_remembered_is_told_to_look_at_everything(house: House, client: FlaskClient) -> None:
    sign_in(client, "manager")
    house.receive()
    with listening(client, query_string={"after": 1}) as stream:
        stream.next()
        assert stream.next()["resync"] is True


@pytest.mark.parametrize("after", ["999999999", "-1", "x", "\u0661", ""])
def test_a_position_that_was_never_given_is_the_present(house: House, client: FlaskClient, after: str) -> None:
    sign_in(client, "manager")
    with listening(client, query_string={"after": after}) as stream:
        assert stream.next()["seq"] == house.store.head()


def test_the_stream_ends_with_the_session(house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BEAT", 0.0)
    sign_in(client, "manager")
    with listening(client) as stream:
        stream.next()
        house.access.close_all(house.users["manager"])
        with pytest.raises(EOFError):
            stream.next()


def test_the_stream_ends_when_the_server_stops(house: House, client: FlaskClient) -> None:
    sign_in(client, "manager")
    with listening(client) as stream:
        stream.next()
        house.app.extensions["feed"].serving = lambda: False
        with pytest.raises(EOFError):
            stream.next()


def test_nobody_hears_without_a_session(client: FlaskClient) -> None:
    assert client.get("/live", headers={"HX-Request": "true"}).status_code == 401
    assert client.get("/live").status_code == 302


def test_the_next_page_of_a_browser_takes_the_place_of_the_one_before(
        house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that goes on to the next page says nothing: the stream of the page that it left would stay for a while."""
    monkeypatch.setattr(live, "STREAMS", 1)
    sign_in(client, "manager")
    with listening(client) as left:
        left.next()
        with listening(client) as stream:
            stream.next()
            with pytest.raises(EOFError):
                left.next()
            house.receive()
            assert stream.next()["leads"]


def test_when_all_places_are_taken_the_next_one_is_told_when_to_ask_again(
        house: House, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STREAMS", 1)
    sign_in(client, "manager")
    other = house.app.test_client()
    sign_in(other, "second")
    with listening(client) as stream:
        stream.next()
        refused = other.get("/live")
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "15"
    with listening(other) as stream:
        stream.next()
