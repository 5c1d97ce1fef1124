"""
The Lambda Runtime API of one execution environment, on its own loopback port: the function's process
requests the next invocation and answers it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PREFIX = "/2018-06-01/runtime/"


@dataclass
class Task:
    """
    One invocation in the environment. `done` is set once it is answered, or can no longer be answered.
    """

    request_id: str
    function_arn: str
    payload: bytes
    deadline_ms: int
    trace_id: str
    done: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    is_error: bool = False

    def settle(self, answer: bytes, is_error: bool) -> None:
        if not self.done.is_set():
            self.answer, self.is_error = answer, is_error
            self.done.set()


class RuntimeApi:
    """
    Serves the Runtime API until it is closed. `ready` is set once the process has requested an
    invocation, or has failed to start.
    """

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.init_error: bytes | None = None
        self._tasks: queue.Queue[Task] = queue.Queue()
        self._running: dict[str, Task] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler_class())
        self._server.daemon_threads = True
        # If a process ends in the middle of a request, its end is reported, not its broken connection.
        self._server.handle_error = lambda request, address: None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def submit(self, task: Task) -> None:
        self._running[task.request_id] = task
        self._tasks.put(task)

    def forget(self, task: Task) -> None:
        self._running.pop(task.request_id, None)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler_class(api) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args) -> None:
                pass

            def do_GET(self) -> None:
                if urlsplit(self.path).path != f"{PREFIX}invocation/next":
                    return self._reply(404)
                api.ready.set()
                task = api._tasks.get()
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": task.request_id,
                    "Lambda-Runtime-Deadline-Ms": str(task.deadline_ms),
                    "Lambda-Runtime-Invoked-Function-Arn": task.function_arn,
                    "Lambda-Runtime-Trace-Id": task.trace_id,
                    "Content-Type": "application/json",
                }
                self._reply(200, task.payload, headers)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path).path.removeprefix(PREFIX).split("/")
                if parts == ["init", "error"]:
                    api.init_error = body
                    api.ready.set()
                    return self._reply(202)
                if len(parts) != 3 or parts[0] != "invocation" or parts[2] not in ("response", "error"):
                    return self._reply(404)
                task = api._running.get(parts[1])
                if task is not None:
                    task.settle(body, is_error=parts[2] == "error")
                return self._reply(202)

            def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


def error_payload(error_type: str, message: str) -> bytes:
    """Returns an error as Lambda reports it to the caller of the function."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()
