"""The last three months: deals that were won, lost and refused, from which the figures of the department are made."""

from __future__ import annotations

from decimal import Decimal

from hub.bootstrap import House
from hub.demo.people import user_id
from hub.demo.simulator import Simulator, Waits
from hub.demo.story import Story


def stories(sim: Simulator, house: House) -> list[Waits]:
    """Stories that are over."""
    def of(client: str, **more: bool) -> Story:
        return Story(sim, house, client, **more)

    return [
        # won
        won_and_grown(of("zerno")), won_after_wishes(of("orto")), won_quickly(of("metiz")), won_without_hand_over(of("sklad")),
        won_with_override(of("tennis")), won_and_wrote_again(of("analiz")),
        # lost, for every reason and at every distance
        lost_as_second(of("atletika")),
        lost_early(of("repetit"), 44, "telegram", "no_budget", "never_close", "Хотели работу за долю, денег нет"),
        lost_early(of("moto", gives_phone=False), 38, "vk", "vanished", "unknown", "Три недели не отвечает"),
        lost_late(of("optika"), 57, "website", 4, "price", "short_list", "Мы дороже на треть, команда понравилась больше"),
        lost_late(of("broker"), 52, "email", 2, "in_house", "considered", "Наняли двух разработчиков"),
        lost_late(of("beton"), 35, "phone", 3, "chose_others", "short_list", "Выбрали местных из-за поездок на завод"),
        lost_over_test(of("abitur")), lost_twice(of("prestizh")),
        # refused by us
        refused_by_sheet(of("yoga"), 50, "website", -12, "11:20"), refused_by_sheet(of("ferma"), 42, "email", -13, "10:40"),
        refused_by_sheet(of("muza"), 29, "website", -11, "10:30"), refused_by_sheet(of("detki"), 13, "telegram", -10, "11:05"),
        disqualified(of("bar"), 33, "impossible_deadline", "Просят лендинг за два дня"),
        disqualified(of("podarki"), 26, "outside_services", "Shopify не делаем"),
        disqualified(of("taxi"), 21, "on_principle", "Просили встроить сбор чужих номеров"),
        disqualified(of("baseyn"), 16, "budget_below_minimum", "Бюджет до 100 тысяч"),
        spam(of("kross"), 24), unreachable(of("lingva"), 18),
    ]


# ── won ──────────────────────────────────────────────────────────────────────────

def won_and_grown(s: Story) -> Waits:
    """An A-deal: decision maker met, won, handed over, with chances after it, one of them won."""
    yield from s.qualify(s.sim.on(61, "10:04"), "email", 12)
    s.do("check_item", checklist="sell_inside", item="processes", note="Провели по офису, показали планёрку")
    s.plan("interview", s.day(2, "12:00"), online=False, place="Самара, офис клиента", theirs=3)
    s.do("change_decision_maker", name="Рафаэль Галиев", position="генеральный директор", phone="+7 900 000-80-01", involved=True)
    yield from s.prepare()
    yield from s.interview()
    yield from s.propose()
    s.plan("presentation", s.day(2, "14:00"), "Согласовать старт до посевной", theirs=4)
    yield from s.present()
    yield from s.ping("Директор согласен, юристы читают договор", "advance", days=1)
    yield from s.win("olga", days=3)
    yield s.day(12, "11:30")
    s.do("record_installed", by="olga", text="Портал хозяйств: прайс, заявки, статусы. 96 покупателей за первый месяц")
    s.do("record_chance", by="olga", kind="upsell", text="Мобильное приложение агронома", amount=Decimal(2_400_000))
    s.do("record_chance", by="olga", kind="cross_sell", text="Ведение рекламы на сезон")
    yield s.day(6, "15:00")
    s.do("close_chance", by="olga", chance=1, won=True, text="Подписали доп. соглашение на приложение")


def won_after_wishes(s: Story) -> Waits:
    """In follow-up everything that was missing was brought: documents, a template, answers, another meeting."""
    yield from s.shown(s.sim.on(56, "14:12"), "website", 6)
    yield from s.ping(days=2, hour="11:10")
    yield s.day(2, "10:20")
    for kind, text in (("documents", "Устав, выписка, карточка"), ("contract_template", "Договор с этапами"),
                       ("questions", "Почему две недели на аналитику"), ("meeting", "Познакомить с тимлидом")):
        s.do("open_request", kind=kind, text=text)
    yield s.day(1, "16:00")
    results = ("Отправили пакет", "Отправили, правки в срок оплаты", "Ответили письмом", "Созвонились, сняли вопросы")
    for number, result in enumerate(results, 1):
        s.do("close_request", request=number, text=result)
    s.do("plan_step", step="Получить подписанный договор", due_at=s.day(3, "17:00"))
    yield from s.win("pavel", days=2)
    yield s.day(8, "12:00")
    s.do("record_installed", by="pavel", text="Сайт и кабинет пациента с планом лечения, первая очередь")


def won_quickly(s: Story) -> Waits:
    """A phone call, and a contract three weeks later; a colleague took the lead over on the way."""
    yield from s.deal(s.sim.on(40, "09:47"), "phone", 7)
    s.do("reassign", by="head", owner=user_id("dmitry" if s.me == "anna" else "anna"), why="Выравниваем загрузку")
    s.plan("presentation", s.day(1, "15:00"), "Договориться о старте", theirs=3)
    yield from s.present()
    yield from s.win("pavel", days=2)
    yield s.day(9, "10:30")
    s.do("record_installed", by="pavel", text="Каталог на 8 тысяч позиций, обмен с 1С раз в час")
    s.do("record_chance", by="pavel", kind="upsell", text="Кабинет дилера", amount=Decimal(1_700_000))
    yield s.day(7, "10:30")
    s.do("close_chance", by="pavel", chance=1, won=False, text="Бюджет ушёл на склад, вернёмся осенью")


def won_without_hand_over(s: Story) -> Waits:
    """Signed the other day and not handed over yet: the account managers see it."""
    yield from s.shown(s.sim.on(24, "16:31"), "website", 8, form="calculator", planned_sum="1,8 млн")
    yield from s.ping("Согласовали, ждём подписи", "advance", days=2)
    yield s.sim.ago(150)
    yield from s.win(days=0, hour="00:01", hand_over=False)


def won_with_override(s: Story) -> Waits:
    """The head lifted a guard for one deal (R32): no date for the proposal was wanted, the client asked for it the same day."""
    yield from s.qualify(s.sim.on(31, "11:55"), "phone", 9)
    s.plan("interview", s.day(1, "10:00"))
    yield from s.prepare(6)
    yield s.day(1, "11:20")
    s.do("hold_meeting", meeting=1, outcome="advance", text="Задача ясна, просят КП сегодня", step="КП сегодня",
         step_due=s.day(0, "18:00"))
    s.do("state_benefit", text=s.topic.benefit, kpi=s.topic.kpi)
    s.do("override", by="head", guard="proposal_promised", reason="Клиент просит КП сегодня же, дату называть незачем")
    s.do("move", to="proposal", why="КП в тот же день")
    yield from s.propose(0, "16:40")
    s.do("send_proposal", way="email")
    yield from s.ping("Цена устроила, смотрят договор", "advance", days=2)
    yield from s.win("olga", days=3)


def won_and_wrote_again(s: Story) -> Waits:
    """The client of a won deal writes again: it goes to the account manager, who opens a new request (R29)."""
    yield from s.shown(s.sim.on(54, "09:33"), "email", 11)
    yield from s.win("pavel", days=4)
    yield s.sim.on(6, "11:42")
    s.arrive("email", "Павел, добрый день! Приложение живёт, спасибо. Думаем про модуль для врачей: направления и "
                      "повторные визиты. Можете прикинуть?", subject="Модуль для врачей")
    yield s.minutes(38)
    s.do("log_contact", by="pavel", way="phone", direction="out", goal="Понять задачу", text="Хотят модуль до лета, бюджет есть")
    opened = s.hub.open_request(s.lead, "Модуль для врачей: направления, повторные визиты, отчёты. Бюджет до 2 млн.",
                                actor=s.actor("pavel"), at=s.sim.tick())
    s.lead = opened.lead or s.lead
    yield s.minutes(6)
    s.do("take", by="anna")
    if s.state.stage == "contact":
        s.do("capture_contact", phone=s.client.phone, timezone=s.client.zone)
    yield from s.screen()
    yield from s.score(10, "Знаем клиента, команда та же")
    s.plan("interview", s.sim.ahead(1300), "Собрать требования врачей", theirs=3)


# ── lost ─────────────────────────────────────────────────────────────────────────

def lost_as_second(s: Story) -> Waits:
    """Second choice: the lead returns by itself near the end of the competitor's project (R29)."""
    yield from s.shown(s.sim.on(45, "12:26"), "website", 6)
    yield from s.ping(days=2)
    yield s.day(4, "12:15")
    s.do("find_stall", reason="chose_others", debrief="У победителя готовый модуль под 1С:Фитнес", closeness="second",
         competitor=s.topic.competitor, competitor_until=s.date(170))
    for action, result in (("debrief", "Сроки: они обещали на месяц раньше"), ("closeness", "Вторые, разница два голоса"),
                           ("competitor_date", "Запуск через полгода")):
        s.do("play_stall", stall=1, action=action, result=result)
    yield from s.lose("chose_others", "second", "У победителя готовый модуль под 1С:Фитнес, в остальном мы нравились больше", 0,
                      competitor=s.topic.competitor, competitor_until=s.date(170))


def lost_early(s: Story, days: int, channel: str, reason: str, closeness: str, debrief: str) -> Waits:
    """Lost soon after the first talk."""
    yield from s.begin(s.sim.on(days, "15:08"), channel, reaction=12)
    if reason == "vanished":
        for n in range(3):
            yield s.day(1 if n else 0, "16:40")
            s.do("log_attempt", way="other", note="Написали в сообщения, не прочитано")
    else:
        yield from s.screen("messenger")
        yield from s.score(-3)
    yield from s.lose(reason, closeness, debrief, 6)


def lost_late(s: Story, days: int, channel: str, total: int, reason: str, closeness: str, debrief: str) -> Waits:
    """Lost after the presentation."""
    yield from s.shown(s.sim.on(days, "10:51"), channel, total, reaction=18 if days % 2 else 6)
    yield from s.ping(days=3, hour="16:20")
    yield from s.lose(reason, closeness, debrief, 5, competitor=s.topic.competitor if reason in ("chose_others", "price") else "")


def lost_over_test(s: Story) -> Waits:
    """A test task, which the head advised against: declined, and the deal with it (R24)."""
    yield from s.deal(s.sim.on(48, "13:21"), "website", 3)
    s.do("send_proposal")
    yield s.day(2, "12:20")
    s.do("open_request", kind="test_task", text="Сверстать и собрать модуль пробного экзамена бесплатно")
    yield s.minutes(160)
    s.do("give_opinion", by="head", request=1, in_favour=False, text="Две недели команды без оплаты",
         resources="Свободных нет до конца месяца")
    s.do("decide_test", request=1, accepted=False, text="Предложили платный пилот, отказались")
    yield from s.lose("test_task", "short_list", "Без бесплатного теста дальше не идут, тест сделала «ЭдТех Студио»")


def lost_twice(s: Story) -> Waits:
    """Lost for money, asleep until a date, woken by it and lost again: each loss stays (R28, R29)."""
    yield from s.shown(s.sim.on(60, "11:15"), "website", 3)
    yield from s.lose("no_budget", "considered", "Бюджет на сайт сняли до осени", 3, return_on=s.sim.on(20, "09:00").date())
    yield s.sim.on(20, "11:00")
    s.do("log_contact", way="phone", goal="Узнать, вернулся ли бюджет", text="Бюджет вернули, но обещали знакомым",
         outcome="refusal")
    yield from s.lose("chose_others", "never_close", "Делает знакомый директора", 1)


# ── refused by us ────────────────────────────────────────────────────────────────

def refused_by_sheet(s: Story, days: int, channel: str, total: int, hour: str) -> Waits:
    """Segment C: the trainee writes a refusal with partners, it leaves, the lead is closed (R12, R13)."""
    yield from s.qualify(s.sim.on(days, hour), channel, total)
    yield from s.letter()
    s.do("refuse")


def disqualified(s: Story, days: int, criterion: str, note: str) -> Waits:
    """A hard criterion, a letter with one partner, the end (R8)."""
    yield from s.begin(s.sim.on(days, "12:02"), "website")
    yield from s.contact()
    yield s.minutes(14)
    s.do("disqualify", criterion=criterion, note=note)
    yield from s.letter(1, wait=90)
    id, partner = next((id, p) for id, p in s.hub.partners().items() if id not in s.state.referrals)
    s.do("refer", partner=str(id), partner_name=partner.name)
    s.do("refuse")


def spam(s: Story, days: int) -> Waits:
    """Not a client: closed without a letter and without a closeness (R28)."""
    yield from s.begin(s.sim.on(days, "09:41"), "email", text="Продвинем ваш сайт в ТОП-10 за неделю. Гарантия. Прайс вышлем.",
                       subject="Продвижение сайта studio-t.example")
    yield from s.contact()
    yield s.minutes(3)
    s.do("disqualify", criterion="not_a_client", note="Продают SEO")


def unreachable(s: Story, days: int) -> Waits:
    """Three attempts in three days and no answer (R8)."""
    yield from s.begin(s.sim.on(days, "17:12"), "website", reaction=22)
    yield from s.contact()
    for n in range(3):
        yield s.day(min(n, 1), "17:30")
        s.do("log_attempt", note="Не берёт трубку" if n < 2 else "Номер выключен")
    s.do("disqualify", criterion="unreachable", note="Три звонка и письмо без ответа")
