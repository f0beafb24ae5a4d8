# The GPU worker, alone: its requirements and the folder gpu_worker/. Runs on a CPU as well.
# Build from the project's root: docker build -f docker/worker.Dockerfile .
#
# torch's wheels bring their own CUDA 13.0 libraries, so the small "base" flavour (the CUDA runtime, and the
# compatibility libraries for older drivers) is enough; --build-arg CUDA_FLAVOUR=runtime adds NVIDIA's own
# copies of the libraries that torch already has, about 2 GB.
ARG CUDA_FLAVOUR=base

FROM python:3.11-slim-bookworm AS packages

COPY requirements/worker.txt /tmp/worker.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r /tmp/worker.txt


FROM nvidia/cuda:13.0.2-${CUDA_FLAVOUR}-ubuntu24.04

# Ubuntu 24.04 has no Python 3.11: it comes from the official image, with the libraries its modules load.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates libbz2-1.0 libffi8 libgomp1 liblzma5 libsqlite3-0 libssl3t64 libuuid1 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=packages /usr/local /usr/local
RUN ldconfig && python3.11 -c "import bz2, ctypes, lzma, sqlite3, ssl, uuid, zlib"

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WORKER_HOST=0.0.0.0 \
    WORKER_PORT=8477 \
    WORKER_TMP_DIR=/var/lib/bt-worker/tmp

# The home holds downloaded models and, beside the scratch folder, what must survive a restart.
# A named volume takes over the owner of the folder it is mounted on.
RUN useradd --system --user-group --uid 10002 --create-home --home-dir /var/lib/bt-worker bt-worker

COPY --from=packages /venv /venv
WORKDIR /app
COPY gpu_worker/ gpu_worker/

# What /v1/ping says about this image: --build-arg GIT_COMMIT=$(git rev-parse HEAD)
ARG GIT_COMMIT=
ARG BUILD_TIME=
ENV GIT_COMMIT=$GIT_COMMIT BUILD_TIME=$BUILD_TIME

USER bt-worker
VOLUME /var/lib/bt-worker
EXPOSE 8477
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8477/health', timeout=4)"]
CMD ["python", "-m", "gpu_worker"]
