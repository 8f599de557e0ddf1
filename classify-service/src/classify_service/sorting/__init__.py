"""Sort a folder on disk into one folder a label, so that a kill, a name clash or a change of mind loses nothing."""
