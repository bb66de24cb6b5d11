# The commands themselves are in `.ci/run`, which works without `just`. `just --list` shows the recipes.

# Everything that CI checks.
ci:
    .ci/run

# Formatting and lints.
lint:
    .ci/run fmt clippy

# Words and sizes of texts: doc comments, documents, README.
style:
    .ci/run style

# All tests; the first run builds etcd, kube-apiserver and other parts with Go.
test:
    .ci/run test

# API documentation of the crates, warnings are errors.
doc:
    .ci/run doc

# The main job from nothing: two control planes, a fleet, a move.
demo:
    .ci/run demo

# Licences, advisories, bans, sources.
deny:
    .ci/run deny

# Ten minutes of fuzzing what reads foreign text.
fuzz:
    .ci/run fuzz

# Every kill point of the transaction, not only a sample; takes long.
kill-matrix:
    .ci/run kill_matrix

# All tests with those that are ignored otherwise; takes hours.
thorough:
    .ci/run thorough

# Moves of 1, 10 and 50 clusters side by side with clusterctl and with bare writes; `just bench --help` has the options.
bench *ARGS:
    .ci/run bench {{ARGS}}

# The owner graph of up to 100,000 objects.
bench-graph:
    .ci/run bench_graph

# What loading and calling a plugin costs.
bench-plugins:
    .ci/run bench_plugins

# Debug plugins in an optimised host.
abi:
    .ci/run abi

# Real kind and the real Docker provider without a registry: up, status, e2e, down (tests/lab/README.md).
lab *ARGS:
    .ci/run lab {{ARGS}}

# A release's archive for this machine's target, or `just dist manifest` (docs/guides/install.md).
dist *ARGS:
    .ci/run dist {{ARGS}}
