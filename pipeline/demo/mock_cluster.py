"""librdkafka's mock cluster as C sees it: where the library is, and the functions we call, with their types.

The library is the one inside the confluent-kafka wheel.
It is reached through the wheel's extension module, whose dependencies the system's loader has already resolved, so
the layout of the wheel (`confluent_kafka.libs` on Linux, `.dylibs` on macOS) does not matter.
Source of the signatures: librdkafka `src/rdkafka_mock.h`, which calls itself experimental: a function that is
missing is reported by name.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, c_char_p, c_int, c_int16, c_int32, c_size_t, c_void_p
from typing import Final

from confluent_kafka import cimpl, libversion

CLUSTER: Final = c_void_p
ERROR: Final = c_int

# name -> (result, arguments); None is void.
_FUNCTIONS: Final[Mapping[str, tuple[object, tuple[object, ...]]]] = {
    "rd_kafka_conf_new": (c_void_p, ()),
    "rd_kafka_conf_set": (c_int, (c_void_p, c_char_p, c_char_p, c_char_p, c_size_t)),
    "rd_kafka_new": (c_void_p, (c_int, c_void_p, c_char_p, c_size_t)),
    "rd_kafka_destroy": (None, (c_void_p,)),
    "rd_kafka_err2str": (c_char_p, (ERROR,)),
    "rd_kafka_mock_cluster_new": (CLUSTER, (c_void_p, c_int)),
    "rd_kafka_mock_cluster_destroy": (None, (CLUSTER,)),
    "rd_kafka_mock_cluster_bootstraps": (c_char_p, (CLUSTER,)),
    "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, (CLUSTER, c_int32)),
    "rd_kafka_mock_topic_create": (ERROR, (CLUSTER, c_char_p, c_int, c_int)),
    "rd_kafka_mock_topic_set_error": (None, (CLUSTER, c_char_p, ERROR)),
    "rd_kafka_mock_partition_set_leader": (ERROR, (CLUSTER, c_char_p, c_int32, c_int32)),
    "rd_kafka_mock_coordinator_set": (ERROR, (CLUSTER, c_char_p, c_char_p, c_int32)),
    "rd_kafka_mock_broker_set_down": (ERROR, (CLUSTER, c_int32)),
    "rd_kafka_mock_broker_set_up": (ERROR, (CLUSTER, c_int32)),
    "rd_kafka_mock_broker_set_rtt": (ERROR, (CLUSTER, c_int32, c_int)),
    "rd_kafka_mock_push_request_errors_array": (None, (CLUSTER, c_int16, c_size_t, POINTER(ERROR))),
    "rd_kafka_mock_clear_request_errors": (None, (CLUSTER, c_int16)),
    "rd_kafka_mock_start_request_tracking": (None, (CLUSTER,)),
    "rd_kafka_mock_stop_request_tracking": (None, (CLUSTER,)),
    "rd_kafka_mock_clear_requests": (None, (CLUSTER,)),
    "rd_kafka_mock_get_requests": (POINTER(c_void_p), (CLUSTER, POINTER(c_size_t))),
    "rd_kafka_mock_request_api_key": (c_int16, (c_void_p,)),
    "rd_kafka_mock_request_id": (c_int32, (c_void_p,)),
    "rd_kafka_mock_request_destroy_array": (None, (POINTER(c_void_p), c_size_t)),
}


class MockClusterMissingError(Exception):
    """The installed confluent-kafka brings a librdkafka without the mock cluster that we know."""


def load() -> ctypes.CDLL:
    """Return librdkafka, its functions typed. Raises MockClusterMissingError, which says what is missing."""
    try:
        library = ctypes.CDLL(cimpl.__file__)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        version, _ = libversion()
        raise MockClusterMissingError(
            f"the embedded Kafka cannot start: {error}. It is librdkafka's mock cluster, which the confluent-kafka "
            f"wheel brings along; librdkafka {version} was found at {cimpl.__file__}. "
            "Install the wheel that requirements/runtime.txt pins (not a build against a system library)."
        ) from error
    return library


def started_handle(library: ctypes.CDLL) -> c_void_p:
    """Return a silent librdkafka instance to hang a mock cluster on; raises RuntimeError with librdkafka's words."""
    text = ctypes.create_string_buffer(512)
    conf = library.rd_kafka_conf_new()
    # Brokers that a test takes down are no news: only what makes librdkafka unusable is printed.
    library.rd_kafka_conf_set(conf, b"log_level", b"0", text, len(text))
    handle = library.rd_kafka_new(0, conf, text, len(text))
    if not handle:
        raise RuntimeError(f"librdkafka did not start: {text.value.decode()}")
    return c_void_p(handle)
