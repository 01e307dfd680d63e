"""Runs migrations on the connection that `schema.migrate` gives. Only Alembic loads this file."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
