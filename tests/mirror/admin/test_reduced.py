"""Every list of the admin opens, whatever table the connected database lacks, and keeps the rows that refer to it.

Missing columns: `tests/portal/test_reduced_pages.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.test import RequestFactory

from apps.accounts.models import User
from apps.mirror.models import MirrorModel, Team
from apps.mirror.shape import mirrored_models
from tests.mirror.reduced import like_an_installation, without_table
from tests.mirror.rows import Lab
from tests.people import signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])
MODELS = mirrored_models()


def changelist(model: type[MirrorModel], user: User | AnonymousUser) -> tuple[int, str]:
    """Status and the list's own HTML, without the portal's shell around it, which knows nothing of the table."""
    request = RequestFactory().get(f"/admin/mirror/{model._meta.model_name}/")
    request.user = user
    answer: Any = admin.site._registry[model].changelist_view(request)
    page = engines["django"].from_string(
        "{% load admin_list %}{% search_form cl %}{% for spec in cl.filter_specs %}{% admin_list_filter cl spec %}"
        "{% endfor %}{% result_list cl %}{% include 'admin/pages.html' %}{{ banner }}{{ absent }}"
    )
    return answer.status_code, page.render(answer.context_data, request)


@pytest.mark.parametrize("model", MODELS, ids=[m._meta.db_table for m in MODELS])
def test_lists_open_with_a_table_missing(model: type[MirrorModel], admin: User) -> None:
    Lab()
    dependent = [
        other for other in MODELS
        if other is not model and any(field.related_model is model for field in other._meta.concrete_fields)
    ]  # fmt: skip
    with without_table(model._meta.db_table):
        status, page = changelist(model, admin)
        assert status == 200
        assert f"This database has no table “{model._meta.db_table}”" in page
        for other in dependent if model is not Team else dependent[:4]:
            status, page = changelist(other, admin)
            assert status == 200
            assert "Rows 1 to 1" in page, other


def test_a_real_installation_is_shown_as_it_is(admin: User) -> None:
    lab = Lab()
    browser = signed_in(admin)
    with like_an_installation():
        index = browser.get("/admin/").content.decode()
        assert index.count("Not in this database") == 2
        page = browser.get("/admin/mirror/campaign/")
        assert page.status_code == 200
        assert "This database has no table “campaigns”" in page.content.decode()
        assert browser.get("/admin/mirror/campaign/add/").status_code == 403
        device = next(row for model, row in lab.rows.items() if model._meta.db_table == "device")
        address = f"/admin/mirror/device/{device.pk}/change/"
        form = browser.get(address)
        assert "status" not in form.context["adminform"].form.fields
        answer = browser.post(
            address,
            {"team": str(device.team_id), "name": "Renamed", "description": "", "model": "", "controller_configs": ""},
        )
        assert answer.status_code == 302, form.context
        device.refresh_from_db()
        assert device.name == "Renamed"
