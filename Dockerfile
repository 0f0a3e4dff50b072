# syntax=docker/dockerfile:1
# Excerpt with its reader and its embedding model inside: nothing is downloaded when it runs.
#   docker build -t excerpt .
#   docker build -t excerpt --build-arg TORCH_INDEX=URL .       # PyTorch from an index of lean builds, without CUDA
FROM python:3.11-slim-bookworm

# Package indexes; empty: pip's own. TORCH_INDEX may name one that serves PyTorch without CUDA, which saves 4.3 GB where
# there is no NVIDIA device.
ARG TORCH_INDEX=
ARG PIP_INDEX=

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    EXCERPT_PIPELINES=elasticsearch

RUN groupadd --gid 10001 excerpt \
    && useradd --uid 10001 --gid excerpt --create-home --shell /usr/sbin/nologin excerpt \
    && install --directory --owner excerpt --group excerpt --mode 0700 /data

WORKDIR /app

# The packages first: they change less often than the code. Torch's local version (+cpu, +cu128) is not in the
# constraints, so it is installed on its own, of the version they name.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN if [ -n "${PIP_INDEX}" ]; then pip config --global set global.index-url "${PIP_INDEX}"; fi \
    && if [ -n "${TORCH_INDEX}" ]; then \
        pip install --index-url "${TORCH_INDEX}" "torch==$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' constraints.txt)"; fi \
    && for room in components indexing pipelines evaluation service training cli benchmarks; do \
        mkdir -p "${room}" && touch "${room}/__init__.py"; done \
    && pip install -c constraints.txt -e '.[serve]'

COPY components components
COPY indexing indexing
COPY pipelines pipelines
COPY evaluation evaluation
COPY service service
COPY training training
COPY cli cli
COPY models models

USER 10001:10001
# Temporary files of converters; everything else of the image may be read-only.
VOLUME /tmp
ENTRYPOINT ["excerpt"]
CMD ["--help"]
