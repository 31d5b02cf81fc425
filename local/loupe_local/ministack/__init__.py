"""Everything that knows MiniStack (1.5.33): nothing else imports it or uses one of its names.

MiniStack reads the environment when it is imported, so most modules here are imported only after
the server has set its own.
"""
