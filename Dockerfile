# syntax=docker/dockerfile:1
# The whole program: web server, worker and trainer. `docker build .` has PyTorch for CPUs, and
# `docker build --build-arg TORCH=cuda .` has it with CUDA. docs/hosting.md says how to run it.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS installed
ARG TORCH=cpu
ARG TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu
RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /onlybn
COPY Makefile requirements.txt constraints.txt ./
COPY deploy/requirements.txt deploy/requirements.txt
ENV PIP_NO_CACHE_DIR=1
RUN make .venv/installed TORCH="$TORCH" TORCH_CPU_INDEX="$TORCH_CPU_INDEX" \
    && .venv/bin/pip install -r deploy/requirements.txt -c constraints.txt

FROM python:${PYTHON}
# The kernels are compiled for the processor on which the container runs, so the compiler comes along.
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --user-group --home-dir /home/user --create-home user \
    && install -d -o user -g user -m 700 /var/lib/onlybn
WORKDIR /onlybn
COPY --from=installed /onlybn/.venv .venv
COPY LICENSE README.md ./
COPY static static
COPY core core
COPY jobs jobs
COPY app app
RUN python -m compileall -q app core jobs
USER 1000
# Everything that is written is below /var/lib/onlybn.
ENV HOME=/var/lib/onlybn/home \
    XDG_CACHE_HOME=/var/lib/onlybn/cache \
    MPLCONFIGDIR=/var/lib/onlybn/cache/matplotlib \
    GRADIO_TEMP_DIR=/var/lib/onlybn/cache/gradio \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/onlybn/.venv/bin:$PATH \
    ONLYBN_DATA=/var/lib/onlybn \
    ONLYBN_HOST=0.0.0.0 \
    ONLYBN_PORT=7860
VOLUME /var/lib/onlybn
EXPOSE 7860
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"ONLYBN_PORT\"]}/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "app"]
