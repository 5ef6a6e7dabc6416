# The portal, its embedded PostgreSQL and a Grafana in one image; docs/deploy.md says how it is run.
#
#   docker build -t vptmonitor .
#   docker run -d -p 5109:5109 -p 3000:3000 -v vptmonitor:/data --memory 512m vptmonitor
#
# A digest pins an image for good: --build-arg GRAFANA_DIGEST=@sha256:... --build-arg DEBIAN_DIGEST=@sha256:...
ARG DEBIAN_VERSION=bookworm-slim
ARG DEBIAN_DIGEST=
# The tag with glibc, which Debian has too.
ARG GRAFANA_VERSION=12.4.2-ubuntu
ARG GRAFANA_DIGEST=

FROM grafana/grafana:${GRAFANA_VERSION}${GRAFANA_DIGEST} AS grafana

FROM debian:${DEBIAN_VERSION}${DEBIAN_DIGEST} AS python
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 tini \
    && rm -rf /var/lib/apt/lists/*

FROM python AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements/base.lock requirements/base.lock
RUN python3 -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements/base.lock
COPY manage.py Procfile pyproject.toml ./
COPY vptmonitor vptmonitor
COPY apps apps
COPY grafana_config grafana_config
RUN .venv/bin/python -m compileall -q vptmonitor apps

FROM python
RUN useradd --uid 10001 --home-dir /data --shell /usr/sbin/nologin vptmonitor \
    && install -d -o vptmonitor -g vptmonitor -m 0700 /data
COPY --from=grafana /usr/share/grafana /usr/share/grafana
COPY --from=build /app /app
WORKDIR /app
# 3000 is the portal too: it leads to /grafana/. Grafana itself listens on loopback. Less memory: fewer threads, and a
# Grafana that collects its garbage sooner.
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENV_FILE= \
    DATA_DIR=/data \
    PORT=5109 \
    SECOND_PORT=3000 \
    GRAFANA_PORT=3001 \
    GRAFANA_HOME=/usr/share/grafana \
    GOMEMLIMIT=200MiB \
    HTTP_THREADS=4
USER 10001
VOLUME /data
EXPOSE 5109 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-m", "vptmonitor.alive"]
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["python", "-m", "vptmonitor.container"]
