"""Custom resources of CloudFormation, one a module."""
