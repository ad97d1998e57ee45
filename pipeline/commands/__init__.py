"""The commands of `capi-pipeline` that are not the worker itself."""
