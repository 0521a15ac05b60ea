# Streamer on a CPU:  docker build -t streamer . && docker run --rm -v "$PWD:/data" streamer transcode in.mp4 --style mosaic
FROM python:3.12-slim

# Not root, and with a user id that most people's files on a Linux desktop have, so that outputs in /data belong to them.
RUN useradd --uid 1000 --create-home streamer

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# The dependencies first: this layer is built again only when the lock changes. Wheels only, each checked by its hash.
WORKDIR /opt/streamer
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: -r requirements.lock

# Then the project; setuptools comes from the lock, so nothing is fetched here.
COPY pyproject.toml README.md LICENSE ./
COPY streamer streamer
COPY training training
COPY web web
RUN pip install --no-deps --no-build-isolation . && rm -rf /opt/streamer/*

USER streamer
WORKDIR /data
ENTRYPOINT ["streamer"]
CMD ["--help"]
