"""capi-pipeline: order and lead events from Kafka to ad platforms, committed only after acceptance."""

__version__ = "0.1.0"
