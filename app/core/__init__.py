"""What every capability stands on and what knows no business: settings, database, keys, clock, audit."""
