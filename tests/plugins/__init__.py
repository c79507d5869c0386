"""What all tests share: requirement marks, the socket guard, Chromium, PostgreSQL."""
