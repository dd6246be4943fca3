"""Where webhooks may go: public addresses only, whatever the address is written like and whatever a name server says."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import pytest

from hub.domain.errors import Refused
from hub.webhooks.guard import Guard, Target, is_public

INTERNAL = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1", "172.31.255.254", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "100::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "5f00::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111",
          "2a00:1450:4010::8a"]


def asked(answers: Iterable[str] = (), allow: Iterable[str] = ()) -> Guard:
    """A guard whose name server always says ``answers``; nothing there where they are none."""
    def resolve(host: str, port: int) -> list[str]:
        if not answers:
            raise OSError("no such host")
        return list(answers)
    return Guard(allow, resolve)


def refused(guard: Guard, url: str) -> str:
    """The code that a sending to ``url`` is refused with, before or after its name is resolved."""
    with pytest.raises(Refused) as refusal:
        guard.addresses(guard.check(url))
    return refusal.value.code


@pytest.mark.parametrize("address", INTERNAL)
def test_an_internal_address_is_refused_literally_and_as_what_a_name_resolves_to(address: str) -> None:
    literal = f"[{address}]" if ":" in address else address
    assert refused(asked(["8.8.8.8"]), f"https://{literal}/hook") == "webhook_private"
    assert refused(asked([address]), "https://hooks.example.com/") == "webhook_private"
    assert refused(asked(["8.8.8.8", address]), "https://hooks.example.com/") == "webhook_private", "one of several is enough"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_sent_to(address: str) -> None:
    literal = f"[{address}]" if ":" in address else address
    assert is_public(ip_address(address))
    assert asked().addresses(asked().check(f"https://{literal}/hook")) == [address]
    guard = asked([address, address])
    assert guard.addresses(guard.check("https://hooks.example.com/")) == [address]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1",
                                  "0x7f.1", "1", "0", "0x", "127.0.0.1.",
                                  "１２７.0.0.1", "127。0。0。1", "１２７。１", "hooks.example.1"])
def test_an_address_in_any_other_notation_is_refused_before_a_resolver_reads_it(host: str) -> None:
    assert refused(asked(["8.8.8.8"]), f"https://{host}/") in ("webhook_url", "webhook_private")


@pytest.mark.parametrize(("url", "code"), [
    ("", "webhook_url"), ("hooks.example.com", "webhook_url"), ("https://", "webhook_url"), ("https:///path", "webhook_url"),
    ("https://local", "webhook_url"), ("https://localhost/", "webhook_url"), ("https://a..example.com/", "webhook_url"),
    ("https://ex ample.com/", "webhook_url"), ("https://example.com/\r\nX: y", "webhook_url"),
    ("https://example.com\\@127.0.0.1/", "webhook_url"), ("https://example.com:99999/", "webhook_url"),
    ("https://example.com:0/", "webhook_url"), ("https://example.com:x/", "webhook_url"), ("https://[::1/", "webhook_url"),
    ("https://exa%6dple.com/", "webhook_url"), ("https://example.com/" + "a" * 2000, "webhook_url"),
    ("https://me:secret@example.com/", "webhook_userinfo"), ("https://example.com@127.0.0.1/", "webhook_userinfo"),
    ("https://@example.com/", "webhook_userinfo"),
    ("http://example.com/", "webhook_https"), ("ftp://example.com/", "webhook_https"),
    ("file://example.com/etc", "webhook_https"),
    ("//example.com/", "webhook_https"), ("gopher://example.com:6379/_x", "webhook_https"),
    ("https://example.com:22/", "webhook_port"), ("https://example.com:25/", "webhook_port"),
    ("https://example.com:80/", "webhook_port"),
])
def test_an_address_that_is_not_sent_to_is_refused_with_its_reason(url: str, code: str) -> None:
    assert refused(asked(["8.8.8.8"]), url) == code


def test_an_address_is_sent_to_as_it_was_written() -> None:
    check = asked().check
    assert check("https://Hooks.Example.com/a b".replace(" ", "%20") + "?x=1&y=%2F") == Target("https", "hooks.example.com", 443,
                                                                                            "/a%20b?x=1&y=%2F")
    assert check("https://example.com:8443").authority == "example.com:8443"
    assert check("https://example.com").path == "/"
    assert check("https://[2606:4700::1111]:8443/").authority == "[2606:4700::1111]:8443"


def test_a_cyrillic_domain_is_asked_for_in_its_ascii_form() -> None:
    assert asked().check("https://Пример.рф/заявки").host == "xn--e1afmkfd.xn--p1ai"
    assert asked().check("https://пример.рф/заявки").path == "/%D0%B7%D0%B0%D1%8F%D0%B2%D0%BA%D0%B8"


def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    assert refused(asked(), "https://nothing.example.com/") == "webhook_no_host"


def test_a_name_is_checked_at_every_sending_so_that_it_cannot_move_inside_later() -> None:
    """DNS rebinding: public when the subscription was made, internal when it is sent to."""
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    guard = Guard((), lambda host, port: answers.pop(0))
    target = guard.check("https://rebind.example.com/")
    assert guard.addresses(target) == ["8.8.8.8"]
    with pytest.raises(Refused, match="internal network"):
        guard.addresses(target)


def test_what_the_server_allows_is_sent_to_by_http_and_on_any_port_and_nothing_else() -> None:
    guard = asked(["10.1.2.3"], allow=["crm.lan", "10.0.0.0/8", "::1"])
    assert guard.addresses(guard.check("http://crm.lan:81/")) == ["10.1.2.3"], "by its name"
    assert guard.addresses(guard.check("http://10.9.9.9/")) == ["10.9.9.9"], "by its network"
    assert guard.addresses(guard.check("http://[::1]:80/")) == ["::1"]
    assert guard.addresses(guard.check("https://hooks.example.com/")) == ["10.1.2.3"], "a name that leads into the network"
    assert refused(guard, "http://hooks.example.com/") == "webhook_https"
    assert refused(guard, "http://11.0.0.1/") == "webhook_https"
    assert refused(guard, "https://192.168.0.1/") == "webhook_private"
    assert refused(guard, "http://other.lan/") == "webhook_https"
