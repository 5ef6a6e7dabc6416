"""What people decide about alerts: acknowledge, resolve, discard, re-open."""
