"""The web process: `python -m vptmonitor.serve --port 5109 [--host 0.0.0.0]` runs uvicorn."""

from __future__ import annotations

import argparse
import logging
import os
import socket

import uvicorn

logger = logging.getLogger("vptmonitor")


def main() -> None:
    """Serve until SIGTERM; requests under way get two seconds to end, since the supervisor kills after three."""
    parser = argparse.ArgumentParser(prog="python -m vptmonitor.serve", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 -- a portal is there to be reached
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vptmonitor.settings")
    os.environ.setdefault("VPTMONITOR_PROCESS", "web")

    from django.conf import settings

    config = uvicorn.Config(
        "vptmonitor.asgi:application",
        host=arguments.host,
        port=arguments.port,
        lifespan="off",
        log_config=settings.LOGGING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        ws_max_size=1024 * 1024,
        # Messages are short, and a compressor for each socket is 300 kB.
        ws_per_message_deflate=False,
    )
    ports = [arguments.port, *([settings.SECOND_PORT] if settings.SECOND_PORT else [])]
    Announcing(config).run([listener(arguments.host, port) for port in ports])


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens; ends the process with a line where it cannot."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        logger.error("port %d cannot be used: %s", port, error.strerror)
        raise SystemExit(1) from None


class Announcing(uvicorn.Server):
    """uvicorn, which says where the portal is once it really answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            from django.conf import settings

            address = settings.PUBLIC_URL or f"http://localhost:{self.config.port}"
            logger.info(
                "The portal is ready: %s — sign in as %s with the password %s",
                address,
                settings.GRAFANA_ADMIN_USER,
                "that GRAFANA_ADMIN_PASSWORD gave it"
                if settings.ENV.given("GRAFANA_ADMIN_PASSWORD") or settings.ENV.given("GRAFANA_ADMIN_PASSWORD_FILE")
                else f"in {settings.DATA_DIR / 'secrets.env'} (GRAFANA_ADMIN_PASSWORD)",
            )


if __name__ == "__main__":
    main()
