"""One page: how often it has been asked for, and by which container."""

import os
import socket

import redis
from flask import Flask

app = Flask(__name__)
store = redis.Redis(host=os.environ.get("REDIS_HOST", "redis"), socket_timeout=2)


@app.get("/")
def count():
    visits = store.incr("visits")
    return f"Hello from {socket.gethostname()}! This page has been seen {visits} times.\n", {
        "Content-Type": "text/plain"
    }


@app.get("/ready")
def ready():
    store.ping()
    return "ready\n", {"Content-Type": "text/plain"}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
