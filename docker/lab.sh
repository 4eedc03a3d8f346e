#!/bin/sh
# JupyterLab in its container. The lessons lie in the shared work folder, where they can be saved;
# one that is there already is the learner's own and stays.
set -eu
mkdir -p /lab/notebooks /lab/scratch
cp -rn /opt/labkit/notebooks/. /lab/notebooks/
# Inside the container every address; Docker publishes the port on 127.0.0.1 only. It is the same
# port on both sides, so the address that JupyterLab prints is the one to open.
port=${LAB_PORT:-8888}
exec labkit lab 00 --ServerApp.ip=0.0.0.0 --ServerApp.port="$port" --ServerApp.port_retries=0 \
    --ServerApp.root_dir=/lab/notebooks --ServerApp.open_browser=False "$@"
