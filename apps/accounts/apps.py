from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    verbose_name = "People and access"
    live_tables = dict.fromkeys(("User", "User_groups", "TeamMembership", "HostTeam"), "all teams")

    def ready(self) -> None:
        from apps.accounts import roles, signals  # noqa: F401 -- signals connects its receivers

        post_migrate.connect(roles.sync_after_migrate, sender=self, dispatch_uid="accounts roles")
