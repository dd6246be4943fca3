"""Which passwords are good enough, and the ones that the hub makes. Length counts; there are no rules of composition."""

from __future__ import annotations

import secrets

from hub.domain.errors import Refused, sentences

MIN_LENGTH = 10
MAX_LENGTH = 1000
UNLIKE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for each other."""
AROUND = "0123456789!.@_- "
"""What people put around a word to call it a password."""

sentences(
    password_short=("Пароль короче {least} знаков. Возьмите длиннее, например несколько слов подряд.",
                    "The password is shorter than {least} characters. Take a longer one, such as a few words in a row."),
    password_long=("Пароль длиннее {most} знаков. Возьмите покороче.",
                   "The password is longer than {most} characters. Take a shorter one."),
    password_is_login=("Пароль похож на логин. Придумайте другой.", "The password is much like the login. Think of another."),
    password_common=("Этот пароль подберут первым: он есть во всех списках. Придумайте другой.",
                     "This password is guessed first: it is on every list. Think of another."),
)


def check_strength(login: str, password: str) -> None:
    """Refuse (at the field ``password``) what a program would guess for the user ``login``."""
    if len(password) < MIN_LENGTH:
        raise Refused("password_short", field="password", least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise Refused("password_long", field="password", most=MAX_LENGTH)
    plain = password.casefold().strip()
    if login and plain.strip(AROUND) == login.strip(AROUND):
        raise Refused("password_is_login", field="password")
    if plain in COMMON or len(set(plain)) < 4:
        raise Refused("password_common", field="password")


def one_time_password() -> str:
    """A password that is easy to read out: four groups of four."""
    return "-".join("".join(secrets.choice(UNLIKE) for _ in range(4)) for _ in range(4))


# Passwords of ten characters and more that head every published list, with Russian keyboard walks among them.
_LIST = """
1234567890 0123456789 9876543210 0987654321 12345678910 123456789012 1234567891 12345678900 123456789a 123456789q
a123456789 q123456789 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc qazwsxedcrfv qazwsxedc123 zaq12wsxcde3
qwertyuiop qwertyuiop123 qwertyuiop[] qwerty1234 qwerty12345 qwerty123456 qwerty1234567890 qwertyqwerty asdfghjkl1
asdfghjkl; asdfghjkl123 zxcvbnm123 zxcvbnm,./ 123qweasdzxc 1234qwerasdf qweasdzxc123 1qazzaq1 abcdefghij abcdefghijk
abcd123456 abcde12345 abc1234567 password10 password11 password12 password123 password1234 password12345 password!23
passw0rd123 p@ssw0rd123 p@ssword123 mypassword changeme123 letmein123 letmein1234 welcome123 welcome1234 iloveyou123
iloveyou12 administrator administrator1 admin12345 admin123456 administrat0r superadmin rootroot12 sunshine123 monkey12345
football123 princess123 dragon12345 baseball123 liverpool1 manchester basketball volleyball internet123 computer123
chocolate1 strawberry butterfly1 california 1111111111 0000000000 1212121212 1231231231 123123123123 1122334455
11223344556677 9999999999 7777777777 5555555555 1234512345 1234554321 123454321a 0102030405 00112233445566 1029384756
йцукенгшщз йцукенгшщзхъ йцукен1234 йцукен12345 йцукен123456 йцукен123 фывапролдж фывапролджэ ячсмитьбю ячсмитьбю.
пароль1234 пароль12345 пароль123456 парольпароль мойпароль1 мойпароль123 россия1234 москва1234 любовь1234
gfhjkm1234 gfhjkm12345 gfhjkmgfhjkm qwertyuiopasdfghjkl privet1234 privet12345 zxcvbnmasdfghjkl marina1234 natasha123
samsung123 vkontakte1 sevastopol spartak1922 zenit12345 moscow2024 moscow2025 moscow2026 password2024 password2025
password2026 qwerty2024 qwerty2025 qwerty2026
"""
COMMON = frozenset(_LIST.split())
