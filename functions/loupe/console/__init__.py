"""The web console's API: one module a page, each with the routes that the page calls.

A route reads the request, calls what the rest of Loupe offers, and answers with JSON. Who may call
it stands at the route (`access`); console/src/api/ is the other side of the contract.
"""
