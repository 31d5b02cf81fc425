"""Tests of the local trainer and detector."""
