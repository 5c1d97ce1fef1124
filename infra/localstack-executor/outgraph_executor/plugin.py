"""The entry point that LocalStack finds when LAMBDA_RUNTIME_EXECUTOR is "process"."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        from outgraph_executor.executor import ProcessExecutor

        return ProcessExecutor
