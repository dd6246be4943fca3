"""Where the hub may send to: public addresses only, so that a subscription never reaches into the network that the hub is in."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

from hub.domain.errors import Refused, sentences

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Iterable[str]]
"""The addresses of a host, best first; raises ``OSError`` where there are none."""

LONGEST_URL = 2000
HTTPS, HTTP = 443, 80
FREE_PORTS = 1024
"""Ports from here on are nobody's well-known service; below only 443 is sent to."""

HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+")
NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
"""Hosts that programs read as an IPv4 address in some notation: 2130706433, 0x7f.1, 0177.0.0.1, 127.1."""

NOT_PUBLIC = tuple(map(IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4", "168.63.129.16/32")))
"""Private, shared, loopback, link-local, documentation, relays, multicast, reserved, and a cloud's own service address."""
PUBLIC_6 = IPv6Network("2000::/3")
"""Global unicast. Outside it are ::1, mapped IPv4 (::ffff:0:0/96), NAT64 (64:ff9b::/96), fc00::/7, fe80::/10, ff00::/8."""
NOT_PUBLIC_6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
"""In it, but special: Teredo and the like, documentation, 6to4 (holds an IPv4 address)."""

sentences(
    webhook_url=("Адрес не понять. Напишите его целиком, например https://example.ru/hooks.",
                 "The address makes no sense. Write it in full, such as https://example.com/hooks."),
    webhook_https=("Адрес начинается с https://: иначе данные заявок прочтёт любой по дороге.",
                   "The address begins with https://: anybody on the way could read the leads' data otherwise."),
    webhook_userinfo=("В адресе нет места логину и паролю: подлинность доказывает подпись. Уберите часть до «@».",
                      "The address holds no login or password: the signature proves who sends. Remove the part before “@”."),
    webhook_port=("На этот порт хаб не отправляет. Возьмите 443 или любой от 1024.",
                  "The hub does not send to this port. Take 443 or any from 1024 on."),
    webhook_private=("Адрес ведёт во внутреннюю сеть, туда хаб не отправляет. Возьмите публичный адрес; внутренний может "
                     "разрешить тот, кто ведёт сервер, в HUB_WEBHOOK_ALLOW.",
                     "The address leads into an internal network, where the hub does not send. Take a public one; who runs the "
                     "server can allow an internal one in HUB_WEBHOOK_ALLOW."),
    webhook_no_host=("Такого сервера не нашлось. Проверьте имя в адресе.",
                     "There is no such host. Check its name in the address."),
)


@dataclass(frozen=True)
class Target:
    """A checked URL. ``host`` is ASCII, without brackets; ``path`` with the query, as it is sent."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == (HTTPS if self.scheme == "https" else HTTP) else f"{shown}:{self.port}"


def system_resolver(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Guard:
    """Decides about addresses. ``allow`` names hosts and networks (CIDR) that are sent to although they are internal,
    by ``http://`` as well and on any port."""

    def __init__(self, allow: Iterable[str] = (), resolver: Resolver = system_resolver) -> None:
        self._resolver = resolver
        self._hosts: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in allow:
            try:
                self._networks.append(ip_network(entry))
            except ValueError:
                self._hosts.add(entry.lower())

    def check(self, url: str) -> Target:
        """The parts of ``url``, or a refusal of its form. Asks no name server: the address is checked at every sending."""
        if len(url) > LONGEST_URL or re.search(r"[\s\\\x00-\x20\x7f]", url):
            raise Refused("webhook_url", field="url")
        try:
            parts = urlsplit(url)
            port = parts.port
            host = _ascii(parts.hostname or "")
        except ValueError:
            raise Refused("webhook_url", field="url") from None
        if parts.username is not None or parts.password is not None:
            raise Refused("webhook_userinfo", field="url")
        literal = _literal(host)
        allowed = self._allows_literal(literal) if literal else host in self._hosts
        if literal is None and not allowed and (not HOST.fullmatch(host) or NUMBER.fullmatch(host)) or port == 0:
            raise Refused("webhook_url", field="url")
        if parts.scheme != "https" and not (parts.scheme == "http" and allowed):
            raise Refused("webhook_https", field="url")
        if literal and not allowed and not is_public(literal):
            raise Refused("webhook_private", field="url")
        port = port or (HTTPS if parts.scheme == "https" else HTTP)
        if not allowed and port != HTTPS and port < FREE_PORTS:
            raise Refused("webhook_port", field="url")
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{quote(parts.query, safe='/?%:@!$&()*+,;=~')}"
                                                                   if parts.query else "")
        return Target(parts.scheme, host, port, path)

    def addresses(self, target: Target) -> list[str]:
        """The addresses to connect to, resolved and checked now. Connect to these and to nothing that is resolved later.

        Refused where the host has none, or where one of them is internal: a public name with one private address is a trap.
        """
        literal = _literal(target.host)
        if literal:
            found = [literal]
        else:
            try:
                found = [ip_address(text) for text in self._resolver(target.host, target.port)]
            except (OSError, ValueError):
                raise Refused("webhook_no_host", field="url") from None
        if not found:
            raise Refused("webhook_no_host", field="url")
        if target.host not in self._hosts and not all(is_public(a) or self._allows_literal(a) for a in found):
            raise Refused("webhook_private", field="url")
        return list(dict.fromkeys(map(str, found)))

    def _allows_literal(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Whether ``address`` is somewhere in the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC)
    return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """``host`` as name servers know it: a Cyrillic domain becomes its ``xn--`` form. Digits of other scripts become digits."""
    return (host if host.isascii() else host.encode("idna").decode("ascii")).lower().removesuffix(".")
