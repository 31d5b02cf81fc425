"""Event: one module a Lambda function, named by its verb."""
