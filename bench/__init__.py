"""What fleettop costs and how quickly it answers, measured from outside beside other programs: ``python -m bench``."""
