"""Loupe: keeps a Rekognition Custom Labels model improving while it is in use."""
