#!/usr/bin/env bash
# Installs the real servers that the contract tests start: Prometheus 2, promtool, Alertmanager,
# VictoriaMetrics and PostgreSQL from Debian, a Go toolchain, Prometheus 3 built from its Go module, Chromium,
# `controllers`: Argo Rollouts' and Flagger's own code as a client (tests/controllers), and Apache Kafka's jars
# through Maven (tools/kafka/pom.xml), with a Java to run them.
#
#   tools/servers.sh            install and build what is missing
#   tools/servers.sh e2e        that, and Thanos (4 minutes of CPU), an OpenTelemetry collector, Loki (half an
#                               hour of CPU), the log part of Grafana Agent and Kubernetes' API server (seven minutes
#                               each) built from their Go modules, and Debian's etcd
#   tools/servers.sh env        print `export` lines for the tests, install nothing
#   tools/servers.sh check      say what is there; exit 1 when something is missing
#
# Everything that is built lands in .servers/ of this checkout. Nothing is started.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
servers="${SERINUS_SERVERS:-$root/.servers}"
prometheus3_version="${PROMETHEUS3_VERSION:-v0.316.0}" # Prometheus 3.16.0, as its Go module counts
go_version="${GO_VERSION:-1.26.8}"                     # fetched only where `go` is older or absent
go_at_least="1.26.7"                                   # what that Prometheus asks for
thanos_version="${THANOS_VERSION:-v0.42.4}"
prometheus3="$servers/bin/prometheus3"
loki_version="${LOKI_VERSION:-v3.7.8}"
# Loki's go.mod looks for this module of its own in a folder that is no part of what is published.
loki_push_version="${LOKI_PUSH_VERSION:-v0.0.0-20250630054201-94c0ba7b0952}"
agent_version="${AGENT_VERSION:-v0.44.2}"
thanos="$servers/bin/thanos"
agent="$servers/bin/agent"
loki="$servers/bin/loki"
controllers="$servers/bin/controllers"
collector="$servers/bin/collector"
apiserver="$servers/bin/apiserver"
kafka="$servers/bin/kafka"

say() { printf 'servers: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root for: $*"
    fi
}

apt_install() {
    command -v apt-get >/dev/null || die "no apt-get here; install by hand: $*"
    say "apt-get install $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    # The packages' services stay off: the tests start their own, on free ports.
    local policy=/usr/sbin/policy-rc.d own_policy=""
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        own_policy=yes
    fi
    local status=0
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null || status=$?
    [ -z "$own_policy" ] || as_root rm -f "$policy"
    return "$status"
}

at_least() { # at_least HAVE WANT, as versions
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

go_is_new() { # go_is_new BINARY
    local have
    command -v "$1" >/dev/null || return 1
    have="$(GOTOOLCHAIN=local "$1" version | awk '{print substr($3, 3)}')"
    at_least "$have" "$go_at_least"
}

find_go() { # prints the path of a Go that is new enough
    local candidate
    for candidate in go "$servers/go/bin/go" /usr/local/go/bin/go; do
        if go_is_new "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

# Debian's Go is too old to build Prometheus 3, but it can fetch a newer toolchain
# as the Go module golang.org/toolchain, verified by the checksum database.
install_go() {
    local bootstrap module found
    bootstrap="$(command -v go || true)"
    if [ -z "$bootstrap" ]; then
        apt_install golang-go ca-certificates
        bootstrap="$(command -v go)"
    fi
    module="golang.org/toolchain@v0.0.1-go$go_version.linux-$("$bootstrap" env GOARCH)"
    say "fetching Go $go_version as the module $module"
    found="$(cd / && "$bootstrap" mod download -json "$module" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')"
    [ -d "$found" ] || die "Go $go_version did not arrive; put a Go >= $go_at_least on PATH"
    rm -rf "$servers/go"
    mkdir -p "$servers"
    cp -r "$found" "$servers/go"
    chmod -R u+w "$servers/go"
    chmod +x "$servers/go/bin/"* "$servers/go/pkg/tool/"*/*
}

build_prometheus3() {
    local go started
    go="$(find_go)" || { install_go; go="$(find_go)"; } || die "no Go >= $go_at_least"
    started="$SECONDS"
    say "building Prometheus 3 ($prometheus3_version) with $("$go" version); some minutes the first time"
    mkdir -p "$servers/bin"
    # No web UI (tag builtinassets is off) and only file and http discovery: the
    # tests use the HTTP API and static targets, and the cloud clients triple the build.
    # v0.316.0 is 3.16.0; without the stamp the server would not know its own version.
    local stamp="github.com/prometheus/common/version"
    stamp="-s -w -X $stamp.Version=3.$(cut -c 3- <<<"${prometheus3_version#v0}" | sed 's/^0*\([0-9]\)/\1/')"
    (cd "$servers" && GOFLAGS=-buildvcs=false GOTOOLCHAIN=local GOBIN="$servers/bin" CGO_ENABLED=0 \
        "$go" install -tags netgo,remove_all_sd -ldflags "$stamp" \
        "github.com/prometheus/prometheus/cmd/prometheus@$prometheus3_version")
    mv "$servers/bin/prometheus" "$prometheus3"
    printf '%s\n' "$prometheus3_version" >"$servers/prometheus3.version"
    say "built $prometheus3 in $((SECONDS - started)) s"
}

prometheus3_is_built() {
    [ -x "$prometheus3" ] && [ "$(cat "$servers/prometheus3.version" 2>/dev/null)" = "$prometheus3_version" ]
}

controllers_sources() { # a checksum: another one means that they must be built again
    (cd "$root/tests/controllers" && cat go.mod go.sum ./*.go ./*.s) | sha256sum | cut -d ' ' -f 1
}

controllers_are_built() {
    [ -x "$controllers" ] && [ "$(cat "$servers/controllers.sources" 2>/dev/null)" = "$(controllers_sources)" ]
}

build_here() { # build_here FOLDER BINARY SOURCES WORDS: a program of ours in Go, and what it was built of
    local go started
    go="$(find_go)" || { install_go; go="$(find_go)"; } || die "no Go >= $go_at_least"
    started="$SECONDS"
    say "building $4 with $("$go" version); some minutes the first time"
    mkdir -p "$servers/bin"
    (cd "$root/tests/$1" && GOFLAGS=-buildvcs=false GOTOOLCHAIN=local CGO_ENABLED=0 \
        "$go" build -ldflags "-s -w" -o "$2" .)
    printf '%s\n' "$3" >"$servers/$1.sources"
    say "built $2 in $((SECONDS - started)) s"
}

build_controllers() {
    build_here controllers "$controllers" "$(controllers_sources)" "Argo Rollouts' and Flagger's code"
}

thanos_is_built() {
    [ -x "$thanos" ] && [ "$(cat "$servers/thanos.version" 2>/dev/null)" = "$thanos_version" ]
}

collector_sources() { # a checksum: another one means that it must be built again
    (cd "$root/tests/collector" && cat go.mod go.sum main.go) | sha256sum | cut -d ' ' -f 1
}

collector_is_built() {
    [ -x "$collector" ] && [ "$(cat "$servers/collector.sources" 2>/dev/null)" = "$(collector_sources)" ]
}

build_collector() {
    build_here collector "$collector" "$(collector_sources)" "an OpenTelemetry collector"
}

apiserver_sources() { # a checksum: another one means that it must be built again
    (cd "$root/tests/apiserver" && cat go.mod go.sum main.go) | sha256sum | cut -d ' ' -f 1
}

apiserver_is_built() {
    [ -x "$apiserver" ] && [ "$(cat "$servers/apiserver.sources" 2>/dev/null)" = "$(apiserver_sources)" ]
}

build_apiserver() {
    build_here apiserver "$apiserver" "$(apiserver_sources)" "Kubernetes' API server"
}

find_admin() { # prints the path of a program for administrators, to whose folder people have no PATH
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1"
}

find_postgres() { # prints the path of the newest server binary; Debian keeps it off PATH
    local found
    if command -v postgres; then
        return 0
    fi
    found="$(find /usr/lib/postgresql/*/bin/postgres -maxdepth 0 2>/dev/null | sort -V | tail -n 1)"
    [ -n "$found" ] && printf '%s\n' "$found"
}

# Its go.mod replaces modules, which `go install` refuses: it is built in a copy of its own.
build_thanos() {
    local go started found copy
    go="$(find_go)" || { install_go; go="$(find_go)"; } || die "no Go >= $go_at_least"
    started="$SECONDS"
    say "building Thanos $thanos_version with $("$go" version); some minutes the first time"
    found="$(cd / && GOTOOLCHAIN=local "$go" mod download -json "github.com/thanos-io/thanos@$thanos_version" \
        | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')"
    [ -d "$found" ] || die "Thanos $thanos_version did not arrive"
    copy="$(mktemp -d)"
    cp -r "$found/." "$copy"
    chmod -R u+w "$copy"
    mkdir -p "$servers/bin"
    # Without slicelabels, as its authors build it, a sidecar panics at its first answer.
    (cd "$copy" && GOFLAGS=-buildvcs=false GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -tags netgo,slicelabels \
        -ldflags "-s -w -X github.com/prometheus/common/version.Version=${thanos_version#v}" \
        -o "$thanos" ./cmd/thanos)
    rm -rf "$copy"
    printf '%s\n' "$thanos_version" >"$servers/thanos.version"
    say "built $thanos in $((SECONDS - started)) s"
}

loki_is_built() {
    [ -x "$loki" ] && [ "$(cat "$servers/loki.version" 2>/dev/null)" = "$loki_version" ]
}

module_folder() { # module_folder GO MODULE@VERSION: where it lies once it is fetched
    (cd / && GOTOOLCHAIN=local "$1" mod download -json "$2" \
        | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",\{0,1\}$/\1/p')
}

build_loki() {
    local go started found push copy
    go="$(find_go)" || { install_go; go="$(find_go)"; } || die "no Go >= $go_at_least"
    started="$SECONDS"
    say "building Loki $loki_version with $("$go" version); a long while the first time"
    found="$(module_folder "$go" "github.com/grafana/loki/v3@$loki_version")"
    push="$(module_folder "$go" "github.com/grafana/loki/pkg/push@$loki_push_version")"
    if [ ! -d "$found" ] || [ ! -d "$push" ]; then
        die "Loki $loki_version did not arrive"
    fi
    copy="$(mktemp -d)"
    cp -r "$found/." "$copy"
    chmod -R u+w "$copy"
    cp -r "$push" "$copy/pkg/push"
    mkdir -p "$servers/bin"
    (cd "$copy" && GOFLAGS=-buildvcs=false GOTOOLCHAIN=local CGO_ENABLED=0 \
        "$go" build -tags netgo -ldflags "-s -w" -o "$loki" ./cmd/loki)
    chmod -R u+w "$copy"
    rm -rf "$copy"
    printf '%s\n' "$loki_version" >"$servers/loki.version"
    say "built $loki in $((SECONDS - started)) s"
}

agent_is_built() {
    [ -x "$agent" ] && [ "$(cat "$servers/agent.version" 2>/dev/null)" = "$agent_version" ]
}

# Its own package for logs with a main of ours, for the whole command holds what speaks to every cloud. Its
# go.mod replaces modules, so it must be the main module.
build_agent() {
    local go started found copy
    go="$(find_go)" || { install_go; go="$(find_go)"; } || die "no Go >= $go_at_least"
    started="$SECONDS"
    say "building the log part of Grafana Agent $agent_version with $("$go" version)"
    found="$(module_folder "$go" "github.com/grafana/agent@$agent_version")"
    [ -d "$found" ] || die "Grafana Agent $agent_version did not arrive"
    copy="$(mktemp -d)"
    cp -r "$found/." "$copy"
    chmod -R u+w "$copy"
    mkdir -p "$servers/bin" "$copy/cmd/agent-logs"
    cp "$root/tests/agent/main.go" "$copy/cmd/agent-logs"
    (cd "$copy" && GOFLAGS=-buildvcs=false GOTOOLCHAIN=local CGO_ENABLED=0 \
        "$go" build -tags netgo -ldflags "-s -w" -o "$agent" ./cmd/agent-logs)
    rm -rf "$copy"
    printf '%s\n' "$agent_version" >"$servers/agent.version"
    say "built $agent in $((SECONDS - started)) s"
}

kafka_version() { # as its pom says
    sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$root/tools/kafka/pom.xml"
}

kafka_is_there() { # the jars of the version asked for, and a Java for them
    [ -x "$kafka" ] && [ "$(cat "$servers/kafka.version" 2>/dev/null)" = "$(kafka_version)" ] && command -v java >/dev/null
}

# The jars lie outside Maven's own store, so that this checkout has all it needs; the launcher takes the
# main class and its arguments. One node of a test is small: a serial collector and the fast compiler start it
# in half the time.
install_kafka() {
    local started="$SECONDS" wanted
    wanted="$(kafka_version)"
    command -v java >/dev/null || apt_install default-jre-headless
    command -v mvn >/dev/null || apt_install maven
    say "fetching Apache Kafka $wanted through Maven"
    rm -rf "$servers/kafka" "$servers/kafka.version"
    mkdir -p "$servers/bin"
    mvn --batch-mode --quiet -f "$root/tools/kafka/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime "-DoutputDirectory=$servers/kafka"
    # shellcheck disable=SC2016 # the launcher is to expand it
    printf '#!/bin/sh\nexec java %s -cp "%s/*" "$@"\n' \
        '${KAFKA_JAVA:--Xms256m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1}' "$servers/kafka" >"$kafka"
    chmod +x "$kafka"
    printf '%s\n' "$wanted" >"$servers/kafka.version"
    say "fetched $(find "$servers/kafka" -name '*.jar' | wc -l) jars in $((SECONDS - started)) s"
}

print_env() {
    local admin go postgres
    if command -v prometheus >/dev/null; then
        printf 'export SERINUS_PROMETHEUS2=%q\n' "$(command -v prometheus)"
    fi
    if command -v promtool >/dev/null; then
        printf 'export SERINUS_PROMTOOL=%q\n' "$(command -v promtool)"
    fi
    if command -v prometheus-alertmanager >/dev/null; then
        printf 'export SERINUS_ALERTMANAGER=%q\n' "$(command -v prometheus-alertmanager)"
    fi
    if [ -x "$prometheus3" ]; then
        printf 'export SERINUS_PROMETHEUS3=%q\n' "$prometheus3"
    fi
    if [ -x "$thanos" ]; then
        printf 'export SERINUS_THANOS=%q\n' "$thanos"
    fi
    if [ -x "$loki" ]; then
        printf 'export SERINUS_LOKI=%q\n' "$loki"
    fi
    if [ -x "$agent" ]; then
        printf 'export SERINUS_AGENT=%q\n' "$agent"
    fi
    if command -v victoria-metrics >/dev/null; then
        printf 'export SERINUS_VICTORIAMETRICS=%q\n' "$(command -v victoria-metrics)"
    fi
    if postgres="$(find_postgres)"; then
        printf 'export SERINUS_POSTGRES=%q\n' "$postgres"
    fi
    if [ -x "$controllers" ]; then
        printf 'export SERINUS_CONTROLLERS=%q\n' "$controllers"
    fi
    if [ -x "$collector" ]; then
        printf 'export SERINUS_COLLECTOR=%q\n' "$collector"
    fi
    if [ -x "$apiserver" ]; then
        printf 'export SERINUS_APISERVER=%q\n' "$apiserver"
    fi
    if command -v etcd >/dev/null; then
        printf 'export SERINUS_ETCD=%q\n' "$(command -v etcd)"
    fi
    if kafka_is_there; then
        printf 'export SERINUS_KAFKA4=%q\n' "$kafka"
    fi
    if command -v chromium >/dev/null; then
        printf 'export SERINUS_CHROMIUM=%q\n' "$(command -v chromium)"
    fi
    if admin="$(find_admin rsyslogd)"; then
        printf 'export SERINUS_RSYSLOG=%q\n' "$admin"
    fi
    if admin="$(find_admin logrotate)"; then
        printf 'export SERINUS_LOGROTATE=%q\n' "$admin"
    fi
    if go="$(find_go)"; then
        printf 'export SERINUS_GO=%q\n' "$go"
    fi
}

check() {
    local missing=0 go postgres
    if command -v prometheus >/dev/null; then say "Prometheus 2: $(command -v prometheus)"; else say "Prometheus 2: missing"; missing=1; fi
    if command -v promtool >/dev/null; then say "promtool: $(command -v promtool)"; else say "promtool: missing"; missing=1; fi
    if command -v prometheus-alertmanager >/dev/null; then say "Alertmanager: $(command -v prometheus-alertmanager)"; else say "Alertmanager: missing"; missing=1; fi
    if prometheus3_is_built; then say "Prometheus 3: $prometheus3"; else say "Prometheus 3: missing"; missing=1; fi
    if command -v victoria-metrics >/dev/null; then say "VictoriaMetrics: $(command -v victoria-metrics)"; else say "VictoriaMetrics: missing"; missing=1; fi
    if postgres="$(find_postgres)"; then say "PostgreSQL: $postgres"; else say "PostgreSQL: missing"; missing=1; fi
    if controllers_are_built; then say "controllers: $controllers"; else say "controllers: missing"; missing=1; fi
    if kafka_is_there; then say "Kafka: $kafka"; else say "Kafka: missing"; missing=1; fi
    if go="$(find_go)"; then say "Go: $go"; else say "Go: missing"; missing=1; fi
    if command -v chromium >/dev/null; then say "Chromium: $(command -v chromium)"; else say "Chromium: missing"; missing=1; fi
    if find_admin rsyslogd >/dev/null; then say "rsyslog: $(find_admin rsyslogd)"; else say "rsyslog: missing"; missing=1; fi
    if find_admin logrotate >/dev/null; then say "logrotate: $(find_admin logrotate)"; else say "logrotate: missing"; missing=1; fi
    if thanos_is_built; then say "Thanos: $thanos"; else say "Thanos: missing, only for make e2e"; fi
    if collector_is_built; then say "collector: $collector"; else say "collector: missing, only for make e2e"; fi
    if loki_is_built; then say "Loki: $loki"; else say "Loki: missing, only for make e2e"; fi
    if agent_is_built; then say "Grafana Agent: $agent"; else say "Grafana Agent: missing, only for make e2e"; fi
    if apiserver_is_built; then say "Kubernetes: $apiserver"; else say "Kubernetes: missing, only for make e2e"; fi
    if command -v etcd >/dev/null; then say "etcd: $(command -v etcd)"; else say "etcd: missing, only for make e2e"; fi
    return "$missing"
}

install() {
    if ! command -v prometheus >/dev/null || ! command -v promtool >/dev/null; then
        apt_install prometheus
    fi
    command -v prometheus-alertmanager >/dev/null || apt_install prometheus-alertmanager
    command -v victoria-metrics >/dev/null || apt_install victoria-metrics
    # The server alone: the package `postgresql` would also make and keep a cluster of its own.
    find_postgres >/dev/null || apt_install postgresql-15
    command -v chromium >/dev/null || apt_install chromium
    find_admin rsyslogd >/dev/null || apt_install rsyslog
    compgen -G '/usr/lib/*/rsyslog/lmnsd_ossl.so' >/dev/null || apt_install rsyslog-openssl
    find_admin logrotate >/dev/null || apt_install logrotate
    # No server, but what reads our scripts in the tests.
    command -v shellcheck >/dev/null || apt_install shellcheck
    prometheus3_is_built || build_prometheus3
    controllers_are_built || build_controllers
    kafka_is_there || install_kafka
    find_go >/dev/null || install_go
    check
}

install_e2e() {
    install
    thanos_is_built || build_thanos
    collector_is_built || build_collector
    loki_is_built || build_loki
    agent_is_built || build_agent
    apiserver_is_built || build_apiserver
    command -v etcd >/dev/null || apt_install etcd-server
}

case "${1:-install}" in
    install) install ;;
    e2e) install_e2e ;;
    env) print_env ;;
    check) check ;;
    *) die "unknown word '$1'; use install, e2e, env or check" ;;
esac
