# Prunescope on a Hugging Face Space (2 processors, 16 GB), or on any machine with Docker: docs/space.md.

FROM python:3.11-slim AS install
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt .
# PyTorch first, from its own index: the builds of the usual one bring gigabytes of CUDA. All others come as wheels.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --only-binary=:all: --index-url "$TORCH_INDEX" "$(grep -o '^torch>=[0-9.]*' requirements.txt)" \
 && pip install --prefer-binary -r requirements.txt

FROM python:3.11-slim
# Letters for pictures that are drawn on the server.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-dejavu-core && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home prunescope
COPY --from=install /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH HOME=/home/prunescope PYTHONDONTWRITEBYTECODE=1 \
    PRUNESCOPE_HOSTED=1 \
    # A Space is shown inside another site's page, where the cookie of this protection does not arrive.
    STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION=false \
    STREAMLIT_SERVER_MAX_UPLOAD_SIZE=5
WORKDIR /app
COPY . .
# As root, so that nothing in here can be changed later: Vega for the player, and compiled modules for a quick start.
RUN python -c "import ui.player" && python -m compileall -q app.py core pages ui
# What the app writes lies in the user's cache directory.
USER 1000
EXPOSE 7860
HEALTHCHECK --start-period=60s --timeout=10s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/_stcore/health', timeout=5)"]
CMD ["streamlit", "run", "app.py", "--server.port=7860", "--server.address=0.0.0.0"]
