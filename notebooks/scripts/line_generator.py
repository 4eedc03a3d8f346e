"""Send a line of text now and then to whoever connects: a source for Spark's socket reader.

    python line_generator.py --port 9999 --every 0.5

Standard library only; it listens on this machine alone, serves one reader at a time, and ends with
Ctrl-C. A line that was sent is gone: this server keeps nothing.
"""

import argparse
import random
import socket
import time

HOST = "127.0.0.1"
WORDS = "the stream of rows never ends and a batch is read in one piece".split()


def line(chance):
    """Return one to six words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))


def serve(reader, every_s, chance):
    """Send lines until the reader has gone."""
    try:
        while True:
            reader.sendall(f"{line(chance)}\n".encode())
            time.sleep(every_s)
    except OSError:
        print("The reader has gone.", flush=True)


def main():
    """Listen, and serve one reader after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=9999, help="0: any free one; it is printed")
    parser.add_argument("--every", type=float, default=1.0, help="seconds from line to line")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same lines")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with socket.create_server((HOST, options.port)) as server:
        print(f"Listening on {HOST}:{server.getsockname()[1]}. Ctrl-C ends it.", flush=True)
        while True:
            reader, _ = server.accept()
            print("A reader is here.", flush=True)
            with reader:
                serve(reader, options.every, chance)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("Ended.")
