"""Entry points, one module a Lambda function: event in, one service call, JSON out.

Nothing imports them.
"""
