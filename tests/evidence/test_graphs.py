import torch

from hw4.evidence.graphs import EDGES, GraphConv, laplacian


def test_laplacian_sums_the_squared_differences_along_the_edges():
    x = torch.randn(9, dtype=torch.float64)
    delta = laplacian(EDGES)
    assert torch.allclose(x @ delta @ x, sum((x[i] - x[j]) ** 2 for i, j in EDGES))
    assert torch.equal(delta, delta.T)


def test_only_node_5_joins_the_two_sides():
    left, right = range(5), range(6, 9)
    assert not laplacian(EDGES)[:5, 6:].any()
    assert {5} == {i for edge in EDGES for i in edge} - {*left, *right}


def test_layer_is_the_formula_written_out():
    layer, delta, x = GraphConv(3, 2, q=2), laplacian(EDGES), torch.randn(9, 3, dtype=torch.float64)
    out = layer(delta, x)
    assert out.shape == (9, 2)
    for i in range(9):
        once = [sum(delta[a, j] * x[j] for j in range(9)) for a in range(9)]
        twice = sum(delta[i, a] * once[a] for a in range(9))
        total = layer.alphas[0].T @ once[i] + layer.alphas[1].T @ twice + layer.bias
        assert torch.allclose(out[i], total.tanh())
