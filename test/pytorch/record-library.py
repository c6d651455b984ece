"""Records what PyTorch computes in f64 for single items of the library, for test/library-pytorch.test.ts.

    python3 test/pytorch/record-library.py test/golden/pytorch-library.json

Inputs come from a small integer generator that both sides run, so that only results are recorded: `out`, the gradient of
sum(out * cotangent) towards each input, and what running statistics become. Optimizers: the weights after each step.
Schedules: the rate of each step.
Needs Debian's python3-torch. Layouts are dlm's: channels last, kernels [In, Out] and [height, width, In, Out].
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F
import torch.optim.lr_scheduler as schedulers
from torch.nn.utils.stateless import functional_call

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def numbers(name, count):
    """FNV-1a of the name seeds a 32-bit linear congruential generator; values in [-1, 1) with 16 bits."""
    state = 2166136261
    for c in name.encode():
        state = ((state ^ c) * 16777619) & 0xFFFFFFFF
    out = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append((state >> 16) / 32768.0 - 1.0)
    return out


def as_f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def count_of(shape):
    n = 1
    for s in shape:
        n *= s
    return n


class Case:
    """The inputs of one item by name, and what it writes."""

    def __init__(self, name):
        self.name = name
        self.leaves = {}
        self.writes = {}

    def x(self, name, *shape, low=-2.0, high=2.0):
        values = [as_f32(low + ((v + 1) / 2) * (high - low)) for v in numbers(f"{self.name}.{name}", count_of(shape))]
        leaf = torch.tensor(values).reshape(shape)
        if name != "cotangent" and not name.startswith("n.m") and not name.startswith("n.v"):
            leaf.requires_grad_()
            self.leaves[name] = leaf
        return leaf

    def ids(self, name, n, *shape):
        values = [int((v + 1) * 0.5 * n) % n for v in numbers(f"{self.name}.{name}", count_of(shape))]
        return torch.tensor(values).reshape(shape)


B = 3
IMAGE = (B, 6, 5, 2)


def first(x):
    """channels first"""
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def conv(size, stride, pad, bias=True, shape=IMAGE, out=3, groups=1, dilation=1):
    def run(c):
        x, k = c.x("x", *shape), c.x("c.kernel", size, size, shape[-1] // groups, out)
        b = c.x("c.shift", out) if bias else None
        return last(F.conv2d(first(x), k.permute(3, 2, 0, 1), b, stride, pad, dilation, groups))

    return run


def conv1(size, stride, pad, bias=True, shape=(B, 9, 2), out=3, groups=1, dilation=1):
    def run(c):
        x, k = c.x("x", *shape), c.x("c.kernel", size, shape[-1] // groups, out)
        b = c.x("c.shift", out) if bias else None
        return F.conv1d(x.transpose(1, 2), k.permute(2, 1, 0), b, stride, pad, dilation, groups).transpose(1, 2)

    return run


def conv3(out, size, stride, pad, bias=True, shape=(B, 4, 3, 5, 2), groups=1, dilation=1):
    def run(c):
        x, k = c.x("x", *shape), c.x("c.kernel", size, size, size, shape[-1] // groups, out)
        b = c.x("c.shift", out) if bias else None
        return F.conv3d(x.movedim(-1, 1), k.permute(4, 3, 0, 1, 2), b, stride, pad, dilation, groups).movedim(1, -1)

    return run


def depthwise(size, stride, pad, bias=True, dilation=1, multiplier=1):
    def run(c):
        n = 3 * multiplier
        x, k = c.x("x", B, 6, 5, 3), c.x("d.kernel", size, size, 1, n)
        b = c.x("d.shift", n) if bias else None
        return last(F.conv2d(first(x), k.permute(3, 2, 0, 1), b, stride, pad, dilation, groups=3))

    return run


def separable(c):
    x, depth = c.x("x", *IMAGE), c.x("s.depth.kernel", 3, 3, 1, 4)
    point, b = c.x("s.point.kernel", 1, 1, 4, 3), c.x("s.point.shift", 3)
    y = F.conv2d(first(x), depth.permute(3, 2, 0, 1), None, 2, 1, groups=2)
    return last(F.conv2d(y, point.permute(3, 2, 0, 1), b))


def bilinear(shape, right, out, bias=True):
    def run(c):
        x, y = c.x("x", *shape), c.x("y", *shape[:-1], right)
        kernel, b = c.x("l.kernel", shape[-1], right, out), c.x("l.shift", out) if bias else None
        return F.bilinear(x, y, kernel.permute(2, 0, 1), b)

    return run


def upconv(shape, out, size, stride):
    def run(c):
        x, k, b = c.x("x", *shape), c.x("c.kernel", size, size, shape[3], out), c.x("c.shift", out)
        pad = (size - stride) // 2
        return last(F.conv_transpose2d(first(x), k.permute(2, 3, 0, 1), b, stride=stride, padding=pad))

    return run


def dense(shape, out, bias=True):
    def run(c):
        y = c.x("x", *shape) @ c.x("l.kernel", shape[-1], out)
        return y + c.x("l.shift", out) if bias else y

    return run


def cells(c, prefix, x, hidden, gates, order, act="tanh"):
    """One direction of a recurrent layer with dlm's weights: one kernel of [x, h], or one each where the gates are three."""
    width = x.shape[-1]
    if gates == 3:
        of_x, b_x = c.x(f"{prefix}.input.kernel", width, 3 * hidden), c.x(f"{prefix}.input.shift", 3 * hidden)
        of_h, b_h = c.x(f"{prefix}.hidden.kernel", hidden, 3 * hidden), c.x(f"{prefix}.hidden.shift", 3 * hidden)
    else:
        kernel = c.x(f"{prefix}.gates.kernel", width + hidden, gates * hidden)
        of_x, of_h = kernel[:width], kernel[width:]
        b_x = c.x(f"{prefix}.gates.shift", gates * hidden)
        b_h = torch.zeros_like(b_x)
    pick = [g * hidden + k for g in order for k in range(hidden)]
    weights = [of_x.t()[pick], of_h.t()[pick], b_x[pick], b_h[pick]]
    zeros = torch.zeros(1, x.shape[0], hidden)
    if gates == 4:
        return torch._VF.lstm(x, (zeros, zeros), weights, True, 1, 0.0, False, False, True)[0]
    run = torch._VF.gru if gates == 3 else torch._VF.rnn_relu if act == "relu" else torch._VF.rnn_tanh
    return run(x, zeros, weights, True, 1, 0.0, False, False, True)[0]


def recurrent(steps, hidden, gates, order, act="tanh"):
    return lambda c: cells(c, "r", c.x("x", B, steps, 3), hidden, gates, order, act)


def bidirectional(c):
    x = c.x("x", B, 4, 3)
    ahead = cells(c, "r.forward", x, 2, 4, (0, 1, 3, 2))
    back = cells(c, "r.backward", x.flip(1), 2, 4, (0, 1, 3, 2)).flip(1)
    return torch.cat([ahead, back], dim=-1)


def batch_norm(shape, training, momentum=0.1, eps=1e-5):
    def run(c):
        n = shape[-1]
        x, scale, shift = c.x("x", *shape), c.x("n.scale", n), c.x("n.shift", n)
        m, v = c.x("n.m", n), c.x("n.v", n, low=0.5, high=1.5)
        flat = x.reshape(-1, n)
        out = F.batch_norm(flat, m, v, scale, shift, training, momentum, eps).reshape(shape)
        if training:
            c.writes = {"n.m": m, "n.v": v}
        return out

    return run


def pool(f):
    return lambda c: last(f(first(c.x("x", *IMAGE))))


def unary(f, *shape, **ranges):
    return lambda c: f(c.x("x", *(shape or (B, 7)), **ranges))


def pair(f, **ranges):
    return lambda c: f(c.x("x", B, 5), c.x("y", B, 5, **ranges))


def prelu(c):
    x, slope = c.x("x", B, 2, 3), c.x("p.slope", 3)
    return F.prelu(x.transpose(1, 2), slope).transpose(1, 2)


def embed(c):
    return F.embedding(c.ids("id", 4, B, 3), c.x("e.table", 4, 3))


def layer_norm(c):
    return F.layer_norm(c.x("x", B, 5), [5], c.x("n.scale", 5), c.x("n.shift", 5), 1e-5)


def rms_norm(c):
    """torch.nn.RMSNorm is younger than Debian's PyTorch: its formula, with PyTorch's gradients"""
    x, scale = c.x("x", B, 5), c.x("n.scale", 5)
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * scale


def layer(c, path, ins, outs, bias=True, most=2.0):
    """weight and bias of a dense layer in PyTorch's layout"""
    kernel = c.x(f"{path}.kernel", ins, outs, low=-most, high=most)
    return kernel.T, c.x(f"{path}.shift", outs) if bias else None


def projections(c, path, d, memory, width, bias=True, most=2.0):
    """query, key, value and out of an attention layer"""
    return (
        layer(c, f"{path}.query", d, d, bias, most),
        layer(c, f"{path}.key", memory, width, bias),
        layer(c, f"{path}.value", memory, width, bias),
        layer(c, f"{path}.out", d, d, bias),
    )


def future(t):
    """true where a query may not look"""
    return torch.ones(t, t).triu(1).bool()


def multi_head(x, memory, heads, parts, causal=False):
    """torch.nn.MultiheadAttention with batch_first and weights of our own"""
    (q, qb), (k, kb), (v, vb), (o, ob) = parts
    d = x.shape[-1]
    bias = None if qb is None else torch.cat([qb, kb, vb])
    y, _ = F.multi_head_attention_forward(
        x.transpose(0, 1), memory.transpose(0, 1), memory.transpose(0, 1), d, heads, None, bias, None, None, False, 0.0,
        o, ob, training=False, need_weights=False, attn_mask=future(x.shape[1]) if causal else None,
        use_separate_proj_weight=True, q_proj_weight=q, k_proj_weight=k, v_proj_weight=v,
    )
    return y.transpose(0, 1)


def rotated(x, base=10_000):
    """Su et al. (2021) on complex numbers, of which feature i + E / 2 is the imaginary part of feature i"""
    t, e = x.shape[-2:]
    angle = torch.arange(t)[:, None] * base ** (-2 * torch.arange(e // 2) / e)
    z = torch.complex(x[..., : e // 2], x[..., e // 2 :]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([z.real, z.imag], -1)


def scores(q, k, v, causal):
    """attention by its formula"""
    s = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        s = s.masked_fill(future(q.shape[-2]), float("-inf"))
    return torch.softmax(s, -1) @ v


def self_attention(heads, bias=True, causal=False):
    def run(c):
        x = c.x("x", B, 5, 8)
        return multi_head(x, x, heads, projections(c, "a", 8, 8, 8, bias), causal)

    return run


def grouped_attention(heads, groups, causal=False, rotary=False):
    """each key and value stands for heads / groups of them; PyTorch's own option is younger than Debian's PyTorch"""

    def run(c):
        x = c.x("x", B, 5, 8)
        e = 8 // heads
        cut = lambda y, n: y.reshape(B, 5, n, e).transpose(1, 2)
        (q, qb), (k, kb), (v, vb), (o, ob) = projections(c, "a", 8, 8, groups * e)
        q, k, v = cut(x @ q.T + qb, heads), cut(x @ k.T + kb, groups), cut(x @ v.T + vb, groups)
        if rotary:
            q, k = rotated(q), rotated(k)
        k, v = (y.repeat_interleave(heads // groups, 1) for y in (k, v))
        return scores(q, k, v, causal).transpose(1, 2).reshape(B, 5, 8) @ o.T + ob

    return run


def cross_attention(c):
    return multi_head(c.x("x", B, 4, 4), c.x("y", B, 6, 6), 2, projections(c, "a", 4, 6, 4))


def stacked(parts):
    """in_proj of torch.nn.MultiheadAttention"""
    (q, qb), (k, kb), (v, vb), (o, ob) = parts
    return {
        "in_proj_weight": torch.cat([q, k, v]),
        "in_proj_bias": torch.cat([qb, kb, vb]),
        "out_proj.weight": o,
        "out_proj.bias": ob,
    }


def named(c, norms, attentions, d, hidden, most=2.0):
    """the parameters of a transformer layer of PyTorch by its names"""
    given = {}
    for theirs, ours in attentions.items():
        for key, value in stacked(projections(c, f"b.{ours}", d, d, d, most=most)).items():
            given[f"{theirs}.{key}"] = value
    for i, ours in enumerate(norms, 1):
        given[f"norm{i}.weight"], given[f"norm{i}.bias"] = c.x(f"b.{ours}.scale", d), c.x(f"b.{ours}.shift", d)
    for i, ours, ins, outs in [(1, "up", d, hidden), (2, "down", hidden, d)]:
        given[f"linear{i}.weight"], given[f"linear{i}.bias"] = layer(c, f"b.feed.{ours}", ins, outs)
    return given


def encoder_block(heads, hidden, norm_first=True, act=F.gelu, causal=False):
    def run(c):
        theirs = torch.nn.TransformerEncoderLayer(6, heads, hidden, 0.0, act, batch_first=True, norm_first=norm_first)
        given = named(c, ["look_norm", "feed_norm"], {"self_attn": "look"}, 6, hidden)
        return functional_call(theirs, given, (c.x("x", B, 5, 6), future(5) if causal else None))

    return run


def decoder_block(heads, hidden, norm_first=True, act=F.gelu):
    def run(c):
        theirs = torch.nn.TransformerDecoderLayer(6, heads, hidden, 0.0, act, batch_first=True, norm_first=norm_first)
        attentions = {"self_attn": "look", "multihead_attn": "cross"}
        given = named(c, ["look_norm", "cross_norm", "feed_norm"], attentions, 6, hidden, most=0.25)
        return functional_call(theirs, given, (c.x("x", B, 4, 6), c.x("y", B, 6, 6), future(4)))

    return run


def feed_forward(c):
    (up, ub), (down, db) = layer(c, "f.up", 3, 5), layer(c, "f.down", 5, 3)
    return F.linear(F.relu(F.linear(c.x("x", B, 2, 3), up, ub)), down, db)


def channels_norm(f, shape):
    """a normalisation of channels first, with scale and shift"""

    def run(c):
        n = shape[-1]
        x, scale, shift = c.x("x", *shape), c.x("n.scale", n), c.x("n.shift", n)
        return f(x.movedim(-1, 1), scale, shift).movedim(1, -1)

    return run


def group_norm(shape, groups, eps=1e-5):
    return channels_norm(lambda x, scale, shift: F.group_norm(x, groups, scale, shift, eps), shape)


def instance_norm(shape, eps=1e-5):
    return channels_norm(lambda x, scale, shift: F.instance_norm(x, None, None, scale, shift, eps=eps), shape)


def classes(*shape, **settings):
    """cross entropy of rows, whose last axis is the classes"""

    def run(c):
        x, label = c.x("x", *shape), c.ids("label", shape[-1], *shape[:-1])
        return F.cross_entropy(x.reshape(-1, shape[-1]), label.reshape(-1), **settings)

    return run


def focal(gamma, alpha):
    """torchvision.ops.sigmoid_focal_loss, which Debian's PyTorch comes without"""

    def run(c):
        x, id = c.x("x", B, 4), c.ids("id", 4, B)
        target = F.one_hot(id, 4).double()
        p = torch.sigmoid(x)
        p = p * target + (1 - p) * (1 - target)
        balance = alpha * target + (1 - alpha) * (1 - target)
        loss = F.binary_cross_entropy_with_logits(x, target, reduction="none")
        return (balance * (1 - p) ** gamma * loss).mean()

    return run


def kl(c):
    x, y = c.x("x", B, 5), c.x("y", B, 5, low=0.0, high=1.0)
    return F.kl_div(torch.log_softmax(x, 1), y, reduction="batchmean")


def hinge(margin):
    """the margin towards 0; torch.nn.HingeEmbeddingLoss is another"""

    def run(c):
        x, y = c.x("x", B, 5), c.x("y", B, 5)
        # max(0, -y * (x - 0) + margin), y of any size
        return F.margin_ranking_loss(x, torch.zeros(B, 5), y, margin)

    return run


def cosine_embedding(margin):
    """PyTorch takes targets of 1 and -1 alone"""

    def run(c):
        a, b, y = c.x("a", B, 4), c.x("b", B, 4), c.x("y", B)
        return F.cosine_embedding_loss(a, b, torch.sign(y.detach()), margin)

    return run


def contrastive(c):
    """Hadsell et al. (2006) by PyTorch's distances"""
    a, b, y = c.x("a", B, 3), c.x("b", B, 3), c.x("y", B, low=0.0, high=1.0)
    d = F.pairwise_distance(a, b, eps=0)
    return (0.5 * torch.where(y > 0.5, d**2, F.relu(3 - d) ** 2)).mean()


def triplet(c):
    return F.triplet_margin_loss(c.x("a", B, 3), c.x("p", B, 3), c.x("n", B, 3), eps=0)


def ctc(steps, n, labels, varied=False, **ranges):
    """targets without their blanks, which F.ctc_loss does not take"""

    def run(c):
        x, target = c.x("x", B, steps, n, **ranges), c.ids("y", n, B, labels)
        inside = c.ids("n", steps, B) + 1 if varied else torch.full((B,), steps)
        left = [row[row != 0] for row in target]
        lengths = torch.tensor([len(row) for row in left])
        chances = torch.log_softmax(x, 2).transpose(0, 1)
        return F.ctc_loss(chances, torch.cat(left), inside, lengths, zero_infinity=True)

    return run


ITEMS = {
    "relu": unary(F.relu),
    "leaky_relu": unary(F.leaky_relu),
    "leaky_relu_steep": unary(lambda x: F.leaky_relu(x, 0.25)),
    "sigmoid": unary(torch.sigmoid),
    "tanh": unary(torch.tanh),
    "softplus": unary(F.softplus),
    "gelu": unary(F.gelu),
    "gelu_tanh": unary(lambda x: F.gelu(x, approximate="tanh")),
    "silu": unary(F.silu),
    "elu": unary(F.elu),
    "elu_other": unary(lambda x: F.elu(x, 0.5)),
    "selu": unary(F.selu),
    # F.hardsigmoid has the derivative 1 / 6 rounded to f32
    "hard_sigmoid": unary(lambda x: F.relu6(x + 3) / 6),
    "mish": unary(F.mish),
    "glu": unary(F.glu, B, 6),
    "Prelu": prelu,
    "softmax": unary(lambda x: torch.softmax(x, 1), B, 5),
    "softmax_inner": unary(lambda x: torch.softmax(x, 1), B, 6, 3),
    "log_softmax": unary(lambda x: torch.log_softmax(x, 1), B, 5),
    "log_softmax_far": unary(lambda x: torch.log_softmax(x, 1), B, 5, low=9995, high=10005),
    "logsumexp": unary(lambda x: torch.logsumexp(x, 1), B, 5),
    "variance": unary(lambda x: x.var(1, unbiased=False), B, 5),
    "deviation": unary(lambda x: x.std(1, unbiased=False), B, 5),
    "Dense": dense((B, 5), 3),
    "Dense_of_one": dense((B, 1), 1, bias=False),
    "Dense_of_rows": dense((B, 3, 5), 9),
    "Rnn_relu": recurrent(4, 5, 1, (0,), act="relu"),
    "Rnn_tanh": recurrent(4, 5, 1, (0,)),
    "Lstm_of_steps": recurrent(5, 4, 4, (0, 1, 3, 2)),
    "Gru_of_steps": recurrent(5, 4, 3, (0, 1, 2)),
    "Bidirectional": bidirectional,
    "Conv": conv(3, 1, 1),
    "Conv_one": conv(1, 1, 0, bias=False),
    "Conv_stride": conv(3, 2, 1),
    "Conv_valid": conv(3, 1, 0),
    "Conv_pad": conv(3, 2, 2),
    "Conv_even": conv(4, 3, 1),
    "Conv_far": conv(1, 4, 0),
    "Conv_dilated": conv(3, 1, 2, dilation=2),
    "Conv_dilated_stride": conv(2, 2, 0, dilation=3),
    "Conv_groups": conv(3, 1, 1, shape=(B, 5, 4, 6), out=4, groups=2),
    "Conv_groups_each": conv(3, 2, 1, bias=False, shape=(B, 5, 4, 3), out=6, groups=3),
    "Conv1": conv1(3, 1, 1),
    "Conv1_stride": conv1(4, 2, 0),
    "Conv1_dilated": conv1(3, 1, 2, bias=False, dilation=2),
    "Conv1_free": conv1(3, 1, 1),
    "Conv1_groups": conv1(3, 1, 1, shape=(B, 7, 6), out=4, groups=2),
    "Conv1_groups_each": conv1(2, 2, 0, bias=False, shape=(B, 7, 3), out=6, groups=3),
    "Conv3": conv3(2, 3, 1, 1),
    "Conv3_stride": conv3(3, 2, 2, 0, bias=False),
    "Conv3_dilated": conv3(1, 2, 1, 1, dilation=2),
    "Conv3_groups": conv3(6, 3, 1, 1, shape=(B, 4, 3, 5, 4), groups=2),
    "Conv3_groups_each": conv3(2, 2, 2, 0, bias=False, shape=(B, 3, 4, 3, 2), groups=2),
    "Depthwise": depthwise(3, 1, 1),
    "Depthwise_many": depthwise(3, 2, 1, bias=False, multiplier=2),
    "Depthwise_dilated": depthwise(2, 1, 0, dilation=2),
    "Separable": separable,
    "Bilinear": bilinear((B, 3), 2, 2),
    "Bilinear_of_rows": bilinear((B, 2, 5), 3, 4, bias=False),
    "Upconv": upconv((B, 3, 2, 2), 3, 2, 2),
    "Upconv_large": upconv((B, 2, 3, 2), 2, 4, 2),
    "maxpool": pool(lambda x: F.max_pool2d(x, 2)),
    "maxpool_overlap": pool(lambda x: F.max_pool2d(x, 3, stride=2, padding=1)),
    "maxpool_valid": pool(lambda x: F.max_pool2d(x, 2, stride=3)),
    "avgpool": pool(lambda x: F.avg_pool2d(x, 2)),
    "avgpool_overlap": pool(lambda x: F.avg_pool2d(x, 3, stride=2, padding=1)),
    "avgpool_pad": pool(lambda x: F.avg_pool2d(x, 2, padding=1)),
    "global_avgpool": unary(lambda x: x.mean((1, 2)), B, 2, 2, 2),
    "global_avgpool_sequence": unary(lambda x: x.mean(1), B, 7, 3),
    "global_maxpool": unary(lambda x: x.amax((1, 2)), B, 2, 2, 2),
    "upsample": unary(lambda x: last(F.interpolate(first(x), scale_factor=2)), B, 2, 3, 2),
    "upsample_bilinear": unary(lambda x: last(F.interpolate(first(x), scale_factor=2, mode="bilinear")), B, 2, 3, 2),
    "upsample_bilinear_odd": unary(lambda x: last(F.interpolate(first(x), scale_factor=3, mode="bilinear")), B, 3, 1, 2),
    "pad": unary(lambda x: F.pad(x, (0, 0, 1, 2, 1, 2)), B, 2, 3, 2),
    "crop": unary(lambda x: x[:, 1:3, 1:3], B, 5, 4, 2),
    "crop_like": lambda c: c.x("x", B, 6, 5, 2)[:, 1:4, 1:4] * c.x("y", B, 3, 3, 2),
    "flatten": unary(lambda x: torch.flatten(x, 1), B, 2, 3, 2),
    "BatchNorm": batch_norm((B, 3), True),
    "BatchNorm_in_use": batch_norm((B, 3), False),
    "BatchNorm_image": batch_norm((B, 3, 2, 3), True, momentum=0.25, eps=1e-3),
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "attention": lambda c: scores(
        c.x("q", B, 2, 1, 4, 3), c.x("k", B, 2, 6, 3)[:, :, None], c.x("v", B, 2, 6, 2)[:, :, None], False
    ),
    "causal_attention": lambda c: scores(
        c.x("q", B, 1, 2, 4, 3), c.x("k", B, 1, 4, 3)[:, :, None], c.x("v", B, 1, 4, 2)[:, :, None], True
    ),
    "rotary_embedding_slow": unary(lambda x: rotated(x, 100), B, 9, 8),
    "LearnedPosition": lambda c: c.x("x", B, 2, 2) + F.embedding(torch.arange(2), c.x("p.table", 3, 2)),
    "MultiHeadAttention": self_attention(2),
    "MultiHeadAttention_one": self_attention(1, bias=False),
    "MultiHeadAttention_causal": self_attention(4, causal=True),
    "MultiHeadAttention_grouped": grouped_attention(4, 2),
    "MultiHeadAttention_rotary": grouped_attention(2, 1, causal=True, rotary=True),
    "CrossAttention": cross_attention,
    "FeedForward": feed_forward,
    "TransformerEncoder": encoder_block(2, 10),
    "TransformerEncoder_last": encoder_block(3, 7, norm_first=False, act=F.relu),
    "TransformerEncoder_causal": encoder_block(2, 10, causal=True),
    "TransformerDecoder": decoder_block(2, 10),
    "TransformerDecoder_last": decoder_block(2, 9, norm_first=False, act=F.relu),
    "GroupNorm_image": group_norm((B, 3, 2, 6), 3, eps=1e-3),
    "GroupNorm_sequence": group_norm((B, 7, 6), 2),
    "InstanceNorm": instance_norm((B, 2, 2)),
    "InstanceNorm_image": instance_norm((B, 3, 4, 3), eps=1e-3),
    "OneHot": lambda c: F.one_hot(c.ids("id", 4, B), 4).double(),
    "Embed": embed,
    "mse": pair(F.mse_loss),
    "mae": pair(F.l1_loss),
    "huber": pair(F.huber_loss),
    "huber_wide": pair(lambda x, y: F.huber_loss(x, y, delta=2.0)),
    "bce": pair(F.binary_cross_entropy_with_logits, low=0.0, high=1.0),
    "cross_entropy": lambda c: F.cross_entropy(c.x("x", B, 5), c.ids("label", 5, B)),
    "cross_entropy_far": lambda c: F.cross_entropy(c.x("x", B, 5, low=9995, high=10005), c.ids("label", 5, B)),
    "cross_entropy_smooth": lambda c: F.cross_entropy(c.x("x", B, 5), c.ids("label", 5, B), label_smoothing=0.1),
    "cross_entropy_tokens": classes(B, 4, 3),
    "cross_entropy_ignore": classes(B, 4, 3, ignore_index=1),
    "cross_entropy_ignore_smooth": classes(B, 4, 3, ignore_index=0, label_smoothing=0.2),
    "weighted_cross_entropy": classes(B, 3, weight=torch.tensor([1, 0.5, 2])),
    "weighted_cross_entropy_all": classes(
        B, 4, 3, weight=torch.tensor([1, 0.5, 2]), ignore_index=0, label_smoothing=0.2
    ),
    "focal": focal(2, 0.25),
    "focal_other": focal(0.5, 0.5),
    "kl": kl,
    "hinge": hinge(1),
    "hinge_wide": hinge(2),
    "cosine_embedding": cosine_embedding(0),
    "cosine_embedding_margin": cosine_embedding(0.25),
    "contrastive": contrastive,
    "triplet": triplet,
    "ctc": ctc(7, 4, 3),
    "ctc_steps": ctc(6, 4, 3, varied=True),
    "ctc_repeats": ctc(5, 2, 3),
    "ctc_tight": ctc(3, 3, 3),
    "ctc_far": ctc(9, 5, 4, varied=True, low=-20.0, high=20.0),
    "ctc_long": ctc(40, 6, 12, varied=True),
    "norm": unary(lambda x: torch.linalg.norm(x, dim=1), B, 3),
    "cosine_similarity": lambda c: F.cosine_similarity(c.x("x", B, 4), c.x("y", B, 4)),
}

class NAdam(torch.optim.Optimizer):
    """torch.optim.NAdam as its documentation and PyTorch 2 have it: PyTorch 1.13 multiplies by mu once too often"""

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr})
        self.product, self.t = 1, 0
        self.betas, self.eps, self.decay = betas, eps, momentum_decay

    def mu(self, t):
        return self.betas[0] * (1 - 0.5 * 0.96 ** (t * self.decay))

    def step(self):
        (group,) = self.param_groups
        b1, b2 = self.betas
        self.t += 1
        mu, after = self.mu(self.t), self.mu(self.t + 1)
        self.product *= mu
        for w in group["params"]:
            state = self.state[w]
            state["m"] = m = b1 * state.get("m", 0) + (1 - b1) * w.grad
            state["v"] = v = b2 * state.get("v", 0) + (1 - b2) * w.grad**2
            mean = after * m / (1 - self.product * after) + (1 - mu) * w.grad / (1 - self.product)
            w.data -= group["lr"] * mean / (torch.sqrt(v / (1 - b2**self.t)) + self.eps)


class Lamb(torch.optim.Optimizer):
    """You et al. (2020), algorithm 2, which PyTorch comes without; as torch_optimizer.Lamb, with the corrections of Adam"""

    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(params, {"lr": lr})
        self.betas, self.eps, self.decay, self.t = betas, eps, weight_decay, 0

    def step(self):
        (group,) = self.param_groups
        b1, b2 = self.betas
        self.t += 1
        for w in group["params"]:
            state = self.state[w]
            state["m"] = m = b1 * state.get("m", 0) + (1 - b1) * w.grad
            state["v"] = v = b2 * state.get("v", 0) + (1 - b2) * w.grad**2
            u = m / (1 - b1**self.t) / ((v / (1 - b2**self.t)).sqrt() + self.eps) + self.decay * w.data
            length, way = w.data.norm(), u.norm()
            w.data -= group["lr"] * (length / way if length > 0 and way > 0 else 1) * u


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.75, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.01),
    "adam_other": lambda p: torch.optim.Adam(p, 0.02, betas=(0.5, 0.9), eps=1e-3),
    "adam_forgetful": lambda p: torch.optim.Adam(p, 0.01, betas=(0.0, 0.999)),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01),
    "adamw_strong": lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.5),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01),
    "rmsprop_momentum": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.9, eps=1e-4, momentum=0.5),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.1),
    "adagrad_other": lambda p: torch.optim.Adagrad(p, 0.1, eps=1e-3, initial_accumulator_value=0.5),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "adadelta_other": lambda p: torch.optim.Adadelta(p, 0.5, rho=0.75, eps=1e-4),
    "nadam": lambda p: NAdam(p),
    "nadam_other": lambda p: NAdam(p, 0.02, betas=(0.5, 0.9), eps=1e-3, momentum_decay=0.1),
    "lamb": lambda p: Lamb(p, 0.01),
    "lamb_other": lambda p: Lamb(p, 0.1, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.25),
    # the derivative of r * w^2 is 2 * r * w
    "l2": lambda p: torch.optim.SGD(p, 0.1, weight_decay=2 * 0.05),
    "clip": lambda p: torch.optim.SGD(p, 0.1),
    "clip_far": lambda p: torch.optim.SGD(p, 0.1),
    "clip_adam": lambda p: torch.optim.Adam(p, 0.01),
}
CLIP = {"clip": 0.5, "clip_far": 1000.0, "clip_adam": 0.25}
STEPS = 4


def warm(steps, make):
    """rises from rate / steps to rate, then what `make` gives"""

    def run(o):
        rise = schedulers.LinearLR(o, 1 / steps, 1, total_iters=steps - 1)
        return schedulers.SequentialLR(o, [rise, make(o)], milestones=[steps])

    return run


# the rates of single steps, from a rate of 0.1
SCHEDULES = {
    "constant": lambda o: schedulers.ConstantLR(o, 1),
    "constant_warm": lambda o: schedulers.LinearLR(o, 0.25, 1, total_iters=3),
    "stepwise": lambda o: schedulers.StepLR(o, 3, 0.5),
    "stepwise_warm": warm(2, lambda o: schedulers.StepLR(o, 2, 0.1)),
    "exponential": lambda o: schedulers.ExponentialLR(o, 0.1 ** (1 / 4)),
    "exponential_warm": warm(3, lambda o: schedulers.ExponentialLR(o, 0.1 ** (1 / 4))),
    "linear": lambda o: schedulers.LinearLR(o, 1, 0, total_iters=4),
    "linear_warm": warm(2, lambda o: schedulers.LinearLR(o, 1, 0.2, total_iters=4)),
    "cosine": lambda o: schedulers.CosineAnnealingLR(o, 4),
    "cosine_warm": warm(2, lambda o: schedulers.CosineAnnealingLR(o, 4, 0.01)),
    "one_cycle": lambda o: schedulers.OneCycleLR(o, 0.1, 9),
    "one_cycle_other": lambda o: schedulers.OneCycleLR(
        o, 0.1, 8, pct_start=0.5, div_factor=10, final_div_factor=100
    ),
}
# so many steps, where a schedule of PyTorch ends before step 9 or turns around
RATES = {"cosine": 5, "cosine_warm": 7, "one_cycle_other": 8}
# elements of the two weights
WEIGHTS = [4, 3]


def flat(t):
    # 12 digits: ten times finer than what is compared
    return [float("%.12g" % v) for v in t.detach().reshape(-1).tolist()]


def record_item(name, run):
    c = Case(name)
    out = run(c)
    results = {"out": flat(out)}
    if out.requires_grad:
        (out * c.x("cotangent", *out.shape)).sum().backward()
        for leaf, value in c.leaves.items():
            # what only decides between two losses has no gradient
            if value.grad is not None:
                results[f"d.{leaf}"] = flat(value.grad)
    for state, value in c.writes.items():
        results[f"writes {state}"] = flat(value)
    return results


def record_optimizer(name, make):
    start = numbers(f"{name}.w", sum(WEIGHTS))
    start[0] = 0.0
    weights = [torch.nn.Parameter(w) for w in torch.tensor(start).split(WEIGHTS)]
    optimizer = make(weights)
    steps = []
    for step in range(1, STEPS + 1):
        for w, g in zip(weights, torch.tensor(numbers(f"{name}.g{step}", sum(WEIGHTS))).split(WEIGHTS)):
            w.grad = g
        if name in CLIP:
            torch.nn.utils.clip_grad_norm_(weights, CLIP[name])
        optimizer.step()
        steps.append(flat(torch.cat(weights)))
    return steps


def record_schedule(name, make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    schedule = make(optimizer)
    rates = []
    for step in range(RATES.get(name, 9)):
        rates.append(float("%.12g" % optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if step + 1 < RATES.get(name, 9):
            schedule.step()
    return rates


recorded = {
    "torch": torch.__version__,
    "items": {name: record_item(name, run) for name, run in ITEMS.items()},
    "optimizers": {name: record_optimizer(name, make) for name, make in OPTIMIZERS.items()},
    "schedules": {name: record_schedule(name, make) for name, make in SCHEDULES.items()},
}


def line(value):
    return json.dumps(value, separators=(",", ":"))


# one line an item
parts = [f'"torch": {line(recorded["torch"])}']
for key in ["items", "optimizers", "schedules"]:
    rows = ",\n".join(f"{json.dumps(name)}: {line(value)}" for name, value in recorded[key].items())
    parts.append(f'"{key}": {{\n{rows}\n}}')
text = "{" + ",\n".join(parts) + "}\n"
if len(sys.argv) > 1:
    with open(sys.argv[1], "w") as f:
        f.write(text)
else:
    sys.stdout.write(text)
