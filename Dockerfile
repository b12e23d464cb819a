# The same files as in the archive of scripts/image.py, for those who have Docker:
#   docker build --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" \
#       --build-arg REVISION="$(git rev-parse HEAD)" .
FROM debian:12 AS build
WORKDIR /src
COPY scripts/install-deps.sh scripts/
COPY test/tools/toolchain.sh test/tools/cache.sh test/tools/
RUN scripts/install-deps.sh build
COPY . .
ARG REVISION
RUN PORTITOR_COMMIT="$REVISION" scripts/build.sh release --target portitor
# The time of every file; there is no git in here to ask.
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image.py --root /image

FROM scratch
ARG REVISION
LABEL org.opencontainers.image.title="portitor" \
    org.opencontainers.image.description="Sells HTTP services in Kubernetes for x402 payments" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.revision="$REVISION"
COPY --from=build /image /
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/bin/portitor"]
