"""What stands between a caller and the services: who may come in, and what answers."""
