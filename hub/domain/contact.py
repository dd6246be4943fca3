"""Contacts as people write them, made comparable: phones, e-mails, names, time zones. Pure functions.

What was written is always kept beside what we made of it (``Address.raw``): a number that no rule
understands can still be dialled by a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import available_timezones

import phonenumbers
from phonenumbers import Leniency, NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberMatcher
from phonenumbers import timezone as phone_zones

from hub.domain.delivery import Address

SCANNED = 20_000
"""Characters of a free text that are searched for contacts; a longer text is read by a person."""

FEWEST = 5
"""Digits without which nothing is a number: those of the shortest countries have four beside their country's."""

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202c"))
_PIECE = re.compile(r"\s+|\S{1,64}")
"""What is normalised at a time: sorting a long run of combining marks takes the square of its length."""
_PILES = re.compile("([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{3})"
                    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")
"""Marks piled on one letter beyond what any language writes: they are drawn over the lines around."""
_EXTENSION = re.compile(
    r"[\s,;(]*(?:доб(?:ав(?:очный)?)?|внутр(?:енний)?|вн|ext|[xх#])\.?\s*(?:no|номер)?\s*:?\s*(\d{1,7})\s*\)?\s*\.?$", re.I)
_URL = re.compile(r"(?:https?://|www\.)\S+", re.I)
_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.+%'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}(?![\w@])")
_PHONE_WORD = re.compile(r"(?:тел|моб|phone|звон|набер|whats|ватсап|вотсап|номер|☎|т\.)\S{0,9}\W{0,6}$", re.I)
_OTHER_NUMBER_BEFORE = re.compile(
    r"(?:инн|огрн|огрнип|кпп|бик|снилс|окпо|[рк]/?с|сч[её]т\w*|карт[аыеу]|договор\w*|заказ\w*|арт(?:икул\w*)?|паспорт\w*"
    r"|бюджет\w*|цен[аыеу]|стоимост\w*|сумм\w*|\bno)\W{0,4}$", re.I)
_MONEY_AFTER = re.compile(r"\s*(?:руб|₽|р\b|тыс|млн|млрд|usd|eur|долл|евро|[$€%])", re.I)


def plain(text: str) -> str:
    """``text`` in one spelling: compatibility forms folded (full-width digits, ``№`` is ``No``), one dash."""
    words = _PIECE.findall(text.translate(_INVISIBLE))
    return "".join(unicodedata.normalize("NFKC", word) for word in words).translate(_DASHES).strip()


def phone(text: str, region: str = "RU") -> Address | None:
    """The one number that ``text`` (a phone field) holds, as E.164, or None when there is none or are several.

    Understands ``8 (900) …``, ``+7 …``, ten digits, a mask's ``+7 8 900 …``, labels and names around
    the number, and extensions ("доб. 12"), which are kept apart. ``region`` reads numbers without a country.
    """
    written = plain(text)
    if not 5 <= len(written) <= 120:
        return None
    found = _EXTENSION.search(written)
    main, extension = (written[:found.start()], found.group(1)) if found else (written, "")
    number = _first_valid(_readings(main, region), region)
    if number is not None:
        return Address("phone", _e164(number), text.strip(), extension or number.extension or "")
    several = phones_in(text, region)
    if len(several) != 1:
        return None
    return Address("phone", several[0].value, text.strip(), several[0].extension or extension)


def phones_in(text: str, region: str = "RU") -> tuple[Address, ...]:
    """Numbers in free text, each once, in order. Prices, tax numbers, accounts and links are not numbers to call."""
    body = plain(text[:SCANNED])
    if digits(body) < FEWEST:
        return ()
    for noise in (_URL, _EMAIL):
        body = noise.sub(lambda m: " " * len(m.group()), body)
    found: dict[str, Address] = {}
    for match in PhoneNumberMatcher(body, region, leniency=Leniency.VALID):
        if _is_called(body, match.start, match.end, match.raw_string):
            value = _e164(match.number)
            found.setdefault(value, Address("phone", value, match.raw_string, match.number.extension or ""))
    return tuple(found.values())


def digits(text: str) -> int:
    """How many digits there are."""
    return sum(map(str.isdigit, text))


def email(text: str) -> Address | None:
    """The one e-mail address that ``text`` (an e-mail field) holds, in lower case, or None."""
    found = emails_in(re.sub(r"\s*@\s*", "@", text[:500]).removeprefix("mailto:"))
    return Address("email", found[0].value, text.strip()) if len(found) == 1 else None


def emails_in(text: str) -> tuple[Address, ...]:
    """E-mail addresses in free text, each once, in order. A domain in punycode and in letters is the same."""
    found: dict[str, Address] = {}
    for match in _EMAIL.finditer(plain(text[:SCANNED])):
        raw = match.group()
        local, _, domain = raw.lower().strip("'").partition("@")
        local, domain = local.strip("."), _readable_domain(domain)
        last = domain.rpartition(".")[2]
        if local and ".." not in local and len(last) > 1 and not last.isdigit():
            value = f"{local}@{domain}"
            found.setdefault(value, Address("email", value, raw))
    return tuple(found.values())


_LEGAL_FORMS = {"ооо", "оао", "зао", "пао", "ао", "ип", "нко", "llc"}


def person_name(text: str) -> str:
    """A name fit to be read: one line, single spaces, capitals where all letters had one case. At most 200 characters."""
    text = _PILES.sub(r"\1", plain(text))
    words = " ".join("".join(c for c in text if unicodedata.category(c)[0] != "C" or c.isspace()).split())[:200]
    if not (words.islower() or words.isupper()) or any(c.isdigit() or c == "@" for c in words):
        return words
    return " ".join(word.upper() if word.lower() in _LEGAL_FORMS else _capitals(word) for word in words.split(" "))


def timezone_of(*, browser: str = "", region: str = "", phone: str = "") -> str:
    """The IANA zone of a person, or ``""`` when what is known does not say exactly one.

    ``browser`` (an IANA name) is the most exact, then ``region`` (a Russian region or a city in words),
    then ``phone`` (E.164): a Russian mobile number may live in any of eleven zones and says nothing.
    """
    if is_zone(browser.strip()):
        return browser.strip()
    return _zone_of_region(region) or _zone_of_phone(phone)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/")))


def is_zone(name: str) -> bool:
    """Whether ``name`` is an IANA zone that belongs to a place (``Europe/Moscow``; not ``UTC``, not ``Etc/GMT-3``)."""
    return name in _zones()


def _readings(main: str, region: str) -> Iterator[str]:
    """Ways to read what was written, the likeliest first."""
    main = re.sub(r"^[^\d+(]+", "", main)
    digits = re.sub(r"\D", "", main)
    if region == "RU":
        if main.startswith("+") and len(digits) == 11 and digits[0] == "8":
            yield "+7" + digits[1:]  # "+8 900 …": the trunk 8 after a plus
        if len(digits) == 12 and digits[:2] in ("78", "77", "87", "88"):
            yield "+7" + digits[2:]  # "+7 8 900 …": the mask wrote +7, the hand wrote 8
    yield main
    if digits.startswith("00"):
        yield "+" + digits[2:]
    if not main.startswith("+") and 11 <= len(digits) <= 15:
        yield "+" + digits  # a foreign number without its plus


def _first_valid(readings: Iterator[str], region: str) -> PhoneNumber | None:
    for reading in readings:
        try:
            number = phonenumbers.parse(reading, region)
        except NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return number
    return None


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_called(text: str, start: int, end: int, raw: str) -> bool:
    before = text[max(0, start - 24):start]
    if _PHONE_WORD.search(before):
        return True
    if _OTHER_NUMBER_BEFORE.search(before) or _MONEY_AFTER.match(text, end):
        return False
    bare = raw.strip()
    # Ten digits in one piece are as often a tax number; only those of mobile phones (9…) are taken.
    return not (bare.isdigit() and len(bare) == 10 and bare[0] != "9")


def _readable_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("idna").lower()
    except UnicodeError:
        return domain


def _capitals(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))


def _zone_of_phone(e164: str) -> str:
    if e164.startswith("+79"):
        return ""  # a Russian mobile number
    number = _first_valid(iter([e164]), "RU") if e164.startswith("+") else None
    zones = phone_zones.time_zones_for_number(number) if number is not None else ()
    return zones[0] if len(zones) == 1 and is_zone(zones[0]) else ""


def _zone_of_region(text: str) -> str:
    words = plain(text[:200]).casefold().replace("ё", "е").replace("ямало-ненецк", "ямал")
    found = {_zone_of_word(word) for word in re.split(r"\W+", words)} - {""}
    return found.pop() if len(found) == 1 else ""


def _zone_of_word(word: str) -> str:
    """The zone of the longest known beginning of ``word``: "сахалинская" is Sakhalin, "саха" is Yakutia."""
    return next((_STEMS[word[:size]] for size in range(len(word), 1, -1) if word[:size] in _STEMS), "")


# Beginnings of the names of all regions of Russia, their capitals and the other big cities, and of the
# neighbours that write to Russian agencies. A region with several zones has the zone of its capital.
_STEMS = {stem: zone for zone, stems in {
    "Europe/Kaliningrad": "калининград",
    "Europe/Moscow": """москв москов мск moscow петербург спб питер ленинград petersburg белгород брянск владимир воронеж
        иваново ивановск калуг калуж костром курск липецк орел орлов рязан смоленск тамбов твер тула туле тулу тульск
        ярослав карел петрозаводск коми сыктывкар архангельск северодвинск ненецк нарьян вологд вологод череповец мурманск
        новгород псков адыге майкоп калмык элист краснодар кубан сочи новороссийск анап геленджик ростов таганрог
        шахты дагестан махачкал ингуш магас назран кабардин балкар нальчик карачаев черкес осети владикавказ чечен грозн
        ставропол пятигорск кисловодск марий йошкар мордов саранск татар казан казань набережн челны чуваш чебоксар нижегород
        дзержинск пенз пензен подмосков химки балаших подольск мытищи королев люберц одинцов зеленоград сколково иннополис
        днр донецк луганск лнр мариуполь мелитопол запорож херсон""",
    "Europe/Simferopol": "крым симферопол севастопол ялта ялте керч",
    "Europe/Kirov": "киров вятка вятск",
    "Europe/Volgograd": "волгоград волжский",
    "Europe/Astrakhan": "астрахан",
    "Europe/Saratov": "саратов энгельс",
    "Europe/Ulyanovsk": "ульяновск димитровград",
    "Europe/Samara": "самар тольятти сызран удмурт ижевск",
    "Asia/Yekaterinburg": """екатеринбург екб свердловск тагил челябинск магнитогорск миасс перм пермь прикамь башк уфа уфе уфу
        уфим стерлитамак оренбург оренбуржь орск курган тюмен тюмень ханты мансийск хмао югра югре сургут нижневартовск
        ямал ямало янао салехард уренгой ноябрьск""",
    "Asia/Omsk": "омск",
    "Asia/Novosibirsk": "новосибирск нск бердск",
    "Asia/Tomsk": "томск",
    "Asia/Barnaul": "барнаул алтай бийск",
    "Asia/Novokuznetsk": "кемеров кузбасс новокузнецк",
    "Asia/Krasnoyarsk": "красноярск красноярь норильск хакас абакан тыва тыве тува туве тувин кызыл",
    "Asia/Irkutsk": "иркутск братск ангарск бурят улан",
    "Asia/Chita": "забайкал чита чите читин",
    "Asia/Yakutsk": "якут саха амурск благовещенск",
    "Asia/Vladivostok": "владивосток приморь приморск уссурийск находка хабаровск комсомольск еврейск еао биробиджан",
    "Asia/Magadan": "магадан колым",
    "Asia/Sakhalin": "сахалин",
    "Asia/Kamchatka": "камчат",
    "Asia/Anadyr": "чукот чао анадыр",
    "Europe/Minsk": "минск беларус белорус гомел витебск гродно могилев брест",
    "Asia/Almaty": "алмат астан казахстан",
    "Asia/Tashkent": "ташкент узбекистан",
    "Asia/Yerevan": "ереван армени",
    "Asia/Tbilisi": "тбилиси грузи",
    "Asia/Bishkek": "бишкек киргиз кыргыз",
}.items() for stem in stems.split()}
