"""«Студия Т»: its people, partner agencies, website forms and the wording of its refusal letter."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.application import THE_HUB
from hub.bootstrap import House
from hub.domain.aggregate import Actor, Stamp
from hub.domain.form import Form, FormSettings, form_stream
from hub.domain.partner import Partner, Template, template_stream
from hub.domain.staff import User, user_stream
from hub.web.sessions import change_password

PASSWORD = "demo-2026-hub"
"""Everybody's. The demo is served from made-up data alone, and says so."""

PEOPLE = (
    ("admin", "Кирилл Соболев", "administrator"), ("head", "Валерия Громова", "head"), ("anna", "Анна Ковалёва", "manager"),
    ("dmitry", "Дмитрий Лапин", "manager"), ("trainee", "Тимур Ахметов", "trainee"), ("olga", "Ольга Миронова", "account"),
    ("pavel", "Павел Сёмин", "account"), ("auditor", "Ирина Белова", "auditor"),
)
"""Login, name and role."""

ROLES = {login: role for login, _, role in PEOPLE}
NAMES = {login: name for login, name, _ in PEOPLE}

PARTNERS = (
    ("Веб-мастерская «Ясно»", ("low",), ("Tilda", "WordPress"), "yasno", "Марина, +7 900 000-90-01",
     "Лендинги и сайты-визитки за две-три недели. Отвечают в тот же день."),
    ("«Кубик»", ("low", "middle"), ("1С-Битрикс", "Битрикс", "InSales"), "kubik", "Егор, egor@kubik.example",
     "Интернет-магазины на готовых решениях, поддержка по часам."),
    ("«Пиксель и Ко»", ("low",), ("Figma", "дизайн", "логотип"), "pixel", "Дарья, @pixel_dasha",
     "Дизайн и фирменный стиль без разработки."),
    ("«Мобильный цех»", ("middle",), ("Flutter", "iOS", "Android"), "mobtseh", "Рустам, +7 900 000-90-04",
     "Приложения на Flutter, сильны в доставке и бронировании."),
    ("«Северный код»", ("middle", "high"), ("Java", ".NET", "PHP"), "sevkod", "Илья, partner@sevkod.example",
     "Команды под бэкенд на Java и .NET, берут поддержку чужого кода."),
    ("«Атлас Интеграция»", ("high",), ("1С", "SAP", "ERP"), "atlas", "Наталья, n.orlova@atlas.example",
     "Внедрение учётных систем, складская и производственная автоматизация."),
)
"""Name, price segments, technologies, site, contact, what they are good at."""

CONSENT = "Согласен на обработку персональных данных по политике ООО «Студия Т»"
FORMS = {
    "main-site": FormSettings(
        name="Сайт, обсудить проект", origins=("https://studio-t.example",), consent_text=CONSENT,
        thank_you="Спасибо! Перезвоним в рабочее время в течение получаса.", phone_shown="+7 900 000-00-10"),
    "calculator": FormSettings(
        name="Калькулятор стоимости", origins=("https://studio-t.example", "https://calc.studio-t.example"),
        aliases=(("planned_sum", "budget"), ("что делаем", "text")), consent_text=CONSENT,
        thank_you="Расчёт отправим на почту, а пока менеджер уточнит детали.", phone_shown="+7 900 000-00-10"),
    "mobile-landing": FormSettings(
        name="Лендинг «Мобильные приложения»", origins=("https://app.studio-t.example",), silence_days=14,
        thank_you_urls=("https://app.studio-t.example/thanks",)),
}

LETTER_SUBJECT = "Ваша заявка в «Студию Т»"
LETTER = """{name}, здравствуйте!

Спасибо, что пришли к нам с задачей и подробно о ней рассказали. Мы взвесили её и решили, что сейчас не возьмёмся:

{reasons}

Чтобы вы не начинали поиск с нуля, вот агентства, с которыми мы дружим и за которых ручаемся:

{partners}

Скажите им, что вы от «Студии Т». Если условия изменятся, напишите, вернёмся к разговору.

{manager}
«Студия Т»"""


def user_id(login: str) -> str:
    """A colleague's id as it stands in events."""
    return f"user:{user_stream(login)}"


def actor(login: str) -> Actor:
    """A colleague at work."""
    return Actor(user_id(login), frozenset({ROLES[login]}))


def settle_in(house: House, at: datetime) -> None:
    """The department on its first day: people with their passwords, partners, forms, the letter."""
    admin, head = actor("admin"), actor("head")
    for login, name, role in PEOPLE:
        user = house.hub.add_user(login, name, (role,), actor=THE_HUB if login == "admin" else admin, at=at)
        change_password(house.hub, house.access, user, PASSWORD, temporary=False, actor=admin, at=at)
    house.hub.change(User, user_stream("trainee"), lambda u: u.set_shifts(dict.fromkeys(range(1, 6), "10:00-16:00")),
                     actor=admin, at=at)
    for name, prices, technologies, site, contact, about in PARTNERS:
        partner(house, None, head, at, name=name, prices=prices, technologies=technologies,
                site=f"https://{site}.example", contact=contact, about=about)
    for form, settings in FORMS.items():
        _form(house, form, settings, at)
    house.hub.change(Template, template_stream("refusal"), lambda t: t.write("refusal", LETTER_SUBJECT, LETTER), actor=head,
                     at=at, permissions=("admin", "partners"))


def partner(house: House, id: UUID | None, who: Actor, at: datetime, **fields: object) -> UUID:
    """A partner as the head of sales writes it down."""
    return house.hub.write_partner(id, actor=who, at=at, **fields)


def _form(house: House, form: str, settings: FormSettings, at: datetime) -> None:
    admin = actor("admin")
    house.hub.change(Form, Form.at_address(form, Stamp(admin, at, form_stream(form))).id, lambda f: f.make(form, settings),
                     actor=admin, at=at)


def later_changes(house: House, at: datetime) -> UUID:
    """What happens with time: a partner is corrected, another pauses (that one is returned), a form leaves its site."""
    admin, head = actor("admin"), actor("head")
    known = {p.name: (id, p) for id, p in house.hub.partners().items()}
    id, cube = known["«Кубик»"]
    partner(house, id, head, at, name=cube.name, prices=cube.prices, technologies=(*cube.technologies, "WordPress"),
            site=cube.site, contact="Егор, +7 900 000-90-02", about=cube.about)
    id, _ = known["«Мобильный цех»"]
    house.hub.change(Partner, id, lambda p: p.retire("Очередь на два месяца"), actor=head, at=at, permissions=("partners",))
    house.hub.change(Form, form_stream("mobile-landing"), lambda f: f.retire(), actor=admin, at=at)
    return id
