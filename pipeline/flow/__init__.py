"""The road itself: `prepare` (pure), `worker` (the thread that owns the consumer), `lane` (asyncio, one a destination).

Nothing here opens a socket or reads the environment: what touches the world comes in through `ports`.
"""
