"""Deals that go on now, one or more in every stage, told so that they are alive at whatever hour the demo is started."""

from __future__ import annotations

from datetime import timedelta

from hub.bootstrap import House
from hub.demo import arrivals
from hub.demo.people import NAMES, user_id
from hub.demo.simulator import Simulator, Waits
from hub.demo.story import SOLD_INSIDE, Story


def stories(sim: Simulator, house: House) -> list[Waits]:
    """Stories without an end yet."""
    def of(client: str, **more: bool) -> Story:
        return Story(sim, house, client, **more)

    return [
        # new
        just_come(of("ulybka"), 4, "website"), just_come(of("sushi"), 9, "phone"),
        just_come(of("kofe", gives_phone=False), 12, "vk"), nobody_took(of("usadba", gives_phone=False)),
        # contact
        asking(of("pirogi", gives_phone=False), "telegram"), no_answer(of("dom", gives_phone=False)),
        # screening
        call_agreed(of("kursiv")), talking_late(of("shina")), on_the_line(of("pizza")),
        # scoring
        to_be_scored(of("kedr")), no_meeting_yet(of("vet")), grew_up(of("koleso")),
        # refusal
        letter_due(of("sad")), letter_failed(of("dentart")),
        # preparation
        preparing(of("lavanda"), 5), preparing_vip(of("strah")), meeting_moved(of("teplica")),
        # interview
        interviewing(of("sever-log")), decision_maker_changed(of("tranzit")),
        # proposal
        waits_for_head(of("obuv")), promise_at_risk(of("stanok")),
        # presentation
        presentation_ahead(of("apteka")), just_presented(of("sosny")),
        # follow-up
        test_task(of("faktor")), test_accepted(of("gruzovoz")), waits_for_somebody(of("novostroy")), no_time(of("kabel")),
        chose_others(of("rentgen")), cannot_choose(of("clinic-x")), two_wishes(of("invest")), moved_by_itself(of("lizing")),
        # asleep, woken
        postponed(of("moloko")), postponed_long(of("lift")), woken_yesterday(of("port")), woken_by_client(of("urozhay")),
    ]


# ── new, contact, screening ──────────────────────────────────────────────────────

def just_come(s: Story, minutes: int, channel: str) -> Waits:
    """Minutes old, and the quarter of an hour runs (R2)."""
    yield s.sim.end - timedelta(minutes=minutes)
    s.arrive(channel)


def nobody_took(s: Story) -> Waits:
    """Came by e-mail and nobody took it: late, the head was told (R2)."""
    yield s.sim.ago(47)
    s.arrive("email")


def asking(s: Story, channel: str) -> Waits:
    """Taken, and the number is being asked for (R3)."""
    yield from s.begin(s.sim.ago(21), channel, reaction=4)
    yield s.minutes(2)
    s.do("log_contact", way=channel, direction="out",
         text="Добрый день! Подскажите телефон и удобное время, расскажу про сроки и бюджет")


def no_answer(s: Story) -> Waits:
    """The client does not answer; the first contact is late."""
    yield from s.begin(s.sim.ago(190), "email", reaction=11)
    yield s.minutes(5)
    s.do("ask_letter", kind="free", subject="Ваш запрос", body="Добрый день! Когда вам удобно поговорить и по какому номеру?")
    yield s.minutes(1)
    s.do("mark_letter", letter=1)
    yield s.minutes(90)
    s.do("log_attempt", way="email", note="Ответа нет, номера в письме нет")


def call_agreed(s: Story) -> Waits:
    """The call is agreed for later (R4)."""
    yield from s.begin(s.sim.ago(100), "website", reaction=6, calltime="после обеда")
    yield s.minutes(9)
    if s.state.stage == "contact":
        s.do("capture_contact", phone=s.client.phone, timezone=s.client.zone)
    s.do("capture_contact", call_at=s.sim.ahead(35), call_words="после планёрки")


def talking_late(s: Story) -> Waits:
    """The screening talk is overdue: the client asked to call back and was forgotten."""
    yield from s.begin(s.sim.ago(330), "phone", reaction=3, text="Просили перезвонить через полчаса, были за рулём")
    yield s.minutes(4)
    s.do("note", text="Перезвонить через полчаса")


def on_the_line(s: Story) -> Waits:
    """Called minutes ago; taken, the talk goes on (R3)."""
    yield from s.begin(s.sim.ago(8), "phone", reaction=1)
    yield s.minutes(1)
    s.do("check_item", checklist="screening", item="introductions", note=f"{s.client.name}, {s.client.position}")


# ── scoring, refusal ─────────────────────────────────────────────────────────────

def to_be_scored(s: Story) -> Waits:
    """Screened an hour ago, no sheet yet (R9)."""
    yield from s.begin(s.sim.ago(125), "website", form="calculator", planned_sum="1,6 млн")
    yield from s.screen("messenger")


def no_meeting_yet(s: Story) -> Waits:
    """Segment B and no meeting agreed: it does not get further (R14)."""
    yield from s.qualify(s.sim.on(2, "19:48"), "website", 1)
    s.do("plan_step", step="Позвонить и договориться о встрече", due_at=s.sim.ahead(75))


def grew_up(s: Story) -> Waits:
    """Scored low, refused in part, scored again when the client came with money: each sheet stays (R11)."""
    yield from s.qualify(s.sim.on(9, "11:12"), "telegram", -10)
    yield s.day(1, "11:20")
    s.do("log_contact", way="phone", direction="in", text="Нашли инвестора, бюджет теперь 1,5 млн")
    s.do("name_budget", amount=1_500_000, note="Подтвердил письмом")
    s.do("score", by="anna", marks=s.marks(4), comment="Клиент вырос: бюджет и сроки другие")
    s.do("reassign", by="head", owner=user_id("dmitry"), why="Теперь это сегмент B")
    s.do("plan_step", step="Согласовать встречу с директором по сервису", due_at=s.sim.ahead(240))


def letter_due(s: Story) -> Waits:
    """Segment C: the trainee has the letter to write today (R12)."""
    yield from s.qualify(s.sim.on(1, "12:10"), "website", -11)


def letter_failed(s: Story) -> Waits:
    """The letter came back: another address is needed."""
    yield from s.begin(s.sim.on(2, "11:02"), "website")
    yield from s.contact()
    yield s.minutes(25)
    s.do("disqualify", criterion="budget_below_minimum", note="Двести тысяч на всё")
    yield from s.letter(3, wait=60)
    yield s.sim.ago(200)
    draft = s.state.letters[1]
    s.do("ask_letter", to=draft.to, subject=draft.subject_line, body=draft.body + "\n\nP. S. Отправляем ещё раз.")
    s.do("mark_letter", letter=2, sent=False, why="Ящик переполнен")
    s.do("retire_address", kind="email", value=s.client.email, why="Ящик переполнен, письма возвращаются")


# ── preparation, interview ───────────────────────────────────────────────────────

def preparing(s: Story, items: int) -> Waits:
    """The interview is tomorrow, half of the checklist is done (R16)."""
    yield from s.qualify(s.sim.on(2, "22:41"), "website", 5)
    s.plan("interview", s.sim.ahead(500))
    yield s.minutes(140)
    yield from s.prepare(items)
    s.do("assign_item", checklist="preparation", item="deck", owner=user_id("olga"))
    s.do("check_item", checklist="preparation", item="metrics", done=False)


def preparing_vip(s: Story) -> Waits:
    """Segment A: the contact learns to sell us inside (R15). The request came on a weekend."""
    yield from s.begin(s.sim.weekend(1, "15:26"), "email")
    yield from s.screen()
    yield from s.score(13, "Тендер, решает правление. Нужен сильный внутренний союзник")
    s.plan("interview", s.sim.ahead(900), theirs=4, ours=(NAMES["anna"], NAMES["head"]))
    s.do("check_item", checklist="sell_inside", item="processes", note="Созвонились с нашим техдиром")
    s.do("assign_item", checklist="sell_inside", item="upward_deck", owner=user_id("head"))
    yield from s.prepare(3)


def meeting_moved(s: Story) -> Waits:
    """The client moved the interview twice; as many of ours as of theirs, and why (R20)."""
    yield from s.qualify(s.sim.on(6, "10:21"), "phone", 3)
    s.plan("interview", s.sim.on(3, "12:00"), ours=(NAMES[s.me], NAMES["olga"]), theirs=2)
    s.do("explain_headcount", meeting=1, reason="Ольга знает их учёт, без неё не ответим на вопросы")
    s.plan("call", s.sim.on(4, "12:00"), "Уточнить состав встречи", theirs=1)
    yield s.sim.on(4, "10:30")
    s.do("cancel_meeting", meeting=2, why="Ответили письмом")
    s.do("move_meeting", meeting=1, starts_at=s.sim.on(1, "15:00"), why="У них приёмка урожая", by_client=True)
    yield s.sim.on(1, "11:30")
    s.do("move_meeting", meeting=1, starts_at=s.sim.ahead(350), why="Ждут агронома", by_client=True)


def interviewing(s: Story) -> Waits:
    """The interview took place; the benefit and the date of the proposal are not said yet (R17)."""
    yield from s.qualify(s.sim.on(4, "07:12"), "website", 4)
    s.plan("interview", s.sim.on(1, "12:00"), theirs=3)
    yield from s.prepare()
    yield s.sim.on(1, "13:15")
    s.do("ask_question", kind="problem", text=s.topic.problem)
    s.do("answer_question", question=1, answer=s.topic.answer)
    s.do("hold_meeting", meeting=1, outcome="continuation", text="Многое узнали, но без ИТ-директора о пользе говорить рано",
         why="ИТ-директор не пришёл")
    s.do("find_need", text="Не потерять крупных клиентов", explicit=True, quote="Клиенты прямо просят карту, иначе уйдут")
    s.plan("interview", s.sim.ahead(640), "Договорить с ИТ-директором, назвать дату КП", theirs=3)


def decision_maker_changed(s: Story) -> Waits:
    """Somebody else decides: back to the interview with the new person (R25)."""
    yield from s.shown(s.sim.on(22, "08:21"), "website", 8)
    yield from s.ping(days=2)
    yield s.sim.on(4, "12:40")
    s.do("find_stall", reason="waiting_decision", who="Учредитель, на презентации не был", involved=False)
    s.do("play_stall", stall=1, action="who", result="Николай Панкратов, учредитель")
    s.do("play_stall", stall=1, action="contacts", result="Телефон дал сам контакт")
    s.do("change_decision_maker", name="Николай Панкратов", position="учредитель", phone="+7 900 000-80-02",
         email="n.pankratov@tranzit.example", why="Решает учредитель")
    s.do("play_stall", stall=1, action="new_dm", result="Вернулись к интервью")
    s.do("finish_step", result="Вышли на учредителя")
    s.do("agree_decision_date", on=s.date(20))
    s.plan("interview", s.sim.ahead(420), "Узнать, что важно учредителю", theirs=2)


# ── proposal, presentation ───────────────────────────────────────────────────────

def waits_for_head(s: Story) -> Waits:
    """An A-deal: the version is ready and waits for the head's part (R18)."""
    yield from s.qualify(s.sim.on(11, "09:58"), "email", 11, files=(arrivals.PRICES,),
                         subject="Замена платформы, данные во вложении")
    s.plan("interview", s.sim.on(6, "14:00"), theirs=4)
    yield from s.prepare()
    for item in SOLD_INSIDE[:3]:
        s.do("check_item", checklist="sell_inside", item=item)
    yield from s.interview(ready_in=8)
    yield s.sim.ago(170)
    s.draft(head=False)
    s.plan("presentation", s.sim.ahead(700), "Получить согласие на пилот", theirs=4,
           ours=(NAMES[s.me], NAMES["head"], NAMES["olga"]))


def promise_at_risk(s: Story) -> Waits:
    """The proposal was promised for today and there is no version yet."""
    yield from s.qualify(s.sim.on(9, "13:17"), "website", 2)
    s.plan("interview", s.sim.on(4, "11:00"))
    yield from s.prepare(9)
    yield from s.interview(ready_in=4, presented=False)


def presentation_ahead(s: Story) -> Waits:
    """The presentation is tomorrow; the head took part (R18, R20)."""
    yield from s.deal(s.sim.on(14, "11:37"), "website", 10)
    s.plan("presentation", s.sim.ahead(480), "Договориться о дате решения", theirs=4, ours=(NAMES[s.me], NAMES["head"]))
    s.do("move", to="presentation")
    s.at_once("undo_move", seconds=8)  # dragged too far, and taken back
    s.do("move", to="presentation")
    for command, tag in (("tag", "тендер"), ("tag", "срочно"), ("untag", "срочно")):
        s.at_once(command, tag=tag)
    s.do("check_item", checklist="presentation", item="equipment")


def just_presented(s: Story) -> Waits:
    """Presented in the last working day: 72 hours run (R21), the ping is due (R22)."""
    yield from s.deal(s.sim.on(13, "16:05"), "website", 7)
    s.plan("presentation", s.sim.ago(130), "Договориться о дате решения", theirs=3)
    yield from s.present(decide_in=6)
    s.do("check_item", checklist="presentation", item="new_needs", note="Хотят ещё кабинет агента")
    s.do("find_need", text="Кабинет агента с комиссией")


# ── follow-up ────────────────────────────────────────────────────────────────────

def test_task(s: Story) -> Waits:
    """They want a test task: the head's opinion is due (R24)."""
    yield from s.shown(s.sim.on(21, "10:09"), "email", 9)
    yield from s.ping("Хотят посмотреть нас в деле", "advance", days=3)
    yield s.sim.ago(220)
    s.do("open_request", kind="test_task", text="Прототип загрузки реестра за неделю, без оплаты")
    s.onward("Ответить про тестовое", s.sim.ahead(300), 8)


def test_accepted(s: Story) -> Waits:
    """A test task that the head was for: accepted and done by its day (R24)."""
    yield from s.shown(s.sim.on(25, "11:49"), "website", 9)
    yield from s.ping("Просят тестовое", "advance", days=2)
    yield s.sim.on(4, "10:15")
    s.do("open_request", kind="test_task", text="Схема обмена с их учётной системой", due_at=s.sim.ahead(800))
    yield s.minutes(95)
    s.do("give_opinion", by="head", request=1, in_favour=True, text="Деньги и отрасль наши, берём",
         resources="Аналитик свободен 3 дня")
    s.do("decide_test", request=1, accepted=True, text="Делаем к пятнице")
    s.onward("Показать схему обмена", s.sim.ahead(800), 10)


def waits_for_somebody(s: Story) -> Waits:
    """They wait for a person who was there all the time (R25)."""
    yield from s.shown(s.sim.on(23, "12:51"), "email", 10)
    yield from s.ping(days=3)
    yield s.sim.on(2, "15:30")
    s.do("find_stall", reason="waiting_decision", who="Финансовый директор, вернётся на неделе", involved=True)
    s.do("play_stall", stall=1, action="who", result="Пётр Абрамов, был на презентации")
    s.onward("Позвонить финансовому директору", s.sim.ahead(110), 7)


def no_time(s: Story) -> Waits:
    """The proposal went by e-mail and nobody reads it (R19, R25): a presentation is being arranged."""
    yield from s.deal(s.sim.on(18, "09:26"), "phone", 0)
    s.do("send_proposal")
    yield from s.ping("Не открывали, конец квартала", days=2)
    yield s.sim.on(1, "12:30")
    s.do("find_stall", reason="no_time", decision_date=s.date(9))
    s.do("play_stall", stall=1, action="present", result="Предложили созвон на полчаса")
    s.do("play_stall", stall=1, action="dates_again", result="Запуск к сезону, если начать в этом месяце")
    s.do("finish_step", result="Поговорили, просят показать вживую")
    s.plan("presentation", s.sim.ahead(1150), "Показать КП за полчаса", theirs=2)


def chose_others(s: Story) -> Waits:
    """They chose others; the debrief is going on, the loss is not written down yet."""
    yield from s.shown(s.sim.on(24, "09:13"), "website", 4)
    yield from s.ping(days=3)
    yield s.sim.ago(260)
    s.do("find_stall", reason="chose_others", debrief="Говорят, у нас нет опыта с PACS", closeness="short_list",
         competitor=s.topic.competitor, competitor_until=s.date(120))
    s.do("play_stall", stall=1, action="debrief", result="Настоящая причина: цена второй очереди")
    s.onward("Дослушать технического директора", s.sim.ahead(430), 4)


def cannot_choose(s: Story) -> Waits:
    """They wait for other proposals (R25); a second, cheaper version went out."""
    yield from s.shown(s.sim.on(26, "10:37"), "website", 12)
    yield from s.ping(days=2)
    yield s.sim.on(3, "11:20")
    s.do("find_stall", reason="cannot_choose", debrief="Смущает срок второй очереди", wish="Разбить на этапы и закрепить команду")
    s.do("play_stall", stall=1, action="weak_sides", result="Срок и незнакомая им команда")
    s.do("play_stall", stall=1, action="what_must_we_do", result="Показать команду и этапы")
    yield s.sim.on(2, "16:00")
    s.draft(off=12)
    s.do("send_proposal", without_presentation=False)
    s.onward("Собрать вопросы ко второй версии", s.sim.ahead(560), 9)


def two_wishes(s: Story) -> Waits:
    """Documents and a contract template are asked for: one is brought, one is late (R23)."""
    yield from s.shown(s.sim.on(20, "15:44"), "website", 5)
    yield from s.ping("Проверяют нас как подрядчика", "advance", days=2)
    yield s.sim.on(4, "12:15")
    s.do("open_request", kind="documents", text="Бухотчётность за три года")
    s.do("open_request", kind="contract_template", text="Договор с NDA")
    yield s.sim.on(3, "17:10")
    s.do("close_request", request=2, text="Отправили, согласуют")
    s.onward("Дослать отчётность за прошлый год", s.sim.ahead(90), 12)


def moved_by_itself(s: Story) -> Waits:
    """Three days without a decision: the card moved to follow-up by itself (R21)."""
    yield from s.deal(s.sim.on(17, "11:33"), "email", 10)
    s.plan("presentation", s.sim.on(5, "14:00"), "Договориться о дате решения", theirs=4)
    yield from s.present("continuation", decide_in=14)
    yield from s.ping(days=2, hour="12:10")


# ── asleep and woken ─────────────────────────────────────────────────────────────

def postponed(s: Story) -> Waits:
    """Postponed with a date: open and asleep (R28)."""
    yield from s.shown(s.sim.on(34, "13:05"), "website", 5)
    yield from s.ping(days=2)
    yield s.sim.on(12, "12:00")
    s.do("find_stall", reason="postponed", why="Ждут бюджет нового года", until=s.date(33))
    for action, result in (("why_when", "Бюджет защищают через месяц"), ("mvp", "Кабинет на трёх партнёров, думают"),
                           ("small_steps", "Готовы оплатить ТЗ отдельно"), ("return_date", "Договорились созвониться")):
        s.do("play_stall", stall=1, action=action, result=result)


def postponed_long(s: Story) -> Waits:
    """Asleep until the next season."""
    yield from s.qualify(s.sim.on(28, "11:14"), "phone", 2)
    yield s.day(1, "12:00")
    s.do("sleep", until=s.date(100), why="Переезжают в новый офис, до весны не до нас")


def woken_yesterday(s: Story) -> Waits:
    """Second choice half a year's share ago: its date came, and the return is due (R29)."""
    yield from s.shown(s.sim.on(46, "12:07"), "email", 9)
    yield from s.lose("chose_others", "second", "Дороже на 10 %, в остальном равны", 4, competitor=s.topic.competitor,
                      return_on=s.sim.on(1, "09:00").date())


def woken_by_client(s: Story) -> Waits:
    """Asleep, and the client wrote before the date: awake, an answer is due (R6, R28)."""
    yield from s.deal(s.sim.on(27, "10:18"), "website", 3)
    s.do("send_proposal")
    yield s.day(3, "14:00")
    s.do("find_stall", reason="postponed", why="Урожай, все в полях", until=s.date(60))
    yield s.sim.ago(28)
    s.arrive("website", "Мы освободились раньше. Давайте вернёмся к разговору, сезон близко. КП у нас есть.")
