import pytest
import torch

from hw4.evidence.attention import KEEP, LENGTH, REVERSE, SIZE, WORDS, Translator, probe, sentences, trained


def test_target_is_the_source_forwards_or_backwards_and_the_decoder_sees_the_word_before():
    torch.manual_seed(0)
    source, shown, target = sentences(50)
    for words, inputs, answer in zip(source.tolist(), shown.tolist(), target.tolist(), strict=True):
        assert answer == (words if inputs[0] == KEEP else words[::-1])
        assert inputs[1:] == answer[:-1]
    assert set(shown[:, 0].tolist()) == {KEEP, REVERSE} and source.max() < WORDS


@pytest.mark.parametrize(("kind", "asking"), [("cross", "decoder"), ("self", "encoder")])
def test_attention_is_the_softmax_of_scaled_products_of_projected_states(kind, asking):
    model = Translator(kind).requires_grad_(False)
    out = model(*sentences(5)[:2])
    (w_q, w_k, w_v), (b_q, b_k, b_v) = (
        t.chunk(3) for t in (model.attention.in_proj_weight, model.attention.in_proj_bias)
    )
    query, key, value = out[asking] @ w_q.T + b_q, out["encoder"] @ w_k.T + b_k, out["encoder"] @ w_v.T + b_v
    weights = torch.softmax(query @ key.mT / SIZE**0.5, -1)
    assert torch.allclose(out["weights"], weights, atol=1e-5)
    assert torch.allclose(out["context"], model.attention.out_proj(weights @ value), atol=1e-5)


def test_context_without_attention_is_the_last_encoder_state_at_every_step():
    out = Translator("none")(*sentences(5)[:2])
    assert all(torch.equal(out["context"][:, t], out["encoder"][:, -1]) for t in range(LENGTH))
    assert out["scores"].shape == (5, LENGTH, WORDS)


def test_training_starts_alike_for_each_kind_and_ends_alike_each_time():
    starts = [trained(kind, steps=0).state_dict() for kind in ("none", "cross", "self")]
    assert all(torch.equal(start[name], starts[0][name]) for start in starts for name in starts[0])
    first, second = (trained("cross", steps=3).out.weight for _ in range(2))
    assert torch.equal(first, second) and not torch.equal(first, starts[0]["out.weight"])


def test_probe_reads_what_the_states_hold_and_no_more():
    torch.manual_seed(0)
    source = sentences(2000)[0]
    states = torch.cat([torch.nn.functional.one_hot(source[:, 0], WORDS), torch.randn(2000, 5)], 1)
    states = states + 1e-3 * torch.randn_like(states)  # full rank beside the column of ones
    shares = probe(states, source)
    assert shares[0] == 1 and shares[1:].max() < 0.2
