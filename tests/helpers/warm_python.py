"""Run short scripts, each in a fork of one process that has already imported their modules.

Importing torch and other modules takes two or three seconds, but a short script takes less than
one. A fork starts with all modules imported, like a new process after its imports.

    python warm_python.py serve SOCKET SCRIPT ...     # imports the modules of the scripts
    python warm_python.py SOCKET SCRIPT [ARGUMENT ...]

The second command runs a script in a fork of the first process, and ends with the script's status.
The script has the second command's standard streams and environment, and the working folder of the
first process. (`forks.python` can set both.)
"""

import json
import os
import runpy
import socket
import sys

READY = "ready\n"
"""The line that the server prints after its imports."""
LONGEST = 1 << 20  # bytes per call
KILLED = -9


def serve(address: str, scripts: list[str]) -> None:
    """Import the modules of the scripts, then fork for each call, until killed."""
    import importlib
    from socketserver import ForkingMixIn, StreamRequestHandler, UnixStreamServer

    class Fork(StreamRequestHandler):
        def handle(self) -> None:
            call, streams, *_ = socket.recv_fds(self.connection, LONGEST, maxfds=3)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
            self.wfile.write(bytes([run(**json.loads(call))]))

    class Server(ForkingMixIn, UnixStreamServer):
        """Forks in the main thread, so that a script can set signal handlers."""

    for script in scripts:
        runpy.run_path(script)
    importlib.import_module("torch._dynamo")  # the first step of any optimizer imports it
    with Server(address, Fork) as server:
        print(READY, end="", flush=True)
        server.serve_forever()


def run(command: list[str], cwd: str | None = None, env: dict[str, str] | None = None) -> int:
    """Run a script or ``-c CODE`` as the main module, and return its exit status."""
    import traceback

    if cwd is not None:
        os.chdir(cwd)
    if env is not None:
        os.environ.clear()
        os.environ.update(env)
    try:
        if command[0] == "-c":
            sys.argv, sys.path[0] = ["-c", *command[2:]], ""
            exec(compile(command[1], "<string>", "exec"), {"__name__": "__main__"})
        else:
            sys.argv, sys.path[0] = command, os.path.dirname(command[0])  # noqa: PTH120
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
    return 0


def ask(address: str, streams: list[int], **call: object) -> int:
    """Let the server run a command. Return its exit status, or `KILLED` if it was killed."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [json.dumps(call).encode()], streams)
        answer = connection.recv(1)
        return ord(answer) if answer else KILLED


if __name__ == "__main__":
    first, *others = sys.argv[1:]
    if first == "serve":
        serve(others[0], others[1:])
    else:
        sys.exit(abs(ask(first, [0, 1, 2], command=others, env=dict(os.environ))))
