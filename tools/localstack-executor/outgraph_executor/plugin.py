"""
The entry points that LocalStack finds: for functions if LAMBDA_RUNTIME_EXECUTOR is "process", and
for custom resources.
"""

from localstack.services.cloudformation.resource_provider import CloudFormationResourceProviderPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        from outgraph_executor.executor import ProcessExecutor

        return ProcessExecutor


class CustomResourcePlugin(CloudFormationResourceProviderPlugin):
    name = "AWS::CloudFormation::CustomResource"

    def load(self, *args, **kwargs):
        from outgraph_executor.custom_resource import CustomResourceProvider

        # LocalStack asks the plugin for its factory.
        self.factory = CustomResourceProvider
