"""What Alembic runs for each command; `storage_service.schema` has opened the connection and holds the lock."""

from alembic import context

from storage_service.tables import Table

context.configure(connection=context.config.attributes["connection"], target_metadata=Table.metadata)
with context.begin_transaction():
    context.run_migrations()
