"""A `python` for short stages: each runs in a fork of one process that has imported everything.

Importing torch and what else stages need takes two seconds or three, a short stage's work less
than one. A fork starts with the modules imported and nothing done, as a new process is after its
imports.

    python warm_python.py serve SOCKET SCRIPT ...     # imports what the scripts import
    python warm_python.py SOCKET SCRIPT [ARGUMENT ...]

The second runs a script in a fork of the first, with its own standard streams, and ends as it does.
The working folder and the environment are those of the first.
"""

import os
import runpy
import socket
import sys

READY = "ready\n"
"""What the server prints when it has imported everything."""
LONGEST = 65536  # bytes of a command


def serve(address: str, scripts: list[str]) -> None:
    """Import what the scripts do, then fork for each that is asked for, until killed."""
    import importlib
    from socketserver import ForkingMixIn, StreamRequestHandler, UnixStreamServer

    class Fork(StreamRequestHandler):
        def handle(self) -> None:
            command, streams, *_ = socket.recv_fds(self.connection, LONGEST, maxfds=3)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            self.wfile.write(bytes([run(command.decode().split("\0"))]))

    class Server(ForkingMixIn, UnixStreamServer):
        """Forks in the first thread, so that a script may set signal handlers."""

    for script in scripts:
        runpy.run_path(script)
    importlib.import_module("torch._dynamo")  # as any optimizer's first step does
    with Server(address, Fork) as server:
        print(READY, end="", flush=True)
        server.serve_forever()


def run(command: list[str]) -> int:
    """The exit status of a script, run as the main one."""
    import traceback

    sys.argv = command
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    return 0


def ask(address: str, command: list[str]) -> int:
    """The exit status of a script that the server runs; 1 if its process was killed."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, ["\0".join(command).encode()], [0, 1, 2])
        return ord(connection.recv(1) or b"\1")


if __name__ == "__main__":
    first, *others = sys.argv[1:]
    if first == "serve":
        serve(others[0], others[1:])
    else:
        sys.exit(ask(first, others))
