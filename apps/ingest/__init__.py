"""What hosts and CI jobs write: whole batches, checked by compiled code, stored by one statement, told row by row."""
