"""Faults on purpose: a deployed stack is killed time and again while people use it.

| module | |
| --- | --- |
| `people` | what people do, request by request, and the acknowledged of what was acknowledged |
| `kills` | kill -9 of the server and of single functions; faults of the local Rekognition |
| `rest` | what is waited for, and done as schedules and operators do it, until all is at rest |
| `invariants` | what must hold then |
| `run` | the run: `SEED=n make faults` |
"""
