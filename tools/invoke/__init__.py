"""`make invoke`: one function in Docker by `sam local invoke`, against the embedded stack."""
