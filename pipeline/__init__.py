"""capi-pipeline: order, lead and activity events from Kafka to ad platforms, committed only after acceptance."""

__version__ = "0.1.0"
