"""Keeps images and all that is known of them; nobody else knows the tables or the folders."""
