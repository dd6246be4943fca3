"""The automatic acknowledgement of a request, where a mailbox is told to send it: once for a person a day, never in a loop.

RFC 3834: nothing automatic is answered, nor a mailbox that nobody reads, nor ourselves; the answer itself has an empty
sender. It is no answer of ours in the sense of the process: the deadlines run on.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from hub.application import LeadHub
from hub.channels.base import Channel
from hub.channels.email_out import EmailOut
from hub.channels.email_settings import listed
from hub.domain import events as e
from hub.domain.errors import SENTENCES, sentences
from hub.domain.lead.talk import Route
from hub.domain.partner import TemplateState
from hub.domain.state import LeadState
from hub.store import Unreadable
from hub.traffic.state import States

log = logging.getLogger(__name__)

POSITION = "acknowledgements"
AT_ONCE = timedelta(hours=1)
"""What came longer ago is not acknowledged any more: by then a person has answered, or an apology is due."""
EVERY = timedelta(days=1)
MOST_AN_HOUR = 60
"""Forms take any address: so many letters at most can be sent to strangers through them."""
BATCH = 500
NOBODY_READS = re.compile(
    r"(?:.*[._+-])?(?:no-?reply|do-?not-?reply|not?-?reply|mailer-daemon|postmaster|bounces?|notifications?|robot|mailer|"
    r"wordpress|www-data|root|daemon|abuse|newsletter|owner|.*-request)(?:[._+-].*)?@.*", re.I)

sentences(
    acknowledgement_subject=("Мы получили ваше обращение", "We have received your request"),
    acknowledgement_text=(
        "Здравствуйте!\n\nМы получили ваше обращение и ответим в рабочее время. Это письмо отправлено автоматически.\n\n{agency}",
        "Hello!\n\nWe have received your request and will answer in working hours. This letter was sent automatically.\n\n"
        "{agency}"),
)


RUSSIAN, ENGLISH = "acknowledgement", "acknowledgement.en"


def default_wording(name: str = RUSSIAN) -> TemplateState:
    """The wording in one of the two languages until the company writes its own."""
    subject, text = SENTENCES["acknowledgement_subject"], SENTENCES["acknowledgement_text"]
    return TemplateState(name, subject.en, text.en) if name == ENGLISH else TemplateState(name, subject.ru, text.ru)


def language_of(text: str) -> str:
    """The wording for who wrote ``text``: English where there are words and none of them is Russian."""
    return ENGLISH if re.search("[A-Za-z]", text) and not re.search("[А-Яа-яЁё]", text) else RUSSIAN


class Acknowledger:
    """Follows the log. One worker runs it at a time; a second one would find every card acknowledged."""

    def __init__(self, hub: LeadHub, accounts: Mapping[str, Channel]) -> None:
        self.hub = hub
        self.states = States(hub.store)
        self.mailboxes = [c for c in accounts.values() if isinstance(c, EmailOut) and c.settings.smtp]
        self._sent: deque[datetime] = deque()

    def turn(self, now: datetime) -> int:
        """Acknowledge what has begun since the last time; how many letters were asked for. Begins with what comes from now on."""
        if not any(mailbox.settings.acknowledge for mailbox in self.mailboxes):
            return 0
        position = self.states.position(POSITION)
        if not position:
            self.states.move(POSITION, str(self.hub.store.head()), now)
            return 0
        asked, upto = 0, int(position)
        for upto, event in self.hub.store.log(int(position), BATCH):
            if isinstance(event, e.MessageReceived) and event.message == 1 and now - event.at < AT_ONCE:
                try:
                    asked += self._answer(event, now)
                except Unreadable as error:
                    log.error("position %d is not acknowledged: a card of the client was altered past the hub: %s", upto, error)
        if upto > int(position):
            self.states.move(POSITION, str(upto), now)
        return asked

    def _answer(self, event: e.MessageReceived, now: datetime) -> bool:
        mailbox = self._mailbox(event)
        lead = self.hub.lead(event.originator_id)
        to = lead.person.first("email")
        if mailbox is None or not to or event.automatic or event.suspicion or not self._may_be_answered(to):
            return False
        if lead.test or self._lately(lead.previous_lead, now) or not self._allowed(now):
            return False
        process = self.hub.process
        wording = language_of(f"{event.subject_line} {event.text}")
        subject, text = self.hub.template(wording, default_wording(wording)).fill(
            name=lead.person.name, company=lead.company, agency=process.file.name)
        route = Route("email", mailbox.account, to)
        done = self.hub.find_out(event.originator_id, lambda found: found.acknowledge(route, subject, text), at=now)
        if done.events:
            self._sent.append(now)
        return bool(done.events)

    def _mailbox(self, event: e.MessageReceived) -> EmailOut | None:
        """Which of them acknowledges this: the mailbox that it came to, or the one that names the form."""
        for mailbox in self.mailboxes:
            wanted = mailbox.settings.acknowledge
            if event.channel == "email" and event.source == mailbox.account and "letters" in wanted:
                return mailbox
            if event.channel == "website" and f"form:{event.source}" in wanted:
                return mailbox
        return None

    def _may_be_answered(self, to: str) -> bool:
        own = [entry for m in self.mailboxes for entry in (m.settings.address, *m.settings.own, *m.settings.forms)]
        return not NOBODY_READS.fullmatch(to) and not listed(to, tuple(own))

    def _lately(self, previous: UUID | None, now: datetime) -> bool:
        """Whether the person was acknowledged on an earlier card within the day."""
        while previous is not None:
            state: LeadState = self.hub.lead(previous)
            if any(m.automatic and now - m.at < EVERY for m in state.outgoing.values()):
                return True
            previous = state.previous_lead
        return False

    def _allowed(self, now: datetime) -> bool:
        while self._sent and now - self._sent[0] > timedelta(hours=1):
            self._sent.popleft()
        return len(self._sent) < MOST_AN_HOUR
