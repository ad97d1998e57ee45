"""The demo: a shop's trade goes through an embedded Kafka and the worker to five platforms, and must balance at each.

It runs the worker as a process, the way production does, and imports nothing of the road itself.
"""
