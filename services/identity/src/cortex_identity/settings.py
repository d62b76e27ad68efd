"""What identity reads from the environment."""

from cortex_runtime.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """Identity needs nothing beyond what every service needs: it calls no other service."""
