"""What each open tab shows: thin windows on the services, ids and masked text only."""
