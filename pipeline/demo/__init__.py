"""The demo: a shop's orders and leads go through an embedded Kafka and the worker to the sandbox, and must balance.

It runs the worker as a process, the way production does, and imports nothing of the road itself.
"""
