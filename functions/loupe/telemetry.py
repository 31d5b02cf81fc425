"""Logger, metrics and tracer, one of each a process."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger(service="loupe")
metrics = Metrics(namespace="Loupe", service="loupe")
