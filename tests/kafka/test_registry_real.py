"""The registry client against a real registry: the same contract as the fake."""

from __future__ import annotations

import pytest
from registry_contract import RegistryContract


class TestRealRegistry(RegistryContract):
    """The real one passes the exam of the fake."""

    @pytest.fixture
    def contract_url(self, registry_url: str) -> str:
        """The address under test."""
        return registry_url
