"""Amazon A2I on this machine: task pages, flow definitions, human loops, and who answers them."""
