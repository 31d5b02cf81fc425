"""The web console's API: one module a page, each with the routes that the page calls.

A route reads the request, calls what the rest of Loupe offers, and answers with JSON. Who may call
it (`access`), what it takes (`schema`) and what it answers stand at the route; console/openapi.json
is made of that, and the page's types in console/src/api/ of console/openapi.json.
"""
