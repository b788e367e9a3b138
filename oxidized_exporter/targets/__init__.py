"""What can be asked: targets, patterns that stand for many of them, and addresses that are never asked."""
