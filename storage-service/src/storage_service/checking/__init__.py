"""Compare the database's rows with the store's files, and mend what can be mended without losing anything."""
