# The static oomph and nothing else: no shell, no package manager, no C library. From what scripts/release has built:
#
#   scripts/release --only static
#   docker build -f Dockerfile -t oomph:0.1.0 target/release-files
#
# What it is to look at has to be visible to it: see examples/pod for Kubernetes. Beside another container of this machine:
#
#   docker run --rm --pid container:NAME oomph:0.1.0 attach --all
FROM scratch
COPY static/oomph /oomph
# The user of Flink's images. Who may look at a process is its own user; root of another container is not.
USER 9999:9999
ENTRYPOINT ["/oomph"]
