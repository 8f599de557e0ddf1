"""What every service has in common; nothing about captions, labels or storage."""
