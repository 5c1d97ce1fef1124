"""
Runs LocalStack's Lambda functions in processes instead of containers, for machines without a Docker
engine.
"""
