"""How the schema came to be; one set of steps for SQLite and MySQL."""
