"""The ledger, and forgetting in time."""
