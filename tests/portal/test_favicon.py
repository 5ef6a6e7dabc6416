"""The address that browsers ask for without being told."""

from __future__ import annotations

from django.contrib.staticfiles import finders
from django.test import Client


def test_whoever_asks_for_the_icon_is_sent_to_the_mark() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, "/static/portal/favicon.svg")
    assert finders.find("portal/favicon.svg")
