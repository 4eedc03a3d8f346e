#!/bin/sh
# Make the base image where no image registry can be reached: root on Debian, with debootstrap.
#
#     docker/base.sh [NAME]        (debian:bookworm-slim)
set -eu
name=${1:-debian:bookworm-slim}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase bookworm "$folder" >/dev/null
rm -rf "$folder"/var/cache/apt/archives/*.deb "$folder"/var/lib/apt/lists/* \
    "$folder"/usr/share/doc/* "$folder"/usr/share/man/* "$folder"/usr/share/locale/*
tar -C "$folder" -c . | docker import - "$name"
