"""How gunicorn serves the site, by ``./run`` and in production alike."""

import os
from pathlib import Path

import environ
from django.urls import get_resolver

from carbonsite.process_tree import die_with_parent

# The settings read it as well, but only when the site is loaded, which is after this.
environ.Env.read_env(Path(__file__).resolve().parent.parent / ".env")
wsgi_app = "carbonsite.wsgi:application"
worker_class = "carbonsite.web_worker.PatientWorker"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
preload_app = True
# Beats once a second while a slow upload comes in, so this bounds only a stuck process.
timeout = 120
graceful_timeout = 4
keepalive = 5
# Nothing that a client says of itself is believed here: Django reads what HTTPS and PROXY_COUNT
# allow, while gunicorn would take even the address asked for from a header of a neighbour.
forwarded_allow_ips = ""
forwarder_headers = ""
# gunicorn 27 would leave a control socket in the home folder.
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
loglevel = "warning"


def post_fork(server, worker):
    """Tie the worker to its master, whose own death may be sudden."""
    die_with_parent()


def when_ready(server):
    """Load the routes before the workers are forked, so that they share them."""
    get_resolver().url_patterns  # noqa: B018
