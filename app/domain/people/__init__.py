"""People: residents, hosts, staff and visitors, their accounts, sessions and inboxes."""
