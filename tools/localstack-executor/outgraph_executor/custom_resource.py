"""
CloudFormation's custom resources, which LocalStack lacks without an account: invokes the function
of the resource, and waits until the function has put its answer to the address in the event, as
CloudFormation does.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer

from botocore.config import Config
from localstack.aws.connect import connect_to
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent, ResourceProvider

# How long CloudFormation waits if the resource has no ServiceTimeout.
DEFAULT_TIMEOUT_SECONDS = 3600


class CustomResourceProvider(ResourceProvider):
    TYPE = "AWS::CloudFormation::CustomResource"
    SCHEMA = {
        "typeName": TYPE,
        "primaryIdentifier": ["/properties/Id"],
        "readOnlyProperties": ["/properties/Id"],
        "properties": {
            "ServiceToken": {"type": "string"},
            "ServiceTimeout": {"type": "integer"},
            "Id": {"type": "string"},
        },
    }

    def create(self, request):
        return self._ask(request, "Create", request.desired_state)

    def update(self, request):
        return self._ask(request, "Update", request.desired_state)

    def delete(self, request):
        return self._ask(request, "Delete", request.previous_state or request.desired_state)

    def _ask(self, request, request_type, properties):
        event = {
            "RequestType": request_type,
            "RequestId": str(uuid.uuid4()),
            "StackId": request.stack_id,
            "LogicalResourceId": request.logical_resource_id,
            "ResourceType": self.TYPE,
            "ServiceToken": properties["ServiceToken"],
            "ResourceProperties": {name: str(value) for name, value in properties.items() if name != "Id"},
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = (request.previous_state or properties).get("Id", "")
        answer = self._invoke(request, event, int(properties.get("ServiceTimeout") or DEFAULT_TIMEOUT_SECONDS))
        if answer is None:
            return failed(properties, "the function did not answer in time")
        if answer.get("Status") != "SUCCESS":
            return failed(properties, answer.get("Reason") or "the function gave no reason")
        model = {**properties, "Id": answer.get("PhysicalResourceId", ""), **answer.get("Data", {})}
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)

    def _invoke(self, request, event, timeout_seconds):
        """Returns the function's answer, or None if it did not answer in time."""
        with HTTPServer(("127.0.0.1", 0), AnswerHandler) as server:
            server.answer = None
            server.timeout = timeout_seconds
            event["ResponseURL"] = f"http://127.0.0.1:{server.server_port}/"
            # Not as an event, as CloudFormation does it: while LocalStack replaces a function, its
            # older version may take an event and never run it.
            client = connect_to(
                aws_access_key_id=request.account_id,
                region_name=request.region_name,
                config=Config(read_timeout=timeout_seconds, retries={"max_attempts": 0}),
            ).lambda_
            invocation = {"FunctionName": event["ServiceToken"], "Payload": json.dumps(event)}
            threading.Thread(target=client.invoke, kwargs=invocation, daemon=True).start()
            server.handle_request()
            return server.answer


class AnswerHandler(BaseHTTPRequestHandler):
    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.answer = json.loads(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


def failed(model, message):
    return ProgressEvent(status=OperationStatus.FAILED, resource_model=model, message=message)
