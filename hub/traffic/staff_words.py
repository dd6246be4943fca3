"""What a message to a colleague says (R34): the card's number, what happened and what to do, and a link; never a client."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from hub.domain.errors import SENTENCES, sentences
from hub.domain.process import Process
from hub.domain.telling import Item, Told

sentences(
    told_offered_turn=("Новая заявка: ваша очередь. Возьмите её в работу.", "A new lead, and it is your turn. Take it."),
    told_offered_anyone=("Новая заявка. Возьмёт тот, кто первый.", "A new lead. Whoever is first takes it."),
    told_offered_near_deadline=("Заявку никто не взял, срок подходит. Возьмите её.",
                                "Nobody took the lead and time runs out. Take it."),
    told_offered_owner_absent=("Ответственного нет на месте. Возьмите заявку.", "Its owner is away. Take the lead."),
    told_offered_client_of=("Новая заявка от знакомого клиента.", "A new lead from a client we know."),
    told_near=("Срок подходит: «{what}».", "Due soon: “{what}”."),
    told_late=("Срок прошёл: «{what}».", "Overdue: “{what}”."),
    told_woken=("Наступил день возврата: сделка снова в работе.", "Its return date has come: the deal is at work again."),
    told_moved=("Решения в срок нет: сделка перешла в дожим.", "No decision in time: the deal moved to follow-up."),
    told_written=("Клиент написал. Ответьте.", "The client wrote. Answer."),
    told_given=("Вам передали сделку.", "A deal was given to you."),
    told_opinion=("Просят ваше мнение о тестовом задании.", "Your opinion on a test task is asked for."),
    told_opinion_given=("Руководитель дал мнение о тестовом задании.", "The head gave an opinion on the test task."),
    told_won=("Договор подписан: примите сделку.", "The contract is signed: take the deal over."),
    told_unsent=("Сообщение клиенту не ушло. Посмотрите, почему.", "A message to the client did not leave. See why."),
    told_missed_call=("Клиент звонил и ни с кем не поговорил. Перезвоните.",
                      "The client called and talked to nobody. Call back."),
    told_other=("В карточке новое. Откройте её.", "There is something new on the card. Open it."),
    told_many=("Уведомлений: {count}", "Notices: {count}"),
    told_one=("Уведомление", "A notice"),
    told_more=("И ещё {count}: {url}", "And {count} more: {url}"),
    told_test=("Проверка: уведомления хаба приходят сюда.", "A test: notices of the hub come here."),
    told_linked=("Готово. Уведомления хаба будут приходить сюда. Выключить их можно в хабе: {url}",
                 "Done. Notices of the hub come here from now on. Turn them off in the hub: {url}"),
)


def say(code: str, language: str, **params: object) -> str:
    """A sentence in the colleague's language."""
    sentence = SENTENCES[code]
    return (sentence.en if language == "en" else sentence.ru).format(**params)


def what(item: Item, process: Process, language: str) -> str:
    """What happened to a card and what to do."""
    if item.kind in ("near", "late"):
        due = item.key.partition(":")[0]
        title = process.deadlines[due].title if due in process.deadlines else due
        return say(f"told_{item.kind}", language, what=title)
    code = f"told_offered_{item.key}" if item.kind == "offered" else f"told_{item.kind}"
    return say(code if code in SENTENCES else "told_other", language)


def letter(told: Told, language: str, process: Process, number: Callable[[UUID], int | None], public_url: str) -> tuple[str, str]:
    """Subject and text of a message."""
    if told.kind != "notices":
        text = say(f"told_{told.kind}", language, **({"url": f"{public_url}/account/notices"} if told.kind == "linked" else {}))
        return say("told_one", language), text
    many = say("told_many", language, count=told.count)
    lines = [many, ""] if told.count > 1 else []
    numbers = []
    for item in told.items:
        found = number(item.lead)
        name = f"L-{found}" if found else ""
        numbers.append(name)
        link = f"{public_url}/leads/{found}" if found else f"{public_url}/leads/{item.lead}"
        lines += [f"{name}: {what(item, process, language)}".removeprefix(": "), link, ""]
    if told.count > len(told.items):
        lines.append(say("told_more", language, count=told.count - len(told.items), url=f"{public_url}/notices"))
    subject = many if told.count > 1 else f"{numbers[0]}: {what(told.items[0], process, language)}".removeprefix(": ")
    return subject, "\n".join(lines).strip()
