"""Letters from the card over a real server: a refusal (R12, R13), a proposal with its file (R19), an invitation (R26)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub.domain.delivery import Address
from hub.domain.errors import Refused
from hub.domain.events import FileRef
from tests.channels.house import ChannelHouse
from tests.channels.smtp_server import CUT, MailServer, mail_server
from tests.channels.test_email_out import ACCOUNT, CLIENT, ROUTE, mailbox, status
from tests.web.conftest import sign_in
from tests.web.test_lead_walks import MINUS, PLUS, Desk, to_proposal, to_scoring


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: MailServer) -> Iterator[ChannelHouse]:
    house = ChannelHouse(tmp_path, mailbox(server))
    yield house
    house.close()


class Page:
    """A signed-in browser that gives commands of one card through their forms."""

    def __init__(self, house: ChannelHouse, lead: UUID, login: str = "manager") -> None:
        self.client: FlaskClient = house.house.app.test_client()
        self.token, self.lead = sign_in(self.client, login), lead

    def form(self, command: str) -> str:
        answer = self.client.get(f"/leads/{self.lead}/do/{command}")
        assert answer.status_code == 200, answer.text
        return answer.text

    def give(self, command: str, **values: str) -> TestResponse:
        return self.client.post(f"/leads/{self.lead}/do/{command}", data={"csrf_token": self.token, **values})

    def read_and_give(self, command: str, **values: str) -> TestResponse:
        """Look at the letter first, then confirm exactly that."""
        seen = re.search(r'name="seen" value="([0-9a-f]{64})"', self.give(command, **values).text)
        assert seen is not None
        return self.give(command, seen=seen[1], **values)


def client_of(house: ChannelHouse) -> UUID:
    return house.house.receive(addresses=(Address("phone", "+79123456789", ""), Address("email", CLIENT, CLIENT)))


def topics(house: ChannelHouse, lead: UUID) -> list[str]:
    return [event.TOPIC.removeprefix("lead.") for event in house.hub.history(lead)]


# ── the refusal (R12, R13) ───────────────────────────────────────────────────────────


def refusing(house: ChannelHouse) -> UUID:
    lead = client_of(house)
    to_scoring(Desk(house.house, "manager"), lead, MINUS)
    assert house.hub.lead(lead).stage == "refusal"
    return lead


REFUSAL = {"to": CLIENT, "subject": "О заявке", "body": "Не сможем.\n\nНо вот кто сможет.", "way": "email", "account": ACCOUNT}


def refuse(house: ChannelHouse, lead: UUID, **more: str) -> TestResponse:
    page = Page(house, lead, "head")
    return page.client.post(f"/leads/{lead}/refusal", data={"csrf_token": page.token, **REFUSAL, **more})


def test_the_refusal_leaves_by_itself_once_it_was_read(house: ChannelHouse, server: MailServer) -> None:
    lead = refusing(house)
    assert "Почта студии" in Page(house, lead, "head").client.get(f"/leads/{lead}/refusal").text
    assert refuse(house, lead).status_code == 422  # nothing leaves unread
    assert refuse(house, lead, read="1").status_code == 303
    assert house.hub.lead(lead).letters[1].status == "asked"
    house.send(ACCOUNT)
    assert house.hub.lead(lead).letters[1].status == "sent"
    (came,) = server.came
    assert str(came.letter["Subject"]) == "О заявке"
    body = came.letter.get_body(("plain",))
    assert body is not None
    assert "Но вот кто сможет." in body.get_content()
    house.do(lead, "refuse", login="head")
    assert house.hub.lead(lead).ended == "refused"


def test_a_refusal_that_failed_is_due_again_and_one_sent_again_counts(house: ChannelHouse, server: MailServer) -> None:
    lead = refusing(house)
    server.says = {"RCPT": ["550 no such user"]}
    refuse(house, lead, read="1")
    assert "refusal_letter" not in house.hub.lead(lead).dues
    house.send(ACCOUNT)
    assert house.hub.lead(lead).letters[1].status == "failed"
    assert "refusal_letter" in house.hub.lead(lead).dues
    house.do(lead, "send_again", login="head", message=1)
    house.send(ACCOUNT)
    assert house.hub.lead(lead).letters[1].status == "sent"


def test_a_refusal_to_a_stranger_stays_on_the_page(house: ChannelHouse) -> None:
    lead = refusing(house)
    answer = refuse(house, lead, read="1", to="stranger@firm.example")
    assert answer.status_code == 422
    assert "нет такого адреса" in answer.text
    assert not house.hub.lead(lead).letters


# ── the proposal (R19) ───────────────────────────────────────────────────────────────


def proposed(house: ChannelHouse, *, file: bool = True) -> UUID:
    lead = client_of(house)
    desk, head = Desk(house.house, "manager"), Desk(house.house, "head")
    to_scoring(desk, lead, PLUS)
    to_proposal(desk, head, lead)
    data = b"%PDF-1.7 the proposal"
    ref = FileRef(house.hub.files.put(data, lead), "КП.pdf", "application/pdf", len(data)) if file else None
    house.do(lead, "draft_proposal", amount="900000", valid_until=date(2026, 12, 31).isoformat(), file=ref)
    house.do(lead, "contribute", login="head", text="Разбить на этапы")
    return lead


def mail_it(house: ChannelHouse, lead: UUID, **more: object) -> None:
    house.do(lead, "send_proposal", account=ACCOUNT, to=CLIENT, subject="КП", text="КП во вложении", **more)


def test_the_proposal_leaves_with_its_file_and_counts_once_it_has_left(house: ChannelHouse, server: MailServer) -> None:
    lead = proposed(house)
    page = Page(house, lead)
    assert "Как договаривались" in page.form("send_proposal")
    values = {"proposal": str(max(house.hub.lead(lead).proposals)), "way": "email", "to": CLIENT, "account": ACCOUNT,
              "subject": "КП", "text": "Смотрите <b>вложение</b>", "without_presentation": "1"}
    looked = page.give("send_proposal", **values)
    assert "Так письмо увидит клиент" in looked.text
    assert "КП.pdf" in looked.text
    assert "Смотрите &lt;b&gt;вложение" in looked.text
    assert not house.hub.lead(lead).outgoing
    assert page.read_and_give("send_proposal", **values).status_code == 303
    before = house.hub.lead(lead)
    assert before.stage == "proposal"
    assert not before.proposals[max(before.proposals)].sent
    house.send(ACCOUNT)
    after = house.hub.lead(lead)
    assert (after.stage, len(after.proposals[max(after.proposals)].sent)) == ("follow_up", 1)
    assert "ping" in after.dues
    (file,) = server.came[0].letter.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("КП.pdf", b"%PDF-1.7 the proposal")
    assert "КП отправлено" in page.client.get(f"/leads/{lead}").text


def test_what_was_seen_is_what_leaves(house: ChannelHouse) -> None:
    lead = proposed(house)
    page = Page(house, lead)
    values = {"proposal": "2", "way": "email", "to": CLIENT, "account": ACCOUNT, "subject": "КП", "text": "Одно"}
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page.give("send_proposal", **values).text)
    assert seen is not None
    changed = page.give("send_proposal", **{**values, "text": "Другое"}, seen=seen[1])
    assert "Так письмо увидит клиент" in changed.text
    assert not house.hub.lead(lead).outgoing


def test_a_proposal_without_a_file_is_refused(house: ChannelHouse) -> None:
    lead = proposed(house, file=False)
    with pytest.raises(Refused) as refusal:
        mail_it(house, lead)
    assert refusal.value.code == "proposal_without_file"


def test_a_proposal_that_failed_moves_nothing_and_one_sent_again_counts_once(house: ChannelHouse, server: MailServer) -> None:
    lead = proposed(house)
    server.says = {"DATA": [CUT]}
    mail_it(house, lead)
    with pytest.raises(Refused) as refusal:
        mail_it(house, lead)
    assert refusal.value.code == "proposal_leaving"
    house.send(ACCOUNT)
    assert (status(house, lead), house.hub.lead(lead).stage) == ("unknown", "proposal")
    house.do(lead, "send_again", message=1)
    house.send(ACCOUNT)
    assert house.hub.lead(lead).stage == "follow_up"
    house.do(lead, "mark_message", message=1, sent=True)  # the first one had come after all
    assert topics(house, lead).count("proposal_sent") == 1
    assert len(set(server.ids())) == 1


# ── invitations (R26) ────────────────────────────────────────────────────────────────


def invited(house: ChannelHouse) -> UUID:
    lead = client_of(house)
    house.do(lead, "take")
    house.do(lead, "plan_meeting", purpose="meeting", starts_at=house.clock() + timedelta(days=1), goal="Секретная цель",
             place="https://meet.example/1")
    house.do(lead, "invite", meeting=1, route=ROUTE, subject="Встреча, с запятой", text="Ждём вас; всех\nв полдень")
    house.send(ACCOUNT)
    return lead


def entry(server: MailServer) -> dict[str, str]:
    """The calendar entry of the newest letter, unfolded."""
    letter = server.came[-1].letter
    (part,) = [p for p in letter.walk() if p.get_content_type() == "text/calendar"]
    text = part.get_content()
    assert part["Content-Type"].params["method"] in text
    (attached,) = letter.iter_attachments()
    assert attached.get_content().replace(b"\r\n", b"\n") == text.encode().replace(b"\r\n", b"\n")
    assert max(len(line.encode()) for line in text.splitlines()) <= 75
    lines = re.sub(r"\r?\n ", "", text).splitlines()
    return {name.partition(";")[0]: value for name, _, value in (line.partition(":") for line in lines)}


def test_an_invitation_is_an_entry_that_calendars_know_again(house: ChannelHouse, server: MailServer) -> None:
    lead = invited(house)
    first = entry(server)
    assert (first["METHOD"], first["SEQUENCE"], first["STATUS"]) == ("REQUEST", "0", "CONFIRMED")
    assert first["SUMMARY"] == "Встреча\\, с запятой"
    assert first["DESCRIPTION"] == "Ждём вас\\; всех\\nв полдень"
    assert first["LOCATION"] == "https://meet.example/1"
    assert (first["ORGANIZER"], first["ATTENDEE"]) == ("mailto:sales@studio.example", f"mailto:{CLIENT}")
    assert "Секретная" not in server.came[0].data.decode()
    house.do(lead, "move_meeting", meeting=1, starts_at=house.clock() + timedelta(days=2))
    house.do(lead, "invite", meeting=1, route=ROUTE, subject="Встреча", text="Перенесли")
    house.send(ACCOUNT)
    moved = entry(server)
    assert (moved["UID"], moved["SEQUENCE"]) == (first["UID"], "1")
    assert moved["DTSTART"] > first["DTSTART"]
    house.do(lead, "cancel_meeting", meeting=1, why="Заболели")
    house.do(lead, "invite", meeting=1, route=ROUTE, subject="Отмена", text="Отменили")
    house.send(ACCOUNT)
    gone = entry(server)
    assert (gone["METHOD"], gone["UID"], gone["SEQUENCE"], gone["STATUS"]) == ("CANCEL", first["UID"], "2", "CANCELLED")


def test_an_invitation_is_read_before_it_leaves(house: ChannelHouse, server: MailServer) -> None:
    lead = invited(house)
    page = Page(house, lead)
    shown = page.form("invite")
    assert "Ждём вас на встрече: 24 ноября" in shown, re.findall(r"<textarea.*?</textarea>", shown, re.S)
    values = {"meeting": "1", "route": f"email {ACCOUNT} {CLIENT}", "subject": "Встреча", "text": "Приходите"}
    assert page.read_and_give("invite", **values).status_code == 303
    house.send(ACCOUNT)
    assert len(server.came) == 2
    assert "Новое приглашение" in page.client.get(f"/leads/{lead}").text


def test_an_invitation_needs_a_meeting_to_come_or_one_to_take_back(house: ChannelHouse) -> None:
    lead = client_of(house)
    house.do(lead, "take")
    house.do(lead, "plan_meeting", purpose="call", starts_at=house.clock() + timedelta(hours=1), goal="Цель")
    house.do(lead, "cancel_meeting", meeting=1, why="Не нужна")
    house.do(lead, "plan_meeting", purpose="call", starts_at=house.clock() + timedelta(hours=1), goal="Цель")
    house.clock.advance(hours=2)
    for meeting, route, code in ((1, ROUTE, "never_invited"), (2, ROUTE, "meeting_in_past"), (3, ROUTE, "no_such_meeting"),
                                 (2, {**ROUTE, "way": "telegram"}, "invite_by_email")):
        with pytest.raises(Refused) as refusal:
            house.do(lead, "invite", meeting=meeting, route=route, text="x")
        assert refusal.value.code == code
    assert not house.hub.lead(lead).outgoing


def test_a_file_typed_into_a_message_leaves_with_it(house: ChannelHouse, server: MailServer) -> None:
    lead = client_of(house)
    house.do(lead, "take")
    page = Page(house, lead)
    answer = page.client.post(f"/leads/{lead}/do/send_message", data={
        "csrf_token": page.token, "route": f"email {ACCOUNT} {CLIENT}", "text": "Файл", "files": (BytesIO(b"data"), "план.txt")})
    assert answer.status_code == 303
    house.send(ACCOUNT)
    (file,) = server.came[0].letter.iter_attachments()
    assert file.get_filename() == "план.txt"
