"""All that talks to engines, and all that is known of the fleet. Knows nothing of terminals."""
