"""Amazon Rekognition Custom Labels on this machine: same states, limits and errors."""
