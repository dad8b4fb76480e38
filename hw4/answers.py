"""The function that question 2 of the section on backpropagation asks for; the notebook imports it."""


def part4_affine_backward(ctx, grad_output):
    """Return dL/dX, dL/dW and dL/db for Y = ½ X Wᵀ + b, given G = dL/dY; None for an input that needs no gradient.

    `ctx.saved_tensors` holds X (…, d_in), W (d_out, d_in) and b (d_out,), `ctx.needs_input_grad` a bool for each;
    `grad_output` is G (…, d_out). Each gradient has its own tensor's shape and dtype, and can be differentiated again.

    With n over all leading positions, Y_nj = ½ Σ_i X_ni W_ji + b_j, so by the chain rule
    dL/dX_ni = ½ Σ_j G_nj W_ji,  dL/dW_ji = ½ Σ_n G_nj X_ni,  dL/db_j = Σ_n G_nj.
    """
    X, W, _ = ctx.saved_tensors
    needs_X, needs_W, needs_b = ctx.needs_input_grad
    rows_X, rows_G = X.reshape(-1, W.shape[1]), grad_output.reshape(-1, W.shape[0])  # one row per n

    grad_X = grad_output @ (0.5 * W) if needs_X else None  # the ½ goes where few numbers are: W's size, not X's
    grad_W = (rows_G.T @ rows_X).mul_(0.5) if needs_W else None
    grad_b = rows_G.sum(dim=0) if needs_b else None
    return grad_X, grad_W, grad_b
