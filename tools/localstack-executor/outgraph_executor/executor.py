"""
One execution environment of a Lambda function as a Node process. It is started from the function's
unzipped code and kept for warm invocations. It is killed at the function's time-out, as in Lambda,
and started again for the next invocation.
"""

import os
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor
from outgraph_executor.metrics import MetricExtractor, Owner
from outgraph_executor.runtime_api import RuntimeApi, Task, error_payload

# Lambda gives an environment ten seconds to initialise. If they are too short, it starts the
# initialisation again with the first invocation, within the function's time-out. Here it may take
# both times together: a busy machine starts a process slowly.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_SECONDS = 10

NODE = os.environ.get("OUTGRAPH_EXECUTOR_NODE", "node")
RUNTIME = os.environ.get("OUTGRAPH_EXECUTOR_RUNTIME", "")
LOGS = os.environ.get("OUTGRAPH_EXECUTOR_LOGS", "/tmp")

# A file for each running process, named by its id, in a folder for each function: other programs find
# the processes with it.
ENVIRONMENTS = Path(LOGS) / "environments"

METRICS = MetricExtractor()


class ProcessExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self._api: RuntimeApi | None = None
        self._process: subprocess.Popen | None = None
        self._environment: dict[str, str] = {}
        self._task: Task | None = None
        self._log_lines: list[str] = []

    def start(self, env_vars: dict[str, str]) -> None:
        self._environment = {name: str(value) for name, value in env_vars.items()}
        self._start_process()

    def stop(self) -> None:
        self._kill_process()

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return ""

    def get_logs(self) -> str:
        return "".join(self._log_lines)

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        self._log_lines = []
        if self._process is None or self._process.poll() is not None:
            self._start_process()
        timeout = self.function_version.config.timeout
        task = Task(
            request_id=payload["invoke-id"],
            function_arn=payload["invoked-function-arn"],
            payload=payload["payload"].encode() or b"{}",
            deadline_ms=int((time.time() + timeout) * 1000),
            trace_id=payload.get("trace-id") or "",
        )
        self._task = task
        self._api.submit(task)
        if not task.done.wait(timeout):
            self._kill_process()
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
            message = f"{now}Z {task.request_id} Task timed out after {timeout:.2f} seconds"
            task.settle(error_payload("Sandbox.Timedout", message), is_error=True)
            self._write_log(f"{message}\n")
        self._task = None
        self._api and self._api.forget(task)
        logs = f"START RequestId: {task.request_id}\n{self.get_logs()}END RequestId: {task.request_id}\n"
        return InvocationResult(task.request_id, task.answer, is_error=task.is_error, logs=logs)

    def _start_process(self) -> None:
        self._kill_process()
        self._api = api = RuntimeApi()
        code = self.function_version.config.code.get_unzipped_code_location()
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(code),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
            **self._environment,
            "TZ": "UTC",
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_LAMBDA_RUNTIME_API": api.address,
        }
        memory = self.function_version.config.memory_size
        self._process = process = subprocess.Popen(
            [NODE, f"--max-old-space-size={memory}", RUNTIME],
            cwd=code,
            env=environment,
            # The process exits when this pipe closes, so also if LocalStack is killed.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        mark = self._mark(process.pid)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        threading.Thread(target=self._watch, args=(process, api), daemon=True).start()
        if not api.ready.wait(INIT_SECONDS + self.function_version.config.timeout):
            self._kill_process()
            error = error_payload("Sandbox.Timedout", "init timed out")
            raise StatusErrorException("the function did not start in time", error)
        if api.init_error is not None:
            self._write_log(f"the function failed to start: {api.init_error.decode(errors='replace')}\n")
            self._kill_process()
            raise StatusErrorException("the function failed to start", api.init_error)

    def _watch(self, process: subprocess.Popen, api: RuntimeApi) -> None:
        """
        Copies the output of the process to its log, and its metrics to CloudWatch. When the process ends,
        settles the start or the invocation that waits for it.
        """
        owner = Owner(self.function_version.id.account, self.function_version.id.region)
        for line in process.stdout:
            text = line.decode(errors="replace")
            self._write_log(text)
            METRICS.take(owner, text)
        code = process.wait()
        self._mark(process.pid).unlink(missing_ok=True)
        how = f"signal: {-code}" if code < 0 else f"exit status {code}"
        error = error_payload("Runtime.ExitError", f"Runtime exited with error: {how}")
        if not api.ready.is_set():
            api.init_error = error
            api.ready.set()
        task = self._task
        if task is not None and self._process is process:
            task.settle(error, is_error=True)

    def _mark(self, pid: int) -> Path:
        return ENVIRONMENTS / self.function_version.id.function_name / str(pid)

    def _kill_process(self) -> None:
        process, self._process = self._process, None
        api, self._api = self._api, None
        if process is not None:
            process.kill()
            process.wait()
            process.stdin.close()
        if api is not None:
            api.close()

    def _write_log(self, line: str) -> None:
        self._log_lines.append(line)
        path = Path(LOGS) / f"{self.function_version.id.function_name}.log"
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
