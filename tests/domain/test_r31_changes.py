"""R31–R34: changes with who, when, why; the head's override; money and parties; who gets what."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hub.domain import events as e
from hub.domain.lead.people import inn_is_valid
from hub.domain.process import GUARDS
from tests.domain.scenario import ROLES, STAFF, Scenario, at, changed, lead, on, person


def test_r31_the_manager_changes_with_who_when_and_why() -> None:
    s = lead().taken_by().when("reassign", owner="boris", why=" ").refused("say_why", "why")
    s.when("reassign", owner="anna", why="x").refused("same_owner", "owner")
    s.when("reassign", owner="nobody", why="x").refused("no_such_person", "owner")
    s.at("mon 11:00").when("reassign", owner="boris", why="отпуск").then_only(e.LeadReassigned, e.NoticeRaised)
    event = s.one(e.LeadReassigned)
    assert (event.actor, event.at, event.reason) == ("anna", at("mon 11:00"), "отпуск")
    assert (event.previous, event.owner) == ("anna", "boris")
    assert s.one(e.NoticeRaised).to == ("boris",)


def test_r31_giving_an_untaken_lead_takes_it() -> None:
    s = lead().by("vera").when("reassign", owner="boris", why="его отрасль").then(e.LeadTaken, e.DeadlineMet, e.StageEntered)
    s.stage("contact").not_due("take")
    assert (s.state.owner, s.one(e.LeadTaken).reason) == ("boris", "его отрасль")


def test_r31_the_decision_maker_changes_with_why() -> None:
    s = lead().interviewing().did("change_decision_maker", person=person("Иван"), involved=True)
    new = {"name": "Пётр", "phone": "+79123456780"}
    s.when("change_decision_maker", **new).refused("say_why", "why")
    s.when("change_decision_maker", **new, why="Иван уволился").then(e.DecisionMakerChanged)
    event = s.one(e.DecisionMakerChanged)
    assert (event.previous, event.why) == (person("Иван"), "Иван уволился")


def test_r31_the_contact_changes_with_why() -> None:
    s = lead().taken_by().did("add_person", name="Пётр", position="Директор", phone="+79123456780", email="p@example.ru",
                              telegram="@petr", timezone="Asia/Omsk")
    petr = next(p for p in s.state.people.values() if p.name == "Пётр")
    assert [a.kind for a in petr.addresses] == ["phone", "email", "telegram"]
    assert petr.first("telegram") == "petr"
    s.when("change_contact", person=person("Иван"), why="x").refused("same_contact", "person")
    s.when("change_contact", person=person("никто"), why="x").refused("no_such_contact", "person")
    s.when("change_contact", person=petr.id, why=" ").refused("say_why", "why")
    s.when("change_contact", person=petr.id, why="Иван в отпуске").then_only(e.ContactChanged)
    assert s.state.person.name == "Пётр"
    assert s.one(e.ContactChanged).previous == person("Иван")


def test_r31_people_are_corrected() -> None:
    s = lead().taken_by().when("add_person", name=" ").refused("say_name", "name")
    s.when("add_person", name="Пётр", timezone="Mars/Base").refused("bad_timezone", "timezone")
    s.when("add_person", name="Пётр", email="p").refused("bad_email", "email")
    s.when("edit_person", person=person("Иван"), name="Иван Ильич", timezone="Mars/Base").refused("bad_timezone")
    s.when("edit_person", person=person("Иван"), name="Иван").then_only()
    s.when("edit_person", person=person("Иван"), name="Иван Ильич", position="Маркетолог").then_only(e.PersonNamed)
    assert (s.state.person.name, s.state.person.position) == ("Иван Ильич", "Маркетолог")


def test_r31_the_card_has_a_title_and_notes() -> None:
    s = lead().taken_by().when("name_lead", title=" ").refused("say_title", "title")
    s.did("name_lead", title="Магазин", about="Электроника").when("note", text=" ").refused("say_text", "text")
    s.did("note", text="Перезвонить")
    assert (s.state.name, s.state.about) == ("Магазин", "Электроника")


@pytest.mark.parametrize("guard", GUARDS)
def test_r32_the_head_lifts_any_named_guard_for_one_lead(guard: str) -> None:
    s = lead().by("vera").when("override", guard=guard, reason="под мою ответственность").then_only(e.GuardOverridden)
    assert s.state.overrides == {guard}
    s.when("override", guard=guard, reason="x").refused("already_lifted", "guard")


@pytest.mark.parametrize("who", [who for who, role in ROLES.items() if role != "head"])
def test_r32_nobody_else_can(who: str) -> None:
    s = lead().by(who).when("override", guard="taken", reason="x").refused("not_your_role")
    assert s.state.overrides == frozenset()


def test_r32_a_role_that_the_file_gives_the_permission_is_still_not_the_head() -> None:
    """R32: nobody else can, by any door."""
    loose = changed(('may = ["read", "intake", "work"]', 'may = ["read", "intake", "work", "account"]'))
    role = loose.roles["manager"]
    loose.roles["manager"] = type(role)(id=role.id, title=role.title, may=(*role.may, "decide"))
    s = lead(process=loose).by("anna").when("override", guard="taken", reason="x").refused("only_head")
    s.when("give_opinion", request=1, in_favour=True, resources="x").refused("only_head")
    s.when("contribute", text="x").refused("only_head")


def test_r32_refusals() -> None:
    s = lead().by("vera").when("override", guard="gravity", reason="x").refused("no_such_guard", "guard")
    s.when("override", guard="taken", reason=" ").refused("say_why", "reason")


def test_r32_a_lifted_guard_opens_the_way() -> None:
    s = lead().interviewing().when("move", to="proposal").refused("guard_benefit_stated")
    s.by("vera").did("override", guard="benefit_stated", reason="x").did("override", guard="proposal_promised", reason="x")
    s.by("anna").did("move", to="proposal").stage("proposal")
    t = lead().proposing(12).by("vera").did("override", guard="head_contributed", reason="срочно").by("anna").did("send_proposal")
    t.stage("follow_up")


def test_r33_the_expected_budget() -> None:
    s = lead().taken_by().when("name_budget", amount=Decimal("1e6"), vat="без НДС", note="со слов").then_only(e.BudgetNamed)
    assert s.state.budget is not None
    assert (s.state.budget.amount, s.state.budget.currency) == (Decimal("1000000.00"), "RUB")
    s.when("name_budget", amount=Decimal(-5)).refused("bad_amount", "amount")
    s.when("name_budget", amount=Decimal("Infinity")).refused("bad_amount", "amount")
    s.when("name_budget", amount=Decimal(5), currency="BTC").refused("bad_currency", "currency")


@pytest.mark.parametrize(("inn", "valid"), [
    ("7707083893", True), ("7707083894", False), ("500100732259", True), ("500100732258", False), ("500100732269", False),
    ("770708389", False), ("77070838931", False), ("", False), ("77O7083893", False), ("²²²²²²²²²²", False),
    ("７７０７０８３８９３", False),
])
def test_r33_the_check_digits_of_an_inn(inn: str, valid: bool) -> None:
    assert inn_is_valid(inn) is valid


def test_r33_the_clients_company() -> None:
    s = lead().taken_by().when("name_company").refused("say_company", "name")
    s.when("name_company", inn="7707083894").refused("bad_inn", "inn")
    s.when("name_company", inn="²²²²²²²²²²").refused("bad_inn", "inn")
    s.did("name_company", name="Сбербанк", inn=" 7707083893 ").did("name_company", site="sber.ru")
    assert (s.state.company, s.state.inn, s.state.site) == ("Сбербанк", "7707083893", "sber.ru")


def offered(s: Scenario) -> list[tuple[tuple[str, ...], str]]:
    return [(o.to, o.why) for o in s.all(e.LeadOffered)]


def test_r34_new_leads_are_offered_in_turn() -> None:
    assert offered(lead()) == [(("anna",), "turn")]
    later = lead(staff=type(STAFF)(at_work={"manager": ("boris", "anna")}, heads=STAFF.heads, names=STAFF.names))
    assert offered(later) == [(("boris",), "turn")]


def test_r34_or_to_whoever_takes_first() -> None:
    first = changed(('way = "round_robin"  ', 'way = "first_come"  '))
    assert offered(lead(process=first)) == [(("anna", "boris"), "anyone")]


def test_r34_with_nobody_at_work_the_head_gets_it() -> None:
    assert offered(lead(staff=type(STAFF)(heads=("vera",), names=STAFF.names))) == [(("vera",), "anyone")]


def test_r34_near_its_deadline_an_untaken_lead_is_offered_to_the_others_and_the_head() -> None:
    """R34: five working minutes before, dated then."""
    s = lead().at("mon 10:09").passes().then_only().at("mon 10:12").passes().then_only(e.LeadOffered)
    event = s.one(e.LeadOffered)
    assert (event.to, event.why) == (("anna", "boris", "vera"), "near_deadline")
    assert (event.at, event.recorded_at) == (at("mon 10:10"), s.now)
    s.by("boris").did("take")
    assert s.state.offered_to == ()


def test_r34_whoever_was_offered_it_first_stays_among_them() -> None:
    s = lead().with_staff(at_work={}).at("mon 10:11").passes()
    assert s.one(e.LeadOffered).to == ("anna", "vera")


def test_r34_a_reminder_comes_before_other_short_deadlines() -> None:
    s = lead().taken_by().at("mon 10:26").passes().then_only(e.NoticeRaised)
    notice = s.one(e.NoticeRaised)
    assert (notice.kind, notice.key, notice.to, notice.at) == ("near", "contact", ("anna",), at("mon 10:25"))


def test_r34_the_reminder_respects_the_calendar() -> None:
    lead(received="fri 17:50").at("next mon 08:00").passes().then(e.LeadOffered)
    s = lead(received="fri 17:55").at("fri 18:00").passes().then_only()
    s.at("next mon 09:05").passes().then_only(e.LeadOffered)


def test_r34_an_absent_owners_lead_is_offered_again() -> None:
    s = lead().taken_by().with_staff(at_work={"manager": ("boris",)}).happens(lambda lead: lead.offer_absent())
    assert s.one(e.LeadOffered).to == ("boris",)
    s.happens(lambda lead: lead.offer_absent()).then_only()
    s.with_staff(at_work={"manager": ("clara",)}).happens(lambda lead: lead.offer_absent()).then_only(e.LeadOffered)
    s.with_staff(at_work={"manager": ("boris",)}).happens(lambda lead: lead.offer_absent()).then_only(e.LeadOffered)
    s.by("boris").when("take").then_only(e.LeadReassigned)
    assert (s.one(e.LeadReassigned).previous, s.one(e.LeadReassigned).why, s.state.owner) == ("anna", "owner_absent", "boris")


def test_r34_what_nobody_works_is_not_offered_again() -> None:
    absent = {"manager": ("boris",)}
    lead().with_staff(at_work=absent).happens(lambda lead: lead.offer_absent()).then_only()
    lead().interviewing().lost().with_staff(at_work=absent).happens(lambda lead: lead.offer_absent()).then_only()
    asleep = lead().interviewing().did("sleep", until=on("next fri"), why="x").with_staff(at_work=absent)
    asleep.happens(lambda lead: lead.offer_absent()).then_only()


@pytest.mark.parametrize("who", ["audra", "adam", "olga"])
def test_r34_who_may_not_work_leads_does_not_take_them(who: str) -> None:
    lead().by(who).when("take").refused("not_your_role")


def test_r34_a_lead_that_does_not_exist() -> None:
    s = lead()
    s.story = []
    s.when("take").refused("no_such_lead")
