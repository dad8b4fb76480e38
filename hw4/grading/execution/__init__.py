"""The cells of a notebook: the kernel that runs them, their run under limits, their outputs."""
