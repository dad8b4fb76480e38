"""The verdict on `part4_affine_backward` and on the reference's own checks, reached outside of the kernel."""
