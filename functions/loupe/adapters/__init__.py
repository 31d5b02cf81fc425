"""Effects: one module a service. Each translates its service's errors into Loupe's own."""
