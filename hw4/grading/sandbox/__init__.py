"""Processes for a submission's code: started, isolated, and cleaned up after."""
