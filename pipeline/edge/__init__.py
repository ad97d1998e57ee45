"""The edges: sockets, files and the terminal. Nouns that know Kafka, HTTP, logs and metrics, and no platform."""
