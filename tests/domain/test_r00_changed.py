"""R0: the head of sales changes the file, and commands follow it, on leads that are under way as well."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from hub.domain import events as e
from hub.domain.partner import PartnerState, fitting
from hub.domain.process import Process
from tests.domain.scenario import changed, lead, marks, process

PILOT = '[[stages]]\nid = "pilot"\ntitle = "Пилот"\n[[stages]]\nid = "follow_up"'
AFTER_PRESENTATION = ('[[transitions]]\nfrom = "presentation"\nto = "proposal"',
                      '[[transitions]]\nfrom = "presentation"\nto = "pilot"\n[[transitions]]\nfrom = "pilot"\nto = "follow_up"\n'
                      '[[transitions]]\nfrom = "presentation"\nto = "proposal"')


def with_pilot(*more: tuple[str, str]) -> Process:
    """A stage of the company's own, after the presentation."""
    return changed(('[[stages]]\nid = "follow_up"', PILOT), AFTER_PRESENTATION, *more)


def test_r0_leads_of_a_stage_that_was_removed_go_back_to_the_last_one_that_is_there() -> None:
    """R0: nobody stands where no move leads out; the hub moves them, under the new version, and tells the owner."""
    s = lead(process=with_pilot()).presented().did("move", to="pilot").under(process(version=9)).later(minutes=5)
    s.passes().then(e.StageEntered, e.NoticeRaised).stage("presentation")
    moved = s.one(e.StageEntered)
    assert (moved.previous, moved.why, moved.actor, moved.process_version) == ("pilot", "R0", "hub", 9)
    assert s.one(e.NoticeRaised).to == ("anna",)
    s.did("move", to="follow_up")


def test_r0_a_command_before_the_worker_ran_finds_the_lead_where_the_process_can_go_on() -> None:
    s = lead(process=with_pilot()).presented().did("move", to="pilot").under(process())
    s.when("move", to="follow_up").then(e.StageEntered).stage("follow_up")


def test_r0_a_lead_lost_in_a_removed_stage_comes_back_to_one_that_is_there() -> None:
    own = with_pilot(('from = ["contact", "screening"', 'from = ["pilot", "contact", "screening"'))
    s = lead(process=own).presented().did("move", to="pilot").lost().under(process()).passes().then_only()
    s.did("reopen", why="передумали").passes().stage("presentation")


def test_r0_a_new_version_of_the_proposal_is_drafted_in_a_stage_of_ones_own() -> None:
    """R18: from the interview on; a stage that the file adds counts by where the lead has been."""
    lead(process=with_pilot()).presented().did("move", to="pilot").drafted()
    early = changed(('[[stages]]\nid = "scoring"', '[[stages]]\nid = "sort"\ntitle = "Разбор"\n[[stages]]\nid = "scoring"'),
                    ('[[transitions]]\nfrom = "screening"\nto = "contact"', '[[transitions]]\nfrom = "screening"\nto = "sort"\n'
                     '[[transitions]]\nfrom = "sort"\nto = "scoring"\n[[transitions]]\nfrom = "screening"\nto = "contact"'))
    s = lead(process=early).taken_by().captured().did("move", to="sort")
    s.when("draft_proposal", amount=Decimal(1), valid_until=process().date_of(s.now)).refused("too_early_for_proposal")


def test_r0_what_happens_by_itself_goes_only_where_the_file_has_a_move() -> None:
    """R0: a stage between screening and scoring is not jumped over."""
    between = changed(('[[stages]]\nid = "scoring"', '[[stages]]\nid = "sort"\ntitle = "Разбор"\n[[stages]]\nid = "scoring"'),
                      ('[[transitions]]\nfrom = "screening"\nto = "scoring"\nrequires = ["screened"]',
                       '[[transitions]]\nfrom = "screening"\nto = "sort"\n[[transitions]]\nfrom = "sort"\nto = "scoring"\n'
                       'requires = ["screened"]'))
    s = lead(process=between).taken_by().captured().screened().stage("screening").due("scoring")
    s.did("move", to="sort").did("move", to="scoring").scored(3)


def test_r0_a_lead_is_taken_where_no_contact_stage_follows() -> None:
    sorted_first = changed(('[[stages]]\nid = "contact"',
                            '[[stages]]\nid = "sort"\ntitle = "Разбор"\n[[stages]]\nid = "contact"'),
                           ('[[transitions]]\nfrom = "new"\nto = "contact"\nrequires = ["taken"]',
                            '[[transitions]]\nfrom = "new"\nto = "sort"\n[[transitions]]\nfrom = "sort"\nto = "contact"'))
    s = lead(process=sorted_first).taken_by().stage("new").not_due("take").due("contact")
    s.did("move", to="sort").did("move", to="contact")


def test_r0_titles_in_refusals_are_the_files() -> None:
    renamed = changed(('title = "Первичный отсев"', 'title = "Отбор"'), ('title = "Отказ и партнёры"', 'title = "Вежливое нет"'),
                      ('title = "Глубинное интервью"', 'title = "Большая встреча"'),
                      ('title = "Руководитель отдела продаж"', 'title = "Коммерческий директор"'))
    said = []
    s = lead(process=renamed).taken_by()
    for command, more in (("finish_screening", {"criteria_checked": True}), ("ask_letter", {"body": "x", "to": "a@b.ru"}),
                          ("draft_proposal", {"amount": 1, "valid_until": process().date_of(s.now)})):
        s.when(command, **more)
        assert s.refusal is not None
        said.append(s.refusal.say("ru"))
        s.refused(s.refusal.code)
    high = lead(process=renamed).proposing(12).when("send_proposal")
    assert high.refusal is not None
    said.append(high.refusal.say("ru"))
    for title, sentence in zip(("Отбор", "Вежливое нет", "Большая встреча", "Коммерческий директор"), said, strict=True):
        assert title in sentence


def test_r0_money_is_in_the_files_first_currency_where_none_is_said() -> None:
    """R33."""
    tenge = changed(('currencies = ["RUB", "USD", "EUR", "KZT", "BYN"]', 'currencies = ["KZT"]'))
    s = lead(process=tenge).taken_by().did("name_budget", amount=Decimal(5))
    assert s.state.budget is not None
    assert s.state.budget.currency == "KZT"


def test_r13_the_file_says_what_partners_are_chosen_by() -> None:
    """R0, R13: another parameter than ours may be the one about money."""
    cheap, dear = (UUID(int=1), PartnerState("А", ("low",))), (UUID(int=2), PartnerState("Б", ("high",)))
    failed = {**marks(0), "profitability": -1}
    s = lead().taken_by().captured().screened().did("score", marks=failed)
    assert [p.name for _, p in fitting([cheap, dear], s.state, process())] == ["А", "Б"]
    own = changed(('plus = "выше целевой"\n', 'plus = "выше целевой"\npartners_by = "price"\n'))
    assert [p.name for _, p in fitting([cheap, dear], s.state, own)] == ["А"]


@pytest.mark.parametrize("minutes", [5, 3])
def test_r34_an_untaken_lead_whose_deadline_is_too_short_for_a_reminder_is_offered_to_all_when_it_is_missed(minutes: int) -> None:
    short = changed(('minutes = 15\nclock = "working"\nrule = "R2"', f'minutes = {minutes}\nclock = "working"\nrule = "R2"'))
    s = lead(process=short).later(minutes=minutes).passes().then(e.DeadlineMissed, e.LeadOffered, e.NoticeRaised)
    assert s.state.offered_to == ("anna", "boris", "vera")
    s.by("boris").did("take")
