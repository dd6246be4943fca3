"""What the card calls things that came from elsewhere."""

from __future__ import annotations

from hub.web.lead.words import attribution_said
from tests.web.house import House


def test_times_of_a_visit_are_read_as_the_company_reads_time_and_anything_else_stays(house: House) -> None:
    with house.app.test_request_context():
        assert attribution_said("first_at", "2026-11-23T08:20:00.000Z") == "23\u00a0ноября, 11:20"
        assert attribution_said("last_at", "вчера вечером") == "вчера вечером"
        assert attribution_said("utm_source", "2026-11-23T08:20:00Z") == "2026-11-23T08:20:00Z"
