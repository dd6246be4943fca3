"""R0: what is wrong with the process file is said with its line, all of it at once."""

from __future__ import annotations

import pytest

from hub.domain.errors import Sentence
from hub.domain.process_check import BadProcess, Fault, read_process
from tests.domain.scenario import TEXT

FAULTS: dict[str, tuple[str, str, str]] = {
    # what: (a piece of the file, what it becomes, words of the fault); the fault is on the line marked with ¶
    "not TOML": ("¶lunch = []  ", "lunch = [  ", "not TOML"),
    "unknown key": ('country = "RU"\n¶timezone', 'country = "RU"\ncolour = "red"\ntimezone', "colour"),
    "key of another part": ('[[hard_criteria]]\nid = "unreachable"\n¶title',
                            '[[hard_criteria]]\nid = "unreachable"\nminutes = 5\ntitle',
                            "unknown field `minutes`"),
    "table of another file": ('¶[proposal]', '[pricing]\nlevel = 1\n[proposal]', "unknown field `pricing`"),
    "wrong type": ("¶weekdays = [1, 2, 3, 4, 5]", 'weekdays = "every day"', "Expected"),
    "weekday 8": ("¶weekdays = [1, 2, 3, 4, 5]", "weekdays = [1, 8]", "weekdays are numbers"),
    "no weekday": ("¶weekdays = [1, 2, 3, 4, 5]", "weekdays = []", "at least one"),
    "time zone": ('¶timezone = "Europe/Moscow"', 'timezone = "Moscow"', "not a time zone"),
    "not a time": ('¶opens = "09:00"', 'opens = "9 утра"', "not a time"),
    "a time of another zone": ('¶closes = "18:00"', 'closes = "18:00+03:00"', "not a time"),
    "closes first": ('¶closes = "18:00"', 'closes = "08:00"', "before it opens"),
    "lunch outside": ("¶lunch = []  ", 'lunch = ["19:00", "20:00"]  ', "inside the working day"),
    "half a lunch": ("¶lunch = []  ", 'lunch = ["13:00"]  ', "two times"),
    "way": ('¶way = "round_robin"  ', 'way = "lottery"  ', "round_robin or first_come"),
    "assigned to nobody": ('¶roles = ["manager"]  ', "roles = []  ", "at least one role"),
    "assigned to a stranger": ('¶roles = ["manager"]  ', 'roles = ["wizard"]  ', "'wizard' does not exist"),
    "negative reminder": ("¶reoffer_minutes_before = 5  ", "reoffer_minutes_before = -5  ", "negative"),
    "permission": ('¶may = ["read", "admin", "audit"]', 'may = ["fly"]', "no permission"),
    "two heads": ('¶may = ["read", "intake", "work"]', 'may = ["read", "decide"]', "only the head"),
    "role's segment": ('¶segments = ["C"]  ', 'segments = ["D"]  ', "'D' does not exist"),
    "assigned to one who may not work": ('¶roles = ["manager"]  ', 'roles = ["auditor"]  ', "'auditor' may not work leads"),
    "worked by one who may not": ('¶worked_by = ["trainee"]', 'worked_by = ["account"]', "'account' may not work leads"),
    "a permission of nobody": ('¶may = ["read", "admin", "audit"]', 'may = ["read"]', "nobody may 'admin'"),
    "a stage that leads nowhere": ('¶[[stages]]\nid = "follow_up"',
                                   '[[stages]]\nid = "pit"\ntitle = "Яма"\n[[stages]]\nid = "follow_up"',
                                   "'pit' leads nowhere"),
    "partners by the stars": ('¶partners_by = "price"\n[[hard_criteria]]', 'partners_by = "stars"\n[[hard_criteria]]',
                              "'stars' chooses no partners"),
    "missing role": ('id = "auditor"', 'id = "watcher"', "role 'auditor' is missing"),
    "missing stage": ('[[stages]]\nid = "follow_up"', '[[stages]]\nid = "chase"', "stage 'follow_up' is missing"),
    "id in Russian": ('[[stages]]\n¶id = "new"', '[[stages]]\nid = "новый"', "Latin letters"),
    "id twice": ('[[stages]]\n¶id = "contact"', '[[stages]]\nid = "new"', "used twice in stages"),
    "title missing": ('¶[[stages]]\nid = "screening"\ntitle = "Первичный отсев"', '[[stages]]\nid = "screening"', "title"),
    "move from nowhere": ('[[transitions]]\n¶from = "follow_up"\nto = "interview"',
                          '[[transitions]]\nfrom = "moon"\nto = "interview"', "'moon' does not exist"),
    "move to itself": ('from = "refusal"\n¶to = "screening"', 'from = "refusal"\nto = "refusal"', "is no move"),
    "move twice": ('¶[[transitions]]\nfrom = "refusal"\nto = "screening"', '[[transitions]]\nfrom = "refusal"\nto = "scoring"',
                   "said twice"),
    "guard": ('¶requires = ["taken", "phone_known"]', 'requires = ["full_moon"]', "no guard"),
    "ending's guard": ('¶requires = ["scored"]\n[[endings]]', 'requires = ["luck"]\n[[endings]]', "no guard"),
    "ending missing": ('id = "lost"', 'id = "gone"', "ending 'lost' is missing"),
    "ending from nowhere": ('¶from = ["refusal"]', 'from = ["moon"]', "'moon' does not exist"),
    "ending from no stage": ('¶from = ["refusal"]', "from = []", "from no stage"),
    "deadline missing": ('id = "take"', 'id = "grab"', "deadline 'take' is missing"),
    "deadline of two lengths": ('¶[[deadlines]]\nid = "reply"\ntitle = "Ответить клиенту"',
                                '[[deadlines]]\nid = "reply"\nhours = 1\ntitle = "Ответить клиенту"', "exactly one"),
    "deadline too long": ("¶hours = 72  ", "hours = 99999999  ", "may have 0 to"),
    "negative deadline": ("¶minutes = 240", "minutes = -240", "may have 0 to"),
    "clock": ('¶clock = "plain"\nrule = "R21"', 'clock = "lunar"\nrule = "R21"', "no clock"),
    "working days on the plain clock": ('¶clock = "working"\nrule = "R22"', 'clock = "plain"\nrule = "R22"', "working clock"),
    "calendar days on the working clock": ('working_days = 2\n¶clock = "working"\nrule = "R22"',
                                           'days = 2\nclock = "working"\nrule = "R22"', "calendar days"),
    "negative attempts": ("¶attempts = 3", "attempts = -1", "attempts cannot be negative"),
    "parameter twice": ('[[blocks.parameters]]\n¶id = "capacity"',
                        '[[blocks.parameters]]\nid = "budget"', "used twice in parameters"),
    "parameter of the third block": ('[[blocks.parameters]]\n¶id = "brief"', '[[blocks.parameters]]\nid = "б"', "Latin letters"),
    "meaning missing": ('¶[[blocks.parameters]]\nid = "brief"\ntitle = "Проработка брифа"',
                        '[[blocks.parameters]]\nid = "brief"', "`title`"),
    "hole between segments": ("from = -9\nto = 9", "from = -8\nto = 9", "total -9 belongs to no segment"),
    "segments overlap": ("from = -9\nto = 9", "from = -9\nto = 10", "total 10 belongs to A and B"),
    "segment upside down": ("¶from = 10\nto = 15", "from = 15\nto = 10", "begins above its end"),
    "segment's checklist": ('¶checklist = "sell_inside"', 'checklist = "magic"', "'magic' does not exist"),
    "segment's role": ('¶worked_by = ["trainee"]', 'worked_by = ["robot"]', "'robot' does not exist"),
    "head above": ("¶head_above = 9  ", "head_above = 16  ", "between -15 and 15"),
    "no currency": ('¶currencies = ["RUB", "USD", "EUR", "KZT", "BYN"]', "currencies = []", "at least one currency"),
    "checklist's stage": ('¶stage = "preparation"\nrule = "R15"', 'stage = "moon"\nrule = "R15"', "'moon' does not exist"),
    "item twice": ('rule = "R5"\n¶items = [\n  { id = "introductions"',
                   'rule = "R5"\nitems = [\n  { id = "client"', "used twice"),
    "screening checklist": ('[[checklists]]\nid = "screening"', '[[checklists]]\nid = "first_talk"', "'screening' is missing"),
    "asks": ('¶asks = ["who", "involved"]', 'asks = ["weather"]', "cannot be asked"),
    "sleeps without a date": ('¶asks = ["why", "until"]', 'asks = ["why"]', "until when"),
    "action twice": ('¶play = [\n  { id = "weak_sides"', 'play = [\n  { id = "what_must_we_do"', "used twice"),
    "return share": ("¶return_at = 0.8", "return_at = 80", "share between 0 and 1"),
}
"""Where no line is marked, the fault is of the whole list and stands at its beginning."""

LISTS = {"a permission of nobody": "[[roles]]", "missing role": "[[roles]]", "missing stage": "[[stages]]",
         "ending missing": "[[endings]]",
         "deadline missing": "[[deadlines]]", "hole between segments": "[[segments]]", "segments overlap": "[[segments]]",
         "screening checklist": "[[checklists]]"}


def faults(text: str) -> list[Fault]:
    with pytest.raises(BadProcess) as caught:
        read_process(text)
    assert str(caught.value) == "\n".join(map(str, caught.value.faults))
    return caught.value.faults


@pytest.mark.parametrize("what", FAULTS)
def test_r0_a_fault_is_named_with_its_line(what: str) -> None:
    marked, new, words = FAULTS[what]
    old = marked.replace("¶", "")
    assert TEXT.count(old) == 1, f"{old!r} is {TEXT.count(old)} times in the file"
    text = TEXT.replace(old, new)
    found = [f for f in faults(text) if words in f.sentence]
    assert found, [str(f) for f in faults(text)]
    if what in LISTS:
        line = text[:text.index(LISTS[what])].count("\n") + 1
    else:
        line = TEXT[:TEXT.index(old)].count("\n") + marked[:marked.index("¶")].count("\n") + 1
    if what != "not TOML":  # where a bracket is missing, the reader stops at the line after it
        assert found[0].line == line, f"{found[0]} should be line {line}: {text.splitlines()[line - 1]}"
    assert found[0].sentence[-1] not in "{}"


def test_r0_the_line_of_a_file_that_is_no_toml() -> None:
    assert [f.line for f in faults('name = "x"\nthis is no toml\n')] == [2]


def test_r0_all_faults_are_said_at_once_in_the_order_of_the_file() -> None:
    text = TEXT.replace('way = "round_robin"', 'way = "x"').replace("return_at = 0.8", "return_at = 8").replace(
        'timezone = "Europe/Moscow"', 'timezone = "x"')
    found = faults(text)
    assert len(found) == 3
    assert [f.line for f in found] == sorted(f.line for f in found)


def test_r0_an_empty_file_says_what_it_lacks() -> None:
    assert "name" in faults("")[0].sentence
    assert faults("")[0].line == 0
    assert str(Fault(0, Sentence("х", "x"))) == "x"


def test_r0_an_empty_list_is_named() -> None:
    start, end = TEXT.index("[[loss_reasons]]"), TEXT.index("[[closeness]]")
    assert any("loss_reasons" in f.sentence for f in faults(TEXT[:start] + TEXT[end:]))
    without = "loss_reasons = []\n" + TEXT[:start] + TEXT[end:]
    assert [(f.line, f.sentence) for f in faults(without)] == [(1, "[[loss_reasons]] is empty; the process needs at least one")]


def test_r9_a_block_has_five_parameters_and_the_sheet_three_blocks() -> None:
    start, end = TEXT.index("[[blocks.parameters]]\nid = \"responsiveness\""), TEXT.index("# ─── Сегменты по сумме")
    found = faults(TEXT[:start] + TEXT[end:])
    whole = TEXT.index('[[blocks]]\nid = "communication"')
    assert [f.line for f in found if "has 4 parameters" in f.sentence] == [TEXT[:whole].count("\n") + 1]
    assert any("2 blocks" in f.sentence for f in faults(TEXT[:whole] + TEXT[end:]))
