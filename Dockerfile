# Three images from one file, which share their layers:
#   docker build --target api    -t xentarena-api .       API and pages, no PyTorch
#   docker build --target worker -t xentarena-worker .    the judge; --build-arg TORCH_INDEX=URL picks PyTorch's build
#   docker build -t xentarena .                           everything in one container: docker run … xentarena serve
#
# What seldom changes comes first, so that a change of our code makes one small layer anew.

# A release names it with its digest.
ARG PYTHON=python:3.11-slim
FROM ${PYTHON} AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1
RUN useradd --create-home --uid 10001 arena


FROM base AS ours
WORKDIR /source
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=constraints.txt,target=constraints.txt \
    pip install -c constraints.txt hatchling
COPY pyproject.toml README.md LICENSE ./
COPY bots ./bots
COPY games ./games
COPY judge ./judge
COPY migrations ./migrations
COPY server ./server
COPY xentarena ./xentarena
# The weights have a layer of their own, and only where something measures.
RUN rm judge/*/model.safetensors && pip install --no-cache-dir --no-deps --no-build-isolation --prefix /ours .


# pip would compile all there is; slim.py compiles what is used.
FROM base AS server-packages
WORKDIR /source
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=constraints.txt,target=/source/constraints.txt \
    --mount=type=bind,source=pyproject.toml,target=/source/pyproject.toml \
    --mount=type=bind,source=docker/packages.py,target=/source/packages.py \
    --mount=type=bind,source=docker/slim.py,target=/source/slim.py \
    python packages.py server > /tmp/packages \
 && PYTHONDONTWRITEBYTECODE=1 pip install --no-compile -c constraints.txt -r /tmp/packages \
 && python slim.py server && rm /tmp/packages


FROM server-packages AS all-packages
# Empty: the package registry's own build, which for Linux is a CUDA one.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# hadolint ignore=DL3013
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=constraints.txt,target=/source/constraints.txt \
    --mount=type=bind,source=pyproject.toml,target=/source/pyproject.toml \
    --mount=type=bind,source=docker/packages.py,target=/source/packages.py \
    --mount=type=bind,source=docker/slim.py,target=/source/slim.py \
    python packages.py all > /tmp/packages && export PYTHONDONTWRITEBYTECODE=1 \
 && pip install --no-compile --no-deps ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)" \
 && pip install --no-compile -c constraints.txt -r /tmp/packages \
 && unset PYTHONDONTWRITEBYTECODE && python slim.py all && rm /tmp/packages
RUN --mount=type=bind,source=judge/pocket/model.safetensors,target=/weights/pocket/model.safetensors \
    --mount=type=bind,source=judge/pocket-backward/model.safetensors,target=/weights/pocket-backward/model.safetensors \
    cp -r /weights "$(python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/judge"


FROM server-packages AS api
LABEL org.opencontainers.image.title="Xent Arena, API" org.opencontainers.image.licenses="MIT"
COPY docker/healthy.py /opt/xentarena/
COPY --from=ours /ours /usr/local
ENV XENTARENA_HOST=0.0.0.0 XENTARENA_PORT=8000 XENTARENA_LOG_JSON=true
USER 10001
WORKDIR /home/arena
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["python", "-I", "-S", "/opt/xentarena/healthy.py", "api"]
ENTRYPOINT ["xentarena"]
CMD ["api"]


FROM all-packages AS worker
LABEL org.opencontainers.image.title="Xent Arena, worker" org.opencontainers.image.licenses="MIT"
COPY docker/healthy.py /opt/xentarena/
RUN install -d -o arena -g arena /data /home/arena/.cache /home/arena/.cache/huggingface /home/arena/judges
COPY --from=ours /ours /usr/local
ENV XENTARENA_JUDGES=/home/arena/judges XENTARENA_HEARTBEAT=/tmp/xentarena-worker XENTARENA_LOG_JSON=true
USER 10001
WORKDIR /home/arena
HEALTHCHECK --interval=10s --timeout=6s --start-period=300s --retries=3 \
    CMD ["python", "-I", "-S", "/opt/xentarena/healthy.py", "worker"]
ENTRYPOINT ["xentarena"]
CMD ["worker"]


FROM worker AS one
LABEL org.opencontainers.image.title="Xent Arena" org.opencontainers.image.licenses="MIT"
ENV XENTARENA_HOST=0.0.0.0 XENTARENA_PORT=8000 XENTARENA_DATA=/data XENTARENA_JUDGES=/data/judges \
    XENTARENA_LOG_JSON=false
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=10s --timeout=6s --start-period=300s --retries=3 \
    CMD ["python", "-I", "-S", "/opt/xentarena/healthy.py", "api"]
CMD ["serve"]
