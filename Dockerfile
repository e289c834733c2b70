# The wheel is built and installed in the first stage; the second has Python, that environment
# and a user without rights. `tools/dockerfile-steps.sh` runs these steps without an engine.

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY models ./models
COPY detector ./detector
COPY pipelines ./pipelines
COPY api ./api
RUN python -m venv /tmp/builder \
    && /tmp/builder/bin/pip install -c constraints.txt hatchling \
    && /tmp/builder/bin/pip wheel --no-deps --no-build-isolation -w /tmp/wheel .
RUN python -m venv /opt/serinus \
    && /opt/serinus/bin/pip install -c constraints.txt /tmp/wheel/*.whl

FROM python:3.11-slim
LABEL org.opencontainers.image.title="serinus" \
      org.opencontainers.image.description="Is this change safe to go on?" \
      org.opencontainers.image.licenses="Apache-2.0"
# What is compiled for this machine is kept with the data: that of the image cannot be written to.
ENV PATH=/opt/serinus/bin:$PATH PYTHONUNBUFFERED=1 PYTHONSAFEPATH=1 \
    NUMBA_CACHE_DIR=/var/lib/serinus/compiled
RUN groupadd --gid 10001 serinus \
    && useradd --uid 10001 --gid serinus --no-create-home --shell /usr/sbin/nologin serinus \
    && install -d -o serinus -g serinus -m 0750 /var/lib/serinus
COPY --from=build /opt/serinus /opt/serinus
USER 10001:10001
WORKDIR /var/lib/serinus
VOLUME /var/lib/serinus
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
# It listens beyond the container, so it asks for SERINUS_TOKEN. Add: --prometheus URL
ENTRYPOINT ["serinus"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--data", "/var/lib/serinus"]
