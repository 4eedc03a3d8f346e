#!/bin/sh
# JupyterLab in its container. The lessons lie in the shared work folder, where they can be saved;
# one that is there already is the learner's own and stays.
set -eu
mkdir -p /lab/notebooks /lab/scratch
cp -rn /opt/labkit/notebooks/. /lab/notebooks/
# Inside the container every address; Docker publishes the port on 127.0.0.1 only.
exec labkit lab 00 --ServerApp.ip=0.0.0.0 --ServerApp.root_dir=/lab/notebooks \
    --ServerApp.open_browser=False "$@"
