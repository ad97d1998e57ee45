"""Avro as the contract needs it: schemas as trees, compatibility, reading, and the JSON form of an event."""
