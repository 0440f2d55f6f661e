#!/bin/sh
# Builds Go programs: build.sh FOLDER NAME=PACKAGE…
# VERSION and GIT_VERSION of the tree go into them. NOSTRIP=1 keeps the symbols, V=1 shows more.
set -eu
folder=$1
shift
# Without a build id, a program that a change does not touch comes out byte by byte the same.
flags="-buildid= -X lab.ciliumship.dev/cilium/pkg/version.number=$(cat VERSION)"
[ ! -f GIT_VERSION ] || flags="$flags -X 'lab.ciliumship.dev/cilium/pkg/version.commit=$(cat GIT_VERSION)'"
[ -n "${NOSTRIP:-}" ] || flags="$flags -s -w"
for program in "$@"; do
  CGO_ENABLED=0 go build -mod=vendor -trimpath -buildvcs=false ${V:+-v} -ldflags "$flags" \
    -o "$folder/${program%%=*}" "./${program#*=}"
done
