from __future__ import annotations

import os

# With the first four any process in the container gets tokens of the container's identity (learn.microsoft.com,
# "Managed identities in Azure Container Apps"); the last says which attempt this is, for those who look from outside.
NAMES = ('IDENTITY_ENDPOINT', 'IDENTITY_HEADER', 'MSI_ENDPOINT', 'MSI_SECRET', 'LAMPLIGHTER_RUN')


def forget_identity() -> None:
    """Takes out of this process's environment what is for the platform alone: neither the job nor uv, which may build
    packages of strangers, has any business with it."""
    for name in NAMES:
        if name in os.environ:
            from .linux import wipe_variable

            wipe_variable(name)
            del os.environ[name]
