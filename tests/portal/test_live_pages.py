"""What pages tell the script that brings them up to date, and how they answer it."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.live.subscriptions import subscribable
from apps.portal.selectors.live_topics import TOPICS
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def test_every_topic_of_a_page_can_be_subscribed_to() -> None:
    assert {name for names in TOPICS.values() for name in names} <= subscribable()


@pytest.mark.parametrize("page", ["overview", "devices", "system", "alerts", "campaigns", "runs", "dashboards"])
def test_pages_that_follow_tables_say_which(page: str, admin: User) -> None:
    page = f"portal:{page}"
    text = signed_in(admin).get(reverse(page)).content.decode()
    assert f'data-live-topics="{" ".join(TOPICS[page])}"' in text
    assert "portal/live/main.js" in text


def test_pages_that_follow_nothing_load_nothing_for_it(admin: User) -> None:
    for address in ("/account/password/", "/admin/", "/search/"):
        assert "portal/live" not in signed_in(admin).get(address, follow=True).content.decode()
    assert "portal/live" not in Client().get("/account/login/").content.decode()


def test_a_page_that_asks_for_itself_gets_its_content_without_the_shell(admin: User) -> None:
    client = signed_in(admin)
    whole, part = (client.get("/alerts/", headers=headers).content.decode() for headers in ({}, {"X-Live": "1"}))
    content = re.compile(r'<main id="content".*</main>', re.DOTALL)
    assert len(part) < len(whole) * 0.7
    assert 'class="top"' not in part
    assert "<symbol" not in part
    found = content.search(part)
    assert found
    assert "filters" in found[0]


def test_messages_wait_for_the_page_that_a_person_opens(admin: User) -> None:
    client = signed_in(admin)
    client.post("/alerts/decide/", {"decision": "resolve", "alert": ["00000000-0000-0000-0000-000000000001"]})
    part = client.get("/alerts/", headers={"X-Live": "1"})
    assert 'class="message ' not in part.content.decode()
    assert len(list(get_messages(part.wsgi_request))) > 0
    assert 'class="message ' in client.get("/alerts/").content.decode()
