# syntax=docker/dockerfile:1
# Excerpt with its reader and its embedding model inside: nothing is downloaded when it runs.
#   docker build -t excerpt .                                   # for processors
#   docker build -t excerpt:gpu --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 .
FROM python:3.11-slim-bookworm

# PyTorch without CUDA is a tenth of the size.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_OFFLINE=1 \
    EXCERPT_PIPELINES=elasticsearch

RUN groupadd --gid 10001 excerpt \
    && useradd --uid 10001 --gid excerpt --create-home --shell /usr/sbin/nologin excerpt

WORKDIR /app

# The packages first: they change less often than the code. Torch's local version (+cpu, +cu128) is not in the
# constraints, so it is installed on its own, of the version they name.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN torch="$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' constraints.txt)" \
    && pip install --index-url "${TORCH_INDEX}" --extra-index-url https://pypi.org/simple "torch==${torch}" \
    && mkdir -p components indexing pipelines evaluation training cli benchmarks \
    && touch components/__init__.py indexing/__init__.py pipelines/__init__.py evaluation/__init__.py \
        training/__init__.py cli/__init__.py benchmarks/__init__.py \
    && pip install -c constraints.txt -e .

COPY components components
COPY indexing indexing
COPY pipelines pipelines
COPY evaluation evaluation
COPY training training
COPY cli cli
COPY models models

USER 10001:10001
# Temporary files of converters; everything else of the image may be read-only.
VOLUME /tmp
ENTRYPOINT ["excerpt"]
CMD ["--help"]
