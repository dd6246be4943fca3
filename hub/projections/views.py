"""All read models of the hub in one place: what is switched on."""

from __future__ import annotations

from hub.projections import Projection
from hub.projections.channels import Channels
from hub.projections.deadlines import Deadlines
from hub.projections.directory import Directory
from hub.projections.due_spans import DueSpans
from hub.projections.flows import Flows
from hub.projections.intervals import Intervals
from hub.projections.leads import Leads
from hub.projections.moments import Moments
from hub.projections.notices import Notices
from hub.projections.outbox import Outbox
from hub.projections.persons import Persons
from hub.projections.punctuality import Punctuality
from hub.projections.receipts import Receipts
from hub.projections.reports import Reports
from hub.projections.reports_turns import ReportTurns
from hub.projections.scored import Scored
from hub.projections.texts import Texts
from hub.projections.trail import Trail
from hub.store.base import EventStore


class Views:
    """The projections over one store. A new one is a file, a line here, and its contract test."""

    def __init__(self, store: EventStore) -> None:
        self.leads = Leads(store)
        self.deadlines = Deadlines(store)
        self.intervals = Intervals(store)
        self.flows = Flows(store)
        self.moments = Moments(store)
        self.punctuality = Punctuality(store)
        self.directory = Directory(store)
        self.receipts = Receipts(store)
        self.notices = Notices(store)
        self.outbox = Outbox(store)
        self.channels = Channels(store)
        self.persons = Persons(store)
        self.reports = Reports(store)
        self.report_turns = ReportTurns(store)
        self.texts = Texts(store)
        self.trail = Trail(store)
        self.scored = Scored(store)
        self.due_spans = DueSpans(store)
        self.all: list[Projection] = [self.directory, self.leads, self.deadlines, self.intervals, self.moments, self.receipts,
                                      self.notices, self.outbox, self.channels, self.punctuality, self.persons, self.trail,
                                      self.texts, self.scored, self.due_spans, self.reports, self.report_turns]
