# Two images from one file:
#   docker build --target api    -t xentarena-api .       API and pages, no PyTorch
#   docker build --target worker -t xentarena-worker .    the judge; --build-arg TORCH_INDEX=URL picks PyTorch's build

FROM python:3.11-slim AS wheel
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /source
COPY constraints.txt ./
RUN pip install -c constraints.txt hatchling
COPY pyproject.toml README.md LICENSE ./
COPY bots ./bots
COPY games ./games
COPY judge ./judge
COPY migrations ./migrations
COPY server ./server
COPY xentarena ./xentarena
RUN pip wheel --no-deps --no-build-isolation -w /wheels .


FROM python:3.11-slim AS api
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 \
    XENTARENA_HOST=0.0.0.0 XENTARENA_PORT=8000 XENTARENA_LOG_JSON=true
RUN useradd --create-home --uid 10001 arena
COPY constraints.txt docker/healthy.py /opt/xentarena/
COPY --from=wheel /wheels /opt/xentarena/wheels
RUN pip install -c /opt/xentarena/constraints.txt "$(echo /opt/xentarena/wheels/*.whl)[server]"
USER arena
WORKDIR /home/arena
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 \
    CMD ["python", "/opt/xentarena/healthy.py", "api"]
CMD ["xentarena", "api"]


FROM api AS worker
# Empty: the package registry's own build, which for Linux is a CUDA one.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
USER root
RUN pip install --no-deps ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
        "$(grep '^torch==' /opt/xentarena/constraints.txt)" \
 && pip install -c /opt/xentarena/constraints.txt "$(echo /opt/xentarena/wheels/*.whl)[all]" \
 && install -d -o arena -g arena /home/arena/.cache/huggingface /home/arena/judges
ENV XENTARENA_JUDGES=/home/arena/judges
USER arena
HEALTHCHECK --interval=10s --timeout=6s --start-period=300s --retries=3 \
    CMD ["python", "/opt/xentarena/healthy.py", "worker"]
CMD ["xentarena", "worker"]
