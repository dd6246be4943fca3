"""The hub, a foreign site, and people who come and go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from pytest_playwright import CreateContextCallback

from hub.demo import prepare
from tests.browser.people import Person, Watch
from tests.browser.places import MONDAY, Product, Site


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """A hub that has not been started yet."""
    with Product(tmp_path / "hub") as product:
        yield product
    assert "Traceback" not in product.said(), product.said()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def come(new_context: CreateContextCallback) -> Iterator[Callable[..., Person]]:
    """Lets people come to a hub: ``come(product, login)``. None of their pages may have had a fault."""
    came: list[Person] = []

    def come(product: Product, *who: str, first: bool = False, **options: Any) -> Person:
        context = new_context(base_url=product.url, locale="ru-RU", timezone_id="Europe/Moscow", **options)
        came.append(Person(context, product, *who, first=first))
        return came[-1]

    yield come
    for one in came:
        one.watch.check()


@pytest.fixture
def person(come: Callable[..., Person], product: Product) -> Callable[..., Person]:
    """Lets people come to this test's own hub: ``person(login)``, or ``person(login, one_time_password, first=True)``."""
    return partial(come, product)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The demo's department on a Tuesday at noon, served. Tests may act in it, but none may need it untouched."""
    folder = tmp_path_factory.mktemp("demo")
    noon = MONDAY + timedelta(days=1, hours=2)
    prepare({"HUB_DATA_DIR": str(folder)}, at=noon)
    with Product(folder, noon).start() as product:
        yield product
    assert "Traceback" not in product.said(), product.said()


@pytest.fixture
def visitor(new_context: CreateContextCallback) -> Iterator[Callable[..., Page]]:
    """Lets visitors of sites come: ``visitor()`` is a page in a browser that knows nobody."""
    watches: list[Watch] = []

    def come(**options: Any) -> Page:
        context = new_context(**{"locale": "ru-RU", "timezone_id": "Asia/Yekaterinburg", **options})
        watches.append(Watch(context))
        return context.new_page()

    yield come
    for one in watches:
        one.check()
