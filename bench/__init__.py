"""`make bench`: what an event costs, beside a bare loop and beside the vendor's own SDK, measured in one run.

Every contender is a process of its own, reads the same records from the same topic and posts to the same sink;
`docs/performance.md` says what is counted and what is not.
Linux only: the figures of other processes come from `/proc`.
"""
