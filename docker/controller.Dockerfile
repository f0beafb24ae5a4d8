# The controller: web pages, Celery worker and Celery beat, one image with three commands (compose.yaml).
# Build from the project's root: docker build -f docker/controller.Dockerfile .
FROM python:3.11-slim AS packages

COPY requirements/controller.txt /tmp/controller.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r /tmp/controller.txt

FROM node:22-slim AS pages

WORKDIR /pages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev


FROM python:3.11-slim

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    WEB_HOST=0.0.0.0 \
    WEB_PORT=8476

# A named volume takes over the owner of the folder it is mounted on.
RUN useradd --system --user-group --uid 10001 --no-create-home --home-dir /data bulktranscribe \
    && install -d -o bulktranscribe -g bulktranscribe -m 700 /data

COPY --from=packages /venv /venv
WORKDIR /app
COPY --from=pages /pages/node_modules node_modules
COPY manage.py ./
# Of the worker only what both sides share: the messages on the wire, the transcript document, the decoder.
COPY gpu_worker/__init__.py gpu_worker/
COPY gpu_worker/shared/ gpu_worker/shared/
COPY jobs/ jobs/
COPY remoteworker/ remoteworker/
COPY review/ review/
COPY bulktranscribe/ bulktranscribe/
COPY templates/ templates/

USER bulktranscribe
VOLUME /data
EXPOSE 8476
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8476/healthz', timeout=4)"]
CMD ["python", "manage.py", "serve"]
