# The worker's image: a folder with an interpreter's packages, and nothing that could build or install more.
#
# A tag moves. For a build that can be repeated, give the base image by digest:
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:... .
# tests/test_install.py runs the first stage, instruction by instruction, in a scratch folder.
ARG PYTHON_IMAGE=python:3.13-slim

# -- build: pinned dependencies into one folder, then the project's own wheel ------------------------------------
FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv --without-pip /opt/capi-pipeline \
 && pip --python /opt/capi-pipeline/bin/python install --no-compile --require-hashes --only-binary :all: \
    -r requirements/runtime.txt \
 && pip install --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY pipeline pipeline
# The worker runs without the right to write: bytecode is made here, and trusted without a look at the sources' times.
RUN pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && pip --python /opt/capi-pipeline/bin/python install --no-compile --no-deps --no-index wheels/*.whl \
 && /opt/capi-pipeline/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/capi-pipeline/lib

# -- run: the same base, the folder, and an account that may write nowhere ------------------------------------------
FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="capi-pipeline" \
      org.opencontainers.image.description="Order and lead events from Kafka to ad platforms' conversions APIs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV PATH=/opt/capi-pipeline/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/capi-pipeline /opt/capi-pipeline
# Where `destinations.yaml` is looked for unless CAPI_DESTINATIONS_FILE names another place.
WORKDIR /etc/capi
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["capi-pipeline"]
CMD ["run"]
