"""Speaking the Engine API: requests, what may be asked, and answers made into the model."""
