"""What was acknowledged is on disk: rows in a journal, and snapshots of everything else."""
